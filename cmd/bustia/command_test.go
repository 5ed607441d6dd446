package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/store"
)

// bustia runs one command line and gives its exit status and what it printed.
func bustia(t *testing.T, in string, args ...string) (status int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	clock := func() time.Time { return demoStart }
	status = run(t.Context(), program{In: strings.NewReader(in), Out: &o, Err: &e, Clock: clock}, args)
	return status, o.String(), e.String()
}

// The fields that other programs read: they may be added to, not taken away.
func TestExplainFields(t *testing.T) {
	status, out, errOut := bustia(t, "", "explain", "--json", "demo/ca-question-health-card.eml", "demo/es-out-of-office.eml")
	if status != 0 {
		t.Fatalf("status %d: %s", status, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want one a mail", len(lines))
	}
	check := func(line string, path ...string) {
		t.Helper()
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		for _, name := range path {
			fields, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: no object", path)
			}
			if v, ok = fields[name]; !ok {
				t.Errorf("no field %s", strings.Join(path, "."))
				return
			}
		}
	}
	for _, line := range lines {
		for _, path := range []string{"file", "message_id", "from.name", "from.address", "subject", "date", "attachments", "faults", "text",
			"screen.kind", "screen.reason", "screen.answer", "bounce", "refs.message_ids", "refs.case", "language.code", "language.confidence",
			"type.value", "type.why", "theme.path", "theme.confidence", "theme.abstained", "theme.candidates", "theme.why",
			"route.agent", "route.supervisor", "route.why", "deadlines"} {
			check(line, strings.Split(path, ".")...)
		}
		if strings.Contains(line, ":null") && !strings.Contains(line, `"bounce":null`) {
			t.Errorf("a list is null: %s", line)
		}
	}
	var mail explanation
	if err := json.Unmarshal([]byte(lines[0]), &mail); err != nil {
		t.Fatal(err)
	}
	if mail.Language.Code != "ca" || !strings.HasPrefix(mail.Theme.Path, "salut/targeta-sanitaria") || mail.Route.Agent == "" || len(mail.Deadlines) != 1 {
		t.Errorf("got %s", lines[0])
	}
	if err := json.Unmarshal([]byte(lines[1]), &mail); err != nil {
		t.Fatal(err)
	}
	if mail.Screen.Kind != "auto_reply" || mail.Screen.Answer {
		t.Errorf("got screen %+v", mail.Screen)
	}
}

func TestExplainGoesOnAfterABadFile(t *testing.T) {
	status, out, errOut := bustia(t, "From: a@example.org\n\nBon dia", "explain", "no-such-file.eml", "-")
	if status != 1 || !strings.Contains(errOut, "no-such-file.eml") || !strings.Contains(out, "a@example.org") {
		t.Errorf("status %d\n%s%s", status, out, errOut)
	}
}

func TestClassify(t *testing.T) {
	in := `{"id": 7, "subject": "Targeta sanitària", "text": "He perdut la targeta sanitària. Com demano un duplicat?"}
not json
{"id": "x", "subject": "", "text": "…"}
`
	status, out, errOut := bustia(t, in, "classify")
	if status != 1 || !strings.Contains(errOut, "line 2") {
		t.Errorf("status %d: %s", status, errOut)
	}
	var got []string
	for line := range strings.Lines(out) {
		var o classifyOutput
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		got = append(got, string(o.ID)+" "+o.Theme.Path)
	}
	if diff := cmp.Diff([]string{"7 salut/targeta-sanitaria/alta-tsi", `"x" `}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDeadline(t *testing.T) {
	due := func(args ...string) string {
		t.Helper()
		status, out, errOut := bustia(t, "", append([]string{"deadline", "--json"}, args...)...)
		if status != 0 {
			return strings.TrimSpace(errOut)
		}
		var c countJSON
		if err := json.Unmarshal([]byte(out), &c); err != nil {
			t.Fatal(err)
		}
		return c.Due
	}
	check := func(want string, args ...string) {
		t.Helper()
		if got := due(args...); !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", args, got, want)
		}
	}
	check("2026-04-20T23:59:59+02:00", "--calendar", "catalunya", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "10 working days")
	check("2026-04-21T23:59:59+02:00", "--calendar", "catalunya", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "10 working days", "--nonworking-arrival", "next_working_day")
	check("2026-07-14T23:59:59+02:00", "--calendar", "aran", "--arrived", "2026-06-12T10:00:00+02:00", "--term", "20 working days")
	check("2026-04-01T23:59:59+02:00", "--calendar", "catalunya", "--arrived", "2026-03-02T10:00:00+01:00", "--term", "15 working days",
		"--paused", "2026-03-06T12:00:00+01:00/2026-03-17T09:00:00+01:00")
	check(`no calendar "mars"; there are`, "--calendar", "mars", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "10 working days")
	check("--arrived", "--calendar", "aran", "--arrived", "yesterday", "--term", "10 working days")
	check("--term", "--calendar", "aran", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "ten days")
	check("--paused", "--calendar", "aran", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "1 month", "--paused", "2026-04-09T10:00:00+02:00/2026-04-08T10:00:00+02:00")
	check("--nonworking-arrival", "--calendar", "aran", "--arrived", "2026-04-04T10:00:00+02:00", "--term", "1 month", "--nonworking-arrival", "never")
}

func TestCheck(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "own")
	if status, out, errOut := bustia(t, "", "demo", "--write", dir); status != 0 || !strings.Contains(out, "bustia check -c "+dir) {
		t.Fatalf("status %d: %s%s", status, out, errOut)
	}
	if status, _, errOut := bustia(t, "", "demo", "--write", dir); status != 1 || !strings.Contains(errOut, "not empty") {
		t.Errorf("a folder with something in it was written over: status %d: %s", status, errOut)
	}
	if status, _, errOut := bustia(t, "", "check", "-c", dir); status != 1 || !strings.Contains(errOut, "imap.password_env") {
		t.Errorf("without the secret: status %d: %s", status, errOut)
	}
	t.Setenv("BUSTIA_PASSWORD", "correct horse")
	if status, out, errOut := bustia(t, "", "check", "-c", dir); status != 0 || !strings.Contains(out, "valid: ") || errOut != "" {
		t.Errorf("the sample: status %d: %s%s", status, out, errOut)
	}
	edit(t, filepath.Join(dir, "mailboxes.yaml"), "    circuit: general\n", "    circuit: generel\n    colour: red\n")
	status, out, errOut := bustia(t, "", "check", "-c", dir)
	if status != 1 || out != "" || strings.Contains(errOut, "correct horse") {
		t.Errorf("status %d: %s", status, errOut)
	}
	for _, want := range []string{"mailboxes.yaml:", "generel", "general", "colour"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("the faults lack %q:\n%s", want, errOut)
		}
	}
	if status, _, errOut := bustia(t, "", "run", "-c", dir); status != 1 || !strings.Contains(errOut, "generel") {
		t.Errorf("run: status %d: %s", status, errOut)
	}
}

// edit replaces the first old in a file.
func edit(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s lacks %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The demo tells the whole story, and what it leaves behind can be looked at.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, errOut bytes.Buffer
	status := run(t.Context(), program{In: strings.NewReader(""), Out: &out, Err: &errOut, Clock: time.Now}, []string{"demo"})
	if status != 0 {
		t.Fatalf("status %d: %s%s", status, out.String(), errOut.String())
	}
	for _, want := range []string{"received", "promised", "agent ", "acknowledgement to the citizen", "answered", "committed time met",
		"follow-up", "reopened", "triage", "filed", "reminder", "breach", "holding reply to the citizen", "automatic", "ignored", "bustia cases --store"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story lacks %q:\n%s", want, out.String())
		}
	}
	_, rest, _ := strings.Cut(out.String(), "bustia cases --store ")
	url, _, _ := strings.Cut(rest, "\n")
	status, cases, casesErr := bustia(t, "", "cases", "--store", url, "--json", "--state", "open")
	if status != 0 || strings.Count(cases, "\n") < 3 || !strings.Contains(cases, `"reference":"B-2026-`) {
		t.Errorf("cases: status %d: %s%s", status, cases, casesErr)
	}
	status, ledger, ledgerErr := bustia(t, "", "ledger", "--store", url)
	if status != 0 || !strings.Contains(ledger, "quarantine") {
		t.Errorf("ledger: status %d: %s%s", status, ledger, ledgerErr)
	}
	reference := cases[strings.Index(cases, "B-2026-"):][:len("B-2026-000001-5")]
	if status, detail, detailErr := bustia(t, "", "case", "--store", url, reference); status != 0 || !strings.Contains(detail, "History") {
		t.Errorf("case: status %d: %s%s", status, detail, detailErr)
	}
	if status, _, detailErr := bustia(t, "", "case", "--store", url, "B-1999-000001-1"); status != 1 || !strings.Contains(detailErr, "no case") {
		t.Errorf("no such case: status %d: %s", status, detailErr)
	}
	mails, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "bustia-demo-*", "sent", "*.eml"))
	if err != nil || len(mails) < 20 {
		t.Errorf("got %d mails kept, %v", len(mails), err)
	}
}

func TestHelp(t *testing.T) {
	status, out, _ := bustia(t, "", "help")
	if status != 0 {
		t.Fatalf("status %d", status)
	}
	for _, c := range []string{"run", "demo", "check", "explain", "classify", "deadline", "cases", "case", "assign", "close", "ledger", "version", "completion"} {
		if !slices.ContainsFunc(strings.Split(out, "\n"), func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), c+" ") }) {
			t.Errorf("help does not tell of %s:\n%s", c, out)
		}
	}
	if status, _, errOut := bustia(t, "", "no-such-command"); status != 1 || !strings.Contains(errOut, "no-such-command") {
		t.Errorf("status %d: %s", status, errOut)
	}
	if status, out, _ := bustia(t, "", "completion", "bash"); status != 0 || len(out) < 1000 {
		t.Errorf("completion: status %d, %d bytes", status, len(out))
	}
}

// A mail that cannot be processed is kept, listed, shown, tried again and dropped.
func TestQuarantine(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "bustia.db")
	st, err := store.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	err = st.InTx(t.Context(), func(tx *store.Tx) error {
		id, err := tx.AddReceived(store.Received{Mailbox: "corporate", Folder: "INBOX", UIDValidity: 1, UID: 7, InternalDate: demoStart, Raw: []byte("raw mail")})
		if err != nil {
			return err
		}
		return tx.Dispose(id, store.Quarantine, "panic: test", 0, demoStart)
	})
	if err != nil {
		t.Fatal(err)
	}
	st.Close()
	check := func(status int, want string, args ...string) {
		t.Helper()
		got, out, errOut := bustia(t, "", append([]string{"quarantine"}, append(args, "--store", url)...)...)
		if got != status || !strings.Contains(out+errOut, want) {
			t.Errorf("%q: status %d, want %d and %q: %s%s", args, got, status, want, out, errOut)
		}
	}
	check(0, `"id":1,"mailbox":"corporate"`, "list", "--json")
	check(0, "panic: test", "list")
	check(0, "raw mail", "show", "1")
	if status, out, errOut := bustia(t, "", "ledger", "--store", url, "--list", "quarantine"); status != 0 || !strings.Contains(out, "panic: test") {
		t.Errorf("ledger --list: status %d: %s%s", status, out, errOut)
	}
	if status, _, errOut := bustia(t, "", "ledger", "--store", url, "--list", "lost"); status != 1 || !strings.Contains(errOut, `no disposition "lost"`) {
		t.Errorf("ledger --list: status %d: %s", status, errOut)
	}
	check(1, "no mail 2", "show", "2")
	check(1, `"x" is no ID`, "show", "x")
	check(0, "", "retry", "1")
	check(1, "no mail 1 in quarantine", "retry", "1")
	if status, out, _ := bustia(t, "", "ledger", "--store", url, "--json"); status != 1 || !strings.Contains(out, `"pending":1`) {
		t.Errorf("after retry: status %d: %s", status, out)
	}
	check(1, "reason", "drop", "1")
}
