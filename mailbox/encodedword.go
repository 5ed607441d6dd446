package mailbox

import "strings"

// Bounds on an encoded-word, far above the 75 bytes of RFC 2047: some mailers write a whole list as one.
const (
	maxCharsetName = 64 // with its RFC 2231 language
	maxEncodedText = 16 << 10
)

// encodedWord is one encoded-word (RFC 2047) as found in a header value.
type encodedWord struct {
	charset string
	bytes   []byte // transfer encoding removed
	size    int    // bytes it takes in the value
}

// decodeWords decodes the encoded-words of a header value. It is more lenient than RFC 2047: they may
// stand inside quoted strings and words, hold spaces, lack padding, and a character may be split over
// two of them. What stands between two of them, when it is white space only, goes.
func decodeWords(value string) string {
	if !strings.Contains(value, "=?") {
		return guessText(value)
	}
	var out strings.Builder
	var pending []byte // bytes of the encoded-words read last, in charset
	var charset string
	flush := func() {
		if len(pending) > 0 {
			text, _ := toUTF8(charset, pending)
			out.Write(text)
		}
		pending = nil
	}
	plain := 0 // where the text not yet written starts
	inWords := false
	for i := 0; i < len(value); {
		next := strings.Index(value[i:], "=?")
		if next < 0 {
			break
		}
		i += next
		word, ok := readEncodedWord(value[i:])
		if !ok {
			i += 2
			continue
		}
		between := value[plain:i]
		if !inWords || strings.Trim(between, " \t") != "" {
			flush()
			out.WriteString(guessText(between))
		}
		if !strings.EqualFold(charset, word.charset) {
			flush()
		}
		charset, pending = word.charset, append(pending, word.bytes...)
		i += word.size
		plain, inWords = i, true
	}
	flush()
	out.WriteString(guessText(value[plain:]))
	return out.String()
}

// readEncodedWord reads the encoded-word that s starts with.
func readEncodedWord(s string) (encodedWord, bool) {
	charset, rest, ok := strings.Cut(s[2:min(len(s), 2+maxCharsetName)], "?")
	if !ok || charset == "" || strings.ContainsAny(charset, " \t=") || len(rest) == 0 {
		return encodedWord{}, false
	}
	start := 2 + len(charset) + 1 // of "Q?"
	if len(s) < start+2 || s[start+1] != '?' {
		return encodedWord{}, false
	}
	encoding := s[start] | 0x20
	start += 2
	if encoding != 'q' && encoding != 'b' {
		return encodedWord{}, false
	}
	text, ok := encodedText(s[start:min(len(s), start+maxEncodedText)], encoding == 'q')
	if !ok {
		return encodedWord{}, false
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 section 5: language
	word := encodedWord{charset: charset, size: start + len(text) + 2}
	if encoding == 'q' {
		word.bytes = decodeQuotedPrintable([]byte(strings.ReplaceAll(text, "_", " ")))
	} else {
		word.bytes, _ = decodeBase64([]byte(text))
	}
	return word, true
}

// encodedText returns what comes before the closing "?=". A question mark that a sloppy writer left
// bare before an escape ("Qu=C3=A9?=20Res?=") does not close a Q word.
func encodedText(s string, q bool) (string, bool) {
	end := strings.Index(s, "?=")
	if end < 0 {
		return "", false
	}
	if q && end+4 <= len(s) && isHex(s[end+2]) && isHex(s[end+3]) {
		again := strings.Index(s[end+2:], "?=")
		other := strings.Index(s[end+2:], "=?")
		if again >= 0 && (other < 0 || again < other) {
			return s[:end+2+again], true
		}
	}
	return s[:end], true
}
