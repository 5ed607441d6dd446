package classifier

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// form says how a token is compared with a word.
type form uint8

const (
	asWritten      form = iota // the folded word itself
	prefixed                   // the word begins so
	anyNumber                  // the word's stem
	anyNumberShort             // the stem of a four-letter word in -a or -e, kept apart from one without
)

// token is one word of what is looked for.
type token struct {
	text string
	form form
}

// matches says whether w is what t looks for.
func (t token) matches(w *word) bool {
	switch t.form {
	case asWritten:
		return w.folded == t.text
	case prefixed:
		return strings.HasPrefix(w.folded, t.text)
	case anyNumber, anyNumberShort:
		return w.stem == t
	}
	panic("classifier: unknown form of token")
}

// pattern is a word or phrase that is looked for.
type pattern struct {
	tokens []token
	loose  bool // articles and prepositions between the tokens are passed over
}

// lexicon is every word and phrase that a config looks for. All of them are found in one pass
// over a mail.
type lexicon struct {
	patterns []pattern
	ids      map[string]int32
	first    map[token][]int32 // patterns by their first token
	prefixes []int             // lengths of the first tokens that are prefixes
}

// hit is one place where a pattern was found.
type hit struct {
	pattern  int32
	part     part
	from, to int32 // words
}

// part is where in a mail something stands.
type part uint8

const (
	inSubject part = iota
	inText
)

func (p part) String() string {
	if p == inSubject {
		return "subject"
	}
	return "text"
}

// add takes words in ("word", "two words", "prefix*") and returns the pattern's number, or -1
// when there is no word in it. A loose one is found in another number too, and whatever articles
// and prepositions stand inside.
func (l *lexicon) add(words string, loose bool) int32 {
	tokens := tokens(words, loose)
	if len(tokens) == 0 {
		return -1
	}
	key := fmt.Sprint(loose, tokens)
	if id, ok := l.ids[key]; ok {
		return id
	}
	id := int32(len(l.patterns))
	l.patterns = append(l.patterns, pattern{tokens, loose})
	if l.ids == nil {
		l.ids, l.first = make(map[string]int32), make(map[token][]int32)
	}
	l.ids[key] = id
	first := tokens[0]
	l.first[first] = append(l.first[first], id)
	if n := len(first.text); first.form == prefixed && !slices.Contains(l.prefixes, n) {
		l.prefixes = append(l.prefixes, n)
	}
	return id
}

// tokens are what words looks for.
func tokens(words string, loose bool) []token {
	var out []token
	p := newPassage(words, maxSubject)
	for i := range p.words {
		w := &p.words[i]
		switch {
		case strings.HasPrefix(p.original[w.end:], "*"):
			out = append(out, token{text: w.folded, form: prefixed})
		case !loose:
			out = append(out, token{text: w.folded, form: asWritten})
		case !w.filler || i == 0 || i == len(p.words)-1:
			out = append(out, w.stem)
		}
	}
	return out
}

// find appends every hit in p to hits.
func (l *lexicon) find(p *passage, where part, hits []hit) []hit {
	for i := range p.words {
		w := &p.words[i]
		try := func(first token) {
			for _, id := range l.first[first] {
				if to, ok := l.patterns[id].follow(p.words, i); ok {
					hits = append(hits, hit{pattern: id, part: where, from: int32(i), to: int32(to)})
				}
			}
		}
		try(token{text: w.folded, form: asWritten})
		try(w.stem)
		for _, n := range l.prefixes {
			if n <= len(w.folded) {
				try(token{text: w.folded[:n], form: prefixed})
			}
		}
	}
	return hits
}

// maxFillers is how many articles and prepositions in a row a phrase reaches over.
const maxFillers = 3

// follow says whether p, whose first token is words[i], goes on from there, and where it ends.
func (p *pattern) follow(words []word, i int) (int, bool) {
	i++
	for _, t := range p.tokens[1:] {
		for skipped := 0; ; skipped++ {
			if i >= len(words) {
				return 0, false
			}
			if t.matches(&words[i]) {
				break
			}
			if !p.loose || !words[i].filler || skipped == maxFillers {
				return 0, false
			}
			i++
		}
		i++
	}
	return i, true
}

// byPattern sorts hits so that those of one pattern stand together, the subject's first.
func byPattern(a, b hit) int {
	return cmp.Or(cmp.Compare(a.pattern, b.pattern), cmp.Compare(a.part, b.part), cmp.Compare(a.from, b.from))
}
