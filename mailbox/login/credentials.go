package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-sasl"
)

// Mechanisms that send a token.
const (
	XOAUTH2     = "XOAUTH2"
	OAUTHBEARER = sasl.OAuthBearer
)

// ErrNotOffered is why no attempt can be made: the server knows no mechanism that would do.
var ErrNotOffered = errors.New("the server offers no login that we know")

// Credentials are what one mailbox logs in with. They do not print. The zero value is no login.
type Credentials struct {
	username  string
	password  string
	mechanism string // of the token
	source    *source
}

// Password is a login with a password.
func Password(username, password string) Credentials {
	return Credentials{username: username, password: password}
}

// None says that there is nothing to log in with.
func (c Credentials) None() bool { return c.username == "" }

// Password gives a password itself, for ways to log in that are not here. ok is false when it is a
// token that is sent.
func (c Credentials) Password() (username, password string, ok bool) {
	return c.username, c.password, c.source == nil
}

// Begin begins a login with a server that offers the mechanisms offers says yes to. It may ask the
// token server, until ctx ends and for 30 seconds at most. The error is ErrNotOffered, a *GrantError,
// or a token server's passing trouble.
func (c Credentials) Begin(ctx context.Context, offers func(mechanism string) bool) (*Attempt, error) {
	switch {
	case c.source != nil && offers(c.mechanism):
		token, kept, err := c.source.token(ctx)
		if err != nil {
			return nil, err
		}
		exchange := &bearer{mechanism: c.mechanism, username: c.username, token: token}
		return &Attempt{Client: exchange, bearer: exchange, source: c.source, kept: kept}, nil
	case c.source != nil:
		return nil, fmt.Errorf("%w: %s", ErrNotOffered, c.mechanism)
	case offers(sasl.Plain):
		return &Attempt{Client: sasl.NewPlainClient("", c.username, c.password), password: c.password}, nil
	case offers(sasl.Login):
		return &Attempt{Client: &byPrompts{answers: []string{c.username, c.password}}, password: c.password}, nil
	}
	return nil, ErrNotOffered
}

// String keeps the credentials out of logs and %v.
func (c Credentials) String() string { return "[credentials]" }

// Format keeps them out of every verb, %#v and %d included.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) } // a State has no error to give

// Grant is what an administrator was given to get tokens with: client credentials, or, with a refresh
// token, whatever a person once consented to. It does not print.
type Grant struct {
	TokenURL     string // the token endpoint
	ClientID     string
	ClientSecret string // "" = a public client, which has none
	RefreshToken string // "" = client credentials
	Scope        string // what the tokens are to be good for, with spaces in between; "" = what the server gives
}

// String is the token endpoint.
func (g Grant) String() string { return g.TokenURL }

// Format is String for every verb.
func (g Grant) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, g.String()) } // a State has no error to give

// MarshalText is String, for JSON.
func (g Grant) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// scrub takes the secrets of the grant, and further ones, out of what a server has said.
func (g Grant) scrub(text string, further ...string) string {
	return scrub(text, append(further, g.ClientSecret, g.RefreshToken)...)
}

// scrub takes secrets out of what a server has said. A very short one stays: its gaps in ordinary
// words would tell what it is.
func scrub(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, "[secret]")
		}
	}
	return text
}
