package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/classifier"
	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/router"
	"github.com/bustia/bustia/store"
)

func explainCommand(p program) *cobra.Command {
	var dir, box string
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain FILE.eml…",
		Short: "Say what would be made of a mail, and why",
		Long: `Reads each mail (- is standard input) and says what the daemon would make of it:
the writer's own words, what kind of mail it is, language, type, theme, who would
treat it and by when, each with its reason. It touches no network and no store.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			cfg, err := p.loadConfig(dir)
			if err != nil {
				return err
			}
			e, err := newExplainer(cfg, box, p.Clock)
			if err != nil {
				return err
			}
			return p.explain(e, files, asJSON)
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration (default: the sample)")
	c.Flags().StringVar(&box, "mailbox", "", "name of the mailbox it came to (default: the one it is addressed to, else the first)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a mail")
	return c
}

// explain explains every file it can read; one that cannot be read does not keep the others from it.
func (p program) explain(e *explainer, files []string, asJSON bool) error {
	var failed error
	for _, file := range files {
		raw, err := p.readFile(file)
		if err != nil {
			fmt.Fprintln(p.Err, "bustia:", err)
			failed = errSaid
			continue
		}
		x := e.explain(file, raw)
		if asJSON {
			err = json.NewEncoder(p.Out).Encode(x)
		} else {
			err = x.print(p.Out)
		}
		if err != nil {
			return err
		}
	}
	return failed
}

func (p program) readFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(p.In)
	}
	return os.ReadFile(file)
}

// explainer judges and decides on mails as if each were the first ever received.
type explainer struct {
	cfg   *config.Config
	judge *router.Judge
	box   *config.Mailbox // nil = by recipient
	clock func() time.Time
}

func newExplainer(cfg *config.Config, box string, clock func() time.Time) (*explainer, error) {
	signer, err := router.NewSigner(make([]byte, 32)) // no address it would believe was ever given out
	if err != nil {
		return nil, err
	}
	e := &explainer{cfg: cfg, judge: router.NewJudge(cfg, signer), clock: clock}
	if box != "" {
		var ok bool
		if e.box, ok = cfg.Mailbox(box); !ok {
			return nil, noMailbox(cfg, box)
		}
	}
	return e, nil
}

// noMailbox is the error of a name that no mailbox has.
func noMailbox(cfg *config.Config, name string) error {
	names := make([]string, len(cfg.Mailboxes))
	for i, m := range cfg.Mailboxes {
		names[i] = m.Name
	}
	return fmt.Errorf("no mailbox %q; there are %s", name, strings.Join(names, ", "))
}

// explanation is the contract's shape of one explained mail.
type explanation struct {
	File        string           `json:"file"`
	MessageID   string           `json:"message_id"`
	From        addressJSON      `json:"from"`
	Subject     string           `json:"subject"`
	Date        string           `json:"date"`
	Attachments []attachmentJSON `json:"attachments"`
	Faults      []string         `json:"faults"`
	Text        string           `json:"text"`
	Certain     bool             `json:"text_certain"`
	Screen      screenJSON       `json:"screen"`
	Bounce      *bounceJSON      `json:"bounce"`
	Refs        refsJSON         `json:"refs"`
	judgementJSON
	Mailbox   string         `json:"mailbox"`
	Becomes   becomesJSON    `json:"disposition"`
	Route     routeJSON      `json:"route"`
	Deadlines []deadlineJSON `json:"deadlines"`
}

type addressJSON struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

type attachmentJSON struct {
	Filename  string `json:"filename"`
	MediaType string `json:"media_type"`
	Size      int    `json:"size"`
	SHA256    string `json:"sha256"`
}

type screenJSON struct {
	Kind   mailbox.Kind `json:"kind"`
	Reason string       `json:"reason"`
	Answer bool         `json:"answer"`
}

type bounceJSON struct {
	Action     string          `json:"action"`
	Hard       bool            `json:"hard"`
	Reason     string          `json:"reason"`
	Recipients []recipientJSON `json:"recipients"`
	Original   string          `json:"original_message_id"`
}

type recipientJSON struct {
	Address string `json:"address"`
	Status  string `json:"status"`
}

type refsJSON struct {
	MessageIDs []mailbox.MessageID `json:"message_ids"`
	Case       mailbox.Reference   `json:"case"`
}

// becomesJSON is what becomes of the mail: a case, or none.
type becomesJSON struct {
	Value  store.Disposition `json:"value"`
	Reason string            `json:"reason"`
}

// String is for a person: "new case", "ignored: rule newsletters".
func (b becomesJSON) String() string {
	value := strings.ReplaceAll(string(b.Value), "_", " ")
	switch {
	case b.Reason == "":
		return value
	case strings.Contains(b.Reason, value):
		return b.Reason
	}
	return value + ": " + b.Reason
}

type routeJSON struct {
	Agent      string   `json:"agent"`
	Supervisor string   `json:"supervisor"`
	Why        []string `json:"why"`
}

type deadlineJSON struct {
	Kind string   `json:"kind"`
	Due  string   `json:"due"`
	Why  []string `json:"why"`
}

func (e *explainer) explain(file string, raw []byte) explanation {
	now := e.clock()
	box := e.box
	parsed := mailbox.Parse(raw)
	if box == nil {
		box = e.addressee(parsed)
	}
	received := store.Received{Mailbox: box.Name, InternalDate: parsed.Date, Raw: raw}
	if received.InternalDate.IsZero() {
		received.InternalDate = now
	}
	m := e.judge.Mail(received, box)
	plan := router.Decide(m, router.Facts{Config: e.cfg, Mailbox: box}, now)
	x := explanation{
		File: file, MessageID: string(m.Message.MessageID), From: addressJSON(m.Message.From), Subject: m.Message.Subject,
		Attachments: []attachmentJSON{}, Faults: []string{}, Text: m.Words.Text, Certain: m.Words.Certain,
		Screen:        screenJSON(m.Screen),
		Refs:          refsJSON{append([]mailbox.MessageID{}, m.Refs.MessageIDs...), m.Refs.Case},
		judgementJSON: judgement(m.Class),
		Mailbox:       box.Name,
		Becomes:       becomesJSON{plan.Disposition, plan.Reason},
		Route:         routeJSON{plan.Route.Agent, plan.Route.Supervisor, list(plan.Route.Why)},
		Deadlines:     []deadlineJSON{},
	}
	if !m.Message.Date.IsZero() {
		x.Date = m.Message.Date.Format(time.RFC3339)
	}
	for _, a := range m.Message.Attachments() {
		sum := sha256.Sum256(a.Body)
		x.Attachments = append(x.Attachments, attachmentJSON{a.Filename, a.MediaType, len(a.Body), hex.EncodeToString(sum[:])})
	}
	for _, f := range m.Message.Faults {
		x.Faults = append(x.Faults, f.Kind+": "+f.Detail)
	}
	if b := m.Bounce; b != nil {
		x.Bounce = &bounceJSON{b.Action, b.Hard, b.Reason, []recipientJSON{}, string(b.OriginalMessageID)}
		for _, r := range b.Recipients {
			x.Bounce.Recipients = append(x.Bounce.Recipients, recipientJSON(r))
		}
	}
	for _, d := range plan.Counts {
		x.Deadlines = append(x.Deadlines, deadlineJSON{d.Kind, d.Due.Format(time.RFC3339), deadlineWhy(d)})
	}
	return x
}

// addressee is the mailbox the mail is addressed to, else the first.
func (e *explainer) addressee(m *mailbox.Message) *config.Mailbox {
	for _, to := range mailbox.Refs(m).Recipients {
		if box, ok := e.cfg.MailboxByAddress(to); ok {
			return box
		}
	}
	return &e.cfg.Mailboxes[0]
}

// deadlineWhy says how a date was counted: the term and the days that do not count.
func deadlineWhy(d router.PlannedDeadline) []string {
	why := []string{fmt.Sprintf("%s from %s", d.Term, d.From.Format(time.RFC3339))}
	for _, day := range d.Count.Days {
		if day.Why != "" {
			why = append(why, day.Date.String()+": "+day.Why)
		}
	}
	return append(why, d.Count.Warnings...)
}

// judgementJSON is the contract's shape of a classification, here and in classify.
type judgementJSON struct {
	Language languageJSON `json:"language"`
	Type     typeJSON     `json:"type"`
	Theme    themeJSON    `json:"theme"`
}

type languageJSON struct {
	Code       config.Language `json:"code"`
	Confidence float64         `json:"confidence"`
}

type typeJSON struct {
	Value string   `json:"value"`
	Why   []string `json:"why"`
}

type themeJSON struct {
	Path       string          `json:"path"`
	Confidence float64         `json:"confidence"`
	Abstained  bool            `json:"abstained"`
	Candidates []candidateJSON `json:"candidates"`
	Why        []string        `json:"why"`
}

type candidateJSON struct {
	Path       string  `json:"path"`
	Confidence float64 `json:"confidence"`
}

func judgement(r classifier.Result) judgementJSON {
	j := judgementJSON{
		Language: languageJSON(r.Language),
		Type:     typeJSON{r.Type.Value, list(r.Type.Why)},
		Theme:    themeJSON{r.Theme.Path, r.Theme.Confidence, r.Theme.Abstained, []candidateJSON{}, list(r.Theme.Why)},
	}
	for _, c := range r.Theme.Candidates {
		j.Theme.Candidates = append(j.Theme.Candidates, candidateJSON(c))
	}
	return j
}

// list is s, never null in JSON.
func list(s []string) []string { return append([]string{}, s...) }

// bracketed is an address in angle brackets, "" without one.
func bracketed(address string) string {
	if address == "" {
		return ""
	}
	return "<" + address + ">"
}

// print is the explanation for a person.
func (x explanation) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		lines := strings.Split(fmt.Sprintf(format, args...), "\n")
		fmt.Fprintf(w, "%s\t%s\n", name, lines[0])
		for _, l := range lines[1:] {
			fmt.Fprintf(w, "\t%s\n", l)
		}
	}
	why := func(reasons []string) {
		for _, r := range reasons {
			row("", "  because %s", r)
		}
	}
	row("file", "%s", x.File)
	row("from", "%s", dash(strings.TrimSpace(x.From.Name+" "+bracketed(x.From.Address))))
	row("subject", "%s", dash(x.Subject))
	row("mailbox", "%s", x.Mailbox)
	for _, a := range x.Attachments {
		row("attachment", "%s (%s, %d bytes)", a.Filename, a.MediaType, a.Size)
	}
	for _, f := range x.Faults {
		row("fault", "%s", f)
	}
	row("own words", "%s", dash(x.Text))
	if !x.Certain {
		row("", "(not certain where they end)")
	}
	row("kind", "%s (%s); may be answered automatically: %t", x.Screen.Kind, x.Screen.Reason, x.Screen.Answer)
	if b := x.Bounce; b != nil {
		row("bounce", "%s, %s, of %s", b.Action, b.Reason, b.Original)
	}
	if x.Refs.Case != "" {
		row("names case", "%s", x.Refs.Case)
	}
	row("becomes", "%s", x.Becomes)
	row("language", "%s (%.2f)", dash(string(x.Language.Code)), x.Language.Confidence)
	row("type", "%s", x.Type.Value)
	why(x.Type.Why)
	if x.Theme.Abstained {
		row("theme", "no confident match: triage")
	} else {
		row("theme", "%s (%.2f)", x.Theme.Path, x.Theme.Confidence)
	}
	why(x.Theme.Why)
	for _, c := range x.Theme.Candidates {
		row("candidate", "%s (%.2f)", c.Path, c.Confidence)
	}
	switch r := x.Route; {
	case r.Agent != "":
		row("agent", "%s, overseen by %s", r.Agent, dash(r.Supervisor))
	case r.Supervisor != "":
		row("agent", "none yet: %s is asked to file it", r.Supervisor)
	}
	why(x.Route.Why)
	for _, d := range x.Deadlines {
		row(d.Kind, "due %s", d.Due)
		why(d.Why)
	}
	fmt.Fprintln(w)
	return w.Flush()
}
