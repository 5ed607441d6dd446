package submit

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	mostMails   = 100 // on one connection: servers count too
	longestRest = 30 * time.Second
)

// Client sends mails over one connection, which it opens when there is something to send. It may be
// used by many goroutines: their mails go one after the other.
type Client struct {
	server Server
	turn   chan struct{} // holds one token; who has it may touch what is below

	conn *connection // nil = none open
	rest *time.Timer // closes conn after a while

	closing sync.Once
	closed  chan struct{}
}

// ErrClosed is the cause of every Send after Close.
var ErrClosed = errors.New("client is closed")

// New makes a client; it connects at the first Send.
func New(s Server) *Client {
	return &Client{server: s, turn: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Send gives the server one mail, byte for byte, and returns nil once the server has taken it over.
// Otherwise the error is an *Error. The end of ctx closes the connection, wherever the mail is then.
func (c *Client) Send(ctx context.Context, e Envelope, raw []byte) error {
	if err := e.check(); err != nil {
		return err
	}
	if err := c.take(ctx); err != nil {
		return newError(PhaseDial, err)
	}
	defer c.release()

	reused := c.conn != nil
	err := c.try(ctx, e, raw)
	if reused && c.conn == nil && stale(err) {
		err = c.try(ctx, e, raw)
	}
	return err
}

// try sends a mail over the open connection, or a new one, and leaves it open if it may be used again.
func (c *Client) try(ctx context.Context, e Envelope, raw []byte) error {
	if c.conn == nil {
		conn, err := dial(ctx, c.server)
		if err != nil {
			return err
		}
		c.conn = conn
	}
	err := c.conn.send(ctx, e, raw)
	switch {
	case err == nil && c.conn.sent < mostMails:
	case err == nil:
		c.hangUp(ctx)
	case !answered(err) || c.conn.reset(ctx) != nil:
		c.conn.raw.stop()
		c.conn = nil
	}
	return err
}

// answered reports whether the server is still there after an error.
func answered(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.closing() && (e.Code != 0 || errors.Is(err, errNoUTF8))
}

// stale reports whether a mail that failed on a used connection certainly has not been given to the
// server, and may go at once over a fresh one.
func stale(err error) bool {
	var e *Error
	if !errors.As(err, &e) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return (e.Code == 0 || e.closing()) && !e.MaybeSent && (e.Phase == PhaseMail || e.Phase == PhaseRcpt)
}

// Close says good-bye to the server and makes every further Send fail. A mail that is under way is
// finished first.
func (c *Client) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		c.turn <- struct{}{}
		if c.rest != nil {
			c.rest.Stop()
		}
		c.hangUp(context.Background())
		<-c.turn
	})
	return nil
}

// take waits for the turn.
func (c *Client) take(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-c.closed:
		<-c.turn
		return ErrClosed
	default:
	}
	if c.rest != nil {
		c.rest.Stop()
	}
	return nil
}

// release gives the turn back; an open connection rests for a while before it is closed.
func (c *Client) release() {
	if c.conn != nil {
		c.rest = time.AfterFunc(longestRest, c.expire)
	}
	<-c.turn
}

// expire closes a connection that has rested long enough, unless it is being used just now.
func (c *Client) expire() {
	select {
	case c.turn <- struct{}{}:
		c.hangUp(context.Background())
		<-c.turn
	default:
	}
}

// hangUp closes the connection, if there is one, politely.
func (c *Client) hangUp(ctx context.Context) {
	if c.conn != nil {
		c.conn.quit(ctx)
		c.conn = nil
	}
}
