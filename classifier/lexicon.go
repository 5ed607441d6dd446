package classifier

import (
	"cmp"
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

// lexicon is every word and phrase that a config looks for. All of them are found in one pass
// over a mail.
type lexicon struct {
	patterns [][]token
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
// when there is no word in it. Words without a star are compared in the form given.
func (l *lexicon) add(words string, f form) int32 {
	pattern := tokens(words, f)
	if len(pattern) == 0 {
		return -1
	}
	var key strings.Builder
	for _, t := range pattern {
		key.WriteString(t.text)
		key.WriteByte(' ')
		key.WriteByte('0' + byte(t.form))
	}
	if id, ok := l.ids[key.String()]; ok {
		return id
	}
	id := int32(len(l.patterns))
	l.patterns = append(l.patterns, pattern)
	if l.ids == nil {
		l.ids, l.first = make(map[string]int32), make(map[token][]int32)
	}
	l.ids[key.String()] = id
	l.first[pattern[0]] = append(l.first[pattern[0]], id)
	if n := len(pattern[0].text); pattern[0].form == prefixed && !slices.Contains(l.prefixes, n) {
		l.prefixes = append(l.prefixes, n)
	}
	return id
}

// tokens are what words looks for. Fillers are dropped unless there is nothing else.
func tokens(words string, f form) []token {
	var all, content []token
	p := newPassage(words, maxSubject)
	for i := range p.words {
		w := &p.words[i]
		t := token{text: w.folded, form: asWritten}
		switch {
		case strings.HasPrefix(p.original[w.end:], "*"):
			t.form = prefixed
		case f == anyNumber:
			t = w.stem
		}
		all = append(all, t)
		if !w.filler || t.form == prefixed {
			content = append(content, t)
		}
	}
	if len(content) == 0 {
		return all
	}
	return content
}

// find appends every hit in p to hits.
func (l *lexicon) find(p *passage, where part, hits []hit) []hit {
	for i := range p.words {
		w := &p.words[i]
		try := func(first token) {
			for _, id := range l.first[first] {
				if to, ok := follow(p.words, i, l.patterns[id]); ok {
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

// follow says whether pattern, whose first token is words[i], goes on from there, and where it ends.
func follow(words []word, i int, pattern []token) (int, bool) {
	i++
	for _, t := range pattern[1:] {
		for skipped := 0; ; skipped++ {
			if i >= len(words) {
				return 0, false
			}
			if t.matches(&words[i]) {
				break
			}
			if !words[i].filler || skipped == maxFillers {
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
