package router

import (
	"testing"
	"time"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// BenchmarkMail is what one citizen's mail costs without a database: judged, decided, written.
func BenchmarkMail(b *testing.B) {
	cfg := sample(b)
	judge := NewJudge(cfg, signer(b, "k"))
	box, _ := cfg.MailboxByAddress("bustia@example.cat")
	raw := []byte(citizenMail(1, "Targeta", "He perdut la targeta sanitària. Com la puc demanar? Em van dir que el duplicat trigaria quinze dies i encara no ha arribat res a casa."))
	now := time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	load := Workload{Open: map[string]int{}, Last: map[string]time.Time{}}
	w, err := newWriter(cfg, signer(b, "k"), newID)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.Run("judge", func(b *testing.B) {
		for b.Loop() {
			judge.Mail(store.Received{Mailbox: box.Name, InternalDate: now, Raw: raw}, box)
		}
	})
	m := judge.Mail(store.Received{Mailbox: box.Name, InternalDate: now, Raw: raw}, box)
	facts := Facts{Config: cfg, Mailbox: box, Workload: load}
	b.Run("decide", func(b *testing.B) {
		for b.Loop() {
			Decide(m, facts, now)
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			d := &decided{event: m, facts: facts, plan: Decide(m, facts, now)}
			d.plan.Case.ID, d.plan.Case.Reference = 1, string(mailbox.NewReference(2026, 1))
			d.mails = make([]store.Outgoing, len(d.plan.Letters))
			if err := d.write(w, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}
