package fetch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// withTokens gives a token server, a mail server that takes its tokens, and an account that logs in
// with them. change may alter the mail server before it is made.
func withTokens(t *testing.T, mechanism string, change func(*mailtest.Options)) (*mailtest.TokenServer, *mailtest.Server, Account) {
	t.Helper()
	tokens := &mailtest.TokenServer{ClientID: "app", ClientSecret: secret, RefreshToken: "r1", Username: bustia, Length: 2000}
	web := httptest.NewServer(tokens)
	t.Cleanup(web.Close)
	options := mailtest.Options{Users: map[string]string{bustia: secret}, Token: tokens.Good}
	if change != nil {
		change(&options)
	}
	server, err := mailtest.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	var keeper login.Keeper
	a := account(t, server.IMAPAddr())
	a.Login = keeper.Credentials(bustia, mechanism, login.Grant{TokenURL: web.URL + "/token", ClientID: "app", ClientSecret: secret, RefreshToken: "r1"})
	return tokens, server, a
}

func TestToken(t *testing.T) {
	for _, mechanism := range []string{login.XOAUTH2, login.OAUTHBEARER} {
		tokens, server, a := withTokens(t, mechanism, nil)
		check := func(what string, asked, connections int) {
			t.Helper()
			if err := Check(t.Context(), a); err != nil {
				t.Errorf("%s, %s: %v", mechanism, what, err)
			}
			if tokens.Asked() != asked || server.IMAPConnections() != connections {
				t.Errorf("%s, %s: asked for %d tokens on %d connections, want %d on %d", mechanism, what, tokens.Asked(), server.IMAPConnections(), asked, connections)
			}
		}
		check("first", 1, 1)
		check("kept", 1, 2)
		tokens.Revoke()
		check("refused and renewed", 2, 4)
	}
}

func TestTokenRefused(t *testing.T) {
	check := func(mechanism, want string) {
		t.Helper()
		var sent string
		tokens, server, a := withTokens(t, mechanism, func(o *mailtest.Options) {
			o.Token = func(_, token string) bool { sent = token; return false }
		})
		err := Check(t.Context(), a)
		var refused *LoginError
		if !errors.As(err, &refused) || err.Error() != want {
			t.Errorf("%s: got %v, want a LoginError: %s", mechanism, err, want)
		}
		if sent == "" || strings.Contains(err.Error(), sent) {
			t.Errorf("%s: %v shows the token, or none was sent", mechanism, err)
		}
		if tokens.Asked() != 1 || server.IMAPConnections() != 1 { // a fresh token: there is no point in another at once
			t.Errorf("%s: asked for %d tokens on %d connections, want 1 on 1", mechanism, tokens.Asked(), server.IMAPConnections())
		}
	}
	check(login.XOAUTH2, `login to mailbox "general": imap: NO [AUTHENTICATIONFAILED] Authentication failed (the server says: schemes Bearer, scope https://mail.example.org/, status 400)`)
	check(login.OAUTHBEARER, `login to mailbox "general": imap: NO [AUTHENTICATIONFAILED] Authentication failed (the server says: schemes bearer, status invalid_token)`)

	_, _, a := withTokens(t, login.XOAUTH2, func(o *mailtest.Options) { o.Token = nil })
	var refused *LoginError
	if err := Check(t.Context(), a); !errors.Is(err, login.ErrNotOffered) || errors.As(err, &refused) {
		t.Errorf("got %v, want that it is not offered", err)
	}
}

// heard is a log that tells when something is said in it.
type heard struct {
	bytes.Buffer
	what string
	said chan struct{}
}

func (h *heard) Write(line []byte) (int, error) {
	n, err := h.Buffer.Write(line)
	if bytes.Contains(line, []byte(h.what)) {
		h.said <- struct{}{}
	}
	return n, err
}

// A withdrawn grant is tried again at the pace of a refused login, and told apart from the network's
// trouble; once somebody has renewed it, reading goes on by itself.
func TestWithdrawnGrant(t *testing.T) {
	tokens, server, a := withTokens(t, login.XOAUTH2, nil)
	tried := make(chan struct{}, 1000)
	tokens.Fail(func(w http.ResponseWriter, r *http.Request) {
		tried <- struct{}{}
		mailtest.RefuseGrant("invalid_grant", "Token has been revoked.")(w, r)
	})
	k := &taker{changed: server.Wake}
	log := heard{what: "reading the mailbox goes on", said: make(chan struct{}, 1000)}
	l := newLoop(a, k.receiver(), slog.New(slog.NewTextHandler(&log, nil)))
	l.pace.first, l.pace.refused, l.pace.last = time.Nanosecond, time.Millisecond, 8*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	for range 4 {
		<-tried
	}
	if err := server.Deliver(bustia, mailOf(1), arrived); err != nil {
		t.Fatal(err)
	}
	tokens.Fail(nil)
	<-log.said
	cancel()
	<-done
	if got := strings.Count(log.String(), `level=ERROR msg="the mailbox cannot be logged in to"`); got < 4 {
		t.Errorf("told %d times, want 4 at least", got)
	}
	if want := "/token gives no token: invalid_grant: Token has been revoked."; !strings.Contains(log.String(), want) {
		t.Errorf("no %q in the log", want)
	}
	if got := len(k.uids()); got != 1 {
		t.Errorf("got %d mails, want 1", got)
	}
	if strings.Contains(log.String(), secret) || strings.Contains(log.String(), "interrupted") || t.Failed() {
		t.Errorf("logged:\n%s", log.String())
	}
	dead := &LoginError{Mailbox: "general", Err: &login.GrantError{Code: "invalid_grant"}}
	if got := usualPace().backoff(2, dead, 0); got != 2*time.Minute {
		t.Errorf("the second wait is %v, want two minutes", got)
	}
}
