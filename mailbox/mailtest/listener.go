package mailtest

import (
	"bytes"
	"crypto/tls"
	"log"
	"net"
	"sync"
)

// listener counts connections and can drop them all.
type listener struct {
	net.Listener
	implicit *tls.Config // nil = plain

	mu    sync.Mutex
	open  map[net.Conn]struct{} // the raw ones
	count int
	done  bool
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: conn, listener: l}
	l.mu.Lock()
	l.open[tracked] = struct{}{}
	l.count++
	done := l.done
	l.mu.Unlock()
	if done {
		_ = tracked.Close() // the server is told by its first read
	}
	if l.implicit != nil {
		return tls.Server(tracked, l.implicit), nil
	}
	return tracked, nil
}

// Close stops listening; what is open stays open, what was just accepted does not.
func (l *listener) Close() error {
	l.mu.Lock()
	l.done = true
	l.mu.Unlock()
	return l.Listener.Close()
}

func (l *listener) hangUp() {
	l.mu.Lock()
	var open []net.Conn
	for conn := range l.open {
		open = append(open, conn)
	}
	l.mu.Unlock()
	for _, conn := range open {
		_ = conn.Close() // already gone is as good
	}
}

func (l *listener) taken() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

type trackedConn struct {
	net.Conn
	listener *listener
}

func (c *trackedConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

func implicitTLS(o Options) *tls.Config {
	if o.ImplicitTLS {
		return o.TLS
	}
	return nil
}

// literal is an imap.LiteralReader over bytes.
type literal struct{ *bytes.Reader }

func newLiteral(b []byte) literal { return literal{bytes.NewReader(b)} }

// silent swallows the libraries' own log: a dropped connection is what tests are about.
type silent struct{}

func (silent) Write(p []byte) (int, error) { return len(p), nil }

func quiet() *log.Logger { return log.New(silent{}, "", 0) }
