package classifier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A mail is judged by its beginning: what stands after this many bytes of a subject or a text
// is not read, so that a long mail costs no more than a bounded time.
const (
	maxSubject = 2 << 10
	maxText    = 64 << 10
)

// passage is a subject or a text, folded and cut into words.
type passage struct {
	original string
	folded   string
	at       []int32 // for each byte of folded, and its end, where it stands in original
	words    []word
}

// word is one word of a passage.
type word struct {
	folded     string
	stem       token // the word without number
	start, end int32 // bytes of the original
	filler     bool  // an article or preposition, passed over inside a phrase
}

// newPassage folds and scans the first limit bytes of text.
func newPassage(text string, limit int) passage {
	text = head(text, limit)
	p := passage{original: text}
	p.folded, p.at = fold(text)
	p.scan()
	return p
}

// head is the first limit bytes of text, cut between runes.
func head(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// fold returns text in lower case and without marks, and for each byte of that (and for its end)
// where it comes from. Compatibility forms are folded too (NFKD): the ligatures and wide letters
// that a PDF or a phone puts in are the plain letters here.
func fold(text string) (string, []int32) {
	out := make([]byte, 0, len(text)+8)
	at := make([]int32, 0, len(text)+9)
	put := func(b byte, i int) {
		out = append(out, b)
		at = append(at, int32(i))
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			switch {
			case 'A' <= c && c <= 'Z':
				put(c+'a'-'A', i)
			case c == '`':
				put('\'', i)
			case (c == '.' || c == '-') && betweenLs(out, text[i+1:]): // col.legi
			default:
				put(c, i)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			put(' ', i)
		case strings.ContainsRune("’‘ʼ´′", r):
			put('\'', i)
		case strings.ContainsRune("·•‧∙⋅", r) && len(out) > 0 && isLetter(out[len(out)-1]): // col·legi, des·hèr
		case unicode.In(r, unicode.Mn, unicode.Cf): // marks; soft hyphens and zero-width characters
		default:
			out = appendFolded(out, text[i:i+size], r)
			for len(at) < len(out) {
				at = append(at, int32(i))
			}
		}
		i += size
	}
	return string(out), append(at, int32(len(text)))
}

// betweenLs says whether what stands between out and rest is a mistyped l·l.
func betweenLs(out []byte, rest string) bool {
	return len(out) > 0 && out[len(out)-1] == 'l' && rest != "" && (rest[0] == 'l' || rest[0] == 'L')
}

func isLetter(b byte) bool { return 'a' <= b && b <= 'z' || b >= utf8.RuneSelf }

// appendFolded appends the folded form of r, which is spelt s.
func appendFolded(out []byte, s string, r rune) []byte {
	decomposed := norm.NFKD.PropertiesString(s).Decomposition()
	if decomposed == nil {
		return utf8.AppendRune(out, unicode.ToLower(r))
	}
	before := len(out)
	for len(decomposed) > 0 {
		d, size := utf8.DecodeRune(decomposed)
		if d = unicode.ToLower(d); inWord(d) { // not the marks, the · of ŀ, the dots of ㏂
			out = utf8.AppendRune(out, d)
		}
		decomposed = decomposed[size:]
	}
	if len(out) == before {
		out = append(out, ' ')
	}
	return out
}

// scan cuts the folded text into words.
func (p *passage) scan() {
	p.words = make([]word, 0, len(p.folded)/5+1)
	begin := -1
	end := func(i int) {
		if begin < 0 {
			return
		}
		w := p.folded[begin:i]
		p.words = append(p.words, word{
			folded: w, stem: stem(w), start: p.at[begin], end: p.endOf(i), filler: fillers[w],
		})
		begin = -1
	}
	for i, r := range p.folded {
		if inWord(r) {
			if begin < 0 {
				begin = i
			}
			continue
		}
		end(i)
	}
	end(len(p.folded))
}

// inWord says whether a word may hold r.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// endOf is where the rune before byte i of the folded text ends in the original, with the marks
// that follow it.
func (p *passage) endOf(i int) int32 {
	if i == 0 {
		return 0
	}
	last := p.at[i-1]
	_, size := utf8.DecodeRuneInString(p.original[last:])
	end := int(last) + size
	for end < int(p.at[i]) {
		r, size := utf8.DecodeRuneInString(p.original[end:])
		if !unicode.Is(unicode.Mn, r) {
			break
		}
		end += size
	}
	return int32(end)
}

// maxQuote bounds how many bytes of a mail a reason repeats.
const maxQuote = 60

// quote is the writer's own spelling of the bytes start to end of the original, on one line.
func (p *passage) quote(start, end int32) string {
	q := p.original[start:end]
	cut := head(q, maxQuote)
	s := strings.Join(strings.Fields(strings.ToValidUTF8(cut, "")), " ")
	if len(cut) < len(q) {
		s += "…"
	}
	return `"` + s + `"`
}

// fillers are the articles and prepositions that a phrase is compared without, in the four
// languages and folded.
var fillers = set(`
	a al als an ara as ath d de del dels dera der des deth e el els er era es eth for l la las les lo los
	of para pel pels per por the to ua ues un una unas unes unos uns
`)

// set is the words of a list.
func set(list string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// stem is a word without number and mostly without gender, so that a keyword in the singular
// finds the plural: multa, multes, multas; operació, operacions, operación, operaciones. It only
// ever compares stems with stems, so it need not be a word.
func stem(w string) token {
	for _, ending := range [...]string{"iones", "ions", "ion", "io"} {
		if cut, ok := strings.CutSuffix(w, ending); ok && len(cut) >= 3 {
			return token{text: w[:len(cut)+1], form: anyNumber}
		}
	}
	if n := len(w); n >= 4 && w[n-1] == 's' && !strings.ContainsRune("ius", rune(w[n-2])) {
		w = w[:n-1]
	}
	n := len(w)
	if n < 4 || !strings.ContainsRune("aeo", rune(w[n-1])) {
		return token{text: w, form: anyNumber}
	}
	last := w[n-1]
	w = w[:n-1]
	if base, ok := strings.CutSuffix(w, "qu"); ok { // beques, beca
		w = base + "c"
	} else { // botigues, botiga
		w = strings.TrimSuffix(w, "u")
	}
	if len(w) == 3 && last != 'o' { // casa and cases are one, cas is another
		return token{text: w, form: anyNumberShort}
	}
	return token{text: w, form: anyNumber}
}
