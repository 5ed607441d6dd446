package classifier

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bustia/bustia/config"
)

var mailsFile = flag.String("mails", "", "judge the labelled mails of this file by the sample config, and print what comes of it")

// labelled is a mail with what a person makes of it.
type labelled struct {
	ID       string          `json:"id"`
	Language config.Language `json:"language"`
	Subject  string          `json:"subject"`
	Text     string          `json:"text"`
	Type     string          `json:"type"`  // "" = not judged
	Theme    string          `json:"theme"` // "" = none: the classifier should abstain
}

func readMails(t testing.TB, name string) []labelled {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var mails []labelled
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := struct {
			labelled
			Lang config.Language `json:"lang"`
			Body string          `json:"body"`
		}{}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m.Text += m.Body
		if m.Language += m.Lang; m.Language == "oc" {
			m.Language = "oc-aranes"
		}
		mails = append(mails, m.labelled)
	}
	return mails
}

// shippedConfig is the sample that the program ships.
func shippedConfig(t testing.TB) *config.Config {
	t.Helper()
	cfg, faults := config.Load(config.Sample(), config.Env{
		Now:      time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		Getenv:   func(string) string { return "x" },
		ReadFile: func(string) ([]byte, error) { return []byte("x"), nil },
	})
	if cfg == nil {
		t.Fatalf("the sample config: %v", faults)
	}
	return cfg
}

// tally is how a set of mails was judged.
type tally struct {
	mails, language, types, typesRight        int
	themes, path, level2, wrong, abstained    int
	foreign, foreignAbstained, foreignIgnored int // mails that no theme fits
}

func judge(t *testing.T, mails []labelled) tally {
	t.Helper()
	cfg := shippedConfig(t)
	c := New(cfg)
	n := tally{mails: len(mails)}
	for _, m := range mails {
		r := c.Classify(Input{Mailbox: cfg.Mailboxes[0].Name, Subject: m.Subject, Text: m.Text})
		if r.Language.Code == m.Language {
			n.language++
		} else {
			t.Logf("%s: language %v, want %s", m.ID, r.Language, m.Language)
		}
		if m.Type != "" {
			n.types++
			if r.Type.Value == m.Type {
				n.typesRight++
			} else {
				t.Logf("%s: type %v, want %s", m.ID, r.Type, m.Type)
			}
		}
		n.theme(t, &m, &r)
	}
	t.Logf("%+v", n)
	return n
}

func (n *tally) theme(t *testing.T, m *labelled, r *Result) {
	why := strings.Join(r.Theme.Why, "; ")
	if m.Theme == "" {
		n.foreign++
		switch {
		case r.Ignore != "":
			n.foreignIgnored++
		case r.Theme.Abstained:
			n.foreignAbstained++
		default:
			t.Logf("%s: theme %s (%.2f), want none: %s", m.ID, r.Theme.Path, r.Theme.Confidence, why)
		}
		return
	}
	n.themes++
	switch {
	case r.Theme.Abstained:
		n.abstained++
		t.Logf("%s: abstained, want %s: %v: %s", m.ID, m.Theme, r.Theme.Candidates, why)
	case r.Theme.Path == m.Theme:
		n.path++
		n.level2++
	case toLevel2(r.Theme.Path) == toLevel2(m.Theme):
		n.level2++
	default:
		n.wrong++
		t.Logf("%s: theme %s (%.2f), want %s: %s", m.ID, r.Theme.Path, r.Theme.Confidence, m.Theme, why)
	}
}

// toLevel2 is the first two steps of a path.
func toLevel2(path string) string {
	steps := strings.SplitN(path, "/", 3)
	return strings.Join(steps[:min(2, len(steps))], "/")
}

// TestMails holds what the sample config and the detector have reached on our own mails: a
// change that loses some of it must say so here.
func TestMails(t *testing.T) {
	n := judge(t, readMails(t, "testdata/mails.jsonl"))
	atLeast := func(what string, got, want int) {
		t.Helper()
		if got < want {
			t.Errorf("%s: %d of %d mails right, want at least %d", what, got, n.mails, want)
		}
	}
	atLeast("language", n.language, 61)
	atLeast("type", n.typesRight, 51)
	atLeast("theme to level 2", n.level2, 49)
	atLeast("whole path", n.path, 41)
	atLeast("abstained where no theme fits", n.foreignAbstained+n.foreignIgnored, 6)
	if n.wrong > 3 {
		t.Errorf("theme: %d mails wrong, want at most 3", n.wrong)
	}
}

// TestJudgeMails prints how the mails of -mails=FILE are judged.
func TestJudgeMails(t *testing.T) {
	if *mailsFile == "" {
		t.Skip("-mails=FILE judges labelled mails")
	}
	judge(t, readMails(t, *mailsFile))
}

func BenchmarkClassify(b *testing.B) {
	cfg := shippedConfig(b)
	c := New(cfg)
	mails := readMails(b, "testdata/mails.jsonl")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := mails[i%len(mails)]
		c.Classify(Input{Mailbox: cfg.Mailboxes[0].Name, Subject: m.Subject, Text: m.Text})
	}
}
