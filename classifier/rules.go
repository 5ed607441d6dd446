package classifier

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/bustia/bustia/config"
)

// rule is a config.Rule made ready.
type rule struct {
	name string
	when condition
	then config.Outcome
}

// condition is a config.Condition made ready.
type condition struct {
	mailbox  []string
	language []config.Language
	from, to []string // lower case
	subject  terms
	text     terms
	words    terms
	not      *condition
}

// terms are words looked for, of which one is enough.
type terms struct {
	patterns    []int32
	expressions []*regexp.Regexp
	impossible  bool // something was asked for, but nothing that can be found
}

// newRules makes cfg's rules ready and adds their words to l.
func newRules(rules []config.Rule, l *lexicon) []rule {
	out := make([]rule, len(rules))
	for i, r := range rules {
		out[i] = rule{name: r.Name, when: newCondition(&r.When, l), then: r.Then}
	}
	return out
}

func newCondition(c *config.Condition, l *lexicon) condition {
	out := condition{
		mailbox: c.Mailbox, language: c.Language, from: lower(c.From), to: lower(c.To),
		subject: newTerms(c.Subject, l), text: newTerms(c.Text, l), words: newTerms(c.Words, l),
	}
	if c.Not != nil {
		not := newCondition(c.Not, l)
		out.not = &not
	}
	return out
}

func newTerms(list []string, l *lexicon) terms {
	var t terms
	for _, s := range list {
		if body, ok := expression(s); ok {
			if re := compile(body); re != nil {
				t.expressions = append(t.expressions, re)
			}
		} else if id := l.add(s, false); id >= 0 {
			t.patterns = append(t.patterns, id)
		}
	}
	t.impossible = len(list) > 0 && len(t.patterns)+len(t.expressions) == 0
	return t
}

// expression is what stands between the slashes of "/RE2/".
func expression(s string) (string, bool) {
	if len(s) < 2 || s[0] != '/' || s[len(s)-1] != '/' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// compile makes an expression that is matched against folded text, so its own marks go too. Case
// is left to the flag: lower case would make \S into \s.
func compile(body string) *regexp.Regexp {
	var plain strings.Builder
	for _, r := range norm.NFD.String(body) {
		if !unicode.Is(unicode.Mn, r) {
			plain.WriteRune(r)
		}
	}
	for _, s := range [...]string{plain.String(), body} { // without marks a range like [z-à] would be none
		if re, err := regexp.Compile("(?im)" + s); err == nil {
			return re
		}
	}
	return nil // the config's check has refused it
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(strings.TrimSpace(s))
	}
	return out
}

// said reports whether the condition asks for any of the terms at all.
func (t *terms) said() bool { return t.impossible || len(t.patterns)+len(t.expressions) > 0 }

// holds says whether c is true of m. What it found in the mail is appended to why; without words
// to quote, the fields that held are named.
func (c *condition) holds(m *mail) (why []string, ok bool) {
	if len(c.mailbox) > 0 {
		if !slices.Contains(c.mailbox, m.in.Mailbox) {
			return nil, false
		}
		why = append(why, fmt.Sprintf("mailbox %q", m.in.Mailbox))
	}
	if len(c.language) > 0 {
		if !slices.Contains(c.language, m.language.Code) {
			return nil, false
		}
		why = append(why, fmt.Sprintf("language %q", m.language.Code))
	}
	if len(c.from) > 0 {
		if !anyAddress(c.from, m.from) {
			return nil, false
		}
		why = append(why, "sender")
	}
	if len(c.to) > 0 {
		if !slices.ContainsFunc(m.recipients, func(to string) bool { return anyAddress(c.to, to) }) {
			return nil, false
		}
		why = append(why, "recipient")
	}
	for _, f := range [...]struct {
		terms *terms
		parts []part
	}{{&c.subject, []part{inSubject}}, {&c.text, []part{inText}}, {&c.words, []part{inSubject, inText}}} {
		if !f.terms.said() {
			continue
		}
		found, ok := m.search(f.terms, f.parts)
		if !ok {
			return nil, false
		}
		why = append(why, found)
	}
	if c.not != nil {
		if _, ok := c.not.holds(m); ok {
			return nil, false
		}
	}
	return why, true
}

// anyAddress says whether addr is one of list, whose entries are addresses or "@domain".
func anyAddress(list []string, addr string) bool {
	for _, want := range list {
		if strings.HasPrefix(want, "@") {
			if at := strings.LastIndexByte(addr, '@'); at >= 0 && addr[at:] == want {
				return true
			}
		} else if addr == want {
			return true
		}
	}
	return false
}

// search looks for one of the terms in parts and quotes the first that it finds.
func (m *mail) search(t *terms, parts []part) (string, bool) {
	for _, pattern := range t.patterns {
		for _, h := range m.hitsOf(pattern) {
			if slices.Contains(parts, h.part) {
				return fmt.Sprintf("%s in %s", m.quote(h), h.part), true
			}
		}
	}
	for _, re := range t.expressions {
		for _, where := range parts {
			p := &m.passages[where]
			if at := re.FindStringIndex(p.folded); at != nil {
				return fmt.Sprintf("%s in %s", p.quote(p.at[at[0]], p.endOf(at[1])), where), true
			}
		}
	}
	return "", false
}

// verdict is what the rules say of a mail, each part with its reason; nil reasons mean that no
// rule said it.
type verdict struct {
	kind, theme       string
	kindWhy, themeWhy string
	organisational    []string
	ignore            string
	why               []string // of organisational and ignore
}

// applyRules tries every rule on m.
func (c *Classifier) applyRules(m *mail) verdict {
	var v verdict
	for i := range c.rules {
		r := &c.rules[i]
		found, ok := r.when.holds(m)
		if !ok {
			continue
		}
		why := fmt.Sprintf("rule %q", r.name)
		if len(found) > 0 {
			why += ": " + strings.Join(found, ", ")
		}
		if r.then.Type != "" && v.kind == "" {
			v.kind, v.kindWhy = r.then.Type, why
		}
		if r.then.Theme != "" && v.theme == "" {
			v.theme, v.themeWhy = r.then.Theme, why
		}
		for _, id := range r.then.Organisational {
			if !slices.Contains(v.organisational, id) {
				v.organisational = append(v.organisational, id)
				v.why = append(v.why, id+": "+why)
			}
		}
		if r.then.Ignore && v.ignore == "" {
			v.ignore = r.name
			v.why = append(v.why, "ignored: "+why)
		}
	}
	return v
}
