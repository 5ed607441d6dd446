package classifier

import (
	"bufio"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bustia/bustia/config"
)

var (
	trainDir = flag.String("train", "", "train the language model from DIR/LANGUAGE.txt and embed it")
	testDir  = flag.String("corpora", "", "measure the language model on the held-out sentences of DIR/LANGUAGE.txt")
)

// readCorpora reads DIR/LANGUAGE.txt, one sentence a line.
func readCorpora(t *testing.T, dir string) map[config.Language][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpora in %q: %v", dir, err)
	}
	corpora := make(map[config.Language][]string)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		language := config.Language(strings.TrimSuffix(filepath.Base(name), ".txt"))
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if s := strings.TrimSpace(lines.Text()); s != "" {
				corpora[language] = append(corpora[language], s)
			}
		}
		f.Close()
	}
	return corpora
}

// TestTrainLanguage makes language.model.gz anew when -train is given.
func TestTrainLanguage(t *testing.T) {
	if *trainDir == "" {
		t.Skip("-train=DIR trains the language model")
	}
	train := make(map[config.Language][]string)
	for language, sentences := range readCorpora(t, *trainDir) {
		train[language] = slices.DeleteFunc(sentences, heldOut)
	}
	for language, sentences := range readCorpora(t, "testdata/language") {
		own := slices.DeleteFunc(sentences, heldOut)
		for range max(1, len(train[language])/(6*len(own))) { // one example in seven is like a citizen's
			train[language] = append(train[language], own...)
		}
	}
	m := TrainLanguage(train)
	f, err := os.Create("language.model.gz")
	if err != nil {
		t.Fatal(err)
	}
	n, err := m.WriteTo(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", n)
	if *testDir == "" {
		*testDir = *trainDir
	}
	measure(t, m)
}

// TestMeasureLanguage prints how often the embedded model is right.
func TestMeasureLanguage(t *testing.T) {
	if *testDir == "" {
		t.Skip("-corpora=DIR measures the language model")
	}
	measure(t, builtin())
}

// measure prints, for each language, how many of the held-out sentences m gets right: whole, and
// cut to a few words; as they are, and in capitals without accents. "sure" are those with a
// confidence of at least 0.5.
func measure(t *testing.T, m *LanguageModel) {
	t.Helper()
	corpora := readCorpora(t, *testDir)
	for language, own := range readCorpora(t, "testdata/language") {
		if !slices.Contains(known, language) {
			corpora[language] = own
		}
	}
	t.Logf("%-10s %5s %6s %6s %6s %6s %6s  %s", "language", "words", "n", "right", "bare", "sure", "right", "wrong")
	for _, language := range slices.Sorted(maps.Keys(corpora)) {
		want := language
		if !slices.Contains(known, language) {
			want = Other
		}
		sentences := slices.DeleteFunc(corpora[language], func(s string) bool { return !heldOut(s) })
		for _, kept := range [...]int{0, 10, 5, 3, 1} {
			var plain, bare score
			random := rand.New(rand.NewPCG(3, uint64(kept)))
			for _, s := range sentences {
				if s = someWords(s, kept, random); s != "" {
					plain.add(m, want, s)
					bare.add(m, want, strings.ToUpper(withoutMarks(s)))
				}
			}
			t.Logf("%-10s %5d %6d %5.1f%% %5.1f%% %5.1f%% %5.1f%%  %v", language, kept, plain.n,
				percent(plain.right, plain.n), percent(bare.right, bare.n), percent(plain.sure, plain.n),
				percent(plain.rightSure, plain.sure), plain.wrong)
		}
	}
}

// score counts what a model makes of texts in one language.
type score struct {
	n, right, sure, rightSure int
	wrong                     map[config.Language]int
}

func (s *score) add(m *LanguageModel, want config.Language, text string) {
	got, confidence := m.Detect(text, known)
	s.n++
	if got == want {
		s.right++
	} else {
		if s.wrong == nil {
			s.wrong = make(map[config.Language]int)
		}
		s.wrong[got]++
	}
	if confidence >= 0.5 {
		s.sure++
		if got == want {
			s.rightSure++
		}
	}
}

func percent(a, b int) float64 { return 100 * float64(a) / float64(max(b, 1)) }

// someWords is n words of s, all of it for 0, nothing when it has not so many.
func someWords(s string, n int, random *rand.Rand) string {
	words := strings.Fields(s)
	if n == 0 {
		return s
	}
	if len(words) < n {
		return ""
	}
	from := random.IntN(len(words) - n + 1)
	return strings.Join(words[from:from+n], " ")
}
