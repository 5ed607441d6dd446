package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/store"
)

// teller tells the story of the demo from what the store has recorded: nothing is told that did not happen.
type teller struct {
	out   io.Writer
	cfg   *config.Config
	bold  func(string) string
	faint func(string) string
	event int64          // the last event told
	mail  store.LedgerID // the last mail told
}

func newTeller(out io.Writer, cfg *config.Config) *teller {
	plain := func(s string) string { return s }
	t := &teller{out: out, cfg: cfg, bold: plain, faint: plain}
	if f, ok := out.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			t.bold = func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
			t.faint = func(s string) string { return "\x1b[2m" + s + "\x1b[0m" }
		}
	}
	return t
}

// scene opens a part of the story.
func (t *teller) scene(at time.Time, what string) {
	title := at.Format("Mon 2 Jan 2006, 15:04") + " · " + what
	fmt.Fprintf(t.out, "\n%s\n%s\n", t.bold(title), strings.Repeat("─", len([]rune(title))))
}

// news tells every mail and every event recorded since it last did, case by case.
func (t *teller) news(ctx context.Context, st *store.Store) error {
	return st.View(ctx, func(tx *store.Tx) error {
		if err := t.mails(tx); err != nil {
			return err
		}
		events, err := tx.EventsAfter(t.event)
		if err != nil {
			return err
		}
		var order []store.CaseID
		of := map[store.CaseID][]store.Event{}
		for _, e := range events {
			if of[e.CaseID] == nil {
				order = append(order, e.CaseID)
			}
			of[e.CaseID] = append(of[e.CaseID], e)
			t.event = e.ID
		}
		for _, id := range order {
			c, err := tx.Case(id)
			if err != nil {
				return err
			}
			t.caseNews(c, of[id])
		}
		return nil
	})
}

// mails tells of mails that made no case.
func (t *teller) mails(tx *store.Tx) error {
	rows, err := tx.LedgerRows(store.LedgerFilter{})
	if err != nil {
		return err
	}
	last := t.mail
	for _, r := range rows {
		last = max(last, r.ID)
		if r.ID <= t.mail || r.CaseID != 0 {
			continue
		}
		fmt.Fprintf(t.out, "\n  %s\n", t.bold(shorten("✉ "+dash(r.Subject), 78)))
		t.fact(string(r.Disposition), t.faint(r.Reason))
	}
	t.mail = last
	return nil
}

func (t *teller) caseNews(c store.Case, events []store.Event) {
	about := "(no subject)"
	if c.Subject != "" {
		about = c.Subject
	}
	fmt.Fprintf(t.out, "\n  %s\n", t.bold(shorten(fmt.Sprintf("%s  %s — %s", c.Reference, c.CitizenName, about), 78)))
	for _, e := range events {
		if what, how := t.line(c, e); what != "" {
			t.fact(what, how)
		}
	}
}

// line is one event for a reader: a word, and the rest.
func (t *teller) line(c store.Case, e store.Event) (what, how string) {
	f := e.Facts
	switch e.Kind {
	case "opened":
		theme := "no confident theme"
		first, _, _ := strings.Cut(f["why"], "; ") // the strongest reason
		if f["theme"] != "" {
			theme = t.cfg.ThemeName(f["theme"], "en")
		}
		return "received", fmt.Sprintf("in %s · %s · %s · %s\n%s", f["mailbox"], f["language"], f["type"], theme, t.faint(first))
	case "deadline_set":
		due, _ := time.Parse(time.RFC3339, f["due"])
		return "promised", due.Format("answer by Mon 2 Jan 2006") + t.faint(" ("+f["term"]+")")
	case "assigned":
		return "agent", t.agent(f["agent"]) + t.faint(" ("+f["why"]+")")
	case "unfiled":
		return "triage", t.agent(f["supervisor"]) + " is asked to file it"
	case "filed":
		return "filed", fmt.Sprintf("by %s under %s", t.actor(e.Actor), t.cfg.ThemeName(f["to"], "en"))
	case "follow_up":
		return "follow-up", "the citizen writes on the same case"
	case "reopened":
		return "reopened", "it was " + f["from"]
	case "answered":
		return "answered", fmt.Sprintf("by %s, committed time %s", t.actor(e.Actor), dash(f["deadline"]))
	case "held":
		return "held", f["why"]
	case "refused":
		return "refused", f["why"]
	case "reminded":
		return "reminder", fmt.Sprintf("%s of the term is used: %s is reminded", strings.TrimPrefix(f["step"], "remind "), t.agent(f["agent"]))
	case "breached":
		return "breach", "the committed time has passed: apology to the citizen, word to the supervisor"
	case "escalated":
		return "escalated", "to " + t.agent(f["supervisor"])
	case "sent":
		to := "the citizen"
		if id, ok := strings.CutPrefix(f["to"], "agent:"); ok {
			to = t.agent(id)
		}
		return "sent", fmt.Sprintf("%s to %s", strings.ReplaceAll(f["mail"], "_", " "), to)
	default:
		return strings.ReplaceAll(e.Kind, "_", " "), f["why"]
	}
}

// fact is a word and the rest, which goes on below itself in a terminal of 80 columns.
func (t *teller) fact(what, how string) {
	const indent, width = 15, 80
	for line := range strings.SplitSeq(how, "\n") {
		fmt.Fprintf(t.out, "    %-10s", what)
		what = ""
		at := indent
		for i, word := range strings.Fields(line) {
			n := len([]rune(escapes.ReplaceAllString(word, "")))
			if i > 0 && at+n > width {
				fmt.Fprint(t.out, "\n"+strings.Repeat(" ", indent-1))
				at = indent
			}
			fmt.Fprint(t.out, " "+word)
			at += n + 1
		}
		fmt.Fprintln(t.out)
	}
}

// escapes are the marks for bold and faint, which take no room.
var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

// cases is the list that `bustia cases` gives, without what is too long for 80 columns.
func (t *teller) cases(cases []listedCase) error {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REFERENCE\tSTATE\tTYPE\tLANG\tAGENT\tDUE")
	for _, c := range cases {
		due := "–"
		if !c.Due.IsZero() {
			due = c.Due.In(demoZone).Format("2 Jan 2006")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Reference, c.State, c.Type, c.Language, dash(c.Agent), due)
	}
	return w.Flush()
}

// ledger is what `bustia ledger` gives, all mailboxes together.
func (t *teller) ledger(rows []store.MailboxSummary) {
	seen, accounted := 0, 0
	became := map[store.Disposition]int{}
	for _, r := range rows {
		seen, accounted = seen+r.Seen, accounted+r.Seen-r.Pending
		for d, n := range r.ByDisposition {
			became[d] += n
		}
	}
	var parts []string
	for _, d := range dispositions {
		if became[d] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", became[d], strings.ReplaceAll(string(d), "_", " ")))
		}
	}
	fmt.Fprintf(t.out, "\n%d mails taken in, %d accounted for:\n%s.\n\n", seen, accounted, strings.Join(parts, ", "))
}

func (t *teller) agent(id string) string {
	if a, ok := t.cfg.Agent(id); ok {
		return a.Name
	}
	return dash(id)
}

// actor is who an event was done by: "agent:ID" and the like.
func (t *teller) actor(actor string) string {
	_, id, _ := strings.Cut(actor, ":")
	return t.agent(id)
}
