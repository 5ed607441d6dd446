package submit

import (
	"net/textproto"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWritable(t *testing.T) {
	check := func(address string, want bool) {
		t.Helper()
		if got := writable(address); got != want {
			t.Errorf("%q: got %v, want %v", address, got, want)
		}
	}
	check("ana@example.org", true)
	check("bustia+a1.b2@example.cat", true)
	check("o'neil@example.org", true)
	check("ana@[192.0.2.1]", true)
	check(`"ana maria"@example.org`, true)
	check(`"a>b"@example.org`, true)
	check(`"a\"b"@example.org`, true)
	check("muñoz@example.org", true)
	check("", false)
	check("ana", false)
	check("ana maria@example.org", false)
	check("ana@example.org>", false)
	check("<ana@example.org", false)
	check("ana@example.org\r\nDATA", false)
	check("\"ana\r\n\"@example.org", false)
	check(`"ana@example.org`, false)
	check(`ana@example.org"\`, false)
	check("\xff@example.org", false)
	check(strings.Repeat("a", 600)+"@example.org", false)
}

// Whatever a server replies, the line is short, printable and one, and the code agrees with the verdict.
func FuzzReply(f *testing.F) {
	f.Add(550, "5.1.1 No such user")
	f.Add(450, "5.1.1 does not\nagree")
	f.Add(554, "5.7.1\r\n\x1b[31mred\x00\xff")
	f.Add(421, strings.Repeat("bye ", 1000))
	f.Fuzz(func(t *testing.T, code int, message string) {
		e := newError(PhaseRcpt, &textproto.Error{Code: code, Msg: message})
		if utf8.RuneCountInString(e.Line) > longestLine+1 {
			t.Errorf("line of %d bytes", len(e.Line))
		}
		if i := strings.IndexFunc(e.Line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("line %q is not printable at %d", e.Line, i)
		}
		if e.Permanent != (code/100 == 5 && !wantsLogin(code)) {
			t.Errorf("%d: permanent %v", code, e.Permanent)
		}
		if e.Enhanced != "" && (code/100 != int(e.Enhanced[0]-'0') || !strings.HasPrefix(message, e.Enhanced)) {
			t.Errorf("%d %q: enhanced %q", code, message, e.Enhanced)
		}
	})
}
