package store

import (
	"fmt"
	"time"
)

// AssignmentID names an assignment; reply addresses are signed for one.
type AssignmentID int64

// Roles of an assignment.
const (
	Treat   = "treat"   // answers the citizen
	Triage  = "triage"  // files an unfiled case
	Oversee = "oversee" // was told of a breach
)

// Assignment is this case, this agent, from then on.
type Assignment struct {
	ID        AssignmentID
	CaseID    CaseID
	Agent     string
	Role      string
	CreatedAt time.Time
	ExpiresAt time.Time // its reply address is dead from then on
	EndedAt   time.Time // zero while it holds
}

const assignmentColumns = `id, case_id, agent, role, created_at, expires_at, ended_at`

func assignmentFields(a *Assignment) []any {
	return []any{&a.ID, &a.CaseID, &a.Agent, &a.Role, moment{&a.CreatedAt}, moment{&a.ExpiresAt}, moment{&a.EndedAt}}
}

// NewAssignmentIDs gives the ids of n assignments that AddAssignment will add.
func (tx *Tx) NewAssignmentIDs(n int) ([]AssignmentID, error) {
	return reserve[AssignmentID](tx, "assignment", n)
}

// AddAssignment gives a case to an agent, under the assignment's ID when it has one. It does not end
// the assignments before it.
func (tx *Tx) AddAssignment(a Assignment) (AssignmentID, error) {
	id, err := given(tx, "assignment", a.ID)
	if err == nil {
		err = tx.later(nil, `insert into assignment (id, case_id, agent, role, created_at, expires_at, ended_at)
			values ($1, $2, $3, $4, $5, $6, $7)`, id, a.CaseID, a.Agent, a.Role, ms(a.CreatedAt), ms(a.ExpiresAt), ms(a.EndedAt))
	}
	if err == nil && a.Role == Treat {
		err = tx.later(nil, `insert into last_assigned (agent, at) values ($1, $2)
			on conflict (agent) do update set at = excluded.at where excluded.at > last_assigned.at`, a.Agent, ms(a.CreatedAt))
	}
	if err != nil {
		return 0, fmt.Errorf("assign case %d to %s: %w", a.CaseID, a.Agent, err)
	}
	return id, nil
}

// Assignment reads one assignment, ended or not.
func (tx *Tx) Assignment(id AssignmentID) (Assignment, error) {
	a, err := one(tx, assignmentFields, `select `+assignmentColumns+` from assignment where id = $1`, id)
	if err != nil {
		return Assignment{}, fmt.Errorf("assignment %d: %w", id, err)
	}
	return a, nil
}

// Assignments lists all assignments of a case, oldest first.
func (tx *Tx) Assignments(c CaseID) ([]Assignment, error) {
	all, err := list(tx, assignmentFields, `select `+assignmentColumns+` from assignment where case_id = $1 order by id`, c)
	if err != nil {
		return nil, fmt.Errorf("assignments of case %d: %w", c, err)
	}
	return all, nil
}

// CurrentAssignments lists those that have not ended, oldest first.
func (tx *Tx) CurrentAssignments(c CaseID) ([]Assignment, error) {
	all, err := list(tx, assignmentFields, `select `+assignmentColumns+` from assignment where case_id = $1 and ended_at = 0 order by id`, c)
	if err != nil {
		return nil, fmt.Errorf("current assignments of case %d: %w", c, err)
	}
	return all, nil
}

// EndAssignments ends all current assignments of a case, whatever their role.
func (tx *Tx) EndAssignments(c CaseID, at time.Time) error {
	if err := tx.later(nil, `update assignment set ended_at = $2 where case_id = $1 and ended_at = 0`, c, ms(at)); err != nil {
		return fmt.Errorf("end assignments of case %d: %w", c, err)
	}
	return nil
}

// LastAssigned gives for each agent when a case was last given to them to treat.
func (tx *Tx) LastAssigned() (map[string]time.Time, error) {
	type last struct {
		agent string
		at    time.Time
	}
	rows, err := list(tx, func(l *last) []any { return []any{&l.agent, moment{&l.at}} }, `select agent, at from last_assigned`)
	if err != nil {
		return nil, fmt.Errorf("last assignments of agents: %w", err)
	}
	all := make(map[string]time.Time, len(rows))
	for _, l := range rows {
		all[l.agent] = l.at
	}
	return all, nil
}
