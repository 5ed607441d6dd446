package mailbox

import (
	"fmt"
	"strings"
	"testing"
)

func TestBounce(t *testing.T) {
	tests := []struct {
		file, action string
		hard         bool
		reason       string
		recipients   string
		original     MessageID
	}{
		{"dsn-postfix-user-unknown", "failed", true, "user_unknown", "joan@example.cat 5.1.1", "n1@bustia.example.org"},
		{"dsn-auto-replied", "failed", true, "mailbox_full", "joan@example.cat 5.2.2", "n1@bustia.example.org"},
		{"dsn-delayed", "delayed", false, "network", "joan@example.cat 4.4.1", "n1@bustia.example.org"},
		{"dsn-success", "relayed", false, "other", "joan@example.cat 2.0.0", "n1@bustia.example.org"},
		{"dsn-expired", "failed", false, "expired", "joan@example.cat 4.4.7", "n1@bustia.example.org"},
		{"dsn-generic-status-headers-only", "failed", true, "blocked", "joan@example.cat 5.7.1", "n1@bustia.example.org"},
		{"dsn-two-recipients", "failed", true, "host_unknown", "joan@example.cat 2.1.5, nuria@example.net 5.1.2", "n1@bustia.example.org"},
		{"dsn-exchange-es", "failed", true, "user_unknown", "joan@example.cat 5.1.10", "n1@bustia.example.org"},
		{"dsn-message-id-of-our-host", "failed", true, "too_large", "joan@example.cat 5.3.4", "n1@bustia.example.org"},
		{"dsn-dmarc-refused", "failed", true, "security", "joan@example.cat 5.7.26", "n1@bustia.example.org"},
		{"bounce-qmail", "failed", true, "user_unknown", "joan@example.cat 5.1.1", "n1@bustia.example.org"},
		{"bounce-exim", "failed", true, "host_unknown", "joan@example.cat 5.0.0", "n1@bustia.example.org"},
		{"bounce-exim-delay", "delayed", false, "other", "joan@example.cat ", ""},
		{"bounce-free-ca", "failed", true, "mailbox_full", "joan@example.cat 5.0.0", "n1@bustia.example.org"},
		{"bounce-no-ip-as-status", "failed", true, "rejected", "joan@example.cat 5.0.0", "n1@bustia.example.org"},
	}
	for _, test := range tests {
		got := Bounce(Parse(readFile(t, "testdata/screen/"+test.file+".eml")))
		if got == nil {
			t.Errorf("%s: no report", test.file)
			continue
		}
		var recipients []string
		for _, r := range got.Recipients {
			recipients = append(recipients, r.Address+" "+r.Status)
		}
		is := fmt.Sprint(got.Action, got.Hard, got.Reason, strings.Join(recipients, ", "), got.OriginalMessageID)
		want := fmt.Sprint(test.action, test.hard, test.reason, test.recipients, test.original)
		if is != want {
			t.Errorf("%s:\n got %s\nwant %s", test.file, is, want)
		}
	}
}

func TestEnhancedCode(t *testing.T) {
	for in, want := range map[string]string{
		"550 5.1.1 no":            "5.1.1",
		"from 5.1.1.2 refused":    "",
		"10.5.1.1":                "",
		"(#4.4.7).":               "4.4.7",
		"5.7.1. Sorry":            "5.7.1",
		"192.0.2.5.1.1":           "",
		"":                        "",
		"host 192.0.2.1: 5.2.2 x": "5.2.2",
	} {
		if got := enhancedCode(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestBounceReason(t *testing.T) {
	tests := []struct{ status, diagnostic, want string }{
		{"5.1.1", "", "user_unknown"},
		{"5.0.0", "550 no such user here", "user_unknown"},
		{"5.7.1", "550 5.7.1 message rejected as spam", "filtered"},
		{"5.7.1", "message contains a virus", "content"},
		{"5.7.1", "", "policy"},
		{"5.2.1", "mailbox disabled", "suspended"},
		{"4.4.1", "connection timed out", "network"},
		{"", "message size exceeds fixed limit", "too_large"},
		{"", "the account is suspended", "suspended"},
		{"", "", "other"},
		{"2.0.0", "", "other"},
	}
	for _, test := range tests {
		if got := bounceReason(test.status, test.diagnostic); got != test.want {
			t.Errorf("%q %q: got %s, want %s", test.status, test.diagnostic, got, test.want)
		}
	}
}
