package router

import (
	"strings"
	"testing"
)

func TestBodyHTML(t *testing.T) {
	const (
		p  = `<p style="margin:0 0 1em">`
		ul = `<ul style="margin:0 0 1em;padding-left:1.4em">`
	)
	check := func(body, want string) {
		t.Helper()
		if got := string(bodyHTML(body)); got != want {
			t.Errorf("%q: got\n%swant\n%s", body, got, want)
		}
	}
	check("a\nb\n\n\nc", p+"a<br>\nb</p>\n"+p+"c</p>\n")
	check("a\n- b\n- c\nd", p+"a</p>\n"+ul+"\n<li>b</li>\n<li>c</li>\n</ul>\n"+p+"d</p>\n")
	check("## Què?\na", `<h2 style="margin:1.4em 0 .4em;font-size:1.1em">Què?</h2>`+"\n"+p+"a</p>\n")
	check("<script>&", p+"&lt;script&gt;&amp;</p>\n")
	check(`(see https://example.org/a?b="c).`, p+`(see <a href="https://example.org/a?b=">https://example.org/a?b=</a>&#34;c).</p>`+"\n")
	check("javascript:alert(1) http://", p+"javascript:alert(1) http://</p>\n")
}

func TestBodyText(t *testing.T) {
	check := func(body, want string) {
		t.Helper()
		if got := bodyText(body); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
	check("a\n\n\n\nb\n", "a\n\nb\n")
	check("a\n## Si us cal\n\nb", "a\nSI US CAL\n\nb")
	check("", "")
}

// TestPage holds what a reader with a screen reader, a phone or webmail needs.
func TestPage(t *testing.T) {
	html, err := page{Language: "oc-aranes", Title: "a < b", Marker: "##", Header: "<p>h</p>", Body: bodyHTML("x"), Footer: "<p>f</p>"}.html()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="oc-aranes">`, `<div lang="oc-aranes" style="max-width:40em`, "<title>a &lt; b</title>", "overflow-wrap:break-word",
		`content="light dark"`, "<div><p>h</p></div>", "<div><p>f</p></div>"} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing in\n%s", want, html)
		}
	}
}
