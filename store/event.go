package store

import (
	"fmt"
	"time"
)

// Event is one change of a case, never altered once written.
type Event struct {
	ID     int64
	CaseID CaseID
	At     time.Time
	Kind   string            // "opened", "assigned", "answered", …
	Actor  string            // "citizen", "agent:ID", "supervisor:ID", "operator:NAME", "clock"
	Facts  map[string]string // what, from, to, why
}

// AddEvent adds to the history of a case.
func (tx *Tx) AddEvent(e Event) error {
	facts, err := asJSON(e.Facts)
	if err != nil {
		return fmt.Errorf("add event %s to case %d: %w", e.Kind, e.CaseID, err)
	}
	if _, err := tx.exec(`insert into event (case_id, at, kind, actor, facts) values ($1, $2, $3, $4, $5)`,
		e.CaseID, ms(e.At), e.Kind, e.Actor, facts); err != nil {
		return fmt.Errorf("add event %s to case %d: %w", e.Kind, e.CaseID, err)
	}
	return nil
}

// Events gives the history of a case, oldest first.
func (tx *Tx) Events(c CaseID) ([]Event, error) {
	fields := func(e *Event) []any {
		return []any{&e.ID, &e.CaseID, moment{&e.At}, &e.Kind, &e.Actor, fromJSON{&e.Facts}}
	}
	all, err := list(tx, fields, `select id, case_id, at, kind, actor, facts from event where case_id = $1 order by id`, c)
	if err != nil {
		return nil, fmt.Errorf("events of case %d: %w", c, err)
	}
	return all, nil
}
