package mailbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMessageIDs(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []MessageID
	}{
		{"", nil},
		{"<a@example.org>", []MessageID{"a@example.org"}},
		{"<a@example.org><b@example.org>", []MessageID{"a@example.org", "b@example.org"}},
		{"<a@example.org>, <b@example.org>", []MessageID{"a@example.org", "b@example.org"}},
		{"<a@exa mple.org>\t< b@example.org >", []MessageID{"a@example.org", "b@example.org"}},
		{"<a@example.org <b@example.org>", []MessageID{"a@example.org", "b@example.org"}},
		{"<a@example.org", []MessageID{"a@example.org"}},
		{"<no-at-sign>", []MessageID{"no-at-sign"}},
		{"<>", nil},
		{"a@example.org b@example.org", []MessageID{"a@example.org", "b@example.org"}},
		{"Message from joan@example.org <a@example.org>", []MessageID{"a@example.org"}},
		{"your message of Monday", nil},
	} {
		if diff := cmp.Diff(c.want, parseMessageIDs(c.in)); diff != "" {
			t.Errorf("parseMessageIDs(%q) (-want +got):\n%s", c.in, diff)
		}
	}
}
