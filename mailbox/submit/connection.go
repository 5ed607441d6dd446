package submit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/bustia/bustia/mailbox/login"
)

const (
	patience    = 2 * time.Minute  // for one command and its reply
	lastAnswer  = 10 * time.Minute // RFC 5321 section 4.5.3.2.6: who gives up sooner makes doubles
	slowest     = 8 << 10          // bytes a second below which a transfer is given up
	largestTalk = 1 << 20          // bytes of replies read in one phase
)

var (
	errFlood    = errors.New("the server sends without end")
	errNoTLS    = errors.New("the server does not offer STARTTLS")
	errNoUTF8   = errors.New("the server does not take addresses beyond ASCII")
	errTimedOut = errors.New("the server took too long")
)

// connection is one logged-in SMTP connection, for one user at a time.
type connection struct {
	raw    *wire
	client *smtp.Client
	sent   int // mails tried on it
}

// wire is the raw connection under TLS: it bounds what is read and remembers a failed write.
type wire struct {
	net.Conn
	left   atomic.Int64
	broken atomic.Bool // a write failed: what came last in it has not left
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.left.Add(-int64(n)) < 0 {
		return 0, errFlood
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.broken.Store(true)
	}
	return n, err
}

// stop closes the raw connection, which ends every wait on it.
func (w *wire) stop() { _ = w.Close() } // it may be closed already

// dial connects, secures and logs in; twice when the first time a token was refused that had been kept.
func dial(ctx context.Context, s Server) (*connection, error) {
	c, err := dialOnce(ctx, s)
	if login.Stale(err) {
		return dialOnce(ctx, s)
	}
	return c, err
}

func dialOnce(ctx context.Context, s Server) (*connection, error) {
	d := net.Dialer{Timeout: patience}
	raw, err := d.DialContext(ctx, "tcp", s.address())
	if err != nil {
		return nil, newError(PhaseDial, err)
	}
	c := &connection{raw: &wire{Conn: raw}}
	if err := c.open(ctx, s); err != nil {
		c.raw.stop()
		return nil, err
	}
	return c, nil
}

// open brings a raw connection to where MAIL may be said.
func (c *connection) open(ctx context.Context, s Server) error {
	conn := net.Conn(c.raw)
	switch s.TLS {
	case "tls", "":
		secure := tls.Client(c.raw, s.tls())
		if err := c.do(ctx, PhaseTLS, patience, func() error { return secure.HandshakeContext(ctx) }); err != nil {
			return err
		}
		conn = secure
	case "starttls", "none":
	default:
		return newError(PhaseTLS, fmt.Errorf("tls %q: want tls, starttls or none", s.TLS))
	}
	err := c.do(ctx, PhaseDial, patience, func() (err error) {
		if c.client, err = smtp.NewClient(conn, s.Host); err != nil {
			return err
		}
		return c.client.Hello(s.helo())
	})
	if err != nil {
		return err
	}
	if s.TLS == "starttls" {
		if err := c.do(ctx, PhaseTLS, patience, func() error { return c.startTLS(s) }); err != nil {
			return err
		}
	}
	if s.Login.None() {
		return nil
	}
	return c.do(ctx, PhaseAuth, patience, func() error { return c.login(ctx, s.Login) })
}

func (c *connection) startTLS(s Server) error {
	if ok, _ := c.client.Extension("STARTTLS"); !ok {
		return errNoTLS
	}
	return c.client.StartTLS(s.tls())
}

// send gives one mail. Its error is an *Error.
func (c *connection) send(ctx context.Context, e Envelope, raw []byte) error {
	c.sent++
	if e.utf8() {
		if ok, _ := c.client.Extension("SMTPUTF8"); !ok {
			return &Error{Permanent: true, Enhanced: "5.6.7", Phase: PhaseMail, Err: errNoUTF8}
		}
	}
	c.client.SkipSMTPUTF8(!e.utf8())
	if err := c.do(ctx, PhaseMail, patience, func() error { return c.client.Mail("<" + e.ReversePath + ">") }); err != nil {
		return err
	}
	if err := c.do(ctx, PhaseRcpt, patience, func() error { return c.client.Rcpt("<" + e.Recipient + ">") }); err != nil {
		return err
	}
	return c.data(ctx, raw)
}

// data gives the mail itself. Once its last dot is on the way, no answer may mean that it was taken.
func (c *connection) data(ctx context.Context, raw []byte) error {
	var ended bool
	limit := patience + lastAnswer + time.Duration(len(raw)/slowest)*time.Second
	err := c.do(ctx, PhaseData, limit, func() error {
		w, err := c.client.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
		ended = true
		return w.Close() // writes the dot and reads the answer
	})
	var e *Error
	if errors.As(err, &e) && e.Code == 0 {
		e.MaybeSent = ended && !c.raw.broken.Load()
	}
	return err
}

// reset ends the transaction that a refusal has left open.
func (c *connection) reset(ctx context.Context) error {
	return c.do(ctx, PhaseMail, patience, c.client.Reset)
}

// quit says good-bye and closes. What the server makes of it does not matter.
func (c *connection) quit(ctx context.Context) {
	_ = c.do(ctx, PhaseData, 5*time.Second, c.client.Quit)
	c.raw.stop()
}

// do runs one step and closes the connection, which ends the step, when ctx or the time is over.
func (c *connection) do(ctx context.Context, phase string, limit time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimedOut)
	defer cancel()
	defer context.AfterFunc(ctx, c.raw.stop)()
	c.raw.left.Store(largestTalk)
	err := f()
	if err == nil {
		return nil
	}
	e := newError(phase, err)
	if e.Code == 0 && ctx.Err() != nil { // that the connection broke is only how it showed
		e.Err = context.Cause(ctx)
	}
	return e
}
