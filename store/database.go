package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"modernc.org/sqlite"
)

// What differs between the two databases is all in this file: how they are opened and locked for
// migration, the types of ids and bytes, row locks, and which errors mean "once more". Both take
// $1 parameters, "returning" and "on conflict".

// database is one of the two.
type database interface {
	migrate(ctx context.Context) error
	begin(ctx context.Context, write bool) (transaction, error)
	again(err error) bool // the transaction met another one: run it again
	startQueue(ctx context.Context, j Jobs, log *slog.Logger) (*Queue, error)
	close() error
}

// transaction is an open transaction of either.
type transaction interface {
	exec(ctx context.Context, sql string, args ...any) (int64, error)
	query(ctx context.Context, sql string, args ...any) (rows, error)
	// later runs a statement before the next one whose result is waited for, or before the commit.
	// check, when there is one, judges the number of rows it changed; its error comes then.
	later(ctx context.Context, check func(rows int64) error, sql string, args ...any) error
	reserve(ctx context.Context, table string, n int) ([]int64, error) // ids of rows to be inserted
	forUpdate() string                                                 // ends a select that locks the rows it reads
	lock(ctx context.Context, key string) error                        // until the end of the transaction
	enqueue(id OutgoingID)                                             // a send job, at the commit
	commit(ctx context.Context) error
	rollback()
}

// rows is what a query gives: *sql.Rows and pgx.Rows but for Close.
type rows interface {
	Next() bool
	Scan(places ...any) error
	Err() error
	Close()
}

func openDatabase(ctx context.Context, url string) (database, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(rest)
	case "postgres", "postgresql":
		return openPostgres(ctx, url)
	}
	// The url may hold a password: name its scheme only.
	return nil, fmt.Errorf(`open database: unknown kind %q: want "sqlite:PATH" or "postgres://USER@HOST/NAME"`, scheme)
}

// SQLite. One connection writes, so writers wait for each other in the pool and not in SQLite;
// BEGIN IMMEDIATE keeps out other processes. Reading goes on meanwhile (WAL).

const sqliteReaders = 4

type sqliteDatabase struct {
	writer, reader *sql.DB
	jobs           *engine[*sql.Tx]
	temporary      string // directory to remove when closed; "" when there is none
}

func openSQLite(path string) (_ database, err error) {
	d := &sqliteDatabase{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open database sqlite:%s: %w", path, err), d.close())
		}
	}()
	file := path
	switch path {
	case "":
		return nil, errors.New("path is missing")
	case ":memory:":
		// Several connections must see one database; a file in the temporary directory does that.
		if d.temporary, err = os.MkdirTemp("", "bustia"); err != nil {
			return nil, err
		}
		file = filepath.Join(d.temporary, "store.db")
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	if err = createPrivate(file); err != nil {
		return nil, err
	}
	// FULL: with NORMAL the last commits may be gone after a power cut, and with them mail that was
	// already taken off the server.
	if d.writer, err = sql.Open("sqlite", sqliteName(file, "_txlock=immediate&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on")); err != nil {
		return nil, err
	}
	d.writer.SetMaxOpenConns(1)
	if d.reader, err = sql.Open("sqlite", sqliteName(file, "_txlock=deferred&_query_only=on")); err != nil {
		return nil, err
	}
	d.reader.SetMaxOpenConns(sqliteReaders)
	d.jobs, err = sqliteEngine(d.writer)
	return d, err
}

// sqliteName is the name a connection is opened by; as a URL, so that any path will do.
func sqliteName(file, options string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: "_busy_timeout=5000&" + options}
	return u.String()
}

// createPrivate makes an empty file that only its owner may read, unless there is one; SQLite gives
// the files beside it the same rights. The file gets its name when it is closed already: closing one
// that another connection of this process has open would take away that connection's locks.
func createPrivate(file string) error {
	dir := filepath.Dir(file)
	if info, err := os.Stat(file); err == nil {
		if !info.Mode().IsRegular() {
			return errors.New("is not a file")
		}
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	empty, err := os.CreateTemp(dir, ".bustia-*")
	if err != nil {
		return err
	}
	err = errors.Join(empty.Close(), os.Link(empty.Name(), file))
	if errors.Is(err, fs.ErrExist) { // another process was faster
		err = nil
	}
	return errors.Join(err, os.Remove(empty.Name()))
}

func (d *sqliteDatabase) migrate(ctx context.Context) error {
	t, err := d.begin(ctx, true)
	if err != nil {
		return err
	}
	defer t.rollback()
	types := strings.NewReplacer("{{id}}", "integer primary key autoincrement", "{{blob}}", "blob")
	if err := migrate(&Tx{ctx: ctx, t: t, write: true}, "sqlite", types); err != nil {
		return err
	}
	if err := d.jobs.migrateTx(ctx, t.(*sqliteTx).Tx); err != nil {
		return err
	}
	return t.commit(ctx)
}

func (d *sqliteDatabase) begin(ctx context.Context, write bool) (transaction, error) {
	db := d.reader
	if write {
		db = d.writer
	}
	tx, err := db.BeginTx(ctx, nil)
	return &sqliteTx{Tx: tx, jobs: d.jobs, reserved: map[string]int64{}}, err
}

func (d *sqliteDatabase) again(err error) bool {
	const busy, locked = 5, 6 // primary result codes; the extended ones hold them in the low byte
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == busy || e.Code()&0xff == locked)
}

func (d *sqliteDatabase) startQueue(ctx context.Context, j Jobs, log *slog.Logger) (*Queue, error) {
	return d.jobs.start(ctx, j, log)
}

func (d *sqliteDatabase) close() error {
	var errs []error
	for _, db := range []*sql.DB{d.reader, d.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if d.temporary != "" {
		errs = append(errs, os.RemoveAll(d.temporary))
	}
	return errors.Join(errs...)
}

type sqliteTx struct {
	*sql.Tx
	jobs     *engine[*sql.Tx]
	sends    []OutgoingID
	reserved map[string]int64 // last id given, by table
}

func (t *sqliteTx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	result, err := t.ExecContext(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *sqliteTx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	r, err := t.QueryContext(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{r}, nil
}

// There is only one writer: it needs no locks.
func (t *sqliteTx) forUpdate() string                  { return "" }
func (t *sqliteTx) lock(context.Context, string) error { return nil }

// later is now: there is no way to the server that could be saved.
func (t *sqliteTx) later(ctx context.Context, check func(int64) error, sql string, args ...any) error {
	n, err := t.exec(ctx, sql, args...)
	if err != nil || check == nil {
		return err
	}
	return check(n)
}

// The only writer may count on from the last id.
func (t *sqliteTx) reserve(ctx context.Context, table string, n int) ([]int64, error) {
	var last int64
	if err := t.QueryRowContext(ctx, "select coalesce(max(id), 0) from "+table).Scan(&last); err != nil {
		return nil, err
	}
	last = max(last, t.reserved[table])
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = last + int64(i) + 1
	}
	t.reserved[table] = last + int64(n)
	return ids, nil
}

func (t *sqliteTx) enqueue(id OutgoingID) { t.sends = append(t.sends, id) }

func (t *sqliteTx) commit(ctx context.Context) error {
	if err := t.jobs.enqueue(ctx, t.Tx, t.sends); err != nil {
		return err
	}
	return t.Commit()
}

func (t *sqliteTx) rollback() { _ = t.Rollback() } // all it could say is that the connection is gone, and with it the transaction

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() } // Err has said it

// PostgreSQL. Transactions run at read committed; what is decided from a row is protected by locking
// the row, and what is decided from the absence of rows by a lock on its key.

const postgresConnections = 12 // at least: for each worker one, the queue listens on one, a migration locks on another

type postgresDatabase struct {
	pool *pgxpool.Pool
	jobs *engine[pgx.Tx]
}

func openPostgres(ctx context.Context, url string) (database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err) // pgx leaves the password out
	}
	config.MaxConns = max(config.MaxConns, postgresConnections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	d := &postgresDatabase{pool: pool}
	if err := pool.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), d.close())
	}
	if d.jobs, err = postgresEngine(pool); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), d.close())
	}
	return d, nil
}

// migrationLock is the key of the advisory lock that one migrating daemon holds ("bustia").
const migrationLock = 0x627573746961

func (d *postgresDatabase) migrate(ctx context.Context) (err error) {
	// River commits each of its migrations, so the lock is of the session and not of a transaction.
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	// Closing the session, rather than giving it back to the pool, also gives the lock back.
	defer func() { err = errors.Join(err, conn.Hijack().Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	t, err := d.begin(ctx, true)
	if err != nil {
		return err
	}
	defer t.rollback()
	types := strings.NewReplacer("{{id}}", "bigint generated by default as identity primary key", "{{blob}}", "bytea")
	if err := migrate(&Tx{ctx: ctx, t: t, write: true}, "postgres", types); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	return d.jobs.migrate(ctx)
}

func (d *postgresDatabase) begin(ctx context.Context, write bool) (transaction, error) {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if write {
		options = pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}
	}
	tx, err := d.pool.BeginTx(ctx, options)
	return &postgresTx{Tx: tx, jobs: d.jobs, waiting: &pgx.Batch{}}, err
}

func (d *postgresDatabase) again(err error) bool {
	const serializationFailure, deadlockDetected = "40001", "40P01"
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == serializationFailure || e.Code == deadlockDetected)
}

func (d *postgresDatabase) startQueue(ctx context.Context, j Jobs, log *slog.Logger) (*Queue, error) {
	return d.jobs.start(ctx, j, log)
}

func (d *postgresDatabase) close() error {
	d.pool.Close()
	return nil
}

// postgresTx saves ways to the server: statements whose result nobody waits for go with the next one
// whose result somebody does, in one round trip.
type postgresTx struct {
	pgx.Tx
	jobs    *engine[pgx.Tx]
	waiting *pgx.Batch
	checks  []func(rows int64) error // of what waits; nil = none
	sends   []OutgoingID
}

func (t *postgresTx) later(_ context.Context, check func(int64) error, sql string, args ...any) error {
	t.waiting.Queue(sql, args...)
	t.checks = append(t.checks, check)
	return nil
}

// send sends what waits, with the statement in front of whose result it returns.
func (t *postgresTx) send(ctx context.Context) (pgx.BatchResults, error) {
	results, checks := t.SendBatch(ctx, t.waiting), t.checks
	t.waiting, t.checks = &pgx.Batch{}, nil
	for _, check := range checks {
		tag, err := results.Exec()
		if err == nil && check != nil {
			err = check(tag.RowsAffected())
		}
		if err != nil {
			_ = results.Close() // says the same
			return nil, err
		}
	}
	return results, nil
}

func (t *postgresTx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if t.waiting.Len() == 0 {
		tag, err := t.Exec(ctx, sql, args...)
		return tag.RowsAffected(), err
	}
	t.waiting.Queue(sql, args...)
	results, err := t.send(ctx)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return tag.RowsAffected(), err
}

func (t *postgresTx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	if t.waiting.Len() == 0 {
		return t.Query(ctx, sql, args...)
	}
	t.waiting.Queue(sql, args...)
	results, err := t.send(ctx)
	if err != nil {
		return nil, err
	}
	r, err := results.Query()
	if err != nil {
		_ = results.Close() // says the same
		return nil, err
	}
	return postgresRows{r, results}, nil
}

// postgresRows are the rows of the last statement of a batch.
type postgresRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r postgresRows) Close() {
	r.Rows.Close()
	_ = r.results.Close() // Err has said it
}

// The sequence of a table gives each id once, also to transactions that are rolled back.
func (t *postgresTx) reserve(ctx context.Context, table string, n int) ([]int64, error) {
	r, err := t.query(ctx, "select nextval(pg_get_serial_sequence($1, 'id')) from generate_series(1, $2)", table, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var ids []int64
	for r.Next() {
		var id int64
		if err := r.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, r.Err()
}

// forUpdate does not stand in the way of rows that refer to the locked one.
func (t *postgresTx) forUpdate() string { return " for no key update" }

func (t *postgresTx) lock(ctx context.Context, key string) error {
	return t.later(ctx, nil, "select pg_advisory_xact_lock(hashtextextended($1, 0))", key)
}

func (t *postgresTx) enqueue(id OutgoingID) { t.sends = append(t.sends, id) }

func (t *postgresTx) commit(ctx context.Context) error {
	if t.waiting.Len() > 0 {
		results, err := t.send(ctx)
		if err != nil {
			return err
		}
		if err := results.Close(); err != nil {
			return err
		}
	}
	if err := t.jobs.enqueue(ctx, t.Tx, t.sends); err != nil {
		return err
	}
	return t.Commit(ctx)
}

// rollback must reach the server when ctx is over, too; pgx drops the connection if it does not.
func (t *postgresTx) rollback() {
	_ = t.Rollback(context.Background()) // after a commit it says so; otherwise the connection is gone, and with it the transaction
}
