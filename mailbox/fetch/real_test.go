package fetch

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
)

// realServer is the account on a real IMAP server that BUSTIA_TEST_IMAP names, which may be filled, and
// a second connection to it: imap://user:password@host:port/ without TLS, imaps:// with it and the
// system's authorities.
func realServer(t *testing.T) (Account, *session) {
	t.Helper()
	named := os.Getenv("BUSTIA_TEST_IMAP")
	if named == "" {
		t.Skip("BUSTIA_TEST_IMAP is not set")
	}
	u, err := url.Parse(named)
	if err != nil {
		t.Fatal(err)
	}
	a := Account{Mailbox: "general", Host: u.Hostname(), TLS: "none"}
	password, _ := u.User.Password()
	a.Login = login.Password(u.User.Username(), password)
	a.Port, _ = strconv.Atoi(u.Port())
	if u.Scheme == "imaps" {
		a.TLS = "tls"
	}
	if err := Check(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	s, err := connect(t.Context(), a, dialTCP, usualPace().patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return a, s
}

// TestRealServer reads from a real server what a delivery agent puts there.
func TestRealServer(t *testing.T) {
	a, filler := realServer(t)
	folder, err := filler.examine(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	fill := func(first, last int) {
		t.Helper()
		for i := first; i <= last; i++ {
			raw := mailOf(i)
			command := filler.client.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: arrived})
			if _, err := command.Write(raw); err != nil {
				t.Fatal(err)
			}
			if err := command.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := command.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}

	came := make(chan struct{}, 100)
	k := &taker{at: mailbox.Position{UIDValidity: folder.UIDValidity, LastUID: uint32(folder.UIDNext) - 1}}
	k.changed = func() { came <- struct{}{} }
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	fill(1, 120)
	done := make(chan error)
	go func() { done <- Run(ctx, a, k.receiver(), slog.New(slog.NewTextHandler(&log, nil))) }()
	wait := func(n int) {
		t.Helper()
		for len(k.uids()) < n {
			select {
			case <-came:
			case <-ctx.Done():
				t.Fatalf("got %d mails in time, want %d\n%s", len(k.uids()), n, &log)
			}
		}
	}
	wait(120)
	fill(121, 123) // announced by IDLE
	wait(123)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for i, mail := range k.mails {
		if diff := cmp.Diff(string(mailOf(i+1)), string(mail.Raw)); diff != "" {
			t.Fatalf("mail %d (-want +got):\n%s", i, diff)
		}
		if !mail.InternalDate.Equal(arrived) {
			t.Errorf("mail %d: internal date %v", i, mail.InternalDate)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged:\n%s", &log)
	}
}

// TestRealServerMarks takes over a folder of a real server: a past mail, a large one, and three that are
// marked in each way.
func TestRealServerMarks(t *testing.T) {
	a, filler := realServer(t)
	for _, after := range []string{"flag", "seen", "move"} {
		folder := fmt.Sprintf("marks-%s-%d", after, time.Now().UnixNano())
		h := byHand{t, filler}
		h.create(folder)
		h.create(folder + "-done")
		h.put(folder, mailOf(1), arrived.AddDate(-1, 0, 0))
		h.put(folder, append(mailOf(2), bytes.Repeat([]byte("0123456789\r\n"), 20_000)...), arrived)
		h.put(folder, mailOf(3), arrived, imap.FlagDeleted)
		h.put(folder, mailOf(4), arrived)

		came := make(chan struct{}, 100)
		k := &taker{changed: func() { came <- struct{}{} }}
		a := a
		a.Folder, a.After, a.MoveTo, a.Since, a.MaxSize = folder, after, folder+"-done", arrived.AddDate(0, -1, 0), 100_000
		var log bytes.Buffer
		l := newLoop(a, k.receiver(), slog.New(slog.NewTextHandler(&log, nil)))
		stop := start(t, l)
		wait := func(n int) {
			t.Helper()
			late := time.After(time.Minute)
			for {
				k.mu.Lock()
				ready := len(k.mails) >= n && len(k.due) == 0
				k.mu.Unlock()
				if ready {
					return
				}
				select {
				case <-came:
				case <-late:
					t.Fatalf("%s: got %v in time\n%s", after, k.told(), &log)
				}
			}
		}
		wait(4)
		h.put(folder, mailOf(5), arrived) // while the folder is open for writing
		wait(5)
		stop()
		wantSame(t, after+": told", k.told(), []string{"1 before since, no bytes", "2 too large", "3", "4", "5"})
		want := map[string][]string{
			"flag": {"1", "2", "3 $bustia \\deleted", "4 $bustia", "5 $bustia"},
			"seen": {"1", "2", "3 \\deleted \\seen", "4 \\seen", "5 \\seen"},
			"move": {"1", "2"},
		}
		wantSame(t, after, h.lists(folder), want[after])
		moved := map[string][]string{"move": {"1 \\deleted", "2", "3"}}
		wantSame(t, after+": moved", h.lists(folder+"-done"), moved[after])
		if log.Len() > 0 {
			t.Errorf("%s: logged:\n%s", after, &log)
		}
	}
}
