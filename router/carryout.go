package router

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// decided is one event with the plan that follows from it, on its way into the store.
type decided struct {
	event Event
	facts Facts
	plan  Plan
	fresh store.AssignmentID // of the plan's new assignment; 0 = none
	mails []store.Outgoing   // the plan's letters, written
}

// carryOut does everything the plans say, in tx: cases, events, assignments, due dates, outgoing mail
// rendered and queued, and what became of each mail. The plans must not touch the same case.
func carryOut(tx *store.Tx, w writer, all []*decided, now time.Time) error {
	if err := name(tx, all, now); err != nil {
		return err
	}
	if err := write(w, all, now); err != nil {
		return err
	}
	for _, d := range all {
		if err := d.carry(tx, now); err != nil {
			return err
		}
	}
	return nil
}

// name gives every new case its number and everything new its id, before letters are written that
// name them.
func name(tx *store.Tx, all []*decided, now time.Time) error {
	opened := map[int][]*decided{} // new cases by year
	assigned, letters := 0, 0
	for _, d := range all {
		if d.plan.Case == nil {
			continue
		}
		if d.plan.Case.ID == 0 {
			_, calendar := d.facts.circuit(d.plan.Case)
			year := now.In(calendar.Zone).Year()
			opened[year] = append(opened[year], d)
		}
		if d.plan.Assign != nil {
			assigned++
		}
		letters += len(d.plan.Letters)
	}
	for year, cases := range opened {
		if err := nameCases(tx, year, cases); err != nil {
			return err
		}
	}
	assignments, err := tx.NewAssignmentIDs(assigned)
	if err != nil {
		return err
	}
	mails, err := tx.NewOutgoingIDs(letters)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.plan.Case == nil {
			continue
		}
		if d.plan.Assign != nil {
			d.fresh, assignments = assignments[0], assignments[1:]
		}
		d.mails = make([]store.Outgoing, len(d.plan.Letters))
		for i := range d.mails {
			d.mails[i].ID, mails = mails[0], mails[1:]
		}
	}
	return nil
}

// nameCases gives new cases the next references of their year.
func nameCases(tx *store.Tx, year int, cases []*decided) error {
	number, err := tx.NextNumbers(year, len(cases))
	if err != nil {
		return err
	}
	ids, err := tx.NewCaseIDs(len(cases))
	if err != nil {
		return err
	}
	for i, d := range cases {
		d.plan.Case.ID, d.plan.Case.Reference = ids[i], string(mailbox.NewReference(year, number+i))
	}
	return nil
}

// write renders the plans' letters, on all cores.
func write(w writer, all []*decided, now time.Time) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range all {
		if len(d.mails) > 0 {
			group.Go(func() error { return d.write(w, now) })
		}
	}
	return group.Wait()
}

func (d *decided) write(w writer, now time.Time) (err error) {
	defer survive(&err)
	about := d.plan.dossier(d.facts, now)
	for i, l := range d.plan.Letters {
		assignment := l.Assignment
		if assignment == 0 {
			assignment = d.fresh
		}
		out, err := w.write(l, about, assignment)
		if err != nil {
			return &unprocessable{fmt.Errorf("write %s: %w", l.Kind, err)}
		}
		out.ID = d.mails[i].ID
		d.mails[i] = out
	}
	return nil
}

// carry writes one plan into the store.
func (d *decided) carry(tx *store.Tx, now time.Time) error {
	p := d.plan
	if p.Case != nil {
		for _, step := range []func(*store.Tx, time.Time) error{d.carryCase, d.carryAssignment, d.carryDeadlines, d.carryMails, d.carryEvents} {
			if err := step(tx, now); err != nil {
				return err
			}
		}
	}
	m, ok := d.event.(*Mail)
	if !ok {
		return nil
	}
	var id store.CaseID
	if p.Case != nil {
		id = p.Case.ID
	}
	return tx.Dispose(m.Received.ID, p.Disposition, p.Reason, id, now)
}

// carryCase opens the case, or changes it if it is still in the state the plan was made for.
func (d *decided) carryCase(tx *store.Tx, _ time.Time) error {
	if d.plan.From != "" {
		return tx.UpdateCase(*d.plan.Case, d.plan.From)
	}
	_, err := tx.InsertCase(*d.plan.Case)
	return err
}

func (d *decided) carryAssignment(tx *store.Tx, now time.Time) error {
	if d.plan.End {
		if err := tx.EndAssignments(d.plan.Case.ID, now); err != nil {
			return err
		}
	}
	if d.plan.Assign == nil {
		return nil
	}
	a := *d.plan.Assign
	a.ID, a.CaseID = d.fresh, d.plan.Case.ID
	_, err := tx.AddAssignment(a)
	return err
}

func (d *decided) carryDeadlines(tx *store.Tx, _ time.Time) error {
	p := d.plan
	if p.EndState != "" {
		if err := tx.EndDeadlines(p.Case.ID, "", p.EndState); err != nil {
			return err
		}
	}
	for _, planned := range p.Counts {
		planned.CaseID = p.Case.ID
		if err := tx.AddDeadline(planned.Deadline); err != nil {
			return err
		}
	}
	if s := p.Step; s != nil && p.EndState == "" {
		return tx.StepDeadline(s.ID, s.From, s.To, s.Next.At, s.Next.Name)
	}
	return nil
}

func (d *decided) carryMails(tx *store.Tx, _ time.Time) error {
	if d.plan.Drop != 0 {
		if err := tx.Drop(d.plan.Drop); err != nil {
			return err
		}
	}
	if d.plan.Release != 0 {
		if err := tx.Release(d.plan.Release); err != nil {
			return err
		}
	}
	for _, out := range d.mails {
		if _, err := tx.AddOutgoing(out); err != nil {
			return err
		}
	}
	return nil
}

func (d *decided) carryEvents(tx *store.Tx, _ time.Time) error {
	for _, event := range d.plan.Events {
		event.CaseID = d.plan.Case.ID
		if err := tx.AddEvent(event); err != nil {
			return err
		}
	}
	return nil
}

// dossier is what the plan's letters say about the case, as it stands after the plan.
func (p Plan) dossier(f Facts, now time.Time) dossier {
	circuit, calendar := f.circuit(p.Case)
	d := dossier{Case: p.Case, Mailbox: mailboxOf(f.Config, p.Case), Calendar: calendar, Validity: now.AddDate(0, 0, circuit.ReplyDays), Now: now}
	if f.Case != nil && p.Case.ID == f.Case.ID && p.EndState == "" { // a new case has none of the dates of the one it is linked to
		for _, open := range f.Deadlines {
			d.Due, d.Term = open.Due, circuit.Terms[p.Case.Type]
		}
	}
	for _, planned := range p.Counts {
		d.Due, d.Term = planned.Due, planned.Term
	}
	return d
}
