//go:build integration

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/bustia/bustia/mailbox/fetch"
	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/mailtest"
	"github.com/bustia/bustia/mailbox/submit"
)

// startTokenServers starts a Dovecot and a Postfix that take passwords and the tokens of the token
// server at web.
func startTokenServers(t *testing.T, web string, users []string) *servers {
	t.Helper()
	requireServers(t)
	dir := serverDir(t)
	ports := freePorts(t, 5)
	s := &servers{IMAPHost: loopback, IMAPPort: ports[0], IMAPSPort: ports[1], SubmissionPort: ports[2], CAFile: filepath.Join(dir, "ca.pem")}
	var err error
	if s.roots, err = writeCertificates(dir); err != nil {
		t.Fatal(err)
	}
	introspection := filepath.Join(dir, "oauth2.conf")
	if err := writeConfig(introspection, "", fmt.Sprintf(`
introspection_url = %s/introspect
introspection_mode = post
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
`, web)); err != nil {
		t.Fatal(err)
	}
	imap := dovecotServer{dir: dir, imap: s.IMAPPort, imaps: s.IMAPSPort, lmtp: ports[3], auth: ports[4], users: users, settings: fmt.Sprintf(`
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = %s
}
# A refused token need not cost the next login seconds.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`, introspection)}
	mta := postfixServer{dir: dir, submission: s.SubmissionPort, lmtp: imap.lmtp, auth: imap.auth, users: users}
	var all errgroup.Group
	all.Go(func() error { return imap.start(t) })
	all.Go(func() error { return mta.start(t) })
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTokens logs in to Dovecot and to Postfix, which asks Dovecot, with tokens as long as Microsoft's.
// Dovecot asks the token server about each.
func TestTokens(t *testing.T) {
	const bustia, citizen, other = "bustia@example.cat", "citizen@example.org", "other@example.cat"
	tokens := &mailtest.TokenServer{ClientID: "app", ClientSecret: "expires", Username: bustia, Length: 2500}
	web := httptest.NewServer(tokens)
	t.Cleanup(web.Close)
	s := startTokenServers(t, web.URL, []string{bustia, citizen, other})
	grant := login.Grant{TokenURL: web.URL + "/token", ClientID: "app", ClientSecret: "expires"}

	for _, mechanism := range []string{login.XOAUTH2, login.OAUTHBEARER} {
		t.Run(mechanism, func(t *testing.T) {
			var keeper login.Keeper
			account := fetch.Account{Mailbox: "general", Host: s.IMAPHost, Port: s.IMAPPort, TLS: "starttls", CAs: s.roots,
				Login: keeper.Credentials(bustia, mechanism, grant)}
			server := submit.Server{Host: s.IMAPHost, Port: s.SubmissionPort, TLS: "starttls", CAs: s.roots, Login: account.Login}
			before := tokens.Asked()
			check := func(what string, asked int) {
				t.Helper()
				if err := fetch.Check(t.Context(), account); err != nil {
					t.Errorf("%s: read: %v", what, err)
				}
				subject := mechanism + " " + what
				client := submit.New(server)
				defer client.Close()
				raw := fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\nBon dia.\r\n", bustia, citizen, subject)
				if err := client.Send(t.Context(), submit.Envelope{ReversePath: bustia, Recipient: citizen}, raw); err != nil {
					t.Errorf("%s: send: %v", what, err)
					return
				}
				s.waitMail(t, citizen, func(raw []byte) bool { return bytes.Contains(raw, []byte("\r\nSubject: "+subject+"\r\n")) })
				if got := tokens.Asked() - before; got != asked {
					t.Errorf("%s: asked for %d tokens, want %d", what, got, asked)
				}
			}
			check("with one token", 1)
			tokens.Revoke()
			check("with another when that is dropped", 2)

			tokens.Revoke()
			tokens.Fail(mailtest.RefuseGrant("invalid_client", "The client secret has expired."))
			defer tokens.Fail(nil)
			var dead *login.GrantError
			var refused *fetch.LoginError
			if err := fetch.Check(t.Context(), account); !errors.As(err, &dead) || !errors.As(err, &refused) {
				t.Errorf("read without a token: got %v, want a *login.GrantError", err)
			}
			client := submit.New(server)
			defer client.Close()
			var failed *submit.Error
			err := client.Send(t.Context(), submit.Envelope{ReversePath: bustia, Recipient: citizen}, []byte("Subject: x\r\n\r\n"))
			if !errors.As(err, &dead) || !errors.As(err, &failed) || failed.Permanent || failed.Phase != submit.PhaseAuth {
				t.Errorf("send without a token: got %v, want a *login.GrantError", err)
			}
		})
		t.Run(mechanism+" of somebody else", func(t *testing.T) {
			var keeper login.Keeper
			credentials := keeper.Credentials(other, mechanism, grant)
			account := fetch.Account{Mailbox: "other", Host: s.IMAPHost, Port: s.IMAPSPort, CAs: s.roots, Login: credentials}
			var refused *login.RefusedError
			err := fetch.Check(t.Context(), account)
			// QUIRK: go-imap writes an empty answer as "=", which Dovecot takes for a mistake in base64: BAD.
			if !errors.As(err, &refused) || refused.Stale || refused.Said == "" {
				t.Errorf("read: got %v, want a *login.RefusedError that says why", err)
			}
			t.Logf("read: %v", err)
			client := submit.New(submit.Server{Host: s.IMAPHost, Port: s.SubmissionPort, TLS: "starttls", CAs: s.roots, Login: credentials})
			defer client.Close()
			err = client.Send(t.Context(), submit.Envelope{ReversePath: other, Recipient: citizen}, []byte("Subject: x\r\n\r\n"))
			if !errors.As(err, &refused) || refused.Said == "" || !strings.Contains(err.Error(), "535") {
				t.Errorf("send: got %v, want a *login.RefusedError that says why", err)
			}
			t.Logf("send: %v", err)
		})
	}
	t.Run("password", func(t *testing.T) {
		account := fetch.Account{Mailbox: "general", Host: s.IMAPHost, Port: s.IMAPSPort, CAs: s.roots, Login: login.Password(bustia, password(bustia))}
		if err := fetch.Check(t.Context(), account); err != nil {
			t.Error(err)
		}
	})
}
