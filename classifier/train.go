package classifier

import (
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/bustia/bustia/config"
)

// How the language model is trained.
const (
	epochs       = 8
	drawsOurs    = 12000 // examples of one of our languages in an epoch
	drawsOther   = 3000  // of another, of which there is little text
	mostDraws    = 100   // of one sentence in an epoch
	learningRate = 0.3
	shrink       = 1e-6 // of the weights, at each example that touches them
	frequent     = 2    // how often a word must occur to be known
	forgotten    = 8    // one word in so many is taken for unknown: citizens' words are not all in the corpora
)

// known are the languages that citizens may be answered in; whatever else the corpora hold is
// there to be told from them.
var known = []config.Language{"ca", "es", "oc-aranes", "en"}

// TrainLanguage makes a model from sentences by language. The same corpora always give the same
// model. Citizens write worse than any corpus: most examples are cut to a few words, many lose their
// accents, some get a slip of the finger.
func TrainLanguage(corpora map[config.Language][]string) *LanguageModel {
	t := newTrainer(corpora)
	for range epochs {
		t.epoch()
	}
	m := t.model()
	t.calibrate(m)
	return m
}

// heldOut says whether a sentence is kept from training, to measure by. One in ten is; sentences
// that differ only in numbers, marks or case go together.
func heldOut(sentence string) bool { return lot(sentence)%10 == 0 }

// forCalibration says whether a sentence is kept from the weights, to find their temperature by.
func forCalibration(sentence string) bool { return lot(sentence)%20 == 1 }

// lot is a number drawn for the letters of a sentence.
func lot(sentence string) uint32 {
	h := fnv.New32a()
	folded, _ := fold(sentence)
	for _, r := range folded {
		if unicode.IsLetter(r) {
			h.Write([]byte(string(r)))
		}
	}
	return h.Sum32()
}

// trainer is the state of a training: weights, and the sum of their squared gradients (AdaGrad).
type trainer struct {
	languages []config.Language
	corpora   [][]string // to learn from
	kept      [][]string // to calibrate by
	random    *rand.Rand
	weights   []float32
	squares   []float32
	words     vocabulary
	buffer    []uint32
}

func newTrainer(corpora map[config.Language][]string) *trainer {
	t := &trainer{random: rand.New(rand.NewPCG(1, 2))}
	for _, language := range slices.Sorted(maps.Keys(corpora)) {
		if !slices.Contains(known, language) {
			t.languages = append(t.languages, language)
		}
	}
	ours := slices.DeleteFunc(slices.Clone(known), func(l config.Language) bool { return len(corpora[l]) == 0 })
	t.languages = append(ours, t.languages...)
	for _, language := range t.languages {
		var kept, rest []string
		for _, s := range corpora[language] {
			if forCalibration(s) {
				kept = append(kept, s)
			} else {
				rest = append(rest, s)
			}
		}
		t.corpora, t.kept = append(t.corpora, rest), append(t.kept, kept)
	}
	t.words = newVocabulary(t.corpora[:len(ours)])
	t.weights = make([]float32, buckets*len(t.languages))
	t.squares = make([]float32, buckets*len(t.languages))
	return t
}

// newVocabulary knows the words that are frequent in each corpus.
func newVocabulary(corpora [][]string) vocabulary {
	v := make(vocabulary, slots)
	for k, sentences := range corpora {
		count := make(map[string]int)
		for _, s := range sentences {
			features(nil, s, func(w []byte) byte {
				count[string(w)]++
				return 0
			})
		}
		for w, n := range count {
			if n >= frequent {
				v.add([]byte(w), k)
			}
		}
	}
	return v
}

// known is the vocabulary as it is shown in training.
func (t *trainer) known(w []byte) byte {
	if t.random.IntN(forgotten) == 0 {
		return 0
	}
	return t.words.of(w)
}

// calibrate sets the scale of m so that its probabilities come true on sentences it has not seen:
// a model that knows its examples by heart is too sure of everything else.
func (t *trainer) calibrate(m *LanguageModel) {
	type example struct {
		text     string
		language int
	}
	var examples []example
	for k, kept := range t.kept {
		for i := 0; len(kept) > 0 && i < drawsOther/3; i++ {
			examples = append(examples, example{t.worsen(kept[t.random.IntN(len(kept))]), k})
		}
	}
	full, best, least := m.scale, 1.0, math.Inf(1)
	for cooling := 1.0; cooling > 0.2; cooling -= 0.05 {
		m.scale = full * cooling
		loss := 0.0
		for _, e := range examples {
			if p, _, words := m.probabilities(e.text); words > 0 {
				loss -= math.Log(max(p[e.language], 1e-9))
			}
		}
		if loss < least {
			best, least = cooling, loss
		}
	}
	m.scale = full * best
}

// ours is how many of the model's languages, which come first, are our own.
func (m *LanguageModel) ours() int {
	return len(slices.DeleteFunc(slices.Clone(m.languages), func(l config.Language) bool { return !slices.Contains(known, l) }))
}

// epoch shows every language its share of examples, in random order.
func (t *trainer) epoch() {
	var order []int
	for k, language := range t.languages {
		draws := drawsOther
		if slices.Contains(known, language) {
			draws = drawsOurs
		}
		draws = min(draws, mostDraws*len(t.corpora[k]))
		order = append(order, slices.Repeat([]int{k}, draws)...)
	}
	t.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, k := range order {
		t.learn(t.worsen(t.corpora[k][t.random.IntN(len(t.corpora[k]))]), k)
	}
}

// worsen writes sentence as a citizen might.
func (t *trainer) worsen(sentence string) string {
	words := strings.Fields(sentence)
	if t.random.IntN(4) > 0 {
		n := 1 + t.random.IntN(11)
		if n < len(words) {
			from := t.random.IntN(len(words) - n + 1)
			words = words[from : from+n]
		}
	}
	s := strings.Join(words, " ")
	if t.random.IntN(3) == 0 {
		s = withoutMarks(s)
	}
	if len(s) > 4 && t.random.IntN(8) == 0 {
		r := []rune(s)
		i := t.random.IntN(len(r) - 1)
		if t.random.IntN(2) == 0 {
			r[i], r[i+1] = r[i+1], r[i]
		} else {
			r = slices.Delete(r, i, i+1)
		}
		s = string(r)
	}
	return s
}

// withoutMarks is s as typed by someone who has no accents at hand.
func withoutMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// learn moves the weights towards giving text the k-th language.
func (t *trainer) learn(text string, k int) {
	t.buffer, _ = features(t.buffer[:0], text, t.known)
	if len(t.buffer) == 0 {
		return
	}
	n := len(t.languages)
	x := 1 / math.Sqrt(float64(len(t.buffer)))
	p := make([]float64, n)
	for _, f := range t.buffer {
		for j, w := range t.weights[int(f)*n : int(f)*n+n] {
			p[j] += float64(w) * x
		}
	}
	softmax(p)
	p[k]--
	for _, f := range t.buffer {
		for j := range n {
			i := int(f)*n + j
			g := float32(p[j]*x) + shrink*t.weights[i]
			t.squares[i] += g * g
			t.weights[i] -= learningRate * g / float32(math.Sqrt(float64(t.squares[i]))+1e-4)
		}
	}
}

// model rounds the weights to a byte each.
func (t *trainer) model() *LanguageModel {
	var top float64
	for _, w := range t.weights {
		top = max(top, math.Abs(float64(w)))
	}
	m := &LanguageModel{
		languages: t.languages, scale: max(top, 1e-9) / 127,
		weights: make([]int8, len(t.weights)), words: t.words,
	}
	for i, w := range t.weights {
		m.weights[i] = int8(math.Round(float64(w) / m.scale))
	}
	return m
}
