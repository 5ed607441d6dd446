package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when something is done again.
type Schedule interface {
	// Next is the first moment after t, in t's location.
	Next(t time.Time) time.Time
}

// shortestEvery is how often a server may be asked at most.
const shortestEvery = 10 * time.Second

// ParseCron reads a cron spec of five fields, or "@hourly", "@daily", "@every 5m" and the like. A
// time zone cannot be said in it: the schedule runs in the location of the time it is asked with.
// Sunday may be written 7.
func ParseCron(spec string) (Schedule, error) {
	const allowed = `say five fields, "*/5 * * * *", or "@every 5m"`
	if strings.Contains(spec, "TZ=") { // the parser panics on a zone without fields
		return nil, fmt.Errorf("%s: a time zone cannot be said here; %s", quote(spec), allowed)
	}
	s, err := parseCron(sundayIsZero(spec))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", quote(spec), err, allowed)
	}
	if every, ok := s.(cron.ConstantDelaySchedule); ok && every.Delay < shortestEvery {
		return nil, fmt.Errorf("%s: at least %s", quote(spec), shortestEvery)
	}
	if s.Next(time.Unix(0, 0).UTC()).IsZero() { // 31 February
		return nil, fmt.Errorf("%s: that day never comes", quote(spec))
	}
	return s, nil
}

// sundayIsZero writes a lone 7 in the last of five fields as the 0 that the parser knows.
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

// parseCron keeps a panic of the parser, which nobody maintains, from stopping the daemon.
func parseCron(spec string) (s cron.Schedule, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("no cron spec")
		}
	}()
	return cron.ParseStandard(spec)
}
