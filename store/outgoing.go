package store

import "time"

// OutgoingID names one mail of ours.
type OutgoingID int64

// OutgoingState is where one mail of ours stands.
type OutgoingState string

// States of outgoing mail.
const (
	Queued  OutgoingState = "queued"
	Sending OutgoingState = "sending" // an attempt was begun; after a crash it may or may not have gone out
	Sent    OutgoingState = "sent"    // accepted by the submission server
	Refusal OutgoingState = "refused" // permanently; a human is told
	OnHold  OutgoingState = "held"    // waits for the agent's OK
	Dropped OutgoingState = "dropped" // held, and replaced by another
)

// Outgoing is one mail of ours, rendered before any connection is opened: a retry sends the same bytes.
type Outgoing struct {
	ID          OutgoingID
	CaseID      CaseID
	Kind        string // of template
	MessageID   string // header field, without angle brackets
	Mailbox     string // whose SMTP server sends it
	ReversePath string
	Recipient   string
	Subject     string
	Raw         []byte // nil in listings
	State       OutgoingState
	Attempts    int
	CreatedAt   time.Time
	AttemptedAt time.Time
	SentAt      time.Time
	LastError   string
}
