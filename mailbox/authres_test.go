package mailbox

import "testing"

func TestAuthResults(t *testing.T) {
	const ours, theirs = "Authentication-Results: mx.example.org", "Authentication-Results: mx.example.net"
	tests := []struct {
		name, header string
		want         Auth
		fails        bool
	}{
		{"none", "Subject: x\n", Auth{}, false},
		{"all pass", ours + ";\n spf=pass smtp.mailfrom=a@example.cat; dkim=pass header.d=example.cat;\n dmarc=pass (p=REJECT) header.from=example.cat\n", Auth{true, "pass", "pass", "pass"}, false},
		{"version", ours + " 1; dmarc/1=fail\n", Auth{true, "", "", "fail"}, true},
		{"case", "AUTHENTICATION-RESULTS: MX.Example.Org; SPF=Pass\n", Auth{true, "pass", "", ""}, false},
		{"no result", ours + "; none\n", Auth{Known: true}, false},
		{"another server's", theirs + "; dmarc=pass\n", Auth{}, false},
		{"ours below another's", theirs + "; spf=fail\n" + ours + "; dmarc=pass\n", Auth{}, false},
		{"two of ours", ours + "; spf=fail\n" + ours + "; dkim=fail\n", Auth{true, "fail", "fail", ""}, true},
		{"forged below the first hop", ours + "; spf=fail\nReceived: from a by b\n" + ours + "; dkim=pass\n", Auth{true, "fail", "", ""}, false},
		{"a later one does not mend", ours + "; dmarc=fail\n" + ours + "; dmarc=pass\n", Auth{true, "", "", "fail"}, true},
		{"one signature of two", ours + "; dkim=fail header.d=a; dkim=pass header.d=b\n", Auth{true, "", "pass", ""}, false},
		{"in a comment", ours + "; spf=fail (; dkim=pass (nested; dmarc=pass) \\) ; dmarc=pass); dkim=fail\n", Auth{true, "fail", "fail", ""}, true},
		{"in quotes", ours + "; dkim=fail reason=\"; dmarc=pass\"; spf=softfail\n", Auth{true, "softfail", "fail", ""}, true},
		{"dmarc passes all the same", ours + "; spf=fail; dkim=fail; dmarc=pass\n", Auth{true, "fail", "fail", "pass"}, false},
		{"no policy", ours + "; spf=fail; dkim=fail; dmarc=none\n", Auth{true, "fail", "fail", "none"}, true},
		{"not signed", ours + "; spf=fail; dkim=none\n", Auth{true, "fail", "none", ""}, false},
		{"two senders", ours + "; dmarc=pass header.from=example.net\nFrom: b@example.net\n", Auth{true, "", "", "fail"}, true},
		{"one sender twice", ours + "; dmarc=pass\nFrom: A <A@example.cat>\n", Auth{true, "", "", "pass"}, false},
	}
	for _, test := range tests {
		got := AuthResults(Parse([]byte("Received: from x by mx.example.org\n"+test.header+"From: a@example.cat\n\nx\n")), "mx.example.org")
		if got != test.want || got.Fails() != test.fails {
			t.Errorf("%s: got %+v, fails %v; want %+v, fails %v", test.name, got, got.Fails(), test.want, test.fails)
		}
	}
	if got := AuthResults(Parse([]byte(ours+"; dmarc=pass\n\n")), ""); got.Known {
		t.Errorf("without a server's name: %+v", got)
	}
}
