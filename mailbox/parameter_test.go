package mailbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseParameters(t *testing.T) {
	type params = map[string]string
	for _, c := range []struct {
		in     string
		value  string
		params params
		ok     bool
	}{
		{"", "", params{}, true},
		{"text/plain", "text/plain", params{}, true},
		{"text/plain; charset=utf-8", "text/plain", params{"charset": "utf-8"}, true},
		{`text/plain; charset="utf-8"; format=flowed`, "text/plain", params{"charset": "utf-8", "format": "flowed"}, true},
		{"text/plain; charset=us-ascii (text)", "text/plain", params{"charset": "us-ascii"}, true},
		{"text/plain charset=utf-8", "text/plain", params{"charset": "utf-8"}, true},
		{"text/plain;;; charset=utf-8;", "text/plain", params{"charset": "utf-8"}, true},
		{"text/plain; charset=utf-8; charset=iso-8859-1", "text/plain", params{"charset": "utf-8"}, true},
		{"text/plain; CHARSET = utf-8", "text/plain", params{"charset": "utf-8"}, true},
		{"charset=utf-8", "", params{"charset": "utf-8"}, true},
		{"text/plain; junk; charset=utf-8", "text/plain", params{"charset": "utf-8"}, false},
		{"multipart/mixed; boundary=----=_Part_1_2.3", "multipart/mixed", params{"boundary": "----=_Part_1_2.3"}, true},
		{"multipart/mixed; boundary=foo:bar?/(x)", "multipart/mixed", params{"boundary": "foo:bar?/(x)"}, true},
		{`multipart/mixed; boundary="a b"`, "multipart/mixed", params{"boundary": "a b"}, true},
		{`multipart/mixed; boundary="a; type=x`, "multipart/mixed", params{"boundary": "a", "type": "x"}, true},
		{`attachment; filename="a;b.pdf"`, "attachment", params{"filename": "a;b.pdf"}, true},
		{`attachment; filename="a \"b\".pdf"`, "attachment", params{"filename": `a "b".pdf`}, true},
		{`attachment; filename="a "b" c.pdf"`, "attachment", params{"filename": `a "b" c.pdf`}, true},
		{`attachment; filename="a.pdf" size=3`, "attachment", params{"filename": "a.pdf", "size": "3"}, true},
		{"attachment; filename=un informe (2).pdf; size=3", "attachment", params{"filename": "un informe (2).pdf", "size": "3"}, true},
		{"attachment; filename=un informe.pdf size=3", "attachment", params{"filename": "un informe.pdf", "size": "3"}, true},
		{"attachment; filename==?utf-8?Q?pl=C3=A0nol?=", "attachment", params{"filename": "plànol"}, true},
		{"attachment; filename=\"pl\xe0nol\"", "attachment", params{"filename": "plànol"}, true},
		{"attachment; filename*=UTF-8''pl%C3%A0nol", "attachment", params{"filename": "plànol"}, true},
		{"attachment; filename*=ISO-8859-1'ca'pl%E0nol; filename=planol", "attachment", params{"filename": "plànol"}, true},
		{"attachment; filename*=pl%C3%A0nol", "attachment", params{"filename": "plànol"}, true},
		{"attachment; filename*1=b; filename*0=a; filename*2=c", "attachment", params{"filename": "abc"}, true},
		{"attachment; filename*0*=UTF-8''%C3; filename*1*=%A0; filename*3=z", "attachment", params{"filename": "à"}, true},
		{`attachment; filename*0="=?utf-8?Q?pl=C3?="; filename*1="=?utf-8?Q?=A0nol?="`, "attachment", params{"filename": "plànol"}, true},
		{"attachment; filename*=UTF-8''a%0D%0Ab", "attachment", params{"filename": "a  b"}, true},
	} {
		value, got, ok := parseParameters(c.in)
		if value != c.value || ok != c.ok {
			t.Errorf("parseParameters(%q): got %q, %v, want %q, %v", c.in, value, ok, c.value, c.ok)
		}
		if diff := cmp.Diff(c.params, got); diff != "" {
			t.Errorf("parseParameters(%q) (-want +got):\n%s", c.in, diff)
		}
	}
}
