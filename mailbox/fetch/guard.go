package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Why the guard closed a connection.
var (
	errSilent = errors.New("the server fell silent")
	errSlow   = errors.New("the server took too long")
	errFlood  = errors.New("the server sent more than was asked for")
)

const (
	// slack is what a server may send beside the bodies asked for.
	slack = 1 << 20
	// slowest is the line speed, in bytes a second, below which a transfer is given up.
	slowest = 8 << 10
)

// guard is a connection whose owner can bound what the server does with it. The IMAP library waits for
// answers without any limit, and limits the transfer of one body to five minutes whatever its size;
// the guard leaves its read deadlines aside and has do instead.
type guard struct {
	net.Conn
	patience time.Duration              // how long the server may be silent during a command
	silence  atomic.Int64               // the same for the command under way, which may have less
	left     atomic.Int64               // bytes the server may still send
	watch    atomic.Pointer[time.Timer] // ends the command in patience; nil between commands
}

func newGuard(conn net.Conn, patience time.Duration) *guard {
	g := &guard{Conn: conn, patience: patience}
	g.left.Store(slack)
	return g
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if watch := g.watch.Load(); watch != nil && n > 0 {
		watch.Reset(time.Duration(g.silence.Load()))
	}
	if g.left.Add(-int64(n)) < 0 {
		g.stop()
		return 0, errFlood
	}
	return n, err
}

// SetReadDeadline does nothing; see guard.
func (g *guard) SetReadDeadline(time.Time) error { return nil }

// SetDeadline bounds writing only; see guard.
func (g *guard) SetDeadline(t time.Time) error { return g.SetWriteDeadline(t) }

// stop closes the raw connection, which ends every wait on it.
func (g *guard) stop() { _ = g.Conn.Close() } // it may be closed already

// do runs one command that is expected to bring so many bytes. The connection is closed, and f
// thereby ended, when the context ends, when no byte comes for as long as patience lasts, when all of
// it takes longer than the slowest line would, or when much more comes than expected.
func (g *guard) do(ctx context.Context, what string, expect int64, f func() error) error {
	return g.within(ctx, g.patience, what, expect, f)
}

// within is do with a patience of its own.
func (g *guard) within(ctx context.Context, patience time.Duration, what string, expect int64, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience+time.Duration(expect/slowest)*time.Second, errSlow)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	unwatch := context.AfterFunc(ctx, g.stop)
	defer unwatch()
	g.silence.Store(int64(patience))
	watch := time.AfterFunc(patience, func() { giveUp(errSilent) })
	defer watch.Stop()
	g.watch.Store(watch)
	defer g.watch.Store(nil)
	g.left.Store(slack + 2*expect) // TLS and IMAP add to what is expected, and servers err about sizes

	err := f()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // that the connection broke is only how it showed
		err = context.Cause(ctx)
	case g.left.Load() < 0:
		err = errFlood
	}
	return fmt.Errorf("%s: %w", what, err)
}
