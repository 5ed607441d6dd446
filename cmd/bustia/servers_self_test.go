//go:build integration

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestServersDeliver shows that the servers the other tests stand on do what those tests believe.
func TestServersDeliver(t *testing.T) {
	const citizen, bustia = "citizen@example.org", "bustia@example.cat"
	s := startServers(t, []string{citizen, bustia})
	mail := func(to, subject string) []byte {
		return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nBon dia.\r\n", citizen, to, subject, subject)
	}
	about := func(subject string) func([]byte) bool {
		return func(raw []byte) bool { return bytes.Contains(raw, []byte("\r\nSubject: "+subject+"\r\n")) }
	}
	code := func(err error) int {
		var refused *smtp.SMTPError
		errors.As(err, &refused)
		if refused == nil {
			return 0
		}
		return refused.Code
	}

	t.Run("to a mailbox", func(t *testing.T) {
		s.submit(t, citizen, bustia, mail(bustia, "plain"))
		raw := s.waitMail(t, bustia, about("plain"))
		if !bytes.HasSuffix(raw, []byte("\r\n\r\nBon dia.\r\n")) {
			t.Errorf("the body changed on its way:\n%s", raw)
		}
	})
	t.Run("to a subaddress", func(t *testing.T) {
		to := "bustia+x.y@example.cat"
		s.submit(t, citizen, to, mail(to, "subaddress"))
		raw := s.waitMail(t, bustia, about("subaddress"))
		if !bytes.Contains(raw, []byte("Delivered-To: "+to+"\r\n")) {
			t.Errorf("the recipient as written is lost:\n%s", raw)
		}
	})
	t.Run("both lie there", func(t *testing.T) {
		if got := len(s.mails(t, bustia)); got != 2 {
			t.Errorf("got %d mails in the mailbox, want 2", got)
		}
		if got := len(s.mails(t, citizen)); got != 0 {
			t.Errorf("got %d mails at the writer's, want 0", got)
		}
	})
	t.Run("unknown here is refused", func(t *testing.T) {
		if err := s.send(t.Context(), citizen, citizen, "nobody@example.cat", mail("nobody@example.cat", "x")); code(err) != 550 {
			t.Errorf("got %v, want 550", err)
		}
	})
	t.Run("unknown elsewhere bounces", func(t *testing.T) {
		s.submit(t, citizen, "gone@elsewhere.invalid", mail("gone@elsewhere.invalid", "gone"))
		raw := s.waitMail(t, citizen, func(raw []byte) bool { return bytes.Contains(raw, []byte("multipart/report")) })
		if want := "Status: 5.1.1"; !bytes.Contains(raw, []byte(want)) {
			t.Errorf("want %q in the bounce:\n%s", want, raw)
		}
	})
	t.Run("the null reverse-path is kept", func(t *testing.T) {
		if err := s.send(t.Context(), citizen, "", bustia, mail(bustia, "null")); err != nil {
			t.Fatal(err)
		}
		if raw := s.waitMail(t, bustia, about("null")); !strings.HasPrefix(string(raw), "Return-Path: <>\r\n") {
			t.Errorf("want a null Return-Path:\n%s", raw)
		}
	})
	t.Run("nobody submits without a login", func(t *testing.T) {
		if err := s.send(t.Context(), "", citizen, bustia, mail(bustia, "x")); code(err) != 554 {
			t.Errorf("got %v, want 554", err)
		}
		if err := s.send(t.Context(), "stranger@example.org", citizen, bustia, mail(bustia, "x")); code(err) != 535 {
			t.Errorf("got %v, want 535", err)
		}
	})
	t.Run("select 1", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), s.PostgresURL)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var one int
		if err := conn.QueryRow(t.Context(), "select 1").Scan(&one); err != nil || one != 1 {
			t.Errorf("got %d, %v, want 1", one, err)
		}
	})
}

// TestPostgresFresh shows that every database asked for is a new one, and that it goes.
func TestPostgresFresh(t *testing.T) {
	requirePostgres(t)
	server, err := startPostgres(t)
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string]bool{}
	t.Run("in use", func(t *testing.T) {
		for range 2 {
			conn, err := pgx.Connect(t.Context(), server.fresh(t))
			if err != nil {
				t.Fatal(err)
			}
			// Left open: dropping the database must end it.
			urls[conn.Config().ConnString()] = true
			if _, err := conn.Exec(t.Context(), "create table only_here (n int)"); err != nil {
				t.Error(err)
			}
		}
	})
	if len(urls) != 2 {
		t.Errorf("got %d different databases, want 2", len(urls))
	}
	for url := range urls {
		var failure *pgconn.PgError
		if _, err := pgx.Connect(t.Context(), url); !errors.As(err, &failure) || failure.Code != "3D000" {
			t.Errorf("connecting after the test: got %v, want invalid catalog name", err)
		}
	}
}
