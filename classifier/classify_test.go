package classifier

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/config"
)

func TestThemeByKeywords(t *testing.T) {
	c := New(sampleConfig())
	check := func(subject, text, want string) {
		t.Helper()
		r := c.Classify(Input{Mailbox: "bustia", Subject: subject, Text: text}).Theme
		if r.Path != want {
			t.Errorf("%q %q: got %q (%v), want %q\n%s", subject, text, r.Path, r.Candidates, want, strings.Join(r.Why, "\n"))
		}
		if (want == "") != r.Abstained || r.Abstained && r.Confidence >= 0.5 || !r.Abstained && r.Confidence < 0.5 {
			t.Errorf("%q %q: abstained %v with confidence %v", subject, text, r.Abstained, r.Confidence)
		}
		if len(r.Why) == 0 || len(r.Candidates) > 3 {
			t.Errorf("%q %q: why %v, candidates %v", subject, text, r.Why, r.Candidates)
		}
	}
	check("Bo lloguer jove", "Quins ingressos calen?", "habitatge/lloguer/bo-jove")
	check("BONO ALQUILER JOVEN", "quiero el bono joven", "habitatge/lloguer/bo-jove")
	check("Ajut al lloguer", "Voldria demanar-lo.", "habitatge/lloguer")                                          // no theme of level 3 meant
	check("Ajuts del lloguer", "El bo jove, o el dels pensionistes majors de 65?", "habitatge/lloguer/gent-gran") // the better of two
	check("", "llista d’espera per a una operació", "salut/espera")
	check("", "vaig a urgencies i no hi ha cap ambulancia", "salut/espera/urgencies")
	check("beques", "", "educacio/beques") // the plural of a keyword
	check("Tren R3", "tren suprimit", "mobilitat/tren/retards")
	check("Queisha", "era carretèra qu'ei plia d'horats", "mobilitat/carreteres")
	check("Potholes", "the road is full of potholes", "mobilitat/carreteres")
	check("", "", "")
	check("hola", "bon dia", "")
	check("", "pis", "")     // a word of level 1 does not say which theme below it
	check("", "un tren", "") // one plain word in the text is not enough
	check("fiança", "beca", "habitatge/fiances")
	check("fiança i beca", "", "") // two themes that are even
}

func TestThemeCandidates(t *testing.T) {
	r := New(sampleConfig()).Classify(Input{Mailbox: "bustia", Subject: "fiança, beca, tsi, autobús"}).Theme
	if !r.Abstained || len(r.Candidates) != 3 || r.Path != "" {
		t.Fatalf("got %+v, want an abstention with three candidates", r)
	}
	if !slices.IsSortedFunc(r.Candidates, func(a, b Candidate) int { return int(1000 * (b.Confidence - a.Confidence)) }) {
		t.Errorf("candidates are not best first: %v", r.Candidates)
	}
}

func TestThreshold(t *testing.T) {
	c := New(sampleConfig())
	in := Input{Mailbox: "bustia", Subject: "fiança"}
	if r := c.Classify(in).Theme; r.Abstained {
		t.Errorf("threshold 0.5: abstained with %v", r.Confidence)
	}
	in.Mailbox = "strict"
	if r := c.Classify(in).Theme; !r.Abstained || r.Candidates[0].Path != "habitatge/fiances" {
		t.Errorf("threshold 0.95: got %+v", r)
	}
}

func TestSpecificMailbox(t *testing.T) {
	c := New(sampleConfig())
	in := Input{Mailbox: "bustia", Text: "M'han fet una operació i he perdut la matrícula."}
	even := c.Classify(in).Theme
	in.Mailbox = "salut"
	own := c.Classify(in).Theme
	if !even.Abstained || own.Candidates[0].Path != "salut/espera" || own.Candidates[0].Confidence <= even.Candidates[0].Confidence {
		t.Errorf("corporate %v, specific %v", even.Candidates, own.Candidates)
	}
}

func TestThemeReasons(t *testing.T) {
	r := New(sampleConfig()).Classify(Input{Mailbox: "bustia", Subject: "Llistes d’Espera", Text: "Per l'OPERACIÓ, i l'operació. Viatjo en tren."})
	want := []string{
		`"Llistes d’Espera" in subject speaks for salut/espera (4.0)`,
		`"OPERACIÓ" in text, 2 times in all, speaks for salut/espera (1.5)`,
		`no theme of level 3 is clearly meant`,
		`second: mobilitat/tren (1.0 against 5.5)`,
	}
	if diff := cmp.Diff(want, r.Theme.Why); diff != "" {
		t.Error(diff)
	}
}

func TestOrganisational(t *testing.T) {
	c := New(sampleConfig())
	check := func(text string, want ...string) {
		t.Helper()
		r := c.Classify(Input{Text: text})
		if diff := cmp.Diff(want, r.Organisational); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		if len(r.Why) != len(want) {
			t.Errorf("%q: why %q", text, r.Why)
		}
	}
	check("El meu marit em pega", "risc")
	check("mi marido ME PEGA y pienso en suicidarme", "risc")
	check("interposo recurs d’alçada; em pega", "risc", "juridic")
	check("bon dia")
}

func TestType(t *testing.T) {
	c := New(sampleConfig())
	check := func(text, want, why string) {
		t.Helper()
		r := c.Classify(Input{Text: text}).Type
		if diff := cmp.Diff(Type{Value: want, Why: []string{why}}, r); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	check("Quina Vergonya!", "queixa", `rule "complaint": "Vergonya" in text`)
	check("Estic INDIGNADA. Proposo una cosa.", "queixa", `rule "complaint": "INDIGNADA" in text`)
	check("Propòsi un aute orari", "suggeriment", `rule "suggestion": "Propòsi" in text`)
	check("Quan obriu?", "consulta", `no rule gave a type: default "consulta"`)
}

func TestUnknownMailboxAndEmptyConfig(t *testing.T) {
	r := New(&config.Config{}).Classify(Input{Mailbox: "none", Subject: "Bon dia", Text: "voldria saber l'horari"})
	if !r.Theme.Abstained || r.Language.Code != Other || r.Ignore != "" {
		t.Errorf("got %+v", r)
	}
}

func FuzzClassify(f *testing.F) {
	c := New(sampleConfig())
	for _, seed := range [...]string{"Bo lloguer jove", "l·l ŀl L.L l-l", "d’ocupació", "\xff\xfe", "padr* /x/", "🙂 ﬁ ª½", "e\u0301\u0301", "em pega"} {
		f.Add("bustia", "a@example.org", seed, seed)
	}
	f.Fuzz(func(t *testing.T, mailbox, from, subject, text string) {
		r := c.Classify(Input{Mailbox: mailbox, From: from, Subject: subject, Text: text})
		if r.Theme.Confidence < 0 || r.Theme.Confidence > 1 || r.Language.Confidence < 0 || r.Language.Confidence > 1 {
			t.Errorf("confidence out of range: %+v", r)
		}
		if r.Theme.Abstained != (r.Theme.Path == "") || !r.Theme.Abstained && strings.Count(r.Theme.Path, "/") < 1 {
			t.Errorf("path %q, abstained %v", r.Theme.Path, r.Theme.Abstained)
		}
		again := c.Classify(Input{Mailbox: mailbox, From: from, Subject: subject, Text: text})
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("not the same twice: %s", diff)
		}
	})
}
