package router

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Purpose says what a signed reply address is good for.
type Purpose string

// Purposes of a reply address.
const (
	ForAnswer   Purpose = "a" // an agent's: plain words go to the citizen
	ForCommands Purpose = "n" // an agent's: commands only, plain words go nowhere
	ForCitizen  Purpose = "c" // a citizen's: their words go to their case
)

// Token is what a signed reply address says. ID is the assignment's for agents, the case's for citizens.
type Token struct {
	Purpose Purpose
	ID      int64
	Expires time.Time // end of validity, at day precision
}

// Signer makes and checks signed reply addresses: the mailbox's address with a subaddress
// (RFC 5233) that holds a Token and its HMAC. Whoever shows a valid one was sent it by us; whether
// they may use it is decided by Decide.
type Signer struct{ key []byte }

// NewSigner takes the secret key, at least 32 bytes.
func NewSigner(key []byte) (*Signer, error) {
	if len(key) < 32 {
		return nil, errors.New("reply key is shorter than 32 bytes")
	}
	return &Signer{key}, nil
}

const day = 24 * time.Hour

// macEncoding survives servers and clients that fold the case of local parts.
var macEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Address is the reply address at mailbox address (local@domain) for t, with separator before the token.
func (s *Signer) Address(address, separator string, t Token) string {
	local, domain, _ := strings.Cut(address, "@")
	body := fmt.Sprintf("%s%s-%s", t.Purpose, strconv.FormatInt(t.ID, 36), strconv.FormatInt(t.Expires.Unix()/int64(day/time.Second), 36))
	return local + separator + body + "-" + s.mac(address, body) + "@" + domain
}

// Verify reads the token out of a recipient address of the mailbox at address. ok is false when
// there is none or when it was not signed by us for that mailbox. It says nothing about expiry.
func (s *Signer) Verify(recipient, address, separator string) (t Token, ok bool) {
	recipient, address = strings.ToLower(recipient), strings.ToLower(address)
	local, domain, _ := strings.Cut(address, "@")
	rest, ok := strings.CutPrefix(recipient, local+separator)
	if !ok {
		return Token{}, false
	}
	rest, ok = strings.CutSuffix(rest, "@"+domain)
	if !ok {
		return Token{}, false
	}
	i := strings.LastIndexByte(rest, '-')
	if i < 0 || !hmac.Equal([]byte(rest[i+1:]), []byte(s.mac(address, rest[:i]))) {
		return Token{}, false
	}
	return parseToken(rest[:i])
}

func parseToken(body string) (Token, bool) {
	id, expires, ok := strings.Cut(body, "-")
	if !ok || len(id) < 2 {
		return Token{}, false
	}
	purpose := Purpose(id[:1])
	if purpose != ForAnswer && purpose != ForCommands && purpose != ForCitizen {
		return Token{}, false
	}
	n, err1 := strconv.ParseInt(id[1:], 36, 64)
	days, err2 := strconv.ParseInt(expires, 36, 64)
	if err1 != nil || err2 != nil {
		return Token{}, false
	}
	return Token{purpose, n, time.Unix(days*int64(day/time.Second), 0).UTC()}, true
}

// mac is 80 bits of HMAC-SHA-256 over the mailbox address and the token.
func (s *Signer) mac(address, body string) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(strings.ToLower(address) + "\x00" + body))
	return macEncoding.EncodeToString(h.Sum(nil)[:10])
}
