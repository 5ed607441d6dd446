package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func someCase(reference string) Case {
	return Case{
		Reference: reference, State: Open, Mailbox: "main", Organisation: "health", Circuit: "first", Type: "consulta",
		Theme: "health/centres", Organisational: []string{"web", "prices"}, Language: "ca",
		CitizenAddress: "citizen@example.org", CitizenName: "Núria", Subject: "Horari",
		Agent: "anna", Supervisor: "berta", ReceivedAt: at(0), OpenedAt: at(1),
	}
}

func TestCase(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		first := someCase("B-1")
		do(t, s, func(tx *Tx) (err error) {
			first.ID, err = tx.InsertCase(first)
			return err
		})
		want := someCase("B-2")
		want.Linked, want.Organisational = first.ID, nil
		do(t, s, func(tx *Tx) (err error) {
			want.ID, err = tx.InsertCase(want)
			return err
		})
		do(t, s, func(tx *Tx) error {
			got, err := tx.Case(want.ID)
			wantSame(t, got, want)
			byReference, err2 := tx.CaseByReference("B-1")
			wantSame(t, byReference, first)
			_, err3 := tx.Case(want.ID + 1)
			wantError(t, err3, ErrNotFound)
			_, err3 = tx.CaseByReference("B-3")
			wantError(t, err3, ErrNotFound)
			return errors.Join(err, err2)
		})
		taken := s.InTx(context.Background(), func(tx *Tx) error {
			_, err := tx.InsertCase(someCase("B-1"))
			return err
		})
		wantError(t, taken, ErrExists)
		reserved := someCase("B-4")
		do(t, s, func(tx *Tx) error {
			ids, err := tx.NewCaseIDs(3)
			if err != nil {
				return err
			}
			more, err := tx.NewCaseIDs(1)
			if err != nil || more[0] <= ids[2] {
				t.Errorf("reserved %v, then %v, %v", ids, more, err)
			}
			reserved.ID = ids[2]
			if got, err := tx.InsertCase(reserved); got != ids[2] || err != nil {
				t.Errorf("inserted under %d, %v; want %d", got, err, ids[2])
			}
			got, err := tx.Case(ids[2])
			wantSame(t, got, reserved)
			return err
		})
		if next := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-5")) }); next == reserved.ID {
			t.Errorf("the id %d was given twice", next)
		}
	})
}

func TestUpdateCase(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		c := someCase("B-1")
		do(t, s, func(tx *Tx) (err error) {
			c.ID, err = tx.InsertCase(c)
			return err
		})
		changed := Case{
			ID: c.ID, Reference: "B-9", State: Answered, Mailbox: "other", Organisation: "roads", Circuit: "second", Type: "queixa",
			Theme: "roads/tolls", Organisational: []string{"staff"}, Language: "es", CitizenAddress: "new@example.org", CitizenName: "N", Silent: true,
			Subject: "S", Agent: "carla", Supervisor: "dora", Linked: c.ID, ReceivedAt: at(90), OpenedAt: at(91), AnsweredAt: at(92), ClosedAt: at(93),
		}
		do(t, s, func(tx *Tx) error { return tx.UpdateCase(changed, Open) })
		want := changed
		want.Reference, want.Mailbox, want.ReceivedAt = c.Reference, c.Mailbox, c.ReceivedAt // these stay
		do(t, s, func(tx *Tx) error {
			got, err := tx.Case(c.ID)
			wantSame(t, got, want)
			wantError(t, tx.UpdateCase(changed, Open), ErrConflict)
			wantError(t, tx.UpdateCase(Case{ID: c.ID + 1}, Open), ErrNotFound)
			return err
		})
	})
}

// TestCaseIsLocked has many transactions change one case that stays in its state: none is overwritten.
func TestCaseIsLocked(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		id := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(Case{Reference: "B-1", State: Open}) })
		for _, err := range race(s, 8, func(tx *Tx, i int) error {
			c, err := tx.Case(id)
			if err != nil {
				return err
			}
			c.Subject += "x"
			return tx.UpdateCase(c, Open)
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		c := must(t, s, func(tx *Tx) (Case, error) { return tx.Case(id) })
		wantSame(t, c.Subject, "xxxxxxxx")
	})
}

func TestNextNumbers(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		const goroutines, each = 8, 10
		broken := errors.New("broken")
		numbers := make([][]int, goroutines)
		errs := race(s, goroutines, func(tx *Tx, i int) error {
			// A transaction that fails in between gives its number back.
			n, err := tx.NextNumbers(2026, 1)
			if i%2 == 1 {
				return errors.Join(err, broken)
			}
			numbers[i] = []int{n}
			return err
		})
		for i, err := range errs {
			if i%2 == 0 && err != nil || i%2 == 1 && !errors.Is(err, broken) {
				t.Errorf("goroutine %d: %v", i, err)
			}
		}
		for range each {
			for _, err := range race(s, goroutines, func(tx *Tx, i int) error {
				n, err := tx.NextNumbers(2026, 1)
				numbers[i] = append(numbers[i], n)
				return err
			}) {
				if err != nil {
					t.Error(err)
				}
			}
		}
		all := slices.Sorted(slices.Values(slices.Concat(numbers...)))
		for i, n := range all {
			if n != i+1 {
				t.Fatalf("got %v, want no gap and none twice", all)
			}
		}
		wantSame(t, len(all), goroutines*each+goroutines/2)
		wantSame(t, must(t, s, func(tx *Tx) (int, error) { return tx.NextNumbers(2027, 1) }), 1)
	})
}

func TestCases(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		do(t, s, func(tx *Tx) error {
			for i, change := range []func(*Case){
				func(c *Case) {},
				func(c *Case) { c.State, c.Mailbox, c.Theme = Unfiled, "second", "" },
				func(c *Case) { c.State, c.Agent, c.Theme = Answered, "carla", "health" },
				func(c *Case) { c.Theme, c.Organisation, c.Type, c.Language = "healthy/food", "food", "queixa", "oc" },
			} {
				c := someCase("B-" + string(rune('1'+i)))
				change(&c)
				id, err := tx.InsertCase(c)
				if err != nil {
					return err
				}
				if err := tx.AddDeadline(Deadline{CaseID: id, Kind: FirstAnswer, State: DeadlineOpen, Due: at(100 * i)}); err != nil {
					return err
				}
			}
			check := func(f CaseFilter, want ...string) {
				t.Helper()
				cases, err := tx.Cases(f)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, c := range cases {
					got = append(got, c.Reference)
				}
				wantSame(t, got, want)
			}
			check(CaseFilter{}, "B-4", "B-3", "B-2", "B-1")
			check(CaseFilter{Limit: 2}, "B-4", "B-3")
			check(CaseFilter{States: []State{Unfiled, Answered}}, "B-3", "B-2")
			check(CaseFilter{Mailbox: "second"}, "B-2")
			check(CaseFilter{Theme: "health"}, "B-3", "B-1")
			check(CaseFilter{Theme: "health/centres"}, "B-1")
			check(CaseFilter{Theme: "h%"})
			check(CaseFilter{Organisation: "food"}, "B-4")
			check(CaseFilter{Agent: "carla"}, "B-3")
			check(CaseFilter{Type: "queixa", Language: "oc"}, "B-4")
			check(CaseFilter{OverdueAt: at(100)}, "B-2", "B-1")
			check(CaseFilter{States: []State{Open}, Agent: "anna", OverdueAt: at(1000), Limit: 1}, "B-4")
			load, err := tx.Load()
			wantSame(t, load, map[string]int{"anna": 2})
			return err
		})
	})
}

func TestEvents(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		id := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		want := []Event{
			{CaseID: id, At: at(1), Kind: "opened", Actor: "citizen", Facts: map[string]string{"what": "\"quoted\"\nà"}},
			{CaseID: id, At: at(2), Kind: "assigned", Actor: "clock"},
		}
		do(t, s, func(tx *Tx) error { return errors.Join(tx.AddEvent(want[0]), tx.AddEvent(want[1])) })
		got := must(t, s, func(tx *Tx) ([]Event, error) { return tx.Events(id) })
		after := must(t, s, func(tx *Tx) ([]Event, error) { return tx.EventsAfter(got[0].ID) })
		wantSame(t, after, got[1:])
		for i := range got {
			if got[i].ID == 0 {
				t.Error("event has no id")
			}
			got[i].ID = 0
		}
		wantSame(t, got, want)
		for _, sql := range []string{"update event set kind = 'x'", "delete from event"} {
			err := s.InTx(t.Context(), func(tx *Tx) error { _, err := tx.exec(sql); return err })
			if err == nil {
				t.Errorf("%s was not refused", sql)
			}
		}
		got = must(t, s, func(tx *Tx) ([]Event, error) { return tx.Events(id) })
		wantSame(t, len(got), 2)
		err := s.InTx(t.Context(), func(tx *Tx) error { return tx.AddEvent(Event{CaseID: id + 1}) })
		if err == nil {
			t.Error("event of no case was not refused")
		}
	})
}

func TestAssignments(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		c := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		all := []Assignment{
			{CaseID: c, Agent: "anna", Role: Treat, CreatedAt: at(1), ExpiresAt: at(1000)},
			{CaseID: c, Agent: "berta", Role: Oversee, CreatedAt: at(5), ExpiresAt: at(1000)},
			{CaseID: c, Agent: "carla", Role: Treat, CreatedAt: at(9), ExpiresAt: at(1000)},
			{CaseID: c, Agent: "carla", Role: Treat, CreatedAt: at(7), ExpiresAt: at(1000)}, // written late
		}
		do(t, s, func(tx *Tx) (err error) {
			for i := range all {
				if i == 2 {
					if err := tx.EndAssignments(c, at(8)); err != nil {
						return err
					}
					all[0].EndedAt, all[1].EndedAt = at(8), at(8)
				}
				if all[i].ID, err = tx.AddAssignment(all[i]); err != nil {
					return err
				}
			}
			got, err := tx.Assignments(c)
			wantSame(t, got, all)
			current, err2 := tx.CurrentAssignments(c)
			wantSame(t, current, all[2:])
			ended, err3 := tx.Assignment(all[0].ID)
			wantSame(t, ended, all[0])
			last, err4 := tx.LastAssigned()
			wantSame(t, last, map[string]time.Time{"anna": at(1), "carla": at(9)})
			_, missing := tx.Assignment(all[3].ID + 1)
			wantError(t, missing, ErrNotFound)
			return errors.Join(err, err2, err3, err4)
		})
	})
}

func TestDeadlines(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		c := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		all := []Deadline{
			{CaseID: c, Kind: FirstAnswer, From: at(0), Due: at(100), State: DeadlineOpen, Next: at(50), Step: "remind:0.5"},
			{CaseID: c, Kind: "final_answer", From: at(0), Due: at(200), State: DeadlineOpen, Next: at(20), Step: "remind:0.1"},
			{CaseID: c, Kind: "forwarding", From: at(0), Due: at(10), State: DeadlineMet, Next: at(5), Step: "breach"},
			{CaseID: c, Kind: "quiet", From: at(0), Due: at(10), State: DeadlineOpen},
		}
		due := func(tx *Tx, now time.Time, limit int) (kinds []string) {
			ds, err := tx.DueDeadlines(now, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				kinds = append(kinds, d.Kind)
			}
			return kinds
		}
		do(t, s, func(tx *Tx) (err error) {
			for i := range all {
				if err = tx.AddDeadline(all[i]); err != nil {
					return err
				}
			}
			got, err := tx.Deadlines(c)
			for i := range got {
				all[i].ID = got[i].ID
			}
			wantSame(t, got, all)
			wantSame(t, due(tx, at(19), 10), []string(nil))
			wantSame(t, due(tx, at(20), 10), []string{"final_answer"})
			wantSame(t, due(tx, at(50), 10), []string{"final_answer", FirstAnswer})
			wantSame(t, due(tx, at(50), 1), []string{"final_answer"})
			return err
		})
		id := all[0].ID
		oneWins(t, race(s, 8, func(tx *Tx, i int) error { return tx.StepDeadline(id, 0, 1, at(75), "remind:0.75") }), ErrConflict)
		do(t, s, func(tx *Tx) error {
			wantError(t, tx.StepDeadline(all[3].ID+1, 0, 1, at(1), ""), ErrNotFound)
			ds, err := tx.Deadlines(c)
			want := all[0]
			want.Done, want.Next, want.Step = 1, at(75), "remind:0.75"
			wantSame(t, ds[0], want)
			return err
		})
		do(t, s, func(tx *Tx) error { return tx.EndDeadlines(c, FirstAnswer, DeadlineMet) })
		do(t, s, func(tx *Tx) error {
			wantError(t, tx.StepDeadline(id, 1, 2, at(80), "breach"), ErrConflict)
			wantSame(t, due(tx, at(1000), 10), []string{"final_answer"})
			return tx.EndDeadlines(c, "", DeadlineVoid)
		})
		ds := must(t, s, func(tx *Tx) ([]Deadline, error) { return tx.Deadlines(c) })
		var states []string
		for _, d := range ds {
			states = append(states, d.State)
		}
		wantSame(t, states, []string{DeadlineMet, DeadlineVoid, DeadlineMet, DeadlineVoid})
	})
}
