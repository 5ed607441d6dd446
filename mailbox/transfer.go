package mailbox

import (
	"bytes"
	"strings"
)

// decodeTransfer removes a content transfer encoding (RFC 2045 section 6). It takes the encodings
// mailers write for the ones they mean, and leaves bytes it does not know how to decode as they are;
// fault then says why, and is "" when all was well.
func decodeTransfer(encoding string, body []byte, text bool) (decoded []byte, fault string) {
	switch transferName(encoding) {
	case "", "7bit", "8bit", "binary":
		return body, ""
	case "quotedprintable":
		return decodeQuotedPrintable(body), ""
	case "base64":
		decoded, bad := decodeBase64(body)
		if text && bad > len(body)/10 {
			return body, "text said to be base64 is not"
		}
		if bad > 0 {
			return decoded, "base64 with foreign characters"
		}
		return decoded, ""
	case "uuencode":
		decoded, ok := decodeUU(body)
		if !ok {
			return body, "uuencode without begin"
		}
		return decoded, ""
	}
	return body, "unknown transfer encoding " + clip(encoding)
}

// transferName brings the spellings seen in the wild to one: "7-bit", "8BIT;", "quoted printable".
func transferName(encoding string) string {
	encoding, _, _ = strings.Cut(encoding, ";")
	encoding, _, _ = strings.Cut(encoding, "(")
	name := strings.NewReplacer("-", "", "_", "", " ", "", `"`, "", "\t", "").Replace(strings.ToLower(encoding))
	switch name {
	case "7bits", "8bits", "7bit", "8bit", "utf8", "none", "usascii":
		return "8bit"
	case "xuuencode", "xuue", "uue", "uuencode":
		return "uuencode"
	}
	return name
}

// decodeQuotedPrintable decodes RFC 2045 section 6.7; an equals sign that starts no escape stays.
// White space at the end of lines stays too: it may be the signature's delimiter.
func decodeQuotedPrintable(b []byte) []byte {
	if bytes.IndexByte(b, '=') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		if i+2 < len(b) && isHex(b[i+1]) && isHex(b[i+2]) {
			out = append(out, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		if end := softBreak(b[i+1:]); end >= 0 {
			i += end
			continue
		}
		out = append(out, '=')
	}
	return out
}

// softBreak returns how many bytes after an equals sign make a soft line break, -1 for none.
func softBreak(b []byte) int {
	for i, c := range b[:min(len(b), 80)] {
		switch c {
		case '\n':
			return i + 1
		case ' ', '\t', '\r':
		default:
			if i > 0 && b[i-1] == '\r' {
				return i
			}
			return -1
		}
	}
	if len(b) > 80 {
		return -1
	}
	return len(b)
}

// base64Value holds the value of each character of the alphabet plus one; 0 for all others.
var base64Value = func() (t [256]byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range alphabet {
		t[alphabet[i]] = byte(i + 1)
	}
	return t
}()

// decodeBase64 decodes RFC 2045 section 6.8, skipping what is not of the alphabet: bad counts it,
// white space apart. Padding may be missing, and may come in the middle where two were joined.
func decodeBase64(b []byte) (decoded []byte, bad int) {
	out := make([]byte, 0, len(b)*3/4+3)
	var bits uint32
	n := 0
	flush := func() {
		switch n {
		case 2:
			out = append(out, byte(bits>>4))
		case 3:
			out = append(out, byte(bits>>10), byte(bits>>2))
		}
		bits, n = 0, 0
	}
	for _, c := range b {
		v := base64Value[c]
		switch {
		case v > 0:
			bits = bits<<6 | uint32(v-1)
			if n++; n == 4 {
				out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
				bits, n = 0, 0
			}
		case c == '=':
			flush()
		case c > ' ':
			bad++
		}
	}
	flush()
	return out, bad
}

// decodeUU decodes the uuencoded file in b: lines between "begin MODE NAME" and "end". A line may be
// shorter than it says, so what comes out is kept below what went in.
func decodeUU(b []byte) (decoded []byte, ok bool) {
	limit := len(b)
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		line = bytes.TrimRight(line, "\r")
		switch {
		case !ok:
			ok = bytes.HasPrefix(line, []byte("begin "))
			continue
		case bytes.Equal(line, []byte("end")):
			return decoded, true
		case len(line) == 0:
			continue
		}
		decoded = appendUULine(decoded, line, limit)
	}
	return decoded, ok
}

// appendUULine decodes one line, its length and then four characters for each three bytes, as long as
// out stays within limit.
func appendUULine(out, line []byte, limit int) []byte {
	end := min(len(out)+int(line[0]-' ')&63, limit)
	at := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 63
		}
		return 0 // trailing spaces were lost on the way
	}
	for i := 1; len(out) < end; i += 4 {
		out = append(out, at(i)<<2|at(i+1)>>4, at(i+1)<<4|at(i+2)>>2, at(i+2)<<6|at(i+3))
	}
	return out[:end]
}

// isHex reports whether c is a hexadecimal digit.
func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// unhex returns the value of a hexadecimal digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
