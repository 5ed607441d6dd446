package store

import (
	"fmt"
	"strings"
	"time"
)

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
	Agent       string // id of the agent it is for; "" = the citizen
	Subject     string
	Raw         []byte // nil in listings
	State       OutgoingState
	Attempts    int
	CreatedAt   time.Time
	AttemptedAt time.Time
	SentAt      time.Time
	LastError   string
}

const outgoingColumns = `id, coalesce(case_id, 0), kind, message_id, mailbox, reverse_path, recipient, agent, subject, state,
	attempts, created_at, attempted_at, sent_at, last_error`

func outgoingFields(o *Outgoing) []any {
	return []any{&o.ID, &o.CaseID, &o.Kind, &o.MessageID, &o.Mailbox, &o.ReversePath, &o.Recipient, &o.Agent, &o.Subject, &o.State,
		&o.Attempts, moment{&o.CreatedAt}, moment{&o.AttemptedAt}, moment{&o.SentAt}, &o.LastError}
}

// NewOutgoingIDs gives the ids of n mails that AddOutgoing will store.
func (tx *Tx) NewOutgoingIDs(n int) ([]OutgoingID, error) {
	return reserve[OutgoingID](tx, "outgoing", n)
}

// AddOutgoing stores a mail of ours, under its ID when it has one. A queued one gets its send job in this transaction; one on hold
// waits for Release. When its Message-ID is
// taken the transaction ends in ErrExists.
func (tx *Tx) AddOutgoing(o Outgoing) (OutgoingID, error) {
	id, err := given(tx, "outgoing", o.ID)
	if err == nil {
		err = tx.later(fresh, `insert into outgoing (id, case_id, kind, message_id, mailbox, reverse_path, recipient, agent, subject, state,
			attempts, created_at, attempted_at, sent_at, last_error)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		on conflict (message_id) do nothing`, id, nullable(o.CaseID), o.Kind, indexed(o.MessageID), o.Mailbox, o.ReversePath, indexed(o.Recipient), o.Agent, o.Subject, o.State,
			o.Attempts, ms(o.CreatedAt), ms(o.AttemptedAt), ms(o.SentAt), o.LastError)
	}
	if err == nil {
		err = tx.later(nil, `insert into outgoing_raw (outgoing_id, raw) values ($1, $2)`, id, present(o.Raw))
	}
	if err != nil {
		return 0, fmt.Errorf("add outgoing %s: %w", o.MessageID, err)
	}
	if o.State == Queued {
		tx.t.enqueue(id)
	}
	return id, nil
}

// Outgoing reads a mail of ours with its bytes.
func (tx *Tx) Outgoing(id OutgoingID) (Outgoing, error) {
	o, err := one(tx, outgoingFields, `select `+outgoingColumns+` from outgoing where id = $1`+tx.forUpdate(), id)
	if err == nil {
		o.Raw, err = one(tx, value[[]byte], `select raw from outgoing_raw where outgoing_id = $1`, id)
	}
	if err != nil {
		return Outgoing{}, fmt.Errorf("outgoing %d: %w", id, err)
	}
	return o, nil
}

// OutgoingByMessageID reads a mail of ours without its bytes.
func (tx *Tx) OutgoingByMessageID(id string) (Outgoing, error) {
	o, err := one(tx, outgoingFields, `select `+outgoingColumns+` from outgoing where message_id = $1`+tx.forUpdate(), indexed(id))
	if err != nil {
		return Outgoing{}, fmt.Errorf("outgoing %s: %w", id, err)
	}
	return o, nil
}

// CaseOutgoing lists our mail about a case, without bytes, oldest first.
func (tx *Tx) CaseOutgoing(c CaseID) ([]Outgoing, error) {
	all, err := list(tx, outgoingFields, `select `+outgoingColumns+` from outgoing where case_id = $1 order by id`, c)
	if err != nil {
		return nil, fmt.Errorf("outgoing of case %d: %w", c, err)
	}
	return all, nil
}

// OutgoingStates counts our mail by where it stands.
func (tx *Tx) OutgoingStates() (map[OutgoingState]int, error) {
	type count struct {
		state OutgoingState
		mails int
	}
	counts, err := list(tx, func(c *count) []any { return []any{&c.state, &c.mails} }, `select state, count(*) from outgoing group by state`)
	if err != nil {
		return nil, fmt.Errorf("count outgoing: %w", err)
	}
	states := map[OutgoingState]int{}
	for _, c := range counts {
		states[c.state] = c.mails
	}
	return states, nil
}

// BeginAttempt records that a mail is about to be sent, and gives it. It must be committed before any
// connection is opened. ErrConflict when the mail is neither queued nor left behind by an attempt.
func (tx *Tx) BeginAttempt(id OutgoingID, at time.Time) (Outgoing, error) {
	err := tx.swap("outgoing", int64(id), `update outgoing set state = 'sending', attempts = attempts + 1, attempted_at = $2
		where id = $1 and state in ('queued', 'sending')`, ms(at))
	if err != nil {
		return Outgoing{}, fmt.Errorf("begin attempt of outgoing %d: %w", id, err)
	}
	return tx.Outgoing(id)
}

// MarkSent records that the submission server has accepted a mail. That is a fact, so it holds also
// when the attempt was given up meanwhile.
func (tx *Tx) MarkSent(id OutgoingID, at time.Time) error {
	return tx.mark(id, Sent, `update outgoing set state = 'sent', sent_at = $2, last_error = ''
		where id = $1 and state in ('sending', 'queued')`, ms(at))
}

// MarkRetry records that an attempt has failed and will be made again.
func (tx *Tx) MarkRetry(id OutgoingID, lastError string) error {
	return tx.mark(id, Queued, `update outgoing set state = 'queued', last_error = $2 where id = $1 and state = 'sending'`, lastError)
}

// MarkRefused records that a mail cannot be sent.
func (tx *Tx) MarkRefused(id OutgoingID, lastError string) error {
	return tx.mark(id, Refusal, `update outgoing set state = 'refused', last_error = $2 where id = $1 and state = 'sending'`, lastError)
}

// Release queues a mail that was on hold, with its send job.
func (tx *Tx) Release(id OutgoingID) error {
	if err := tx.mark(id, Queued, `update outgoing set state = 'queued' where id = $1 and state = 'held'`); err != nil {
		return err
	}
	tx.t.enqueue(id)
	return nil
}

// Drop ends a mail that was on hold: another takes its place.
func (tx *Tx) Drop(id OutgoingID) error {
	return tx.mark(id, Dropped, `update outgoing set state = 'dropped' where id = $1 and state = 'held'`)
}

func (tx *Tx) mark(id OutgoingID, to OutgoingState, sql string, args ...any) error {
	if err := tx.swap("outgoing", int64(id), sql, args...); err != nil {
		return fmt.Errorf("mark outgoing %d as %s: %w", id, to, err)
	}
	return nil
}

// SentTo counts our mail to an address that was created at or after since, dropped ones aside. Other
// writing transactions that ask for the address wait until this one ends, so that they count its mail.
func (tx *Tx) SentTo(recipient string, since time.Time) (int, error) {
	recipient = indexed(recipient)
	err := tx.alone("recipient " + strings.ToLower(recipient))
	var n int
	if err == nil {
		n, err = one(tx, value[int], `select count(*) from outgoing
			where lower(recipient) = lower(cast($1 as text)) and created_at >= $2 and state <> 'dropped'`, recipient, ms(since))
	}
	if err != nil {
		return 0, fmt.Errorf("count mail to a recipient: %w", err)
	}
	return n, nil
}
