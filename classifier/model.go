package classifier

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/bustia/bustia/config"
)

// LanguageModel tells languages apart: a multinomial logistic regression over hashed character
// n-grams and words. It is safe for concurrent use.
type LanguageModel struct {
	languages []config.Language
	weights   []int8     // by bucket, then by language
	scale     float64    // what one step of a weight is worth
	words     vocabulary // of our languages
}

// Shape of the features.
const (
	buckets   = 1 << 16
	maxGram   = 5
	maxDetect = 1 << 10 // bytes of a text that are looked at; a language shows sooner
	knownness = 3       // how often it counts in which languages a word is known
)

// vocabulary knows the frequent words of up to eight languages: for each word the set of those it
// belongs to, as bits. What is known nowhere speaks for a language that is none of ours, of
// which the model may never have seen a word. It is a Bloom filter: now and then it knows too much.
type vocabulary []byte

const slots = 1 << 17

// of is the set of languages that w, folded, belongs to.
func (v vocabulary) of(w []byte) byte {
	a, b := places(w)
	return v[a] & v[b]
}

// add puts w, folded, into the k-th language.
func (v vocabulary) add(w []byte, k int) {
	a, b := places(w)
	v[a] |= 1 << k
	v[b] |= 1 << k
}

func places(w []byte) (uint32, uint32) {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range w {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h ^= h >> 29
	return uint32(h) % slots, uint32(h>>32) % slots
}

// languageWeights is the model made by TestTrainLanguage.
//
//go:embed language.model.gz
var languageWeights []byte

// builtin is the embedded model. It is made at build time, so that it cannot be read is not a
// thing that happens at run time.
var builtin = sync.OnceValue(func() *LanguageModel {
	m, err := ReadLanguageModel(bytes.NewReader(languageWeights))
	if err != nil {
		panic(fmt.Sprintf("classifier: embedded language model: %v", err))
	}
	return m
})

// modelHeader stands on the first line of a model.
type modelHeader struct {
	Languages []config.Language `json:"languages"`
	Scale     float64           `json:"scale"`
}

// WriteTo writes the model, compressed, in the form that ReadLanguageModel reads.
func (m *LanguageModel) WriteTo(w io.Writer) (int64, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	header, err := json.Marshal(modelHeader{m.languages, m.scale})
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(z, "%s\n", header)
	raw := make([]byte, len(m.weights))
	for i, q := range m.weights { // language by language, which compresses better
		raw[i%len(m.languages)*buckets+i/len(m.languages)] = byte(q)
	}
	z.Write(raw)
	z.Write(m.words)
	if err := z.Close(); err != nil {
		return 0, err
	}
	return out.WriteTo(w)
}

// ReadLanguageModel reads what WriteTo wrote.
func ReadLanguageModel(r io.Reader) (*LanguageModel, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read language model: %w", err)
	}
	in := bufio.NewReader(io.LimitReader(z, 8<<20))
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("read language model: header: %w", err)
	}
	var header modelHeader
	if err := json.Unmarshal(line, &header); err != nil {
		return nil, fmt.Errorf("read language model: header: %w", err)
	}
	n := len(header.Languages)
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read language model: weights: %w", err)
	}
	if n == 0 || len(raw) != n*buckets+slots {
		return nil, errors.New("read language model: wrong number of weights")
	}
	m := &LanguageModel{
		languages: header.Languages, scale: header.Scale,
		weights: make([]int8, n*buckets), words: vocabulary(raw[n*buckets:]),
	}
	for i := range m.weights {
		m.weights[i] = int8(raw[i%n*buckets+i/n])
	}
	return m, nil
}

// How a word's being known in a language speaks for it: the shares of known words that are usual
// in that language and in another, how much a word more says when others have spoken, and how
// much rarer, as a power of e, mails in strange languages are.
const (
	knownOwn     = 0.75
	knownForeign = 0.35
	wordSays     = 0.7
	strangeRare  = 3
)

// probabilities is how sure the model is of each of its languages and of a language that it never
// saw, and how many words there were to judge by.
func (m *LanguageModel) probabilities(text string) (p []float64, strange float64, words int) {
	var known [8]int // words, by language
	features, words := features(nil, text, func(w []byte) byte {
		in := m.words.of(w)
		for k := range known {
			known[k] += int(in >> k & 1)
		}
		return in
	})
	n := len(m.languages)
	p = make([]float64, n)
	if words == 0 {
		return p, 0, 0
	}
	sums := make([]int32, n)
	for _, f := range features {
		for k, w := range m.weights[int(f)*n : int(f)*n+n] {
			sums[k] += int32(w)
		}
	}
	unit := m.scale / math.Sqrt(float64(len(features)))
	for k, s := range sums {
		p[k] = float64(s) * unit
	}
	softmax(p)
	for k := range m.ours() {
		yes, no := float64(known[k]), float64(words-known[k])
		evidence := yes*math.Log(knownOwn/knownForeign) + no*math.Log((1-knownOwn)/(1-knownForeign))
		doubt := p[k] / (1 + math.Exp(wordSays*evidence+strangeRare))
		p[k] -= doubt
		strange += doubt
	}
	return p, strange, words
}

// softmax turns scores into probabilities in place.
func softmax(scores []float64) {
	top := scores[0]
	for _, s := range scores {
		top = max(top, s)
	}
	sum := 0.0
	for k, s := range scores {
		scores[k] = math.Exp(s - top)
		sum += scores[k]
	}
	for k := range scores {
		scores[k] /= sum
	}
}

// features appends the buckets of text's n-grams and words to out, and counts the words. Marks
// stay, since they tell languages apart; case goes; numbers and addresses say nothing. known
// says in which of our languages a folded word is known.
func features(out []uint32, text string, known func([]byte) byte) ([]uint32, int) {
	text = head(text, maxDetect)
	words := 0
	var spaced, bare []byte // the word between two spaces; the word folded
	end := func() {
		if 1 < len(spaced) && len(spaced) < 60 {
			out = gramFeatures(out, append(spaced, ' '))
			in := uint32(known(bare))
			for i := range uint32(knownness) {
				out = append(out, bucket(in<<8|i))
			}
			words++
		}
		spaced, bare = append(spaced[:0], ' '), bare[:0]
	}
	for chunk := range strings.FieldsSeq(norm.NFC.String(strings.ToValidUTF8(text, " "))) {
		if strings.Contains(chunk, "@") || strings.Contains(chunk, "://") || strings.HasPrefix(chunk, "www.") {
			continue
		}
		end()
		for i, r := range chunk {
			switch {
			case strings.ContainsRune("'’‘ʼ´`", r):
				spaced = append(spaced, '\'') // d' and l' belong to what they stand before, but are not part of it
				bare = bare[:0]
			case unicode.IsLetter(r) || r == '·':
				spaced = utf8.AppendRune(spaced, unicode.ToLower(r))
				if r != '·' {
					bare = appendFolded(bare, chunk[i:], r)
				}
			default:
				end()
			}
		}
		end()
	}
	return out, words
}

// gramFeatures appends the n-grams of w, a word between two spaces, and the word itself.
func gramFeatures(out []uint32, w []byte) []uint32 {
	for i := 0; i < len(w); {
		_, size := utf8.DecodeRune(w[i:])
		h := uint32(2166136261) // FNV-1a, one n-gram being the beginning of the next
		for j, n := i, 0; j < len(w) && n < maxGram; n++ {
			_, size := utf8.DecodeRune(w[j:])
			for ; size > 0; size-- {
				h = (h ^ uint32(w[j])) * 16777619
				j++
			}
			if n > 0 || w[i] != ' ' {
				out = append(out, bucket(h))
			}
		}
		i += size
	}
	h := uint32(2166136261 ^ 0x77)
	for _, b := range w {
		h = (h ^ uint32(b)) * 16777619
	}
	return append(out, bucket(h))
}

// bucket mixes the high bits of h into the low ones.
func bucket(h uint32) uint32 {
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 13
	return h % buckets
}
