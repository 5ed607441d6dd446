package router

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bustia/bustia/store"
)

// Process takes one received mail all the way: judge, decide, carry out. A mail that cannot be
// processed goes to quarantine with the reason. The error is the store's alone: try again later.
func (r *Router) Process(ctx context.Context, id store.LedgerID) error {
	var received store.Received
	if err := r.store.View(ctx, func(tx *store.Tx) (err error) {
		received, err = tx.Received(id)
		return err
	}); err != nil {
		return err
	}
	p := r.current()
	err := r.process(ctx, p, received)
	var bad *unprocessable
	if errors.As(err, &bad) {
		r.log.Error("mail quarantined", "mailbox", received.Mailbox, "uid", received.UID, "message_id", received.MessageID, "err", bad.err)
		return r.quarantine(ctx, id, bad)
	}
	if errors.Is(err, store.ErrConflict) { // another daemon was first
		return nil
	}
	return err
}

func (r *Router) process(ctx context.Context, p policy, received store.Received) error {
	mail, err := p.judgeMail(received)
	if err != nil {
		return err
	}
	now := r.clock()
	_, err = r.act(ctx, p, mail, now, func(tx *store.Tx) (Facts, error) { return mailFacts(tx, p, mail, now) })
	return err
}

// judgeMail judges a received mail under the policy of its mailbox.
func (p policy) judgeMail(received store.Received) (m *Mail, err error) {
	defer survive(&err)
	box, ok := p.cfg.Mailbox(received.Mailbox)
	if !ok {
		return nil, &unprocessable{fmt.Errorf("mailbox %q is no longer configured", received.Mailbox)}
	}
	return p.judge.Mail(received, box), nil
}

func (r *Router) quarantine(ctx context.Context, id store.LedgerID, bad *unprocessable) error {
	return r.store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.Dispose(id, store.Quarantine, bad.Error(), 0, r.clock())
		if errors.Is(err, store.ErrConflict) {
			return nil
		}
		return err
	})
}

// unprocessable is a mail's own fault, not the store's: it would fail again.
type unprocessable struct{ err error }

func (u *unprocessable) Error() string { return u.err.Error() }
func (u *unprocessable) Unwrap() error { return u.err }

// survive makes an error of a panic: one bad mail, one bad case never stops another.
func survive(err *error) {
	if v := recover(); v != nil {
		*err = &unprocessable{fmt.Errorf("panic: %v", v)}
	}
}

// Bounds of what is processed together, in one transaction and in memory.
const (
	batchMails = 100
	batchBytes = 4 << 20
)

// batch is mails that are processed together, oldest first.
type batch struct {
	ids   []store.LedgerID
	mails []*Mail // judged; nil where that failed
}

// ProcessPending processes every received mail that has no disposition yet, oldest first, each once:
// one that fails stays for the next time and stops no other. While one batch is written, the next is
// judged.
func (r *Router) ProcessPending(ctx context.Context) error {
	p := r.current()
	batches := make(chan batch)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		return r.judgePending(ctx, p, batches)
	})
	group.Go(func() error {
		var failed failures
		for b := range batches {
			if r.processBatch(ctx, p, b, &failed); failed.enough() {
				return failed.err() // ends the judging, too
			}
		}
		return failed.err()
	})
	return group.Wait()
}

// judgePending reads and judges what is pending, on all cores, batch after batch.
func (r *Router) judgePending(ctx context.Context, p policy, batches chan<- batch) error {
	var last store.LedgerID
	for {
		var received []store.Received
		if err := r.store.View(ctx, func(tx *store.Tx) (err error) {
			received, err = tx.PendingMails(last, batchMails, batchBytes)
			return err
		}); err != nil {
			return err
		}
		if len(received) == 0 {
			return nil
		}
		b := batch{make([]store.LedgerID, len(received)), make([]*Mail, len(received))}
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, m := range received {
			b.ids[i] = m.ID
			if m.Raw == nil && m.Size > 0 { // Process will say so
				continue
			}
			group.Go(func() error {
				b.mails[i], _ = p.judgeMail(m) // its fault too
				return nil
			})
		}
		group.Wait()
		last = b.ids[len(b.ids)-1]
		select {
		case batches <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// processBatch processes mails together as far as that goes, and one by one what cannot be.
func (r *Router) processBatch(ctx context.Context, p policy, b batch, failed *failures) {
	for len(b.ids) > 0 && ctx.Err() == nil && !failed.enough() {
		n, err := r.together(ctx, p, b.mails)
		if err != nil || n == 0 {
			n = 1
			failed.add(b.ids[0], r.Process(ctx, b.ids[0]))
		} else {
			failed.inRow = 0
		}
		b.ids, b.mails = b.ids[n:], b.mails[n:]
	}
}

// together processes as many of the mails as do not depend on each other, in one transaction, and
// says how many, from the first, that was. After an error it was none.
func (r *Router) together(ctx context.Context, p policy, mails []*Mail) (n int, err error) {
	defer survive(&err)
	now := r.clock()
	var all []*decided
	err = r.store.InTx(ctx, func(tx *store.Tx) (err error) {
		if all, err = decideTogether(tx, p, mails, now); err != nil {
			return err
		}
		return carryOut(tx, p.writer, all, now)
	})
	if err != nil {
		return 0, err
	}
	for _, d := range all {
		r.report(d.event, d.plan)
	}
	return len(all), nil
}

// decideTogether decides on mails in their order, up to the first whose facts another one's plan would change.
func decideTogether(tx *store.Tx, p policy, mails []*Mail, now time.Time) ([]*decided, error) {
	load, err := workload(tx)
	if err != nil {
		return nil, err
	}
	var all []*decided
	so := sofar{names: map[string]bool{}, cases: map[store.CaseID]bool{}, sent: map[string]int{}}
	for _, m := range mails {
		if m == nil || so.meets(m) {
			break
		}
		f, err := mailFactsUnder(tx, p, m, load, now)
		if err != nil {
			return nil, err
		}
		if f.Case != nil && so.cases[f.Case.ID] || so.bytes > maxSaidBytes {
			break
		}
		for _, row := range f.Said {
			so.bytes += row.Size
		}
		f.Recent += so.sent[strings.ToLower(sender(m.Message, p.cfg).Address)]
		d := &decided{event: m, facts: f, plan: Decide(m, f, now)}
		so.add(m, d.plan)
		load.add(d.plan, f, now)
		all = append(all, d)
	}
	return all, nil
}

// sofar is what a batch has touched so far.
type sofar struct {
	names map[string]bool // digests and Message-IDs of its mails
	cases map[store.CaseID]bool
	sent  map[string]int // mails to each address
	bytes int            // read again of its cases
}

// meets says whether m is, or names, a mail of the batch.
func (s sofar) meets(m *Mail) bool {
	if s.names[m.Received.Digest] {
		return true
	}
	for _, id := range messageIDs(m) {
		if s.names[id] {
			return true
		}
	}
	return false
}

func (s sofar) add(m *Mail, p Plan) {
	s.names[m.Received.Digest] = true
	s.names[string(m.Message.MessageID)] = true
	if p.Case != nil {
		s.cases[p.Case.ID] = true
	}
	for _, l := range p.Letters {
		s.sent[strings.ToLower(l.To.Address)]++
	}
}

// failures are the errors of one round of processing.
type failures struct {
	errs  []error
	inRow int
}

func (f *failures) add(id store.LedgerID, err error) {
	if err == nil {
		f.inRow = 0
		return
	}
	f.inRow++
	f.errs = append(f.errs, fmt.Errorf("process ledger %d: %w", id, err))
}

// enough says that it is not the mails, it is the store.
func (f *failures) enough() bool { return f.inRow >= 20 }

func (f *failures) err() error { return errors.Join(f.errs[:min(len(f.errs), 20)]...) }
