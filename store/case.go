package store

import "time"

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

// Event is one change of a case, never altered once written.
type Event struct {
	ID     int64
	CaseID CaseID
	At     time.Time
	Kind   string            // "opened", "assigned", "answered", …
	Actor  string            // "citizen", "agent:ID", "supervisor:ID", "operator:NAME", "clock"
	Facts  map[string]string // what, from, to, why
}

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
