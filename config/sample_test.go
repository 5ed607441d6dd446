package config

import (
	"testing"
	"time"
)

// loadSample loads the sample, in which nothing is wrong, not even a warning.
func loadSample(t testing.TB, now time.Time) *Config {
	t.Helper()
	c, faults := Load(Sample(), Env{Now: now, Getenv: func(name string) string {
		return map[string]string{"BUSTIA_PASSWORD": "battery"}[name]
	}})
	for _, f := range faults {
		t.Error(f)
	}
	if c == nil {
		t.Fatal("got no configuration")
	}
	return c
}

func TestSample(t *testing.T) {
	loadSample(t, time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC))
	loadSample(t, time.Date(2026, time.December, 31, 0, 0, 0, 0, time.UTC))
	c := loadSample(t, testNow)
	for _, m := range c.Mailboxes {
		if !loopback(m.IMAP.Host) || !loopback(m.SMTP.Host) {
			t.Errorf("%s: the servers %s and %s are not on this machine", m.Name, m.IMAP.Host, m.SMTP.Host)
		}
		if m.IMAP.Password.Reveal() != "battery" {
			t.Errorf("%s: got the password %q", m.Name, m.IMAP.Password.Reveal())
		}
	}
	for _, tm := range c.Templates {
		if _, body, err := tm.Render(fullLetter()); err != nil || len(body) < 20 {
			t.Errorf("%s in %s: got %q, %v", tm.Kind, tm.Language, body, err)
		}
	}
}

// TestSampleAran is the worked example of a term that differs in Aran: 17 June is a holiday there, and 26
// December is none.
func TestSampleAran(t *testing.T) {
	c := loadSample(t, testNow)
	check := func(calendar string, d Date, want bool) {
		t.Helper()
		cal, ok := c.Calendar(calendar)
		if !ok {
			t.Fatalf("no calendar %s", calendar)
		}
		if got := cal.Working(d); got != want {
			t.Errorf("%s in %s: got working %t", d, calendar, got)
		}
	}
	check("catalunya", Date{2026, time.June, 17}, true)
	check("aran", Date{2026, time.June, 17}, false)
	check("catalunya", Date{2025, time.December, 26}, false)
	check("aran", Date{2025, time.December, 26}, true)
	check("aran", Date{2026, time.June, 20}, false) // a Saturday
}
