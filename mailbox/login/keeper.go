package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	askLimit = 30 * time.Second // for one answer of a token server
	margin   = time.Minute      // before its end a token is no longer used: a login takes time too
)

// Keeper keeps the tokens of every grant, so that all mailboxes of one application share them. The
// zero Keeper is ready to use, by many goroutines.
type Keeper struct {
	mu      sync.Mutex
	sources map[Grant]*source
}

// Credentials log username in by mechanism (XOAUTH2 or OAUTHBEARER, in any case) with tokens of g.
// Nothing is asked for before a login begins.
func (k *Keeper) Credentials(username, mechanism string, g Grant) Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sources[g]
	if s == nil {
		s = newSource(g)
		if k.sources == nil {
			k.sources = map[Grant]*source{}
		}
		k.sources[g] = s
	}
	return Credentials{username: username, mechanism: strings.ToUpper(mechanism), source: s}
}

// source is where the tokens of one grant come from.
type source struct {
	grant  Grant
	client *http.Client
	turn   chan struct{} // holds one token; who has it may ask and touch config
	config clientcredentials.Config

	mu      sync.Mutex
	kept    *oauth2.Token // nil = none
	answers int           // of the token server, until now
	err     error         // the last one, when it was no token
}

func newSource(g Grant) *source {
	s := &source{grant: g, turn: make(chan struct{}, 1)}
	// A redirect would carry the secret to who knows where.
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.config = clientcredentials.Config{
		ClientID: g.ClientID, ClientSecret: g.ClientSecret, TokenURL: g.TokenURL, Scopes: strings.Fields(g.Scope),
		AuthStyle: oauth2.AuthStyleInParams, // to try the other way too would double every failure
	}
	s.refreshBy(g.RefreshToken)
	return s
}

// refreshBy makes the next request one for a refresh (RFC 6749 section 6), unless there is nothing to
// do so with.
func (s *source) refreshBy(token string) {
	if token != "" {
		s.config.EndpointParams = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	}
}

// token gives a token that can be used now: one kept from earlier, or a new one.
func (s *source) token(ctx context.Context) (token string, kept bool, err error) {
	_, before, _ := s.state()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", false, context.Cause(ctx)
	}
	token, answers, err := s.state()
	switch {
	case token != "":
		return token, true, nil
	case err != nil && answers != before: // somebody has asked while we waited
		return "", false, err
	}
	fresh, err := s.ask(ctx)
	if ctx.Err() != nil { // that is no answer
		return "", false, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.err = fresh, err
	s.answers++
	if err != nil {
		return "", false, err
	}
	return fresh.AccessToken, false, nil
}

// state is the token kept, "" when there is none that lasts, and what the token server last said. A
// token's life is counted from its arrival on the clock of this machine, whatever the daemon's says.
func (s *source) state() (token string, answers int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != nil && (s.kept.Expiry.IsZero() || time.Until(s.kept.Expiry) > margin) {
		token = s.kept.AccessToken
	}
	return token, s.answers, s.err
}

// drop throws a token away, unless another has taken its place.
func (s *source) drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != nil && s.kept.AccessToken == token {
		s.kept = nil
	}
}

// ask gets a new token from the token server.
func (s *source) ask(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	token, err := s.config.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
	if err != nil {
		return nil, s.failure(err)
	}
	if strings.ContainsFunc(token.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("ask %s for a token: what it gives is none (RFC 6750 section 2.1)", s.grant.TokenURL)
	}
	if s.grant.RefreshToken != "" {
		s.refreshBy(token.RefreshToken) // a new one, perhaps
	}
	return token, nil
}

// failure tells a grant that is not honoured from passing trouble. Nothing of it shows a secret.
func (s *source) failure(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		var request *url.Error // names the URL once more
		if errors.As(err, &request) {
			err = request.Err
		}
		return fmt.Errorf("ask %s for a token: %w", s.grant.TokenURL, err)
	}
	refresh := s.config.EndpointParams.Get("refresh_token")
	code := oneLine(s.grant.scrub(answer.ErrorCode, refresh))
	description := oneLine(s.grant.scrub(answer.ErrorDescription, refresh))
	status := answer.Response.StatusCode
	switch {
	case code == "", passing(code), status >= 500, status == http.StatusTooManyRequests:
		return fmt.Errorf("ask %s for a token: it answers %s %s %s", s.grant.TokenURL, answer.Response.Status, code, description)
	}
	return &GrantError{TokenURL: s.grant.TokenURL, Code: code, Description: description}
}

// passing says that an error code speaks of the token server and not of the grant.
func passing(code string) bool {
	return code == "server_error" || code == "temporarily_unavailable" || code == "slow_down"
}
