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
	forUpdate() string                                // ends a select that locks the rows it reads
	lock(ctx context.Context, key string) error       // until the end of the transaction
	enqueue(ctx context.Context, id OutgoingID) error // a send job
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
	if err := d.jobs.migrateTx(ctx, t.(sqliteTx).Tx); err != nil {
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
	return sqliteTx{tx, d.jobs}, err
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
	jobs *engine[*sql.Tx]
}

func (t sqliteTx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	result, err := t.ExecContext(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t sqliteTx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	r, err := t.QueryContext(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{r}, nil
}

// There is only one writer: it needs no locks.
func (t sqliteTx) forUpdate() string                  { return "" }
func (t sqliteTx) lock(context.Context, string) error { return nil }

func (t sqliteTx) enqueue(ctx context.Context, id OutgoingID) error {
	return t.jobs.enqueue(ctx, t.Tx, id)
}

func (t sqliteTx) commit(context.Context) error { return t.Commit() }
func (t sqliteTx) rollback()                    { _ = t.Rollback() } // all it could say is that the connection is gone, and with it the transaction

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() } // Err has said it

// PostgreSQL. Transactions run at read committed; what is decided from a row is protected by locking
// the row, and what is decided from the absence of rows by a lock on its key.

const postgresConnections = 4 // at least: the queue listens on one, a migration locks on another

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
	types := strings.NewReplacer("{{id}}", "bigint generated always as identity primary key", "{{blob}}", "bytea")
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
	return postgresTx{tx, d.jobs}, err
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

type postgresTx struct {
	pgx.Tx
	jobs *engine[pgx.Tx]
}

func (t postgresTx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := t.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (t postgresTx) query(ctx context.Context, sql string, args ...any) (rows, error) {
	return t.Query(ctx, sql, args...)
}

// forUpdate does not stand in the way of rows that refer to the locked one.
func (t postgresTx) forUpdate() string { return " for no key update" }

func (t postgresTx) lock(ctx context.Context, key string) error {
	_, err := t.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, 0))", key)
	return err
}

func (t postgresTx) enqueue(ctx context.Context, id OutgoingID) error {
	return t.jobs.enqueue(ctx, t.Tx, id)
}

func (t postgresTx) commit(ctx context.Context) error { return t.Commit(ctx) }

// rollback must reach the server when ctx is over, too; pgx drops the connection if it does not.
func (t postgresTx) rollback() {
	_ = t.Rollback(context.Background()) // after a commit it says so; otherwise the connection is gone, and with it the transaction
}
