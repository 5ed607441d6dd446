package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on the machine
)

// draftCalendar is a calendar as said, before it takes what it is like.
type draftCalendar struct {
	name    string
	zone    *time.Location
	like    string
	weekend *[]time.Weekday
	years   map[int]draftYear
	at      node
}

// draftYear is the holidays of a year, or what differs from another calendar's.
type draftYear struct {
	days        []holiday
	changes     bool
	remove, add []holiday
	at          node
}

// holiday is a day of whatever year it stands under.
type holiday struct {
	month time.Month
	day   int
	at    node
}

// Years a calendar may speak of.
const (
	firstYear = 1990
	lastYear  = 2199
)

func calendar() shape[draftCalendar] {
	return objectWith(func(n node, c *draftCalendar, said map[string]bool) {
		if !said["zone"] && !said["like"] {
			n.fault("zone is missing: a time zone like Europe/Madrid, or like: another calendar")
		}
		if !said["years"] && !said["like"] {
			n.fault("years is missing: the holidays of each year")
		}
	},
		must("name", "how circuits name it", id(aCalendar), func(c *draftCalendar) *string { return &c.name }),
		key("zone", "time zone, Europe/Madrid", zone(), func(c *draftCalendar) **time.Location { return &c.zone }),
		key("like", "another calendar, whose zone, weekend and years hold where this one says nothing else", ref[string](aCalendar), func(c *draftCalendar) *string { return &c.like }),
		key("weekend", "days of the week that are no working days; default saturday, sunday", optional(list(weekday())), func(c *draftCalendar) **[]time.Weekday { return &c.weekend }),
		key("years", "the holidays of each year", dict(year(), holidays()), func(c *draftCalendar) *map[int]draftYear { return &c.years }),
	).then(func(n node, c *draftCalendar) { c.at = n })
}

func zone() shape[*time.Location] {
	return scalar(schema{"type": "string"}, func(v string) (*time.Location, error) {
		if v == "" || v == "Local" { // not the same on every machine
			return nil, fmt.Errorf("%s is no time zone: a name like Europe/Madrid is", quote(v))
		}
		loc, err := time.LoadLocation(v)
		if err != nil {
			return nil, fmt.Errorf("%s is no time zone: a name like Europe/Madrid is", quote(v))
		}
		return loc, nil
	})
}

func weekday() shape[time.Weekday] {
	days := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	name := oneOf(days...)
	return shape[time.Weekday]{func(n node, into *time.Weekday) {
		var v string
		name.read(n, &v)
		*into = time.Weekday(max(slices.Index(days, v), 0))
	}, name.schema}
}

func year() shape[int] {
	s := whole(firstYear, lastYear)
	s.schema = schema{"pattern": "^[0-9]{4}$"}
	return s
}

// holidays is a list of days, or what is removed from and added to another calendar's.
func holidays() shape[draftYear] {
	days := list(monthDay())
	changes := object(
		key("remove", "holidays of the other calendar that are working days in this one", days, func(y *draftYear) *[]holiday { return &y.remove }),
		key("add", "further holidays", days, func(y *draftYear) *[]holiday { return &y.add }),
	)
	return shape[draftYear]{func(n node, into *draftYear) {
		into.at = n
		if into.changes = n.isMapping(); into.changes {
			changes.read(n, into)
		} else {
			days.read(n, &into.days)
		}
	}, schema{"anyOf": []schema{days.schema, changes.schema}}}
}

func monthDay() shape[holiday] {
	s := scalar(schema{"type": "string", "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}, func(v string) (holiday, error) {
		t, err := time.Parse("2006-01-02", "2000-"+v) // a leap year: the year is checked where it is known
		if err != nil {
			return holiday{}, fmt.Errorf("%s is no day of a year: month-day like 06-24 is needed", quote(v))
		}
		return holiday{month: t.Month(), day: t.Day()}, nil
	})
	return s.then(func(n node, h *holiday) { h.at = n })
}

// addCalendars makes the calendars out of what was said of them.
func addCalendars(c *Config, drafts []draftCalendar) {
	b := calendarBuilder{drafts: map[string]*draftCalendar{}, built: map[string]*Calendar{}}
	for i := range drafts {
		if _, double := b.drafts[drafts[i].name]; !double {
			b.drafts[drafts[i].name] = &drafts[i]
		}
	}
	for i := range drafts {
		if d := &drafts[i]; d == b.drafts[d.name] {
			if cal := b.build(d, nil); cal != nil {
				c.Calendars = append(c.Calendars, *cal)
			}
		}
	}
}

// calendarBuilder builds each calendar after the one it is like.
type calendarBuilder struct {
	drafts map[string]*draftCalendar
	built  map[string]*Calendar
}

// build makes one calendar; via are those that wait for it. It is nil when the one it is like is not there.
func (b calendarBuilder) build(d *draftCalendar, via []string) *Calendar {
	if cal, ok := b.built[d.name]; ok {
		return cal
	}
	if slices.Contains(via, d.name) || len(via) > 20 {
		d.at.fault("like goes round in a circle: %s", strings.Join(append(via, d.name), ", "))
		return nil
	}
	cal := &Calendar{Name: d.name, Zone: d.zone, Holidays: map[int]map[Date]bool{}}
	cal.Weekend[time.Saturday], cal.Weekend[time.Sunday] = true, true
	if d.like != "" {
		other := b.drafts[d.like]
		if other == nil { // told where it is said
			return nil
		}
		base := b.build(other, append(via, d.name))
		if base == nil {
			return nil
		}
		cal.inherit(base)
	}
	if d.weekend != nil {
		cal.Weekend = [7]bool{}
		for _, day := range *d.weekend {
			cal.Weekend[day] = true
		}
	}
	for _, y := range slices.Sorted(maps.Keys(d.years)) {
		cal.say(y, d.years[y], d.like)
	}
	b.built[d.name] = cal
	return cal
}

// inherit takes zone, weekend and years of base.
func (c *Calendar) inherit(base *Calendar) {
	if c.Zone == nil {
		c.Zone = base.Zone
	}
	c.Weekend = base.Weekend
	for year, days := range base.Holidays {
		c.Holidays[year] = maps.Clone(days)
	}
}

// say puts in the holidays of one year, or what differs from those of the calendar called like.
func (c *Calendar) say(year int, y draftYear, like string) {
	if !y.changes {
		c.Holidays[year] = map[Date]bool{}
		c.addDays(year, y.days)
		return
	}
	switch {
	case like == "":
		y.at.fault("remove and add need another calendar to differ from: like: NAME; or a list of days")
		return
	case !c.Loaded(year):
		y.at.fault("%s says nothing of %d, so there is nothing to differ from: say it there, or a list of days here", like, year)
		return
	}
	for _, h := range y.remove {
		if d, ok := h.in(year); ok && !c.Holidays[year][d] {
			h.at.fault("%s is no holiday of %s", d, like)
		} else if ok {
			delete(c.Holidays[year], d)
		}
	}
	c.addDays(year, y.add)
}

func (c *Calendar) addDays(year int, days []holiday) {
	for _, h := range days {
		d, ok := h.in(year)
		if ok && c.Holidays[year][d] {
			h.at.fault("%s is a holiday already", d)
		} else if ok {
			c.Holidays[year][d] = true
		}
	}
}

// in is the holiday in a year; ok is false, and a fault noted, when that year has no such day.
func (h holiday) in(year int) (d Date, ok bool) {
	if h.day == 0 { // told when it was read
		return Date{}, false
	}
	d = Date{year, h.month, h.day}
	if DateOf(d.Time(time.UTC)) != d {
		h.at.fault("%d has no %02d-%02d", year, h.month, h.day)
		return d, false
	}
	return d, true
}

// checkCalendars finds the years that calendars should know and do not. What a calendar has from
// another is told at the other.
func checkCalendars(c *Config, drafts []draftCalendar, now time.Time) {
	for _, d := range drafts {
		cal, ok := c.Calendar(d.name)
		if !ok || cal.Zone == nil { // told where it is said
			continue
		}
		if cal.Weekend == [7]bool{true, true, true, true, true, true, true} {
			d.at.fault("every day is a weekend: no term would ever end")
		}
		var inherited []string
		if base, ok := c.Calendar(d.like); ok {
			inherited = append(missingYears(base, now), unloadedSoon(base, now)...)
		}
		for _, message := range missingYears(cal, now) {
			if !slices.Contains(inherited, message) {
				d.at.fault("%s", message)
			}
		}
		for _, message := range unloadedSoon(cal, now) {
			if !slices.Contains(inherited, message) {
				d.at.warn("%s", message)
			}
		}
	}
}

// missingYears says where a calendar has a gap, and that it lacks this year.
func missingYears(c *Calendar, now time.Time) (missing []string) {
	years := slices.Sorted(maps.Keys(c.Holidays))
	for i := 1; i < len(years); i++ {
		if years[i] != years[i-1]+1 {
			missing = append(missing, fmt.Sprintf("has holidays for %d and %d and none in between", years[i-1], years[i]))
		}
	}
	if year := now.In(c.Zone).Year(); !c.Loaded(year) {
		missing = append(missing, fmt.Sprintf("has no holidays for %d, this year", year))
	}
	return missing
}

// unloadedSoon says, in the last quarter, that a calendar lacks the next year.
func unloadedSoon(c *Calendar, now time.Time) (missing []string) {
	today := DateOf(now.In(c.Zone))
	if today.Month >= time.October && c.Loaded(today.Year) && !c.Loaded(today.Year+1) {
		missing = append(missing, fmt.Sprintf("has no holidays for %d yet: terms that end then will be counted too short", today.Year+1))
	}
	return missing
}
