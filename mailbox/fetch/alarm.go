package fetch

import (
	"context"
	"errors"
)

// alarmed is after how many failures in a row a trouble is told: one or two are every server's restart.
const alarmed = 3

// alarm tells of a trouble once when it has begun and once when it is over.
type alarm struct {
	failures int
	told     bool // that it works, or that it does not
	down     bool // what was told last
}

// failed counts a failure and says whether to tell of it; a grave one is told at once.
func (a *alarm) failed(grave bool) bool {
	a.failures++
	if a.down || a.failures < alarmed && !grave {
		return false
	}
	a.told, a.down = true, true
	return true
}

// worked says whether to tell that all is well.
func (a *alarm) worked() bool {
	a.failures = 0
	if a.told && !a.down {
		return false
	}
	a.told, a.down = true, false
	return true
}

// ours is an error of the receiver, for which the mailbox cannot help.
type ours struct{ error }

func (o ours) Unwrap() error { return o.error }

// tellState tells the receiver what became of an attempt at the server or the folder, if that is news.
func (l *loop) tellState(ctx context.Context, a *alarm, folder string, err error) {
	tell := false
	switch {
	case ctx.Err() != nil || errors.As(err, new(ours)):
	case err == nil:
		tell = a.worked()
	case a == &l.folder && (l.progress || l.care.suspect != 0 && l.care.tries <= alone): // one bad mail is being found
	default:
		tell = a.failed(errors.As(err, new(*LoginError)))
	}
	if tell && l.receiver.State != nil {
		l.receiver.State(ctx, l.account.Mailbox, folder, err)
	}
}
