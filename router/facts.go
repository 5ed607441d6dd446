package router

import (
	"errors"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// mailFacts looks up what is known around a received mail: whether it was taken in before, whose
// case it names, and by what proof.
func mailFacts(tx *store.Tx, p policy, m *Mail, now time.Time) (Facts, error) {
	load, err := workload(tx)
	if err != nil {
		return Facts{}, err
	}
	return mailFactsUnder(tx, p, m, load, now)
}

// mailFactsUnder is mailFacts when the workload is known already.
func mailFactsUnder(tx *store.Tx, p policy, m *Mail, load Workload, now time.Time) (Facts, error) {
	f := Facts{Config: p.cfg, Workload: load}
	f.Mailbox, _ = p.cfg.Mailbox(m.Received.Mailbox) // judged under it
	same, err := tx.SameMail(m.Received.Digest, m.Received.ID)
	if err == nil {
		f.Same = &same
		return caseFacts(tx, p, f, same.CaseID, now)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return f, err
	}
	id, err := caseNamed(tx, m, &f)
	if err != nil {
		return f, err
	}
	if f.Recent, err = tx.SentTo(sender(m.Message, p.cfg).Address, now.Add(-time.Hour)); err != nil {
		return f, err
	}
	return caseFacts(tx, p, f, id, now)
}

// caseNamed finds the case a mail names, strongest proof first: signed address, our own Message-IDs,
// the reference in the subject. 0 = none.
func caseNamed(tx *store.Tx, m *Mail, f *Facts) (store.CaseID, error) {
	ids := messageIDs(m)
	for _, id := range ids {
		original, err := tx.OutgoingByMessageID(id)
		if err == nil {
			f.Original = &original
			break
		}
		if !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
	}
	if m.Token != nil && m.Token.Purpose == ForCitizen {
		return store.CaseID(m.Token.ID), nil
	}
	if m.Token != nil {
		a, err := tx.Assignment(store.AssignmentID(m.Token.ID))
		if err == nil {
			f.Assignment = &a
			return a.CaseID, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
	}
	if f.Original != nil {
		return f.Original.CaseID, nil
	}
	cases, err := tx.CasesOfMessages(ids)
	if err != nil || len(cases) > 0 {
		return first(cases), err
	}
	if m.Refs.Case == "" {
		return 0, nil
	}
	c, err := tx.CaseByReference(string(m.Refs.Case))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return c.ID, err
}

// maxRefs bounds how many Message-IDs of a mail are looked up; the newest come first.
const maxRefs = 50

func messageIDs(m *Mail) []string {
	var ids []string
	if m.Bounce != nil && m.Bounce.OriginalMessageID != "" {
		ids = append(ids, string(m.Bounce.OriginalMessageID))
	}
	for _, id := range m.Refs.MessageIDs {
		if len(ids) == maxRefs {
			break
		}
		ids = append(ids, string(id))
	}
	return ids
}

func first(ids []store.CaseID) store.CaseID {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}

// caseFacts adds what is known of the case with id; 0, or one that is gone, adds nothing.
func caseFacts(tx *store.Tx, p policy, f Facts, id store.CaseID, now time.Time) (Facts, error) {
	if id == 0 {
		return f, nil
	}
	c, err := tx.Case(id)
	if errors.Is(err, store.ErrNotFound) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.Case = &c
	if f.Mailbox == nil {
		f.Mailbox = mailboxOf(p.cfg, &c)
	}
	if err := standing(tx, &f, id, now); err != nil {
		return f, err
	}
	if f.Workload.Open == nil { // no mail led here
		if f.Workload, err = workload(tx); err != nil {
			return f, err
		}
		if f.Recent, err = tx.SentTo(c.CitizenAddress, now.Add(-time.Hour)); err != nil {
			return f, err
		}
	}
	f.Said, err = said(tx, p, id)
	return f, err
}

// standing adds who has the case, what it is promised, and what waits on it.
func standing(tx *store.Tx, f *Facts, id store.CaseID, now time.Time) error {
	assignments, err := tx.CurrentAssignments(id)
	if err != nil {
		return err
	}
	for _, a := range assignments {
		if a.Role == store.Oversee {
			f.Oversight = &a
		} else {
			f.Current = &a
		}
	}
	deadlines, err := tx.Deadlines(id)
	if err != nil {
		return err
	}
	for _, d := range deadlines {
		if d.State == store.DeadlineOpen {
			f.Deadlines = append(f.Deadlines, d)
		}
	}
	outgoing, err := tx.CaseOutgoing(id)
	if err != nil {
		return err
	}
	for _, o := range outgoing {
		if o.State == store.OnHold {
			f.Held = &o
		}
		if answersAgent(o.Kind) && now.Sub(o.CreatedAt) < time.Hour {
			f.Answered++
		}
	}
	return nil
}

// answersAgent says whether mail of this kind answers an agent's.
func answersAgent(kind string) bool {
	return kind == config.Receipt || kind == config.Refused || kind == config.Held
}

// Bounds of what is read again of a case: so many mails, of so many bytes; the newest count, and one
// is always read.
const (
	maxSaid      = 20
	maxSaidBytes = 32 << 20
)

// said reads what the citizen wrote on a case, oldest first.
func said(tx *store.Tx, p policy, id store.CaseID) ([]Said, error) {
	rows, err := tx.CaseMails(id)
	if err != nil {
		return nil, err
	}
	var citizens []store.Received
	for _, row := range rows {
		if row.Disposition == store.OpenedCase || row.Disposition == store.FollowUp {
			citizens = append(citizens, row)
		}
	}
	var all []Said
	for _, row := range citizens[newest(citizens):] {
		full, err := tx.Received(row.ID)
		if err != nil {
			return nil, err
		}
		m := mailbox.Parse(full.Raw)
		all = append(all, Said{row.InternalDate, row.Size, m, mailbox.Text(m), row.Truncated})
	}
	return all, nil
}

// newest is where the mails begin that are read again.
func newest(rows []store.Received) int {
	from, bytes := len(rows), 0
	for from > 0 && len(rows)-from < maxSaid {
		bytes += rows[from-1].Size
		if bytes > maxSaidBytes && from < len(rows) {
			break
		}
		from--
	}
	return from
}

func workload(tx *store.Tx) (w Workload, err error) {
	if w.Open, err = tx.Load(); err != nil {
		return w, err
	}
	w.Last, err = tx.LastAssigned()
	return w, err
}

// mailboxOf is the mailbox a case came in by; one that is no longer configured is replaced by the first.
func mailboxOf(cfg *config.Config, c *store.Case) *config.Mailbox {
	if m, ok := cfg.Mailbox(c.Mailbox); ok {
		return m
	}
	return &cfg.Mailboxes[0]
}
