package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
)

// script is an IMAP server that errs on purpose. It speaks over net.Pipe, so that it can live with the
// loop in one synctest bubble, where an hour of waiting takes no time.
type script struct {
	noIdle bool
	caps   string            // further capabilities after login
	flags  string            // PERMANENTFLAGS; "" = not told
	broken string            // this command breaks the connection
	denied string            // this one is refused
	as     func(*Account)    // what the account says; may be nil
	down   bool              // bodies are refused by closing the connection
	faults map[uint32]string // what is wrong with a mail; see body and line

	mu     sync.Mutex
	uids   []uint32
	dials  []time.Duration // since the bubble's first second
	began  time.Time
	tell   chan struct{} // wakes who idles
	asked  []string      // commands, without tags
	deaf   bool          // what is sent gets lost on the way, in both directions
	refuse int           // so many dials fail first

	serving sync.WaitGroup
}

func newScript(uids ...uint32) *script {
	return &script{uids: uids, faults: map[uint32]string{}, began: time.Now(), tell: make(chan struct{}, 1)}
}

func (c *script) add(uid uint32) {
	c.mu.Lock()
	c.uids = append(c.uids, uid)
	c.mu.Unlock()
	select {
	case c.tell <- struct{}{}:
	default:
	}
}

func (c *script) dial(context.Context, string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dials = append(c.dials, time.Since(c.began))
	if len(c.dials) <= c.refuse {
		return nil, errors.New("no route to host")
	}
	here, there := net.Pipe()
	c.serving.Go(func() { c.serve(there) })
	return &lossy{Conn: here, script: c}, nil
}

// lossy is a connection that can lose everything without either end being told, as a firewall does that
// forgets it.
type lossy struct {
	net.Conn
	script *script
}

func (l *lossy) lost() bool {
	l.script.mu.Lock()
	defer l.script.mu.Unlock()
	return l.script.deaf
}

func (l *lossy) Read(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if err != nil || !l.lost() {
			return n, err
		}
	}
}

func (l *lossy) Write(p []byte) (int, error) {
	if l.lost() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

// peer is the server's end of one connection.
type peer struct {
	*script
	conn net.Conn
	in   *bufio.Reader
	out  strings.Builder
}

func (c *script) serve(conn net.Conn) {
	defer conn.Close()
	p := &peer{script: c, conn: conn, in: bufio.NewReader(conn)}
	p.say("* OK [CAPABILITY IMAP4rev1] ready")
	for p.flush() {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		c.mu.Lock()
		c.asked = append(c.asked, command)
		c.mu.Unlock()
		if !p.answer(tag, command) {
			p.flush()
			return
		}
	}
}

func (p *peer) say(format string, a ...any) { fmt.Fprintf(&p.out, format+"\r\n", a...) }

func (p *peer) flush() bool {
	_, err := p.conn.Write([]byte(p.out.String()))
	p.out.Reset()
	return err == nil
}

// answer writes the reply to a command; false closes the connection after it.
func (p *peer) answer(tag, command string) bool {
	p.mu.Lock()
	uids := slices.Clone(p.uids)
	p.mu.Unlock()
	fields := strings.Fields(command)
	switch {
	case p.broken != "" && strings.HasPrefix(command, p.broken):
		return false
	case p.denied != "" && strings.HasPrefix(command, p.denied):
		p.say("%s NO [NOPERM] not here", tag)
		return true
	}
	switch fields[0] {
	case "LOGIN":
		if p.noIdle {
			p.say("%s OK [CAPABILITY IMAP4rev1%s] in", tag, p.caps)
		} else {
			p.say("%s OK [CAPABILITY IMAP4rev1 IDLE%s] in", tag, p.caps)
		}
		return true
	case "EXAMINE", "SELECT":
		p.say("* %d EXISTS", len(uids))
		if p.flags != "" {
			p.say("* OK [PERMANENTFLAGS (%s)] kept", p.flags)
		}
		p.say("* OK [UIDVALIDITY 9] valid")
	case "IDLE":
		return p.idle(tag, len(uids))
	case "UID":
		set := fields[2]
		if fields[1] == "SEARCH" {
			set = fields[3]
			return p.search(tag, set, uids)
		}
		if fields[1] != "FETCH" { // marks
			break
		}
		if strings.Contains(command, "BODY") {
			return p.bodies(tag, in(set, uids), uids, command)
		}
		for i, uid := range uids {
			if in(set, uids)[uid] {
				p.say("%s", p.line(i+1, uid, strings.Contains(command, "INTERNALDATE")))
			}
		}
	case "FETCH":
		seq, _ := strconv.Atoi(fields[1])
		if !strings.Contains(command, "BODY") {
			p.say("* %d FETCH (UID %d)", seq, uids[seq-1])
			break
		}
		return p.bySequence(tag, seq, uids[seq-1])
	}
	p.say("%s OK done", tag)
	return true
}

// bySequence puts the UID behind the body, which is all right here.
func (p *peer) bySequence(tag string, seq int, uid uint32) bool {
	raw := string(rawOf(uid))
	switch p.faults[uid] {
	case "no":
		p.say("%s NO [SERVERBUG] cannot read it", tag)
		return true
	case "nil":
		p.say("* %d FETCH (UID %d BODY[] NIL)", seq, uid)
	default:
		p.say("* %d FETCH (BODY[] {%d}\r\n%s UID %d)", seq, len(raw), raw, uid)
	}
	p.say("%s OK done", tag)
	return true
}

// search answers as servers do: n:* gives the last mail even when its UID is under n.
func (p *peer) search(tag, set string, uids []uint32) bool {
	reply := "* SEARCH"
	for _, uid := range uids {
		if in(set, uids)[uid] {
			reply += fmt.Sprintf(" %d", uid)
		}
	}
	p.say("%s", reply)
	p.say("%s OK done", tag)
	return true
}

// line is a mail in the light pass.
func (p *peer) line(seq int, uid uint32, dates bool) string {
	date := ""
	if dates {
		date = fmt.Sprintf(" INTERNALDATE %q", arrived.Format("_2-Jan-2006 15:04:05 -0700"))
		if p.faults[uid] == "date" {
			date = ` INTERNALDATE "yesterday"`
		}
	}
	return fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE %d%s)", seq, uid, p.size(uid), date)
}

func (p *peer) size(uid uint32) int {
	if p.faults[uid] == "huge" {
		return maxMail + 1
	}
	return len(rawOf(uid))
}

// bodies answers with whole mails, or breaks at the first that is at fault.
func (p *peer) bodies(tag string, asked map[uint32]bool, uids []uint32, command string) bool {
	if p.down {
		return false
	}
	for i, uid := range uids {
		if !asked[uid] {
			continue
		}
		raw, section := string(rawOf(uid)), "BODY[]"
		switch {
		case strings.Contains(command, "HEADER"):
			raw, _, _ = strings.Cut(raw, "\r\n\r\n")
			raw, section = raw+"\r\n\r\n", "BODY[HEADER]<0>"
		case strings.Contains(command, "<"):
			section = "BODY[]<0>"
		}
		switch p.faults[uid] {
		case "close":
			return false
		case "cut":
			p.say("* %d FETCH (UID %d BODY[] {%d}\r\n%s", i+1, uid, len(raw)+100, raw)
			return false
		case "garbage":
			p.say("* %d FETCH (UID %d X-GM-LABELS (\\Inbox [gmail]) BODY[] {%d}\r\n%s)", i+1, uid, len(raw), raw)
		case "silent":
			return true
		case "flood":
			for p.flush() {
				p.say("* OK %s", strings.Repeat("still here ", 1000))
			}
			return false
		case "no":
			p.say("%s NO [SERVERBUG] cannot read it", tag)
			return true
		case "nil":
			p.say("* %d FETCH (UID %d BODY[] NIL)", i+1, uid)
		case "uid-behind":
			p.say("* %d FETCH (%s {%d}\r\n%s UID %d)", i+1, section, len(raw), raw, uid)
		default:
			p.say("* %d FETCH (UID %d %s {%d}\r\n%s)", i+1, uid, section, len(raw), raw)
		}
	}
	p.say("%s OK done", tag)
	return true
}

// idle announces what is added, until DONE.
func (p *peer) idle(tag string, known int) bool {
	p.say("+ idling")
	if !p.flush() {
		return false
	}
	done := make(chan error, 1)
	go func() {
		_, err := p.in.ReadString('\n')
		done <- err
	}()
	for {
		select {
		case err := <-done:
			p.say("%s OK done", tag)
			return err == nil
		case <-p.tell:
			known++
			p.say("* %d EXISTS", known)
			if !p.flush() {
				<-done
				return false
			}
		}
	}
}

func rawOf(uid uint32) []byte { return mailOf(int(uid)) }

// in expands a sequence set against what there is.
func in(set string, uids []uint32) map[uint32]bool {
	asked := map[uint32]bool{}
	last := uint32(0)
	if len(uids) > 0 {
		last = uids[len(uids)-1]
	}
	number := func(s string) uint32 {
		if s == "*" {
			return last
		}
		n, _ := strconv.ParseUint(s, 10, 32)
		return uint32(n)
	}
	for _, part := range strings.Split(set, ",") {
		first, end, ok := strings.Cut(part, ":")
		if !ok {
			end = first
		}
		from, to := number(first), number(end)
		if from > to {
			from, to = to, from
		}
		for _, uid := range uids {
			if from <= uid && uid <= to {
				asked[uid] = true
			}
		}
	}
	return asked
}

// account is how the loop logs in to the script.
func (c *script) account() Account {
	a := Account{Mailbox: "general", Host: "imap.example.org", TLS: "none", Login: login.Password("u", secret)}
	if c.as != nil {
		c.as(&a)
	}
	return a
}

// play runs a loop against a script for so long of the bubble's time.
func play(t *testing.T, c *script, k *taker, d time.Duration, during func()) string {
	t.Helper()
	var log strings.Builder
	l := newLoop(c.account(), k.receiver(), slog.New(slog.NewTextHandler(&log, nil)))
	l.dial = c.dial
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	if during != nil {
		during()
	}
	<-done
	c.serving.Wait()
	return log.String()
}

// One bad mail among a hundred and twenty costs at most itself.
func TestOneBadMail(t *testing.T) {
	check := func(fault string, uid uint32, lost bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c, k := newScript(sequence(1, 120)...), &taker{}
			c.faults[uid] = fault
			log := play(t, c, k, time.Hour, nil)
			want, wantLost := sequence(1, 120), []uint32(nil)
			if lost {
				want, wantLost = slices.Delete(want, int(uid)-1, int(uid)), []uint32{uid}
			}
			if diff := cmp.Diff(want, k.uids()); diff != "" {
				t.Errorf("%s at %d: received (-want +got):\n%s\n%s", fault, uid, diff, log)
			}
			if diff := cmp.Diff(wantLost, k.unfetchable); diff != "" {
				t.Errorf("%s at %d: unfetchable (-want +got):\n%s\n%s", fault, uid, diff, log)
			}
			for _, mail := range k.mails {
				if string(mail.Raw) != string(rawOf(mail.UID)) {
					t.Errorf("%s at %d: uid %d has other bytes: %q", fault, uid, mail.UID, mail.Raw)
				}
			}
			if diff := cmp.Diff(mailbox.Position{UIDValidity: 9, LastUID: 120, Backlog: 120}, k.at); diff != "" {
				t.Errorf("%s at %d: position (-want +got):\n%s", fault, uid, diff)
			}
		})
	}
	for _, uid := range []uint32{1, 37, 50, 51, 120} {
		check("close", uid, true)
		check("cut", uid, true)
		check("garbage", uid, true)
		check("silent", uid, true)
		check("no", uid, true)
		check("nil", uid, true)
		check("date", uid, false)
		check("uid-behind", uid, false)
		check("", uid, false)
	}
	check("flood", 37, true)
}

func TestManyBadMails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(sequence(1, 60)...), &taker{}
		bad := []uint32{1, 2, 3, 30, 31, 32, 33, 34, 59, 60}
		for i, uid := range bad {
			c.faults[uid] = []string{"cut", "garbage", "nil"}[i%3]
		}
		log := play(t, c, k, 3*time.Hour, nil)
		if diff := cmp.Diff(bad, k.unfetchable); diff != "" {
			t.Errorf("unfetchable (-want +got):\n%s\n%s", diff, log)
		}
		if n := len(k.uids()); n != 50 {
			t.Errorf("got %d mails, want 50", n)
		}
	})
}

// A mail without a readable internal date is dated by the time of fetching; its neighbours are not.
func TestInternalDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(sequence(1, 10)...), &taker{}
		c.faults[4] = "date"
		log := play(t, c, k, time.Hour, nil)
		for _, mail := range k.mails {
			if got := mail.InternalDate.Equal(arrived); got != (mail.UID != 4) {
				t.Errorf("uid %d: internal date %v", mail.UID, mail.InternalDate)
			}
		}
		if !strings.Contains(log, "no readable internal date") {
			t.Errorf("not logged:\n%s", log)
		}
	})
}

// While the server gives no bodies at all, no mail is given up, however long it takes.
func TestServerWithoutBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(sequence(1, 60)...), &taker{}
		c.down = true
		log := play(t, c, k, 24*time.Hour, nil)
		if k.unfetchable != nil || len(k.uids()) != 0 {
			t.Errorf("gave up %v, received %v", k.unfetchable, k.uids())
		}
		if n := len(c.dials); n > 24*60*2/5+20 {
			t.Errorf("connected %d times in a day", n)
		}
		c.down = false
		log += play(t, c, k, 10*time.Minute, nil)
		if diff := cmp.Diff(sequence(1, 60), k.uids()); diff != "" {
			t.Errorf("afterwards (-want +got):\n%s\n%s", diff, log)
		}
	})
}

// The only mail of a folder has nothing to be compared with, until another comes.
func TestOnlyMailIsBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{}
		c.faults[1] = "cut"
		play(t, c, k, time.Hour, nil)
		if k.unfetchable != nil {
			t.Errorf("gave up %v", k.unfetchable)
		}
		c.add(2)
		play(t, c, k, time.Hour, nil)
		if diff := cmp.Diff([]uint32{1}, k.unfetchable); diff != "" {
			t.Errorf("unfetchable (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]uint32{2}, k.uids()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

// IDLE is renewed before nine minutes; what comes meanwhile is read at once.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(5), &taker{}
		log := play(t, c, k, time.Hour, func() {
			synctest.Wait()
			c.add(6)
			synctest.Wait()
			if diff := cmp.Diff([]uint32{5, 6}, k.uids()); diff != "" {
				t.Errorf("at once (-want +got):\n%s", diff)
			}
		})
		if len(c.dials) != 1 || log != "" {
			t.Errorf("connected at %v, logged %q", c.dials, log)
		}
		for _, command := range c.asked {
			if strings.Contains(command, "SELECT") || strings.Contains(command, "ENVELOPE") || strings.Contains(command, "BODY[") {
				t.Errorf("asked %q", command)
			}
		}
	})
}

// Without IDLE the schedule alone finds the mail: here the default, five minutes.
func TestNoIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(), &taker{}
		c.noIdle = true
		play(t, c, k, time.Hour, func() {
			time.Sleep(12 * time.Minute)
			c.add(1)
			time.Sleep(4 * time.Minute)
			if diff := cmp.Diff([]uint32{1}, k.uids()); diff != "" {
				t.Errorf("after four minutes (-want +got):\n%s", diff)
			}
		})
		if slices.Contains(c.asked, "IDLE") {
			t.Error("asked for IDLE")
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{}
		c.refuse = 12
		log := play(t, c, k, 2*time.Hour, nil)
		if len(c.dials) != 13 || len(k.uids()) != 1 {
			t.Fatalf("connected at %v, received %v", c.dials, k.uids())
		}
		for i, at := range c.dials[1:] {
			longest := min(time.Second<<i, 5*time.Minute)
			if wait := at - c.dials[i]; wait > longest || wait < longest/2 {
				t.Errorf("wait %d: %v, want between %v and %v", i+1, wait, longest/2, longest)
			}
		}
		if !strings.Contains(log, "goes on") {
			t.Errorf("the good news is not in the log:\n%s", log)
		}
	})
}

// The loop looks like a hung server's only client: two minutes, then another connection.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials int
		k := &taker{}
		l := newLoop(Account{Mailbox: "general", TLS: "none"}, k.receiver(), slog.New(slog.DiscardHandler))
		l.dial = func(context.Context, string) (net.Conn, error) {
			dials++
			here, there := net.Pipe()
			t.Cleanup(func() { _ = there.Close() })
			return here, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		l.run(ctx)
		if dials != 5 {
			t.Errorf("connected %d times in ten minutes, want 5", dials)
		}
	})
}

func TestRefusedLoginIsNotRepeatedSoon(t *testing.T) {
	p := usualPace()
	check := func(attempt int, err error, want time.Duration) {
		t.Helper()
		if got := p.backoff(attempt, err, 0); got != want {
			t.Errorf("attempt %d, %v: got %v, want %v", attempt, err, got, want)
		}
	}
	refused := fmt.Errorf("x: %w", &LoginError{Mailbox: "general", Err: errors.New("NO")})
	check(1, nil, time.Second)
	check(3, nil, 4*time.Second)
	check(1000, nil, 5*time.Minute)
	check(1, refused, time.Minute)
	check(3, refused, 4*time.Minute)
	check(1000, refused, 5*time.Minute)
	if got := p.backoff(3, nil, 0.999); got < 2*time.Second || got > 3*time.Second {
		t.Errorf("got %v, want half", got)
	}
}
