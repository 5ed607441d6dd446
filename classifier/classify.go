package classifier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bustia/bustia/config"
)

// Classifier judges mails by one config. It is safe for concurrent use.
type Classifier struct {
	offered        []config.Language
	mailboxes      map[string]config.Mailbox
	defaultType    string
	lexicon        lexicon
	rules          []rule
	themes         []theme
	organisational []keyed
	keywords       map[int32][]use // by pattern
	detector       *LanguageModel
}

// New makes cfg ready; cfg must be valid.
func New(cfg *config.Config) *Classifier {
	c := &Classifier{
		offered:   cfg.Languages.Offered,
		mailboxes: make(map[string]config.Mailbox, len(cfg.Mailboxes)),
		detector:  builtin(),
	}
	for _, m := range cfg.Mailboxes {
		c.mailboxes[m.Name] = m
	}
	for _, t := range cfg.Types {
		if t.Default {
			c.defaultType = t.ID
		}
	}
	c.rules = newRules(cfg.Rules, &c.lexicon)
	c.addThemes(cfg.Themes)
	c.addOrganisational(cfg.OrganisationalThemes)
	return c
}

// mail is an Input made ready to be judged.
type mail struct {
	in         *Input
	from       string   // lower case
	recipients []string // lower case
	passages   [2]passage
	hits       []hit // by pattern, the subject's first
	language   Language
}

// Classify judges one mail. It reads no more than the first 2 KB of the subject and 64 KB of the text.
func (c *Classifier) Classify(in Input) Result {
	m := &mail{in: &in, from: strings.ToLower(in.From), recipients: lower(in.Recipients)}
	m.passages[inSubject] = newPassage(in.Subject, maxSubject)
	m.passages[inText] = newPassage(in.Text, maxText)
	for i := range m.passages {
		m.hits = c.lexicon.find(&m.passages[i], part(i), m.hits)
	}
	slices.SortFunc(m.hits, byPattern)
	m.language = c.detect(m)

	v := c.applyRules(m)
	result := Result{
		Language:       m.language,
		Type:           Type{Value: v.kind, Why: []string{v.kindWhy}},
		Organisational: v.organisational,
		Ignore:         v.ignore,
		Why:            v.why,
	}
	if v.kind == "" {
		result.Type = Type{Value: c.defaultType, Why: []string{fmt.Sprintf("no rule gave a type: default %q", c.defaultType)}}
	}
	c.organisationalByKeywords(m, &result)
	if v.theme != "" {
		result.Theme = Theme{
			Path: v.theme, Confidence: 1, Why: []string{v.themeWhy},
			Candidates: []Candidate{{Path: v.theme, Confidence: 1}},
		}
	} else {
		result.Theme = c.themeByKeywords(m)
	}
	return result
}

// hitsOf is the places where a pattern was found.
func (m *mail) hitsOf(pattern int32) []hit {
	from, _ := slices.BinarySearchFunc(m.hits, pattern, func(h hit, p int32) int { return int(h.pattern) - int(p) })
	to := from
	for to < len(m.hits) && m.hits[to].pattern == pattern {
		to++
	}
	return m.hits[from:to]
}

// quote is the writer's spelling of h.
func (m *mail) quote(h hit) string {
	p := &m.passages[h.part]
	return p.quote(p.words[h.from].start, p.words[h.to-1].end)
}
