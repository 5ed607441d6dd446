package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

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
	Ignored    Disposition = "ignored"    // by a named rule, or because it was there before us
)

// Archived is the reason of mail that was ignored because it was in the folder before us, and whose
// bytes are kept. It is what it is in its own mailbox only: see SameMail.
const Archived = "archive"

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
	Size         int    // in bytes, on the server
	Truncated    bool   // Raw is the header section only: the mail was too large to be taken in whole
	MarkDue      bool   // it is to be marked on the server, and was not yet
	Disposition  Disposition
	Reason       string // why this disposition: rule, header field, error
	CaseID       CaseID // 0 when it belongs to none
	ProcessedAt  time.Time
}

// Position is how far one folder has been read.
type Position struct {
	UIDValidity uint32
	LastUID     uint32
	Backlog     uint32 // the highest UID there was when the folder was opened for the first time
}

const atOnce = 500 // values in one statement

// LedgerFilter narrows a listing; zero fields do not.
type LedgerFilter struct {
	Mailbox     string
	Disposition Disposition
	Pending     bool // only what waits to be processed, whatever Disposition says
	Limit       int  // 0 = no limit; newest first
}

// MailboxSummary is the account of one folder of a mailbox: Seen is Pending and every disposition together.
type MailboxSummary struct {
	Mailbox, Folder string
	Position        Position
	Seen, Pending   int
	ByDisposition   map[Disposition]int
}

// Position gives how far a folder has been read; zero when it never was.
func (tx *Tx) Position(mailbox, folder string) (Position, error) {
	all, err := list(tx, func(p *Position) []any { return []any{&p.UIDValidity, &p.LastUID, &p.Backlog} },
		`select uid_validity, last_uid, backlog from folder_position where mailbox = $1 and folder = $2`, mailbox, folder)
	if err != nil {
		return Position{}, fmt.Errorf("position in %s %s: %w", mailbox, folder, err)
	}
	if len(all) == 0 {
		return Position{}, nil
	}
	return all[0], nil
}

// SetPosition records how far a folder has been read, at this time.
func (tx *Tx) SetPosition(mailbox, folder string, p Position, at time.Time) error {
	if _, err := tx.exec(`insert into folder_position (mailbox, folder, uid_validity, last_uid, backlog, read_at) values ($1, $2, $3, $4, $5, $6)
		on conflict (mailbox, folder) do update
		set uid_validity = excluded.uid_validity, last_uid = excluded.last_uid, backlog = excluded.backlog, read_at = excluded.read_at`,
		mailbox, folder, p.UIDValidity, p.LastUID, p.Backlog, ms(at)); err != nil {
		return fmt.Errorf("set position in %s %s: %w", mailbox, folder, err)
	}
	return nil
}

const receivedColumns = `id, mailbox, folder, uid_validity, uid, internal_date, fetched_at, message_id, digest, sender, subject,
	size, truncated, mark_due, disposition, reason, coalesce(case_id, 0), processed_at`

func receivedFields(r *Received) []any {
	return []any{&r.ID, &r.Mailbox, &r.Folder, &r.UIDValidity, &r.UID, moment{&r.InternalDate}, moment{&r.FetchedAt}, &r.MessageID, &r.Digest, &r.From, &r.Subject,
		&r.Size, &r.Truncated, &r.MarkDue, &r.Disposition, &r.Reason, &r.CaseID, moment{&r.ProcessedAt}}
}

// AddReceived takes a mail in: its raw bytes and its row in the ledger, not yet disposed. Size 0 is that
// of the bytes. ErrExists, and nothing is changed, when its place is in the ledger already.
func (tx *Tx) AddReceived(r Received) (LedgerID, error) {
	r.Size = cmp.Or(r.Size, len(r.Raw))
	id, err := insert[LedgerID](tx, `insert into ledger (mailbox, folder, uid_validity, uid, internal_date, fetched_at, message_id, digest, sender, subject, size, truncated, mark_due)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (mailbox, folder, uid_validity, uid) do nothing
		returning id`, r.Mailbox, r.Folder, r.UIDValidity, r.UID, ms(r.InternalDate), ms(r.FetchedAt),
		indexed(r.MessageID), indexed(r.Digest), r.From, r.Subject, r.Size, r.Truncated, r.MarkDue)
	if err == nil {
		err = tx.later(nil, `insert into ledger_raw (ledger_id, raw) values ($1, $2)`, id, present(r.Raw))
	}
	if err != nil {
		return 0, fmt.Errorf("take in %s %s %d/%d: %w", r.Mailbox, r.Folder, r.UIDValidity, r.UID, err)
	}
	return id, nil
}

// Pending lists received mail that is not yet disposed, oldest first.
func (tx *Tx) Pending(limit int) ([]LedgerID, error) {
	all, err := list(tx, value[LedgerID], `select id from ledger where disposition = '' order by id limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("pending mail: %w", err)
	}
	return all, nil
}

// PendingMails reads the received mails after a ledger row that are not yet disposed, oldest first, with
// their bytes: at most limit, and no more than maxBytes, but one at least. Raw is nil
// where the bytes are missing.
func (tx *Tx) PendingMails(after LedgerID, limit, maxBytes int) ([]Received, error) {
	fields := func(r *Received) []any { return append(receivedFields(r), &r.Raw) }
	all, err := list(tx, fields, `select `+receivedColumns+`, raw from ledger left join ledger_raw on ledger_id = id
		where id > $1 and id <= (
			select max(id) from (
				select id, sum(size) over (order by id) - size as before
				from (select id, size from ledger where disposition = '' and id > $1 order by id limit $2) as next
			) as counted where before < $3)
		and disposition = '' order by id`, after, limit, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("pending mail: %w", err)
	}
	return all, nil
}

// Received reads a received mail with its bytes. In a writing transaction it stays locked for others
// until the end.
func (tx *Tx) Received(id LedgerID) (Received, error) {
	r, err := one(tx, receivedFields, `select `+receivedColumns+` from ledger where id = $1`+tx.forUpdate(), id)
	if err == nil {
		r.Raw, err = one(tx, value[[]byte], `select raw from ledger_raw where ledger_id = $1`, id)
	}
	if err != nil {
		return Received{}, fmt.Errorf("received mail %d: %w", id, err)
	}
	return r, nil
}

// Dispose records what became of a received mail, once: ErrConflict when that is known already. Only
// what is in quarantine may be disposed again.
func (tx *Tx) Dispose(id LedgerID, d Disposition, reason string, c CaseID, at time.Time) error {
	err := tx.swap("ledger", int64(id), `update ledger set disposition = $2, reason = $3, case_id = $4, processed_at = $5
		where id = $1 and disposition in ('', 'quarantine')`, d, reason, nullable(c), ms(at))
	if err != nil {
		return fmt.Errorf("dispose of received mail %d as %s: %w", id, d, err)
	}
	return nil
}

// Requeue puts a quarantined mail back to wait for processing; ErrConflict when it is not quarantined.
func (tx *Tx) Requeue(id LedgerID) error {
	err := tx.swap("ledger", int64(id), `update ledger set disposition = '', reason = '', processed_at = 0
		where id = $1 and disposition = 'quarantine'`)
	if err != nil {
		return fmt.Errorf("requeue ledger %d: %w", id, err)
	}
	return nil
}

// SameMail gives the earliest other mail with this digest that was processed and is neither a duplicate
// nor in quarantine, without its bytes; ErrNotFound when there is none. Other writing transactions that
// ask for this digest wait until this one ends: of two copies, one is processed first.
func (tx *Tx) SameMail(digest string, not LedgerID) (Received, error) {
	digest = indexed(digest)
	err := tx.alone("digest " + digest)
	var r Received
	if err == nil {
		r, err = one(tx, receivedFields, `select `+receivedColumns+` from ledger
			where digest = $1 and id <> $2 and disposition not in ('', 'duplicate', 'quarantine')
			and (disposition <> 'ignored' or reason <> $3 or mailbox = (select mailbox from ledger where id = $2))
			order by digest, id limit 1`, digest, not, Archived) // by id alone PostgreSQL walks the table
	}
	if err != nil {
		return Received{}, fmt.Errorf("same mail as %d: %w", not, err)
	}
	return r, nil
}

// MarksDue lists the UIDs of a folder that are to be marked on the server, lowest first.
func (tx *Tx) MarksDue(mailbox, folder string, validity uint32, limit int) ([]uint32, error) {
	all, err := list(tx, value[uint32], `select uid from ledger where mailbox = $1 and folder = $2 and uid_validity = $3 and mark_due
		order by uid limit $4`, mailbox, folder, validity, limit)
	if err != nil {
		return nil, fmt.Errorf("marks due in %s %s: %w", mailbox, folder, err)
	}
	return all, nil
}

// Marked records that these mails are marked on the server or gone from it.
func (tx *Tx) Marked(mailbox, folder string, validity uint32, uids []uint32) error {
	for some := range slices.Chunk(uids, atOnce) {
		var where conditions
		where.add("mailbox = ?", mailbox)
		where.add("folder = ?", folder)
		where.add("uid_validity = ?", validity)
		addIn(&where, "uid", some)
		if _, err := tx.exec(`update ledger set mark_due = false`+where.where()+` and mark_due`, where.args...); err != nil {
			return fmt.Errorf("marked in %s %s: %w", mailbox, folder, err)
		}
	}
	return nil
}

// CaseMails lists the received mail of a case, without bytes, oldest first.
func (tx *Tx) CaseMails(c CaseID) ([]Received, error) {
	all, err := list(tx, receivedFields, `select `+receivedColumns+` from ledger where case_id = $1 order by internal_date, id`, c)
	if err != nil {
		return nil, fmt.Errorf("mail of case %d: %w", c, err)
	}
	return all, nil
}

// CasesOfMessages gives the cases that mail with these Message-IDs belongs to, received or sent by us,
// in the order of the ids and each once.
func (tx *Tx) CasesOfMessages(ids []string) ([]CaseID, error) {
	type belongs struct {
		message string
		to      CaseID
	}
	fields := func(b *belongs) []any { return []any{&b.message, &b.to} }
	var all []CaseID
	kept := make([]string, len(ids))
	for i, id := range ids {
		kept[i] = indexed(id)
	}
	for some := range slices.Chunk(kept, atOnce) {
		var where conditions
		addIn(&where, "message_id", some)
		found, err := list(tx, fields, `select message_id, case_id from ledger`+where.where()+` and case_id is not null
			union select message_id, case_id from outgoing`+where.where()+` and case_id is not null
			order by 2`, where.args...)
		if err != nil {
			return nil, fmt.Errorf("cases of messages: %w", err)
		}
		for _, id := range some {
			for _, b := range found {
				if b.message == id && !slices.Contains(all, b.to) {
					all = append(all, b.to)
				}
			}
		}
	}
	return all, nil
}

// LedgerRows lists received mail without bytes, newest first.
func (tx *Tx) LedgerRows(f LedgerFilter) ([]Received, error) {
	var where conditions
	if f.Mailbox != "" {
		where.add("mailbox = ?", f.Mailbox)
	}
	switch {
	case f.Pending:
		where.addFixed("disposition = ''") // the words of its index
	case f.Disposition == Quarantine:
		where.addFixed("disposition = 'quarantine'") // likewise
	case f.Disposition != "":
		where.add("disposition = ?", f.Disposition)
	}
	sql := `select ` + receivedColumns + ` from ledger` + where.where() + ` order by id desc` + where.limit(f.Limit)
	all, err := list(tx, receivedFields, sql, where.args...)
	if err != nil {
		return nil, fmt.Errorf("list ledger: %w", err)
	}
	return all, nil
}

// SeenUIDs gives which UIDs of a folder were taken in under this UIDVALIDITY.
func (tx *Tx) SeenUIDs(mailbox, folder string, validity uint32) (map[uint32]bool, error) {
	uids, err := list(tx, value[uint32], `select uid from ledger where mailbox = $1 and folder = $2 and uid_validity = $3`, mailbox, folder, validity)
	if err != nil {
		return nil, fmt.Errorf("seen uids of %s %s: %w", mailbox, folder, err)
	}
	seen := make(map[uint32]bool, len(uids))
	for _, uid := range uids {
		seen[uid] = true
	}
	return seen, nil
}

// LedgerSummary accounts for all that was ever seen, by mailbox and folder.
func (tx *Tx) LedgerSummary() ([]MailboxSummary, error) {
	type count struct {
		mailbox, folder string
		position        Position
		disposition     Disposition
		mails           int
	}
	fields := func(c *count) []any {
		return []any{&c.mailbox, &c.folder, &c.position.UIDValidity, &c.position.LastUID, &c.disposition, &c.mails}
	}
	// A folder that was read and found empty has a position and no mail.
	counts, err := list(tx, fields, `select mailbox, folder, coalesce(uid_validity, 0), coalesce(last_uid, 0), coalesce(disposition, ''), coalesce(mails, 0)
		from folder_position
		full join (select mailbox, folder, disposition, count(*) as mails from ledger group by mailbox, folder, disposition) as counted
		using (mailbox, folder)
		order by mailbox, folder`)
	if err != nil {
		return nil, fmt.Errorf("summary of ledger: %w", err)
	}
	var all []MailboxSummary
	for _, c := range counts {
		if n := len(all); n == 0 || all[n-1].Mailbox != c.mailbox || all[n-1].Folder != c.folder {
			all = append(all, MailboxSummary{Mailbox: c.mailbox, Folder: c.folder, Position: c.position, ByDisposition: map[Disposition]int{}})
		}
		s := &all[len(all)-1]
		s.Seen += c.mails
		if c.disposition == "" {
			s.Pending = c.mails
		} else {
			s.ByDisposition[c.disposition] = c.mails
		}
	}
	return all, nil
}
