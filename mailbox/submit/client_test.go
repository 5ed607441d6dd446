package submit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/mailtest"
	"github.com/bustia/bustia/mailbox/submit"
)

const (
	bustia = "bustia@example.cat"
	ana    = "ana@example.org"
	secret = "a password"
	raw    = "From: bustia@example.cat\r\nTo: ana@example.org\r\n\r\n.bon dia\r\n..\r\n"
)

// TestMain proves that closed clients leave nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start gives a server and a client of it; change may alter both before they are made.
func start(t *testing.T, change func(*mailtest.Options, *submit.Server)) (*mailtest.Server, *submit.Client) {
	t.Helper()
	options := mailtest.Options{Users: map[string]string{bustia: secret}}
	to := submit.Server{TLS: "none", Login: login.Password(bustia, secret), HELO: "bustia.example.cat"}
	if change != nil {
		change(&options, &to)
	}
	server, err := mailtest.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	to.Host, to.Port = hostPort(t, server.SMTPAddr())
	client := submit.New(to)
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

func hostPort(t *testing.T, address string) (string, int) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, n
}

func send(t *testing.T, client *submit.Client, recipient string) error {
	t.Helper()
	return client.Send(t.Context(), submit.Envelope{ReversePath: bustia, Recipient: recipient}, []byte(raw))
}

// verdict is an Error without the words.
type verdict struct {
	Permanent bool
	Code      int
	Enhanced  string
	Phase     string
	MaybeSent bool
}

func verdictOf(t *testing.T, err error) verdict {
	t.Helper()
	var e *submit.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want a *submit.Error", err, err)
	}
	return verdict{e.Permanent, e.Code, e.Enhanced, e.Phase, e.MaybeSent}
}

func TestSameBytesOneConnection(t *testing.T) {
	server, client := start(t, nil)
	for range 3 {
		if err := send(t, client, ana); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Send(t.Context(), submit.Envelope{Recipient: ana}, []byte(raw)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range server.Accepted() {
		got = append(got, fmt.Sprintf("%s>%s %v %s", a.ReversePath, a.Recipient, a.UTF8, a.Raw))
	}
	one := bustia + ">" + ana + " false " + raw
	if diff := cmp.Diff([]string{one, one, one, ">" + ana + " false " + raw}, got); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if n := server.SMTPConnections(); n != 1 {
		t.Errorf("got %d connections, want 1", n)
	}
}

func TestHundredMailsAConnection(t *testing.T) {
	server, client := start(t, nil)
	for range 201 {
		if err := send(t, client, ana); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.SMTPConnections(); n != 3 {
		t.Errorf("got %d connections, want 3", n)
	}
}

func reply(code int, enhanced smtp.EnhancedCode, message string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: message}
}

func TestVerdicts(t *testing.T) {
	server, client := start(t, func(o *mailtest.Options, _ *submit.Server) {
		o.Refuse = func(recipient string) error {
			switch recipient {
			case "450@example.org":
				return reply(450, smtp.EnhancedCode{4, 2, 1}, "Greylisted")
			case "421@example.org":
				return reply(421, smtp.EnhancedCode{4, 3, 2}, "Going down")
			case "530@example.org":
				return reply(530, smtp.EnhancedCode{5, 7, 0}, "Log in first")
			case "drop@example.org":
				return mailtest.ErrHangUp
			case "odd@example.org":
				return reply(550, smtp.NoEnhancedCode, "4.2.2 says one thing\nand another")
			}
			return nil
		}
		o.Data = func(recipient string, _ []byte) error {
			switch recipient {
			case "554@example.org":
				return reply(554, smtp.EnhancedCode{5, 6, 0}, "Not wanted")
			case "452@example.org":
				return reply(452, smtp.EnhancedCode{4, 3, 1}, "Disk full")
			case "after@example.org":
				return mailtest.ErrHangUp
			}
			return nil
		}
	})
	check := func(recipient string, want verdict, line string) {
		t.Helper()
		err := send(t, client, recipient)
		if diff := cmp.Diff(want, verdictOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", recipient, diff)
		}
		var e *submit.Error
		if errors.As(err, &e); e.Line != line {
			t.Errorf("%s: got line %q, want %q", recipient, e.Line, line)
		}
	}
	check("ningu@example.cat", verdict{true, 550, "5.1.1", "rcpt", false}, "550 5.1.1 No such user here")
	check("450@example.org", verdict{false, 450, "4.2.1", "rcpt", false}, "450 4.2.1 Greylisted")
	check("421@example.org", verdict{false, 421, "4.3.2", "rcpt", false}, "421 4.3.2 Going down")
	check("530@example.org", verdict{false, 530, "5.7.0", "rcpt", false}, "530 5.7.0 Log in first")
	check("odd@example.org", verdict{true, 550, "", "rcpt", false}, "550 4.2.2 says one thing and another")
	check("drop@example.org", verdict{false, 0, "", "rcpt", false}, "")
	check("554@example.org", verdict{true, 554, "5.6.0", "data", false}, "554 5.6.0 Not wanted")
	check("452@example.org", verdict{false, 452, "4.3.1", "data", false}, "452 4.3.1 Disk full")
	check("after@example.org", verdict{false, 0, "", "data", true}, "")
	check("a@example.org> SIZE=1", verdict{true, 0, "5.1.3", "rcpt", false}, "")
	check("a@example.org\r\nDATA", verdict{true, 0, "5.1.3", "rcpt", false}, "")
	check("", verdict{true, 0, "5.1.3", "rcpt", false}, "")
	if err := send(t, client, ana); err != nil {
		t.Errorf("after all refusals: %v", err)
	}
	if n := len(server.Accepted()); n != 2 {
		t.Errorf("got %d mails accepted, want the one whose answer was lost and the last", n)
	}
}

// A refusal does not cost the connection.
func TestRefusalKeepsConnection(t *testing.T) {
	server, client := start(t, nil)
	for range 3 {
		if err := send(t, client, "ningu@example.cat"); verdictOf(t, err).Code != 550 {
			t.Errorf("got %v, want 550", err)
		}
		if err := send(t, client, ana); err != nil {
			t.Error(err)
		}
	}
	if n := server.SMTPConnections(); n != 1 {
		t.Errorf("got %d connections, want 1", n)
	}
}

func TestStaleConnection(t *testing.T) {
	server, client := start(t, nil)
	for range 3 {
		if err := send(t, client, ana); err != nil {
			t.Fatal(err)
		}
		server.HangUp()
	}
	if n := server.SMTPConnections(); n != 3 {
		t.Errorf("got %d connections, want 3", n)
	}
	if n := len(server.Accepted()); n != 3 {
		t.Errorf("got %d mails, want 3", n)
	}
}

// Once the mail has been given, nothing is tried again by itself.
func TestLostAnswerIsNotRepeated(t *testing.T) {
	server, client := start(t, func(o *mailtest.Options, _ *submit.Server) {
		o.Data = func(recipient string, _ []byte) error {
			if recipient == "after@example.org" {
				return mailtest.ErrHangUp
			}
			return nil
		}
	})
	if err := send(t, client, ana); err != nil {
		t.Fatal(err)
	}
	if v := verdictOf(t, send(t, client, "after@example.org")); !v.MaybeSent || v.Permanent {
		t.Errorf("got %+v, want maybe sent", v)
	}
	if n := len(server.Accepted()); n != 2 {
		t.Errorf("got %d mails, want 2", n)
	}
}

func TestSetUpIsNotTheMailsFault(t *testing.T) {
	config, pool, err := mailtest.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, want verdict, change func(*mailtest.Options, *submit.Server)) {
		t.Helper()
		_, client := start(t, change)
		err := send(t, client, ana)
		if want.Phase == "" && err == nil {
			return
		}
		if diff := cmp.Diff(want, verdictOf(t, err)); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v shows the password", name, err)
		}
	}
	check("wrong password", verdict{Code: 535, Enhanced: "5.7.8", Phase: "auth"}, func(_ *mailtest.Options, s *submit.Server) { s.Login = login.Password(bustia, "other") })
	check("no login", verdict{Code: 530, Enhanced: "5.7.0", Phase: "mail"}, func(_ *mailtest.Options, s *submit.Server) { s.Login = login.Credentials{} })
	check("no starttls", verdict{Phase: "tls"}, func(_ *mailtest.Options, s *submit.Server) { s.TLS = "starttls" })
	check("not tls", verdict{Phase: "tls"}, func(o *mailtest.Options, s *submit.Server) { s.TLS, o.SMTPPort = "tls", 0 })
	check("login needs tls", verdict{Phase: "auth"}, func(o *mailtest.Options, _ *submit.Server) { o.TLS = config })
	check("unknown authority", verdict{Phase: "tls"}, func(o *mailtest.Options, s *submit.Server) { o.TLS, s.TLS = config, "starttls" })
	check("starttls", verdict{}, func(o *mailtest.Options, s *submit.Server) { o.TLS, s.TLS, s.CAs = config, "starttls", pool })
	check("tls", verdict{}, func(o *mailtest.Options, s *submit.Server) {
		o.TLS, o.ImplicitTLS, s.TLS, s.CAs = config, true, "", pool
	})
	check("no such tls", verdict{Phase: "tls"}, func(_ *mailtest.Options, s *submit.Server) { s.TLS = "ssl" })
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port := hostPort(t, ln.Addr().String())
	_ = ln.Close()
	client := submit.New(submit.Server{Host: host, Port: port, TLS: "none"})
	defer client.Close()
	if diff := cmp.Diff(verdict{Phase: "dial"}, verdictOf(t, send(t, client, ana))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A server that never stops talking is left.
func TestFlood(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var talking sync.WaitGroup
	defer talking.Wait()
	talking.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for err == nil {
			_, err = fmt.Fprintf(conn, "220-%s\r\n", strings.Repeat("welcome ", 100))
		}
	})
	host, port := hostPort(t, ln.Addr().String())
	client := submit.New(submit.Server{Host: host, Port: port, TLS: "none"})
	defer client.Close()
	err = send(t, client, ana)
	if v := verdictOf(t, err); v.Phase != "dial" || !strings.Contains(err.Error(), "without end") {
		t.Errorf("got %+v %v", v, err)
	}
}

func TestSMTPUTF8OnlyWhenNeeded(t *testing.T) {
	server, client := start(t, nil)
	for _, recipient := range []string{ana, "muñoz@example.org", ana} {
		if err := send(t, client, recipient); err != nil {
			t.Fatal(err)
		}
	}
	var got []bool
	for _, a := range server.Accepted() {
		got = append(got, a.UTF8)
	}
	if diff := cmp.Diff([]bool{false, true, false}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManyAtOnce(t *testing.T) {
	server, client := start(t, nil)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if err := send(t, client, fmt.Sprintf("c%d@example.org", i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(server.Accepted()); n != 40 {
		t.Errorf("got %d mails, want 40", n)
	}
	if n := server.SMTPConnections(); n != 1 {
		t.Errorf("got %d connections, want 1", n)
	}
}

// The end of the context ends the wait for an answer, and what is waiting for its turn.
func TestContextEnds(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	server, client := start(t, func(o *mailtest.Options, _ *submit.Server) {
		o.Data = func(recipient string, _ []byte) error {
			if recipient == "slow@example.org" {
				close(asked)
				<-answer
			}
			return nil
		}
	})
	defer close(answer)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error), make(chan error)
	go func() {
		first <- client.Send(ctx, submit.Envelope{ReversePath: bustia, Recipient: "slow@example.org"}, []byte(raw))
	}()
	<-asked
	go func() {
		second <- client.Send(ctx, submit.Envelope{ReversePath: bustia, Recipient: ana}, []byte(raw))
	}()
	cancel()
	err := <-first
	if v := verdictOf(t, err); !v.MaybeSent || v.Phase != "data" || !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v %v, want maybe sent and canceled", v, err)
	}
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if n := len(server.Accepted()); n != 0 {
		t.Errorf("got %d mails, want none yet", n)
	}
}

func TestClosed(t *testing.T) {
	_, client := start(t, nil)
	if err := send(t, client, ana); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(t, client, ana); !errors.Is(err, submit.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestPasswordDoesNotPrint(t *testing.T) {
	s := submit.Server{Host: "mail.example.org", Login: login.Password(bustia, secret)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, s); strings.Contains(got, secret) {
			t.Errorf("%s prints %s", format, got)
		}
	}
	if got := s.LogValue().String(); got != "mail.example.org:465" {
		t.Errorf("logs as %s", got)
	}
}
