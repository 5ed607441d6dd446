package store

import (
	"fmt"
	"time"
)

// CaseID names a case in the store. People use its reference.
type CaseID int64

// State is where a case stands. The router draws the transitions.
type State string

// States of a case.
const (
	Unfiled  State = "unfiled"  // no confident theme: a supervisor must file it
	Open     State = "open"     // an agent has it
	Answered State = "answered" // the agent's answer has gone out
	Closed   State = "closed"   // ended without an answer, or for good
)

// Case is one citizen's matter.
type Case struct {
	ID             CaseID
	Reference      string
	State          State
	Mailbox        string // where it came in
	Organisation   string // who treats it
	Circuit        string
	Type           string
	Theme          string   // "" while unfiled
	Organisational []string // ids on the second axis
	Language       string
	CitizenAddress string
	CitizenName    string
	Silent         bool // no automatic mail to the citizen: their first mail allowed none (RFC 3834)
	Subject        string
	Agent          string    // id of who has it; "" when nobody
	Supervisor     string    // id of who oversees it
	Linked         CaseID    // the case this one goes back to; 0 = none
	ReceivedAt     time.Time // the server's reception of the first mail
	OpenedAt       time.Time
	AnsweredAt     time.Time // zero until answered
	ClosedAt       time.Time // zero until closed
}

// CaseFilter narrows a listing; zero fields do not.
type CaseFilter struct {
	States       []State
	Mailbox      string
	Organisation string
	Theme        string // this theme and everything below it
	Agent        string
	Type         string
	Language     string
	OverdueAt    time.Time // with an open deadline due at or before this
	Limit        int       // 0 = no limit; newest first
}

const caseColumns = `id, reference, state, mailbox, organisation, circuit, type, theme, organisational,
	language, citizen_address, citizen_name, silent, subject, agent, supervisor, coalesce(linked, 0),
	received_at, opened_at, answered_at, closed_at`

func caseFields(c *Case) []any {
	return []any{&c.ID, &c.Reference, &c.State, &c.Mailbox, &c.Organisation, &c.Circuit, &c.Type, &c.Theme, fromJSON{&c.Organisational},
		&c.Language, &c.CitizenAddress, &c.CitizenName, &c.Silent, &c.Subject, &c.Agent, &c.Supervisor, &c.Linked,
		moment{&c.ReceivedAt}, moment{&c.OpenedAt}, moment{&c.AnsweredAt}, moment{&c.ClosedAt}}
}

// NextNumbers gives the first of the next n numbers of a year, which begin at 1. Numbers whose
// transaction is rolled back are given again, so that there are no gaps; other transactions that want
// one wait until this one ends.
func (tx *Tx) NextNumbers(year, n int) (first int, err error) {
	last, err := one(tx, value[int], `insert into case_number (year, last) values ($1, $2)
		on conflict (year) do update set last = case_number.last + $2
		returning last`, year, n)
	if err != nil {
		return 0, fmt.Errorf("next case numbers of %d: %w", year, err)
	}
	return last - n + 1, nil
}

// NewCaseIDs gives the ids of n cases that InsertCase will add.
func (tx *Tx) NewCaseIDs(n int) ([]CaseID, error) { return reserve[CaseID](tx, "cases", n) }

// InsertCase adds a case, under its ID when it has one. When its reference is taken the transaction
// ends in ErrExists.
func (tx *Tx) InsertCase(c Case) (CaseID, error) {
	organisational, err := asJSON(c.Organisational)
	if err != nil {
		return 0, fmt.Errorf("insert case %s: %w", c.Reference, err)
	}
	id, err := given(tx, "cases", c.ID)
	if err != nil {
		return 0, fmt.Errorf("insert case %s: %w", c.Reference, err)
	}
	err = tx.later(fresh, `insert into cases (id, reference, state, mailbox, organisation, circuit, type, theme, organisational,
			language, citizen_address, citizen_name, silent, subject, agent, supervisor, linked,
			received_at, opened_at, answered_at, closed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
		on conflict (reference) do nothing`,
		id, c.Reference, c.State, c.Mailbox, c.Organisation, c.Circuit, c.Type, c.Theme, organisational,
		c.Language, indexed(c.CitizenAddress), c.CitizenName, c.Silent, c.Subject, c.Agent, c.Supervisor, nullable(c.Linked),
		ms(c.ReceivedAt), ms(c.OpenedAt), ms(c.AnsweredAt), ms(c.ClosedAt))
	if err != nil {
		return 0, fmt.Errorf("insert case %s: %w", c.Reference, err)
	}
	return id, nil
}

// Case reads a case. In a writing transaction it stays locked for others until the end.
func (tx *Tx) Case(id CaseID) (Case, error) {
	c, err := one(tx, caseFields, `select `+caseColumns+` from cases where id = $1`+tx.forUpdate(), id)
	if err != nil {
		return Case{}, fmt.Errorf("case %d: %w", id, err)
	}
	return c, nil
}

// CaseByReference reads a case by its name for people, and locks it as Case does.
func (tx *Tx) CaseByReference(reference string) (Case, error) {
	c, err := one(tx, caseFields, `select `+caseColumns+` from cases where reference = $1`+tx.forUpdate(), reference)
	if err != nil {
		return Case{}, fmt.Errorf("case %s: %w", reference, err)
	}
	return c, nil
}

// UpdateCase writes everything that may change in a case, if it still is in the state from; else
// ErrConflict. Its reference, mailbox and reception never change.
func (tx *Tx) UpdateCase(c Case, from State) error {
	organisational, err := asJSON(c.Organisational)
	if err != nil {
		return fmt.Errorf("update case %d: %w", c.ID, err)
	}
	err = tx.swap("cases", int64(c.ID), `update cases set state = $3, organisation = $4, circuit = $5, type = $6, theme = $7,
			organisational = $8, language = $9, citizen_address = $10, citizen_name = $11, subject = $12,
			agent = $13, supervisor = $14, linked = $15, opened_at = $16, answered_at = $17, closed_at = $18, silent = $19
		where id = $1 and state = $2`,
		from, c.State, c.Organisation, c.Circuit, c.Type, c.Theme,
		organisational, c.Language, indexed(c.CitizenAddress), c.CitizenName, c.Subject,
		c.Agent, c.Supervisor, nullable(c.Linked), ms(c.OpenedAt), ms(c.AnsweredAt), ms(c.ClosedAt), c.Silent)
	if err != nil {
		return fmt.Errorf("update case %d from %s to %s: %w", c.ID, from, c.State, err)
	}
	return nil
}

// Cases lists cases, newest first.
func (tx *Tx) Cases(f CaseFilter) ([]Case, error) {
	var where conditions
	if len(f.States) > 0 {
		addIn(&where, "state", f.States)
	}
	for _, field := range []struct{ condition, value string }{
		{"mailbox = ?", f.Mailbox},
		{"organisation = ?", f.Organisation},
		{"(theme = ? or substr(theme, 1, length(cast(? as text)) + 1) = cast(? as text) || '/')", f.Theme},
		{"agent = ?", f.Agent},
		{"type = ?", f.Type},
		{"language = ?", f.Language},
	} {
		if field.value != "" {
			where.add(field.condition, field.value)
		}
	}
	if !f.OverdueAt.IsZero() {
		where.add("exists (select 1 from deadline where case_id = cases.id and deadline.state = 'open' and due <= ?)", ms(f.OverdueAt))
	}
	sql := `select ` + caseColumns + ` from cases` + where.where() + ` order by id desc` + where.limit(f.Limit)
	all, err := list(tx, caseFields, sql, where.args...)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return all, nil
}

// Load gives the number of open cases of each agent that has any.
func (tx *Tx) Load() (map[string]int, error) {
	type load struct {
		agent string
		cases int
	}
	loads, err := list(tx, func(l *load) []any { return []any{&l.agent, &l.cases} },
		`select agent, count(*) from cases where state = 'open' and agent <> '' group by agent`)
	if err != nil {
		return nil, fmt.Errorf("load of agents: %w", err)
	}
	all := make(map[string]int, len(loads))
	for _, l := range loads {
		all[l.agent] = l.cases
	}
	return all, nil
}
