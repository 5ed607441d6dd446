package config

import (
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	check := func(subject, body string, l Letter, wantSubject, wantBody string) {
		t.Helper()
		tm := Template{Subject: subject, Body: body}
		gotSubject, gotBody, err := tm.Render(l)
		if err != nil || gotSubject != wantSubject || gotBody != wantBody {
			t.Errorf("%q %q: got %q, %q, %v, want %q, %q", subject, body, gotSubject, gotBody, err, wantSubject, wantBody)
		}
	}
	check("[{{.Reference}}] {{.Subject}}", "Bon dia{{with .Citizen}}, {{.}}{{end}}:", Letter{Reference: "B-1", Subject: "Hola", Citizen: "Anna"}, "[B-1] Hola", "Bon dia, Anna:\n")
	check("Hola", "\n\n{{.Due}}\n\nb\n\n\n", Letter{}, "Hola", "b\n")
	check("Hola", "{{range .Candidates}}- {{.}}\n{{end}}", Letter{Candidates: []string{"a/b", "c"}}, "Hola", "- a/b\n- c\n")
	check("Hola", "<b> & {{.Words}}", Letter{Words: "1 < 2"}, "Hola", "<b> & 1 < 2\n") // plain text, nothing is escaped
	// A stranger's line breaks and template signs stay what they are: words in one line, or words.
	check("Re: {{.Subject}}", "{{.Citizen}}", Letter{Subject: "a\r\nBcc: b@example.org", Citizen: "Anna\n\n## x"}, "Re: a Bcc: b@example.org", "Anna ## x\n")
	check("Hola", "{{.Answer}}", Letter{Answer: "línia\n\n{{.Words}}", Words: "x"}, "Hola", "línia\n\n{{.Words}}\n")

	for _, tm := range []Template{
		{Subject: "{{.Subject}}", Body: "x"},
		{Subject: "{{.Nobody}}", Body: "x"},
		{Subject: "x", Body: "{{"},
		{Subject: "x", Body: "{{index .Candidates 3}}"},
		{Subject: "x", Body: "{{range $i, $c := .Candidates}}{{template \"body\" $}}{{end}}"},
		{Subject: "x", Body: strings.Repeat(`{{printf "%999999d" 1}}`, 6)},
	} {
		if subject, body, err := tm.Render(Letter{Candidates: []string{"a"}}); err == nil {
			t.Errorf("%q %q: got %q and %d bytes, want an error", tm.Subject, tm.Body, subject, len(body))
		}
	}
}

// TestKinds keeps the table of kinds complete: every constant of template.go is in it once.
func TestKinds(t *testing.T) {
	want := []string{
		Acknowledgement, FollowUpReceived, Answer, HoldingReply,
		Assigned, FollowUp, Reminder, Receipt, Held, Refused, Unfiled, Breach, Undelivered,
	}
	if len(Kinds) != len(want) {
		t.Fatalf("got %d kinds, want %d", len(Kinds), len(want))
	}
	for i, k := range Kinds {
		wantReader := Agents
		if i < 4 {
			wantReader = Citizens
		}
		if k.Name != want[i] || k.Reader != wantReader {
			t.Errorf("got %+v, want %s for a %s", k, want[i], wantReader)
		}
	}
}
