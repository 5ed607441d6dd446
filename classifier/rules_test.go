package classifier

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/config"
)

func TestCondition(t *testing.T) {
	in := Input{
		Mailbox: "bustia", From: "Anna@Example.ORG", Recipients: []string{"Trens@example.cat", "altre@example.org"},
		Subject: "Queixa pels TRENS", Text: "Bon dia,\nl’accés a l'andana és tancat. El col·legi també.\nExp. 2026/0042",
	}
	check := func(when config.Condition, want bool) {
		t.Helper()
		cfg := sampleConfig()
		cfg.Rules = []config.Rule{{Name: "r", When: when, Then: config.Outcome{Type: "queixa"}}}
		if got := New(cfg).Classify(in).Type.Value == "queixa"; got != want {
			t.Errorf("%+v: got %v, want %v", when, got, want)
		}
	}
	type words = []string
	check(config.Condition{}, true)
	check(config.Condition{Words: words{"andana"}}, true)
	check(config.Condition{Words: words{"ANDÀNA"}}, true) // folded
	check(config.Condition{Words: words{"andan"}}, false) // whole words
	check(config.Condition{Words: words{"andan*"}}, true) // but for a star
	check(config.Condition{Words: words{"tren"}}, false)  // a rule does not know plurals
	check(config.Condition{Words: words{"accés a l'andana"}}, true)
	check(config.Condition{Words: words{"accés de l'andana"}}, false) // nor other articles
	check(config.Condition{Words: words{"accés*  l'anda*"}}, false)
	check(config.Condition{Words: words{"acc* a l'anda*"}}, true)
	check(config.Condition{Words: words{"col.legi"}}, true)
	check(config.Condition{Words: words{"none", "collegi"}}, true) // one is enough
	check(config.Condition{Subject: words{"andana"}}, false)
	check(config.Condition{Text: words{"queixa"}}, false)
	check(config.Condition{Subject: words{"queixa"}, Text: words{"andana"}}, true) // every field
	check(config.Condition{Subject: words{"queixa"}, Text: words{"queixa"}}, false)
	check(config.Condition{Words: words{`/exp\. ?\d{4}/`}}, true)
	check(config.Condition{Words: words{`/EXP\.\s\d{4}/`}}, true) // case
	check(config.Condition{Words: words{`/és tancat/`}}, true)    // marks
	check(config.Condition{Text: words{`/^l'acces/`}}, true)      // begins a line; plain apostrophe
	check(config.Condition{Words: words{`/^$|[z-à]/`}}, false)    // a range that has no sense without marks
	check(config.Condition{Words: words{`/(/`}}, false)           // what check has refused finds nothing
	check(config.Condition{Mailbox: words{"bustia"}}, true)
	check(config.Condition{Mailbox: words{"salut"}}, false)
	check(config.Condition{From: words{"anna@example.org"}}, true)
	check(config.Condition{From: words{"@EXAMPLE.org"}}, true)
	check(config.Condition{From: words{"@ample.org"}}, false)
	check(config.Condition{To: words{"trens@example.cat"}}, true)
	check(config.Condition{To: words{"@example.org"}}, true)
	check(config.Condition{To: words{"@example.com"}}, false)
	check(config.Condition{Language: []config.Language{"ca"}}, true)
	check(config.Condition{Language: []config.Language{"es", Other}}, false)
	check(config.Condition{Not: &config.Condition{Words: words{"andana"}}}, false)
	check(config.Condition{Not: &config.Condition{Words: words{"andana"}, Mailbox: words{"salut"}}}, true)
	check(config.Condition{Words: words{"queixa"}, Not: &config.Condition{Words: words{"bus"}}}, true)
}

func TestRuleOrder(t *testing.T) {
	cfg := sampleConfig()
	cfg.Rules = []config.Rule{
		{Name: "first", When: config.Condition{Words: []string{"tren"}}, Then: config.Outcome{Theme: "mobilitat/tren", Organisational: []string{"risc"}}},
		{Name: "second", When: config.Condition{}, Then: config.Outcome{Theme: "salut/espera", Type: "queixa", Organisational: []string{"risc", "juridic"}}},
		{Name: "third", When: config.Condition{}, Then: config.Outcome{Type: "suggeriment", Ignore: true}},
		{Name: "fourth", When: config.Condition{}, Then: config.Outcome{Ignore: true}},
	}
	got := New(cfg).Classify(Input{Mailbox: "bustia", Subject: "El Tren"})
	want := Result{
		Language:       got.Language,
		Type:           Type{Value: "queixa", Why: []string{`rule "second"`}},
		Organisational: []string{"risc", "juridic"},
		Ignore:         "third",
		Theme: Theme{Path: "mobilitat/tren", Confidence: 1, Why: []string{`rule "first": "Tren" in subject`},
			Candidates: []Candidate{{"mobilitat/tren", 1}}},
		Why: []string{`risc: rule "first": "Tren" in subject`, `juridic: rule "second"`, `ignored: rule "third"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRuleReasons(t *testing.T) {
	check := func(when config.Condition, want string) {
		t.Helper()
		cfg := sampleConfig()
		cfg.Rules = []config.Rule{{Name: "r", When: when, Then: config.Outcome{Type: "queixa"}}}
		got := New(cfg).Classify(Input{Mailbox: "bustia", From: "a@example.org", Subject: "Ajut", Text: "Recurs   d’alçada\n nº 77"}).Type.Why
		if !slices.Equal(got, []string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check(config.Condition{Words: []string{"recurs d'alçada"}}, `rule "r": "Recurs d’alçada" in text`)
	check(config.Condition{Subject: []string{"aju*"}, Mailbox: []string{"bustia"}}, `rule "r": mailbox "bustia", "Ajut" in subject`)
	check(config.Condition{Words: []string{`/alcada\s+n. \d+/`}, From: []string{"@example.org"}}, `rule "r": sender, "alçada nº 77" in text`)
}
