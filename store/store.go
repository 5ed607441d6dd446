package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"
)

// What a caller may have to branch on. Other errors are the database's.
var (
	ErrExists   = errors.New("exists already")
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("state has changed") // a compare-and-set found another state
)

// Store is an open database. Its methods may be called from several goroutines.
type Store struct {
	db database
}

// Tx is one transaction. It lives as long as the function it is handed to and belongs to its goroutine.
type Tx struct {
	ctx   context.Context
	t     transaction
	write bool
}

// Connect opens the database at url and brings its schema up to date. The url is "sqlite:PATH" (created,
// readable by its owner only, when it is not there), "sqlite::memory:" (a temporary file, removed by
// Close) or "postgres://…". Several daemons may open one database at the same time.
func Connect(ctx context.Context, url string) (*Store, error) {
	db, err := openDatabase(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := persist(ctx, db, func() error { return db.migrate(ctx) }); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate database: %w", err), db.close())
	}
	return &Store{db: db}, nil
}

// Close closes all connections. Stop the queue first.
func (s *Store) Close() error {
	return s.db.close()
}

const maxRuns = 10 // of one transaction before its last error is given back

// InTx runs f in one transaction that may write, and commits it when f returns nil. The whole of f is
// run again, a bounded number of times, when the database reports that transactions got in each
// other's way; f must have no effect outside of it. After any other error the transaction is rolled
// back. Within f only its Tx is used: on SQLite, a second InTx would wait for the first for ever.
func (s *Store) InTx(ctx context.Context, f func(*Tx) error) error {
	return persist(ctx, s.db, func() error { return s.runOnce(ctx, true, f) })
}

// View runs f in one transaction that only reads and sees one state of the database throughout.
func (s *Store) View(ctx context.Context, f func(*Tx) error) error {
	return s.runOnce(ctx, false, f)
}

func (s *Store) runOnce(ctx context.Context, write bool, f func(*Tx) error) error {
	t, err := s.db.begin(ctx, write)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer t.rollback() // does nothing after the commit; also when f panics
	if err := f(&Tx{ctx: ctx, t: t, write: write}); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// persist calls f again, up to maxRuns times, for as long as transactions get in each other's way.
func persist(ctx context.Context, db database, f func() error) error {
	for run := 1; ; run++ {
		err := f()
		if err == nil || run == maxRuns || !db.again(err) {
			return err
		}
		if err := pause(ctx, run); err != nil {
			return err
		}
	}
}

// pause waits before a transaction is run again: a little longer each time, and never the same for
// two transactions that met.
func pause(ctx context.Context, run int) error {
	t := time.NewTimer(time.Duration(1+rand.IntN(10*run)) * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// exec runs a statement and gives the number of rows it changed.
func (tx *Tx) exec(sql string, args ...any) (int64, error) {
	return tx.t.exec(tx.ctx, sql, storable(args)...)
}

// later runs a statement whose result nobody waits for before the next one that somebody waits for,
// or before the commit: on PostgreSQL a way to the server less. check, when there is one, judges the
// number of rows it changed.
func (tx *Tx) later(check func(rows int64) error, sql string, args ...any) error {
	return tx.t.later(tx.ctx, check, sql, storable(args)...)
}

// fresh is the check of an insert that does nothing when the row is there already.
func fresh(rows int64) error {
	if rows == 0 {
		return ErrExists
	}
	return nil
}

// reserve gives ids for n rows that will be inserted into a table.
func reserve[ID ~int64](tx *Tx, table string, n int) ([]ID, error) {
	all, err := tx.t.reserve(tx.ctx, table, n)
	if err != nil {
		return nil, fmt.Errorf("reserve ids of %s: %w", table, err)
	}
	ids := make([]ID, len(all))
	for i, id := range all {
		ids[i] = ID(id)
	}
	return ids, nil
}

// given is id when there is one, else a new one.
func given[ID ~int64](tx *Tx, table string, id ID) (ID, error) {
	if id != 0 {
		return id, nil
	}
	ids, err := reserve[ID](tx, table, 1)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// insert adds a row and gives its id; ErrExists when the statement found that there is one.
func insert[ID any](tx *Tx, sql string, args ...any) (ID, error) {
	id, err := one(tx, value[ID], sql, args...)
	if errors.Is(err, ErrNotFound) {
		err = ErrExists
	}
	return id, err
}

// swap runs a compare-and-set on the row of a table with this id, which is also its $1: ErrConflict
// when the row is in another state, ErrNotFound when there is none.
func (tx *Tx) swap(table string, id int64, sql string, args ...any) error {
	n, err := tx.exec(sql, append([]any{id}, args...)...)
	if err != nil || n > 0 {
		return err
	}
	if _, err := one(tx, value[int], "select 1 from "+table+" where id = $1", id); err != nil {
		return err
	}
	return ErrConflict
}

// list reads all rows; fields gives the places of one record's columns.
func list[T any](tx *Tx, fields func(*T) []any, sql string, args ...any) (all []T, err error) {
	rows, err := tx.t.query(tx.ctx, sql, storable(args)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var record T
		if err := rows.Scan(fields(&record)...); err != nil {
			return nil, err
		}
		all = append(all, record)
	}
	return all, rows.Err()
}

// one reads the only row, or ErrNotFound.
func one[T any](tx *Tx, fields func(*T) []any, sql string, args ...any) (T, error) {
	all, err := list(tx, fields, sql, args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// value is the fields function of a record that is one column.
func value[T any](v *T) []any { return []any{v} }

// forUpdate ends a query that reads what this transaction is about to decide on.
func (tx *Tx) forUpdate() string {
	if !tx.write {
		return ""
	}
	return tx.t.forUpdate()
}

// alone makes other writing transactions that name the same key wait for the end of this one.
func (tx *Tx) alone(key string) error {
	if !tx.write {
		return nil
	}
	return tx.t.lock(tx.ctx, key)
}

// conditions collects the where clause of a listing.
type conditions struct {
	texts []string
	args  []any
}

// add adds a condition that holds for arg, which stands as ? in the text.
func (c *conditions) add(text string, arg any) {
	c.texts = append(c.texts, strings.ReplaceAll(text, "?", c.parameter(arg)))
}

// addFixed adds a condition of constants; an index of some rows is used only when the query says
// which in the same words.
func (c *conditions) addFixed(text string) {
	c.texts = append(c.texts, text)
}

// addIn adds the condition that a column has one of the values.
func addIn[T any](c *conditions, column string, values []T) {
	places := make([]string, len(values))
	for i, v := range values {
		places[i] = c.parameter(v)
	}
	c.texts = append(c.texts, column+" in ("+strings.Join(places, ", ")+")")
}

func (c *conditions) parameter(arg any) string {
	c.args = append(c.args, arg)
	return fmt.Sprintf("$%d", len(c.args))
}

// where is the clause, with its keyword; "" when everything is wanted.
func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " where " + strings.Join(c.texts, " and ")
}

// limit is the clause for n rows at most; "" for 0.
func (c *conditions) limit(n int) string {
	if n <= 0 {
		return ""
	}
	return " limit " + c.parameter(n)
}

// storable makes text that both databases can keep.
func storable(args []any) []any {
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			args[i] = clean(s)
		}
	}
	return args
}

// clean is text without what is not UTF-8 and without NUL.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

const maxIndexed = 1000 // bytes; an index of PostgreSQL takes a third of a page (about 2,700) and no more

// indexed is text from strangers as it is put in an index: clean, and cut when it is long. What is cut off is replaced by its digest,
// so that different texts stay different.
func indexed(s string) string {
	s = clean(s)
	if len(s) <= maxIndexed {
		return s
	}
	digest := sha256.Sum256([]byte(s))
	end := hex.EncodeToString(digest[:])
	return strings.ToValidUTF8(s[:maxIndexed-len(end)-1], "") + "#" + end
}

// ms is a time as it is kept.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is where a time that is kept as ms is read into.
type moment struct{ t *time.Time }

func (m moment) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("time is kept as %T, want an integer", src)
	}
	*m.t = time.Time{}
	if n != 0 {
		*m.t = time.UnixMilli(n).UTC()
	}
	return nil
}

// nullable is an id that refers to nothing when it is 0.
func nullable[ID ~int64](id ID) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// present is bytes that are there, be they none: a nil slice would be kept as null.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// asJSON is a small list or map as it is kept.
func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// fromJSON is where a small list or map that is kept as JSON is read into; empty ones stay nil.
type fromJSON struct{ v any }

func (j fromJSON) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("JSON is kept as %T, want text", src)
	}
	if s == "null" || s == "[]" || s == "{}" {
		return nil
	}
	return json.Unmarshal([]byte(s), j.v)
}
