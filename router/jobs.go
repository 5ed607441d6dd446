package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bustia/bustia/mailbox/submit"
	"github.com/bustia/bustia/store"
)

// sweepEvery is how often deadlines are looked at.
const sweepEvery = time.Minute

// workers is how many mails are sent at the same time.
const workers = 8

// Run processes received mails, sends outgoing ones and watches deadlines until ctx ends; then it
// finishes what is under way.
func (r *Router) Run(ctx context.Context) error {
	queue, err := r.store.StartQueue(ctx, store.Jobs{Send: r.Submit, Sweep: func(ctx context.Context) error { return r.Sweep(ctx, r.clock()) },
		SweepEvery: sweepEvery, Workers: workers}, r.log)
	if err != nil {
		return fmt.Errorf("start queue: %w", err)
	}
	r.processLoop(ctx)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(queue.Stop(stop), r.Close())
}

// processLoop processes whatever is pending, at start and whenever something was received. When the
// store does not answer it tries again, ever more slowly.
func (r *Router) processLoop(ctx context.Context) {
	const soonest, latest = time.Second, time.Minute
	wait := soonest
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-retry.C:
		}
		err := r.ProcessPending(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.log.Error("processing stopped, will try again", "err", err, "after", wait)
			retry.Reset(wait)
			wait = min(2*wait, latest)
		default:
			wait = soonest
			retry.Reset(latest) // what another daemon took in and left
		}
	}
}

// Submit sends one outgoing mail. The attempt is recorded before it is made. again > 0 asks to be
// called again after that long; err is the store's.
func (r *Router) Submit(ctx context.Context, id store.OutgoingID) (again time.Duration, err error) {
	var out store.Outgoing
	err = r.store.InTx(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.BeginAttempt(id, r.clock())
		return err
	})
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) { // sent, refused or dropped already
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	sender, ok := r.current().senders[out.Mailbox]
	if !ok {
		return r.postpone(ctx, out, fmt.Errorf("mailbox %q is no longer configured", out.Mailbox))
	}
	err = sender.Send(ctx, submit.Envelope{ReversePath: out.ReversePath, Recipient: out.Recipient}, out.Raw)
	var refused *submit.Error
	switch {
	case err == nil:
		return 0, r.sent(ctx, out)
	case errors.As(err, &refused) && refused.Permanent:
		return 0, r.refused(ctx, out, err)
	default:
		return r.postpone(ctx, out, err)
	}
}

// sent records that a mail has gone out. A store that is away for a moment is waited for: what is not
// recorded goes out again.
func (r *Router) sent(ctx context.Context, out store.Outgoing) error {
	ctx = context.WithoutCancel(ctx) // it has gone out, whoever was told to stop
	now := r.clock()
	r.log.Info("mail sent", "mailbox", out.Mailbox, "message_id", out.MessageID, "kind", out.Kind, "attempt", out.Attempts)
	record := func(tx *store.Tx) error {
		if err := tx.MarkSent(out.ID, now); err != nil {
			return err
		}
		return tx.AddEvent(store.Event{CaseID: out.CaseID, At: now, Kind: "sent", Actor: "clock",
			Facts: map[string]string{"mail": out.Kind, "to": role(out.Agent), "message_id": out.MessageID}})
	}
	const longest = 10 * time.Second // some twelve in all, less than a daemon is given to stop
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		err := r.store.InTx(ctx, record)
		if err == nil || errors.Is(err, store.ErrConflict) || wait > longest {
			return err
		}
		time.Sleep(wait)
	}
}

// attemptWaits is how long to wait after each failed attempt; the last one repeats.
var attemptWaits = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour}

// giveUpAfter is how long a mail is tried before a human is told it cannot be sent (RFC 5321 section 4.5.4.1).
const giveUpAfter = 5 * 24 * time.Hour

// postpone puts a mail off after a temporary failure, or gives up on one that is too old.
func (r *Router) postpone(ctx context.Context, out store.Outgoing, cause error) (again time.Duration, err error) {
	if r.clock().Sub(out.CreatedAt) > giveUpAfter {
		return 0, r.refused(ctx, out, fmt.Errorf("given up after %d attempts: %w", out.Attempts, cause))
	}
	again = attemptWaits[min(max(out.Attempts, 1), len(attemptWaits))-1]
	r.log.Warn("mail not sent, will try again", "mailbox", out.Mailbox, "message_id", out.MessageID, "attempt", out.Attempts, "after", again, "err", cause)
	return again, r.store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.MarkRetry(out.ID, cause.Error()) })
}

// refused records that a mail will never go out, and what follows from that.
func (r *Router) refused(ctx context.Context, out store.Outgoing, cause error) error {
	r.log.Error("mail refused", "mailbox", out.Mailbox, "message_id", out.MessageID, "attempt", out.Attempts, "err", cause)
	p, now, ctx := r.current(), r.clock(), context.WithoutCancel(ctx)
	mark := func(tx *store.Tx) error { return tx.MarkRefused(out.ID, cause.Error()) }
	_, err := r.act(ctx, p, SendRefused{Outgoing: out, Reason: cause.Error()}, now, func(tx *store.Tx) (Facts, error) {
		if err := mark(tx); err != nil {
			return Facts{}, err
		}
		return caseFacts(tx, p, Facts{Config: p.cfg}, out.CaseID, now)
	})
	var bad *unprocessable
	if errors.As(err, &bad) { // nobody can be told; it must not be sent again for that
		r.log.Error("mail refused and nobody told", "mailbox", out.Mailbox, "message_id", out.MessageID, "err", err)
		return r.store.InTx(ctx, mark)
	}
	return err
}

// Sweep takes every step of a deadline that has fallen due at now, one transaction each.
func (r *Router) Sweep(ctx context.Context, now time.Time) error {
	const batch = 100
	p := r.current()
	for {
		var due []store.Deadline
		if err := r.store.View(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.DueDeadlines(now, batch)
			return err
		}); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		done, errs := 0, []error(nil)
		for _, d := range due {
			_, err := r.act(ctx, p, DeadlineReached{d}, now, func(tx *store.Tx) (Facts, error) {
				return caseFacts(tx, p, Facts{Config: p.cfg}, d.CaseID, now)
			})
			switch {
			case err == nil:
				done++
			case !errors.Is(err, store.ErrConflict): // a conflict: another daemon was first
				errs = append(errs, errors.Join(fmt.Errorf("deadline %d: %w", d.ID, err), r.putOff(ctx, d, now.Add(time.Hour))))
			}
		}
		if len(due) < batch || done == 0 {
			return errors.Join(errs...)
		}
		for _, err := range errs {
			r.log.Error("deadline not handled, will try again", "err", err)
		}
	}
}

// putOff tries a deadline that failed again later, so that those behind it have their turn.
func (r *Router) putOff(ctx context.Context, d store.Deadline, until time.Time) error {
	return r.store.InTx(ctx, func(tx *store.Tx) error { return tx.StepDeadline(d.ID, d.Done, d.Done, until, d.Step) })
}

// Order carries out a command of the operator's on the case with reference ref.
func (r *Router) Order(ctx context.Context, ref string, o Order) error {
	p, now := r.current(), r.clock()
	plan, err := r.act(ctx, p, o, now, func(tx *store.Tx) (Facts, error) {
		c, err := tx.CaseByReference(ref)
		if errors.Is(err, store.ErrNotFound) {
			return Facts{}, fmt.Errorf("no case %s", ref)
		}
		if err != nil {
			return Facts{}, err
		}
		return caseFacts(tx, p, Facts{Config: p.cfg}, c.ID, now)
	})
	if err == nil && plan.Refused != "" {
		return errors.New(plan.Refused)
	}
	return err
}
