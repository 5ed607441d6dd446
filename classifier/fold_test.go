package classifier

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestFold(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got, _ := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
	check("Àngels ÉS a Çà", "angels es a ca")
	check("cançó\u0301 e\u0301", "canco e") // composed and decomposed
	check("col·legi COL·LEGI", "collegi collegi")
	check("paraŀlel PARAĿLEL", "parallel parallel")
	check("col.legi sol-licitud", "collegi sollicitud")
	check("des·hèr in·hèrn", "desher inhern")
	check("mel. Llet", "mel. llet")
	check("d’ara l‘altre s`ha", "d'ara l'altre s'ha")
	check("ﬁança Ａ", "fianca a")
	check("so\u00adbre a\u200bb", "sobre ab") // soft hyphen, zero-width space
	check("a\xffb", "a b")
	check("número 3º", "numero 3o")
	check("Línia\nnova", "linia\nnova")
}

func TestWords(t *testing.T) {
	check := func(in string, want ...string) {
		t.Helper()
		p := newPassage(in, maxText)
		var got []string
		for _, w := range p.words {
			got = append(got, w.folded+"="+in[w.start:w.end])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
	check("L’Ocupació d'Anna", "l=L", "ocupacio=Ocupació", "d=d", "anna=Anna")
	check("donar-me'n, T-mobilitat!", "donar=donar", "me=me", "n=n", "t=T", "mobilitat=mobilitat")
	check("Col·legi(s)", "collegi=Col·legi", "s=s")
	check("e\u0301s cafe\u0301", "es=e\u0301s", "cafe=cafe\u0301")
	check("exprés.cat R3 061", "expres=exprés", "cat=cat", "r3=R3", "061=061")
	check("  ")
	check("")
}

func TestStem(t *testing.T) {
	same := func(words ...string) {
		t.Helper()
		for _, w := range words[1:] {
			if a, b := stem(words[0]), stem(w); a != b {
				t.Errorf("%s %v and %s %v are not one", words[0], a, w, b)
			}
		}
	}
	apart := func(a, b string) {
		t.Helper()
		if stem(a) == stem(b) {
			t.Errorf("%s and %s are one: %v", a, b, stem(a))
		}
	}
	same("beca", "beques", "becas")
	same("multa", "multes", "multas")
	same("operacio", "operacions", "operacion", "operaciones")
	same("ajut", "ajuts")
	same("pis", "pisos", "piso")
	same("casa", "cases", "casas")
	same("botiga", "botigues")
	same("autonom", "autonoms", "autonomo", "autonoma", "autonomes")
	same("autobus", "autobusos", "autobuses")
	apart("casa", "cas")
	apart("itv", "iva")
	apart("tren", "tres")
}

func TestHead(t *testing.T) {
	if got := head("aàà", 2); got != "a" {
		t.Errorf("got %q", got)
	}
	if got := head(strings.Repeat("x", 10), 4); got != "xxxx" {
		t.Errorf("got %q", got)
	}
}

func FuzzFold(f *testing.F) {
	for _, seed := range [...]string{"Àé", "l·l", "ŀl", "e\u0301", "\xff", "ﬁ½ª", "İ", "ß", "한국", "l.l", "\u200b", "·"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		folded, at := fold(text)
		if !utf8.ValidString(folded) {
			t.Fatalf("fold(%q) = %q is not UTF-8", text, folded)
		}
		if len(at) != len(folded)+1 {
			t.Fatalf("%d offsets for %d bytes", len(at), len(folded))
		}
		p := newPassage(text, maxText)
		end := int32(0)
		for _, w := range p.words {
			if w.start < end || w.end <= w.start || int(w.end) > len(p.original) {
				t.Fatalf("%q: word %q stands at %d to %d after %d", text, w.folded, w.start, w.end, end)
			}
			end = w.end
			if again, _ := fold(text[w.start:w.end]); !strings.Contains(again, w.folded) {
				t.Fatalf("%q: word %q is spelt %q", text, w.folded, text[w.start:w.end])
			}
		}
	})
}
