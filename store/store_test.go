package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// contract runs a test on SQLite, and on PostgreSQL when BUSTIA_TEST_POSTGRES is the URL of a server
// on which databases may be created. The test gets the URL of a fresh database.
func contract(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		admin := os.Getenv("BUSTIA_TEST_POSTGRES")
		if admin == "" {
			t.Skip("BUSTIA_TEST_POSTGRES is not set")
		}
		test(t, freshPostgres(t, admin))
	})
}

func freshPostgres(t testing.TB, admin string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("bustia_test_%x", rand.Uint64())
	sql := func(text string) {
		t.Helper()
		conn, err := pgx.Connect(context.Background(), admin)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	sql("create database " + name)
	t.Cleanup(func() { sql("drop database " + name + " with (force)") })
	u.Path = "/" + name
	return u.String()
}

func connect(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// do runs f in a writing transaction that must commit.
func do(t *testing.T, s *Store, f func(tx *Tx) error) {
	t.Helper()
	if err := s.InTx(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// must gives the value of a call in a transaction that must succeed; the transaction is its own.
func must[T any](t *testing.T, s *Store, f func(tx *Tx) (T, error)) T {
	t.Helper()
	var v T
	do(t, s, func(tx *Tx) (err error) {
		v, err = f(tx)
		return err
	})
	return v
}

// race runs f in n goroutines at once, each in a transaction of its own, and gives their errors.
func race(s *Store, n int, f func(tx *Tx, i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = s.InTx(context.Background(), func(tx *Tx) error { return f(tx, i) })
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWins checks that one of the errors is nil and all others are want.
func oneWins(t *testing.T, errs []error, want error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, want):
			t.Errorf("got error %v, want %v", err, want)
		}
	}
	if won != 1 {
		t.Errorf("%d succeeded, want 1 of %d", won, len(errs))
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func wantSame(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// at is a moment of the tests: n seconds into some morning.
func at(n int) time.Time {
	return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

func TestConnectAtOnce(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		stores := make([]*Store, 4)
		errs := make([]error, len(stores))
		var wg sync.WaitGroup
		for i := range stores {
			wg.Go(func() { stores[i], errs[i] = Connect(context.Background(), url) })
		}
		wg.Wait()
		for i, s := range stores {
			if errs[i] != nil {
				t.Errorf("connect %d: %v", i, errs[i])
				continue
			}
			do(t, s, func(tx *Tx) error { _, err := tx.NextNumbers(2026, 1); return err })
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestConnectAgain(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		first, err := Connect(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		id := must(t, first, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		c := must(t, connect(t, url), func(tx *Tx) (Case, error) { return tx.Case(id) })
		wantSame(t, c.Reference, "B-1")
	})
}

func TestConnectRefusesNewerDatabase(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		do(t, s, func(tx *Tx) error {
			_, err := tx.exec("insert into migration (version, name) values (9999, 'later')")
			return err
		})
		_, err := Connect(context.Background(), url)
		if err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("got error %v, want one that names a newer program", err)
		}
	})
}

func TestConnectErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte(strings.Repeat("this is no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(url, want string) {
		t.Helper()
		s, err := Connect(context.Background(), url)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("connect %q: got error %v, want %q in it", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("connect %q: error tells the password: %v", url, err)
		}
	}
	check("", "want \"sqlite:PATH\"")
	check("mysql://joan:s3cret@example.org/db", `unknown kind "mysql"`)
	check("sqlite:", "path is missing")
	check("sqlite:"+dir, "is not a file")
	check("sqlite:"+filepath.Join(dir, "text"), "not a database")
	check("sqlite:"+filepath.Join(dir, "text", "below", "store.db"), "not a directory")
	check("postgres://joan:s3cret@127.0.0.1:1/db", "refused")
	check("postgres://joan:s3cret@host:port/db", "open database")
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "a b?c#d%41.db")
	s := connect(t, "sqlite:"+file)
	do(t, s, func(tx *Tx) error { _, err := tx.NextNumbers(2026, 1); return err })
	for name, want := range map[string]os.FileMode{file: 0o600, file + "-wal": 0o600, filepath.Dir(file): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got mode %o, want %o", filepath.Base(name), got, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 { // with -wal and -shm
		t.Errorf("got files %v beside the database", entries)
	}
}

func TestSQLiteSettings(t *testing.T) {
	s := connect(t, "sqlite::memory:")
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		got := must(t, s, func(tx *Tx) (string, error) { return one(tx, value[string], "pragma "+pragma) })
		if got != want {
			t.Errorf("%s: got %s, want %s", pragma, got, want)
		}
	}
}

func TestMemoryIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, err := Connect(context.Background(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInTxRollsBack(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		broken := errors.New("broken")
		wantError(t, s.InTx(context.Background(), func(tx *Tx) error {
			if _, err := tx.InsertCase(someCase("B-1")); err != nil {
				return err
			}
			return broken
		}), broken)
		func() {
			defer func() { _ = recover() }()
			_ = s.InTx(context.Background(), func(tx *Tx) error {
				if _, err := tx.InsertCase(someCase("B-2")); err != nil {
					return err
				}
				panic("broken")
			})
		}()
		cases := must(t, s, func(tx *Tx) ([]Case, error) { return tx.Cases(CaseFilter{}) })
		wantSame(t, len(cases), 0)
	})
}

func TestInTxCancelled(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		ctx, cancel := context.WithCancel(context.Background())
		err := s.InTx(ctx, func(tx *Tx) error {
			if _, err := tx.InsertCase(someCase("B-1")); err != nil {
				return err
			}
			cancel()
			return nil
		})
		wantError(t, err, context.Canceled)
		do(t, s, func(tx *Tx) error { // and the store goes on
			_, err := tx.CaseByReference("B-1")
			wantError(t, err, ErrNotFound)
			return nil
		})
	})
}

func TestViewOnlyReads(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		id := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		errDone := errors.New("done")
		err := s.View(context.Background(), func(tx *Tx) error {
			if _, err := tx.Case(id); err != nil {
				return err
			}
			if _, err := tx.SameMail("d", 0); !errors.Is(err, ErrNotFound) {
				return err
			}
			if _, err := tx.SentTo("a@example.org", at(0)); err != nil {
				return err
			}
			if _, err := tx.InsertCase(someCase("B-2")); err == nil {
				t.Error("a view could write")
			}
			return errDone
		})
		wantError(t, err, errDone)
	})
}

// TestInTxRunsAgain has two transactions lock two cases crosswise: one of them is run again.
func TestInTxRunsAgain(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		a := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-1")) })
		b := must(t, s, func(tx *Tx) (CaseID, error) { return tx.InsertCase(someCase("B-2")) })
		order := [][]CaseID{{a, b}, {b, a}}
		_, sqlite := s.db.(*sqliteDatabase)
		met := []chan struct{}{make(chan struct{}), make(chan struct{})}
		var runs [2]int
		for _, err := range race(s, 2, func(tx *Tx, i int) error {
			runs[i]++
			if _, err := tx.Case(order[i][0]); err != nil {
				return err
			}
			if runs[i] == 1 && !sqlite { // SQLite lets no second writer in
				close(met[i])
				<-met[1-i]
			}
			_, err := tx.Case(order[i][1])
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		if want := map[bool]int{true: 2, false: 3}[sqlite]; runs[0]+runs[1] != want {
			t.Errorf("got %v runs, want %d together", runs, want)
		}
	})
}

func TestStrangersText(t *testing.T) {
	contract(t, func(t *testing.T, url string) {
		s := connect(t, url)
		long := strings.Repeat("é", 5000)
		raw := []byte("a\x00b\xff")
		id := must(t, s, func(tx *Tx) (LedgerID, error) {
			return tx.AddReceived(Received{Mailbox: "main", Folder: "INBOX", UID: 1, MessageID: "x\x00y\xff" + long, Digest: long, From: "a\x00@example.org", Subject: "\xe9t\xe9", Raw: raw})
		})
		r := must(t, s, func(tx *Tx) (Received, error) { return tx.Received(id) })
		wantSame(t, r.Raw, raw)
		wantSame(t, r.From, "a@example.org")
		wantSame(t, r.Subject, "\uFFFDt\uFFFD")
		if len(r.MessageID) > maxIndexed || !strings.HasPrefix(r.MessageID, "xy\uFFFDé") {
			t.Errorf("got Message-ID %.20q of %d bytes", r.MessageID, len(r.MessageID))
		}
		do(t, s, func(tx *Tx) error {
			c, err := tx.InsertCase(someCase("B-1"))
			if err != nil {
				return err
			}
			if err := tx.Dispose(id, OpenedCase, "r\x00\xff", c, at(1)); err != nil {
				return err
			}
			if err := tx.AddEvent(Event{CaseID: c, At: at(1), Kind: "opened", Facts: map[string]string{"from": "\x00\xff"}}); err != nil {
				return err
			}
			same, err := tx.SameMail(long, id+1)
			wantSame(t, same.ID, id)
			cases, err2 := tx.CasesOfMessages([]string{"none@example.org", "x\x00y\xff" + long})
			wantSame(t, cases, []CaseID{c})
			return errors.Join(err, err2)
		})
	})
}

func TestIndexed(t *testing.T) {
	check := func(in string, same bool) {
		t.Helper()
		got := indexed(in)
		if len(got) > maxIndexed || (got == in) != same {
			t.Errorf("%d bytes: got %d bytes, unchanged %t", len(in), len(got), got == in)
		}
	}
	check("", true)
	check(strings.Repeat("a", maxIndexed), true)
	check(strings.Repeat("a", maxIndexed+1), false)
	check(strings.Repeat("€", maxIndexed), false)
	if long := strings.Repeat("a", 2*maxIndexed); indexed(long+"b") == indexed(long+"c") {
		t.Error("different texts are the same when cut")
	}
}
