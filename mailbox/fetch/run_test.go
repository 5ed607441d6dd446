package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/mailtest"
)

const (
	bustia = "bustia@example.cat"
	secret = "a password"
)

var arrived = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)

// TestMain proves that Run leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taker is a receiver that keeps everything, as a database would.
type taker struct {
	mu          sync.Mutex
	at          mailbox.Position
	mails       []mailbox.Received
	batches     []int
	unfetchable []uint32
	due         []uint32                             // to be marked
	states      []string                             // what State was told
	refuse      func(batch []mailbox.Received) error // may be nil
	changed     func()                               // may be nil
}

func (k *taker) receiver() Receiver {
	return Receiver{
		Position: func(context.Context, string, string) (mailbox.Position, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.at, nil
		},
		Receive:     k.receive,
		Unfetchable: k.note,
		Marks: func(_ context.Context, _, _ string, validity uint32, limit int) ([]uint32, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			if validity != k.at.UIDValidity {
				return nil, nil
			}
			return slices.Clone(k.due[:min(limit, len(k.due))]), nil
		},
		Marked: func(_ context.Context, _, _ string, _ uint32, uids []uint32) error {
			k.mu.Lock()
			k.due = slices.DeleteFunc(k.due, func(uid uint32) bool { return slices.Contains(uids, uid) })
			k.mu.Unlock()
			if k.changed != nil {
				k.changed()
			}
			return nil
		},
		State: func(_ context.Context, _, folder string, err error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			if err == nil {
				k.states = append(k.states, folder+" up")
			} else {
				k.states = append(k.states, folder+" down: "+err.Error())
			}
		},
	}
}

func (k *taker) receive(_ context.Context, batch []mailbox.Received, to mailbox.Position) error {
	if k.refuse != nil && len(batch) > 0 {
		if err := k.refuse(batch); err != nil {
			return err
		}
	}
	k.mu.Lock()
	k.at = to
	k.mails = append(k.mails, batch...)
	for _, mail := range batch {
		if mail.Past == "" && !mail.Truncated {
			k.due = append(k.due, mail.UID)
		}
	}
	if len(batch) > 0 {
		k.batches = append(k.batches, len(batch))
	}
	k.mu.Unlock()
	if k.changed != nil {
		k.changed()
	}
	return nil
}

func (k *taker) note(_ context.Context, _, _ string, _, uid uint32, _ error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unfetchable = append(k.unfetchable, uid)
	return nil
}

func (k *taker) uids() (uids []uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, mail := range k.mails {
		uids = append(uids, mail.UID)
	}
	return uids
}

func (k *taker) has(n int) func() bool { return func() bool { return len(k.uids()) >= n } }

// reading starts a server and a loop that reads from it until the test ends; it waits only
// milliseconds before it connects again.
type reading struct {
	*taker
	server *mailtest.Server
	log    *bytes.Buffer // to be read after stop
	stop   func()
}

func read(t *testing.T, before int, change func(*taker, *mailtest.Server)) *reading {
	t.Helper()
	return readAs(t, before, func(*Account) {}, change)
}

// readAs reads with an account that as has changed.
func readAs(t *testing.T, before int, as func(*Account), change func(*taker, *mailtest.Server)) *reading {
	t.Helper()
	server, err := mailtest.Start(mailtest.Options{Users: map[string]string{bustia: secret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	r := &reading{taker: &taker{changed: server.Wake}, server: server, log: &bytes.Buffer{}}
	r.deliver(t, before)
	if change != nil {
		change(r.taker, server)
	}
	a := account(t, server.IMAPAddr())
	as(&a)
	l := newLoop(a, r.receiver(), slog.New(slog.NewTextHandler(r.log, nil)))
	l.pace.first = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	return r
}

func account(t *testing.T, address string) Account {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Account{Mailbox: "general", Host: host, Port: n, TLS: "none", Login: login.Password(bustia, secret)}
}

func mailOf(i int) []byte {
	return fmt.Appendf(nil, "From: c%d@example.org\r\nSubject: %d\r\n\r\nbon dia\r\n", i, i)
}

func (r *reading) deliver(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		if err := r.server.Deliver(bustia, mailOf(i), arrived.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *reading) wait(t *testing.T, n int) {
	t.Helper()
	if err := r.server.Wait(t.Context(), r.has(n)); err != nil {
		t.Fatal(err)
	}
}

func sequence(first, last uint32) (uids []uint32) {
	for uid := first; uid <= last; uid++ {
		uids = append(uids, uid)
	}
	return uids
}

func TestReadThenIdle(t *testing.T) {
	r := read(t, 3, nil)
	r.wait(t, 3)
	r.deliver(t, 1)
	r.wait(t, 4)
	r.deliver(t, 2)
	r.wait(t, 6)
	r.stop()

	var want, got []mailbox.Received
	for _, mail := range r.server.Mails(bustia) {
		want = append(want, mailbox.Received{Mailbox: "general", Folder: "INBOX", UIDValidity: 1, UID: mail.UID, InternalDate: mail.InternalDate, Size: int64(len(mail.Raw)), Raw: mail.Raw})
		if mail.Flags != nil {
			t.Errorf("uid %d: has flags %v, want it untouched", mail.UID, mail.Flags)
		}
	}
	for _, mail := range r.mails {
		mail.InternalDate = mail.InternalDate.UTC()
		got = append(got, mail)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(mailbox.Position{UIDValidity: 1, LastUID: 6, Backlog: 3}, r.at); diff != "" {
		t.Errorf("position (-want +got):\n%s", diff)
	}
	if r.log.Len() > 0 {
		t.Errorf("logged although nothing went wrong:\n%s", r.log)
	}
}

func TestBatches(t *testing.T) {
	r := read(t, 120, nil)
	r.wait(t, 120)
	r.stop()
	if diff := cmp.Diff([]int{50, 50, 20}, r.batches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBatchesBySize(t *testing.T) {
	large := append(mailOf(0), bytes.Repeat([]byte("0123456789012345678901234567890123456789\r\n"), 3<<20/42)...)
	r := read(t, 0, func(_ *taker, server *mailtest.Server) {
		for range 5 {
			if err := server.Deliver(bustia, large, arrived); err != nil {
				t.Fatal(err)
			}
		}
	})
	r.wait(t, 5)
	r.stop()
	if diff := cmp.Diff([]int{2, 2, 1}, r.batches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestResume(t *testing.T) {
	r := read(t, 10, func(k *taker, _ *mailtest.Server) { k.at = mailbox.Position{UIDValidity: 1, LastUID: 7} })
	r.wait(t, 3)
	r.stop()
	if diff := cmp.Diff(sequence(8, 10), r.uids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What could not be stored comes again, and nothing else does.
func TestReceiveFails(t *testing.T) {
	tries := 0
	r := read(t, 60, func(k *taker, _ *mailtest.Server) {
		k.refuse = func(batch []mailbox.Received) error {
			if tries++; tries == 2 || tries == 3 {
				return errors.New("database is away")
			}
			return nil
		}
	})
	r.wait(t, 60)
	r.stop()
	if diff := cmp.Diff(sequence(1, 60), r.uids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if tries != 4 {
		t.Errorf("got %d calls of Receive, want 4", tries)
	}
	if n := strings.Count(r.log.String(), "database is away"); n != 2 {
		t.Errorf("got %d log lines, want 2:\n%s", n, r.log)
	}
}

func TestNewUIDValidity(t *testing.T) {
	r := read(t, 5, nil)
	r.wait(t, 5)
	if err := r.server.Recreate(bustia); err != nil {
		t.Fatal(err)
	}
	r.deliver(t, 2)
	r.wait(t, 7)
	r.stop()
	if diff := cmp.Diff([]uint32{1, 2, 3, 4, 5, 1, 2}, r.uids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(mailbox.Position{UIDValidity: 2, LastUID: 2}, r.at); diff != "" {
		t.Errorf("position (-want +got):\n%s", diff)
	}
	if !strings.Contains(r.log.String(), "uidvalidity changed") {
		t.Errorf("not logged:\n%s", r.log)
	}
}

func TestExpungedMeanwhile(t *testing.T) {
	r := read(t, 120, func(k *taker, server *mailtest.Server) {
		k.refuse = func(batch []mailbox.Received) error {
			if batch[0].UID != 1 {
				return nil
			}
			return server.Expunge(bustia, 1, 60, 61, 100, 101, 120)
		}
	})
	r.wait(t, 115)
	r.stop()
	if len(r.uids()) != 115 {
		t.Errorf("got %d mails, want 115", len(r.uids()))
	}
	if diff := cmp.Diff(mailbox.Position{UIDValidity: 1, LastUID: 120, Backlog: 120}, r.at); diff != "" {
		t.Errorf("position (-want +got):\n%s", diff)
	}
	// The server tells of the flags of 60, 61 and 100 before it forgets them, so these are still listed.
	for _, want := range []string{"uid=60", "uid=61", "uid=100", `uids="[101 120]"`} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, r.log)
		}
	}
}

func TestServerRestarts(t *testing.T) {
	r := read(t, 1, nil)
	for n := 1; n < 5; n++ {
		r.wait(t, n)
		r.server.HangUp()
		r.deliver(t, 1)
	}
	r.wait(t, 5)
	r.stop()
	if diff := cmp.Diff(sequence(1, 5), r.uids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	config, pool, err := mailtest.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	servers := map[string]*mailtest.Server{}
	for name, o := range map[string]mailtest.Options{
		"none": {}, "starttls": {TLS: config}, "tls": {TLS: config, ImplicitTLS: true},
	} {
		o.Users = map[string]string{bustia: secret}
		if servers[name], err = mailtest.Start(o); err != nil {
			t.Fatal(err)
		}
		defer servers[name].Close()
	}
	check := func(name, server, tls, password, folder, want string) {
		t.Helper()
		a := account(t, servers[server].IMAPAddr())
		a.TLS, a.CAs, a.Login, a.Folder = tls, pool, login.Password(bustia, password), folder
		if name == "unknown authority" {
			a.CAs = nil
		}
		got := ""
		if err := Check(t.Context(), a); err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if strings.Contains(got, secret) {
			t.Errorf("%s: %q shows the password", name, got)
		}
	}
	check("plain", "none", "none", secret, "", "")
	check("starttls", "starttls", "starttls", secret, "INBOX", "")
	check("tls", "tls", "tls", secret, "", "")
	check("tls by default", "tls", "", secret, "", "")
	check("password", "tls", "tls", "other", "", `login to mailbox "general": imap: NO [AUTHENTICATIONFAILED] Authentication failed`)
	check("folder", "tls", "tls", secret, "Queixes", `examine folder "Queixes"`)
	check("no starttls", "none", "starttls", secret, "", "starttls: ")
	check("unknown authority", "tls", "tls", secret, "", "tls: ")
	check("login needs tls", "starttls", "none", secret, "", "login to mailbox")
	check("tls word", "tls", "ssl", secret, "", `tls "ssl": want`)

	a := account(t, servers["none"].IMAPAddr())
	a.Login = login.Password(bustia, "other")
	var refused *LoginError
	if err := Check(t.Context(), a); !errors.As(err, &refused) || refused.Mailbox != "general" {
		t.Errorf("got %v, want a LoginError", err)
	}
}

func TestPasswordDoesNotPrint(t *testing.T) {
	a := Account{Mailbox: "general", Host: "imap.example.org", Login: login.Password(bustia, secret)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, a); strings.Contains(got, secret) || strings.Contains(got, bustia) {
			t.Errorf("%s prints %s", format, got)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "account", a)
	if got := log.String(); strings.Contains(got, secret) || !strings.Contains(got, "imap.example.org:993") {
		t.Errorf("logs %s", got)
	}
}
