package config

import (
	"testing"
	"time"
)

func TestParseCron(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, time.July, 15, 10, 2, 0, 0, madrid)
	check := func(spec, want string) {
		t.Helper()
		s, err := ParseCron(spec)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
			return
		}
		if got := s.Next(from).Format("2006-01-02 15:04:05 -0700"); got != want {
			t.Errorf("%q: got %s, want %s", spec, got, want)
		}
	}
	check("*/5 * * * *", "2026-07-15 10:05:00 +0200")
	check("0 9 * * 1-5", "2026-07-16 09:00:00 +0200")
	check("0 9 1 1 *", "2027-01-01 09:00:00 +0100")
	check("0 0 29 2 *", "2028-02-29 00:00:00 +0100")
	check("0 12 * * 7", "2026-07-19 12:00:00 +0200")
	check("0 12 * * 6,7", "2026-07-18 12:00:00 +0200")
	check("@daily", "2026-07-16 00:00:00 +0200")
	check("@every 10s", "2026-07-15 10:02:10 +0200")

	for _, spec := range []string{
		"", " ", "*", "* * * *", "* * * * * *", "60 * * * *", "x * * * *", "0 0 31 2 *", "0 0 30 2 *", "@every 9s", "@every -1h",
		"@every", "@reboot", "@", "TZ=UTC", "TZ=", "CRON_TZ=Europe/Madrid", "TZ=UTC * * * * *", "*/0 * * * *", "5-1 * * * *",
	} {
		if _, err := ParseCron(spec); err == nil {
			t.Errorf("%q: want an error", spec)
		}
	}
}

func FuzzParseCron(f *testing.F) {
	for _, s := range []string{"*/5 * * * *", "@every 5m", "TZ=UTC", "0 0 31 2 *", "1-5/2,7 * ? JAN-MAR MON"} {
		f.Add(s)
	}
	from := time.Date(2026, time.July, 15, 10, 2, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := ParseCron(spec)
		if err != nil {
			return
		}
		if next := s.Next(from); !next.After(from) || next.Sub(from) < shortestEvery && next.Nanosecond() != 0 {
			t.Errorf("%q: next after %s is %s", spec, from, next)
		}
	})
}
