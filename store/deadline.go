package store

import (
	"fmt"
	"time"
)

// DeadlineID names a deadline.
type DeadlineID int64

// Kinds and states of a deadline.
const (
	FirstAnswer = "first_answer"

	DeadlineOpen   = "open"
	DeadlineMet    = "met"
	DeadlineMissed = "missed" // met too late, or ended without being met
	DeadlineVoid   = "void"   // no longer asked for: the case was refiled or closed
)

// Deadline is one committed time of a case, and the next moment at which something must be done about it.
type Deadline struct {
	ID     DeadlineID
	CaseID CaseID
	Kind   string
	From   time.Time // what it is counted from
	Due    time.Time // the last moment in time
	State  string
	Next   time.Time // when Step falls due; zero = nothing more to do
	Step   string    // "remind:0.5", "breach", "escalate": the router's word for what Next is for
	Done   int       // how many steps were carried out: compare-and-set on it keeps each to once
}

const deadlineColumns = `id, case_id, kind, counted_from, due, state, next, step, done`

func deadlineFields(d *Deadline) []any {
	return []any{&d.ID, &d.CaseID, &d.Kind, moment{&d.From}, moment{&d.Due}, &d.State, moment{&d.Next}, &d.Step, &d.Done}
}

// AddDeadline adds a deadline to a case.
func (tx *Tx) AddDeadline(d Deadline) error {
	err := tx.later(nil, `insert into deadline (case_id, kind, counted_from, due, state, next, step, done)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, d.CaseID, d.Kind, ms(d.From), ms(d.Due), d.State, ms(d.Next), d.Step, d.Done)
	if err != nil {
		return fmt.Errorf("add deadline %s to case %d: %w", d.Kind, d.CaseID, err)
	}
	return nil
}

// Deadlines lists the deadlines of a case, oldest first.
func (tx *Tx) Deadlines(c CaseID) ([]Deadline, error) {
	all, err := list(tx, deadlineFields, `select `+deadlineColumns+` from deadline where case_id = $1 order by id`, c)
	if err != nil {
		return nil, fmt.Errorf("deadlines of case %d: %w", c, err)
	}
	return all, nil
}

// DueDeadlines lists open deadlines whose next step has fallen due, the longest due first.
func (tx *Tx) DueDeadlines(now time.Time, limit int) ([]Deadline, error) {
	all, err := list(tx, deadlineFields, `select `+deadlineColumns+` from deadline
		where state = 'open' and next > 0 and next <= $1
		order by next, id limit $2`, ms(now), limit)
	if err != nil {
		return nil, fmt.Errorf("due deadlines: %w", err)
	}
	return all, nil
}

// StepDeadline moves a deadline on from from steps done to to, and says what comes next (the zero
// time: nothing). ErrConflict when another transaction has done it, or the deadline has ended.
func (tx *Tx) StepDeadline(id DeadlineID, from, to int, next time.Time, step string) error {
	err := tx.swap("deadline", int64(id), `update deadline set done = $3, next = $4, step = $5
		where id = $1 and done = $2 and state = 'open'`, from, to, ms(next), step)
	if err != nil {
		return fmt.Errorf("step %d of deadline %d: %w", to, id, err)
	}
	return nil
}

// EndDeadlines ends the open deadlines of a case of one kind ("" = of all kinds) in the state given.
func (tx *Tx) EndDeadlines(c CaseID, kind string, state string) error {
	if err := tx.later(nil, `update deadline set state = $3, next = 0
		where case_id = $1 and state = 'open' and (kind = $2 or $2 = '')`, c, kind, state); err != nil {
		return fmt.Errorf("end deadlines of case %d: %w", c, err)
	}
	return nil
}
