package classifier

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/bustia/bustia/config"
)

// Other is the language of a mail that is written in none of those we know or offer.
const Other config.Language = "other"

// DetectLanguage is the language that text is written in, or Other, and how sure that is: by how
// much it is more probable than the next, 0 to 1. Below 0.5 another language is well possible and
// the mailbox's own is the better choice. Of a text without words nothing is known: "", 0.
func DetectLanguage(text string) (config.Language, float64) {
	m := builtin()
	return m.Detect(text, m.languages[:m.ours()])
}

// Detect is DetectLanguage by another model, among the languages offered: the rest are Other.
func (m *LanguageModel) Detect(text string, offered []config.Language) (config.Language, float64) {
	text = head(text, maxDetect)
	if foreignScript(text) {
		return Other, 0.99
	}
	p, other, words := m.probabilities(text)
	if words == 0 {
		return "", 0
	}
	code, best, second := Other, 0.0, 0.0
	for k, language := range m.languages {
		switch {
		case !slices.Contains(offered, language):
			other += p[k]
		case p[k] > best:
			code, best, second = language, p[k], best
		default:
			second = max(second, p[k])
		}
	}
	if other > best {
		code, best, second = Other, other, best
	} else {
		second = max(second, other)
	}
	// One word is never sure, however typical: "gràcies" is written under mails in any language.
	return code, rounded(min(best-second, 1-math.Pow(0.6, float64(words))))
}

// foreignScript says whether most letters of text are not Latin.
func foreignScript(text string) bool {
	latin, foreign := 0, 0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.IsLetter(r):
			foreign++
		}
	}
	return foreign > latin
}

// detect is the language of m. The subject counts as a line of the text: it is often all there is.
func (c *Classifier) detect(m *mail) Language {
	text := head(m.in.Subject, maxDetect/4) + "\n" + head(m.in.Text, maxDetect)
	code, confidence := c.detector.Detect(strings.TrimSpace(text), c.offered)
	return Language{Code: code, Confidence: confidence}
}
