package config

import (
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

func template() shape[Template] {
	kinds := make([]string, len(Kinds))
	for i, k := range Kinds {
		kinds[i] = k.Name
	}
	return object(
		must("kind", "of mail", oneOf(kinds...), func(t *Template) *string { return &t.Kind }),
		must("language", "it is written in", usedLanguage(), func(t *Template) *Language { return &t.Language }),
		key("organisation", "only for this one's cases; for all when not said", ref[string](anOrganisation), func(t *Template) *string { return &t.Organisation }),
		must("subject", "one line, text/template", templateText("subject"), func(t *Template) *string { return &t.Subject }),
		must("body", "plain paragraphs, text/template", templateText("body"), func(t *Template) *string { return &t.Body }),
	).then(func(n node, t *Template) {
		if t.Kind == "" || t.Language == "" {
			return
		}
		name := t.Kind + " in " + string(t.Language)
		if t.Organisation != "" {
			name += " of " + t.Organisation
		}
		n.define(aTemplate, name)
	})
}

// templateText is the source of a subject or a body; each is tried out on a full letter and on an empty one.
func templateText(part string) shape[string] {
	return text().then(func(n node, v *string) {
		if *v == "" {
			return
		}
		for _, wrong := range checkSource(part, *v) {
			at := n
			if n.Style&yaml.LiteralStyle != 0 && wrong.line > 0 { // "|": its first line is the one below
				at.line, at.col = n.line+wrong.line, 1
			}
			at.fault("%s", wrong.message)
		}
	})
}

// checkTemplatesIn looks whether everything these readers are sent can be written in a language. What
// is missing is told at the first place that needs it.
func checkTemplatesIn(reader Reader) func(n node, l Language, c *Config) {
	return func(n node, l Language, c *Config) {
		var missing []string
		for _, k := range Kinds {
			if _, ok := c.Template(k.Name, "", l); k.Reader == reader && !ok {
				missing = append(missing, k.Name)
			}
		}
		need := noun("templates for each " + string(reader))
		_, told := n.r.defined[need][string(l)]
		_, offered := n.r.defined[aLanguage][string(l)]
		if told || !offered {
			return
		}
		n.define(need, string(l))
		if len(missing) > 0 {
			n.fault("no template in %s for: %s; each %s who reads %s needs them", l, strings.Join(missing, ", "), reader, l)
		}
	}
}
