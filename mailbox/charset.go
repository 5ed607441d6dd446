package mailbox

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// charsetAliases names the charsets of names that neither index knows.
var charsetAliases = map[string]string{
	"cp850":         "ibm850",
	"cp-850":        "ibm850",
	"cp437":         "ibm437",
	"cp858":         "ibm00858",
	"cp-1252":       "windows-1252",
	"win1252":       "windows-1252",
	"win-1252":      "windows-1252",
	"windows1252":   "windows-1252",
	"win1251":       "windows-1251",
	"windows1251":   "windows-1251",
	"ansi":          "windows-1252",
	"x-ansi":        "windows-1252",
	"iso-latin-1":   "windows-1252",
	"iso8859_1":     "windows-1252",
	"8859-1":        "windows-1252",
	"iso-8859-1-1":  "windows-1252",
	"iso-8859-15i":  "iso-8859-15",
	"latin-9":       "iso-8859-15",
	"latin9":        "iso-8859-15",
	"x-mac-roman":   "macintosh",
	"mac-roman":     "macintosh",
	"iso-gb2312":    "gb18030",
	"gb-2312":       "gb18030",
	"cp936":         "gbk",
	"x-gbk":         "gbk",
	"cp949":         "euc-kr",
	"cp932":         "shift_jis",
	"utf8mb4":       "utf-8",
	"x-utf_8j":      "utf-8",
	"unicode-utf-8": "utf-8",
}

// toUTF8 turns text in the named charset into valid UTF-8. The name is not always true: text that is
// valid UTF-8 wins over any single-byte charset, and what cannot be decoded as named is guessed; ok is
// false when the name had to be set aside.
func toUTF8(label string, b []byte) (text []byte, ok bool) {
	name := strings.ToLower(strings.Trim(label, " \t\"';"))
	if alias, known := charsetAliases[name]; known {
		name = alias
	}
	ascii := isASCII(b)
	switch name {
	case "utf-8", "utf8", "us-ascii", "ascii", "":
		if ascii && bytes.IndexByte(b, 0x1b) < 0 {
			return b, true
		}
		text, ok = guessUTF8(b)
		return text, ok && (name == "" || strings.HasPrefix(name, "utf"))
	case "utf-7", "unicode-1-1-utf-7", "csunicode11utf7":
		return decodeUTF7(b), true
	}
	enc := lookupCharset(name)
	if _, single := enc.(*charmap.Charmap); single || enc == nil {
		if ascii {
			return b, true
		}
		if utf8.Valid(b) {
			return b, false
		}
	}
	text, err := decode(enc, name, b)
	if err != nil {
		text, _ = guessUTF8(b)
		return text, false
	}
	return text, true
}

// decode reads b by enc, or when that is nil by the names that go-message knows.
func decode(enc encoding.Encoding, name string, b []byte) ([]byte, error) {
	if enc != nil {
		return enc.NewDecoder().Bytes(b)
	}
	r, err := charset.Reader(name, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// lookupCharset finds an encoding by its name as browsers know it, which takes iso-8859-1 for
// windows-1252 as the writers do. nil when they do not know it.
func lookupCharset(name string) encoding.Encoding {
	if name == "utf-16" { // browsers take it for little-endian whatever its mark says
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	}
	if enc, err := htmlindex.Get(name); err == nil && enc != nil && enc != encoding.Replacement {
		return enc
	}
	return nil
}

// guessUTF8 turns text of no known charset into valid UTF-8: as it is when it is UTF-8 already,
// ISO-2022-JP and UTF-16 by their marks, else windows-1252, which Western mailers mean when they say
// nothing. Text that is mostly UTF-8 keeps its good characters. ok is true when nothing was guessed.
func guessUTF8(b []byte) (text []byte, ok bool) {
	switch {
	case bytes.Contains(b, []byte("\x1b$B")), bytes.Contains(b, []byte("\x1b$@")):
		if text, err := japanese.ISO2022JP.NewDecoder().Bytes(b); err == nil {
			return text, false
		}
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		enc := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
		if text, err := enc.NewDecoder().Bytes(b); err == nil {
			return text, false
		}
	}
	if utf8.Valid(b) {
		return b, true
	}
	good, bad := 0, 0
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			bad++
		} else if size > 1 {
			good++
		}
		i += size
	}
	out := make([]byte, 0, len(b)+len(b)/8+8)
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if good < bad || r == utf8.RuneError && size == 1 {
			r, size = charmap.Windows1252.DecodeByte(b[i]), 1
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	return out, false
}

// guessText is guessUTF8 for a header value.
func guessText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	text, _ := guessUTF8([]byte(s))
	return string(text)
}

// isASCII reports whether b holds 7-bit bytes only.
func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decodeUTF7 decodes RFC 2152: runs of base64 in big-endian UTF-16 between "+" and "-".
func decodeUTF7(b []byte) []byte {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] != '+' {
			out = append(out, b[i])
			continue
		}
		end := i + 1
		for end < len(b) && base64Value[b[end]] > 0 {
			end++
		}
		if end == i+1 {
			out = append(out, '+')
		} else {
			units, _ := decodeBase64(b[i+1 : end])
			enc := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
			text, _ := enc.NewDecoder().Bytes(units[:len(units)&^1])
			out = append(out, text...)
		}
		if end < len(b) && b[end] == '-' {
			end++
		}
		i = end - 1
	}
	text, _ := guessUTF8(out)
	return text
}
