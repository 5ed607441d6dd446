package login

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// RefusedError is a mail server's refusal of a password or a token.
type RefusedError struct {
	Said  string // why, in a token's case: what the server's error challenge holds; "" = it gave none
	Stale bool   // the token was one kept from earlier: a new one may do
	Err   error  // the server's answer
}

func (e *RefusedError) Error() string {
	if e.Said == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (the server says: %s)", e.Err, e.Said)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// Stale says that a login failed for a token that was kept too long, so that one more attempt, on a
// new connection, is worth it.
func Stale(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Stale
}

// GrantError is a token server's word that it gives no token until somebody acts: the client secret
// has expired, the consent is withdrawn, the application is not allowed to.
type GrantError struct {
	TokenURL    string
	Code        string // error code (RFC 6749 section 5.2): invalid_grant, invalid_client, …
	Description string // the server's own words, one line; may be ""
}

func (e *GrantError) Error() string {
	if e.Description == "" {
		return fmt.Sprintf("%s gives no token: %s", e.TokenURL, e.Code)
	}
	return fmt.Sprintf("%s gives no token: %s: %s", e.TokenURL, e.Code, e.Description)
}

const longestLine = 500 // runes of a server's words that are kept

// oneLine makes a server's words, which may be many and any bytes, fit for a log.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > longestLine {
		s = string(r[:longestLine]) + "…"
	}
	return s
}
