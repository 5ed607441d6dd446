package mailbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefs(t *testing.T) {
	reference := NewReference(2026, 4217)
	raw := strings.Join([]string{
		"From: Joan <joan@example.org>",
		"Subject: =?utf-8?Q?Re:_=5B" + string(reference) + "=5D_Petici=C3=B3?=",
		"Delivered-To: Contacte+K7F3@example.cat",
		"X-Original-To: contacte@example.cat",
		"Envelope-To: <contacte@example.cat>",
		"To: Contacte <CONTACTE@example.cat>, Anna <anna@example.org>",
		"Cc: altri@example.net",
		"In-Reply-To: <c@example.cat>",
		"References: <a@example.cat> <b@example.cat>",
		" <c@example.cat>",
		"", "text",
	}, "\r\n")
	want := References{
		MessageIDs: []MessageID{"c@example.cat", "b@example.cat", "a@example.cat"},
		Case:       reference,
		Recipients: []string{"Contacte+K7F3@example.cat", "contacte@example.cat", "anna@example.org", "altri@example.net"},
	}
	if diff := cmp.Diff(want, Refs(Parse([]byte(raw)))); diff != "" {
		t.Errorf("Refs (-want +got):\n%s", diff)
	}
}

func FuzzRefs(f *testing.F) {
	for _, raw := range testMails(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Refs(Parse(raw))
		seen := make(map[MessageID]bool)
		for _, id := range r.MessageIDs {
			if id == "" || seen[id] || strings.ContainsAny(string(id), "<> \t\r\n") {
				t.Errorf("got Message-ID %q among %q", id, r.MessageIDs)
			}
			seen[id] = true
		}
		if again, ok := ParseReference(string(r.Case)); r.Case != "" && (!ok || again != r.Case) {
			t.Errorf("got reference %q, parsed again %q", r.Case, again)
		}
		for _, address := range r.Recipients {
			if !strings.Contains(address, "@") || strings.ContainsFunc(address, isControl) {
				t.Errorf("got recipient %q", address)
			}
		}
	})
}
