package router

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/bustia/bustia/config"
)

// calendar makes a calendar in Madrid's time from "year: month-day month-day" lines.
func calendar(t testing.TB, years ...string) *config.Calendar {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	c := &config.Calendar{Name: "test", Zone: zone, Holidays: map[int]map[config.Date]bool{}}
	c.Weekend[time.Saturday], c.Weekend[time.Sunday] = true, true
	for _, line := range years {
		var year int
		head, days, _ := strings.Cut(line, ":")
		fmt.Sscan(head, &year)
		c.Holidays[year] = map[config.Date]bool{}
		for _, day := range strings.Fields(days) {
			var m, d int
			fmt.Sscanf(day, "%d-%d", &m, &d)
			c.Holidays[year][config.Date{Year: year, Month: time.Month(m), Day: d}] = true
		}
	}
	return c
}

func catalunya(t testing.TB) *config.Calendar {
	return calendar(t, "2025: 01-01 01-06 04-18 04-21 05-01 06-24 08-15 09-11 11-01 12-06 12-08 12-25 12-26",
		"2026: 01-01 01-06 04-03 04-06 05-01 06-24 08-15 09-11 10-12 12-08 12-25 12-26")
}

func aran(t testing.TB) *config.Calendar {
	return calendar(t, "2025: 01-01 01-06 04-18 04-21 05-01 06-17 06-24 08-15 09-11 11-01 12-06 12-08 12-25",
		"2026: 01-01 01-06 04-03 04-06 05-01 06-17 06-24 08-15 09-11 10-12 12-08 12-25")
}

func parse(t testing.TB, cal *config.Calendar, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, cal.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDue(t *testing.T) {
	check := func(cal *config.Calendar, arrived, term, arrival, want string, pauses ...Pause) {
		t.Helper()
		tm, err := config.ParseTerm(term)
		if err != nil {
			t.Fatal(err)
		}
		got := Due(tm, parse(t, cal, arrived), cal, arrival, pauses...)
		if got := got.Due.Format("Mon 2006-01-02 15:04:05"); got != want {
			t.Errorf("%s from %s, %s: got %s, want %s", term, arrived, arrival, got, want)
		}
	}
	cat, ara := catalunya(t), aran(t)
	const asReceived, nextDay = config.AsReceived, config.NextWorkingDay
	pause := func(from, to string) Pause { return Pause{parse(t, cat, from), parse(t, cat, to)} }

	// A Thursday before Easter: Friday, the weekend and Monday do not count.
	check(cat, "2026-04-02 10:00", "5 working days", asReceived, "Mon 2026-04-13 23:59:59")
	check(cat, "2026-04-02 10:00", "5 working days", nextDay, "Mon 2026-04-13 23:59:59")
	// Arrived on a Saturday or a holiday: one day of difference between the two rules.
	check(cat, "2026-04-04 10:00", "10 working days", nextDay, "Tue 2026-04-21 23:59:59")
	check(cat, "2026-04-04 10:00", "10 working days", asReceived, "Mon 2026-04-20 23:59:59")
	check(cat, "2026-05-01 08:00", "15 working days", nextDay, "Mon 2026-05-25 23:59:59")
	check(cat, "2026-05-01 08:00", "15 working days", asReceived, "Fri 2026-05-22 23:59:59")
	// 17 June is a holiday in Aran only.
	check(cat, "2026-06-12 12:00", "20 working days", asReceived, "Mon 2026-07-13 23:59:59")
	check(ara, "2026-06-12 12:00", "20 working days", asReceived, "Tue 2026-07-14 23:59:59")
	// Over Christmas; 26 December is a working day in Aran.
	check(cat, "2025-12-23 12:00", "10 working days", asReceived, "Mon 2026-01-12 23:59:59")
	check(ara, "2025-12-23 12:00", "10 working days", asReceived, "Fri 2026-01-09 23:59:59")
	check(cat, "2026-09-10 23:59", "3 working days", asReceived, "Wed 2026-09-16 23:59:59")
	// Months end on the same number, or on the last day of the month; a last day off moves on.
	check(cat, "2026-01-30 09:00", "1 month", asReceived, "Mon 2026-03-02 23:59:59")
	check(cat, "2026-07-15 09:00", "1 month", asReceived, "Mon 2026-08-17 23:59:59")
	check(cat, "2026-11-25 09:00", "1 month", asReceived, "Mon 2026-12-28 23:59:59")
	check(cat, "2025-12-31 09:00", "2 months", asReceived, "Mon 2026-03-02 23:59:59")
	// Calendar days count every day; the last one moves on.
	check(cat, "2026-04-02 10:00", "2 calendar days", asReceived, "Tue 2026-04-07 23:59:59")
	check(cat, "2026-04-07 10:00", "3 calendar days", asReceived, "Fri 2026-04-10 23:59:59")
	// Hours are those of working days, which have 24.
	check(cat, "2026-04-02 10:00", "24 hours", asReceived, "Tue 2026-04-07 10:00:00")
	check(cat, "2026-04-04 10:00", "4 hours", asReceived, "Tue 2026-04-07 04:00:00")
	check(cat, "2026-04-08 22:30", "3 hours", asReceived, "Thu 2026-04-09 01:30:00")
	// A question to the citizen on Friday, answered the Tuesday after next: 4 days used, 11 left.
	check(cat, "2026-03-02 09:00", "15 working days", asReceived, "Mon 2026-03-23 23:59:59")
	check(cat, "2026-03-02 09:00", "15 working days", asReceived, "Wed 2026-04-01 23:59:59", pause("2026-03-06 12:00", "2026-03-17 10:00"))
	// The clock changes on 29 March and 25 October 2026: a day stays a day.
	check(cat, "2026-03-27 09:00", "1 working day", asReceived, "Mon 2026-03-30 23:59:59")
	check(cat, "2026-10-23 09:00", "1 working day", asReceived, "Mon 2026-10-26 23:59:59")
}

func TestDueWarnsOfYearsNotLoaded(t *testing.T) {
	cal := catalunya(t)
	got := Due(config.Term{N: 15, Unit: config.WorkingDays}, parse(t, cal, "2026-12-18 10:00"), cal, config.AsReceived)
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "2027") {
		t.Errorf("got warnings %q, want one about 2027", got.Warnings)
	}
}

// slowDue counts working days the dullest way: minute by minute of the calendar would be the same.
func slowDue(n int, from time.Time, cal *config.Calendar) config.Date {
	d := config.DateOf(from.In(cal.Zone))
	for n > 0 {
		d = config.DateOf(d.Time(time.UTC).AddDate(0, 0, 1))
		weekday := d.Time(time.UTC).Weekday()
		if weekday != time.Saturday && weekday != time.Sunday && !cal.Holidays[d.Year][d] {
			n--
		}
	}
	return d
}

func TestDueProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cal := catalunya(t)
		for range rapid.IntRange(0, 40).Draw(r, "holidays") {
			year := rapid.IntRange(2020, 2039).Draw(r, "year")
			day := config.DateOf(time.Date(year, 1, rapid.IntRange(1, 365).Draw(r, "day"), 0, 0, 0, 0, time.UTC))
			if cal.Holidays[day.Year] == nil {
				cal.Holidays[day.Year] = map[config.Date]bool{}
			}
			cal.Holidays[day.Year][day] = true
		}
		from := time.Unix(rapid.Int64Range(1577836800, 2208988800).Draw(r, "from"), 0)
		n := rapid.IntRange(1, 260).Draw(r, "n")
		term := config.Term{N: n, Unit: config.WorkingDays}
		got := Due(term, from, cal, config.AsReceived)
		due := config.DateOf(got.Due)
		if want := slowDue(n, from, cal); due != want {
			r.Fatalf("%d working days from %s: got %s, want %s", n, from, due, want)
		}
		if !cal.Working(due) || !got.Due.After(from) {
			r.Fatalf("due %s is no working day after %s", got.Due, from)
		}
		if later := Due(config.Term{N: n + 1, Unit: config.WorkingDays}, from, cal, config.AsReceived); !later.Due.After(got.Due) {
			r.Fatalf("one day more is not later: %s, %s", got.Due, later.Due)
		}
		if shifted := Due(term, from, cal, config.NextWorkingDay); shifted.Due.Before(got.Due) {
			r.Fatalf("next_working_day is stricter than as_received: %s, %s", shifted.Due, got.Due)
		}
		counted := 0
		for _, d := range got.Days {
			if d.N > 0 {
				counted++
			}
		}
		if counted != n {
			r.Fatalf("%d days counted, want %d", counted, n)
		}
	})
}

func TestSteps(t *testing.T) {
	cal := catalunya(t)
	circuit := &config.Circuit{Remind: []float64{0.5, 0.8}}
	count := Due(config.Term{N: 5, Unit: config.WorkingDays}, parse(t, cal, "2026-04-02 10:00"), cal, config.AsReceived)
	now := parse(t, cal, "2026-04-17 12:00") // a Friday
	for done, want := range []string{
		"Wed 2026-04-08 09:00 remind 50%",
		"Fri 2026-04-10 09:00 remind 80%",
		"Tue 2026-04-14 09:00 breach", // the morning after the due Monday
		"Mon 2026-04-20 09:00 escalate",
		"Mon 2026-04-20 09:00 escalate",
	} {
		s := nextStep(count, circuit, cal, done, now)
		if got := s.At.Format("Mon 2006-01-02 15:04 ") + s.Name; got != want {
			t.Errorf("after %d steps: got %s, want %s", done, got, want)
		}
	}
}

func TestDaysLeft(t *testing.T) {
	cal := catalunya(t)
	check := func(now, due string, want int) {
		t.Helper()
		if got := DaysLeft(parse(t, cal, now), parse(t, cal, due), cal); got != want {
			t.Errorf("from %s to %s: got %d, want %d", now, due, got, want)
		}
	}
	check("2026-04-02 10:00", "2026-04-13 23:59", 5)
	check("2026-04-13 08:00", "2026-04-13 23:59", 0)
	check("2026-04-14 08:00", "2026-04-13 23:59", 0)
	check("2026-04-10 08:00", "2026-04-13 23:59", 1)
}

func TestLongDate(t *testing.T) {
	at := time.Date(2026, 4, 21, 9, 5, 0, 0, time.UTC)
	for l, want := range map[config.Language]string{
		"ca": "dimarts 21 d'abril de 2026 a les 09:05", "es": "martes 21 de abril de 2026 a las 09:05",
		"oc-aranes": "dimars 21 d'abriu de 2026 as 09:05", "en": "Tuesday 21 April 2026 at 09:05",
	} {
		if got := longTime(at, l); got != want {
			t.Errorf("%s: got %q, want %q", l, got, want)
		}
	}
}
