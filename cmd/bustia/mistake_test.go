package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bustia/bustia/config"
)

// Command lines as people get them wrong, and what they are told.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone", "bustia.db")
	deadline := []string{"deadline", "--calendar", "catalunya", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "2 working days"}
	check := func(want string, args ...string) {
		t.Helper()
		status, out, errOut := bustia(t, "", args...)
		if status != 1 || out != "" || !strings.Contains(errOut, want) {
			t.Errorf("%q: got status %d, %q and\n%swant\n%s", args, status, out, errOut, want)
		}
	}
	check("usage: bustia case (-c DIR | --store URL) REFERENCE [flags]\n       bustia case --help\n", "case", "--store", "sqlite:x.db")
	check("usage: bustia cases", "cases")
	check("usage: bustia cases", "cases", "--store", "sqlite:x.db", "extra")
	check("usage: bustia check -c DIR", "check")
	check("usage: bustia quarantine list", "quarantine", "list", "extra")
	check(filepath.Join(dir, "none")+":1:1: .: cannot be read: no such file or directory", "check", "-c", filepath.Join(dir, "none"))
	check("no store there: stat "+gone, "cases", "--store", "sqlite:"+gone)
	check(`--state: "opn" is none of unfiled, open, answered, closed`, "cases", "--store", "sqlite:"+gone, "--state", "opn")
	check("--limit: -1 is below 0", "cases", "--store", "sqlite:"+gone, "--limit", "-1")
	check(`no case "B-2026-000004-5": references look like`, "case", "--store", "sqlite:"+gone, "B-2026-000004-5")
	check(`no case "marta"`, "assign", "-c", dir, "marta", "B-2026-000004-4")
	check("--reason is empty", "close", "-c", dir, "B-2026-000004-4", "--reason", " ")
	check(`no mailbox "salud"; there are corporate, salut, `, "explain", "--mailbox", "salud", "-")
	check(`"2026-04-04" is no time with its zone, like 2026-04-04T10:00:00+02:00`, append(deadline, "--arrived", "2026-04-04")...)
	check(`"x": FROM/TO is needed`, append(deadline, "--paused", "x")...)
	if _, err := os.Stat(filepath.Dir(gone)); err == nil {
		t.Error("a store was made by looking for it")
	}
}

// An order is refused before the store is opened when its agent or theme does not exist.
func TestAssignment(t *testing.T) {
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: sampleEnv})
	if faults.Err() != nil {
		t.Fatal(faults)
	}
	check := func(to, want string) {
		t.Helper()
		c, err := assignment(cfg, to)
		if got := string(c.Verb); err != nil && want != "" || got != want {
			t.Errorf("%s: got %q, %v, want %q", to, got, err, want)
		}
	}
	check("marta", "to")
	check("Marta", "to")
	check("marta.solervila@example.cat", "to")
	check("salut/targeta-sanitaria", "theme")
	check("targeta-sanitaria", "theme")
	check("martha", "")
	check("sanitaria", "")
}

func TestExplainWhatIsNoCase(t *testing.T) {
	check := func(file, want string) {
		t.Helper()
		status, out, errOut := bustia(t, "", "explain", file)
		if status != 0 || !strings.Contains(out, want) || strings.Contains(out, "\nagent") {
			t.Errorf("%s: status %d\n%s%swant %q and no agent", file, status, out, errOut, want)
		}
	}
	check("demo/ca-newsletter.eml", "becomes    ignored: rule newsletters\n")
	check("demo/es-out-of-office.eml", "becomes    automatic: auto_reply: Auto-Submitted: auto-replied\n")
}

func TestCompletion(t *testing.T) {
	check := func(want string, args ...string) {
		t.Helper()
		if status, out, errOut := bustia(t, "", append([]string{"__complete"}, args...)...); status != 0 || out != want {
			t.Errorf("%q: got status %d, %q, %q, want %q", args, status, out, errOut, want)
		}
	}
	check("unfiled\nopen\nanswered\nclosed\n:4\n", "cases", "--state", "")
	check(":16\n", "check", "-c", "") // directories
}

func TestTellerWraps(t *testing.T) {
	var b bytes.Buffer
	tell := &teller{out: &b}
	tell.fact("agent", strings.Repeat("abcdefgh ", 12)+"\x1b[2mé\x1b[0m")
	want := "    agent      " + strings.Repeat("abcdefgh ", 6) + "abcdefgh\n" + strings.Repeat(" ", 15) + strings.Repeat("abcdefgh ", 5) + "\x1b[2mé\x1b[0m\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
