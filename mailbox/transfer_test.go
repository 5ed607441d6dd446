package mailbox

import (
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodeTransfer(t *testing.T) {
	for _, c := range []struct {
		encoding, in, want string
		fault              bool
	}{
		{"", "a", "a", false},
		{"7-bit", "a", "a", false},
		{"8BIT;", "a", "a", false},
		{"quoted-printable", "a=3D=\r\nb", "a=b", false},
		{"Quoted Printable", "a=3d=  \r\nb", "a=b", false},
		{"quoted-printable", "a=\nb", "ab", false},
		{"quoted-printable", "a=", "a", false},
		{"quoted-printable", "a=zz 1=2", "a=zz 1=2", false},
		{"quoted-printable", "-- \r\nJoan", "-- \r\nJoan", false},
		{"base64", "aG9s\r\nYQ==\r\n", "hola", false},
		{"base64", "aG9sYQ", "hola", false},
		{"base64", "aG9sYQ==aG9sYQ==", "holahola", false},
		{"base-64", "aG9s!YWhvbGFob2xh", "holaholahola", true},
		{"base64", "a b, c. d!", "a b, c. d!", true},
		{"x-uuencode", "begin 644 a\n$:&]L80``\n`\nend\n", "hola", false},
		{"uuencode", "no", "no", true},
		{"x-zip", "a", "a", true},
	} {
		got, fault := decodeTransfer(c.encoding, []byte(c.in), true)
		if string(got) != c.want || (fault != "") != c.fault {
			t.Errorf("decodeTransfer(%q, %q): got %q, fault %q, want %q", c.encoding, c.in, got, fault, c.want)
		}
	}
}

func TestDecodeBase64GivesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding} {
			if got, bad := decodeBase64([]byte(encoding.EncodeToString(want))); string(got) != string(want) || bad != 0 {
				t.Fatalf("got %q (%d bad), want %q", got, bad, want)
			}
		}
	})
}
