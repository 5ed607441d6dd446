package store

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// received is a mail as it is taken in: uid n of a mailbox's INBOX.
func received(mailbox string, n uint32) Received {
	return Received{Mailbox: mailbox, Folder: "INBOX", UIDValidity: 4294967295, UID: n, InternalDate: at(int(n)), FetchedAt: at(100), Raw: []byte("Subject: x\r\n\r\n")}
}

func takeIn(t *testing.T, s *Store, r Received) LedgerID {
	t.Helper()
	return must(t, s, func(tx *Tx) (LedgerID, error) { return tx.AddReceived(r) })
}

func TestReceived(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		want := received("main", 1)
		want.MessageID, want.Digest, want.From, want.Subject = "a@example.org", "d", "citizen@example.org", "Horari"
		want.ID = takeIn(t, s, want)
		want.Size = len(want.Raw)
		wantSame(t, must(t, s, func(tx *Tx) (Received, error) { return tx.Received(want.ID) }), want)
		do(t, s, func(tx *Tx) error {
			_, err := tx.AddReceived(want)
			wantError(t, err, ErrExists)
			_, err = tx.Received(want.ID + 1)
			wantError(t, err, ErrNotFound)
			// The transaction goes on: what comes after is kept.
			empty := received("main", 2)
			empty.Raw = nil
			_, err = tx.AddReceived(empty)
			return err
		})
		rows := must(t, s, func(tx *Tx) ([]Received, error) { return tx.LedgerRows(LedgerFilter{}) })
		wantSame(t, len(rows), 2)
		if rows[0].Raw != nil || rows[0].UID != 2 {
			t.Errorf("got %+v, want UID 2 without bytes first", rows[0])
		}
		oneWins(t, race(s, 8, func(tx *Tx, i int) error { _, err := tx.AddReceived(received("main", 3)); return err }), ErrExists)
	})
}

func TestReceivedLarge(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		r := received("main", 1)
		r.Raw = bytes.Repeat([]byte("0123456789abcde\n"), 25<<20/16)
		id := takeIn(t, s, r)
		got := must(t, s, func(tx *Tx) (Received, error) { return tx.Received(id) })
		if !bytes.Equal(got.Raw, r.Raw) {
			t.Error("bytes have changed")
		}
	})
}

func TestPosition(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		check := func(folder string, want Position) {
			t.Helper()
			wantSame(t, must(t, s, func(tx *Tx) (Position, error) { return tx.Position("main", folder) }), want)
		}
		check("INBOX", Position{})
		do(t, s, func(tx *Tx) error {
			return tx.SetPosition("main", "INBOX", Position{UIDValidity: 4294967295, LastUID: 7}, at(0))
		})
		check("INBOX", Position{UIDValidity: 4294967295, LastUID: 7})
		do(t, s, func(tx *Tx) error {
			return tx.SetPosition("main", "INBOX", Position{UIDValidity: 2, LastUID: 4294967295, Backlog: 4294967295}, at(1))
		})
		check("INBOX", Position{UIDValidity: 2, LastUID: 4294967295, Backlog: 4294967295})
		check("Junk", Position{})
	})
}

func TestDispose(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		c := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		var ids []LedgerID
		for n := range uint32(4) {
			ids = append(ids, takeIn(t, s, received("main", n+1)))
		}
		pending := func(limit int) []LedgerID {
			t.Helper()
			return must(t, s, func(tx *Tx) ([]LedgerID, error) { return tx.Pending(limit) })
		}
		wantSame(t, pending(10), ids)
		wantSame(t, pending(2), ids[:2])
		dispose := func(id LedgerID, d Disposition, c CaseID) error {
			return s.InTx(t.Context(), func(tx *Tx) error { return tx.Dispose(id, d, "why", c, at(200)) })
		}
		wantError(t, dispose(ids[0], OpenedCase, c), nil)
		wantError(t, dispose(ids[0], OpenedCase, c), ErrConflict)
		wantError(t, dispose(ids[0], Quarantine, 0), ErrConflict)
		wantError(t, dispose(ids[3]+1, Ignored, 0), ErrNotFound)
		wantError(t, dispose(ids[1], Quarantine, 0), nil)
		wantSame(t, pending(10), ids[2:])
		wantError(t, dispose(ids[1], FollowUp, c), nil)
		wantError(t, dispose(ids[1], Quarantine, 0), ErrConflict)
		oneWins(t, race(s, 8, func(tx *Tx, i int) error { return tx.Dispose(ids[2], Automatic, "", 0, at(201)) }), ErrConflict)
		wantSame(t, pending(10), ids[3:])
		got := must(t, s, func(tx *Tx) (Received, error) { return tx.Received(ids[1]) })
		want := received("main", 2)
		want.ID, want.Size, want.Disposition, want.Reason, want.CaseID, want.ProcessedAt = ids[1], len(want.Raw), FollowUp, "why", c, at(200)
		wantSame(t, got, want)
		mails := must(t, s, func(tx *Tx) ([]Received, error) { return tx.CaseMails(c) })
		wantSame(t, []LedgerID{mails[0].ID, mails[1].ID}, ids[:2])
	})
}

// TestProcessOnce has many transactions process one pending mail the way a daemon does.
func TestProcessOnce(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		id := takeIn(t, s, received("main", 1))
		for _, err := range race(s, 8, func(tx *Tx, i int) error {
			r, err := tx.Received(id)
			if err != nil || r.Disposition != "" {
				return err
			}
			c, err := tx.InsertCase(someCase("B-1"))
			if err != nil {
				return err
			}
			return tx.Dispose(id, OpenedCase, "", c, at(1))
		}) {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// TestSameMail has copies of one mail processed at once: one opens a case, the others find it.
func TestSameMail(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		const copies = 8
		var ids []LedgerID
		for n := range uint32(copies) {
			r := received("main", n+1)
			r.Digest = "same"
			ids = append(ids, takeIn(t, s, r))
		}
		do(t, s, func(tx *Tx) error {
			_, err := tx.SameMail("same", ids[0])
			wantError(t, err, ErrNotFound) // none is processed
			return nil
		})
		for _, err := range race(s, copies, func(tx *Tx, i int) error {
			first, err := tx.SameMail("same", ids[i])
			if err == nil {
				return tx.Dispose(ids[i], Duplicate, first.MessageID, first.CaseID, at(1))
			}
			if !errors.Is(err, ErrNotFound) {
				return err
			}
			c, err := tx.InsertCase(someCase("B-" + string(rune('1'+i))))
			if err != nil {
				return err
			}
			return tx.Dispose(ids[i], OpenedCase, "", c, at(1))
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		rows := must(t, s, func(tx *Tx) ([]Received, error) { return tx.LedgerRows(LedgerFilter{Disposition: Duplicate}) })
		wantSame(t, len(rows), copies-1)
	})
}

// TestSameMailArchived: what a mailbox found when it was opened first is known there, and nowhere else.
func TestSameMailArchived(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		var ids []LedgerID
		for n, mailbox := range []string{"old", "old", "other", "other"} {
			r := received(mailbox, uint32(n+1))
			r.Digest = "same"
			ids = append(ids, takeIn(t, s, r))
		}
		check := func(id LedgerID, want LedgerID) {
			t.Helper()
			err := s.View(t.Context(), func(tx *Tx) error {
				same, err := tx.SameMail("same", id)
				if want == 0 {
					wantError(t, err, ErrNotFound)
					return nil
				}
				wantSame(t, same.ID, want)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		do(t, s, func(tx *Tx) error { return tx.Dispose(ids[0], Ignored, Archived, 0, at(1)) })
		check(ids[1], ids[0])
		check(ids[2], 0)
		do(t, s, func(tx *Tx) error { return tx.Dispose(ids[2], Ignored, "rule newsletters", 0, at(1)) })
		check(ids[1], ids[0])
		check(ids[3], ids[2])
	})
}

// TestMarks has mails marked on the server in several goes.
func TestMarks(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		const validity = 4294967295
		for n := range uint32(1200) {
			r := received("main", n+1)
			r.MarkDue, r.Truncated, r.Size = n != 2, n == 2, 40<<20
			id := takeIn(t, s, r)
			if n == 2 {
				r.ID = id
				wantSame(t, must(t, s, func(tx *Tx) (Received, error) { return tx.Received(id) }), r)
			}
		}
		elsewhere := received("main", 1)
		elsewhere.Folder, elsewhere.MarkDue = "Junk", true
		takeIn(t, s, elsewhere)
		due := func(folder string, validity uint32, limit int) []uint32 {
			t.Helper()
			return must(t, s, func(tx *Tx) ([]uint32, error) { return tx.MarksDue("main", folder, validity, limit) })
		}
		wantSame(t, due("INBOX", validity, 4), []uint32{1, 2, 4, 5})
		wantSame(t, due("INBOX", 1, 4), []uint32(nil))
		wantSame(t, due("Junk", validity, 4), []uint32{1})
		marked := due("INBOX", validity, 1150)
		do(t, s, func(tx *Tx) error { return tx.Marked("main", "INBOX", validity, marked) })
		do(t, s, func(tx *Tx) error { return tx.Marked("main", "INBOX", validity, marked[:3]) })
		do(t, s, func(tx *Tx) error { return tx.Marked("main", "INBOX", validity, nil) })
		wantSame(t, due("INBOX", validity, 1)[0], marked[len(marked)-1]+1)
		wantSame(t, len(due("INBOX", validity, 1000)), 1199-1150)
		wantSame(t, len(due("Junk", validity, 1000)), 1)
	})
}

func TestCasesOfMessages(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		do(t, s, func(tx *Tx) error {
			var cases []CaseID
			for n, reference := range []string{"B-1", "B-2", "B-3"} {
				c, err := tx.InsertCase(someCase(reference))
				if err != nil {
					return err
				}
				cases = append(cases, c)
				r := received("main", uint32(n+1))
				r.MessageID = reference + "@example.org"
				id, err := tx.AddReceived(r)
				if err != nil {
					return err
				}
				if n == 2 {
					c = 0 // disposed, but of no case
				}
				if err := tx.Dispose(id, FollowUp, "", c, at(1)); err != nil {
					return err
				}
			}
			if _, err := tx.AddOutgoing(Outgoing{MessageID: "ours@example.cat", CaseID: cases[2], State: Sent}); err != nil {
				return err
			}
			check := func(ids []string, want ...CaseID) {
				t.Helper()
				before := slices.Clone(ids)
				got, err := tx.CasesOfMessages(ids)
				if err != nil {
					t.Fatal(err)
				}
				wantSame(t, got, want)
				wantSame(t, ids, before)
			}
			check(nil)
			check([]string{"none@example.org", "B-3@example.org"})
			check([]string{"B-2@example.org", "B-1@example.org"}, cases[1], cases[0])
			check([]string{"B-1@example.org", "ours@example.cat", "B-1@example.org"}, cases[0], cases[2])
			check(append(slices.Repeat([]string{"none"}, 1200), "B-2@example.org", string(bytes.Repeat([]byte("x"), 2000))), cases[1])
			return nil
		})
	})
}

func TestLedgerSummary(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		do(t, s, func(tx *Tx) error {
			for n := range uint32(4) {
				id, err := tx.AddReceived(received("main", n+1))
				if err != nil {
					return err
				}
				if d := []Disposition{"", Ignored, Ignored, Bounced}[n]; d != "" {
					if err := tx.Dispose(id, d, "", 0, at(1)); err != nil {
						return err
					}
				}
			}
			_, err := tx.AddReceived(received("other", 1))
			return errors.Join(err,
				tx.SetPosition("main", "INBOX", Position{UIDValidity: 1, LastUID: 4}, at(1)),
				tx.SetPosition("main", "Junk", Position{UIDValidity: 1, LastUID: 0}, at(1)))
		})
		got := must(t, s, func(tx *Tx) ([]MailboxSummary, error) { return tx.LedgerSummary() })
		wantSame(t, got, []MailboxSummary{
			{Mailbox: "main", Folder: "INBOX", Position: Position{UIDValidity: 1, LastUID: 4}, Seen: 4, Pending: 1, ByDisposition: map[Disposition]int{Ignored: 2, Bounced: 1}},
			{Mailbox: "main", Folder: "Junk", Position: Position{UIDValidity: 1, LastUID: 0}, ByDisposition: map[Disposition]int{}},
			{Mailbox: "other", Folder: "INBOX", Seen: 1, Pending: 1, ByDisposition: map[Disposition]int{}},
		})
		check := func(f LedgerFilter, want int) {
			t.Helper()
			rows := must(t, s, func(tx *Tx) ([]Received, error) { return tx.LedgerRows(f) })
			wantSame(t, len(rows), want)
		}
		check(LedgerFilter{}, 5)
		check(LedgerFilter{Limit: 3}, 3)
		check(LedgerFilter{Mailbox: "main"}, 4)
		check(LedgerFilter{Disposition: Ignored}, 2)
		check(LedgerFilter{Pending: true}, 2)
		check(LedgerFilter{Mailbox: "other", Pending: true}, 1)
	})
}

func TestInitSetting(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		got := make([][]byte, 8)
		for _, err := range race(s, len(got), func(tx *Tx, i int) (err error) {
			got[i], err = tx.InitSetting("key", []byte{byte(i), 0, 255})
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		for _, v := range got {
			wantSame(t, v, got[0])
		}
	})
}
