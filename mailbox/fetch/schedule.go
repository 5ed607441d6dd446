package fetch

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// shortestEvery is how often a server may be asked at most.
const shortestEvery = 10 * time.Second

// ParseSchedule reads five cron fields ("*/5 * * * *"), "@hourly" and its like, or "@every 5m", each
// with an optional "TZ=Europe/Madrid " in front. Sunday may be written 7.
//
// It refuses what the cron library would panic on or never fire at: a time zone without fields, a date
// that does not exist, an interval under ten seconds. On the day the clocks change, a time that does
// not exist is skipped and one that exists twice fires twice.
func ParseSchedule(spec string) (schedule cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			schedule, err = nil, fmt.Errorf("schedule %q: cannot be read", spec)
		}
	}()
	zone, fields := splitZone(spec)
	if fields == "" {
		return nil, fmt.Errorf("schedule %q: no fields; want five fields, or @every and a duration", spec)
	}
	schedule, err = cron.ParseStandard(zone + sundayIsZero(fields))
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", spec, err)
	}
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok && every.Delay < shortestEvery {
		return nil, fmt.Errorf("schedule %q: the shortest interval is %v", spec, shortestEvery)
	}
	// The library searches five years ahead and says never with the zero time. Any start will do: a
	// date that exists comes within five years of this one, 29 February included.
	if schedule.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("schedule %q: %w", spec, errNever)
	}
	return schedule, nil
}

var errNever = errors.New("this date never comes")

// splitZone cuts "TZ=… " or "CRON_TZ=… " off the front.
func splitZone(spec string) (zone, fields string) {
	spec = strings.TrimSpace(spec)
	if !strings.HasPrefix(spec, "TZ=") && !strings.HasPrefix(spec, "CRON_TZ=") {
		return "", spec
	}
	zone, fields, _ = strings.Cut(spec, " ")
	return zone + " ", strings.TrimSpace(fields)
}

// sundayIsZero writes a lone 7 in the last field as the 0 that the library knows.
func sundayIsZero(spec string) string {
	fields := strings.Fields(spec)
	if len(fields) != 5 {
		return spec
	}
	days := strings.Split(fields[4], ",")
	for i, day := range days {
		if day == "7" {
			days[i] = "0"
		}
	}
	fields[4] = strings.Join(days, ",")
	return strings.Join(fields, " ")
}
