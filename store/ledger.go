package store

import "time"

// LedgerID names one mail taken in from one place of one mailbox.
type LedgerID int64

// Disposition is what became of one received mail; "" while it waits to be processed.
type Disposition string

// Dispositions: every received mail ends in exactly one.
const (
	OpenedCase Disposition = "case"
	FollowUp   Disposition = "follow_up"
	AgentReply Disposition = "agent_reply"
	Automatic  Disposition = "automatic" // a machine's mail that is no bounce
	Bounced    Disposition = "bounce"
	Duplicate  Disposition = "duplicate"
	Quarantine Disposition = "quarantine" // could not be processed; raw kept, a person must look
	Ignored    Disposition = "ignored"    // by a named rule
)

// Received is one mail taken in: its place on the server, its bytes and what became of it.
type Received struct {
	ID           LedgerID
	Mailbox      string
	Folder       string
	UIDValidity  uint32
	UID          uint32
	InternalDate time.Time
	FetchedAt    time.Time
	MessageID    string // header field; "" when the mail has none
	Digest       string // of what the writer sent, the same in every mailbox it was delivered to
	From         string // address
	Subject      string
	Raw          []byte // nil in listings
	Size         int
	Disposition  Disposition
	Reason       string // why this disposition: rule, header field, error
	CaseID       CaseID // 0 when it belongs to none
	ProcessedAt  time.Time
}

// Position is how far one folder has been read.
type Position struct {
	UIDValidity uint32
	LastUID     uint32
}
