package fetch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// byHand is a person's mail client on the server.
type byHand struct {
	*testing.T
	*session
}

func (r *reading) byHand(t *testing.T) byHand {
	t.Helper()
	s, err := connect(t.Context(), account(t, r.server.IMAPAddr()), dialTCP, usualPace().patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return byHand{t, s}
}

func (h byHand) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h byHand) create(folder string) { h.must(h.client.Create(folder, nil).Wait()) }

func (h byHand) put(folder string, raw []byte, at time.Time, flags ...imap.Flag) {
	h.Helper()
	command := h.client.Append(folder, int64(len(raw)), &imap.AppendOptions{Time: at, Flags: flags})
	_, err := command.Write(raw)
	h.must(err)
	h.must(command.Close())
	_, err = command.Wait()
	h.must(err)
}

func (h byHand) move(from, to string, uids ...uint32) {
	h.Helper()
	_, err := h.choose(h.Context(), from)
	h.must(err)
	_, err = h.client.Move(uidSet(uids), to).Wait()
	h.must(err)
}

// lists says what is in a folder, by UID, with the flags that somebody set, in their order.
func (h byHand) lists(folder string) (mails []string) {
	h.Helper()
	selected, err := h.examine(h.Context(), folder)
	h.must(err)
	if selected.NumMessages == 0 {
		return nil
	}
	buffers, err := h.client.Fetch(imap.UIDSet{{Start: 1}}, &imap.FetchOptions{UID: true, Flags: true}).Collect()
	h.must(err)
	for _, b := range buffers {
		mail := fmt.Sprint(b.UID)
		slices.Sort(b.Flags)
		for _, flag := range b.Flags {
			if flag != "\\Recent" { // the server's
				mail += " " + strings.ToLower(string(flag))
			}
		}
		mails = append(mails, mail)
	}
	return mails
}

// told is what became of the mails, "UID what".
func (k *taker) told() (told []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, mail := range k.mails {
		what := fmt.Sprint(mail.UID)
		switch {
		case mail.Past != "" && mail.Raw == nil:
			what += " " + string(mail.Past) + ", no bytes"
		case mail.Past != "":
			what += " " + string(mail.Past)
		case mail.Truncated:
			what += " too large"
		}
		told = append(told, what)
	}
	return told
}

func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestPast opens a folder in which four mails lie, a minute apart, and delivers two more, one of which is
// dated before all the others.
func TestPast(t *testing.T) {
	check := func(name string, as func(*Account), want ...string) {
		t.Helper()
		r := readAs(t, 4, as, nil)
		r.wait(t, 4)
		r.byHand(t).put("INBOX", mailOf(100), arrived.AddDate(-3, 0, 0))
		r.deliver(t, 1)
		r.wait(t, 6)
		r.stop()
		wantSame(t, name, r.told(), want)
	}
	since := arrived.Add(2 * time.Minute)
	check("neither", func(*Account) {}, "1", "2", "3", "4", "5", "6")
	check("since", func(a *Account) { a.Since = since }, "1 before since, no bytes", "2 before since, no bytes", "3", "4", "5", "6")
	check("archive", func(a *Account) { a.Archive = true }, "1 archive", "2 archive", "3 archive", "4 archive", "5", "6")
	check("both", func(a *Account) { a.Archive, a.Since = true, since }, "1 archive", "2 archive", "3", "4", "5", "6")
	check("since long ago", func(a *Account) { a.Since = arrived.AddDate(-1, 0, 0) }, "1", "2", "3", "4", "5", "6")
}

// An empty folder has no past, and what comes first is no backlog.
func TestPastOfEmptyFolder(t *testing.T) {
	r := readAs(t, 0, func(a *Account) { a.Archive = true }, nil)
	if err := r.server.Wait(t.Context(), func() bool { return r.position().UIDValidity == 1 }); err != nil {
		t.Fatal(err)
	}
	r.deliver(t, 2)
	r.wait(t, 2)
	r.stop()
	wantSame(t, "told", r.told(), []string{"1", "2"})
}

func (k *taker) position() mailbox.Position {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

// A folder made anew has a past for since; archive alone takes nothing out of treatment a second time.
func TestPastAfterNewUIDValidity(t *testing.T) {
	check := func(name string, as func(*Account), want ...string) {
		t.Helper()
		r := readAs(t, 3, as, nil)
		r.wait(t, 3)
		r.stop()
		first := r.position()
		if err := r.server.Recreate(bustia); err != nil {
			t.Fatal(err)
		}
		r.deliver(t, 3)
		again := &taker{at: first, changed: r.server.Wake}
		a := account(t, r.server.IMAPAddr())
		as(&a)
		stop := start(t, newLoop(a, again.receiver(), discard()))
		if err := r.server.Wait(t.Context(), again.has(3)); err != nil {
			t.Fatal(err)
		}
		r.deliver(t, 1)
		if err := r.server.Wait(t.Context(), again.has(4)); err != nil {
			t.Fatal(err)
		}
		stop()
		wantSame(t, name, again.told(), want)
	}
	check("since", func(a *Account) { a.Since = arrived.Add(2 * time.Minute) }, "1 before since, no bytes", "2 before since, no bytes", "3", "4")
	check("archive", func(a *Account) { a.Archive = true }, "1", "2", "3", "4")
}

// The backlog is known also where the server does not tell its next UID.
func TestPastWithoutUIDNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(3, 70, 500), &taker{}
		c.as = func(a *Account) { a.Archive = true }
		play(t, c, k, time.Hour, func() {
			synctest.Wait()
			c.add(501)
		})
		wantSame(t, "told", k.told(), []string{"3 archive", "70 archive", "500 archive", "501"})
	})
}

// Of a large mail only the header section is fetched, among others and alone.
func TestTooLarge(t *testing.T) {
	const limit = 100_000
	large := append(mailOf(1), bytes.Repeat([]byte("0123456789012345678901234567890123456789\r\n"), limit/42+1)...)
	before := ""
	r := readAs(t, 2, func(a *Account) { a.MaxSize = limit }, func(_ *taker, server *mailtest.Server) {
		if err := server.Deliver(bustia, large, arrived); err != nil {
			t.Fatal(err)
		}
	})
	r.wait(t, 3)
	r.deliver(t, 1)
	r.wait(t, 4)
	if err := r.server.Deliver(bustia, large, arrived); err != nil {
		t.Fatal(err)
	}
	r.wait(t, 5)
	r.stop()
	wantSame(t, "told", r.told(), []string{"1", "2", "3 too large", "4", "5 too large"})
	mail := r.mails[2]
	head, _, _ := bytes.Cut(r.server.Mails(bustia)[2].Raw, []byte("\r\n\r\n"))
	wantSame(t, "raw", string(mail.Raw), string(head)+"\r\n\r\n")
	wantSame(t, "size", mail.Size, int64(len(r.server.Mails(bustia)[2].Raw)))
	wantSame(t, "log", r.log.String(), before)
}

// A size that no memory should hold is no trouble: the header section is fetched, cut if need be.
func TestHuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(sequence(1, 60)...), &taker{}
		c.faults[1], c.faults[30], c.faults[60] = "huge", "huge", "huge"
		play(t, c, k, time.Hour, nil)
		var want []string
		for _, uid := range sequence(1, 60) {
			if c.faults[uid] == "huge" {
				want = append(want, fmt.Sprint(uid, " too large"))
			} else {
				want = append(want, fmt.Sprint(uid))
			}
		}
		wantSame(t, "told", k.told(), want)
		wantSame(t, "unfetchable", k.unfetchable, []uint32(nil))
		if i := slices.IndexFunc(c.asked, func(command string) bool { return strings.Contains(command, "BODY.PEEK[HEADER]<0.262144>") }); i < 0 {
			t.Errorf("asked %q", c.asked)
		}
	})
}

// What people and programs do to mail on the server keeps none of it from being read, once each.
func TestWhatPeopleDo(t *testing.T) {
	r := read(t, 2, nil)
	r.wait(t, 2)
	h := r.byHand(t)
	h.create("Fet")
	h.put("INBOX", mailOf(3), arrived, imap.FlagSeen)
	r.wait(t, 3)
	h.put("INBOX", mailOf(4), arrived, imap.FlagDeleted)
	r.wait(t, 4)
	h.put("INBOX", mailOf(5), arrived.AddDate(-9, 0, 0), imap.FlagAnswered, "$Junk")
	r.wait(t, 5)
	h.move("INBOX", "Fet", 1)
	h.move("Fet", "INBOX", 1)
	r.wait(t, 6)
	r.stop()
	wantSame(t, "told", r.told(), []string{"1", "2", "3", "4", "5", "6"})
	wantSame(t, "moved away and back", string(r.mails[5].Raw), string(r.mails[0].Raw))
	if r.log.Len() > 0 {
		t.Errorf("logged:\n%s", r.log)
	}
}

func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{}
		c.refuse = 2
		play(t, c, k, time.Hour, nil)
		wantSame(t, "two failures", k.states, []string{" up", "INBOX up"})
	})
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{}
		c.refuse = 20
		play(t, c, k, 3*time.Hour, nil)
		wantSame(t, "many failures", k.states, []string{" down: connect to imap.example.org:143: no route to host", " up", "INBOX up"})
	})
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{}
		c.denied = "LOGIN"
		play(t, c, k, 30*time.Second, nil)
		wantSame(t, "login refused", k.states, []string{` down: login to mailbox "general": imap: NO [NOPERM] not here`})
		c.denied = ""
		play(t, c, k, 30*time.Second, nil)
		wantSame(t, "and no longer", k.states[1:], []string{" up", "INBOX up"})
	})
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{}
		c.denied = "EXAMINE"
		play(t, c, k, time.Hour, nil)
		wantSame(t, "no such folder", k.states, []string{" up", `INBOX down: examine folder "INBOX": imap: NO [NOPERM] not here`})
	})
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(sequence(1, 60)...), &taker{}
		c.faults[37] = "cut"
		play(t, c, k, time.Hour, nil)
		wantSame(t, "a bad mail", k.states, []string{" up", "INBOX up"})
	})
	synctest.Test(t, func(t *testing.T) {
		c, k := newScript(1), &taker{refuse: func([]mailbox.Received) error { return fmt.Errorf("database is away") }}
		play(t, c, k, time.Hour, nil)
		wantSame(t, "our own trouble", k.states, []string{" up"})
	})
}

// A connection that a firewall has forgotten is noticed within a minute, while idle and while working.
func TestDeadConnection(t *testing.T) {
	check := func(name string, noIdle bool, after time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c, k := newScript(1), &taker{}
			c.noIdle = noIdle
			play(t, c, k, time.Hour, func() {
				time.Sleep(after)
				c.mu.Lock()
				c.deaf = true
				lost, before := time.Since(c.began), len(c.dials)
				c.mu.Unlock()
				time.Sleep(time.Minute)
				c.mu.Lock()
				defer c.mu.Unlock()
				c.deaf = false
				if len(c.dials) == before {
					t.Errorf("%s: not noticed within a minute", name)
					return
				}
				t.Logf("%s: another connection after %v", name, c.dials[before]-lost)
			})
			wantSame(t, name, k.uids(), []uint32{1})
		})
	}
	for _, after := range []time.Duration{time.Millisecond, 10 * time.Second, 29 * time.Second, 31 * time.Second, 4*time.Minute + 59*time.Second} {
		check(fmt.Sprint("IDLE, lost after ", after), false, after)
		check(fmt.Sprint("NOOP, lost after ", after), true, after)
	}
}
