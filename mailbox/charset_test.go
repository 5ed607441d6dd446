package mailbox

import "testing"

func TestToUTF8(t *testing.T) {
	for _, c := range []struct {
		charset, in, want string
		ok                bool
	}{
		{"", "abc", "abc", true},
		{"utf-8", "à", "à", true},
		{`"UTF8"`, "à", "à", true},
		{"us-ascii", "à", "à", false},
		{"us-ascii", "\xe0", "à", false},
		{"iso-8859-1", "\xe0\x80", "à€", true},
		{"iso-8859-1", "à", "à", false},
		{"latin1", "\xe0", "à", true},
		{"cp1252", "\x92", "’", true},
		{"ansi", "\x92", "’", true},
		{"cp850", "\x85", "à", true},
		{"cp-850", "\x85", "à", true},
		{"macintosh", "\x88", "à", true},
		{"iso-8859-15", "\xa4", "€", true},
		{"koi8-r", "\xc1", "а", true},
		{"gb2312", "\xc4\xe3", "你", true},
		{"iso-gb2312", "\xc4\xe3", "你", true},
		{"ks_c_5601-1987", "\xb0\xa1", "가", true},
		{"utf-16", "\xfe\xff\x00a", "a", true},
		{"utf-7", "+AOA-", "à", true},
		{"unknown-8bit", "\xe0", "à", false},
		{"x-unknown", "à", "à", false},
		{"utf-8", "l\xb4any 12 \x80", "l´any 12 €", false},
		{"utf-8", "à è ì \x80", "à è ì €", false},
	} {
		text, ok := toUTF8(c.charset, []byte(c.in))
		if string(text) != c.want || ok != c.ok {
			t.Errorf("toUTF8(%q, %q): got %q, %v, want %q, %v", c.charset, c.in, text, ok, c.want, c.ok)
		}
	}
}
