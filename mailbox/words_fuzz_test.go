package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seed gives a fuzz target every message of testdata.
func seed(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/text/*.eml", "testdata/screen/*.eml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
}

func FuzzText(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := Text(Parse(raw))
		switch {
		case !utf8.ValidString(w.Text):
			t.Errorf("text is not UTF-8: %q", w.Text)
		case w.Text == "" && w.Certain:
			t.Error("no words, and certain of it")
		case w.Certain && hasMarker(w.Text):
			t.Errorf("certain, with our line in it: %q", w.Text)
		case w.Why == "":
			t.Error("no reason")
		}
	})
}

func FuzzScreen(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := Screen(Parse(raw), testOwn)
		if v.Kind == "" || v.Reason == "" || v.Answer && v.Kind != Person {
			t.Errorf("%+v", v)
		}
	})
}

func FuzzBounce(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		b := Bounce(m)
		if b == nil {
			return
		}
		if b.Action == "" || b.Reason == "" || b.Hard && b.Action != actionFailed || len(b.Recipients) > maxBounced {
			t.Errorf("%+v", b)
		}
	})
}

func FuzzHTMLText(f *testing.F) {
	for _, s := range []string{"", "<p>a<p>b", "<div style=display:none>x", "<blockquote type=cite>a</blockquote>b", "<a href=https://example.org>x</a>",
		"<ul><li>a<li>b<ol><li>c", "<pre>a\n b</pre>", "<table><tr><td>a<td>b", "<script>x", "<p hidden>x", "a&nbsp;b&#0;&bogus;", "<i><div><b></i></div>x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		text, at := HTMLText([]byte(strings.ToValidUTF8(string(src), "")))
		if at > len(text) || at < -1 || !utf8.ValidString(text) {
			t.Errorf("quote at %d of %q", at, text)
		}
	})
}

func TestHTMLText(t *testing.T) {
	tests := []struct {
		in, want string
		quoteAt  int
	}{
		{"a  b\n c", "a b c\n", -1},
		{"<p>a</p><p>b</p>", "a\n\nb\n", -1},
		{"<div>a</div><div>b</div>", "a\nb\n", -1},
		{"a<br><br>b", "a\n\nb\n", -1},
		{"<ul><li>a<li>b<ol><li>c<li>d</ol></ul>e", "- a\n- b\n\n  1. c\n  2. d\n\ne\n", -1},
		{"<table><tr><td>Nom<td>Joan<tr><td>a</table>", "Nom\tJoan\na\n", -1},
		{"&eacute;&amp;&nbsp;&lt;x&gt; l&rsquo;a", "é& <x> l’a\n", -1},
		{"<a href='https://example.org/'>example.org</a>", "example.org\n", -1},
		{"<a href='https://example.org/x'>aquí</a>.", "aquí <https://example.org/x>.\n", -1},
		{"<a href='mailto:a@example.org?subject=x'>a@example.org</a>", "a@example.org\n", -1},
		{"<a href='mailto:a@example.org'>escriviu</a>", "escriviu <a@example.org>\n", -1},
		{"<a href='javascript:x()'>aquí</a>", "aquí\n", -1},
		{"a<div style='DISPLAY: none'>x<div>y</div>z</div>b", "a\nb\n", -1},
		{"a<span style='font-size:0px'>x</span>b<span style='font-size:0.9em'>c</span>", "abc\n", -1},
		{"a<span style='visibility:hidden'>x<span>y</span>z</span>b", "ab\n", -1},
		{"<p style='display:none'>x<p>b", "b\n", -1},
		{"<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc\n", -1},
		{"<script>x</script><style>y</style><title>z</title>a", "a\n", -1},
		{"a<blockquote type=cite>b<br>c</blockquote>d", "a\n\n> b\n> c\n\nd\n", 3},
		{"a<blockquote>b</blockquote>", "a\n\n> b\n", -1},
		{"a<div class='x_x_gmail_quote'>b<blockquote class=x_x_gmail_quote>c</blockquote></div>", "a\nb\n\n> c\n", 2},
		{"a<div id=x_divRplyFwdMsg>b</div>c", "a\nb\nc\n", 2},
		{"<div><b><i>a</div></b></i>b", "a\nb\n", -1},
		{"", "", -1},
	}
	for _, test := range tests {
		got, at := HTMLText([]byte(test.in))
		if got != test.want || at != test.quoteAt {
			t.Errorf("%s:\n got %q %d\nwant %q %d", test.in, got, at, test.want, test.quoteAt)
		}
	}
}

func TestMarkerSurvives(t *testing.T) {
	for _, s := range []string{MarkerLine("Escriviu per sobre"), Marker, "> ##~bustia~## x", `\#\#~bustia~\#\#`, "## ~bustia~ ##", "##~BUSTIA~##", "*##~bustia~##* hola"} {
		if !hasMarker(s) {
			t.Errorf("not found in %q", s)
		}
	}
	for _, s := range []string{"bustia", "## bustia ##", "~bustia~", ""} {
		if hasMarker(s) {
			t.Errorf("found in %q", s)
		}
	}
}

// What takes a mail program milliseconds must not take us minutes, whatever is nested or repeated.
func TestTextIsLinear(t *testing.T) {
	const n = 100_000
	for name, body := range map[string]string{
		"divs":          strings.Repeat("<div>", n) + "x" + strings.Repeat("</div>", n),
		"open inlines":  "<i><div>" + strings.Repeat("<b>", n) + strings.Repeat("</i>", n),
		"links":         strings.Repeat("<a href=https://example.org>", n) + "x",
		"lists":         strings.Repeat("<ul><li>", n) + "x",
		"blockquotes":   strings.Repeat("<blockquote type=cite>a", n),
		"opener":        strings.Repeat("<div class=gmail_quote>a", n),
		"attributions":  strings.Repeat("<div class=gmail_attr>a</div>", n),
		"header fields": strings.Repeat("De: a<br>A: b<br>", n/2),
		"colons":        strings.Repeat("El 3 a les 10:00 x:<br>", n),
		"replies":       strings.Repeat("<div id=divRplyFwdMsg></div>a", n),
		"indents":       strings.Repeat("El 3 va escriure:<blockquote>a</blockquote>", n/4),
		"dashes":        strings.Repeat("a<br>--<br>", n),
		"sentences":     strings.Repeat("El 3 la directora va escriure:<br>a<br>", n/2),
	} {
		start := time.Now()
		Text(Parse([]byte("Content-Type: text/html; charset=utf-8\n\n" + body)))
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: %v", name, took)
		} else {
			t.Logf("%s: %v for %d kB", name, took, len(body)>>10)
		}
	}
}
