//go:build integration

package main

import (
	"net"
	"sync"
	"testing"
	"time"
)

// faults are what a line does to what passes. The zero value passes everything on at once.
type faults struct {
	latency time.Duration // of each piece, either way
	drip    time.Duration // between one byte from the server and the next
	hole    bool          // nothing passes and nobody is told; what comes waits
	refuse  bool          // new connections are reset
	cut     int           // after so many more bytes from the server the connection is reset, once; 0 = not
}

// proxy is a line to a server, with faults that can be changed while it is in use.
type proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	faults   faults
	changed  chan struct{}  // closed at the next change
	open     map[*line]bool // true = stranded: nothing passes any more, whatever the faults say
	passed   int            // bytes from the server
	held     int            // pieces that had to wait in a hole
	carrying sync.WaitGroup
}

// line is one connection and the one behind it.
type line struct{ near, far *net.TCPConn }

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", onLoopback(0))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, changed: make(chan struct{}), open: map[*line]bool{}}
	p.carrying.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.set(faults{})
		p.reset()
		p.carrying.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		l := &line{near: near.(*net.TCPConn)}
		far, err := net.Dial("tcp", p.target)
		if err != nil || p.now().refuse {
			l.reset()
			if far != nil {
				far.Close()
			}
			continue
		}
		l.far = far.(*net.TCPConn)
		p.mu.Lock()
		p.open[l] = false
		p.mu.Unlock()
		p.carrying.Go(func() { p.carry(l, l.far, l.near, false) })
		p.carrying.Go(func() { p.carry(l, l.near, l.far, true) })
	}
}

// set changes the faults.
func (p *proxy) set(f faults) { p.change(func() { p.faults = f }) }

// strand leaves every present connection open, and nothing passes over it again: so dies a connection
// whose NAT has forgotten it.
func (p *proxy) strand() {
	p.change(func() {
		for l := range p.open {
			p.open[l] = true
		}
	})
}

func (p *proxy) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// reset breaks every present connection.
func (p *proxy) reset() {
	p.change(func() {
		for l := range p.open {
			l.reset()
			delete(p.open, l)
		}
	})
}

func (p *proxy) now() faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// waiting is how many pieces a hole has held up so far.
func (p *proxy) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// taken is how many bytes the server has sent so far.
func (p *proxy) taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// reset closes both ends with RST.
func (l *line) reset() {
	for _, conn := range []*net.TCPConn{l.near, l.far} {
		if conn != nil {
			conn.SetLinger(0)
			conn.Close()
		}
	}
}

// carry passes on what comes from one end until either end is closed.
func (p *proxy) carry(l *line, to, from *net.TCPConn, fromServer bool) {
	piece := make([]byte, 16<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 && !p.pass(l, to, piece[:n], fromServer) {
			break
		}
		if err != nil {
			break
		}
	}
	to.CloseWrite() // the other direction may have something to say yet
	if fromServer {
		p.mu.Lock()
		delete(p.open, l)
		p.mu.Unlock()
		l.near.Close()
		l.far.Close()
	}
}

// pass hands on one piece as the faults have it; false = the line is dead.
func (p *proxy) pass(l *line, to *net.TCPConn, piece []byte, fromServer bool) bool {
	f, ok := p.through(l)
	if !ok {
		return false
	}
	if fromServer {
		p.mu.Lock()
		p.passed += len(piece)
		p.mu.Unlock()
	}
	time.Sleep(f.latency)
	if fromServer && f.cut > 0 {
		p.mu.Lock()
		left := p.faults.cut
		p.faults.cut = max(left-len(piece), 0)
		p.mu.Unlock()
		if 0 < left && left <= len(piece) {
			to.Write(piece[:left])
			time.Sleep(50 * time.Millisecond) // a reset would overtake it
			l.reset()
			return false
		}
	}
	if fromServer && f.drip > 0 {
		for i := range piece {
			if _, err := to.Write(piece[i : i+1]); err != nil {
				return false
			}
			time.Sleep(f.drip)
		}
		return true
	}
	_, err := to.Write(piece)
	return err == nil
}

// through waits until there is no hole. It gives false when the line was reset meanwhile.
func (p *proxy) through(l *line) (faults, bool) {
	counted := false
	for {
		p.mu.Lock()
		f, changed := p.faults, p.changed
		stranded, there := p.open[l]
		if f.hole || stranded {
			if !counted {
				p.held++
				counted = true
			}
		}
		p.mu.Unlock()
		if !there {
			return f, false
		}
		if !f.hole && !stranded {
			return f, true
		}
		<-changed
	}
}
