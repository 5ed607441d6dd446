package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/store"
)

func casesCommand(p program) *cobra.Command {
	var s storeFlags
	var f store.CaseFilter
	var states []string
	var overdue, asJSON bool
	c := &cobra.Command{
		Use:   "cases (-c DIR | --store URL)",
		Short: "List cases",
		Long:  `Lists cases, newest first. Several filters narrow together.`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, state := range states {
				f.States = append(f.States, store.State(state))
			}
			if err := checkFilter(f); err != nil {
				return err
			}
			st, zone, err := s.open(cmd.Context(), p)
			if err != nil {
				return err
			}
			defer st.Close()
			if overdue {
				f.OverdueAt = p.Clock()
			}
			var cases []listedCase
			err = st.View(cmd.Context(), func(tx *store.Tx) (err error) {
				cases, err = listCases(tx, f)
				return err
			})
			if err != nil {
				return err
			}
			return p.printCases(cases, zone, asJSON)
		},
	}
	s.add(c)
	fl := c.Flags()
	fl.StringSliceVar(&states, "state", nil, "only these states: unfiled, open, answered, closed")
	c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"unfiled", "open", "answered", "closed"}, cobra.ShellCompDirectiveNoFileComp))
	fl.StringVar(&f.Mailbox, "mailbox", "", "only this mailbox")
	fl.StringVar(&f.Organisation, "organisation", "", "only this organisation")
	fl.StringVar(&f.Theme, "theme", "", "only this theme and everything below it")
	fl.StringVar(&f.Agent, "agent", "", "only this agent")
	fl.StringVar(&f.Type, "type", "", "only this type")
	fl.StringVar(&f.Language, "language", "", "only this language")
	fl.BoolVar(&overdue, "overdue", false, "only those whose committed time has passed")
	fl.IntVar(&f.Limit, "limit", 0, "at most so many (0: all)")
	fl.BoolVar(&asJSON, "json", false, "print one JSON object a case")
	return c
}

// checkFilter refuses what could only find nothing.
func checkFilter(f store.CaseFilter) error {
	for _, s := range f.States {
		if !slices.Contains(allStates, s) {
			return fmt.Errorf("--state: %q is none of %s, %s, %s, %s", s, allStates[0], allStates[1], allStates[2], allStates[3])
		}
	}
	if f.Limit < 0 {
		return fmt.Errorf("--limit: %d is below 0", f.Limit)
	}
	return nil
}

var allStates = []store.State{store.Unfiled, store.Open, store.Answered, store.Closed}

// listedCase is a case and the date it is promised for.
type listedCase struct {
	store.Case
	Due time.Time // zero = no open deadline
}

func listCases(tx *store.Tx, f store.CaseFilter) ([]listedCase, error) {
	cases, err := tx.Cases(f)
	if err != nil {
		return nil, err
	}
	listed := make([]listedCase, len(cases))
	for i, c := range cases {
		deadlines, err := tx.Deadlines(c.ID)
		if err != nil {
			return nil, err
		}
		listed[i] = listedCase{c, openDue(deadlines)}
	}
	return listed, nil
}

func openDue(deadlines []store.Deadline) time.Time {
	for _, d := range deadlines {
		if d.State == store.DeadlineOpen {
			return d.Due
		}
	}
	return time.Time{}
}

// caseJSON is the shape of a case in --json.
type caseJSON struct {
	Reference      string   `json:"reference"`
	State          string   `json:"state"`
	Mailbox        string   `json:"mailbox"`
	Organisation   string   `json:"organisation"`
	Type           string   `json:"type"`
	Theme          string   `json:"theme"`
	Organisational []string `json:"organisational_themes"`
	Language       string   `json:"language"`
	Agent          string   `json:"agent"`
	Supervisor     string   `json:"supervisor"`
	Subject        string   `json:"subject"`
	ReceivedAt     string   `json:"received_at"`
	AnsweredAt     string   `json:"answered_at,omitempty"`
	ClosedAt       string   `json:"closed_at,omitempty"`
	Due            string   `json:"due,omitempty"`
}

func (c listedCase) json() caseJSON {
	return caseJSON{c.Reference, string(c.State), c.Mailbox, c.Organisation, c.Type, c.Theme, list(c.Organisational), c.Language, c.Agent, c.Supervisor,
		c.Subject, stamp(c.ReceivedAt), stamp(c.AnsweredAt), stamp(c.ClosedAt), stamp(c.Due)}
}

// stamp is t in RFC 3339, "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (p program) printCases(cases []listedCase, zone *time.Location, asJSON bool) error {
	if asJSON {
		encode := json.NewEncoder(p.Out)
		for _, c := range cases {
			if err := encode.Encode(c.json()); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REFERENCE\tSTATE\tTYPE\tLANG\tTHEME\tAGENT\tDUE\tSUBJECT")
	for _, c := range cases {
		due := "–"
		if !c.Due.IsZero() {
			due = c.Due.In(zone).Format("2 Jan 2006")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Reference, c.State, c.Type, c.Language, dash(c.Theme), dash(c.Agent), due, dash(shorten(c.Subject, 40)))
	}
	return w.Flush()
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
