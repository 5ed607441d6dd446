package router

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// sureLanguage is the confidence below which a mail is answered in its mailbox's language.
const sureLanguage = 0.5

// burst is how many mails of ours an address may get in an hour before automatic ones are withheld.
const burst = 10

// maxNotice bounds the citizen's words in a notice, in bytes.
const maxNotice = 64 << 10

// decideNewCase opens a case: filed and assigned when the theme is sure, to triage when it is not.
func decideNewCase(m *Mail, f Facts, now time.Time) Plan {
	c := newCase(m, f, now)
	p := Plan{Disposition: store.OpenedCase, Reason: "new case", Case: &c}
	if f.Case != nil { // a stranger's mail on somebody's case: its own case, linked
		c.Linked = f.Case.ID
		p.Reason = "new case, linked to " + f.Case.Reference
	}
	p.event(now, "opened", "citizen", "mailbox", c.Mailbox, "language", c.Language, "type", c.Type,
		"theme", c.Theme, "why", strings.Join(slices.Concat(m.Class.Theme.Why, m.Class.Type.Why), "; "))
	p.promise(f, m.Received.InternalDate, now)
	p.acknowledge(m, f, config.Acknowledgement, now)
	p.large(m, f, now)
	if c.State == store.Unfiled {
		p.toTriage(m, f, now)
	} else {
		p.toAgent(f, handover{by: "clock", why: Phrase{"you_treat", []any{themeArg(c.Theme)}}, said: []Said{m.said()}}, now)
	}
	return p
}

// newCase is the case as judged, not yet numbered.
func newCase(m *Mail, f Facts, now time.Time) store.Case {
	from := sender(m.Message, f.Config)
	c := store.Case{
		State: store.Open, Mailbox: f.Mailbox.Name, Organisation: f.Mailbox.Organisation, Circuit: f.Mailbox.Circuit,
		Type: m.Class.Type.Value, Theme: m.Class.Theme.Path, Organisational: m.Class.Organisational,
		Language:       string(caseLanguage(m, f)),
		CitizenAddress: from.Address, CitizenName: from.Name, Silent: !m.Screen.Answer,
		Subject: m.Message.Subject, ReceivedAt: m.Received.InternalDate, OpenedAt: now,
	}
	if m.Class.Theme.Abstained || c.Theme == "" {
		c.State, c.Theme = store.Unfiled, ""
	} else {
		c.Organisation = organisationOf(f.Config, c.Theme)
	}
	return c
}

// caseLanguage is the language the citizen is answered in: theirs when it is sure and offered, else the mailbox's.
func caseLanguage(m *Mail, f Facts) config.Language {
	l := m.Class.Language
	if l.Confidence >= sureLanguage && slices.Contains(f.Config.Languages.Offered, l.Code) {
		return l.Code
	}
	return f.Mailbox.Language
}

// promise adds the committed time to the first answer, counted from the moment from.
func (p *Plan) promise(f Facts, from, now time.Time) {
	circuit, calendar := f.circuit(p.Case)
	term, ok := circuit.Terms[p.Case.Type]
	if !ok || term.N == 0 {
		return
	}
	count := Due(term, from, calendar, circuit.NonworkingArrival)
	next := nextStep(count, circuit, calendar, 0, now)
	p.Counts = append(p.Counts, PlannedDeadline{
		Deadline: store.Deadline{Kind: store.FirstAnswer, From: from, Due: count.Due, State: store.DeadlineOpen, Next: next.At, Step: next.Name},
		Term:     term, Count: count,
	})
	p.event(now, "deadline_set", "clock", "kind", store.FirstAnswer, "due", count.Due.Format(time.RFC3339), "term", term.String(),
		"warning", strings.Join(count.Warnings, "; "))
}

// acknowledge tells the citizen that it arrived, unless that would answer a machine or add to a burst.
func (p *Plan) acknowledge(m *Mail, f Facts, kind string, now time.Time) {
	switch {
	case p.Case.CitizenAddress == "":
		p.event(now, "acknowledgement_withheld", "clock", "why", "no address to answer")
	case !m.Screen.Answer:
		p.event(now, "acknowledgement_withheld", "clock", "why", m.Screen.Reason)
	case m.Auth.Fails():
		p.event(now, "acknowledgement_withheld", "clock", "why", "the address may be another's: authentication failed")
	case f.Recent >= burst:
		p.event(now, "acknowledgement_withheld", "clock", "why", fmt.Sprintf("%d mails to this address within an hour", f.Recent))
	default:
		p.Letters = append(p.Letters, Letter{
			Kind: kind, To: citizenOf(p.Case), Language: config.Language(p.Case.Language), Purpose: ForCitizen,
			Automatic: "auto-replied", InReplyTo: m.Message.MessageID, References: thread(m.Message),
			TooLarge: m.limit(f),
		})
	}
}

// toTriage puts an unfiled case before the supervisor of the mailbox's organisation.
func (p *Plan) toTriage(m *Mail, f Facts, now time.Time) {
	p.Case.Supervisor = f.overseer(p.Case)
	p.Route = Route{Supervisor: p.Case.Supervisor, Why: []string{"no confident theme: triage"}}
	p.assign(f, p.Case.Supervisor, store.Triage, now)
	p.event(now, "unfiled", "clock", "supervisor", p.Case.Supervisor, "why", strings.Join(m.Class.Theme.Why, "; "))
	var candidates []string
	for _, c := range m.Class.Theme.Candidates {
		candidates = append(candidates, c.Path)
	}
	said := []Said{m.said()}
	p.letterTo(f, p.Case.Supervisor, f.showing(said, Letter{Kind: config.Unfiled, Purpose: ForCommands, Candidates: candidates}))
}

// handover is a case going to an agent.
type handover struct {
	by   string // for the history
	why  Phrase // for the agent
	said []Said // what the citizen wrote so far
}

// toAgent gives the case to the agent who treats its theme.
func (p *Plan) toAgent(f Facts, h handover, now time.Time) {
	p.Route = Assign(f.Config, p.Case.Theme, config.Language(p.Case.Language), f.Workload)
	if p.Route.Supervisor == "" {
		p.Route.Supervisor = f.overseer(p.Case)
	}
	p.Case.Supervisor = p.Route.Supervisor
	if p.Route.Agent == "" { // the theme was taken out of the configuration since
		p.Route.Agent = p.Case.Supervisor
	}
	p.give(f, p.Route.Agent, strings.Join(p.Route.Why, "; "), h, now)
}

// give assigns the case to one agent and sends the notice.
func (p *Plan) give(f Facts, agent, because string, h handover, now time.Time) {
	p.Case.Agent = agent
	p.forget(f)
	p.assign(f, agent, store.Treat, now)
	p.event(now, "assigned", h.by, "agent", agent, "why", because)
	p.letterTo(f, agent, f.showing(h.said, Letter{Kind: config.Assigned, Purpose: ForAnswer, Reason: []Phrase{h.why}}))
}

// assign ends whatever assignments there are for a new one.
func (p *Plan) assign(f Facts, agent, role string, now time.Time) {
	p.End = true
	p.Assign = f.assignment(p.Case, agent, role, now)
}

// assignment is agent's on c, with a reply address for as long as the circuit says.
func (f Facts) assignment(c *store.Case, agent, role string, now time.Time) *store.Assignment {
	circuit, _ := f.circuit(c)
	return &store.Assignment{Agent: agent, Role: role, CreatedAt: now, ExpiresAt: now.AddDate(0, 0, circuit.ReplyDays)}
}

// letterTo adds a mail to an agent, in their language. An agent no longer configured gets none.
func (p *Plan) letterTo(f Facts, agent string, l Letter) {
	a, ok := f.Config.Agent(agent)
	if !ok {
		return
	}
	l.To, l.Agent, l.Language, l.Automatic = mailbox.Address{Name: a.Name, Address: a.Address}, a.ID, a.Language, "auto-generated"
	p.Letters = append(p.Letters, l)
}

// decideFollowUp puts a citizen's further mail on their case. After an answer it opens the case
// again within the circuit's period, and a new linked case later. Thanks only need to be seen.
func decideFollowUp(m *Mail, f Facts, now time.Time) Plan {
	circuit, calendar := f.circuit(f.Case)
	ended := f.Case.State == store.Answered || f.Case.State == store.Closed
	_, owed := circuit.Terms[m.Class.Type.Value]
	if ended && owed && circuit.Reopen.N > 0 && now.After(Due(circuit.Reopen, endedAt(f.Case), calendar, config.AsReceived).Due) {
		return decideNewCase(m, f, now)
	}
	p := f.change(store.FollowUp, "on "+f.Case.Reference)
	p.event(now, "follow_up", "citizen", "message_id", string(m.Message.MessageID))
	_, promised := circuit.Terms[f.Case.Type]
	if owed && !promised { // thanks, and now more than thanks
		p.Case.Type = m.Class.Type.Value
		p.event(now, "typed", "clock", "from", f.Case.Type, "to", p.Case.Type)
	}
	switch {
	case owed && ended:
		p.reopen(m, f, now)
	case owed && !promised:
		p.promise(f, m.Received.InternalDate, now)
	}
	p.large(m, f, now)
	switch {
	case p.Assign != nil: // reopened for a new assignment: its notice says everything
	case f.treated() && f.Current.Role == store.Treat && !now.Before(f.Current.ExpiresAt):
		p.give(f, f.Current.Agent, "the reply address had expired", handover{by: "clock", why: Phrase{"you_treat", []any{themeArg(p.Case.Theme)}},
			said: append(slices.Clone(f.Said), m.said())}, now)
	default:
		p.nudge(f, f.showing([]Said{m.said()}, Letter{Kind: config.FollowUp}), now)
	}
	return p
}

// reopen sets the case to work again, with a new committed time counted from this mail.
func (p *Plan) reopen(m *Mail, f Facts, now time.Time) {
	p.Case.AnsweredAt, p.Case.ClosedAt = time.Time{}, time.Time{}
	p.event(now, "reopened", "citizen", "from", string(f.Case.State))
	p.promise(f, m.Received.InternalDate, now)
	p.acknowledge(m, f, config.FollowUpReceived, now)
	if p.Case.Theme == "" {
		p.Case.State = store.Unfiled
		p.toTriage(m, f, now)
		return
	}
	p.Case.State = store.Open
	if !f.treated() || f.Current.Role != store.Treat || !now.Before(f.Current.ExpiresAt) {
		p.toAgent(f, handover{by: "clock", why: Phrase{"reopened", nil}, said: append(slices.Clone(f.Said), m.said())}, now)
	}
}

// decideStranger handles a mail that names a case its writer does not belong to: the case is
// neither read nor written; they get one of their own, and the agent of the first one learns of it.
func decideStranger(m *Mail, f Facts, now time.Time) Plan {
	if m.Class.Ignore != "" {
		return Plan{Disposition: store.Ignored, Reason: "rule " + m.Class.Ignore}
	}
	return decideNewCase(m, f, now)
}

// belongs says whether the writer of m is the citizen of c: their address in From, unless the
// receiving server refutes it; on a reply to the address that only the citizen was sent, also in
// Reply-To, which anybody can fill in.
func belongs(m *Mail, c *store.Case) bool {
	fromThem := sameAddress(m.Message.From.Address, c.CitizenAddress)
	if m.Token != nil && m.Token.Purpose == ForCitizen && m.Token.ID == int64(c.ID) {
		return fromThem || slices.ContainsFunc(m.Message.ReplyTo, func(a mailbox.Address) bool { return sameAddress(a.Address, c.CitizenAddress) })
	}
	return fromThem && !m.Auth.Fails()
}

// sentBy says whether m's From is one of the agent's addresses.
func sentBy(m *Mail, cfg *config.Config, agent string) bool {
	a, ok := cfg.Agent(agent)
	if !ok {
		return false
	}
	from := m.Message.From.Address
	return sameAddress(from, a.Address) || slices.ContainsFunc(a.Aliases, func(alias string) bool { return sameAddress(from, alias) })
}

func sameAddress(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

// sender is where the writer of m wants to be answered (RFC 5322 section 3.6.2): never at an address
// of ours, and nowhere when mail can be sent to none of theirs.
func sender(m *mailbox.Message, cfg *config.Config) mailbox.Address {
	for _, a := range append(slices.Clone(m.ReplyTo), m.From) {
		if _, ours := cfg.MailboxByAddress(a.Address); ours || !a.Usable() {
			continue
		}
		if a.Name == "" {
			a.Name = m.From.Name
		}
		return a
	}
	return mailbox.Address{Name: m.From.Name}
}

func citizenOf(c *store.Case) mailbox.Address {
	return mailbox.Address{Name: c.CitizenName, Address: c.CitizenAddress}
}

// thread is the References of an answer to m (RFC 5322 section 3.6.4).
func thread(m *mailbox.Message) []mailbox.MessageID {
	refs := slices.Clone(m.References)
	if len(refs) == 0 {
		refs = slices.Clone(m.InReplyTo)
	}
	if m.MessageID != "" {
		refs = append(refs, m.MessageID)
	}
	return refs
}

func endedAt(c *store.Case) time.Time {
	if c.ClosedAt.After(c.AnsweredAt) {
		return c.ClosedAt
	}
	return c.AnsweredAt
}

func (m *Mail) said() Said {
	return Said{m.Received.InternalDate, m.Received.Size, m.Message, m.Words, m.Received.Truncated}
}

// words is what the citizen wrote, mail after mail.
func (f Facts) words(said []Said) string {
	_, calendar := f.circuit(f.Case)
	var b strings.Builder
	for i, s := range said {
		if i > 0 {
			fmt.Fprintf(&b, "\n\n— %s —\n\n", s.At.In(calendar.Zone).Format("2006-01-02 15:04"))
		}
		b.WriteString(s.text())
	}
	return b.String()
}

// text is the citizen's own words; all of the mail's text when none could be told from what they quote,
// for somebody must read it.
func (s Said) text() string {
	if own := strings.TrimSpace(s.Words.Text); own != "" {
		return own
	}
	plain, html := s.Message.Body()
	switch {
	case plain != nil:
		return strings.TrimSpace(strings.ReplaceAll(string(plain.Body), "\r\n", "\n"))
	case html != nil:
		text, _ := mailbox.HTMLText(html.Body)
		return strings.TrimSpace(text)
	}
	return ""
}

// clip cuts the citizen's words to what a notice shows.
func clip(text string) string {
	if len(text) <= maxNotice {
		return text
	}
	return strings.ToValidUTF8(text[:maxNotice], "") + " […]"
}

// maxEnclosed bounds the files that go with a notice, in bytes: a mail server must take it.
const maxEnclosed = 20 << 20

// showing is l with the citizen's words and files. Words too long for a notice are a file, too. Files
// beyond the bound are only named, those of the oldest mails first.
func (f Facts) showing(said []Said, l Letter) Letter {
	left, room := "", maxEnclosed
	words := f.words(said)
	if l.Words = clip(words); l.Words != words {
		file := []byte(words[:min(len(words), room)])
		room -= len(file)
		l.Attachments = []mailbox.Attachment{{Filename: "text.txt", MediaType: "text/plain", Body: file}}
	}
	for _, s := range slices.Backward(said) {
		for _, a := range s.Message.Attachments() {
			if len(a.Body) > room {
				left += fmt.Sprintf("\n[…] %s (%d MB)", a.Filename, len(a.Body)>>20)
				continue
			}
			room -= len(a.Body)
			l.Attachments = append(l.Attachments, a)
		}
	}
	if left != "" {
		l.Words += "\n" + left
	}
	l.Reason = append(l.Reason, f.beyond(said)...)
	return l
}
