package submit_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/mailtest"
	"github.com/bustia/bustia/mailbox/submit"
)

// startToken gives a token server, a server that takes its tokens and no others, and a client that
// logs in with them. change may alter the mail server before it is made.
func startToken(t *testing.T, mechanism string, length int, change func(*mailtest.Options)) (*mailtest.TokenServer, *mailtest.Server, *submit.Client) {
	t.Helper()
	tokens := &mailtest.TokenServer{ClientID: "app", ClientSecret: secret, Username: bustia, Length: length}
	web := httptest.NewServer(tokens)
	t.Cleanup(web.Close)
	var keeper login.Keeper
	server, client := start(t, func(o *mailtest.Options, s *submit.Server) {
		o.Token = tokens.Good
		s.Login = keeper.Credentials(bustia, mechanism, login.Grant{TokenURL: web.URL + "/token", ClientID: "app", ClientSecret: secret})
		if change != nil {
			change(o)
		}
	})
	return tokens, server, client
}

func TestToken(t *testing.T) {
	check := func(mechanism string, length int) {
		t.Helper()
		tokens, server, client := startToken(t, mechanism, length, nil)
		for range 2 {
			if err := send(t, client, ana); err != nil {
				t.Fatalf("%s, %d bytes: %v", mechanism, length, err)
			}
			server.HangUp()
		}
		if got := tokens.Asked(); got != 1 {
			t.Errorf("%s, %d bytes: asked for %d tokens, want 1", mechanism, length, got)
		}
		tokens.Revoke() // early, as servers do; nobody is to notice
		if err := send(t, client, ana); err != nil {
			t.Errorf("%s, %d bytes: %v", mechanism, length, err)
		}
		if got, n := tokens.Asked(), server.SMTPConnections(); got != 2 || n != 4 {
			t.Errorf("%s, %d bytes: asked for %d tokens on %d connections, want 2 on 4", mechanism, length, got, n)
		}
		if got := len(server.Accepted()); got != 3 {
			t.Errorf("%s, %d bytes: %d mails taken, want 3", mechanism, length, got)
		}
	}
	check(login.XOAUTH2, 0)
	check(login.XOAUTH2, 1200) // too long to stand behind AUTH
	check(login.OAUTHBEARER, 0)
	check(login.OAUTHBEARER, 1200)
}

func TestTokenRefused(t *testing.T) {
	check := func(mechanism, said string) {
		t.Helper()
		var seen []string
		tokens, server, client := startToken(t, mechanism, 0, func(o *mailtest.Options) {
			o.Token = func(_, token string) bool { seen = append(seen, token); return false }
		})
		for n := 1; n < 3; n++ { // a fresh token: there is no point in another at once
			err := send(t, client, ana)
			if diff := cmp.Diff(verdict{Code: 535, Enhanced: "5.7.8", Phase: "auth"}, verdictOf(t, err)); diff != "" {
				t.Errorf("%s: %v (-want +got):\n%s", mechanism, err, diff)
			}
			var refused *login.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), said) {
				t.Errorf("%s: got %v, want a *login.RefusedError with %q", mechanism, err, said)
			}
			if tokens.Asked() != n || server.SMTPConnections() != n || len(seen) != n {
				t.Errorf("%s: asked for %d tokens, sent %d on %d connections, want %d", mechanism, tokens.Asked(), len(seen), server.SMTPConnections(), n)
			}
			for _, token := range seen {
				if strings.Contains(err.Error(), token) {
					t.Errorf("%s: %v shows the token", mechanism, err)
				}
			}
		}
	}
	check(login.XOAUTH2, "auth: 535 5.7.8 Authentication failed (the server says: schemes Bearer, scope https://mail.example.org/, status 400)")
	check(login.OAUTHBEARER, "(the server says: schemes bearer, status invalid_token)")
}

func TestNoToken(t *testing.T) {
	tokens, server, client := startToken(t, login.XOAUTH2, 0, nil)
	tokens.Fail(mailtest.RefuseGrant("invalid_client", "The client secret has expired."))
	err := send(t, client, ana)
	var dead *login.GrantError
	if !errors.As(err, &dead) || dead.Code != "invalid_client" {
		t.Errorf("got %v, want a *login.GrantError", err)
	}
	if diff := cmp.Diff(verdict{Phase: "auth"}, verdictOf(t, err)); diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	tokens.Fail(nil) // somebody has made a new secret
	if err := send(t, client, ana); err != nil {
		t.Error(err)
	}
	if got := len(server.Accepted()); got != 1 {
		t.Errorf("%d mails taken, want 1", got)
	}

	_, _, client = startToken(t, login.XOAUTH2, 0, func(o *mailtest.Options) { o.Token = nil })
	if err := send(t, client, ana); !errors.Is(err, login.ErrNotOffered) || !strings.Contains(err.Error(), `XOAUTH2; it offers "PLAIN LOGIN"`) {
		t.Errorf("got %v, want that XOAUTH2 is not offered", err)
	}
}
