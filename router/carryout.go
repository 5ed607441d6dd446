package router

import (
	"fmt"
	"time"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// carryOut does everything a plan says, in tx: case, events, assignment, due dates, outgoing mail
// rendered and queued, and what became of the mail.
func carryOut(tx *store.Tx, w writer, e Event, p Plan, f Facts, now time.Time) error {
	if p.Case != nil {
		if err := carryCase(tx, &p, f, now); err != nil {
			return err
		}
		assignment, err := carryAssignment(tx, p, now)
		if err != nil {
			return err
		}
		if err := carryDeadlines(tx, p); err != nil {
			return err
		}
		if err := carryLetters(tx, w, p, f, assignment, now); err != nil {
			return err
		}
		for _, event := range p.Events {
			event.CaseID = p.Case.ID
			if err := tx.AddEvent(event); err != nil {
				return err
			}
		}
	}
	m, ok := e.(*Mail)
	if !ok {
		return nil
	}
	var id store.CaseID
	if p.Case != nil {
		id = p.Case.ID
	}
	return tx.Dispose(m.Received.ID, p.Disposition, p.Reason, id, now)
}

// carryCase opens the case under the next reference of its year, or changes it if it is still in
// the state the plan was made for.
func carryCase(tx *store.Tx, p *Plan, f Facts, now time.Time) error {
	if p.Case.ID != 0 {
		return tx.UpdateCase(*p.Case, p.From)
	}
	_, calendar := f.circuit(p.Case)
	year := now.In(calendar.Zone).Year()
	number, err := tx.NextNumber(year)
	if err != nil {
		return err
	}
	p.Case.Reference = string(mailbox.NewReference(year, number))
	p.Case.ID, err = tx.InsertCase(*p.Case)
	return err
}

func carryAssignment(tx *store.Tx, p Plan, now time.Time) (store.AssignmentID, error) {
	if p.End {
		if err := tx.EndAssignments(p.Case.ID, now); err != nil {
			return 0, err
		}
	}
	if p.Assign == nil {
		return 0, nil
	}
	a := *p.Assign
	a.CaseID = p.Case.ID
	return tx.AddAssignment(a)
}

func carryDeadlines(tx *store.Tx, p Plan) error {
	if p.EndState != "" {
		if err := tx.EndDeadlines(p.Case.ID, "", p.EndState); err != nil {
			return err
		}
	}
	for _, d := range p.Counts {
		d.CaseID = p.Case.ID
		if err := tx.AddDeadline(d.Deadline); err != nil {
			return err
		}
	}
	if s := p.Step; s != nil && p.EndState == "" {
		return tx.StepDeadline(s.ID, s.From, s.To, s.Next.At, s.Next.Name)
	}
	return nil
}

func carryLetters(tx *store.Tx, w writer, p Plan, f Facts, fresh store.AssignmentID, now time.Time) error {
	if p.Drop != 0 {
		if err := tx.Drop(p.Drop); err != nil {
			return err
		}
	}
	if p.Release != 0 {
		if err := tx.Release(p.Release); err != nil {
			return err
		}
	}
	d := p.dossier(f, now)
	for _, l := range p.Letters {
		assignment := l.Assignment
		if assignment == 0 {
			assignment = fresh
		}
		out, err := w.write(l, d, assignment)
		if err != nil {
			return &unprocessable{fmt.Errorf("write %s: %w", l.Kind, err)}
		}
		if _, err := tx.AddOutgoing(out); err != nil {
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
