package fetch

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/robfig/cron/v3"
)

// pace is every duration of the loop, in one place.
type pace struct {
	first, last time.Duration // the shortest and the longest wait before another connection
	refused     time.Duration // the shortest wait after a refused login: servers lock accounts
	patience    time.Duration // how long the server may be silent during a command
	refresh     time.Duration // IDLE is renewed after this, which shows whether the server is there
	probe       time.Duration // how long it may take to show it; with refresh, under a minute
	every       time.Duration // the schedule of an account without one
}

func usualPace() pace {
	return pace{
		first: time.Second, last: 5 * time.Minute, refused: time.Minute,
		patience: 2 * time.Minute, refresh: 30 * time.Second, probe: 25 * time.Second, every: 5 * time.Minute,
	}
}

// Run reads the account's folder until ctx ends and then returns nil. It looks at once, then whenever
// the server announces mail and whenever the schedule says. What fails meanwhile is logged and tried
// again on a new connection.
func Run(ctx context.Context, a Account, r Receiver, log *slog.Logger) error {
	l := newLoop(a, r, log)
	l.run(ctx)
	return nil
}

// loop is a walker with a connection to walk on.
type loop struct {
	walker
	pace        pace
	dial        dialer
	interrupted bool // the log has said so, and owes the good news
	server      alarm
	folder      alarm
	marker      marker
}

func newLoop(a Account, r Receiver, log *slog.Logger) *loop {
	l := &loop{pace: usualPace(), dial: dialTCP}
	if a.Schedule == nil {
		a.Schedule = cron.Every(l.pace.every)
	}
	l.walker = walker{account: a, receiver: r, log: log.With("mailbox", a.Mailbox), now: time.Now}
	return l
}

// run makes one connection after another.
func (l *loop) run(ctx context.Context) {
	for attempt := 1; ; attempt++ {
		l.progress = false
		err := l.runOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.progress {
			attempt = 1
		}
		wait := l.pace.backoff(attempt, err, rand.Float64())
		l.interrupted = true
		l.tell(attempt, err, wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// tell logs an interruption. One that somebody has to see to must not look like the network's.
func (l *loop) tell(attempt int, err error, wait time.Duration) {
	level, what := slog.LevelWarn, "reading the mailbox was interrupted"
	var refused *LoginError
	if errors.As(err, &refused) {
		level, what = slog.LevelError, "the mailbox cannot be logged in to"
	}
	l.log.Log(context.Background(), level, what, "attempt", attempt, "err", err, "again_in", wait.Round(time.Second))
}

// backoff doubles from first to last; chance, in [0, 1), takes up to half of it off again, so that
// six hundred mailboxes do not come back in the same second.
func (p pace) backoff(attempt int, err error, chance float64) time.Duration {
	wait := p.first << min(attempt-1, 20)
	var refused *LoginError
	if errors.As(err, &refused) {
		wait = max(wait, p.refused<<min(attempt-1, 20))
	}
	wait = min(wait, p.last)
	return wait - time.Duration(chance*float64(wait)/2)
}

// runOnce lives as long as one connection. It never returns nil.
func (l *loop) runOnce(ctx context.Context) error {
	s, err := connect(ctx, l.account, l.dial, l.pace.patience)
	l.tellState(ctx, &l.server, "", err)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		err := l.poll(ctx, s)
		l.tellState(ctx, &l.folder, l.account.folder(), err)
		if err != nil {
			return err
		}
		l.progress = true
		if l.interrupted {
			l.interrupted = false
			l.log.Info("reading the mailbox goes on")
		}
		if l.mark(ctx, s) {
			continue // opening the folder for writing may have swallowed an announcement
		}
		if err := l.rest(ctx, s); err != nil {
			return err
		}
	}
}

// rest waits until there may be new mail: announced by the server, or due by the schedule.
func (l *loop) rest(ctx context.Context, s *session) error {
	due := l.account.Schedule.Next(l.now())
	if !due.After(l.now()) { // a schedule that never comes
		due = l.now().Add(l.pace.every)
	}
	for !s.awake() {
		left := due.Sub(l.now())
		if left <= 0 {
			return nil
		}
		if err := s.idle(ctx, min(left, l.pace.refresh), l.pace.probe); err != nil {
			return err
		}
	}
	return nil
}

// Check connects, logs in, opens the folder for reading and leaves: whether an account is right.
func Check(ctx context.Context, a Account) error {
	s, err := connect(ctx, a, dialTCP, usualPace().patience)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.examine(ctx, a.folder()); err != nil {
		return err
	}
	return s.logout(ctx)
}

// UIDs lists what is in the folder now, and reads none of it: its UIDVALIDITY and every UID, ascending.
func UIDs(ctx context.Context, a Account) (validity uint32, uids []uint32, err error) {
	s, err := connect(ctx, a, dialTCP, usualPace().patience)
	if err != nil {
		return 0, nil, err
	}
	defer s.close()
	folder, err := s.examine(ctx, a.folder())
	if err != nil {
		return 0, nil, err
	}
	if folder.NumMessages > 0 {
		if uids, err = s.search(ctx, 1, 0, int(folder.NumMessages)); err != nil {
			return 0, nil, err
		}
	}
	return folder.UIDValidity, uids, s.logout(ctx)
}
