package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Longest terms that can be said: about ten years.
const (
	maxDays   = 3650
	maxMonths = 120
)

// ParseTerm reads a committed time: "24 hours", "10 working days", "30 calendar days", "1 month".
func ParseTerm(s string) (Term, error) {
	const allowed = `say "10 working days", "30 calendar days", "1 month" or "24 hours"`
	number, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	n, err := strconv.Atoi(number)
	if err != nil || number[0] == '+' {
		return Term{}, fmt.Errorf("%s is no term: %s", quote(s), allowed)
	}
	t := Term{N: n}
	switch strings.Join(strings.Fields(unit), " ") {
	case "hour", "hours":
		t.Unit = Hours
	case "working day", "working days":
		t.Unit = WorkingDays
	case "calendar day", "calendar days":
		t.Unit = CalendarDays
	case "month", "months":
		t.Unit = Months
	case "day", "days":
		return Term{}, fmt.Errorf("%s: say working days or calendar days", quote(s))
	default:
		return Term{}, fmt.Errorf("%s has no unit we know: %s", quote(s), allowed)
	}
	most := maxDays
	if t.Unit == Months {
		most = maxMonths
	}
	if n < 1 || n > most {
		return Term{}, fmt.Errorf("%s: between 1 and %d %s", quote(s), most, t.Unit)
	}
	return t, nil
}

// String is the term as ParseTerm reads it; "" for no term.
func (t Term) String() string {
	if t == (Term{}) {
		return ""
	}
	unit := string(t.Unit)
	if t.N == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", t.N, unit)
}
