package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkProcess is one mail on its way through the store: taken in, made a case, its acknowledgement queued.
func BenchmarkProcess(b *testing.B) {
	for name, url := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(b.TempDir(), "store.db"),
		"postgres": os.Getenv("BUSTIA_TEST_POSTGRES"),
	} {
		b.Run(name, func(b *testing.B) {
			if url == "" {
				b.Skip("BUSTIA_TEST_POSTGRES is not set")
			}
			if name == "postgres" {
				url = freshPostgres(b, url)
			}
			process(b, connect(b, url))
		})
	}
}

func process(b *testing.B, s *Store) {
	n := 0
	for b.Loop() {
		n++
		reference := fmt.Sprintf("B-%d", n)
		var id LedgerID
		if err := s.InTx(context.Background(), func(tx *Tx) (err error) {
			r := received("main", uint32(n))
			r.MessageID, r.Digest, r.Raw = reference, reference, []byte(strings.Repeat("text\r\n", 1000))
			if id, err = tx.AddReceived(r); err != nil {
				return err
			}
			return tx.SetPosition("main", "INBOX", Position{UIDValidity: 1, LastUID: uint32(n)}, at(n))
		}); err != nil {
			b.Fatal(err)
		}
		if err := s.InTx(context.Background(), func(tx *Tx) error {
			if _, err := tx.Received(id); err != nil {
				return err
			}
			if _, err := tx.SameMail(reference, id); !errors.Is(err, ErrNotFound) {
				return err
			}
			number, err := tx.NextNumbers(2026, 1)
			if err != nil {
				return err
			}
			c, err := tx.InsertCase(someCase(reference))
			if err != nil {
				return err
			}
			_, err1 := tx.AddAssignment(Assignment{CaseID: c, Agent: "anna", Role: Treat, CreatedAt: at(number)})
			err2 := tx.AddDeadline(Deadline{CaseID: c, Kind: FirstAnswer, State: DeadlineOpen, Next: at(n)})
			_, err3 := tx.AddOutgoing(outgoing("a"+reference, Queued))
			_, err4 := tx.AddOutgoing(outgoing("b"+reference, Queued))
			return errors.Join(err1, err2, err3, err4,
				tx.AddEvent(Event{CaseID: c, Kind: "opened"}),
				tx.AddEvent(Event{CaseID: c, Kind: "assigned"}),
				tx.Dispose(id, OpenedCase, "", c, at(n)))
		}); err != nil {
			b.Fatal(err)
		}
	}
}
