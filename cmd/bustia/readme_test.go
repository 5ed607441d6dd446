package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The YAML of the README is a configuration that loads, in the place the README gives it.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) != 1 {
		t.Fatalf("got %d YAML blocks, want 1", len(blocks))
	}
	dir := filepath.Join(t.TempDir(), "my-config")
	if status, _, errOut := bustia(t, "", "demo", "--write", dir); status != 0 {
		t.Fatal(errOut)
	}
	if err := os.WriteFile(filepath.Join(dir, "mailboxes.yaml"), blocks[0][1], 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BUSTIA_PASSWORD", "secret")
	if status, out, errOut := bustia(t, "", "check", "-c", dir); status != 0 || !strings.HasPrefix(out, "valid: 1 mailboxes") {
		t.Errorf("status %d: %s%s", status, out, errOut)
	}
}
