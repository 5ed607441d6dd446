//go:build integration && bench

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bustia/bustia/store"
)

// TestBench measures bustia beside mbsync on one machine in one run; docs/performance.md says what and
// how to read it. What is wrong fails; what is slow is only said.
//
//	BENCH_PARTS   which parts, "abcdef" by default
//	BENCH_N       mails in the mailbox, 10000
//	BENCH_CASES   cases in the store for part f, 1000000
//	BENCH_RUNS    how often each part; the table shows medians, 1
//	BENCH_BOXES   mailboxes for part e, 600
//	BENCH_SECONDS how long part d delivers, 60
//	BENCH_SEED    of the mails, 1
//	BENCH_OUT     file for every figure, as JSON lines
//	BENCH_PROFILE file for a CPU profile of the daemon (its allocations beside it): take one part, one run
func TestBench(t *testing.T) {
	n := setting(t, "BENCH_N", 10000)
	runs := setting(t, "BENCH_RUNS", 1)
	parts := os.Getenv("BENCH_PARTS")
	if parts == "" {
		parts = "abcdef"
	}
	b := &benchmark{bed: makeBed(t), report: startReport(t), seed: uint64(setting(t, "BENCH_SEED", 1))}
	if strings.ContainsAny(parts, "abc") {
		b.mails = b.write(t, n)
	}
	if strings.Contains(parts, "f") {
		b.fewer = b.write(t, max(n/5, 1))
	}
	for b.report.run = 1; b.report.run <= runs; b.report.run++ {
		for _, part := range []struct {
			letter string
			name   string
			run    func(*testing.T)
		}{
			{"a", "mbsync downloads the mailbox", b.download},
			{"b", "bustia on PostgreSQL", b.onPostgres},
			{"c", "bustia on SQLite", b.onSQLite},
			{"d", "from delivery to acknowledgement", b.latency},
			{"e", "mailboxes under IDLE", b.idle},
			{"f", "a store full of cases", b.fullStore},
		} {
			if strings.Contains(parts, part.letter) {
				t.Run(part.letter+" "+part.name, part.run)
			}
		}
	}
	t.Logf("medians of %d:\n%s", runs, b.report.table())
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q: want a number from 1", name, s)
	}
	return n
}

// benchmark is the parts and what they share.
type benchmark struct {
	*bed
	report *report
	seed   uint64
	mails  folder // of BENCH_N
	fewer  folder // of a fifth of them
}

// folder is mails on disk.
type folder struct {
	dir   string
	mails int
}

func (b *benchmark) write(t *testing.T, n int) folder {
	t.Helper()
	f := folder{filepath.Join(b.dir, fmt.Sprintf("corpus-%d", n)), n}
	began := time.Now()
	bytes, err := newCorpus(t, b.seed, n, 0.15, "bustia@example.cat").store(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d mails written, %.0f MB, in %v", n, float64(bytes)/(1<<20), time.Since(began).Round(time.Second/10))
	return f
}

// download is what merely reading the mailbox costs: mbsync, from the same Dovecot into a Maildir.
func (b *benchmark) download(t *testing.T) {
	if _, err := exec.LookPath("mbsync"); err != nil {
		unavailable(t, "mbsync is not installed (.ci/install-bench does it)")
	}
	user := b.fill(t, b.mails.dir)
	home := t.TempDir()
	file := filepath.Join(home, "mbsyncrc")
	if err := os.WriteFile(file, fmt.Appendf(nil, mbsyncConfig, loopback, b.imap.imap, user, password(user), home), 0o600); err != nil {
		t.Fatal(err)
	}
	const part, what = "a", "mbsync"
	m := startMeter(t, map[string]int{"Dovecot": b.dovecot.pid})
	command := exec.Command("mbsync", "-q", "-c", file, "bench")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("mbsync: %v\n%s", err, out)
	}
	c := m.read()
	usage := command.ProcessState.SysUsage().(*syscall.Rusage)
	c.cpu["mbsync"] = time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	c.all += c.cpu["mbsync"]
	c.others -= c.cpu["mbsync"] / c.seconds
	if got, _ := filepath.Glob(filepath.Join(home, "inbox", "*", "*,*")); len(got) < b.mails.mails {
		t.Errorf("mbsync got %d mails, want %d", len(got), b.mails.mails)
	}
	b.report.addCost(part, what, c, b.mails.mails)
}

const mbsyncConfig = `
FSync no
IMAPStore far
Host %[1]s
Port %[2]d
User %[3]s
Pass %[4]s
SSLType None
AuthMechs LOGIN

MaildirStore near
Path %[5]s/
Inbox %[5]s/inbox

Channel bench
Far :far:
Near :near:
Patterns INBOX
Sync PullNew
Create Near
SyncState *
`

func (b *benchmark) onPostgres(t *testing.T) {
	url := b.postgres.fresh(t)
	b.whole(t, "b", "bustia, PostgreSQL", url, b.mails)
}

func (b *benchmark) onSQLite(t *testing.T) {
	b.whole(t, "c", "bustia, SQLite", "sqlite:"+filepath.Join(t.TempDir(), "bustia.db"), b.mails)
}

// whole is the daemon's whole work on a mailbox full of mails.
func (b *benchmark) whole(t *testing.T, part, what, url string, mails folder) {
	roots := map[string]int{"Dovecot": b.dovecot.pid}
	if strings.HasPrefix(url, "postgres") {
		roots["PostgreSQL"] = b.postgres.run.pid
	}
	p := b.work(t, url, mails, roots)
	r := b.report
	r.addCost(part, what, p.rendered, mails.mails)
	if alone := r.median("a", "mbsync", "mails a second"); alone > 0 {
		r.add(part, what, "speed beside mbsync", float64(mails.mails)/p.rendered.seconds/alone, "x")
	}
	r.add(part, what, "CPU a mail, until accepted", 1000*p.accepted.all/float64(mails.mails), "ms")
	r.add(part, what, "last acknowledgement accepted", p.last, "s")
	r.add(part, what, "peak memory", p.memory, "MB")
	r.add(part, what, "written by the daemon", p.written, "MB")
}

// worked is what the daemon's work on a mailbox took.
type worked struct {
	rendered cost    // until every mail is disposed and its acknowledgement rendered
	accepted cost    // until the submission server has the last acknowledgement
	last     float64 // seconds until then
	memory   float64 // peak, MB
	written  float64 // MB
}

// work has the daemon read a mailbox full of mails, from its start on.
func (b *benchmark) work(t *testing.T, url string, mails folder, roots map[string]int) (p worked) {
	t.Helper()
	st, err := store.Connect(t.Context(), url) // makes the tables, which a daemon finds made
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	w := watch{st, uint32(mails.mails)}
	user := b.fill(t, mails.dir)
	dir := b.configure(t, url, []string{user}, "*/5 * * * *")
	b.sink.reset()
	count := b.startCount(t, url)
	// Right after a checkpoint PostgreSQL writes whole pages: every run starts there, none by chance.
	if err := b.postgres.exec(t.Context(), "checkpoint"); err != nil {
		t.Fatal(err)
	}

	m := startMeter(t, roots)
	daemon := b.run(t, dir)
	m.add("bustia", daemon.pid)
	wait(t, daemon, 100*time.Millisecond, "every mail has its disposition", func() (bool, error) { return w.done(t.Context()) })
	p.rendered = m.read()
	count.say(t, mails.mails)
	acknowledgements := w.accounted(t)
	wait(t, daemon, 100*time.Millisecond, "every acknowledgement is accepted", func() (bool, error) {
		n, _ := b.sink.acknowledged()
		return n >= acknowledgements, nil
	})
	p.accepted = m.read()
	_, last := b.sink.acknowledged()
	p.last = last.Sub(m.began).Seconds()
	p.memory, p.written = memory(t, daemon.pid, "VmHWM"), written(t, daemon.pid)
	return p
}

// patience is how long the daemon may take for anything.
const patience = 20 * time.Minute

// wait looks every so often whether something has happened.
func wait(t *testing.T, daemon *serverProcess, every time.Duration, what string, done func() (bool, error)) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			t.Fatalf("%s? %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-daemon.ended:
			t.Fatalf("the daemon ended before %s: %v\n%s", what, daemon.err, lastLines(daemon.logs[0], 20))
		case <-limit:
			t.Fatalf("not within %v: %s\n%s", patience, what, lastLines(daemon.logs[0], 20))
		case <-tick.C:
		}
	}
}

// tally is what PostgreSQL counted since it was made; only with a profile, which makes it count.
type tally struct {
	conn   *pgx.Conn
	before [4]float64
}

const counters = `select s.xact_commit::float8, (select sum(calls)::float8 from pg_stat_statements where dbid = s.datid),
	pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8, pg_database_size(s.datid)::float8
	from pg_stat_database s where s.datname = current_database()`

func (b *benchmark) startCount(t *testing.T, url string) *tally {
	t.Helper()
	if profile() == "" || !strings.HasPrefix(url, "postgres") {
		return nil
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	if _, err := conn.Exec(t.Context(), "create extension if not exists pg_stat_statements; select pg_stat_statements_reset()"); err != nil {
		t.Fatal(err)
	}
	c := &tally{conn: conn}
	c.before = c.read(t)
	return c
}

func (c *tally) read(t *testing.T) (now [4]float64) {
	t.Helper()
	if err := c.conn.QueryRow(t.Context(), counters).Scan(&now[0], &now[1], &now[2], &now[3]); err != nil {
		t.Fatal(err)
	}
	return now
}

// say logs what a mail took, and the statements by their share.
func (c *tally) say(t *testing.T, mails int) {
	t.Helper()
	if c == nil {
		return
	}
	now := c.read(t)
	n := float64(mails)
	t.Logf("a mail: %.1f transactions, %.1f statements, %.1f KB of WAL, %.1f KB of database", (now[0]-c.before[0])/n, (now[1]-c.before[1])/n,
		(now[2]-c.before[2])/n/1024, (now[3]-c.before[3])/n/1024)
	rows, err := c.conn.Query(t.Context(), `select calls::float8, total_exec_time, rows, wal_bytes::float8, left(regexp_replace(query, '\s+', ' ', 'g'), 150)
		from pg_stat_statements s join pg_database d on d.oid = s.dbid and d.datname = current_database() order by total_exec_time desc limit 40`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var calls, ms, wal float64
		var changed int64
		var query string
		if err := rows.Scan(&calls, &ms, &changed, &wal, &query); err != nil {
			t.Fatal(err)
		}
		t.Logf("%7.2f a mail %8.4f ms each %8.1f ms in all %7.1f KB WAL a mail  %s", calls/n, ms/calls, ms, wal/n/1024, query)
	}
}
