package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/router"
)

func deadlineCommand(p program) *cobra.Command {
	var dir, calendar, arrived, term, arrival string
	var paused []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "deadline --calendar NAME --arrived TIME --term TERM",
		Short: "Count a committed time day by day",
		Long: `Counts a term from the moment a mail arrived, on one of the calendars of the
configuration, and says of every day whether it counts and why not.`,
		Example: `  bustia deadline --calendar catalunya --arrived 2026-04-04T10:00:00+02:00 --term "10 working days"
  bustia deadline --calendar catalunya --arrived 2026-03-02T09:00:00+01:00 --term "15 working days" \
      --paused 2026-03-06T12:00:00+01:00/2026-03-17T10:00:00+01:00`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.loadConfig(dir)
			if err != nil {
				return err
			}
			count, err := countTerm(cfg, calendar, arrived, term, arrival, paused)
			if err != nil {
				return err
			}
			return printCount(p, count, asJSON)
		},
	}
	f := c.Flags()
	f.StringVarP(&dir, "config", "c", "", "directory of the configuration (default: the sample)")
	f.StringVar(&calendar, "calendar", "", "name of the calendar")
	f.StringVar(&arrived, "arrived", "", "when the mail arrived, RFC 3339")
	f.StringVar(&term, "term", "", `the term: "10 working days", "15 calendar days", "1 month", "24 hours"`)
	f.StringVar(&arrival, "nonworking-arrival", config.AsReceived, "as_received or next_working_day")
	f.StringArrayVar(&paused, "paused", nil, "a pause, FROM/TO in RFC 3339; may be repeated")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"calendar", "arrived", "term"} {
		c.MarkFlagRequired(name)
	}
	return c
}

func countTerm(cfg *config.Config, calendar, arrived, term, arrival string, paused []string) (router.Count, error) {
	cal, ok := cfg.Calendar(calendar)
	if !ok {
		names := make([]string, len(cfg.Calendars))
		for i, c := range cfg.Calendars {
			names[i] = c.Name
		}
		return router.Count{}, fmt.Errorf("no calendar %q; there are %s", calendar, strings.Join(names, ", "))
	}
	from, err := parseTime(arrived)
	if err != nil {
		return router.Count{}, fmt.Errorf("--arrived: %w", err)
	}
	t, err := config.ParseTerm(term)
	if err != nil {
		return router.Count{}, fmt.Errorf("--term: %w", err)
	}
	if arrival != config.AsReceived && arrival != config.NextWorkingDay {
		return router.Count{}, fmt.Errorf("--nonworking-arrival: %q, allowed are %s and %s", arrival, config.AsReceived, config.NextWorkingDay)
	}
	pauses, err := parsePauses(paused)
	if err != nil {
		return router.Count{}, fmt.Errorf("--paused: %w", err)
	}
	return router.Due(t, from, cal, arrival, pauses...), nil
}

// parseTime reads RFC 3339, and says what that looks like.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is no time with its zone, like 2026-04-04T10:00:00+02:00", s)
	}
	return t, nil
}

func parsePauses(texts []string) ([]router.Pause, error) {
	var pauses []router.Pause
	for _, text := range texts {
		from, to, ok := strings.Cut(text, "/")
		if !ok {
			return nil, fmt.Errorf("%q: FROM/TO is needed, two times with a / in between", text)
		}
		start, err := parseTime(from)
		if err != nil {
			return nil, err
		}
		end, err := parseTime(to)
		if err != nil {
			return nil, err
		}
		if end.Before(start) {
			return nil, fmt.Errorf("%s ends before it begins", text)
		}
		pauses = append(pauses, router.Pause{From: start, To: end})
	}
	return pauses, nil
}

// countJSON is the contract's shape of a count.
type countJSON struct {
	Due      string        `json:"due"`
	Counted  []countedJSON `json:"counted"`
	Warnings []string      `json:"warnings,omitempty"`
}

type countedJSON struct {
	Date string `json:"date"`
	N    int    `json:"n,omitempty"`
	Why  string `json:"why,omitempty"`
}

func printCount(p program, c router.Count, asJSON bool) error {
	if asJSON {
		out := countJSON{Due: c.Due.Format(time.RFC3339), Warnings: c.Warnings}
		for _, d := range c.Days {
			out.Counted = append(out.Counted, countedJSON{d.Date.String(), d.N, d.Why})
		}
		return json.NewEncoder(p.Out).Encode(out)
	}
	for _, d := range c.Days {
		day := d.Date.Time(time.UTC).Format("Mon 2 Jan 2006")
		switch {
		case d.N > 0 && d.Why != "":
			fmt.Fprintf(p.Out, "%-16s  day %d  (%s)\n", day, d.N, d.Why)
		case d.N > 0:
			fmt.Fprintf(p.Out, "%-16s  day %d\n", day, d.N)
		default:
			fmt.Fprintf(p.Out, "%-16s  –      %s\n", day, d.Why)
		}
	}
	for _, w := range c.Warnings {
		fmt.Fprintln(p.Err, "warning:", w)
	}
	fmt.Fprintf(p.Out, "due %s\n", c.Due.Format("Monday 2 January 2006, 15:04:05 MST"))
	return nil
}
