package fetch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start runs a loop until the test ends or stop is called.
func start(t *testing.T, l *loop) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	l.pace.first = time.Millisecond
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// marked waits until nothing is left to be marked.
func (r *reading) marked(t *testing.T, n int) {
	t.Helper()
	if err := r.server.Wait(t.Context(), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.mails) >= n && len(r.due) == 0
	}); err != nil {
		t.Fatal(err)
	}
}

func TestMark(t *testing.T) {
	check := func(after string, inbox, done []string) {
		t.Helper()
		r := readAs(t, 0, func(a *Account) { a.After, a.MoveTo = after, "Fet" }, nil)
		h := r.byHand(t)
		h.create("Fet")
		r.deliver(t, 2)
		r.marked(t, 2)
		r.deliver(t, 1) // after the folder was opened for writing
		r.marked(t, 3)
		r.stop()
		wantSame(t, after+": INBOX", h.lists("INBOX"), inbox)
		wantSame(t, after+": Fet", h.lists("Fet"), done)
		wantSame(t, after+": read", r.uids(), []uint32{1, 2, 3})
		if r.log.Len() > 0 {
			t.Errorf("%s: logged:\n%s", after, r.log)
		}
	}
	check("flag", []string{"1 $bustia", "2 $bustia", "3 $bustia"}, nil)
	check("seen", []string{"1 \\seen", "2 \\seen", "3 \\seen"}, nil)
	check("move", nil, []string{"1", "2", "3"})
}

// Past mail is left alone.
func TestMarkNotPast(t *testing.T) {
	r := readAs(t, 3, func(a *Account) { a.After, a.Archive = "flag", true }, nil)
	r.wait(t, 3)
	r.deliver(t, 1)
	r.marked(t, 4)
	r.stop()
	wantSame(t, "INBOX", r.byHand(t).lists("INBOX"), []string{"1", "2", "3", "4 $bustia"})
}

// What was received and not marked when the daemon died is marked by the next one; what is gone is passed over.
func TestMarkAfterCrash(t *testing.T) {
	r := readAs(t, 4, func(*Account) {}, nil) // marks nothing
	r.wait(t, 4)
	r.stop()
	if err := r.server.Expunge(bustia, 2); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "due", r.due, []uint32{1, 2, 3, 4})
	a := account(t, r.server.IMAPAddr())
	a.After = "flag"
	stop := start(t, newLoop(a, r.receiver(), discard()))
	r.marked(t, 4)
	stop()
	wantSame(t, "INBOX", r.byHand(t).lists("INBOX"), []string{"1 $bustia", "3 $bustia", "4 $bustia"})
}

// Nothing is marked that was not received.
func TestMarkOnlyReceived(t *testing.T) {
	tried := make(chan struct{})
	r := readAs(t, 3, func(a *Account) { a.After = "seen" }, func(k *taker, _ *mailtest.Server) {
		k.refuse = func([]mailbox.Received) error {
			select {
			case tried <- struct{}{}:
			default:
			}
			return errors.New("database is away")
		}
	})
	for range 3 {
		<-tried
	}
	r.stop()
	wantSame(t, "INBOX", r.byHand(t).lists("INBOX"), []string{"1", "2", "3"})
}

// commands are those of a script that change something, each once.
func (c *script) commands() (all []string) {
	for _, command := range c.asked {
		for _, verb := range []string{"UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE", "EXPUNGE", "MOVE", "COPY", "STORE"} {
			if strings.HasPrefix(command, verb) && !slices.Contains(all, command) {
				all = append(all, command)
			}
		}
	}
	return all
}

// TestMarkByServer has servers of all kinds mark three mails: what they are asked to do, and what is said
// of what they cannot.
func TestMarkByServer(t *testing.T) {
	check := func(after, caps, flags, denied string, want []string, left int, wantLog string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c, k := newScript(1, 2, 3), &taker{}
			c.caps, c.flags, c.denied = caps, flags, denied
			c.as = func(a *Account) { a.After, a.MoveTo = after, "Fet" }
			log := play(t, c, k, 24*time.Hour, func() {
				time.Sleep(12 * time.Hour)
				c.add(4)
			})
			what := after + caps + " [" + flags + "] " + denied
			wantSame(t, what, c.commands(), want)
			wantSame(t, what+": left", len(k.due), left)
			wantSame(t, what+": read", k.uids(), []uint32{1, 2, 3, 4})
			if wantLog == "" && log != "" || strings.Count(log, "ERROR") > 1 || !strings.Contains(log, wantLog) {
				t.Errorf("%s: logged\n%swant %q once", what, log, wantLog)
			}
			if len(c.asked) > 20_000 {
				t.Errorf("%s: %d commands in a day", what, len(c.asked))
			}
		})
	}
	flagged := func(flag string) []string {
		return []string{"UID STORE 1:3 +FLAGS.SILENT (" + flag + ")", "UID STORE 4 +FLAGS.SILENT (" + flag + ")"}
	}
	check("flag", "", `\Seen \Flagged \*`, "", flagged("$Bustia"), 0, "")
	check("flag", "", `\Seen $bustia`, "", flagged("$Bustia"), 0, "")
	check("flag", "", `\Seen \Flagged`, "", flagged(`\Flagged`), 0, "")
	check("flag", "", "", "", flagged(`\Flagged`), 0, "")
	check("flag", "", `\Seen`, "", nil, 4, "keeps neither $Bustia nor")
	check("seen", "", "", "", flagged(`\Seen`), 0, "")
	check("seen", "", "", "UID STORE", []string{"UID STORE 1:3 +FLAGS.SILENT (\\Seen)", "UID STORE 1:4 +FLAGS.SILENT (\\Seen)"}, 4, "not here")
	check("seen", "", "", "SELECT", nil, 4, `select folder \"INBOX\"`)
	check("move", " MOVE UIDPLUS", "", "", []string{`UID MOVE 1:3 "Fet"`, `UID MOVE 4 "Fet"`}, 0, "")
	check("move", " UIDPLUS", "", "", []string{
		`UID COPY 1:3 "Fet"`, `UID STORE 1:3 +FLAGS.SILENT (\Deleted)`, "UID EXPUNGE 1:3",
		`UID COPY 4 "Fet"`, `UID STORE 4 +FLAGS.SILENT (\Deleted)`, "UID EXPUNGE 4",
	}, 0, "")
	check("move", " UIDPLUS", "", "UID COPY", []string{`UID COPY 1:3 "Fet"`, `UID COPY 1:4 "Fet"`}, 4, `copy mails to \"Fet\"`)
	check("move", " MOVE", "", "UID MOVE", []string{`UID MOVE 1:3 "Fet"`, `UID MOVE 1:4 "Fet"`}, 4, `move mails to \"Fet\"`)
	check("move", "", "", "", nil, 4, "neither MOVE (RFC 6851) nor UIDPLUS")
	check("keep", " MOVE", "", "", nil, 4, "")
	check("", " MOVE", "", "", nil, 4, "")
}

// A server that hangs up at every mark is still read from, at once.
func TestMarkBreaksConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1, 2, 3), &taker{}
		c.broken = "UID STORE"
		c.as = func(a *Account) { a.After = "seen" }
		log := play(t, c, k, 24*time.Hour, func() {
			for uid := uint32(4); uid < 24; uid++ {
				time.Sleep(time.Hour)
				c.add(uid)
				time.Sleep(5 * time.Second)
				if n := len(k.uids()); n != int(uid) {
					t.Errorf("five seconds after mail %d came, %d are read", uid, n)
				}
			}
		})
		if n := strings.Count(log, "cannot be marked"); n != 1 {
			t.Errorf("told %d times:\n%s", n, log)
		}
		if n := len(c.dials); n > 50 {
			t.Errorf("connected %d times in a day", n)
		}
	})
}
