package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// TestReceivePast takes in what a folder held before us: it is accounted for at once, nobody is written
// to, nothing is to be marked, and what is not kept is the same as nothing else.
func TestReceivePast(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, time.April, 2, 9, 0, 0, 0, time.UTC)
	box, _ := s.cfg.Mailbox("corporate")
	box.After.Do = config.Flag
	raw := func(subject string) []byte {
		return []byte("From: laia@example.org\r\nTo: bustia@example.cat\r\nSubject: " + subject + "\r\n\r\nOn puc demanar la targeta sanitària?\r\n")
	}
	mail := func(uid uint32, past mailbox.Past, raw []byte) mailbox.Received {
		return mailbox.Received{Mailbox: "corporate", Folder: "INBOX", UIDValidity: 1, UID: uid, InternalDate: s.now, Size: 1000, Raw: raw, Past: past}
	}
	large := mail(6, "", raw("Gran"))
	large.Truncated, large.Size = true, 40<<20
	batch := []mailbox.Received{
		mail(1, mailbox.BeforeSince, nil), mail(2, mailbox.BeforeSince, nil), mail(3, mailbox.Archived, raw("Arxiu")),
		mail(4, "", raw("Arxiu")), mail(5, "", raw("Targeta")), large,
	}
	to := mailbox.Position{UIDValidity: 1, LastUID: 6, Backlog: 3}
	for range 2 { // the second time as after a crash
		s.must(s.router.Receive(s.ctx, batch, "corporate", "INBOX", to))
		s.must(s.router.ProcessPending(s.ctx))
	}

	type became struct {
		UID         uint32
		Disposition store.Disposition
		Reason      string
		Size, Bytes int
	}
	var got []became
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		for id := range store.LedgerID(6) {
			r, err := tx.Received(id + 1)
			if err != nil {
				return err
			}
			got = append(got, became{r.UID, r.Disposition, r.Reason, r.Size, len(r.Raw)})
		}
		return nil
	}))
	want := []became{
		{1, store.Ignored, "before since", 1000, 0}, {2, store.Ignored, "before since", 1000, 0}, {3, store.Ignored, store.Archived, len(raw("Arxiu")), len(raw("Arxiu"))},
		{4, store.Duplicate, "same mail as ledger 3", len(raw("Arxiu")), len(raw("Arxiu"))}, {5, store.OpenedCase, "new case", len(raw("Targeta")), len(raw("Targeta"))},
		{6, store.OpenedCase, "new case", 40 << 20, len(raw("Gran"))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	at, err := s.router.Position(s.ctx, "corporate", "INBOX")
	s.must(err)
	if at != to {
		t.Errorf("got the position %v, want %v", at, to)
	}
	due := func() []uint32 {
		t.Helper()
		uids, err := s.router.Marks(s.ctx, "corporate", "INBOX", 1, 10)
		s.must(err)
		return uids
	}
	if diff := cmp.Diff([]uint32{4, 5}, due()); diff != "" {
		t.Errorf("to be marked (-want +got):\n%s", diff)
	}
	s.must(s.router.Marked(s.ctx, "corporate", "INBOX", 1, due()))
	if uids := due(); uids != nil {
		t.Errorf("still to be marked: %v", uids)
	}
}

// TestArchiveOfAnotherMailbox: what one mailbox only keeps is a case in the other that it was sent to.
func TestArchiveOfAnotherMailbox(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, time.April, 2, 9, 0, 0, 0, time.UTC)
	raw := []byte("From: laia@example.org\r\nTo: bustia@example.cat, bustia.salut@example.cat\r\nMessage-ID: <1@example.org>\r\nSubject: Targeta\r\n\r\nOn puc demanar la targeta sanitària?\r\n")
	for i, box := range []string{"corporate", "salut"} {
		m := mailbox.Received{Mailbox: box, Folder: "INBOX", UIDValidity: 1, UID: 1, InternalDate: s.now, Raw: raw}
		if i == 0 {
			m.Past = mailbox.Archived
		}
		s.must(s.router.Receive(s.ctx, []mailbox.Received{m}, box, "INBOX", mailbox.Position{UIDValidity: 1, LastUID: 1, Backlog: 1}))
	}
	s.must(s.router.ProcessPending(s.ctx))
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		r, err := tx.Received(2)
		if r.Disposition != store.OpenedCase {
			t.Errorf("got %s (%s)", r.Disposition, r.Reason)
		}
		return err
	}))
}
