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

func measure(t *testing.T, m *LanguageModel) {
	ours := m.languages[:m.ours()]
	for name, corpora := range map[string]map[config.Language][]string{
		"corpora": readCorpora(t, *testDir), "own": readCorpora(t, "testdata/language"),
	} {
		for _, language := range slices.Sorted(maps.Keys(corpora)) {
			held := slices.DeleteFunc(corpora[language], func(s string) bool { return !heldOut(s) })
			want := language
			if !slices.Contains(ours, language) {
				want = Other
			}
			for _, kept := range []int{0, 10, 5, 3} {
				for _, bare := range []bool{false, true} {
					random := rand.New(rand.NewPCG(3, uint64(kept)))
					n, right, sure, sureRight := 0, 0, 0, 0
					wrong := make(map[config.Language]int)
					for _, s := range held {
						words := strings.Fields(s)
						if kept > 0 {
							if len(words) < kept {
								continue
							}
							from := random.IntN(len(words) - kept + 1)
							s = strings.Join(words[from:from+kept], " ")
						}
						if bare {
							s = strings.ToUpper(withoutMarks(s))
						}
						got, confidence := m.Detect(s, ours)
						n++
						if got == want {
							right++
						} else {
							wrong[got]++
						}
						if confidence >= 0.5 {
							sure++
							if got == want {
								sureRight++
							}
						}
					}
					if n > 0 {
						t.Logf("%-8s %-10s words %2d bare %-5v n %5d right %.1f%% sure %.1f%% right when sure %.1f%% wrong %v", name, language, kept, bare, n,
							100*float64(right)/float64(n), 100*float64(sure)/float64(n), 100*float64(sureRight)/float64(max(sure, 1)), wrong)
					}
				}
			}
		}
	}
}
