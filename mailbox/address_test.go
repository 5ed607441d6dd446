package mailbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddresses(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []Address
	}{
		{"", nil},
		{"joan@example.cat", []Address{{"", "joan@example.cat"}}},
		{"Joan Garcia <joan@example.cat>", []Address{{"Joan Garcia", "joan@example.cat"}}},
		{`"Garcia, Joan" <joan@example.cat>`, []Address{{"Garcia, Joan", "joan@example.cat"}}},
		{"Garcia, Joan <joan@example.cat>", []Address{{"Garcia, Joan", "joan@example.cat"}}},
		{"Garcia, Joan <joan@example.cat>, Anna <anna@example.cat>", []Address{{"Garcia, Joan", "joan@example.cat"}, {"Anna", "anna@example.cat"}}},
		{"joan.@example.cat", []Address{{"", "joan.@example.cat"}}},
		{"[Info] <info@example.cat>", []Address{{"[Info]", "info@example.cat"}}},
		{"Joan <joan@example.cat", []Address{{"Joan", "joan@example.cat"}}},
		{"Joan <joan@example.cat, Anna <anna@example.cat>", []Address{{"Joan", "joan@example.cat"}, {"Anna", "anna@example.cat"}}},
		{"=?UTF-8?Q?Joan,_Anna?= <a@example.cat>", []Address{{"Joan, Anna", "a@example.cat"}}},
		{"=?UTF-8?Q?a@b,_Anna?= <a@example.cat>", []Address{{"a@b, Anna", "a@example.cat"}}},
		{`"=?UTF-8?B?Sm9hbiDDgGxhbW8=?=" <a@example.cat>`, []Address{{"Joan Àlamo", "a@example.cat"}}},
		{"=?utf-8?Q?Joan_=3Cjoan=40example=2Ecat=3E?=", []Address{{"Joan", "joan@example.cat"}}},
		{"N\xfaria <nuria@example.cat>", []Address{{"Núria", "nuria@example.cat"}}},
		{"Núria <nuria@example.cat>", []Address{{"Núria", "nuria@example.cat"}}},
		{"joan@example.cat (Joan Garcia)", []Address{{"Joan Garcia", "joan@example.cat"}}},
		{"Joan (oficina (2a)) <joan@example.cat>", []Address{{"Joan", "joan@example.cat"}}},
		{"Joan :( <joan@example.cat>", []Address{{"Joan :(", "joan@example.cat"}}},
		{"undisclosed-recipients:;", nil},
		{"Amics: a@example.cat, Anna <b@example.cat>; c@example.cat", []Address{{"", "a@example.cat"}, {"Anna", "b@example.cat"}, {"", "c@example.cat"}}},
		{"Dept. X: Atenció <a@example.cat>", []Address{{"Dept. X: Atenció", "a@example.cat"}}},
		{"a@example.cat; b@example.cat", []Address{{"", "a@example.cat"}, {"", "b@example.cat"}}},
		{"a@example.cat,,b@example.cat,", []Address{{"", "a@example.cat"}, {"", "b@example.cat"}}},
		{"'joan@example.cat' <joan@example.cat>", []Address{{"joan@example.cat", "joan@example.cat"}}},
		{"'joan@example.cat'", []Address{{"", "joan@example.cat"}}},
		{"<<joan@example.cat>>", []Address{{"", "joan@example.cat"}}},
		{"< joan@example.cat >", []Address{{"", "joan@example.cat"}}},
		{"<@relay.example.org,@b.example.org:joan@example.cat>", []Address{{"", "joan@example.cat"}}},
		{"<mailto:joan@example.cat>", []Address{{"", "joan@example.cat"}}},
		{"<joan@example.cat> Joan", []Address{{"Joan", "joan@example.cat"}}},
		{"Joan joan@example.cat", []Address{{"Joan", "joan@example.cat"}}},
		{`"Joan \"el Gran\"" <joan@example.cat>`, []Address{{`Joan "el Gran"`, "joan@example.cat"}}},
		{`"joan garcia"@example.cat`, []Address{{"", `"joan garcia"@example.cat`}}},
		{`"Joan Garcia <joan@example.cat>`, []Address{{"Joan Garcia", "joan@example.cat"}}},
		{"joan@[192.0.2.1]", []Address{{"", "joan@[192.0.2.1]"}}},
		{"postmaster@EXAMPLE.cat.", []Address{{"", "postmaster@EXAMPLE.cat"}}},
		{"MAILER-DAEMON (Mail Delivery System)", []Address{{"MAILER-DAEMON", ""}}},
		{"<>", nil},
		{"=?utf-8?B?w4A?= =?utf-8?Q?lex?= <alex@example.cat>", []Address{{"Àlex", "alex@example.cat"}}},
	} {
		if diff := cmp.Diff(c.want, parseAddresses(c.in)); diff != "" {
			t.Errorf("parseAddresses(%q) (-want +got):\n%s", c.in, diff)
		}
	}
}
