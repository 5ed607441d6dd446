package fetch

import (
	"strings"
	"testing"
	"time"
)

func TestParseSchedule(t *testing.T) {
	from := time.Date(2026, 3, 6, 10, 2, 30, 0, time.UTC) // a Friday
	check := func(spec, want string) {
		t.Helper()
		schedule, err := ParseSchedule(spec)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
			return
		}
		if got := schedule.Next(from).UTC().Format("01-02 15:04:05"); got != want {
			t.Errorf("%q: got %s, want %s", spec, got, want)
		}
	}
	check("TZ=UTC */5 * * * *", "03-06 10:05:00")
	check("TZ=UTC 0 8 * * 1-5", "03-09 08:00:00")
	check("TZ=UTC 0 8 * * 7", "03-08 08:00:00")
	check("TZ=UTC 0 8 * * 6,7", "03-07 08:00:00")
	check("CRON_TZ=Europe/Madrid 0 8 * * *", "03-07 07:00:00")
	check("  TZ=Europe/Madrid   0 8 * * *  ", "03-07 07:00:00")
	check("TZ=UTC @hourly", "03-06 11:00:00")
	check("@every 5m", "03-06 10:07:30")
	check("@every 10s", "03-06 10:02:40")
	check("TZ=UTC 0 0 29 2 *", "02-29 00:00:00")
}

func TestParseScheduleFaults(t *testing.T) {
	check := func(spec, want string) {
		t.Helper()
		schedule, err := ParseSchedule(spec)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want %q", spec, schedule, err, want)
		}
	}
	check("", "no fields")
	check("   ", "no fields")
	check("TZ=UTC", "no fields")
	check("TZ=", "no fields")
	check("CRON_TZ=Europe/Madrid", "no fields")
	check("CRON_TZ=Europe/Madrid  ", "no fields")
	check("TZ=Europe/Lleida * * * * *", "Europe/Lleida")
	check("* * * *", "expected exactly 5 fields")
	check("* * * * * *", "expected exactly 5 fields")
	check("61 * * * *", "61")
	check("0 0 31 2 *", "never")
	check("0 0 31 4,6,9,11 *", "never")
	check("@every 9s", "shortest interval is 10s")
	check("@every 0", "shortest interval")
	check("@every -5m", "shortest interval")
	check("@every soon", "soon")
	check("@noon", "@noon")
	check("@", "@")
}

// Whatever an administrator writes, there is an answer, and a schedule that is accepted comes.
func FuzzParseSchedule(f *testing.F) {
	for _, spec := range []string{
		"*/5 * * * *", "TZ=UTC", "TZ= * * * * *", "CRON_TZ=Europe/Madrid 0 8 * * 7", "@every 1m", "@every -1s",
		"0 0 31 2 *", "*/0 * * * *", "1-0 * * * *", "99999999999999999999 * * * *", "TZ=../../etc * * * * *", "@",
	} {
		f.Add(spec)
	}
	from := time.Date(2026, 3, 6, 10, 2, 30, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		schedule, err := ParseSchedule(spec)
		if err != nil {
			return
		}
		if next := schedule.Next(from); !next.After(from) {
			t.Errorf("%q: next after %v is %v", spec, from, next)
		}
	})
}
