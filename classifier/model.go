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
	weights   []int8  // by bucket, then by language
	scale     float64 // what one step of a weight is worth
}

// Shape of the features.
const (
	buckets   = 1 << 16
	maxGram   = 5
	maxDetect = 2 << 10 // bytes of a text that are looked at; a language shows sooner
)

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
	if n == 0 || len(raw) != n*buckets {
		return nil, errors.New("read language model: wrong number of weights")
	}
	m := &LanguageModel{languages: header.Languages, scale: header.Scale, weights: make([]int8, len(raw))}
	for i := range m.weights {
		m.weights[i] = int8(raw[i%n*buckets+i/n])
	}
	return m, nil
}

// probabilities is how sure the model is of each of its languages, and how many words it saw.
func (m *LanguageModel) probabilities(text string) ([]float64, int) {
	features, words := features(nil, text)
	n := len(m.languages)
	sums := make([]int32, n)
	for _, f := range features {
		for k, w := range m.weights[int(f)*n : int(f)*n+n] {
			sums[k] += int32(w)
		}
	}
	p := make([]float64, n)
	if len(features) == 0 {
		return p, 0
	}
	unit := m.scale / math.Sqrt(float64(len(features)))
	for k, s := range sums {
		p[k] = float64(s) * unit
	}
	softmax(p)
	return p, words
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
// stay, since they tell languages apart; case goes; numbers and addresses say nothing.
func features(out []uint32, text string) ([]uint32, int) {
	text = head(text, maxDetect)
	words := 0
	var w []byte
	for chunk := range strings.FieldsSeq(norm.NFC.String(strings.ToValidUTF8(text, " "))) {
		if strings.Contains(chunk, "@") || strings.Contains(chunk, "://") || strings.HasPrefix(chunk, "www.") {
			continue
		}
		w = append(w[:0], ' ')
		for _, r := range chunk {
			switch {
			case strings.ContainsRune("'’‘ʼ´`", r):
				w = append(w, '\'')
			case unicode.IsLetter(r) || r == '·':
				w = utf8.AppendRune(w, unicode.ToLower(r))
			default:
				out, words = wordFeatures(out, words, w)
				w = append(w[:0], ' ')
			}
		}
		out, words = wordFeatures(out, words, w)
	}
	return out, words
}

// wordFeatures appends the features of w, which is a space and a word.
func wordFeatures(out []uint32, words int, w []byte) ([]uint32, int) {
	if len(w) < 2 || len(w) > 60 {
		return out, words
	}
	w = append(w, ' ')
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
	return append(out, bucket(h)), words + 1
}

// bucket mixes the high bits of h into the low ones.
func bucket(h uint32) uint32 {
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 13
	return h % buckets
}
