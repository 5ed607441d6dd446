package mailbox

import (
	"path/filepath"
	"testing"
)

var testOwn = Own{Addresses: []string{"bustia@example.org"}, Domain: "bustia.example.org"}

// Each line is a file in testdata/screen.
var screenTests = []struct {
	file   string
	kind   Kind
	answer bool
}{
	{"person-ca", Person, true},
	{"person-return-path", Person, true},
	{"person-noreply", Person, false},
	{"person-no-respongueu", Person, false},
	{"person-no-from", Person, false},
	{"person-null-return-path", Person, false},
	{"person-web-form", Person, true},
	{"person-web-form-auto-generated", Person, false},
	{"person-web-form-from-us", Person, false},
	{"person-proton-feedback-id", Person, true},
	{"person-suppress", Person, false},
	{"person-suppress-oof", Person, false},
	{"person-x-loop", Person, false},
	{"person-quotes-us", Person, true},
	{"person-complains-of-auto-reply", Person, true},
	{"person-holiday-question", Person, true},
	{"person-parcel-not-delivered", Person, true},
	{"person-forwards-bounce", Person, true},
	{"person-postmaster-asks", Person, false},
	{"oof-exchange-ca", AutoReply, false},
	{"oof-gmail-es", AutoReply, false},
	{"oof-headerless-en", AutoReply, false},
	{"oof-old-vacation-fr", AutoReply, false},
	{"oof-oc", AutoReply, false},
	{"oof-de-precedence", AutoReply, false},
	{"oof-pt", AutoReply, false},
	{"oof-it", AutoReply, false},
	{"received-your-mail-null-path", AutoReply, false},
	{"auto-generated-notice", AutoReply, false},
	{"auto-replied-with-comment", AutoReply, false},
	{"list-person-writes", List, false},
	{"list-newsletter", List, false},
	{"list-precedence-bulk", List, false},
	{"junk-flag", Junk, false},
	{"junk-status", Junk, false},
	{"not-junk-status", Person, true},
	{"challenge-earthlink", Challenge, false},
	{"challenge-confirm", Challenge, false},
	{"loop-from-us", Loop, false},
	{"loop-subaddress", Loop, false},
	{"loop-message-id", Loop, false},
	{"person-our-domain", Person, true},
	{"report-read-receipt", Report, false},
	{"report-arf", Report, false},
	{"report-dmarc", Report, false},
	{"dsn-postfix-user-unknown", BounceKind, false},
	{"dsn-auto-replied", BounceKind, false},
	{"dsn-delayed", Delay, false},
	{"dsn-success", DSNSuccess, false},
	{"dsn-expired", BounceKind, false},
	{"dsn-generic-status-headers-only", BounceKind, false},
	{"dsn-two-recipients", BounceKind, false},
	{"dsn-exchange-es", BounceKind, false},
	{"dsn-message-id-of-our-host", BounceKind, false},
	{"dsn-dmarc-refused", BounceKind, false},
	{"bounce-qmail", BounceKind, false},
	{"bounce-exim", BounceKind, false},
	{"bounce-exim-delay", Delay, false},
	{"bounce-free-ca", BounceKind, false},
	{"bounce-no-ip-as-status", BounceKind, false},
}

func TestScreen(t *testing.T) {
	files, err := filepath.Glob("testdata/screen/*.eml")
	if err != nil || len(files) != len(screenTests) {
		t.Errorf("%d files for %d lines, %v", len(files), len(screenTests), err)
	}
	for _, test := range screenTests {
		m := Parse(readFile(t, "testdata/screen/"+test.file+".eml"))
		got := Screen(m, testOwn)
		if got.Kind != test.kind || got.Answer != test.answer {
			t.Errorf("%s: got %s, answer %v (%s); want %s, answer %v", test.file, got.Kind, got.Answer, got.Reason, test.kind, test.answer)
		}
		if got.Reason == "" {
			t.Errorf("%s: no reason", test.file)
		}
		isBounce := test.kind == BounceKind || test.kind == Delay || test.kind == DSNSuccess
		if b := Bounce(m); (b != nil) != isBounce {
			t.Errorf("%s: bounce report %v", test.file, b)
		}
	}
}
