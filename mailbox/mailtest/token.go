package mailtest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// TokenServer gives out the tokens of OAuth 2 at /token: by client credentials (RFC 6749 section 4.4),
// or by a refresh (section 6). At /introspect it says whose a token is (RFC 7662). It is a handler: who
// uses it gives it a listener. Set its fields before.
type TokenServer struct {
	ClientID, ClientSecret string
	RefreshToken           string        // "" = no refresh
	Username               string        // whose every token is
	Lifetime               time.Duration // as told with each token; 0 = nothing is told
	Length                 int           // of a token at least, in bytes; real ones have two thousand

	mu    sync.Mutex
	good  map[string]bool
	asked int
	fault http.HandlerFunc
}

// Asked counts the tokens that were asked for.
func (t *TokenServer) Asked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// Revoke makes all tokens given so far worth nothing.
func (t *TokenServer) Revoke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.good)
}

// Fail has fault answer for tokens from now on; nil ends that.
func (t *TokenServer) Fail(fault http.HandlerFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = fault
}

// Good says whether username may log in with token. It fits Options.Token.
func (t *TokenServer) Good(username, token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.EqualFold(username, t.Username) && t.good[token]
}

// ServeHTTP answers one request.
func (t *TokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/token":
		t.mu.Lock()
		t.asked++
		fault := t.fault
		t.mu.Unlock()
		if fault == nil {
			fault = t.grant
		}
		fault(w, r)
	case "/introspect":
		writeJSON(w, http.StatusOK, map[string]any{"active": t.Good(t.Username, r.FormValue("token")), "username": t.Username})
	default:
		http.NotFound(w, r)
	}
}

// grant gives a token to who may have one.
func (t *TokenServer) grant(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	switch grant := r.PostFormValue("grant_type"); {
	case id != t.ClientID || secret != t.ClientSecret:
		RefuseGrant("invalid_client", "The client secret is wrong or has expired.")(w, r)
	case grant == "client_credentials" && t.RefreshToken == "":
		t.give(w)
	case grant == "refresh_token" && t.RefreshToken != "" && r.PostFormValue("refresh_token") == t.RefreshToken:
		t.give(w)
	default:
		RefuseGrant("invalid_grant", "Token has been expired or revoked.")(w, r)
	}
}

func (t *TokenServer) give(w http.ResponseWriter) {
	token := rand.Text()
	token += strings.Repeat("x", max(0, t.Length-len(token)))
	t.mu.Lock()
	if t.good == nil {
		t.good = map[string]bool{}
	}
	t.good[token] = true
	t.mu.Unlock()
	answer := map[string]any{"access_token": token, "token_type": "Bearer"}
	if t.Lifetime > 0 {
		answer["expires_in"] = int(t.Lifetime.Seconds())
	}
	writeJSON(w, http.StatusOK, answer)
}

// RefuseGrant answers as a token server does that gives no token (RFC 6749 section 5.2).
func RefuseGrant(code, description string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": description})
	}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that is gone
}
