package router

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCommands(t *testing.T) {
	check := func(words string, bare bool, want string) {
		t.Helper()
		c := ParseCommands(words, bare)
		var got []string
		for _, l := range c.List {
			got = append(got, strings.TrimSpace(string(l.Verb)+" "+l.Arg))
		}
		for _, w := range c.Wrong {
			got = append(got, "wrong "+w)
		}
		if c.Rest != "" {
			got = append(got, "rest "+c.Rest)
		}
		if diff := cmp.Diff(want, strings.Join(got, " | ")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", words, diff)
		}
	}
	const bare, signed = true, false
	// Every verb in every language, with and without accents.
	check("#tema salut/tsi", signed, "theme salut/tsi")
	check("#tèma salut/tsi", signed, "theme salut/tsi")
	check("/THEME salut/tsi", signed, "theme salut/tsi")
	check("#a marta", signed, "to marta")
	check("#to marta.soler@example.cat", signed, "to marta.soler@example.cat")
	check("#tanca duplicat", signed, "close duplicat")
	check("#cierra duplicado", signed, "close duplicado")
	check("#barra doble", signed, "close doble")
	check("#close duplicate", signed, "close duplicate")
	check("#ajuda", signed, "help")
	check("#ayuda", signed, "help")
	check("OK", signed, "ok")
	check("ok.", signed, "ok")
	check("#ok", signed, "ok")
	// A note is everything below it.
	check("#nota he trucat\nno contesta", signed, "note he trucat\nno contesta")
	check("#nòta he trucat", signed, "note he trucat")
	// Several commands, then words.
	check("#tema salut/tsi\n#a marta\n\nGràcies", signed, "theme salut/tsi | to marta | rest Gràcies")
	// Plain words are words, where they go to the citizen.
	check("Tema interessant, el seu.", signed, "rest Tema interessant, el seu.")
	check("A Barcelona hi ha dues oficines.", signed, "rest A Barcelona hi ha dues oficines.")
	check("OK, li enviem el formulari.", signed, "rest OK, li enviem el formulari.")
	check("Nota: cal portar el DNI.", signed, "rest Nota: cal portar el DNI.")
	check("", signed, "")
	// Where they go nowhere, the sign may be left out.
	check("tema habitatge/lloguer", bare, "theme habitatge/lloguer")
	check("Tema: habitatge/lloguer.", bare, "theme habitatge/lloguer")
	check("Gràcies!", bare, "rest Gràcies!")
	// Misspelt, or without what it needs.
	check("#tmea salut/tsi", signed, `wrong "#tmea salut/tsi": unknown command, did you mean #tema?`)
	check("#tema", signed, `wrong "#tema": says nothing after tema`)
	check("#xyzzyx", signed, `wrong "#xyzzyx": unknown command; there are #a #ajuda #ayuda #barra #cierra #close #help #nota #note #ok #tanca #tema #theme #to`)
}

func FuzzParseCommands(f *testing.F) {
	for _, seed := range []string{"#tema salut/tsi", "OK", "#nota a\nb", "/\n#\n", "#\xff\xfe", "a"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, words string, bare bool) {
		c := ParseCommands(words, bare)
		if len(c.Rest) > len(words) {
			t.Errorf("rest is longer than what was written")
		}
	})
}
