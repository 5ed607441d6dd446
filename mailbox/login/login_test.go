package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox/mailtest"
)

const (
	bustia = "bustia@example.cat"
	secret = "correct horse"
)

// straight is a connection to a handler without a network, which a bubble of synctest can hold.
type straight struct{ http.Handler }

func (s straight) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// credentialsOf are credentials with a token server behind them.
func credentialsOf(handler http.Handler, g Grant) Credentials {
	var k Keeper
	g.TokenURL = "https://login.example.org/token"
	c := k.Credentials(bustia, "xoauth2", g)
	c.source.client.Transport = straight{handler}
	return c
}

// application is a token server and credentials by client credentials of it.
func application() (*mailtest.TokenServer, Credentials) {
	server := &mailtest.TokenServer{ClientID: "app", ClientSecret: secret, Username: bustia, Lifetime: time.Hour}
	return server, credentialsOf(server, Grant{ClientID: "app", ClientSecret: secret})
}

func anything(string) bool { return true }

func only(mechanisms ...string) func(string) bool {
	return func(m string) bool { return strings.Contains(" "+strings.Join(mechanisms, " ")+" ", " "+m+" ") }
}

// begin begins a login that must begin.
func begin(t *testing.T, c Credentials) *Attempt {
	t.Helper()
	a, err := c.Begin(t.Context(), anything)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGrants(t *testing.T) {
	check := func(name string, g Grant, want url.Values) {
		t.Helper()
		var got []url.Values
		c := credentialsOf(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			got = append(got, r.PostForm)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"t1","token_type":"Bearer","expires_in":"3599","refresh_token":"r2"}`)
		}), g)
		a := begin(t, c)
		if a.bearer.token != "t1" {
			t.Errorf("%s: got the token %q", name, a.bearer.token)
		}
		if diff := cmp.Diff([]url.Values{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		a.Refused(errors.New("535"))
		begin(t, c)
		if g.RefreshToken != "" {
			want.Set("refresh_token", "r2") // the new one is used from now on
		}
		if diff := cmp.Diff(want, got[1]); diff != "" {
			t.Errorf("%s, again (-want +got):\n%s", name, diff)
		}
	}
	check("client credentials", Grant{ClientID: "app", ClientSecret: secret, Scope: "https://mail.example.org/.default"},
		url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {secret}, "scope": {"https://mail.example.org/.default"}})
	check("refresh", Grant{ClientID: "app", ClientSecret: secret, RefreshToken: "r1"},
		url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "client_secret": {secret}, "refresh_token": {"r1"}})
	check("refresh with scopes", Grant{ClientID: "app", ClientSecret: secret, RefreshToken: "r1", Scope: "a b"},
		url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "client_secret": {secret}, "refresh_token": {"r1"}, "scope": {"a b"}})
}

func TestKeptUntilShortlyBeforeExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, c := application()
		check := func(wait time.Duration, asked int) {
			t.Helper()
			time.Sleep(wait) // the bubble's time
			begin(t, c)
			if got := server.Asked(); got != asked {
				t.Errorf("asked %d times, want %d", got, asked)
			}
		}
		check(0, 1)
		check(58*time.Minute, 1)
		check(time.Minute+time.Second, 2)
		check(58*time.Minute, 2)
		server.Lifetime = 30 * time.Second // too short to be kept
		check(2*time.Minute, 3)
		check(0, 4)
		server.Lifetime = 0 // for ever, as far as we are told
		check(0, 5)
		check(1000*time.Hour, 5)
	})
}

// A hundred mailboxes of one application begin at once: one of them asks, and what it hears all hear.
func TestOneAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, c := application()
		slowly := func(answer http.HandlerFunc) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(10 * time.Second)
				answer(w, r)
			})
		}
		all := func() (failed int) {
			var group sync.WaitGroup
			var mu sync.Mutex
			for range 100 {
				group.Go(func() {
					if _, err := c.Begin(t.Context(), anything); err != nil {
						mu.Lock()
						failed++
						mu.Unlock()
					}
				})
			}
			group.Wait()
			return failed
		}
		c.source.client.Transport = straight{slowly(server.ServeHTTP)}
		if failed := all(); failed != 0 || server.Asked() != 1 {
			t.Errorf("%d failed, asked %d times; want 0 and 1", failed, server.Asked())
		}
		time.Sleep(time.Hour)
		server.Fail(mailtest.RefuseGrant("invalid_client", ""))
		if failed := all(); failed != 100 || server.Asked() != 2 {
			t.Errorf("%d failed, asked %d times; want 100 and 2", failed, server.Asked())
		}
		server.Fail(nil) // what was heard then does not count now
		if failed := all(); failed != 0 || server.Asked() != 3 {
			t.Errorf("%d failed, asked %d times; want 0 and 3", failed, server.Asked())
		}
	})
}

// Who gives up waiting neither waits on nor spoils it for the others.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, c := application()
		c.source.client.Transport = straight{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(20 * time.Second):
				server.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})}
		begun := time.Now()
		try := func(patience time.Duration) (after time.Duration, err error) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err = c.Begin(ctx, anything)
			return time.Since(begun), err
		}
		var group sync.WaitGroup
		group.Go(func() { // asks
			if after, err := try(5 * time.Second); after != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("first: after %v: %v", after, err)
			}
		})
		synctest.Wait()
		group.Go(func() { // waits
			if after, err := try(3 * time.Second); after != 3*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("second: after %v: %v", after, err)
			}
		})
		group.Go(func() { // waits, and asks when the first has given up
			if after, err := try(time.Hour); after != 25*time.Second || err != nil {
				t.Errorf("third: after %v: %v", after, err)
			}
		})
		group.Wait()
	})
}

func TestRefusedTokenIsNotUsedAgain(t *testing.T) {
	server, c := application()
	first := begin(t, c)
	if err := first.Refused(errors.New("535")); Stale(err) {
		t.Errorf("%v: a fresh token is stale", err)
	}
	second := begin(t, c)
	third := begin(t, c)
	if second.bearer.token == first.bearer.token || third.bearer.token != second.bearer.token {
		t.Error("the refused token is used again, or the good one is not")
	}
	if err := third.Refused(errors.New("535")); !Stale(fmt.Errorf("auth: %w", err)) {
		t.Errorf("%v: a token that was kept is not stale", err)
	}
	fourth := begin(t, c)
	if err := second.Refused(errors.New("535")); err == nil { // late; the fourth is another token
		t.Error("no error")
	}
	if fifth := begin(t, c); fifth.bearer.token != fourth.bearer.token {
		t.Error("a token was thrown away for another's refusal")
	}
	if server.Asked() != 3 {
		t.Errorf("asked %d times, want 3", server.Asked())
	}
	if Stale(begin(t, Password("u", "p")).Refused(errors.New("535"))) {
		t.Error("a password is stale")
	}
}

func TestOneGrantOneSource(t *testing.T) {
	var k Keeper
	g := Grant{TokenURL: "https://login.example.org/", ClientID: "app", ClientSecret: secret}
	other := g
	other.ClientSecret = "battery"
	a, b, c := k.Credentials("a@example.cat", "XOAUTH2", g), k.Credentials("b@example.cat", "oauthbearer", g), k.Credentials("a@example.cat", "XOAUTH2", other)
	if a.source != b.source || a.source == c.source {
		t.Error("want one source for one grant, and another for another")
	}
}

// What a token server may say instead of a token, and who has to see to it.
func TestFailures(t *testing.T) {
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	check := func(name string, fault http.HandlerFunc, code, want string) {
		t.Helper()
		c := credentialsOf(fault, Grant{ClientID: "app", ClientSecret: secret, RefreshToken: "battery"})
		_, err := c.Begin(t.Context(), anything)
		if err == nil {
			t.Errorf("%s: got a token", name)
			return
		}
		var dead *GrantError
		got := ""
		if errors.As(err, &dead) {
			got = dead.Code
		}
		if got != code || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v (code %q), want %q and %q", name, err, got, code, want)
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "battery") {
			t.Errorf("%s: %v shows a secret", name, err)
		}
	}
	const json = "application/json; charset=utf-8"
	check("revoked", mailtest.RefuseGrant("invalid_grant", "Token has been expired or revoked."), "invalid_grant",
		"https://login.example.org/token gives no token: invalid_grant: Token has been expired or revoked.")
	check("client secret expired", answer(401, json, `{"error":"invalid_client","error_description":"AADSTS7000222: The secret correct horse has expired.\r\nTrace ID: 1","error_codes":[7000222]}`),
		"invalid_client", "AADSTS7000222: The secret [secret] has expired. Trace ID: 1")
	check("not allowed", answer(400, json, `{"error":"unauthorized_client"}`), "unauthorized_client", "")
	check("unheard of", answer(403, json, `{"error":"battery_flat"}`), "[secret]_flat", "")
	check("no, with 200", answer(200, json, `{"error":"invalid_grant"}`), "invalid_grant", "")
	check("in a form", answer(400, "text/plain", `error=invalid_grant`), "invalid_grant", "")
	check("busy", answer(503, json, `{"error":"temporarily_unavailable"}`), "", "503 Service Unavailable temporarily_unavailable")
	check("busy, with 400", answer(400, json, `{"error":"temporarily_unavailable"}`), "", "temporarily_unavailable")
	check("broken", answer(500, json, `{"error":"invalid_grant"}`), "", "500")
	check("too often", answer(429, json, `{"error":"invalid_request"}`), "", "429")
	check("wrong address", answer(404, "text/html", "<h1>correct horse</h1>"), "", "404 Not Found")
	check("no JSON", answer(200, "text/html", "<h1>Welcome</h1>"), "", "cannot parse json")
	check("no token in it", answer(200, json, `{"token_type":"Bearer"}`), "", "missing access_token")
	check("a token that is none", answer(200, json, `{"access_token":"a\r\nb"}`), "", "RFC 6750")
	check("elsewhere", http.RedirectHandler("https://elsewhere.example.org/token", http.StatusTemporaryRedirect).ServeHTTP, "", "307 Temporary Redirect")
}

func TestNetworkFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := credentialsOf(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), Grant{})
		_, err := c.Begin(t.Context(), anything)
		var dead *GrantError
		if after := time.Since(begun); after != 30*time.Second || !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &dead) {
			t.Errorf("a silent server: after %v: %v", after, err)
		}
	})
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var k Keeper
	_, err := k.Credentials(bustia, XOAUTH2, Grant{TokenURL: server.URL}).Begin(t.Context(), anything)
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Count(err.Error(), server.URL) != 1 {
		t.Errorf("nobody listens: got %v", err)
	}
}

func TestMechanisms(t *testing.T) {
	check := func(name string, c Credentials, offers func(string) bool, want string, then ...string) {
		t.Helper()
		a, err := c.Begin(t.Context(), offers)
		if err != nil {
			if err.Error() != want || !errors.Is(err, ErrNotOffered) {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
			return
		}
		mechanism, initial, err := a.Start()
		if err != nil {
			t.Fatal(err)
		}
		got := []string{mechanism + " " + string(initial)}
		for range then {
			response, err := a.Next([]byte("{}"))
			if err != nil || response == nil {
				t.Errorf("%s: got %q, %v", name, response, err)
			}
			got = append(got, string(response))
		}
		if diff := cmp.Diff(append([]string{want}, then...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	fixed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"t0"}`)
	})
	password := Password(bustia, secret)
	token := credentialsOf(fixed, Grant{})
	standard := token
	standard.mechanism = OAUTHBEARER
	odd := standard
	odd.username = "a,b=c"
	check("plain first", password, anything, "PLAIN \x00bustia@example.cat\x00correct horse")
	check("login", password, only("LOGIN", "CRAM-MD5"), "LOGIN ", bustia, secret)
	check("neither", password, only("GSSAPI"), "the server offers no login that we know")
	check("xoauth2", token, anything, "XOAUTH2 user=bustia@example.cat\x01auth=Bearer t0\x01\x01", "")
	check("oauthbearer", standard, anything, "OAUTHBEARER n,a=bustia@example.cat,\x01auth=Bearer t0\x01\x01", "\x01")
	check("oauthbearer, odd name", odd, anything, "OAUTHBEARER n,a=a=2Cb=3Dc,\x01auth=Bearer t0\x01\x01")
	check("no token in the clear", token, only("PLAIN", "OAUTHBEARER"), "the server offers no login that we know: XOAUTH2")

	login, err := password.Begin(t.Context(), only("LOGIN"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := login.Next(nil); err != nil {
			t.Error(err)
		}
	}
	if response, err := login.Next(nil); err == nil {
		t.Errorf("a third prompt gets %q", response)
	}
	if !(Credentials{}).None() || password.None() || token.None() {
		t.Error("None is wrong")
	}
}

func TestExplain(t *testing.T) {
	check := func(challenge, want string) {
		t.Helper()
		_, c := application()
		a := begin(t, c)
		if _, err := a.Next([]byte(strings.ReplaceAll(challenge, "TOKEN", a.bearer.token))); err != nil {
			t.Error(err)
		}
		no := errors.New("NO")
		err := a.Refused(no)
		if !errors.Is(err, no) || err.Error() != want {
			t.Errorf("%s: got %q, want %q", challenge, err, want)
		}
	}
	check(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, "NO (the server says: schemes Bearer, scope https://mail.google.com/, status 400)")
	check(`{"status":"invalid_token","scope":"","openid-configuration":null}`, "NO (the server says: status invalid_token)")
	check(`{"status":"401","token":"TOKEN"}`, "NO (the server says: status 401, token [secret])")
	check(`{"status":401,"more":{"a":["b\nc"]}}`, "NO (the server says: more map[a:[b c]], status 401)")
	check("token TOKEN\r\nis \x1bold", "NO (the server says: token [secret] is old)")
	check("", "NO")
	check("{}", "NO")
}

func TestSecretsDoNotPrint(t *testing.T) {
	_, c := application()
	grant := Grant{TokenURL: "https://login.example.org/", ClientID: "app", ClientSecret: secret, RefreshToken: secret}
	withToken, withPassword := begin(t, c), begin(t, Password(bustia, secret))
	token := withToken.bearer.token
	check := func(got string) {
		t.Helper()
		if got == "" || strings.Contains(got, secret) || strings.Contains(got, token) || strings.Contains(got, bustia) {
			t.Errorf("prints %s", got)
		}
	}
	for _, value := range []any{c, Password(bustia, secret), grant, withToken, withPassword, struct{ V any }{grant}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			check(fmt.Sprintf(format, value))
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		check(log.String())
	}
	for _, a := range []*Attempt{withToken, withPassword} {
		_, initial, err := a.Start()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{string(initial), encode(string(initial)), secret, encode(secret), token} {
			got := a.Scrub("unknown command AUTHENTICATE X " + line)
			if strings.Contains(got, encode(string(initial))) || strings.Contains(got, encode(secret)) && a == withPassword {
				t.Errorf("%s keeps the command", got)
			}
			if a == withToken && strings.Contains(got, token) || a == withPassword && strings.Contains(got, secret) {
				t.Errorf("%s keeps the secret", got)
			}
		}
	}
}

// Whatever a mail server gives as its reason, it is one short printable line.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`))
	f.Add([]byte(`{"a":{"b":[1,2,"t0"]}}`))
	f.Add([]byte("\xff\x00\x1b[31m"))
	f.Fuzz(func(t *testing.T, challenge []byte) {
		got := explain(challenge)
		if utf8.RuneCountInString(got) > longestLine+1 {
			t.Errorf("%d runes", utf8.RuneCountInString(got))
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q is not printable at %d", got, i)
		}
	})
}

// Whatever a token server answers, there is a token that can be sent or an error that shows no secret.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"access_token":"t0","expires_in":3599}`))
	f.Add(400, "application/json", []byte(`{"error":"invalid_grant","error_description":"correct horse"}`))
	f.Add(200, "text/plain", []byte(`access_token=a%00b&expires_in=-1`))
	f.Add(302, "", []byte(`<html>correct horse`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		c := credentialsOf(nil, Grant{ClientSecret: secret})
		c.source.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
			header := http.Header{"Content-Type": {contentType}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, nil
		})
		a, err := c.Begin(t.Context(), anything)
		switch {
		case err == nil:
			if _, initial, _ := a.Start(); strings.Count(string(initial), "\x01") != 3 {
				t.Errorf("sends %q", initial)
			}
		case strings.Contains(err.Error(), secret) || len(err.Error()) > 8<<10:
			t.Errorf("error: %v", err)
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
