package fetch

import (
	"bytes"
	"context"
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

// TestRealServer reads from a real IMAP server when BUSTIA_TEST_IMAP names an account on it that may
// be filled: imap://user:password@host:port/ without TLS, imaps:// with it and the system's authorities.
func TestRealServer(t *testing.T) {
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

	// A second connection fills the folder, as a delivery agent would.
	filler, err := connect(t.Context(), a, dialTCP, usualPace().patience)
	if err != nil {
		t.Fatal(err)
	}
	defer filler.close()
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
