package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Jobs is the work of the queue. The functions are called from several goroutines.
type Jobs struct {
	// Send tries to send one mail of ours. again > 0 has it called again after that time, as often as
	// it takes; an error has it called again as well, later each time.
	Send func(ctx context.Context, id OutgoingID) (again time.Duration, err error)
	// Sweep does what has fallen due. One daemon at a time runs it.
	Sweep      func(ctx context.Context) error
	SweepEvery time.Duration // at least a second; 0 = a minute
	Workers    int           // sends at a time in this daemon; 0 = 4
}

// Queue is the running workers of this daemon.
type Queue struct {
	stop, cancel func(context.Context) error
}

// Limits of one job and of the table of jobs.
const (
	jobTimeout     = 4 * time.Minute
	rescueAfter    = 5 * time.Minute  // a job of a dead daemon goes to another; more than jobTimeout
	longestBackoff = 15 * time.Minute // between attempts that ended in an error
	maxAttempts    = 1000             // that ended in an error: ten days of the longest backoff
	keepCompleted  = time.Hour        // what has become of a mail is in outgoing
	cancelWait     = 5 * time.Second
	fetchCooldown  = 50 * time.Millisecond
	pollEvery      = time.Second // for what was snoozed; of new jobs the workers are notified
	firstWait      = time.Second // before the queue is started once more
	longestWait    = time.Minute
)

const sweepQueue = "sweep" // of its own, so that many sends do not hold up the clock

// StartQueue starts working jobs; it goes on until Stop, also when ctx is over. The leader among the
// daemons on one database has Sweep called every SweepEvery, at once to begin with. While the database
// does not answer it says why and tries again, until ctx ends.
func (s *Store) StartQueue(ctx context.Context, j Jobs, log *slog.Logger) (*Queue, error) {
	if j.Send == nil || j.Sweep == nil {
		return nil, errors.New("start queue: Send and Sweep must be there")
	}
	j.SweepEvery = max(cmp.Or(j.SweepEvery, time.Minute), time.Second)
	j.Workers = cmp.Or(j.Workers, 4)
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		q, err := s.db.startQueue(context.WithoutCancel(ctx), j, log)
		if err == nil {
			return q, nil
		}
		log.Error("queue not started, will try again", "err", err, "after", wait)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("start queue: %w", err)
		case <-time.After(wait):
		}
	}
}

// Stop takes no more jobs and waits for those that run. When ctx is over they are cancelled; what is
// not done then is worked again by the next daemon.
func (q *Queue) Stop(ctx context.Context) error {
	if q.stop(ctx) == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelWait)
	defer cancel()
	if err := q.cancel(ctx); err != nil {
		return fmt.Errorf("stop queue: %w", err)
	}
	return nil
}

// engine is River on one of the databases.
type engine[T any] struct {
	client   func(*river.Config) (*river.Client[T], error)
	migrator *rivermigrate.Migrator[T]
	inserter *river.Client[T]
}

func sqliteEngine(db *sql.DB) (*engine[*sql.Tx], error) {
	client := func(c *river.Config) (*river.Client[*sql.Tx], error) { return river.NewClient(riversqlite.New(db), c) }
	migrator, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return newEngine(client, migrator)
}

func postgresEngine(pool *pgxpool.Pool) (*engine[pgx.Tx], error) {
	client := func(c *river.Config) (*river.Client[pgx.Tx], error) { return river.NewClient(riverpgxv5.New(pool), c) }
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return newEngine(client, migrator)
}

func newEngine[T any](client func(*river.Config) (*river.Client[T], error), migrator *rivermigrate.Migrator[T]) (*engine[T], error) {
	inserter, err := client(&river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &engine[T]{client, migrator, inserter}, nil
}

// migrate brings the tables of the engine up to date.
func (e *engine[T]) migrate(ctx context.Context) error {
	_, err := e.migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// migrateTx does so in a transaction. On PostgreSQL some migrations need the ones before them committed.
func (e *engine[T]) migrateTx(ctx context.Context, tx T) error {
	//lint:ignore SA1019 On SQLite that does not hold, and the transaction is what locks out other daemons.
	_, err := e.migrator.MigrateTx(ctx, tx, rivermigrate.DirectionUp, nil)
	return err
}

// enqueue adds send jobs; they are there when the transaction commits.
func (e *engine[T]) enqueue(ctx context.Context, tx T, ids []OutgoingID) error {
	if len(ids) == 0 {
		return nil
	}
	jobs := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		jobs[i] = river.InsertManyParams{Args: sendArgs{id}, InsertOpts: &river.InsertOpts{MaxAttempts: maxAttempts}}
	}
	_, err := e.inserter.InsertManyFastTx(ctx, tx, jobs)
	return err
}

func (e *engine[T]) start(ctx context.Context, j Jobs, log *slog.Logger) (*Queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &sendWorker{send: j.Send, log: log})
	river.AddWorker(workers, &sweepWorker{sweep: j.Sweep, log: log})
	client, err := e.client(&river.Config{
		Logger:  quiet(log),
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: j.Workers},
			sweepQueue:         {MaxWorkers: 1},
		},
		PeriodicJobs:                []*river.PeriodicJob{sweepJob(j.SweepEvery)},
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           pollEvery,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: keepCompleted,
	})
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	return &Queue{stop: client.Stop, cancel: client.StopAndCancel}, nil
}

// sweepJob has the leader enqueue a sweep for each period, once even when leaders change. A sweep
// that died with its daemon does not stand in the way of the next period's.
func sweepJob(every time.Duration) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) {
			return sweepArgs{}, &river.InsertOpts{
				Queue:       sweepQueue,
				MaxAttempts: 1, // the next period is the next attempt
				UniqueOpts:  river.UniqueOpts{ByPeriod: every},
			}
		},
		&river.PeriodicJobOpts{RunOnStart: true})
}

type sendArgs struct {
	Outgoing OutgoingID `json:"outgoing"`
}

func (sendArgs) Kind() string { return "send" }

type sendWorker struct {
	river.WorkerDefaults[sendArgs]
	send func(context.Context, OutgoingID) (time.Duration, error)
	log  *slog.Logger
}

func (w *sendWorker) Work(ctx context.Context, job *river.Job[sendArgs]) error {
	again, err := w.send(ctx, job.Args.Outgoing)
	if err != nil {
		report(w.log, err, "send job failed", "outgoing", int64(job.Args.Outgoing), "attempt", job.Attempt)
		return err
	}
	if again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}

// NextRetry is after 1, 4, 9 … seconds: it is for errors of our own, a mail server's are snoozed.
func (w *sendWorker) NextRetry(job *river.Job[sendArgs]) time.Time {
	n := min(job.Attempt, 60) // more is longer than the longest
	return job.AttemptedAt.Add(min(time.Duration(n*n)*time.Second, longestBackoff))
}

type sweepArgs struct{}

func (sweepArgs) Kind() string { return "sweep" }

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	sweep func(context.Context) error
	log   *slog.Logger
}

func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	err := w.sweep(ctx)
	if err != nil {
		report(w.log, err, "sweep failed")
	}
	return err
}

// report logs the error of a job although it is returned as well: the engine keeps it in its table of
// jobs, where nobody looks, and works the job again. One that was cancelled by Stop is no news.
func report(log *slog.Logger, err error, message string, attrs ...any) {
	if !errors.Is(err, context.Canceled) {
		log.Error(message, append(attrs, "err", err)...)
	}
}

// quiet keeps the engine's own news from the log; its warnings and errors pass.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(warnings{log.Handler()})
}

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
