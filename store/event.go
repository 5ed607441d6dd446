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
	if err := tx.later(nil, `insert into event (case_id, at, kind, actor, facts) values ($1, $2, $3, $4, $5)`,
		e.CaseID, ms(e.At), e.Kind, e.Actor, facts); err != nil {
		return fmt.Errorf("add event %s to case %d: %w", e.Kind, e.CaseID, err)
	}
	return nil
}

const eventColumns = `id, case_id, at, kind, actor, facts`

func eventFields(e *Event) []any {
	return []any{&e.ID, &e.CaseID, moment{&e.At}, &e.Kind, &e.Actor, fromJSON{&e.Facts}}
}

// Events gives the history of a case, oldest first.
func (tx *Tx) Events(c CaseID) ([]Event, error) {
	all, err := list(tx, eventFields, `select `+eventColumns+` from event where case_id = $1 order by id`, c)
	if err != nil {
		return nil, fmt.Errorf("events of case %d: %w", c, err)
	}
	return all, nil
}

// EventsAfter gives what happened to any case after the event with this id, oldest first. An event
// whose transaction began earlier and ends later may be missed: it is for looking on, not for
// reckoning.
func (tx *Tx) EventsAfter(id int64) ([]Event, error) {
	all, err := list(tx, eventFields, `select `+eventColumns+` from event where id > $1 order by id`, id)
	if err != nil {
		return nil, fmt.Errorf("events after %d: %w", id, err)
	}
	return all, nil
}
