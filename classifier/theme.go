package classifier

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/bustia/bustia/config"
)

// What a keyword's evidence is worth. A plain word once in the text is the unit.
const (
	subjectWorth  = 2.0  // a place in the subject
	insideWorth   = 0.3  // a place inside a longer keyword's
	foreignWorth  = 0.85 // a keyword of another language than the mail's
	parentWorth   = 0.4  // the level-1 theme's own evidence, for each theme below it
	rivalWorth    = 0.3  // themes below one theme, beside the best of them
	ownHouseWorth = 1.25 // themes of the organisation whose mailbox it is
	enough        = 1.7  // evidence at which two thirds of doubt are gone
)

// phraseWorth is by the number of words compared.
var phraseWorth = [...]float64{0, 1, 2, 2.5, 3}

// clearly is how much of the evidence between two themes of level 3 the better needs.
const clearly = 0.6

// theme is a config.Theme made ready.
type theme struct {
	path         string
	level        int
	parent       int // index, -1 at the top
	organisation string
	children     []int
}

// keyed is a thing on the second axis that keywords speak for.
type keyed struct{ id string }

// use is one pattern as a keyword of one theme.
type use struct {
	theme          int
	organisational bool   // theme is an index of the second axis
	words          string // as the config spells it
	weight         map[config.Language]float64
}

// addThemes makes the tree and its keywords ready.
func (c *Classifier) addThemes(themes []config.Theme) {
	index := make(map[string]int, len(themes))
	for i, t := range themes {
		parent := -1
		if cut := strings.LastIndexByte(t.Path, '/'); cut >= 0 {
			if p, ok := index[t.Path[:cut]]; ok {
				parent = p
				c.themes[p].children = append(c.themes[p].children, i)
			}
		}
		index[t.Path] = i
		c.themes = append(c.themes, theme{path: t.Path, level: t.Level, parent: parent, organisation: t.Organisation})
		c.addKeywords(use{theme: i}, t.Keywords)
	}
}

func (c *Classifier) addOrganisational(themes []config.OrganisationalTheme) {
	for i, t := range themes {
		c.organisational = append(c.organisational, keyed{t.ID})
		c.addKeywords(use{theme: i, organisational: true}, t.Keywords)
	}
}

// addKeywords lets the keywords speak for what of names.
func (c *Classifier) addKeywords(of use, keywords map[config.Language][]config.Keyword) {
	if c.keywords == nil {
		c.keywords = make(map[int32][]use)
	}
	for _, language := range slices.Sorted(maps.Keys(keywords)) {
		for _, k := range keywords[language] {
			id := c.lexicon.add(k.Words, true)
			if id < 0 {
				continue
			}
			uses := c.keywords[id]
			i := slices.IndexFunc(uses, func(u use) bool {
				return u.theme == of.theme && u.organisational == of.organisational
			})
			if i < 0 {
				i = len(uses)
				of.words, of.weight = k.Words, make(map[config.Language]float64)
				uses = append(uses, of)
			}
			uses[i].weight[language] = max(uses[i].weight[language], cmp.Or(k.Weight, 1))
			c.keywords[id] = uses
		}
	}
}

// in is the use's weight in a mail of the given language, nothing known of which is "".
func (u *use) in(language config.Language) float64 {
	best := 0.0
	for l, w := range u.weight {
		if l != language && language != "" {
			w *= foreignWorth
		}
		best = max(best, w)
	}
	return best
}

// proof is one keyword found, and what it is worth to one theme.
type proof struct {
	use   *use
	first hit
	times int
	worth float64
}

// gather finds what every keyword in m is worth to its theme, on one of the axes.
func (c *Classifier) gather(m *mail, organisational bool) []proof {
	longest := c.longest(m)
	language := m.language.Code
	if m.language.Confidence < 0.5 {
		language = ""
	}
	var proofs []proof
	for from := 0; from < len(m.hits); {
		to := from + 1
		for to < len(m.hits) && m.hits[to].pattern == m.hits[from].pattern {
			to++
		}
		hits := m.hits[from:to]
		from = to
		uses := c.keywords[hits[0].pattern]
		if len(uses) == 0 {
			continue
		}
		worth := c.worth(hits, longest)
		for i := range uses {
			if u := &uses[i]; u.organisational == organisational {
				proofs = append(proofs, proof{use: u, first: hits[0], times: len(hits), worth: worth * u.in(language)})
			}
		}
	}
	return proofs
}

// longest is, for each word of each part, how many words the longest keyword over it has.
func (c *Classifier) longest(m *mail) [2][]int32 {
	var out [2][]int32
	for i := range out {
		out[i] = make([]int32, len(m.passages[i].words))
	}
	for _, h := range m.hits {
		if len(c.keywords[h.pattern]) == 0 {
			continue
		}
		for w := h.from; w < h.to; w++ {
			out[h.part][w] = max(out[h.part][w], h.to-h.from)
		}
	}
	return out
}

// worth is the evidence of one keyword's places, the subject's first: each counts half of the
// one before.
func (c *Classifier) worth(hits []hit, longest [2][]int32) float64 {
	phrase := phraseWorth[min(len(c.lexicon.patterns[hits[0].pattern].tokens), len(phraseWorth)-1)]
	sum, share := 0.0, 1.0
	for _, h := range hits {
		w := phrase * share
		if h.part == inSubject {
			w *= subjectWorth
		}
		if !slices.Contains(longest[h.part][h.from:h.to], h.to-h.from) {
			w *= insideWorth
		}
		sum += w
		if share /= 2; share < 1.0/16 {
			break
		}
	}
	return sum
}

// organisationalByKeywords adds the themes of the second axis that keywords of weight 1 speak for.
func (c *Classifier) organisationalByKeywords(m *mail, r *Result) {
	sum := make(map[int]float64)
	for _, p := range c.gather(m, true) {
		i := p.use.theme
		id := c.organisational[i].id
		before := sum[i]
		for _, w := range p.use.weight {
			sum[i] = max(sum[i], before+w)
		}
		if before < 1 && sum[i] >= 1 && !slices.Contains(r.Organisational, id) {
			r.Organisational = append(r.Organisational, id)
			r.Why = append(r.Why, fmt.Sprintf("%s: keyword %s in %s", id, m.quote(p.first), p.first.part))
		}
	}
}

// standing is how a theme of level 2 does in the contest.
type standing struct {
	theme      int
	score      float64
	confidence float64
	child      int     // the theme of level 3 that is clearly meant, or -1
	childShare float64 // of the evidence between it and the next
}

// themeByKeywords finds the theme that the keywords in m speak for, or abstains.
func (c *Classifier) themeByKeywords(m *mail) Theme {
	proofs := c.gather(m, false)
	mailbox := c.mailboxes[m.in.Mailbox]
	own := make([]float64, len(c.themes))
	for _, p := range proofs {
		own[p.use.theme] += p.worth
	}
	standings := c.contest(own, &mailbox)
	if len(standings) == 0 {
		return Theme{Abstained: true, Why: []string{"no keyword found"}}
	}
	threshold := cmp.Or(mailbox.Threshold, 0.5)
	var result Theme
	for _, s := range standings[:min(3, len(standings))] {
		result.Candidates = append(result.Candidates, c.candidate(s, threshold))
	}
	best := result.Candidates[0]
	result.Path, result.Confidence = best.Path, best.Confidence
	result.Why = c.explain(m, proofs, standings, &mailbox)
	if best.Confidence < threshold {
		result.Path, result.Abstained = "", true
		result.Why = append(result.Why, fmt.Sprintf("confidence %.2f is below %.2f", best.Confidence, threshold))
	}
	return result
}

// contest scores every theme of level 2 that has any evidence, best first.
func (c *Classifier) contest(own []float64, mailbox *config.Mailbox) []standing {
	var out []standing
	for i := range c.themes {
		t := &c.themes[i]
		if t.level != 2 {
			continue
		}
		s := standing{theme: i, score: own[i], child: -1}
		if t.parent >= 0 {
			s.score += parentWorth * own[t.parent]
		}
		var best, second, rest float64
		for _, child := range t.children {
			switch e := own[child]; {
			case e > best:
				best, second, rest, s.child = e, best, rest+best, child
			default:
				second, rest = max(second, e), rest+e
			}
		}
		s.score += best + rivalWorth*rest
		if s.childShare = share(best, second); s.childShare < clearly {
			s.child = -1
		}
		if s.score == 0 {
			continue
		}
		if mailbox.Kind == config.Specific && mailbox.Organisation == t.organisation {
			s.score *= ownHouseWorth
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b standing) int { return cmp.Compare(b.score, a.score) })
	for i := range out {
		rival := 0.0
		if i > 0 {
			rival = out[0].score
		} else if len(out) > 1 {
			rival = out[1].score
		}
		out[i].confidence = (1 - math.Exp(-out[i].score/enough)) * share(out[i].score, rival)
	}
	return out
}

// share is how much of the evidence between a and b speaks for a: one half when they are even.
func share(a, b float64) float64 {
	if a == 0 {
		return 0
	}
	return a * a / (a*a + b*b)
}

// candidate names the theme of a standing: of level 3 when that is clear and sure enough.
func (c *Classifier) candidate(s standing, threshold float64) Candidate {
	if s.child >= 0 {
		if sure := s.confidence * s.childShare; sure >= threshold || s.confidence < threshold {
			return Candidate{Path: c.themes[s.child].path, Confidence: rounded(sure)}
		}
	}
	return Candidate{Path: c.themes[s.theme].path, Confidence: rounded(s.confidence)}
}

// rounded is x to three places, so that a confidence reads and compares well.
func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

// maxReasons bounds how many keywords a result lists.
const maxReasons = 6

// explain lists the keywords that speak for the best theme, and what came second.
func (c *Classifier) explain(m *mail, proofs []proof, standings []standing, mailbox *config.Mailbox) []string {
	best := standings[0]
	var why []string
	slices.SortStableFunc(proofs, func(a, b proof) int { return cmp.Compare(b.worth, a.worth) })
	for _, p := range proofs {
		if p.use.theme != best.theme && p.use.theme != c.themes[best.theme].parent && c.themes[p.use.theme].parent != best.theme {
			continue
		}
		if len(why) == maxReasons {
			break
		}
		line := fmt.Sprintf("%s in %s speaks for %s (%.1f)", m.quote(p.first), p.first.part, c.themes[p.use.theme].path, p.worth)
		if p.times > 1 {
			line = fmt.Sprintf("%s in %s, %d times in all, speaks for %s (%.1f)",
				m.quote(p.first), p.first.part, p.times, c.themes[p.use.theme].path, p.worth)
		}
		why = append(why, line)
	}
	if mailbox.Kind == config.Specific && mailbox.Organisation == c.themes[best.theme].organisation {
		why = append(why, fmt.Sprintf("mailbox of %s: its themes count %.2f times", mailbox.Organisation, ownHouseWorth))
	}
	if best.child < 0 && len(c.themes[best.theme].children) > 0 {
		why = append(why, "no theme of level 3 is clearly meant")
	}
	if len(standings) > 1 {
		second := standings[1]
		why = append(why, fmt.Sprintf("second: %s (%.1f against %.1f)", c.themes[second.theme].path, second.score, best.score))
	}
	return why
}
