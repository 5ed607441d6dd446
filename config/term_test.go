package config

import "testing"

func TestParseTerm(t *testing.T) {
	check := func(in string, want Term, text string) {
		t.Helper()
		got, err := ParseTerm(in)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: got %+v %q, %v, want %+v %q", in, got, got.String(), err, want, text)
		}
	}
	check("24 hours", Term{24, Hours}, "24 hours")
	check("1 hour", Term{1, Hours}, "1 hour")
	check("10 working days", Term{10, WorkingDays}, "10 working days")
	check("1 working day", Term{1, WorkingDays}, "1 working day")
	check("1 calendar day", Term{1, CalendarDays}, "1 calendar day")
	check("60 calendar days", Term{60, CalendarDays}, "60 calendar days")
	check("1 month", Term{1, Months}, "1 month")
	check(" 3  months ", Term{3, Months}, "3 months")
	check("3650 working days", Term{3650, WorkingDays}, "3650 working days")

	for _, in := range []string{
		"", "10", "days", "10 days", "1 day", "10 weeks", "-1 months", "+1 months", "0 hours", "121 months",
		"3651 calendar days", "1.5 months", "10 working", "ten working days", "99999999999999999999 months", "10working days",
	} {
		if got, err := ParseTerm(in); err == nil {
			t.Errorf("%q: got %+v, want an error", in, got)
		}
	}
	if got := (Term{}).String(); got != "" {
		t.Errorf("no term: got %q", got)
	}
}

func FuzzParseTerm(f *testing.F) {
	for _, s := range []string{"10 working days", "1 month", "24 hours", "5 days", "1  calendar\tday"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		term, err := ParseTerm(s)
		if err != nil {
			return
		}
		if again, err := ParseTerm(term.String()); err != nil || again != term {
			t.Errorf("%q: %+v is written %q and read as %+v, %v", s, term, term, again, err)
		}
	})
}
