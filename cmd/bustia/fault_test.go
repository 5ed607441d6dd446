//go:build integration

package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
	"github.com/bustia/bustia/store"
)

// TestFaults breaks what the daemon stands on, one thing at a time, while mail flows: the lines to its
// servers, the servers' answers, the database, the disk.
func TestFaults(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"the mailbox's line is cut within a mail":         imapCut,
		"the mailbox's line goes silent and comes back":   imapSilent,
		"the mailbox's connection is forgotten":           imapForgotten,
		"every line is slow":                              slowLines,
		"the submission server puts off":                  smtpPutsOff,
		"the submission server refuses an agent":          smtpRefusesAgent,
		"the submission server hangs up after the mail":   smtpHangsUp,
		"the submission server cannot be reached at all":  smtpGone,
		"PostgreSQL crashes and comes back":               postgresCrashes,
		"the line to PostgreSQL goes silent and is reset": postgresSilent,
		"the line to PostgreSQL is cut while we start":    postgresCutAtStart,
		"the disk is full for a while":                    diskFull,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// faulty is a daemon with a line that may fail to each of its servers.
type faulty struct {
	site
	*answers
	server     *mailtest.Server
	imap, smtp *proxy // of the first mailbox; the second has lines of its own
	boxes      []config.Mailbox
	log        *logged
	stop       func() int
	db         *sql.DB
	sent       int // mails delivered by write
}

// startFaulty starts a daemon on a store ("" = SQLite beside the configuration).
func startFaulty(t *testing.T, url string) *faulty {
	t.Helper()
	cfg := sampleConfig(t)
	f := &faulty{answers: &answers{}, boxes: cfg.Mailboxes[:2]}
	users := map[string]string{}
	for _, m := range cfg.Mailboxes {
		users[m.Address] = demoPassword
	}
	for _, a := range cfg.Agents {
		users[a.Address] = demoPassword
	}
	var err error
	if f.server, err = mailtest.Start(mailtest.Options{Users: users, Refuse: f.recipient, Data: f.data}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.server.Close() })
	f.imap, f.smtp = startProxy(t, f.server.IMAPAddr()), startProxy(t, f.server.SMTPAddr())
	direct := &f.boxes[1]
	direct.IMAP, direct.SMTP = plainly(*direct, at(t, f.server.IMAPAddr())), plainly(*direct, at(t, f.server.SMTPAddr()))
	broken := &f.boxes[0]
	broken.IMAP, broken.SMTP = plainly(*broken, at(t, f.imap.listener.Addr().String())), plainly(*broken, at(t, f.smtp.listener.Addr().String()))
	broken.Poll = "* * * * *"
	f.site = newSite(t, url, f.boxes)
	f.log, f.stop = startDaemon(t, f.dir)
	f.log.wait(t, "msg=started ", 1)
	f.db = f.open(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log:\n%s", tail(f.log.String(), 40))
		}
	})
	return f
}

// answers is what the submission server says, as the test has it at the moment, and whom it was asked about.
type answers struct {
	mu    sync.Mutex
	rcpt  func(recipient string) error
	body  func(recipient string) error
	asked []string // recipients, in the order of the attempts
}

func (a *answers) set(rcpt, body func(string) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rcpt, a.body = rcpt, body
}

func (a *answers) recipient(recipient string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, recipient)
	if a.rcpt == nil {
		return nil
	}
	return a.rcpt(recipient)
}

func (a *answers) data(recipient string, _ []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.body == nil {
		return nil
	}
	return a.body(recipient)
}

// attempts lists whom the server was asked about, agents aside.
func (a *answers) attempts() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.asked), func(r string) bool { return !strings.HasSuffix(r, "@example.net") })
}

// write delivers a question of a citizen's to a mailbox, with so many bytes more.
func (f *faulty) write(t *testing.T, citizen string, box config.Mailbox, more int) {
	t.Helper()
	f.sent++
	raw := fmt.Appendf(nil, "From: <%s@example.net>\r\nTo: %s\r\nSubject: Consulta\r\nMessage-ID: <%s-%d@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n%s",
		citizen, box.Address, citizen, f.sent, questions[0], strings.Repeat("0123456789012345678901234567890123456789012345678901234567890123456789\r\n", more/72))
	if err := f.server.Deliver(box.Address, raw, demoStart); err != nil {
		t.Fatal(err)
	}
}

// done waits until all that was written is a case and all our mail is out, and holds that none of it
// was sent more often than it was tried.
func (f *faulty) done(t *testing.T) {
	t.Helper()
	until(t, time.Minute, "every mail is a case and all our mail is out", func() bool {
		return count(t, f.db, "select count(*) from ledger where disposition = 'case'") == f.sent &&
			count(t, f.db, "select count(*) from outgoing where state not in ('sent', 'refused')") == 0
	})
	if got := count(t, f.db, "select count(*) from ledger"); got != f.sent {
		t.Errorf("%d mails were taken in, want %d", got, f.sent)
	}
	if got := count(t, f.db, "select count(*) from cases"); got != f.sent {
		t.Errorf("%d cases, want %d", got, f.sent)
	}
	arrived := f.arrived()
	for _, row := range pairs(t, f.db, "select message_id, attempts from outgoing where state = 'sent'") {
		attempts, err := strconv.Atoi(row[1])
		if n := len(arrived[row[0]]); err != nil || n == 0 || n > attempts {
			t.Errorf("%s arrived %d times in %s attempts", row[0], n, row[1])
		}
	}
}

// arrived is what the submission server took, by Message-ID.
func (f *faulty) arrived() map[string][]mailtest.Accepted {
	all := map[string][]mailtest.Accepted{}
	for _, a := range f.server.Accepted() {
		id := string(mailbox.Parse(a.Raw).MessageID)
		all[id] = append(all[id], a)
	}
	return all
}

// once holds that nothing arrived twice.
func (f *faulty) once(t *testing.T) {
	t.Helper()
	for id, copies := range f.arrived() {
		if len(copies) != 1 {
			t.Errorf("%s arrived %d times", id, len(copies))
		}
	}
}

// hurry lets the time go by that is between two attempts.
func (f *faulty) hurry(t *testing.T) {
	t.Helper()
	if _, err := f.db.ExecContext(t.Context(), "update river_job set scheduled_at = '2020-01-01 00:00:00' where state in ('scheduled', 'retryable')"); err != nil {
		t.Fatal(err)
	}
}

// attempted waits until the mail to a citizen was tried n times, with no waiting in between.
func (f *faulty) attempted(t *testing.T, citizen string, n int, state store.OutgoingState) {
	t.Helper()
	until(t, time.Minute, fmt.Sprintf("%d attempts for %s, then %s", n, citizen, state), func() bool {
		f.hurry(t)
		return count(t, f.db, fmt.Sprintf("select count(*) from outgoing where recipient = '%s@example.net' and attempts = %d and state = '%s'", citizen, n, state)) == 1
	})
}

func imapCut(t *testing.T) {
	f := startFaulty(t, "")
	for i, after := range []int{1, 700, 30_000, 150_000} {
		f.imap.set(faults{cut: after})
		f.write(t, fmt.Sprintf("small%d", i), f.boxes[0], 0)
		f.write(t, fmt.Sprintf("large%d", i), f.boxes[0], 200_000)
		f.write(t, fmt.Sprintf("after%d", i), f.boxes[0], 0)
		f.log.wait(t, "reading the mailbox was interrupted", i+1)
		f.log.wait(t, "reading the mailbox goes on", i+1)
	}
	f.done(t)
	f.once(t)
}

func imapSilent(t *testing.T) {
	f := startFaulty(t, "")
	f.write(t, "before", f.boxes[0], 0)
	f.done(t)
	f.imap.set(faults{hole: true})
	for i := range 3 {
		f.write(t, fmt.Sprintf("silent%d", i), f.boxes[0], 5000)
	}
	until(t, time.Minute, "the hole holds something", func() bool { return f.imap.waiting() > 0 })
	f.write(t, "other", f.boxes[1], 0) // the other mailbox goes on
	until(t, time.Minute, "the other mailbox's mail is a case", func() bool {
		return count(t, f.db, "select count(*) from cases where citizen_address = 'other@example.net'") == 1
	})
	if got := count(t, f.db, "select count(*) from ledger"); got != 2 {
		t.Errorf("%d mails were taken in through a hole, want 2", got)
	}
	f.imap.set(faults{})
	f.done(t)
	f.imap.set(faults{hole: true})
	f.write(t, "lost", f.boxes[0], 0)
	f.imap.reset() // now it is lost, with what was on its way
	f.imap.set(faults{})
	f.done(t)
	f.once(t)
}

// imapForgotten is a connection on which nothing comes any more and that nobody closes. Only the
// schedule, and then the daemon's patience, show it.
func imapForgotten(t *testing.T) {
	if !soaking() {
		t.Skip("takes minutes: make soak runs it")
	}
	f := startFaulty(t, "")
	f.imap.strand()
	f.write(t, "forgotten", f.boxes[0], 0)
	began := time.Now()
	until(t, 5*time.Minute, "the daemon notices", func() bool { return count(t, f.db, "select count(*) from ledger") == 1 })
	t.Logf("noticed after %s", time.Since(began).Round(time.Second))
	f.done(t)
}

func slowLines(t *testing.T) {
	f := startFaulty(t, "")
	f.imap.set(faults{latency: 30 * time.Millisecond, drip: 100 * time.Microsecond})
	f.smtp.set(faults{latency: 100 * time.Millisecond, drip: time.Millisecond})
	f.write(t, "slow", f.boxes[0], 1000)
	f.done(t)
	f.once(t)
}

func smtpPutsOff(t *testing.T) {
	f := startFaulty(t, "")
	f.set(func(recipient string) error {
		if recipient == "later@example.net" {
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "try again later"}
		}
		return nil
	}, nil)
	f.write(t, "later", f.boxes[0], 0)
	f.attempted(t, "later", 1, store.Queued)
	f.write(t, "now", f.boxes[0], 0)
	f.attempted(t, "now", 1, store.Sent) // one does not wait for the other
	f.attempted(t, "later", 2, store.Queued)
	if said := pairs(t, f.db, "select recipient, last_error from outgoing where state = 'queued'"); len(said) != 1 || !strings.Contains(said[0][1], "450 4.2.1 try again later") {
		t.Errorf("what waits, and why: %q", said)
	}
	f.set(nil, nil)
	f.attempted(t, "later", 3, store.Sent)
	f.done(t)
	f.once(t)
	if got := f.attempts(); !slices.Equal(got, []string{"later@example.net", "now@example.net", "later@example.net", "later@example.net"}) {
		t.Errorf("attempts in the order %q", got)
	}
}

func smtpRefusesAgent(t *testing.T) {
	f := startFaulty(t, "")
	unknown := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	gone := ""
	f.set(func(recipient string) error {
		if gone == "" && strings.HasSuffix(recipient, "@example.cat") {
			gone = recipient
		}
		if recipient == gone || recipient == "moved@example.net" {
			return unknown
		}
		return nil
	}, nil)
	f.write(t, "citizen", f.boxes[0], 0)
	f.done(t)
	told := func(why string) [][2]string {
		var found [][2]string
		until(t, time.Minute, why, func() bool {
			found = pairs(t, f.db, "select recipient, raw from outgoing join outgoing_raw on outgoing_id = id where kind = 'undelivered' and state = 'sent' order by id")
			return len(found) > 0
		})
		return found
	}
	supervisor := told("the supervisor is told that the agent's notice was refused")
	if supervisor[0][0] == gone {
		t.Errorf("told %s of its own refusal", gone)
	}
	if _, ok := f.arrived()[onlyText(t, f.db, "select message_id, state from outgoing where recipient = 'citizen@example.net'")]; !ok {
		t.Error("the citizen got no acknowledgement")
	}
	f.write(t, "moved", f.boxes[0], 0)
	f.done(t)
	until(t, time.Minute, "the agent is told that the citizen cannot be reached", func() bool {
		return count(t, f.db, "select count(*) from outgoing where kind = 'undelivered' and state in ('sent', 'refused')") == 2
	})
	f.once(t)
}

// onlyText is the first column of the only row.
func onlyText(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	all := pairs(t, db, query)
	if len(all) != 1 {
		t.Fatalf("%s: %d rows", query, len(all))
	}
	return all[0][0]
}

func smtpHangsUp(t *testing.T) {
	f := startFaulty(t, "")
	times := 0
	f.set(nil, func(recipient string) error {
		if recipient == "doubt@example.net" {
			if times++; times == 1 {
				return mailtest.ErrHangUp // it was taken, and we are not told
			}
		}
		return nil
	})
	f.write(t, "doubt", f.boxes[0], 0)
	f.attempted(t, "doubt", 2, store.Sent)
	f.done(t)
	copies := f.arrived()[onlyText(t, f.db, "select message_id, state from outgoing where recipient = 'doubt@example.net'")]
	if len(copies) != 2 || !bytes.Equal(copies[0].Raw, copies[1].Raw) {
		t.Errorf("want the same bytes twice, got %d copies", len(copies))
	}
}

func smtpGone(t *testing.T) {
	f := startFaulty(t, "")
	f.smtp.set(faults{refuse: true})
	f.smtp.reset()
	f.write(t, "gone", f.boxes[0], 0)
	f.attempted(t, "gone", 1, store.Queued)
	f.write(t, "other", f.boxes[1], 0) // has a line of its own
	f.attempted(t, "other", 1, store.Sent)
	f.smtp.set(faults{hole: true}) // connects, and hears nothing
	f.hurry(t)
	until(t, time.Minute, "the hole holds something", func() bool { f.hurry(t); return f.smtp.waiting() > 0 })
	f.smtp.reset()
	f.smtp.set(faults{})
	until(t, time.Minute, "all our mail is out", func() bool {
		f.hurry(t)
		return count(t, f.db, "select count(*) from outgoing where state <> 'sent'") == 0
	})
	f.done(t)
	f.once(t)
}

func postgresCrashes(t *testing.T) {
	requirePostgres(t)
	server, err := privatePostgres(t, "fsync=off", "full_page_writes=off")
	if err != nil {
		t.Fatal(err)
	}
	f := startFaulty(t, server.fresh(t))
	for crash := 1; crash <= 3; crash++ {
		for i := range 5 {
			f.write(t, fmt.Sprintf("crash%d-%d", crash, i), f.boxes[i%2], 0)
		}
		until(t, time.Minute, "some are processed", func() bool {
			return count(t, f.db, "select count(*) from ledger where disposition <> ''") >= 5*crash-4
		})
		// When one of its processes is killed PostgreSQL ends them all and recovers from its log.
		pid := count(t, f.db, "select pg_backend_pid()")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(t, time.Minute, "PostgreSQL is back", func() bool { return f.db.PingContext(t.Context()) == nil })
	}
	f.rescued(t)
	f.done(t)
}

func postgresSilent(t *testing.T) {
	requirePostgres(t)
	server, err := startPostgres(t)
	if err != nil {
		t.Fatal(err)
	}
	direct := server.fresh(t)
	line := startProxy(t, server.admin.Host)
	f := startFaulty(t, strings.Replace(direct, server.admin.Host, line.listener.Addr().String(), 1))
	f.db = site{store: direct}.open(t)
	for i := range 3 {
		f.write(t, fmt.Sprintf("silent%d", i), f.boxes[0], 0)
		line.set(faults{hole: true})
		until(t, time.Minute, "the hole holds something", func() bool { return line.waiting() > i })
		f.write(t, fmt.Sprintf("more%d", i), f.boxes[1], 0)
		line.reset()
		line.set(faults{})
	}
	f.rescued(t)
	f.done(t)
}

// postgresCutAtStart starts the daemon again and again, and each time its line to the database breaks
// a little later in what it has to say at the start.
func postgresCutAtStart(t *testing.T) {
	requirePostgres(t)
	server, err := startPostgres(t)
	if err != nil {
		t.Fatal(err)
	}
	direct := server.fresh(t)
	line := startProxy(t, server.admin.Host)
	f := startFaulty(t, strings.Replace(direct, server.admin.Host, line.listener.Addr().String(), 1))
	f.db = site{store: direct}.open(t)
	f.write(t, "first", f.boxes[0], 0)
	f.done(t)
	f.stop()
	before := line.taken()
	f.log, f.stop = startDaemon(t, f.dir)
	f.log.wait(t, "msg=started ", 1)
	f.write(t, "second", f.boxes[0], 0)
	f.done(t)
	whole := line.taken() - before
	cuts := 4
	if soaking() {
		cuts = 20
	}
	for i := range cuts {
		f.stop()
		line.set(faults{cut: 1 + i*whole/cuts})
		f.log, f.stop = startDaemon(t, f.dir)
		f.write(t, fmt.Sprintf("cut%d", i), f.boxes[0], 0)
		f.rescued(t)
		f.done(t)
	}
}

// rescued lets five minutes go by for each job whose worker lost the database, until there is none.
func (f *faulty) rescued(t *testing.T) {
	t.Helper()
	until(t, time.Minute, "all our mail is out", func() bool {
		f.hurry(t)
		if _, err := f.db.ExecContext(t.Context(), `update river_job set attempted_at = '2020-01-01 00:00:00'
			where kind = 'send' and state = 'running' and attempted_at < now() - interval '5 seconds'`); err != nil {
			t.Fatal(err)
		}
		return count(t, f.db, "select count(*) from ledger where disposition = ''") == 0 &&
			count(t, f.db, "select count(*) from ledger") == f.sent &&
			count(t, f.db, "select count(*) from outgoing where state <> 'sent'") == 0
	})
}

func diskFull(t *testing.T) {
	disk := filepath.Join(serverDir(t), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("bustia", disk, "tmpfs", 0, "size=16m"); err != nil {
		unavailable(t, "a small disk cannot be mounted: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	f := startFaulty(t, "sqlite:"+filepath.Join(disk, "bustia.db"))
	f.write(t, "before", f.boxes[0], 0)
	f.done(t)
	ballast := filepath.Join(disk, "ballast")
	for size := 1 << 20; size >= 1; size /= 2 {
		file, err := os.OpenFile(ballast, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		for err == nil {
			_, err = file.Write(make([]byte, size))
		}
		file.Close()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		f.write(t, fmt.Sprintf("full%d", i), f.boxes[i%2], 6<<20)
	}
	f.log.wait(t, "disk is full", 2)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	// The mails need more than there is.
	if err := syscall.Mount("bustia", disk, "tmpfs", syscall.MS_REMOUNT, "size=256m"); err != nil {
		t.Fatal(err)
	}
	until(t, time.Minute, "all our mail is out", func() bool {
		f.hurry(t)
		return count(t, f.db, "select count(*) from ledger where disposition <> ''") == f.sent &&
			count(t, f.db, "select count(*) from outgoing where state <> 'sent'") == 0
	})
	f.done(t)
	f.once(t)
}
