package mailbox

import (
	"strings"
	"testing"
)

func TestDigest(t *testing.T) {
	mail := string(readTestMail(t, "alternative"))
	digest := func(raw string) string { return Digest(Parse([]byte(raw)), []byte(raw)) }
	want := digest(mail)
	if len(want) != 64 {
		t.Fatalf("got digest %q, want 64 hexadecimal digits", want)
	}
	for name, copied := range map[string]string{
		"other trace fields": "Return-Path: <joan@example.org>\r\nDelivered-To: altra@example.cat\r\nReceived: by mx2.example.cat\r\n" + mail,
		"spam and signature": "X-Spam-Status: No\r\nDKIM-Signature: v=1; d=example.org\r\nARC-Seal: i=1\r\nAuthentication-Results: mx; dkim=pass\r\n" + mail,
		"line feeds alone":   strings.ReplaceAll(mail, "\r\n", "\n"),
		"folded again":       strings.Replace(mail, "Subject: ", "Subject:\r\n ", 1),
		"empty lines at end": mail + "\r\n\r\n",
		"mbox":               "From joan@example.org Tue Mar  3 09:12:00 2026\n" + mail,
	} {
		if got := digest(copied); got != want {
			t.Errorf("%s: got another digest for a copy", name)
		}
	}
	for name, other := range map[string]string{
		"another text":    strings.Replace(mail, "molt llarga", "molt curta", 1),
		"another subject": strings.Replace(mail, "Subject: ", "Subject: No ", 1),
		"another writer":  strings.Replace(mail, "From: ", "Reply-To: anna@example.org\r\nFrom: ", 1),
		"another sender":  strings.Replace(mail, "joan@", "anna@", 1),
		"another date":    strings.Replace(mail, "Date: Tue, 03", "Date: Wed, 04", 1),
		"another id":      strings.Replace(mail, "<alternative@", "<other@", 1),
		"empty line less": strings.Replace(mail, "\r\n\r\nL=C3", "\r\n\r\n\r\nL=C3", 1),
	} {
		if other == mail {
			t.Errorf("%s: the mail was not changed", name)
		}
		if got := digest(other); got == want {
			t.Errorf("%s: got the digest of another mail", name)
		}
	}
}
