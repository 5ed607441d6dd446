package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/store"
)

func caseCommand(p program) *cobra.Command {
	var s storeFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "case (-c DIR | --store URL) REFERENCE",
		Short: "Show one case: its mails, its dates and everything that happened to it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := reference(args[0])
			if err != nil {
				return err
			}
			st, zone, err := s.open(cmd.Context(), p)
			if err != nil {
				return err
			}
			defer st.Close()
			var d caseDetail
			err = st.View(cmd.Context(), func(tx *store.Tx) (err error) {
				d, err = readCase(tx, ref)
				return err
			})
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("no case %s", ref)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(p.Out).Encode(d.json())
			}
			return d.print(p, zone)
		},
	}
	s.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// caseDetail is everything the store knows of a case, without the mails' bytes.
type caseDetail struct {
	listedCase
	received  []store.Received
	outgoing  []store.Outgoing
	deadlines []store.Deadline
	events    []store.Event
}

func readCase(tx *store.Tx, reference string) (d caseDetail, err error) {
	if d.Case, err = tx.CaseByReference(reference); err != nil {
		return d, err
	}
	if d.received, err = tx.CaseMails(d.ID); err != nil {
		return d, err
	}
	if d.outgoing, err = tx.CaseOutgoing(d.ID); err != nil {
		return d, err
	}
	if d.deadlines, err = tx.Deadlines(d.ID); err != nil {
		return d, err
	}
	d.Due = openDue(d.deadlines)
	d.events, err = tx.Events(d.ID)
	return d, err
}

// caseDetailJSON is the shape of a whole case in --json.
type caseDetailJSON struct {
	caseJSON
	Received  []receivedJSON     `json:"received"`
	Outgoing  []outgoingJSON     `json:"outgoing"`
	Deadlines []caseDeadlineJSON `json:"deadlines"`
	Events    []eventJSON        `json:"events"`
}

type receivedJSON struct {
	Mailbox      string `json:"mailbox"`
	UIDValidity  uint32 `json:"uid_validity"`
	UID          uint32 `json:"uid"`
	MessageID    string `json:"message_id"`
	InternalDate string `json:"internal_date"`
	Disposition  string `json:"disposition"`
	Reason       string `json:"reason"`
}

type outgoingJSON struct {
	Kind      string `json:"kind"`
	To        string `json:"to"` // "citizen" or an agent's id: addresses stay inside
	MessageID string `json:"message_id"`
	State     string `json:"state"`
	Attempts  int    `json:"attempts"`
	SentAt    string `json:"sent_at,omitempty"`
	LastError string `json:"last_error,omitempty"`
}

type caseDeadlineJSON struct {
	Kind  string `json:"kind"`
	Due   string `json:"due"`
	State string `json:"state"`
	Next  string `json:"next,omitempty"`
	Step  string `json:"step,omitempty"`
}

type eventJSON struct {
	At    string            `json:"at"`
	Kind  string            `json:"kind"`
	Actor string            `json:"actor"`
	Facts map[string]string `json:"facts"`
}

func receivedRow(r store.Received) receivedJSON {
	return receivedJSON{r.Mailbox, r.UIDValidity, r.UID, r.MessageID, stamp(r.InternalDate), string(r.Disposition), r.Reason}
}

func outgoingRow(o store.Outgoing) outgoingJSON {
	to := "citizen"
	if o.Agent != "" {
		to = o.Agent
	}
	return outgoingJSON{o.Kind, to, o.MessageID, string(o.State), o.Attempts, stamp(o.SentAt), o.LastError}
}

func (d caseDetail) json() caseDetailJSON {
	out := caseDetailJSON{caseJSON: d.listedCase.json(), Received: []receivedJSON{}, Outgoing: []outgoingJSON{}, Deadlines: []caseDeadlineJSON{}, Events: []eventJSON{}}
	for _, r := range d.received {
		out.Received = append(out.Received, receivedRow(r))
	}
	for _, o := range d.outgoing {
		out.Outgoing = append(out.Outgoing, outgoingRow(o))
	}
	for _, l := range d.deadlines {
		out.Deadlines = append(out.Deadlines, caseDeadlineJSON{l.Kind, stamp(l.Due), l.State, stamp(l.Next), l.Step})
	}
	for _, e := range d.events {
		out.Events = append(out.Events, eventJSON{stamp(e.At), e.Kind, e.Actor, e.Facts})
	}
	return out
}

const minute = "2 Jan 2006 15:04"

// print tells the case to a person, all times in zone.
func (d caseDetail) print(p program, zone *time.Location) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(w, "%s\t%s\n", name, dash(value)) }
	row("case", d.Reference)
	row("state", string(d.State))
	row("subject", d.Subject)
	row("type", d.Type)
	row("theme", d.Theme)
	row("language", d.Language)
	row("agent", d.Agent)
	row("supervisor", d.Supervisor)
	row("received", d.ReceivedAt.In(zone).Format(minute+" MST")+", "+d.Mailbox)
	for _, l := range d.deadlines {
		row(l.Kind, fmt.Sprintf("due %s, %s", l.Due.In(zone).Format(minute+" MST"), l.State))
	}
	w.Flush()
	fmt.Fprintln(p.Out, "\nHistory")
	for _, e := range d.events {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.At.In(zone).Format(minute), e.Kind, e.Actor, facts(e))
	}
	w.Flush()
	fmt.Fprintln(p.Out, "\nMails")
	for _, r := range d.received {
		fmt.Fprintf(w, "in\t%s\t%s\t%s\n", r.InternalDate.In(zone).Format(minute), r.Disposition, r.MessageID)
	}
	for _, o := range d.outgoing {
		r := outgoingRow(o)
		fmt.Fprintf(w, "out\t%s\t%s to %s, %s\t%s\n", o.CreatedAt.In(zone).Format(minute), r.Kind, r.To, r.State, r.MessageID)
	}
	return w.Flush()
}

// facts is an event's facts as name=value, in the order of their names.
func facts(e store.Event) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(e.Facts)) {
		said = append(said, name+"="+e.Facts[name])
	}
	return strings.Join(said, "  ")
}
