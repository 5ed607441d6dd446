package config

import (
	"cmp"
	"fmt"
	"strings"
)

// maxLevel is how deep the tree of themes goes.
const maxLevel = 3

// draftTheme is a theme with what it may inherit not yet filled in.
type draftTheme struct {
	Theme
	id       string
	visible  *bool // nil = as the parent
	children []draftTheme
	at       node
}

// theme is a theme of one level with everything below it.
func theme(level int) shape[draftTheme] {
	organisation := key("organisation", "whose it is; the parent's when not said", ref[string](anOrganisation), func(t *draftTheme) *string { return &t.Organisation })
	if level == 1 {
		organisation.required = true
		organisation.about = "whose it is, and everything below it that says no other"
	}
	fields := []field[draftTheme]{
		must("id", "last step of its path", idText(), func(t *draftTheme) *string { return &t.id }),
		must("name", "as citizens read it", translated(), func(t *draftTheme) *Text { return &t.Name }),
		organisation,
		key("visible", "whether citizens are shown it; the parent's when not said, and true at level 1", optional(truth()), func(t *draftTheme) **bool { return &t.visible }),
		key("keywords", "words that speak for it, by language", keywords(), func(t *draftTheme) *map[Language][]Keyword { return &t.Keywords }),
	}
	if level < maxLevel {
		fields = append(fields, key("children", "the themes below it", list(theme(level+1)), func(t *draftTheme) *[]draftTheme { return &t.children }))
	} else {
		fields = append(fields, forbidden[draftTheme]("children", fmt.Sprintf("the tree of themes has %d levels, this would be a level below", maxLevel)))
	}
	return object(fields...).then(func(n node, t *draftTheme) { t.at, t.Level = n, level }).named(fmt.Sprintf("theme%d", level))
}

func keywords() shape[map[Language][]Keyword] {
	return dict(usedLanguage(), list(keyword())).named("keywords")
}

// keyword is words alone, or words with a weight.
func keyword() shape[Keyword] {
	words := scalar(schema{"type": []string{"string", "number"}}, func(v string) (string, error) { return v, checkWords(v) })
	long := object(
		must("words", "a word, a phrase, or the beginning of a word with * at its end", words, func(k *Keyword) *string { return &k.Words }),
		key("weight", "how much it counts; default 1", decimal(0, 100), func(k *Keyword) *float64 { return &k.Weight }),
	)
	return shape[Keyword]{func(n node, into *Keyword) {
		into.Weight = 1
		if n.isMapping() {
			long.read(n, into)
		} else {
			words.read(n, &into.Words)
		}
	}, schema{"anyOf": []schema{words.schema, long.schema}}}
}

// checkWords looks at "word", "two words" and "prefix*".
func checkWords(v string) error {
	body := strings.TrimSuffix(strings.TrimSpace(v), "*")
	switch {
	case strings.Contains(body, "*"):
		return fmt.Errorf("%s: a * may only stand at the end", quote(v))
	case !hasLetter(body):
		return fmt.Errorf("%s has no letter or digit to look for", quote(v))
	case len(v) > maxPattern:
		return fmt.Errorf("%d bytes long, at most %d", len(v), maxPattern)
	}
	return nil
}

func organisationalTheme() shape[OrganisationalTheme] {
	return object(
		must("id", "how rules name it", id(aSecondTheme), func(t *OrganisationalTheme) *string { return &t.ID }),
		must("name", "as agents read it", translated(), func(t *OrganisationalTheme) *Text { return &t.Name }),
		key("keywords", "words that speak for it, by language", keywords(), func(t *OrganisationalTheme) *map[Language][]Keyword { return &t.Keywords }),
	)
}

// addThemes puts themes and everything below them into the configuration, parents first, each with
// what it inherits.
func addThemes(c *Config, parent *Theme, themes []draftTheme) {
	for _, d := range themes {
		t := d.Theme
		t.Path = d.id
		t.Visible = true
		if parent != nil {
			t.Path = parent.Path + "/" + d.id
			t.Organisation = cmp.Or(t.Organisation, parent.Organisation)
			t.Visible = parent.Visible
		}
		if d.visible != nil {
			t.Visible = *d.visible
		}
		if d.id != "" {
			d.at.define(aTheme, t.Path)
		}
		c.Themes = append(c.Themes, t)
		addThemes(c, &t, d.children)
	}
}

// checkTreated finds the themes a case can be filed on that no agent treats. What is below one of
// them is not told again.
func checkTreated(c *Config, themes map[string]node) {
	treated := map[string]bool{}
	for _, a := range c.Agents {
		for _, path := range a.Themes {
			treated[path] = true
		}
	}
	for _, t := range c.Themes {
		parent, _, below := strings.Cut(t.Path, "/")
		if n, ok := themes[t.Path]; ok && below && t.Level == 2 && !treated[t.Path] && !treated[parent] {
			n.fault("no agent treats %s: name it, or %s, in the themes of one", t.Path, parent)
		}
	}
}
