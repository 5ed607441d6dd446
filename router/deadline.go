package router

import (
	"fmt"
	"time"

	"github.com/bustia/bustia/config"
)

// Count is a term counted day by day.
type Count struct {
	Due      time.Time // the last moment in time: the end of the last day, or the minute for hours
	Days     []Day     // every day that was looked at, in order
	Warnings []string  // years of the calendar that are not loaded
}

// Day is one day of a Count.
type Day struct {
	Date config.Date
	N    int    // this day is the N-th of the term; 0 = it does not count
	Why  string // why it does not count, or what it is besides
}

// Pause is a stretch in which the clock stood still while the citizen was asked. The day of the
// question is used up, counting goes on the day after the answer (Ley 39/2015 art. 22.1.a).
type Pause struct{ From, To time.Time }

// mailHour is when reminders and escalations go out on a working day, local time.
const mailHour = 9

// maxDays bounds the count, against a calendar without working days.
const maxDays = 20 * 366

// Due counts term from the moment from, on cal, as Llei 26/2010 and Ley 39/2015 arts. 30 to 32 say:
// the first day is the day after; Saturdays, Sundays and holidays do not count for working days; a
// last day that is not a working day moves to the next one; months end on the same number, or on
// the last day of the month. arrival says what holds for a mail that came on a non-working day
// (config.AsReceived or config.NextWorkingDay).
func Due(term config.Term, from time.Time, cal *config.Calendar, arrival string, pauses ...Pause) Count {
	from = from.In(cal.Zone)
	c := counter{cal: cal, pauses: pauses, warned: map[int]bool{}}
	start := config.DateOf(from)
	if arrival == config.NextWorkingDay && !cal.Working(start) {
		c.skip(start, "arrived on a non-working day, counts as arrived on the next working day")
		start = c.nextWorking(start)
		from = start.Time(cal.Zone)
	}
	switch term.Unit {
	case config.WorkingDays:
		c.endOfDay(c.days(start, term.N, true))
	case config.CalendarDays:
		c.endOfDay(c.roll(c.days(start, term.N, false)))
	case config.Months:
		c.endOfDay(c.roll(c.months(start, term.N)))
	case config.Hours:
		c.hours(from, term.N)
	default:
		panic(fmt.Sprintf("term unit %q", term.Unit))
	}
	return c.Count
}

// counter carries one count through its steps.
type counter struct {
	Count
	cal    *config.Calendar
	pauses []Pause
	warned map[int]bool
}

// days walks from the day after start until n days are counted and gives the last one.
func (c *counter) days(start config.Date, n int, working bool) config.Date {
	d := start
	for counted, walked := 0, 0; counted < n && walked < maxDays; walked++ {
		d = d.Add(1)
		switch {
		case c.paused(d):
			c.skip(d, "paused")
		case working && !c.cal.Working(d):
			c.skip(d, c.nonworking(d))
		default:
			counted++
			c.count(d, counted)
		}
	}
	return d
}

// months gives the same day of the month n months on, or that month's last, and adds paused days.
func (c *counter) months(start config.Date, n int) config.Date {
	first := time.Date(start.Year, start.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := config.DateOf(first.AddDate(0, 1, -1))
	end := config.Date{Year: first.Year(), Month: first.Month(), Day: min(start.Day, last.Day)}
	counted := 0
	for d := start.Add(1); !end.Before(d); d = d.Add(1) {
		if c.paused(d) {
			c.skip(d, "paused")
			end = end.Add(1)
			continue
		}
		counted++
		c.count(d, counted)
	}
	return end
}

// roll moves a last day that is not a working day to the next one (Ley 39/2015 art. 30.5).
func (c *counter) roll(d config.Date) config.Date {
	if c.cal.Working(d) {
		return d
	}
	if len(c.Days) > 0 {
		c.Days[len(c.Days)-1].Why = c.nonworking(d) + ": the last day moves on"
	}
	next := c.nextWorking(d)
	c.Days = append(c.Days, Day{Date: next, Why: "last day: the next working day"})
	return next
}

// hours counts the minutes of working days, which have 24 hours (Ley 39/2015 art. 30.1).
func (c *counter) hours(from time.Time, n int) {
	left := time.Duration(n) * time.Hour
	at := from
	for walked := 0; walked < maxDays; walked++ {
		d := config.DateOf(at)
		end := d.Add(1).Time(c.cal.Zone)
		switch {
		case c.paused(d):
			c.skip(d, "paused")
		case !c.cal.Working(d):
			c.skip(d, c.nonworking(d))
		default:
			c.count(d, len(c.Days)+1)
			if end.Sub(at) >= left {
				c.Due = at.Add(left)
				return
			}
			left -= end.Sub(at)
		}
		at = end
	}
	c.Due = at
}

// nextWorking is the first working day after d.
func (c *counter) nextWorking(d config.Date) config.Date {
	for range maxDays {
		d = d.Add(1)
		c.warn(d.Year)
		if c.cal.Working(d) {
			return d
		}
	}
	return d
}

// paused says whether the clock stood still on d: after the day of the question, up to the day of the answer.
func (c *counter) paused(d config.Date) bool {
	for _, p := range c.pauses {
		from, to := config.DateOf(p.From.In(c.cal.Zone)), config.DateOf(p.To.In(c.cal.Zone))
		if from.Before(d) && !to.Before(d) {
			return true
		}
	}
	return false
}

func (c *counter) nonworking(d config.Date) string {
	if c.cal.Weekend[d.Time(time.UTC).Weekday()] {
		return "weekend"
	}
	return "holiday"
}

func (c *counter) count(d config.Date, n int) {
	c.warn(d.Year)
	c.Days = append(c.Days, Day{Date: d, N: n})
}

func (c *counter) skip(d config.Date, why string) {
	c.warn(d.Year)
	c.Days = append(c.Days, Day{Date: d, Why: why})
}

func (c *counter) warn(year int) {
	if c.cal.Loaded(year) || c.warned[year] {
		return
	}
	c.warned[year] = true
	c.Warnings = append(c.Warnings, fmt.Sprintf("calendar %s has no holidays for %d: the date may be too early", c.cal.Name, year))
}

// endOfDay sets the due moment to the last second of d.
func (c *counter) endOfDay(d config.Date) {
	c.Due = d.Add(1).Time(c.cal.Zone).Add(-time.Second)
}

// DaysLeft is how many working days remain after now's day up to and including due's day; 0 when
// that day is today or past.
func DaysLeft(now, due time.Time, cal *config.Calendar) int {
	last := config.DateOf(due.In(cal.Zone))
	n := 0
	for d := config.DateOf(now.In(cal.Zone)).Add(1); !last.Before(d) && n < maxDays; d = d.Add(1) {
		if cal.Working(d) {
			n++
		}
	}
	return n
}

// step is one thing to do about a deadline, and when.
type step struct {
	At   time.Time
	Name string // stepRemind with its share, stepBreach or stepEscalate
}

// Names of steps.
const (
	stepRemind   = "remind"
	stepBreach   = "breach"
	stepEscalate = "escalate"
)

// nextStep gives the step that follows when done steps are done: the reminders at the circuit's
// shares of the term, the breach on the first working morning after the due moment, then an
// escalation each working morning. now only matters for escalations.
func nextStep(c Count, circuit *config.Circuit, cal *config.Calendar, done int, now time.Time) step {
	switch shares := circuit.Remind; {
	case done < len(shares):
		return step{remindAt(c, cal, shares[done]), fmt.Sprintf("%s %.0f%%", stepRemind, shares[done]*100)}
	case done == len(shares):
		return step{workingMorning(c.Due, cal), stepBreach}
	default:
		return step{workingMorning(now, cal), stepEscalate}
	}
}

// remindAt is the working morning of the day on which share of the term's days is used, never after the due day.
func remindAt(c Count, cal *config.Calendar, share float64) time.Time {
	total := 0
	for _, d := range c.Days {
		total = max(total, d.N)
	}
	used := max(int(float64(total)*share), 1)
	for i, d := range c.Days {
		if d.N < used {
			continue
		}
		for ; i < len(c.Days); i++ {
			if day := c.Days[i].Date; cal.Working(day) {
				return morning(day, cal)
			}
		}
	}
	return morning(config.DateOf(c.Due.In(cal.Zone)), cal)
}

// workingMorning is the first working morning strictly after t.
func workingMorning(t time.Time, cal *config.Calendar) time.Time {
	d := config.DateOf(t.In(cal.Zone))
	for range maxDays {
		if at := morning(d, cal); cal.Working(d) && at.After(t) {
			return at
		}
		d = d.Add(1)
	}
	return t.Add(24 * time.Hour)
}

// mailTime says whether agents and citizens are written to at t: on a working day, from mailHour to eight in the evening.
func mailTime(t time.Time, cal *config.Calendar) bool {
	local := t.In(cal.Zone)
	return cal.Working(config.DateOf(local)) && local.Hour() >= mailHour && local.Hour() < 20
}

func morning(d config.Date, cal *config.Calendar) time.Time {
	return time.Date(d.Year, d.Month, d.Day, mailHour, 0, 0, 0, cal.Zone)
}
