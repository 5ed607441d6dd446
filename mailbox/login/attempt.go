package login

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
)

// Attempt is one login over one connection: a SASL client, which go-imap takes as it is. After any
// error the connection is good for nothing but to be closed.
type Attempt struct {
	sasl.Client
	bearer   *bearer // nil = a password
	source   *source // of the token
	kept     bool    // the token is not fresh
	password string
}

// String keeps what is sent out of logs and %v.
func (a *Attempt) String() string { return "[login]" }

// Format keeps it out of every verb, %#v and %d included.
func (a *Attempt) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) } // a State has no error to give

// MarshalText is String, for JSON.
func (a *Attempt) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Refused is told that the server has said no for good, which err is, and gives the error that says
// all of it. The token is not used again.
func (a *Attempt) Refused(err error) error {
	refused := &RefusedError{Err: err}
	if a.bearer != nil {
		a.source.drop(a.bearer.token)
		refused.Said, refused.Stale = a.Scrub(a.bearer.said), a.kept
	}
	return refused
}

// Scrub takes the password or the token, also in base64 as it is sent, out of what the server has
// said: some repeat the command they did not like.
func (a *Attempt) Scrub(text string) string {
	if a.bearer == nil {
		text = scrub(text, a.password, encode(a.password))
	} else {
		text = scrub(text, a.bearer.token)
	}
	if _, first, err := a.Client.Start(); err == nil && len(first) > 0 {
		text = scrub(text, encode(string(first)))
	}
	return text
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// bearer is the client of XOAUTH2 and OAUTHBEARER.
type bearer struct {
	mechanism, username, token string
	said                       string // why the server refuses
}

func (b *bearer) Start() (mechanism string, initial []byte, err error) {
	if b.mechanism == XOAUTH2 {
		return XOAUTH2, []byte("user=" + b.username + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
	}
	// RFC 5801 section 4: "," and "=" end the name.
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(b.username)
	return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: name, Token: b.token}).Start()
}

// Next is only called when the server refuses, to say why. It waits for an answer before its no: an
// empty one, or the byte 1 by RFC 7628 section 3.2.3.
func (b *bearer) Next(challenge []byte) (response []byte, err error) {
	b.said = explain(challenge)
	if b.mechanism == XOAUTH2 {
		return []byte{}, nil
	}
	return []byte{1}, nil
}

// explain makes a line for the operator of the JSON in which a server says why it refuses a token.
func explain(challenge []byte) string {
	const longest = 2 << 10
	var fields map[string]any
	if len(challenge) > longest || json.Unmarshal(challenge, &fields) != nil {
		return oneLine(string(challenge))
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if value := fields[name]; value != "" && value != nil {
			parts = append(parts, fmt.Sprintf("%s %v", name, value))
		}
	}
	return oneLine(strings.Join(parts, ", "))
}

// byPrompts is the client of LOGIN. What the prompts say differs from server to server and does not
// matter; their order does not differ.
type byPrompts struct{ answers []string }

func (p *byPrompts) Start() (mechanism string, initial []byte, err error) {
	return sasl.Login, nil, nil
}

func (p *byPrompts) Next([]byte) (response []byte, err error) {
	if len(p.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	response, p.answers = []byte(p.answers[0]), p.answers[1:]
	return response, nil
}
