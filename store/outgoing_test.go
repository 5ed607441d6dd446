package store

import (
	"context"
	"errors"
	"testing"
)

func outgoing(messageID string, state OutgoingState) Outgoing {
	return Outgoing{Kind: "acknowledgement", MessageID: messageID, Mailbox: "main", ReversePath: "bounce@example.cat",
		Recipient: "Citizen@example.org", Agent: "anna", Subject: "Hem rebut", Raw: []byte("Subject: x\r\n\r\n\xff\x00"), State: state, CreatedAt: at(0)}
}

func TestOutgoing(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		want := outgoing("1@example.cat", Queued)
		want.CaseID = must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		want.ID = must(t, s, func(tx *Tx) (OutgoingID, error) { return tx.AddOutgoing(want) })
		do(t, s, func(tx *Tx) error {
			got, err := tx.Outgoing(want.ID)
			wantSame(t, got, want)
			_, missing := tx.Outgoing(want.ID + 1)
			wantError(t, missing, ErrNotFound)
			without := want
			without.Raw = nil
			byID, err2 := tx.OutgoingByMessageID("1@example.cat")
			wantSame(t, byID, without)
			_, missing = tx.OutgoingByMessageID("2@example.cat")
			wantError(t, missing, ErrNotFound)
			all, err3 := tx.CaseOutgoing(want.CaseID)
			wantSame(t, all, []Outgoing{without})
			return errors.Join(err, err2, err3)
		})
		taken := s.InTx(context.Background(), func(tx *Tx) error {
			_, err := tx.AddOutgoing(outgoing("1@example.cat", Queued))
			return err
		})
		wantError(t, taken, ErrExists)
		// One of no case, such as a notice to a supervisor.
		do(t, s, func(tx *Tx) error { _, err := tx.AddOutgoing(outgoing("3@example.cat", OnHold)); return err })
	})
}

func TestAttempts(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		ctx := t.Context()
		add := func(id string, state OutgoingState) OutgoingID {
			t.Helper()
			return must(t, s, func(tx *Tx) (OutgoingID, error) { return tx.AddOutgoing(outgoing(id, state)) })
		}
		begin := func(id OutgoingID) error {
			return s.InTx(ctx, func(tx *Tx) error { _, err := tx.BeginAttempt(id, at(10)); return err })
		}
		retry := func(id OutgoingID) error {
			return s.InTx(ctx, func(tx *Tx) error { return tx.MarkRetry(id, "451 later") })
		}
		sent := func(id OutgoingID) error { return s.InTx(ctx, func(tx *Tx) error { return tx.MarkSent(id, at(20)) }) }
		refused := func(id OutgoingID) error {
			return s.InTx(ctx, func(tx *Tx) error { return tx.MarkRefused(id, "550 no such user") })
		}
		release := func(id OutgoingID) error { return s.InTx(ctx, func(tx *Tx) error { return tx.Release(id) }) }
		drop := func(id OutgoingID) error { return s.InTx(ctx, func(tx *Tx) error { return tx.Drop(id) }) }
		steps := func(id OutgoingID, want error, steps ...func(OutgoingID) error) {
			t.Helper()
			for i, step := range steps {
				err := step(id)
				if i < len(steps)-1 && err != nil {
					t.Errorf("step %d: %v", i, err)
				}
				if i == len(steps)-1 {
					wantError(t, err, want)
				}
			}
		}
		id := add("1@example.cat", Queued)
		steps(id, nil, begin, retry, begin, begin, sent)
		want := outgoing("1@example.cat", Sent)
		want.ID, want.Attempts, want.AttemptedAt, want.SentAt = id, 3, at(10), at(20)
		wantSame(t, must(t, s, func(tx *Tx) (Outgoing, error) { return tx.Outgoing(id) }), want)
		steps(id, ErrConflict, sent)
		steps(id, ErrConflict, begin)
		steps(id, ErrConflict, retry)
		steps(add("2@example.cat", Queued), ErrConflict, begin, refused, begin)
		steps(add("3@example.cat", Queued), ErrConflict, retry)
		steps(add("4@example.cat", Queued), ErrConflict, refused)
		steps(add("5@example.cat", Queued), ErrConflict, release)
		steps(add("6@example.cat", Queued), nil, begin, retry, sent) // another worker had given it up
		steps(add("7@example.cat", OnHold), ErrConflict, begin)
		steps(add("8@example.cat", OnHold), ErrConflict, release, drop)
		steps(add("9@example.cat", OnHold), ErrConflict, drop, release)
		steps(id+100, ErrNotFound, begin)

		raced := add("10@example.cat", Queued)
		for _, err := range race(s, 8, func(tx *Tx, i int) error { _, err := tx.BeginAttempt(raced, at(i)); return err }) {
			if err != nil {
				t.Error(err)
			}
		}
		got := must(t, s, func(tx *Tx) (Outgoing, error) { return tx.Outgoing(raced) })
		wantSame(t, got.Attempts, 8)
		oneWins(t, race(s, 8, func(tx *Tx, i int) error {
			if i%2 == 0 {
				return tx.MarkSent(raced, at(1))
			}
			return tx.MarkRefused(raced, "550")
		}), ErrConflict)
		held := add("11@example.cat", OnHold)
		oneWins(t, race(s, 8, func(tx *Tx, i int) error {
			if i%2 == 0 {
				return tx.Release(held)
			}
			return tx.Drop(held)
		}), ErrConflict)
	})
}

func TestSentTo(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		do(t, s, func(tx *Tx) error {
			for i, state := range []OutgoingState{Sent, Queued, OnHold, Dropped} {
				o := outgoing(string(rune('a'+i))+"@example.cat", state)
				o.CreatedAt = at(i)
				if _, err := tx.AddOutgoing(o); err != nil {
					return err
				}
			}
			check := func(recipient string, since, want int) {
				t.Helper()
				got, err := tx.SentTo(recipient, at(since))
				if err != nil || got != want {
					t.Errorf("%s since %d: got %d, %v, want %d", recipient, since, got, err, want)
				}
			}
			check("citizen@EXAMPLE.org", 0, 3)
			check("citizen@example.org", 1, 2)
			check("citizen@example.org", 3, 0)
			check("other@example.org", 0, 0)
			states, err := tx.OutgoingStates()
			wantSame(t, states, map[OutgoingState]int{Sent: 1, Queued: 1, OnHold: 1, Dropped: 1})
			return err
		})
		// The brake holds when many want to write at once.
		const limit = 3
		for _, err := range race(s, 8, func(tx *Tx, i int) error {
			n, err := tx.SentTo("busy@example.org", at(0))
			if err != nil || n >= limit {
				return err
			}
			o := outgoing(string(rune('k'+i))+"@example.cat", Sent)
			o.Recipient = "busy@example.org"
			_, err = tx.AddOutgoing(o)
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		n := must(t, s, func(tx *Tx) (int, error) { return tx.SentTo("busy@example.org", at(0)) })
		wantSame(t, n, limit)
	})
}
