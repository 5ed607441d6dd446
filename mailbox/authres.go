package mailbox

import "strings"

// Auth is what the receiving server found out about who sent a mail (RFC 8601). Each result is
// the RFC's lower-case word (pass, fail, softfail, none, …) or "" when the server says nothing.
type Auth struct {
	Known bool // the server wrote the field
	SPF   string
	DKIM  string
	DMARC string
}

// Fails tells whether the mail is not from whom its From says: DMARC fails, or there is no DMARC result and both
// SPF and DKIM fail.
func (a Auth) Fails() bool {
	switch a.DMARC {
	case "fail":
		return true
	case "", "none":
		return (a.SPF == "fail" || a.SPF == "softfail") && a.DKIM == "fail"
	}
	return false
}

// AuthResults reads the Authentication-Results fields that the server named authservID wrote. Anyone can
// write such a field, so only its topmost instances count: those above any other server's, and none
// below the Received field that follows the first. The server must remove a stranger's fields that
// bear its name (RFC 8601 section 5). A mail with several addresses in From fails.
func AuthResults(m *Message, authservID string) Auth {
	var a Auth
	if authservID == "" {
		return a
	}
	if manySenders(m) { // the result is one of them's, and who knows whose
		return Auth{Known: true, DMARC: "fail"}
	}
	for _, f := range m.Header {
		switch {
		case strings.EqualFold(f.Name, "Received") && a.Known:
			return a
		case !strings.EqualFold(f.Name, "Authentication-Results"):
			continue
		}
		statements := strings.Split(withoutComments(f.Value), ";")
		if !strings.EqualFold(firstWord(statements[0]), authservID) {
			return a
		}
		var found Auth
		for _, s := range statements[1:] {
			found.add(s)
		}
		a = Auth{true, firstOf(a.SPF, found.SPF), firstOf(a.DKIM, found.DKIM), firstOf(a.DMARC, found.DMARC)}
	}
	return a
}

// manySenders tells a mail with more than one address in From (RFC 7489 section 6.6.1).
func manySenders(m *Message) bool {
	for _, a := range allAddresses(m.Header, "From") {
		if a.Address != "" && !strings.EqualFold(a.Address, m.From.Address) {
			return true
		}
	}
	return false
}

// add takes in one statement, "method[/version]=result …". Of several signatures one that passes is enough.
func (a *Auth) add(statement string) {
	method, rest, found := strings.Cut(statement, "=")
	if !found {
		return
	}
	method, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(method)), "/")
	result := strings.ToLower(firstWord(rest))
	switch strings.TrimSpace(method) {
	case "spf":
		a.SPF = firstOf(a.SPF, result)
	case "dkim":
		if a.DKIM != "pass" && (a.DKIM == "" || result == "pass") {
			a.DKIM = result
		}
	case "dmarc":
		a.DMARC = firstOf(a.DMARC, result)
	}
}

func firstOf(known, result string) string {
	if known != "" {
		return known
	}
	return result
}

// withoutComments removes comments, which may nest, and what is inside quotes: either may hold
// anything the sender likes, a "; dkim=pass" too.
func withoutComments(s string) string {
	var b strings.Builder
	depth, inQuotes := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && (depth > 0 || inQuotes):
			i++
		case c == '"' && depth == 0:
			inQuotes = !inQuotes
		case inQuotes:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}
