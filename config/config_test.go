package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSecretDoesNotPrint(t *testing.T) {
	c := loadValid(t)
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		printed = append(printed, fmt.Sprintf(verb, c.Mailboxes), fmt.Sprintf(verb, c.Mailboxes[0].IMAP.Password))
	}
	asJSON, err := json.Marshal(c.Mailboxes)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(printed, string(asJSON)) {
		for _, secret := range secretWords {
			if strings.Contains(p, secret) || strings.Contains(p, fmt.Sprintf("%x", secret)) {
				t.Errorf("the secret is shown: %s", p)
			}
		}
	}
	if got := c.Mailboxes[0].IMAP.Password.Reveal(); got != "correct horse" {
		t.Errorf("got %q from the one who asks for it", got)
	}
}

func TestDate(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	check := func(got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	d := DateOf(time.Date(2026, time.December, 31, 23, 30, 0, 0, time.UTC).In(madrid))
	check(d, Date{2027, time.January, 1})
	check(d.String(), "2027-01-01")
	check(d.Add(-1).String(), "2026-12-31")
	check(d.Add(59).String(), "2027-03-01")
	check(d.Before(d.Add(1)), true)
	check(d.Before(d), false)
	check(d.Time(madrid).Format(time.RFC3339), "2027-01-01T00:00:00+01:00")
}

func TestCalendarWorking(t *testing.T) {
	cal, ok := loadValid(t).Calendar("aran")
	if !ok {
		t.Fatal("no calendar aran")
	}
	check := func(d Date, working, loaded bool) {
		t.Helper()
		if cal.Working(d) != working || cal.Loaded(d.Year) != loaded {
			t.Errorf("%s: got working %t, loaded %t", d, cal.Working(d), cal.Loaded(d.Year))
		}
	}
	check(Date{2026, time.June, 16}, true, true)
	check(Date{2026, time.June, 17}, false, true)
	check(Date{2026, time.June, 20}, false, true)  // Saturday
	check(Date{2028, time.June, 17}, false, false) // Saturday of a year nobody knows
	check(Date{2028, time.June, 16}, true, false)
}
