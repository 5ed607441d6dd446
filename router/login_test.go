package router

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// What the configuration says is what servers are logged in to with, and one application's mailboxes
// share a token, to read and to send.
func TestLogin(t *testing.T) {
	const box = "bustia@example.cat"
	tokens := &mailtest.TokenServer{ClientID: "app", ClientSecret: "battery", RefreshToken: "staple", Username: box}
	web := httptest.NewServer(tokens)
	t.Cleanup(web.Close)
	r := &Router{}
	initial := func(s config.Server) string {
		t.Helper()
		attempt, err := r.Login(s).Begin(t.Context(), func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		mechanism, first, err := attempt.Start()
		if err != nil {
			t.Fatal(err)
		}
		return mechanism + " " + string(first)
	}
	byToken := config.Server{Username: box, OAuth: &config.OAuth{Mechanism: config.OAuthBearer, TokenURL: web.URL + "/token", ClientID: "app",
		ClientSecret: config.NewSecret("battery"), RefreshToken: config.NewSecret("staple"), Scopes: []string{"a", "b"}}}
	toRead := initial(byToken)
	byToken.OAuth.Mechanism = config.XOAUTH2
	toSend := initial(byToken)
	token, _, _ := strings.Cut(strings.TrimPrefix(toRead, "OAUTHBEARER n,a="+box+",\x01auth=Bearer "), "\x01")
	if !tokens.Good(box, token) || toSend != "XOAUTH2 user="+box+"\x01auth=Bearer "+token+"\x01\x01" {
		t.Errorf("sends %q and %q, want the same good token", toRead, toSend)
	}
	if got := tokens.Asked(); got != 1 {
		t.Errorf("asked for %d tokens, want 1", got)
	}
	if got, want := initial(config.Server{Username: box, Password: config.NewSecret("battery")}), "PLAIN \x00"+box+"\x00battery"; got != want {
		t.Errorf("sends %q, want %q", got, want)
	}
	if !r.Login(config.Server{}).None() {
		t.Error("logs in where no username is configured")
	}
}
