package config

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDocExample loads the example of the package comment in place of the mailboxes of testdata/valid.
func TestDocExample(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	for line := range strings.Lines(string(doc)) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok {
			example.WriteString(code)
		}
	}
	if example.Len() == 0 {
		t.Fatal("doc.go has no example")
	}
	files := validFiles(t)
	delete(files, "rules.yaml") // they name the other mailbox
	files["mailboxes.yaml"] = &fstest.MapFile{Data: []byte(example.String())}
	c, faults := Load(files, testEnv(t))
	for _, f := range faults {
		t.Error(f)
	}
	if c == nil {
		t.Fatal("got no configuration")
	}
	if got, want := c.Circuits[0].Terms["queixa"], (Term{1, Months}); len(c.Mailboxes) != 1 || got != want {
		t.Errorf("got %d mailboxes and the term %s", len(c.Mailboxes), got)
	}
}
