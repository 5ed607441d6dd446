package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// workers starts a queue that reports each send and asks for its result, and reports each sweep.
type workers struct {
	sends  chan OutgoingID
	result chan func() (time.Duration, error)
	sweeps chan struct{}
	log    *lockedBuffer
}

// lockedBuffer is a log that is written by many.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func startWorkers(t *testing.T, s *Store) *workers {
	t.Helper()
	w := &workers{
		sends:  make(chan OutgoingID),
		result: make(chan func() (time.Duration, error)),
		sweeps: make(chan struct{}, 100),
		log:    &lockedBuffer{},
	}
	q, err := s.StartQueue(t.Context(), Jobs{
		Send: func(ctx context.Context, id OutgoingID) (time.Duration, error) {
			select {
			case w.sends <- id:
				return (<-w.result)()
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		},
		Sweep: func(context.Context) error {
			w.sweeps <- struct{}{}
			return nil
		},
		SweepEvery: time.Second,
	}, slog.New(slog.NewTextHandler(w.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return w
}

// sent waits for a send of this mail and answers it.
func (w *workers) sent(t *testing.T, want OutgoingID, again time.Duration, err error) {
	t.Helper()
	select {
	case got := <-w.sends:
		if got != want {
			t.Errorf("got a send of %d, want %d", got, want)
		}
		w.result <- func() (time.Duration, error) { return again, err }
	case <-time.After(20 * time.Second):
		t.Fatalf("no send of %d\n%s", want, w.log)
	}
}

func TestSendJobs(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		// The mail is queued before there is a worker; a job whose transaction is rolled back is none.
		first := must(t, s, func(tx *Tx) (OutgoingID, error) { return tx.AddOutgoing(outgoing("1@example.cat", Queued)) })
		broken := errors.New("broken")
		wantError(t, s.InTx(t.Context(), func(tx *Tx) error {
			_, err := tx.AddOutgoing(outgoing("2@example.cat", Queued))
			return errors.Join(err, broken)
		}), broken)
		held := must(t, s, func(tx *Tx) (OutgoingID, error) { return tx.AddOutgoing(outgoing("3@example.cat", OnHold)) })
		w := startWorkers(t, s)
		w.sent(t, first, 100*time.Millisecond, nil) // later
		w.sent(t, first, 0, broken)                 // an error: in a second
		w.sent(t, first, 0, nil)
		// Had the rolled back or the held one a job, it would have come by now.
		do(t, s, func(tx *Tx) error { return tx.Release(held) })
		w.sent(t, held, 0, nil)
		if !strings.Contains(w.log.String(), "broken") {
			t.Errorf("the error of a job is not in the log:\n%s", w.log)
		}
		if strings.Contains(w.log.String(), "level=INFO") {
			t.Errorf("the engine's own news are in the log:\n%s", w.log)
		}
	})
}

func TestSweep(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		w := startWorkers(t, s)
		for i := range 2 {
			select {
			case <-w.sweeps:
			case <-time.After(20 * time.Second):
				t.Fatalf("sweep %d was not called\n%s", i, w.log)
			}
		}
	})
}

// TestQueueUnderLoad has jobs of two daemons write in transactions while others enqueue: each mail is
// sent once and nothing waits for itself.
func TestQueueUnderLoad(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		const mails = 100
		sent := make(chan OutgoingID, 2*mails)
		daemon := func() *Store {
			s := connect(t, url)
			q, err := s.StartQueue(t.Context(), Jobs{
				Send: func(ctx context.Context, id OutgoingID) (time.Duration, error) {
					if err := s.InTx(ctx, func(tx *Tx) error { _, err := tx.BeginAttempt(id, at(1)); return err }); err != nil {
						return 0, err
					}
					if err := s.InTx(ctx, func(tx *Tx) error { return tx.MarkSent(id, at(2)) }); err != nil {
						return 0, err
					}
					sent <- id
					return 0, nil
				},
				Sweep: func(ctx context.Context) error {
					return s.View(ctx, func(tx *Tx) error { _, err := tx.DueDeadlines(at(0), 10); return err })
				},
				SweepEvery: time.Second,
				Workers:    4,
			}, slog.New(slog.NewTextHandler(t.Output(), nil)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := q.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
			return s
		}
		a, b := daemon(), daemon()
		var wg sync.WaitGroup
		for g, s := range []*Store{a, b} {
			wg.Go(func() {
				for i := range mails / 2 {
					if err := s.InTx(context.Background(), func(tx *Tx) error {
						_, err := tx.AddOutgoing(outgoing(fmt.Sprintf("%d-%d@example.cat", g, i), Queued))
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		seen := map[OutgoingID]bool{}
		for range mails {
			select {
			case id := <-sent:
				if seen[id] {
					t.Errorf("%d was sent twice", id)
				}
				seen[id] = true
			case <-time.After(60 * time.Second):
				t.Fatalf("only %d of %d were sent", len(seen), mails)
			}
		}
	})
}

// TestStopCancels stops a queue whose job does not end by itself; the next queue works it again.
func TestStopCancels(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		id := must(t, s, func(tx *Tx) (OutgoingID, error) { return tx.AddOutgoing(outgoing("1@example.cat", Queued)) })
		running := make(chan struct{})
		q, err := s.StartQueue(t.Context(), Jobs{
			Send: func(ctx context.Context, _ OutgoingID) (time.Duration, error) {
				close(running)
				<-ctx.Done()
				return 0, ctx.Err()
			},
			Sweep: func(context.Context) error { return nil },
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		<-running
		over, cancel := context.WithCancel(context.Background())
		cancel()
		if err := q.Stop(over); err != nil {
			t.Error(err)
		}
		startWorkers(t, s).sent(t, id, 0, nil)
	})
}
