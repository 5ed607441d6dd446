package store

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// recorder notes the queries of a transaction.
type recorder struct {
	transaction
	queries []recorded
}

type recorded struct {
	sql  string
	args []any
}

func (r *recorder) query(ctx context.Context, sql string, args ...any) (rows, error) {
	r.queries = append(r.queries, recorded{sql, args})
	return r.transaction.query(ctx, sql, args...)
}

// slow says whether a step of a plan takes longer the more there is. Indices of some rows are small, and
// so is what one case has.
func slow(call, step string) bool {
	for _, small := range []string{"ledger_pending", "ledger_quarantine", "cases_load"} {
		if strings.Contains(step, "INDEX "+small) {
			return false
		}
	}
	sorts := strings.Contains(step, "B-TREE FOR ORDER BY") && call != "CaseMails" && call != "CasesOfMessages"
	return sorts || strings.HasPrefix(step, "SCAN")
}

// TestIndices has SQLite explain how it answers: a store of ten million cases has no time to read a table.
func TestIndices(t *testing.T) {
	s := connect(t, "sqlite::memory:")
	check := func(call string, f func(tx *Tx) error) {
		t.Helper()
		err := s.View(context.Background(), func(tx *Tx) error {
			r := &recorder{transaction: tx.t}
			if err := f(&Tx{ctx: tx.ctx, t: r}); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if len(r.queries) == 0 {
				t.Errorf("%s asked nothing", call)
			}
			for _, q := range r.queries {
				type step struct {
					id, parent, unused int
					detail             string
				}
				steps, err := list(tx, func(s *step) []any { return []any{&s.id, &s.parent, &s.unused, &s.detail} }, "explain query plan "+q.sql, q.args...)
				if err != nil {
					return err
				}
				for _, step := range steps {
					if slow(call, step.detail) {
						t.Errorf("%s: %s\n%s", call, step.detail, q.sql)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	check("Position", func(tx *Tx) error { _, err := tx.Position("main", "INBOX"); return err })
	check("Pending", func(tx *Tx) error { _, err := tx.Pending(10); return err })
	check("Received", func(tx *Tx) error { _, err := tx.Received(1); return err })
	check("SameMail", func(tx *Tx) error { _, err := tx.SameMail("d", 1); return err })
	check("MarksDue", func(tx *Tx) error { _, err := tx.MarksDue("main", "INBOX", 1, 10); return err })
	check("CaseMails", func(tx *Tx) error { _, err := tx.CaseMails(1); return err })
	check("LedgerRows pending", func(tx *Tx) error { _, err := tx.LedgerRows(LedgerFilter{Pending: true}); return err })
	check("LedgerRows quarantine", func(tx *Tx) error { _, err := tx.LedgerRows(LedgerFilter{Disposition: Quarantine}); return err })
	check("Case", func(tx *Tx) error { _, err := tx.Case(1); return err })
	check("CaseByReference", func(tx *Tx) error { _, err := tx.CaseByReference("B-1"); return err })
	check("Cases of state", func(tx *Tx) error { _, err := tx.Cases(CaseFilter{States: []State{Open}}); return err })
	check("Cases of agent", func(tx *Tx) error { _, err := tx.Cases(CaseFilter{Agent: "anna"}); return err })
	check("Load", func(tx *Tx) error { _, err := tx.Load(); return err })
	check("Events", func(tx *Tx) error { _, err := tx.Events(1); return err })
	check("CurrentAssignments", func(tx *Tx) error { _, err := tx.CurrentAssignments(1); return err })
	check("Deadlines", func(tx *Tx) error { _, err := tx.Deadlines(1); return err })
	check("DueDeadlines", func(tx *Tx) error { _, err := tx.DueDeadlines(at(0), 10); return err })
	check("OutgoingByMessageID", func(tx *Tx) error { _, err := tx.OutgoingByMessageID("a"); return err })
	check("CaseOutgoing", func(tx *Tx) error { _, err := tx.CaseOutgoing(1); return err })
	check("SentTo", func(tx *Tx) error { _, err := tx.SentTo("a@example.org", at(0)); return err })
	check("CasesOfMessages", func(tx *Tx) error { _, err := tx.CasesOfMessages([]string{"a", "b"}); return err })
}
