package mailtest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/bustia/bustia/mailbox/mailtest"
)

const (
	bustia = "bustia@example.cat"
	secret = "a password"
)

// TestMain proves that Close leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var clock = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)

func start(t *testing.T, change func(*mailtest.Options)) *mailtest.Server {
	t.Helper()
	options := mailtest.Options{
		Users: map[string]string{bustia: secret, "obert@example.cat": ""},
		Clock: func() time.Time { return clock },
	}
	if change != nil {
		change(&options)
	}
	server, err := mailtest.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return server
}

// send is one mail over a fresh connection, logged in when auth is given.
func send(t *testing.T, server *mailtest.Server, auth sasl.Client, from, to, raw string) error {
	t.Helper()
	client, err := smtp.Dial(server.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if auth != nil {
		if err := client.Auth(auth); err != nil {
			return err
		}
	}
	return client.SendMail(from, []string{to}, strings.NewReader(raw))
}

const raw = "From: Ana <ana@example.org>\r\nSubject: hola\r\n\r\nbon dia\r\n"

func TestDelivery(t *testing.T) {
	server := start(t, nil)
	check := func(from, to string, want string) {
		t.Helper()
		before := len(server.Mails(bustia))
		if err := send(t, server, nil, from, to, raw); err != nil {
			t.Errorf("%s to %s: %v", from, to, err)
		}
		var got string
		if mails := server.Mails(bustia); len(mails) > before {
			got = string(mails[before].Raw)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s to %s (-want +got):\n%s", from, to, diff)
		}
	}
	delivered := func(from, to string) string {
		return fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\n%s", from, to, raw)
	}
	check("ana@example.org", bustia, delivered("ana@example.org", bustia))
	check("ana@example.org", "Bustia+a1.b2@Example.CAT", delivered("ana@example.org", "Bustia+a1.b2@Example.CAT"))
	check("", bustia, delivered("", bustia))
	check("obert@example.cat", bustia, delivered("obert@example.cat", bustia))
	check("ana@example.org", "joan@example.com", "") // outside: accepted only

	var got []string
	for _, a := range server.Accepted() {
		got = append(got, a.ReversePath+" > "+a.Recipient+" "+a.At.Format(time.TimeOnly))
	}
	want := []string{
		"ana@example.org > bustia@example.cat 08:30:00", "ana@example.org > Bustia+a1.b2@Example.CAT 08:30:00",
		" > bustia@example.cat 08:30:00", "obert@example.cat > bustia@example.cat 08:30:00",
		"ana@example.org > joan@example.com 08:30:00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}

func TestLoginBeforeOwnMail(t *testing.T) {
	server := start(t, nil)
	check := func(name string, auth sasl.Client, code int) {
		t.Helper()
		err := send(t, server, auth, bustia, "ana@example.org", raw)
		var refused *smtp.SMTPError
		switch {
		case code == 0 && err != nil:
			t.Errorf("%s: got %v, want it taken", name, err)
		case code != 0 && (!errors.As(err, &refused) || refused.Code != code):
			t.Errorf("%s: got %v, want %d", name, err, code)
		}
	}
	check("none", nil, 530)
	check("plain", sasl.NewPlainClient("", bustia, secret), 0)
	check("plain, wrong", sasl.NewPlainClient("", bustia, "other"), 535)
	check("login", sasl.NewLoginClient(bustia, secret), 0)
	check("login, wrong", sasl.NewLoginClient(bustia, "other"), 535)
}

func TestRefusals(t *testing.T) {
	server := start(t, func(o *mailtest.Options) {
		o.Refuse = func(recipient string) error {
			switch recipient {
			case "full@example.org":
				return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "Mailbox full"}
			case "drop@example.org":
				return mailtest.ErrHangUp
			}
			return nil
		}
		o.Data = func(recipient string, _ []byte) error {
			switch recipient {
			case "junk@example.org":
				return &smtp.SMTPError{Code: 554, Message: "Not wanted"}
			case "after@example.org":
				return mailtest.ErrHangUp
			}
			return nil
		}
	})
	check := func(to string, code int, accepted bool) {
		t.Helper()
		before := len(server.Accepted())
		err := send(t, server, nil, "ana@example.org", to, raw)
		var refused *smtp.SMTPError
		if got := errors.As(err, &refused); err == nil || got != (code != 0) || got && refused.Code != code {
			t.Errorf("%s: got %v, want %d", to, err, code)
		}
		if got := len(server.Accepted()) > before; got != accepted {
			t.Errorf("%s: accepted %v, want %v", to, got, accepted)
		}
	}
	check("ningu@example.cat", 550, false)
	check("full@example.org", 452, false)
	check("drop@example.org", 0, false)
	check("junk@example.org", 554, false)
	check("after@example.org", 0, true)
}

func TestIDLE(t *testing.T) {
	server := start(t, nil)
	seen := make(chan uint32, 8)
	conn, err := net.Dial("tcp", server.IMAPAddr())
	if err != nil {
		t.Fatal(err)
	}
	client := imapclient.New(conn, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				seen <- *data.NumMessages
			}
		},
	}})
	defer client.Close()
	if err := client.Login(strings.ToUpper(bustia), secret).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	// One before IDLE, which the memory server alone would not tell of, and one after.
	if err := server.Deliver(bustia, []byte(raw), clock); err != nil {
		t.Fatal(err)
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if n := <-seen; n != 1 {
		t.Errorf("got %d messages, want 1", n)
	}
	if err := server.Deliver(bustia, []byte(raw), clock); err != nil {
		t.Fatal(err)
	}
	if n := <-seen; n != 2 {
		t.Errorf("got %d messages, want 2", n)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestDeliverFields(t *testing.T) {
	server := start(t, nil)
	check := func(name, raw, want string) {
		t.Helper()
		if err := server.Deliver(bustia, []byte(raw), clock.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		mails := server.Mails(bustia)
		got := mails[len(mails)-1]
		if diff := cmp.Diff(want, string(got.Raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !got.InternalDate.Equal(clock.Add(time.Hour)) {
			t.Errorf("%s: internal date %v", name, got.InternalDate)
		}
	}
	check("from", "From: ana@example.org\n\nx\n", "Return-Path: <ana@example.org>\nDelivered-To: bustia@example.cat\nFrom: ana@example.org\n\nx\n")
	check("own return-path", "return-path: <>\nFrom: a@example.org\n\nx\n", "Delivered-To: bustia@example.cat\nreturn-path: <>\nFrom: a@example.org\n\nx\n")
	check("no from", "\r\nx\r\n", "Delivered-To: bustia@example.cat\r\n\r\nx\r\n")
	check("garbage", "\x00\xff", "Delivered-To: bustia@example.cat\n\x00\xff")
	if err := server.Deliver("ningu@example.cat", nil, clock); err == nil {
		t.Error("delivered to nobody")
	}
}

func TestExpungeAndRecreate(t *testing.T) {
	server := start(t, nil)
	uids := func() (list []uint32) {
		for _, mail := range server.Mails(bustia) {
			list = append(list, mail.UID)
		}
		return list
	}
	for range 4 {
		if err := server.Deliver(bustia, []byte(raw), clock); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Expunge(bustia, 2, 4, 99); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint32{1, 3}, uids()); diff != "" {
		t.Errorf("after expunge (-want +got):\n%s", diff)
	}
	if err := server.Recreate(bustia); err != nil {
		t.Fatal(err)
	}
	if got := uids(); got != nil {
		t.Errorf("after recreate: %v", got)
	}
}

func TestWait(t *testing.T) {
	server := start(t, nil)
	done := make(chan error)
	go func() {
		done <- server.Wait(t.Context(), func() bool { return len(server.Mails(bustia)) == 3 })
	}()
	for range 3 {
		if err := server.Deliver(bustia, []byte(raw), clock); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Wait(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

func TestTLS(t *testing.T) {
	config, pool, err := mailtest.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	clientConfig := config.Clone()
	clientConfig.RootCAs, clientConfig.ServerName = pool, "127.0.0.1"
	for _, implicit := range []bool{true, false} {
		server := start(t, func(o *mailtest.Options) { o.TLS, o.ImplicitTLS = config, implicit })
		dialIMAP, dialSMTP := imapclient.DialStartTLS, smtp.DialStartTLS
		if implicit {
			dialIMAP, dialSMTP = imapclient.DialTLS, smtp.DialTLS
		}
		in, err := dialIMAP(server.IMAPAddr(), &imapclient.Options{TLSConfig: clientConfig})
		if err != nil {
			t.Fatalf("implicit %v: %v", implicit, err)
		}
		if err := in.Login(bustia, secret).Wait(); err != nil {
			t.Errorf("implicit %v: %v", implicit, err)
		}
		_ = in.Close()
		out, err := dialSMTP(server.SMTPAddr(), clientConfig)
		if err != nil {
			t.Fatalf("implicit %v: %v", implicit, err)
		}
		if err := out.Auth(sasl.NewPlainClient("", bustia, secret)); err != nil {
			t.Errorf("implicit %v: %v", implicit, err)
		}
		_ = out.Close()
	}
}
