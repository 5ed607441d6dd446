package submit

import (
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bustia/bustia/mailbox/login"
)

// Phases of a submission, in order.
const (
	PhaseDial = "dial" // connection, greeting, EHLO
	PhaseTLS  = "tls"
	PhaseAuth = "auth"
	PhaseMail = "mail"
	PhaseRcpt = "rcpt"
	PhaseData = "data"
)

// Error is why a mail was not, or not certainly, accepted. Every error of Send is one.
type Error struct {
	Permanent bool   // no retry will help: the server, or the address itself, says so
	Code      int    // SMTP reply code; 0 = there was no reply
	Enhanced  string // enhanced status code (RFC 3463), "5.1.1"; "" = none given
	Line      string // the reply in one line, with its code; "" = there was none
	Phase     string // dial, tls, auth, mail, rcpt or data
	MaybeSent bool   // the whole mail was given and the answer did not come: it may arrive
	Err       error  // what lies under it
}

func (e *Error) Error() string {
	var refused *login.RefusedError
	switch {
	case e.Line == "":
		return fmt.Sprintf("%s: %v", e.Phase, e.Err)
	case errors.As(e.Err, &refused) && refused.Said != "":
		return fmt.Sprintf("%s: %s (the server says: %s)", e.Phase, e.Line, refused.Said)
	}
	return e.Phase + ": " + e.Line
}

func (e *Error) Unwrap() error { return e.Err }

// newError says what an error in a phase means for the mail.
func newError(phase string, err error) *Error {
	e := &Error{Phase: phase, Err: err}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return e
	}
	e.Code = reply.Code
	e.Line = oneLine(fmt.Sprintf("%d %s", reply.Code, reply.Msg))
	if m := enhancedCode.FindString(reply.Msg); m != "" && int(m[0]-'0') == reply.Code/100 {
		e.Enhanced = m
	}
	switch phase {
	case PhaseMail, PhaseRcpt, PhaseData:
		e.Permanent = reply.Code/100 == 5 && !wantsLogin(reply.Code)
	}
	return e
}

// wantsLogin is for the replies of RFC 4954 section 6 that come to MAIL or RCPT when the login is
// missing or too weak: our set-up is wrong, not the mail.
func wantsLogin(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// closing reports whether the server answered that it is going away (421, RFC 5321 section 3.8).
func (e *Error) closing() bool { return e.Code == 421 }

var enhancedCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

const longestLine = 500 // runes of a server's reply that are kept

// oneLine makes a reply, which may have many lines and any bytes, fit for a log and a screen.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
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

// writable reports whether an address can stand between < and > in a command without ending it.
func writable(address string) bool {
	if address == "" || len(address) > 512 || !utf8.ValidString(address) || !strings.Contains(address, "@") {
		return false
	}
	quoted, escaped := false, false
	for _, r := range address {
		switch {
		case unicode.IsControl(r):
			return false
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && (unicode.IsSpace(r) || r == '<' || r == '>'):
			return false
		}
	}
	return !quoted && !escaped
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
