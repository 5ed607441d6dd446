package router

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// mixture is mails that depend on each other in every way: copies, follow-ups to mails of the same
// batch, one sender over and over, one that no theme fits, one that is spoilt.
func mixture() []string {
	var mails []string
	for n := range 40 {
		raw := citizenMail(n, "Targeta", fmt.Sprintf("He perdut la targeta sanitària. Com la puc demanar? (%d)", n))
		switch n % 8 {
		case 3: // the mail before it, once more
			raw = "Received: from elsewhere\n" + mails[n-1]
		case 4: // the writer of an earlier one adds to it
			raw = strings.Replace(citizenMail(n-3, "Re: Targeta", "Encara espero la targeta sanitària."), "Message-ID: <laia", fmt.Sprintf("In-Reply-To: <laia-%d@example.org>\nMessage-ID: <more", n-3), 1)
		case 5:
			raw = strings.Replace(raw, fmt.Sprintf("laia%d@", n), "always.the.same@", 1)
		case 6:
			raw = citizenMail(n, "Allò", "Bon dia, encara espero el que em vau dir.")
		case 7: // somebody else names an earlier one
			raw = strings.Replace(raw, "Message-ID", fmt.Sprintf("In-Reply-To: <laia-%d@example.org>\nMessage-ID", n-7), 1)
		}
		mails = append(mails, raw)
	}
	return mails
}

// outcome plays mails in, so many at a time, and tells what came of them without what is made up.
func outcome(t *testing.T, mails []string, atATime int) []string {
	t.Helper()
	s := newStory(t)
	s.router.policy.writer.newID = newID
	s.now = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	box := s.cfg.Mailboxes[0].Name
	for chunk := range slices.Chunk(mails, atATime) {
		var batch []mailbox.Received
		for _, raw := range chunk {
			s.uid++
			batch = append(batch, mailbox.Received{Mailbox: box, Folder: "INBOX", UIDValidity: 1, UID: s.uid, InternalDate: s.now, Raw: []byte(raw)})
		}
		s.must(s.router.Receive(s.ctx, batch, box, "INBOX", mailbox.Position{UIDValidity: 1, LastUID: s.uid}))
		s.must(s.router.ProcessPending(s.ctx))
	}
	var told []string
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		rows, err := tx.LedgerRows(store.LedgerFilter{})
		if err != nil {
			return err
		}
		for _, r := range rows {
			told = append(told, fmt.Sprintf("mail %d: %s %s case %d", r.UID, r.Disposition, r.Reason, r.CaseID))
		}
		cases, err := tx.Cases(store.CaseFilter{})
		if err != nil {
			return err
		}
		for _, c := range cases {
			told = append(told, fmt.Sprintf("case %d %s %s %s agent=%s linked=%d", c.ID, c.Reference, c.State, c.Theme, c.Agent, c.Linked))
			out, err := tx.CaseOutgoing(c.ID)
			if err != nil {
				return err
			}
			for _, o := range out {
				told = append(told, fmt.Sprintf("  %s to %s%s: %s", o.Kind, o.Agent, o.Recipient, o.Subject))
			}
		}
		return nil
	}))
	return told
}

// Mails that are processed together fare as if each had come alone.
func TestTogetherAsOneByOne(t *testing.T) {
	alone := outcome(t, mixture(), 1)
	for _, n := range []int{7, 40} {
		if diff := cmp.Diff(alone, outcome(t, mixture(), n)); diff != "" {
			t.Errorf("%d at a time (-alone +together):\n%s", n, diff)
		}
	}
}
