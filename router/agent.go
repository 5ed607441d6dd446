package router

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// decideAgentMail carries out what an agent or supervisor wrote to the signed address of an
// assignment: commands on the first lines, or an answer to the citizen. Whatever is not certain
// goes back to the agent and nowhere else.
func decideAgentMail(m *Mail, f Facts, now time.Time) Plan {
	if why, facts := disbelieve(m, f, now); why != "" {
		return f.refuse(m, now, Phrase{why, nil}, facts)
	}
	commands := ParseCommands(m.Words.Text, m.Token.Purpose == ForCommands)
	switch {
	case m.Received.Truncated:
		return f.refuse(m, now, Phrase{"yours_too_large", []any{m.limit(f)}}, "larger than "+m.limit(f))
	case len(commands.Wrong) > 0:
		return f.refuse(m, now, Phrase{"wrong_command", []any{strings.Join(commands.Wrong, "; ")}}, "unknown command")
	case len(commands.List) > 0:
		return f.obey(commands, order{by: f.actor(), agent: f.Assignment.Agent, mail: m}, now)
	case m.Token.Purpose == ForCommands || f.Assignment.Role != store.Treat:
		return f.refuse(m, now, Phrase{"commands_only", nil}, "plain words on an address for commands")
	case strings.TrimSpace(m.Words.Text) == "":
		return f.refuse(m, now, Phrase{"no_words", nil}, "no words of the agent's own")
	case f.Case.CitizenAddress == "":
		return f.refuse(m, now, Phrase{"no_address", nil}, "the citizen gave no address")
	default:
		return decideAnswer(m, f, now)
	}
}

// disbelieve says why a mail to an agent's signed address is not taken as that agent's: a phrase
// for the agent and a fact for the history; "" when it is believed. Signature, person, validity and
// the receiving server's authentication result must all hold.
func disbelieve(m *Mail, f Facts, now time.Time) (phrase, fact string) {
	switch {
	case !sentBy(m, f.Config, f.Assignment.Agent):
		return "not_from_you", "sender is not " + f.Assignment.Agent
	case m.Auth.Fails():
		return "not_authentic", fmt.Sprintf("authentication failed: dmarc=%s dkim=%s spf=%s", m.Auth.DMARC, m.Auth.DKIM, m.Auth.SPF)
	case !f.Assignment.EndedAt.IsZero() && !f.holds(f.Assignment.Agent):
		return "no_longer_yours", "assignment ended " + f.Assignment.EndedAt.UTC().Format(time.RFC3339)
	case !now.Before(m.Token.Expires) || !now.Before(f.Assignment.ExpiresAt):
		return "expired", "reply address expired"
	}
	return "", ""
}

// holds says whether agent has the case now.
func (f Facts) holds(agent string) bool { return f.Current != nil && f.Current.Agent == agent }

// actor is how the assignment's agent stands in the history.
func (f Facts) actor() string {
	if f.Assignment.Role == store.Treat {
		return "agent:" + f.Assignment.Agent
	}
	return "supervisor:" + f.Assignment.Agent
}

// refuse does nothing but tell the agent of the assignment why nothing was done.
func (f Facts) refuse(m *Mail, now time.Time, why Phrase, fact string) Plan {
	p := f.change(store.AgentReply, "refused: "+fact)
	p.event(now, "refused", f.actor(), "why", fact)
	p.answerAgent(f, f.Assignment.Agent, m, Letter{Kind: config.Refused, Purpose: m.Token.Purpose, Assignment: f.Assignment.ID, Reason: []Phrase{why}}, now)
	return p
}

// decideAnswer sends the agent's own words to the citizen, or holds them and shows them back.
func decideAnswer(m *Mail, f Facts, now time.Time) Plan {
	text := strings.TrimSpace(m.Words.Text)
	p := f.change(store.AgentReply, "answer to "+f.Case.Reference)
	if f.Held != nil {
		p.Drop = f.Held.ID
	}
	answer := Letter{
		Kind: config.Answer, To: citizenOf(p.Case), Language: config.Language(p.Case.Language), Purpose: ForCitizen, Answer: text,
		Attachments: enclosed(m.Message),
	}
	if n := len(f.Said); n > 0 {
		last := f.Said[n-1].Message
		answer.InReplyTo, answer.References = last.MessageID, thread(last)
	}
	if why, fact := guard(m, f); why != "" {
		answer.Hold = true
		p.Reason = "held: " + fact
		p.event(now, "held", f.actor(), "why", fact)
		p.Letters = append(p.Letters, answer)
		p.answerAgent(f, f.Assignment.Agent, m, Letter{Kind: config.Held, Purpose: ForAnswer, Assignment: f.Assignment.ID, Answer: text, Reason: []Phrase{{why, nil}}}, now)
		return p
	}
	p.Letters = append(p.Letters, answer)
	p.answered(f, f.actor(), now)
	p.receipt(f, f.Assignment.Agent, m, now, Phrase{"answer_sent", []any{languageArg(p.Case.Language)}})
	return p
}

// guard says why an answer must not go out unseen: a phrase for the agent and a fact for the
// history; "" when it may.
func guard(m *Mail, f Facts) (phrase, fact string) {
	if !m.Words.Certain {
		return "not_certain", "not certain where the agent's words end: " + m.Words.Why
	}
	if strings.Contains(m.Words.Text, mailbox.Marker) {
		return "internal", "contains a notice of ours"
	}
	for _, ref := range mailbox.FindReferences(m.Words.Text) {
		if string(ref) != f.Case.Reference {
			return "other_case", "names another case: " + string(ref)
		}
	}
	if !m.Screen.Answer {
		return "may_be_automatic", "may be a machine's: " + m.Screen.Reason
	}
	if slices.ContainsFunc(m.Message.Attachments(), isMail) {
		return "attached_mail", "a whole mail is attached"
	}
	return "", ""
}

// isMail tells an attached mail, by its name too: Outlook has types of its own, and others give none.
func isMail(a mailbox.Attachment) bool {
	switch strings.ToLower(path.Ext(a.Filename)) {
	case ".eml", ".msg", ".mht", ".mhtml", ".oft":
		return true
	}
	switch a.MediaType {
	case "message/rfc822", "message/global", "application/vnd.ms-outlook", "application/ms-tnef", "application/vnd.ms-tnef":
		return true
	}
	return strings.EqualFold(a.Filename, "winmail.dat")
}

// enclosed is what the agent attached on purpose: files, not the pictures of their signature, no whole
// mails, and not the signature of the mail, whose certificate names more than the citizen need know.
// Some programs call a file inline that they show in the text.
func enclosed(m *mailbox.Message) []mailbox.Attachment {
	var files []mailbox.Attachment
	m.Walk(func(p *mailbox.Part) bool {
		file := p.Disposition == "attachment" || p.Filename != "" && !strings.HasPrefix(p.MediaType, "image/")
		a := mailbox.Attachment{Filename: p.Filename, MediaType: p.MediaType, Body: p.Body}
		if file && p.Body != nil && !isMail(a) && !slices.Contains(signatures, p.MediaType) {
			files = append(files, a)
		}
		return p.MediaType != "message/rfc822"
	})
	return files
}

// signatures are the media types of a signature beside a mail (RFC 8551, RFC 3156).
var signatures = []string{"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "application/pgp-keys"}

// answered closes the committed time: met when it had not passed yet.
func (p *Plan) answered(f Facts, actor string, now time.Time) {
	p.Case.State, p.Case.AnsweredAt = store.Answered, now
	p.EndState = store.DeadlineMet
	for _, d := range f.Deadlines {
		if now.After(d.Due) {
			p.EndState = store.DeadlineMissed
		}
	}
	in := ""
	if len(f.Deadlines) > 0 {
		in = p.EndState
	}
	p.event(now, "answered", actor, "deadline", in)
}

// receipt tells an agent what was done with their mail.
func (p *Plan) receipt(f Facts, agent string, m *Mail, now time.Time, done ...Phrase) {
	p.answerAgent(f, agent, m, Letter{Kind: config.Receipt, Purpose: ForCommands, Assignment: f.Assignment.ID, Reason: done}, now)
}

// answerAgent writes back to an agent about a mail of theirs, but not on and on: what answers may be a
// machine that does not say so.
func (p *Plan) answerAgent(f Facts, agent string, m *Mail, l Letter, now time.Time) {
	if f.Answered >= burst {
		p.event(now, "word_withheld", "clock", "mail", l.Kind, "to", role(agent), "why", fmt.Sprintf("%d answers to agents on this case within an hour", f.Answered))
		return
	}
	l.InReplyTo, l.References = m.Message.MessageID, thread(m.Message)
	p.letterTo(f, agent, l)
}

// order is who gives commands, and from which mail when it was one.
type order struct {
	by    string // for the history
	agent string // "" = the operator
	mail  *Mail  // nil = the operator
}

// obey carries out commands, all or none.
func (f Facts) obey(commands Commands, by order, now time.Time) Plan {
	p := f.change(store.AgentReply, "commands on "+f.Case.Reference)
	var done []Phrase
	for _, c := range commands.List {
		did, wrong := p.command(c, f, by, now)
		if wrong.ID != "" && by.mail != nil {
			return f.refuse(by.mail, now, wrong, "command not possible: "+c.Line)
		}
		if wrong.ID != "" {
			return Plan{Refused: wrong.In(f.Config, f.Config.Languages.Default)}
		}
		done = append(done, did)
	}
	if commands.Rest != "" {
		done = append(done, Phrase{"rest_not_sent", nil})
	}
	if by.mail != nil {
		p.receipt(f, by.agent, by.mail, now, done...)
	}
	return p
}

// command adds one command to the plan: what it did, or why it cannot be done.
func (p *Plan) command(c Command, f Facts, by order, now time.Time) (did, wrong Phrase) {
	switch c.Verb {
	case VerbTheme:
		return p.file(c.Arg, f, by, now)
	case VerbTo:
		return p.handTo(c.Arg, f, by, now)
	case VerbNote:
		p.event(now, "note", by.by, "text", c.Arg)
		return Phrase{"noted", nil}, Phrase{}
	case VerbClose:
		return p.close(c.Arg, f, by, now)
	case VerbOK:
		return p.release(f, by, now)
	case VerbHelp:
		return Phrase{"help", nil}, Phrase{}
	default:
		panic(fmt.Sprintf("verb %q", c.Verb))
	}
}

// file puts the case under a theme and gives it to whoever treats that.
func (p *Plan) file(arg string, f Facts, by order, now time.Time) (did, wrong Phrase) {
	theme, wrong := findTheme(f.Config, arg)
	if wrong.ID != "" {
		return Phrase{}, wrong
	}
	from := p.Case.Theme
	p.Case.Theme, p.Case.Organisation = theme.Path, theme.Organisation
	p.event(now, "filed", by.by, "from", from, "to", theme.Path)
	if p.Case.State == store.Unfiled {
		p.Case.State = store.Open
	}
	if p.Case.State == store.Open {
		p.toAgent(f, handover{by: "clock", why: Phrase{"you_treat", []any{themeArg(theme.Path)}}, said: f.Said}, now)
	}
	return Phrase{"filed", []any{themeArg(theme.Path), p.Case.Agent}}, Phrase{}
}

// findTheme finds a theme by its path, or by its last id when that is unique; level 2 at least.
func findTheme(cfg *config.Config, arg string) (*config.Theme, Phrase) {
	arg = strings.Trim(strings.ToLower(strings.TrimSpace(arg)), "/")
	t, ok := cfg.Theme(arg)
	var near []string
	for i := range cfg.Themes {
		path := cfg.Themes[i].Path
		if !ok && strings.HasSuffix(path, "/"+arg) {
			near = append(near, path)
			t = &cfg.Themes[i]
		}
	}
	switch {
	case ok || len(near) == 1:
	case len(near) > 1:
		return nil, Phrase{"theme_unclear", []any{arg, strings.Join(near, ", ")}}
	default:
		return nil, Phrase{"theme_unknown", []any{arg, strings.Join(nearThemes(cfg, arg), ", ")}}
	}
	if t.Level < 2 {
		return nil, Phrase{"theme_shallow", []any{t.Path, strings.Join(below(cfg, t.Path), ", ")}}
	}
	return t, Phrase{}
}

// nearThemes is what could be meant by arg: the theme it is a slip of, else those of level 1 to begin with.
func nearThemes(cfg *config.Config, arg string) []string {
	var paths, tops []string
	for _, t := range cfg.Themes {
		paths = append(paths, t.Path)
		if t.Level == 1 {
			tops = append(tops, t.Path)
		}
	}
	if near := nearest(arg, paths); near != "" {
		return []string{near}
	}
	return tops
}

func below(cfg *config.Config, path string) []string {
	var paths []string
	for _, t := range cfg.Themes {
		if parentTheme(t.Path) == path {
			paths = append(paths, t.Path)
		}
	}
	return paths
}

// handTo gives the case to the agent named, who must treat its theme unless a supervisor or the operator says so.
func (p *Plan) handTo(arg string, f Facts, by order, now time.Time) (did, wrong Phrase) {
	a, ok := f.Config.Agent(strings.ToLower(arg))
	if !ok {
		a, ok = f.Config.AgentByAddress(arg)
	}
	switch {
	case !ok:
		return Phrase{}, Phrase{"agent_unknown", []any{arg}}
	case p.Case.Theme == "":
		return Phrase{}, Phrase{"file_first", nil}
	case p.Case.State != store.Open:
		return Phrase{}, Phrase{"not_open", nil}
	}
	supervises := by.mail == nil || f.Assignment.Role != store.Treat
	treats := slices.ContainsFunc(a.Themes, func(t string) bool {
		return t == p.Case.Theme || strings.HasPrefix(p.Case.Theme, t+"/")
	})
	if !supervises && !treats {
		return Phrase{}, Phrase{"agent_not_theme", []any{a.ID, themeArg(p.Case.Theme)}}
	}
	p.give(f, a.ID, "handed over", handover{by: by.by, why: Phrase{"handed", []any{by.by}}, said: f.Said}, now)
	return Phrase{"handed_to", []any{a.Name}}, Phrase{}
}

// close ends the case without an answer.
func (p *Plan) close(reason string, f Facts, by order, now time.Time) (did, wrong Phrase) {
	if p.Case.State == store.Closed {
		return Phrase{}, Phrase{"not_open", nil}
	}
	if reason == "" {
		return Phrase{}, Phrase{"close_reason", nil}
	}
	p.Case.State, p.Case.ClosedAt = store.Closed, now
	p.EndState, p.End = store.DeadlineVoid, true
	p.forget(f)
	p.event(now, "closed", by.by, "why", reason)
	return Phrase{"closed", []any{reason}}, Phrase{}
}

// forget drops the answer that is held, if the plan does not send it: it was shown to whoever had the
// case, and an OK of whoever has it next would send words they never saw.
func (p *Plan) forget(f Facts) {
	if f.Held != nil && p.Release == 0 {
		p.Drop = f.Held.ID
	}
}

// release sends the answer that was held.
func (p *Plan) release(f Facts, by order, now time.Time) (did, wrong Phrase) {
	if f.Held == nil || p.Drop == f.Held.ID {
		return Phrase{}, Phrase{"nothing_held", nil}
	}
	p.Release = f.Held.ID
	p.event(now, "released", by.by)
	p.answered(f, by.by, now)
	return Phrase{"answer_sent", []any{languageArg(p.Case.Language)}}, Phrase{}
}

// decideOrder carries out the operator's command.
func decideOrder(o Order, f Facts, now time.Time) Plan {
	p := f.obey(Commands{List: []Command{o.Command}}, order{by: "operator:" + o.By}, now)
	p.Disposition = ""
	return p
}

// decideStrayReply handles an agent's reply that lost its signed address: what it says cannot be
// believed, so they are told to answer the notice itself.
func decideStrayReply(m *Mail, f Facts, now time.Time) Plan {
	p := Plan{Disposition: store.AgentReply, Reason: "refused: not sent to the signed reply address"}
	if f.Case == nil {
		return p
	}
	p.Case, p.From = f.Case, f.Case.State
	p.event(now, "refused", "agent:"+f.Original.Agent, "why", "not sent to the signed reply address")
	told := Letter{Kind: config.Refused, Purpose: ForCommands, Reason: []Phrase{{"no_longer_yours", nil}}}
	if f.holds(f.Original.Agent) {
		told = Letter{Kind: config.Refused, Purpose: ForAnswer, Assignment: f.Current.ID, Reason: []Phrase{{"stray", nil}}}
	}
	p.answerAgent(f, f.Original.Agent, m, told, now)
	return p
}
