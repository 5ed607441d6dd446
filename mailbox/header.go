package mailbox

import (
	"bytes"
	"strings"
	"unicode"
)

// Bounds on one header section. What is past them is left out and noted as a fault; the raw mail
// keeps it.
const (
	maxHeader = 256 << 10 // bytes
	maxFields = 1000
)

// Get returns the decoded value of the first field called name, "" when there is none.
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Values returns the decoded values of every field called name, in order.
func (h Header) Values(name string) []string {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Has reports whether there is a field called name, empty or not.
func (h Header) Has(name string) bool {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// raw returns the value of the first field called name as received, unfolded: structured fields
// are read from it, because decoding first would make new commas and quotes.
func (h Header) raw(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return unfold(f.Raw)
		}
	}
	return ""
}

// rawValues returns the values of every field called name as received, unfolded.
func (h Header) rawValues(name string) []string {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, unfold(f.Raw))
		}
	}
	return values
}

// readHeader splits a message or a part into its header and its body, and repairs what it can: a
// line that is no field continues the one before when the header goes on after it, and starts the
// body when it does not. The faults say what was repaired.
func readHeader(entity []byte) (h Header, body []byte, faults []Fault) {
	rest, size := entity, 0
	fault := func(detail string) { faults = append(faults, Fault{Kind: "header", Detail: detail}) }
	var name string
	var value []byte // of the field being read; nil before the first
	dropped, repaired := false, false
	flush := func() {
		if value == nil {
			return
		}
		if len(h) < maxFields {
			h = append(h, newField(name, value))
		} else {
			dropped = true
		}
		value = nil
	}
lines:
	for len(rest) > 0 {
		line, next := cutLine(rest)
		size += len(rest) - len(next)
		text := bytes.TrimRight(line, "\r")
		if len(text) == 0 || isBlank(text) && !foldGoesOn(next) {
			rest = next
			break
		}
		if size > maxHeader {
			rest = skipHeader(next)
			fault("header section longer than is read")
			break
		}
		fieldName, fieldValue, ok := cutField(text)
		switch {
		case text[0] == ' ' || text[0] == '\t':
			value = append(value, '\n')
			value = append(value, text...)
		case ok:
			flush()
			name, value = fieldName, append(make([]byte, 0, len(fieldValue)), fieldValue...)
		case value != nil && headerGoesOn(next):
			value = append(append(value, '\n', ' '), text...)
			repaired = true
		default:
			fault("no empty line before the body")
			break lines
		}
		rest = next
	}
	flush()
	if repaired {
		fault("line that is no field")
	}
	if dropped {
		fault("more fields than are read")
	}
	return h, rest, faults
}

// newField decodes one field.
func newField(name string, value []byte) Field {
	raw := string(value)
	return Field{Name: name, Value: decodeText(unfold(raw)), Raw: raw}
}

// cutLine returns the first line without its line feed, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// cutField splits a line at its colon. A name is printable ASCII without spaces (RFC 5322 section
// 2.2); spaces before the colon are let pass, as the obsolete syntax has them.
func cutField(line []byte) (name string, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return "", nil, false
	}
	n := bytes.TrimRight(line[:colon], " \t")
	if len(n) == 0 || len(n) > 200 {
		return "", nil, false
	}
	for _, c := range n {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false
		}
	}
	return string(n), line[colon+1:], true
}

// headerGoesOn reports whether the next line is a field, so that what comes before it is not the body.
func headerGoesOn(rest []byte) bool {
	line, _ := cutLine(rest)
	_, _, ok := cutField(line)
	return ok
}

// foldGoesOn reports whether the header goes on after a line of white space alone: RFC 5322 section 4.2
// let a folded value hold such lines. So it does when a field follows, after a few folded lines or none.
func foldGoesOn(rest []byte) bool {
	for range 5 {
		line, next := cutLine(rest)
		if len(line) == 0 || line[0] != ' ' && line[0] != '\t' || isBlank(line) {
			break
		}
		rest = next
	}
	return headerGoesOn(rest)
}

// isBlank reports whether a line holds white space only.
func isBlank(line []byte) bool { return len(bytes.Trim(line, " \t\r")) == 0 }

// skipHeader returns what follows the next empty line.
func skipHeader(rest []byte) []byte {
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		if len(bytes.TrimRight(line, "\r")) == 0 {
			break
		}
	}
	return rest
}

// unfold joins the lines of a folded value (RFC 5322 section 2.2.3) and turns stray control
// characters into spaces, so that no value ever carries a line end.
func unfold(raw string) string {
	if strings.IndexFunc(raw, isControl) < 0 {
		return strings.TrimSpace(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == 0, c == '\n', c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			// A line end goes; the white space after it stays.
		case c < ' ' && c != 0x1b || c == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteByte(c) // ESC stays: ISO-2022-JP shifts with it
		}
	}
	return strings.TrimSpace(b.String())
}

// isControl reports whether r is an ASCII control character.
func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// decodeText makes a header value readable: encoded-words (RFC 2047) decoded wherever they stand,
// raw 8-bit text in the charset it seems to be in, and no control characters left.
func decodeText(value string) string { return cleanControls(decodeWords(value)) }

// cleanControls turns control characters into spaces. NUL, which stands for nothing, goes, and so does
// what turns the direction of writing: a name must not show as another.
func cleanControls(text string) string {
	meddles := func(r rune) bool { return isControl(r) || unicode.Is(unicode.Bidi_Control, r) }
	if strings.IndexFunc(text, meddles) < 0 {
		return text
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case isControl(r) && r != 0:
			return ' '
		case meddles(r):
			return -1
		}
		return r
	}, text))
}
