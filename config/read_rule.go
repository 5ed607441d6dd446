package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// maxPattern bounds one pattern of a rule or keyword, in bytes.
const maxPattern = 1000

// otherLanguage is what the classifier calls a language that is not offered.
const otherLanguage = "other"

func rule() shape[Rule] {
	return object(
		must("name", "why a mail was judged as it was", define(aRule, line()), func(r *Rule) *string { return &r.Name }),
		must("when", "every key must hold; of a list, one entry", condition(true), func(r *Rule) *Condition { return &r.When }),
		must("then", "what follows", outcome(), func(r *Rule) *Outcome { return &r.Then }),
	)
}

func condition(outermost bool) shape[Condition] {
	fields := []field[Condition]{
		key("mailbox", "name of the mailbox it came in at", some(ref[string](aMailbox)), func(c *Condition) *[]string { return &c.Mailbox }),
		key("language", "it is written in, or other", some(refOr[Language](aLanguage, otherLanguage)), func(c *Condition) *[]Language { return &c.Language }),
		key("from", "address of the writer, or @domain", some(sender()), func(c *Condition) *[]string { return &c.From }),
		key("to", "any recipient: address, or @domain", some(sender()), func(c *Condition) *[]string { return &c.To }),
		key("subject", "words in the subject", some(words()), func(c *Condition) *[]string { return &c.Subject }),
		key("text", "words in the text", some(words()), func(c *Condition) *[]string { return &c.Text }),
		key("words", "words in the subject or the text", some(words()), func(c *Condition) *[]string { return &c.Words }),
	}
	if outermost {
		fields = append(fields, key("not", "this must not hold", optional(condition(false)), func(c *Condition) **Condition { return &c.Not }))
	} else {
		fields = append(fields, forbidden[Condition]("not", "a not inside a not: say it in two rules"))
	}
	s := object(fields...).then(func(n node, _ *Condition) {
		if n.isMapping() && len(n.Content) == 0 {
			n.fault("is empty, so this rule could never decide anything: say mailbox, language, from, to, subject, text, words or not")
		}
	})
	s.schema["minProperties"] = 1
	return s
}

// sender is "name@domain" or "@domain".
func sender() shape[string] {
	return scalar(schema{"type": "string", "pattern": "@"}, func(v string) (string, error) {
		at := strings.LastIndexByte(v, '@')
		if at < 0 || !hostRegexp.MatchString(v[at+1:]) || strings.ContainsAny(v, " <>\t\r\n") {
			return "", fmt.Errorf("%s is neither an address nor @domain", quote(v))
		}
		return v, nil
	})
}

// words is "word", "two words", "prefix*" or "/RE2/".
func words() shape[string] {
	return scalar(schema{"type": []string{"string", "number"}}, func(v string) (string, error) {
		if !strings.HasPrefix(v, "/") {
			return v, checkWords(v)
		}
		switch {
		case len(v) < 3 || !strings.HasSuffix(v, "/"):
			return "", fmt.Errorf("%s: a pattern stands between two slashes: /…/", quote(v))
		case len(v) > maxPattern:
			return "", fmt.Errorf("a pattern of %d bytes, at most %d", len(v), maxPattern)
		}
		if _, err := regexp.Compile(v[1 : len(v)-1]); err != nil {
			return "", fmt.Errorf("%s is no RE2 pattern: %s", quote(v), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		return v, nil
	})
}

func hasLetter(v string) bool {
	return strings.ContainsFunc(v, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) })
}

func outcome() shape[Outcome] {
	s := object(
		key("type", "of the case", ref[string](aType), func(o *Outcome) *string { return &o.Type }),
		key("theme", "path of the theme, level 2 or 3", filed(), func(o *Outcome) *string { return &o.Theme }),
		key("organisational", "organisational themes", some(ref[string](aSecondTheme)), func(o *Outcome) *[]string { return &o.Organisational }),
		key("ignore", "true: the mail makes no case and is accounted for under the name of this rule", truth(), func(o *Outcome) *bool { return &o.Ignore }),
	).then(func(n node, o *Outcome) {
		if n.isMapping() && len(n.Content) == 0 {
			n.fault("is empty, so this rule decides nothing: say type, theme, organisational or ignore")
		}
	})
	s.schema["minProperties"] = 1
	return s
}

// filed is a theme that a case can be filed on: one of at least two levels.
func filed() shape[string] {
	return ref[string](aTheme).later(func(n node, path string, _ *Config) {
		if _, ok := n.r.defined[aTheme][path]; ok && !strings.Contains(path, "/") {
			n.fault("%s is a theme of level 1: a case is filed on one of the themes below it", path)
		}
	})
}
