package router

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// citizenMail is a citizen's nth mail.
func citizenMail(n int, subject, words string) string {
	return fmt.Sprintf("From: Laia Puig <laia%d@example.org>\nTo: bustia@example.cat\nSubject: %s\nMessage-ID: <laia-%d@example.org>\n\n%s\n", n, subject, n, words)
}

// A mail that the store cannot give stays, and the mail behind it is processed.
func TestPendingGoesOn(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	box := s.cfg.Mailboxes[0].Name
	for uid := range uint32(3) {
		raw := []byte(citizenMail(int(uid), "Targeta", "He perdut la targeta."))
		s.must(s.router.Receive(s.ctx, []mailbox.Received{{Mailbox: box, Folder: "INBOX", UIDValidity: 1, UID: uid + 1, InternalDate: s.now, Raw: raw}},
			box, "INBOX", mailbox.Position{UIDValidity: 1, LastUID: uid + 1}))
	}
	s.spoil("delete from ledger_raw where ledger_id = 1")
	if err := s.router.ProcessPending(s.ctx); err == nil {
		t.Error("the store's error is not told")
	}
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		pending, err := tx.Pending(10)
		if len(pending) != 1 {
			t.Errorf("still pending: %v, want the first alone", pending)
		}
		return err
	}))
}

// A case that cannot be looked at is put off, and those behind it have their turn.
func TestSweepGoesOn(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	s.receive("bustia@example.cat", citizenMail(1, "Queixa", "És inadmissible: presento una queixa per la targeta sanitària."))
	s.receive("bustia@example.cat", citizenMail(2, "Targeta", "He perdut la targeta sanitària. Com la puc demanar?"))
	for i := range s.cfg.Circuits {
		s.cfg.Circuits[i].Terms["queixa"] = config.Term{N: 1, Unit: "fortnights"}
	}
	late := time.Date(2026, 5, 12, 10, 0, 0, 0, time.UTC)
	if err := s.router.Sweep(s.ctx, late); err == nil || !strings.Contains(err.Error(), "fortnights") {
		t.Errorf("got error %v, want the panic", err)
	}
	s.tell()
	if told := s.told.String(); strings.Count(told, ": breached by clock") != 1 {
		t.Errorf("want one breach, got:\n%s", told)
	}
	if err := s.router.Sweep(s.ctx, late.Add(time.Minute)); err != nil {
		t.Errorf("not put off: %v", err)
	}
}

// The committed time is not counted from a server's clock that runs ahead, nor from none.
func TestReceivedInTheFuture(t *testing.T) {
	now := time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	for _, date := range []time.Time{{}, now.AddDate(1, 0, 0)} {
		if got := ledgerRow(mailbox.Received{InternalDate: date}, now).InternalDate; !got.Equal(now) {
			t.Errorf("internal date %v: got %v, want now", date, got)
		}
	}
}

// spoil changes the database behind the store's back.
func (s *story) spoil(statement string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.file)
	s.must(err)
	defer db.Close()
	_, err = db.ExecContext(s.ctx, statement)
	s.must(err)
}

// A case whose agent, theme or supervisor is no longer configured does not fall silent.
func TestAgentGone(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	s.receive("bustia@example.cat", citizenMail(1, "Targeta", "He perdut la targeta sanitària. Com la puc demanar?"))
	s.tell()
	s.cfg.Agents = slices.DeleteFunc(s.cfg.Agents, func(a config.Agent) bool { return a.ID == "marta" || a.ID == "imma" })
	s.cfg.Themes = slices.DeleteFunc(s.cfg.Themes, func(t config.Theme) bool { return strings.HasPrefix(t.Path, "salut") })
	s.told.Reset()
	s.reply("citizen", config.Acknowledgement, "Encara espero la targeta.")
	s.must(s.router.Sweep(s.ctx, time.Date(2026, 4, 8, 9, 0, 0, 0, time.UTC)))
	s.must(s.router.Sweep(s.ctx, time.Date(2026, 4, 14, 9, 0, 0, 0, time.UTC)))
	s.tell()
	for _, kind := range []string{config.FollowUp, config.Reminder, config.Breach} {
		if !strings.Contains(s.told.String(), kind+" → montse.carbonell@example.cat") {
			t.Errorf("no %s to the mailbox's supervisor:\n%s", kind, s.told.String())
		}
	}
}

// What stands below a command goes to nobody, and the agent is told.
func TestWordsBelowCommand(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	s.receive("bustia@example.cat", citizenMail(1, "Targeta", "He perdut la targeta sanitària. Com la puc demanar?"))
	s.reply("marta", config.Assigned, "#tema salut/targeta-sanitaria\n\nDemaneu-la al vostre CAP.")
	m := mailbox.Parse(s.newest("", config.Receipt).Raw)
	want := strings.Join(strings.Fields(Phrase{"rest_not_sent", nil}.In(s.cfg, "ca")), " ")
	if plain, _ := m.Body(); !strings.Contains(strings.Join(strings.Fields(string(plain.Body)), " "), want) {
		t.Errorf("the receipt does not tell:\n%s", plain.Body)
	}
}

// A notice takes the files of the newest mails as far as a mail server takes it, and names the others.
func TestFilesAreBounded(t *testing.T) {
	file := func(name string, size int) Said {
		part := &mailbox.Part{MediaType: "application/pdf", Disposition: "attachment", Filename: name, Body: make([]byte, size)}
		return Said{Message: &mailbox.Message{Root: part}}
	}
	f := Facts{Config: sample(t)}
	f.Mailbox = &f.Config.Mailboxes[0]
	l := f.showing([]Said{file("a.pdf", maxEnclosed/2), file("b.pdf", maxEnclosed/2), file("c.pdf", maxEnclosed/2)}, Letter{})
	if len(l.Attachments) != 2 || l.Attachments[0].Filename != "c.pdf" || !strings.Contains(l.Words, "a.pdf (10 MB)") {
		t.Errorf("got %d files, words %q", len(l.Attachments), l.Words)
	}
	for _, c := range []struct{ sizes, want []int }{
		{nil, nil},
		{[]int{1, 2, 3}, []int{1, 2, 3}},
		{[]int{1, maxSaidBytes + 1}, []int{maxSaidBytes + 1}},
		{[]int{maxSaidBytes, 1, 2}, []int{1, 2}},
		{make([]int, 30), make([]int, maxSaid)},
	} {
		rows := make([]store.Received, len(c.sizes))
		for i, size := range c.sizes {
			rows[i].Size = size
		}
		if got := c.sizes[newest(rows):]; !slices.Equal(got, c.want) {
			t.Errorf("%v: read again %v, want %v", c.sizes, got, c.want)
		}
	}
}

// A supervisor who stands in for one that is gone is told of the agent's bounce, and nobody of theirs.
func TestSupervisorBounces(t *testing.T) {
	s := newStory(t)
	s.now = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	s.receive("bustia@example.cat", citizenMail(1, "Targeta", "He perdut la targeta sanitària. Com la puc demanar?"))
	s.cfg.Agents = slices.DeleteFunc(s.cfg.Agents, func(a config.Agent) bool { return a.ID == "imma" })
	s.bounce(s.newest("", config.Assigned))
	s.bounce(s.newest("montse", config.Undelivered))
	s.tell()
	if n := strings.Count(s.told.String(), config.Undelivered+" →"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, s.told.String())
	}
}

// Whatever a citizen wrote, somebody reads it: also what looks like a quote, and what is too long.
func TestWordsAreShown(t *testing.T) {
	f := Facts{Config: sample(t)}
	f.Mailbox = &f.Config.Mailboxes[0]
	said := func(raw string) []Said {
		m := mailbox.Parse([]byte(raw))
		return []Said{{Message: m, Words: mailbox.Text(m)}}
	}
	for _, raw := range []string{"Subject: Re: cas\n\n> Encara espero la targeta.\n", "Subject: Re: cas\nContent-Type: text/html\n\n<blockquote type=cite>Encara espero la targeta.</blockquote>\n"} {
		if l := f.showing(said(raw), Letter{}); !strings.Contains(l.Words, "Encara espero") {
			t.Errorf("%q: shows %q", raw, l.Words)
		}
	}
	long := strings.Repeat("Encara espero la targeta.\n", maxNotice/20)
	l := f.showing(said("Subject: cas\n\n"+long), Letter{})
	if len(l.Words) > maxNotice+20 || len(l.Attachments) != 1 || len(l.Attachments[0].Body) < len(long)-10 {
		t.Errorf("long words: shows %d bytes and %d files", len(l.Words), len(l.Attachments))
	}
}
