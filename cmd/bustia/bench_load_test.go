//go:build integration && bench

package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/store"
)

// eachSecond is how many mails part d delivers a second.
const eachSecond = 5

// latency is how long a citizen waits: from Dovecot's word that it has the mail until the submission
// server has the acknowledgement.
func (b *benchmark) latency(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) { b.latencyOn(t, "bustia, PostgreSQL", b.postgres.fresh(t)) })
	t.Run("SQLite", func(t *testing.T) {
		b.latencyOn(t, "bustia, SQLite", "sqlite:"+filepath.Join(t.TempDir(), "bustia.db"))
	})
}

func (b *benchmark) latencyOn(t *testing.T, what, url string) {
	user := b.fill(t, t.TempDir()) // with nothing yet
	b.sink.reset()
	dir := b.configure(t, url, []string{user}, "*/5 * * * *")
	daemon := b.run(t, dir)
	other := b.listen(t, user)
	wait(t, daemon, 20*time.Millisecond, "it waits for mail", func() (bool, error) { return b.sessions() >= 2, nil })

	n := setting(t, "BENCH_SECONDS", 60) * eachSecond
	mails := newCorpus(t, b.seed+100, n, 0, user)
	delivered := b.deliver(t, mails, user)
	wait(t, daemon, 20*time.Millisecond, "every acknowledgement is accepted", func() (bool, error) {
		acks, _ := b.sink.acknowledged()
		return acks >= n, nil
	})
	read := readAt(t, url)
	var waits, told, ours []time.Duration
	b.sink.mu.Lock()
	for citizen, at := range delivered {
		accepted := b.sink.taken[citizen]
		waits, told, ours = append(waits, accepted.Sub(at)), append(told, other.after(at)), append(ours, accepted.Sub(read[citizen]))
	}
	b.sink.mu.Unlock()
	for _, p := range []int{50, 99} {
		name := fmt.Sprintf("p%d", p)
		b.report.add("d", what, name, milliseconds(percentile(waits, p)), "ms")
		b.report.add("d", what, name+" from when it was read", milliseconds(percentile(ours, p)), "ms")
		b.report.add("d", what, name+" until another hears of it", milliseconds(percentile(told, p)), "ms")
	}
	b.report.add("d", what, "memory", memory(t, daemon.pid, "VmHWM"), "MB")
}

// readAt is when the daemon had read each citizen's mail from Dovecot.
func readAt(t *testing.T, url string) map[string]time.Time {
	t.Helper()
	st, err := store.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	read := map[string]time.Time{}
	err = st.View(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.LedgerRows(store.LedgerFilter{Mailbox: "corporate"})
		for _, row := range rows {
			read[row.From] = row.FetchedAt
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// percentile is the smallest of these that p in a hundred do not exceed.
func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[(len(all)*p+99)/100-1]
}

// deliver hands mails to Dovecot at an even pace, and says when it had taken each citizen's.
func (b *bed) deliver(t *testing.T, mails *corpus, user string) (taken map[string]time.Time) {
	t.Helper()
	conn, err := net.Dial("tcp", onLoopback(b.imap.lmtp))
	if err != nil {
		t.Fatal(err)
	}
	client := smtp.NewClientLMTP(conn)
	defer client.Close()
	taken = map[string]time.Time{}
	tick := time.NewTicker(time.Second / eachSecond)
	defer tick.Stop()
	for i, p := range mails.mails {
		raw := strings.ReplaceAll(string(mails.write(i)), "\n", "\r\n")
		_, citizen := mails.citizen(p.citizen)
		<-tick.C
		if err := client.SendMail(citizen, []string{user}, strings.NewReader(raw)); err != nil {
			t.Fatalf("deliver mail %d: %v", i, err)
		}
		taken[citizen] = time.Now()
	}
	return taken
}

// sessions is how many IMAP sessions Dovecot has.
func (b *bed) sessions() (n int) {
	all := readProcesses()
	for _, pid := range all.tree(b.dovecot.pid) {
		if all[pid].name == "imap" {
			n++
		}
	}
	return n
}

// announcements are when Dovecot told of new mail to somebody else who waits and does nothing. It tells
// each session in its own time, so this is what to expect of the announcement and no mail's share of it.
type announcements struct {
	mu sync.Mutex
	at []time.Time
}

// after is how long after a delivery the next announcement came.
func (a *announcements) after(delivery time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.at {
		if at.After(delivery) {
			return at.Sub(delivery)
		}
	}
	return 0 // it was announced while the delivery's own answer was on its way
}

func (b *bed) listen(t *testing.T, user string) *announcements {
	t.Helper()
	conn, err := net.Dial("tcp", onLoopback(b.imap.imap))
	if err != nil {
		t.Fatal(err)
	}
	a := &announcements{}
	client := imapclient.New(conn, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(*imapclient.UnilateralDataMailbox) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.at = append(a.at, time.Now())
		},
	}})
	t.Cleanup(func() { client.Close() })
	if err := client.Login(user, password(user)).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Idle(); err != nil {
		t.Fatal(err)
	}
	return a
}

// idle is what many mailboxes cost in which nothing happens. They are looked at every minute here, so
// that the minute that is measured holds exactly one look.
func (b *benchmark) idle(t *testing.T) {
	users := idlers(t)
	n := len(users)
	const part = "e"
	what := fmt.Sprintf("bustia, %d mailboxes", n)
	daemon := b.run(t, b.configure(t, b.postgres.fresh(t), users, "* * * * *"))
	began := time.Now()
	wait(t, daemon, 200*time.Millisecond, "it waits for mail everywhere", func() (bool, error) { return b.sessions() >= n, nil })
	b.report.add(part, what, "until all are watched", time.Since(began).Seconds(), "s")

	second := func(s int) time.Time { // the next one that is the s-th of a minute
		at := time.Now().Truncate(time.Minute).Add(time.Duration(s) * time.Second)
		if !at.After(time.Now()) {
			at = at.Add(time.Minute)
		}
		return at
	}
	used := func(until time.Time) (cpu, dovecot, postgres float64) {
		time.Sleep(time.Until(until))
		all := readProcesses()
		return all.cpu(daemon.pid), all.cpu(b.dovecot.pid), all.cpu(b.postgres.run.pid)
	}
	const looked, before = 20, 58 // seconds of a minute: the look is over, the next has not begun
	if time.Since(began) < 30*time.Second {
		time.Sleep(30*time.Second - time.Since(began)) // what starting has left is swept away
	}
	from := second(looked)
	d0, i0, p0 := used(from)
	d1, _, _ := used(second(before))
	d2, i2, p2 := used(from.Add(time.Minute))
	still := (d1 - d0) / (before - looked)
	look := max(0, d2-d1-still*(60-before+looked))
	b.report.add(part, what, "memory", memory(t, daemon.pid, "VmRSS"), "MB")
	b.report.add(part, what, "peak memory", memory(t, daemon.pid, "VmHWM"), "MB")
	b.report.add(part, what, "CPU between polls", 100*still, "%")
	b.report.add(part, what, "CPU of one poll of all", look, "s")
	b.report.add(part, what, "CPU with a poll every 5 min", 100*(still+look/300), "%")
	b.report.add(part, what, "CPU with a poll every minute", 100*(d2-d0)/60, "%")
	b.report.add(part, what, "CPU Dovecot, a poll a minute", 100*(i2-i0)/60, "%")
	b.report.add(part, what, "CPU PostgreSQL, a poll a minute", 100*(p2-p0)/60, "%")
}

// fullStore is whether a mail costs more when there are many cases already.
func (b *benchmark) fullStore(t *testing.T) {
	cases := setting(t, "BENCH_CASES", 1000000)
	const part = "f"
	measure := func(what string, fill func(t *testing.T, url string)) (p worked) {
		t.Run(what, func(t *testing.T) {
			url := b.postgres.fresh(t)
			fill(t, url)
			p = b.work(t, url, b.fewer, map[string]int{"Dovecot": b.dovecot.pid, "PostgreSQL": b.postgres.run.pid})
			b.report.addCost(part, what, p.rendered, b.fewer.mails)
		})
		return p
	}
	none := measure("empty store", func(*testing.T, string) {})
	full := measure(fmt.Sprintf("%d cases", cases), func(t *testing.T, url string) { b.fillStore(t, url, cases) })
	if t.Failed() {
		return
	}
	b.report.add(part, "full beside empty", "seconds beside an empty store", full.rendered.seconds/none.rendered.seconds, "x")
	b.report.add(part, "full beside empty", "CPU beside an empty store", full.rendered.all/none.rendered.all, "x")
}

// fillStore makes cases of the last years, a row and what hangs on it: its mail, two mails of ours,
// four events, an assignment and a deadline. One in a hundred is open.
func (b *benchmark) fillStore(t *testing.T, url string, cases int) {
	t.Helper()
	st, err := store.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	st.Close()
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: sampleEnv})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	var agents []string
	for _, a := range cfg.Agents {
		if len(a.Themes) > 0 {
			agents = append(agents, a.ID)
		}
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	began := time.Now()
	now := began.UnixMilli()
	for _, statement := range fillStatements {
		sql := strings.NewReplacer("{n}", fmt.Sprint(cases), "{now}", fmt.Sprint(now), "{agents}", "array['"+strings.Join(agents, "','")+"']", "{count}", fmt.Sprint(len(agents))).Replace(statement)
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
	}
	if _, err := conn.Exec(t.Context(), "vacuum analyze"); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases made in %v", cases, time.Since(began).Round(time.Second))
}

// fillStatements make {n} cases: case i came in i minutes ago, and its rows have ids of their own.
var fillStatements = []string{
	`insert into cases (reference, state, mailbox, organisation, circuit, type, theme, organisational, language, citizen_address, citizen_name,
		silent, subject, agent, supervisor, received_at, opened_at, answered_at, closed_at)
	select 'A-' || i, case when i % 100 = 0 then 'open' else 'answered' end, 'archive', 'salut', 'general', 'consulta', 'salut/targeta-sanitaria', 'null', 'ca',
		'former' || i || '@example.org', 'Maria Puig', false, 'Consulta sobre la targeta sanitària', ({agents})[1 + i % {count}], 'imma',
		{now} - ({n} - i) * 60000::bigint, {now} - ({n} - i) * 60000::bigint, case when i % 100 = 0 then 0 else {now} - ({n} - i) * 30000::bigint end, 0
	from generate_series(1, {n}) i`,
	`insert into ledger (mailbox, folder, uid_validity, uid, internal_date, fetched_at, message_id, digest, sender, subject, size, disposition, reason, case_id, processed_at)
	select 'archive', 'INBOX', 1, id, received_at, received_at, 'former-' || id || '@client.example.org', md5(id::text) || md5('b' || id), citizen_address, subject, 3000,
		'case', 'new case', id, received_at from cases where mailbox = 'archive'`,
	`insert into event (case_id, at, kind, actor, facts)
	select id, received_at, (array['opened', 'deadline_set', 'assigned', 'sent'])[k], 'clock', '{"why":"theme","mailbox":"archive"}' from cases, generate_series(1, 4) k`,
	`insert into assignment (case_id, agent, role, created_at, expires_at, ended_at)
	select id, agent, 'treat', received_at, received_at + 10368000000, case when state = 'open' then 0 else answered_at end from cases`,
	`insert into deadline (case_id, kind, counted_from, due, state, next, step, done)
	select id, 'first_answer', received_at, {now} + 864000000, case when state = 'open' then 'open' else 'met' end, case when state = 'open' then {now} + 432000000 else 0 end, 'remind', 0 from cases`,
	`insert into outgoing (case_id, kind, message_id, mailbox, reverse_path, recipient, agent, subject, state, attempts, created_at, attempted_at, sent_at, last_error)
	select id, case k when 1 then 'acknowledgement' else 'assigned' end, 'former-' || id || '-' || k || '@bustia.example.cat', 'archive', 'bustia@example.cat',
		case k when 1 then citizen_address else agent || '@example.cat' end, case k when 1 then '' else agent end, subject, 'sent', 1, received_at, received_at, received_at, ''
	from cases, generate_series(1, 2) k`,
	`insert into case_number (year, last) select 2020, {n}`,
}
