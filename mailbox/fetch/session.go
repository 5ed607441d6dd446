package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
)

// session is one logged-in connection. Its methods are IMAP commands under the guard's watch; after
// any error but a tagged NO it is good for nothing but close.
type session struct {
	guard  *guard
	client *imapclient.Client
	wake   chan struct{} // the server has announced a message
	idles  bool          // the server knows IDLE
}

// listed is one mail as the light pass gave it.
type listed struct {
	uid  uint32
	seq  uint32
	size int64     // RFC822.SIZE; 0 = not told
	date time.Time // zero = not told
	past mailbox.Past
	take take
}

// take is how much of a mail is fetched.
type take int

const (
	whole   take = iota
	header       // the header section: the mail is too large
	nothing      // it is past, and not kept
)

// expect is how many bytes of it are to come.
func (l listed) expect() int64 {
	switch {
	case l.take == nothing:
		return 0
	case l.take == header:
		return maxHeader
	case l.size == 0:
		return unknownSize
	}
	return l.size
}

// dialer opens the plain connection; a test puts its own in place.
type dialer func(ctx context.Context, address string) (net.Conn, error)

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{
		Timeout:         30 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 20 * time.Second, Interval: 10 * time.Second, Count: 3},
	}
	return d.DialContext(ctx, "tcp", address)
}

// connect dials, greets and logs in; twice when the first time a token was refused that had been kept.
func connect(ctx context.Context, a Account, dial dialer, patience time.Duration) (*session, error) {
	s, err := connectOnce(ctx, a, dial, patience)
	if login.Stale(err) {
		return connectOnce(ctx, a, dial, patience)
	}
	return s, err
}

func connectOnce(ctx context.Context, a Account, dial dialer, patience time.Duration) (*session, error) {
	conn, err := dial(ctx, a.address())
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", a.address(), err)
	}
	s := &session{guard: newGuard(conn, patience), wake: make(chan struct{}, 1)}
	if err := s.open(ctx, a); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// open brings a raw connection to the authenticated state.
func (s *session) open(ctx context.Context, a Account) error {
	if err := s.secure(ctx, a); err != nil {
		return err
	}
	if err := s.guard.do(ctx, "greeting", 0, s.client.WaitGreeting); err != nil {
		return err
	}
	if s.client.State() == imap.ConnStateNotAuthenticated { // otherwise PREAUTH
		if err := s.login(ctx, a); err != nil {
			return err
		}
	}
	return s.guard.do(ctx, "capability", 0, func() error {
		s.idles = s.client.Caps().Has(imap.CapIdle)
		return nil
	})
}

// secure does TLS as the account wants it and starts the client on top.
func (s *session) secure(ctx context.Context, a Account) error {
	options := &imapclient.Options{
		TLSConfig: &tls.Config{ServerName: a.Host, RootCAs: a.CAs, MinVersion: tls.VersionTLS12},
		// Calling the client from its handler would dead-lock; this only leaves a note.
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					select {
					case s.wake <- struct{}{}:
					default:
					}
				}
			},
		},
	}
	switch a.TLS {
	case "none":
		s.client = imapclient.New(s.guard, options)
		return nil
	case "starttls":
		return s.guard.do(ctx, "starttls", 0, func() (err error) {
			s.client, err = imapclient.NewStartTLS(s.guard, options)
			return err
		})
	case "tls", "":
		return s.guard.do(ctx, "tls", 0, func() error {
			conn := tls.Client(s.guard, options.TLSConfig)
			if err := conn.HandshakeContext(ctx); err != nil {
				return err
			}
			s.client = imapclient.New(conn, options)
			return nil
		})
	}
	return fmt.Errorf("tls %q: want tls, starttls or none", a.TLS)
}

// login prefers AUTHENTICATE, whose PLAIN takes any password in UTF-8, and falls back on LOGIN.
func (s *session) login(ctx context.Context, a Account) error {
	var known imap.CapSet
	err := s.guard.do(ctx, "capability", 0, func() error {
		known = s.client.Caps()
		return nil
	})
	if err != nil {
		return err
	}
	attempt, err := a.Login.Begin(ctx, func(mechanism string) bool {
		return mechanism == sasl.Login || known.Has(imap.AuthCap(mechanism)) // for the first there is a command
	})
	var dead *login.GrantError
	if errors.As(err, &dead) {
		return &LoginError{Mailbox: a.Mailbox, Err: err}
	}
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	err = s.guard.do(ctx, "login", 0, func() error {
		if username, password, ok := a.Login.Password(); ok && !known.Has(imap.AuthCap(sasl.Plain)) {
			return s.client.Login(username, password).Wait()
		}
		return s.client.Authenticate(attempt)
	})
	var refusal *imap.Error
	if !errors.As(err, &refusal) {
		return err
	}
	refusal.Text = attempt.Scrub(refusal.Text)
	if refusal.Code == imap.ResponseCodeUnavailable { // RFC 5530: a temporary failure
		return err
	}
	return &LoginError{Mailbox: a.Mailbox, Err: attempt.Refused(refusal)}
}

// close ends the connection and waits for the client's reader.
func (s *session) close() {
	s.guard.stop()
	if s.client != nil {
		<-s.client.Closed()
	}
}

// logout says good-bye; what the server makes of it does not matter.
func (s *session) logout(ctx context.Context) error {
	return s.guard.do(ctx, "logout", 0, func() error { return s.client.Logout().Wait() })
}

// examine opens the folder for reading only.
func (s *session) examine(ctx context.Context, folder string) (data *imap.SelectData, err error) {
	err = s.guard.do(ctx, fmt.Sprintf("examine folder %q", folder), 0, func() error {
		data, err = s.client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err == nil && data.UIDValidity == 0 {
		err = fmt.Errorf("examine folder %q: the server gives no UIDVALIDITY", folder)
	}
	return data, err
}

// choose opens the folder for writing.
func (s *session) choose(ctx context.Context, folder string) (data *imap.SelectData, err error) {
	err = s.guard.do(ctx, fmt.Sprintf("select folder %q", folder), 0, func() error {
		data, err = s.client.Select(folder, nil).Wait()
		return err
	})
	return data, err
}

// search lists the UIDs from first to last, at most limit of them, ascending. last 0 is the end.
func (s *session) search(ctx context.Context, first, last uint32, limit int) (uids []uint32, err error) {
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{{{Start: imap.UID(first), Stop: imap.UID(last)}}}}
	err = s.guard.do(ctx, "uid search", searchBytes, func() error {
		data, err := s.client.UIDSearch(criteria, nil).Wait()
		if err != nil {
			return err
		}
		set, _ := data.All.(imap.UIDSet)
		for _, r := range set {
			for uid := max(uint64(r.Start), uint64(first)); uid <= uint64(r.Stop) && len(uids) < limit; uid++ {
				// n:* names the last mail even when its UID is under n (RFC 9051 section 6.4.9).
				if last == 0 || uid <= uint64(last) {
					uids = append(uids, uint32(uid))
				}
			}
		}
		return nil
	})
	return uids, err
}

// list is the light pass: what there is of these UIDs, in their order. What is not in it is gone.
func (s *session) list(ctx context.Context, uids []uint32, dates bool) (mails []listed, err error) {
	options := &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: dates}
	err = s.guard.do(ctx, "uid fetch sizes", 0, func() error {
		buffers, err := s.client.Fetch(uidSet(uids), options).Collect()
		if err != nil {
			return err
		}
		found := map[uint32]listed{}
		for _, b := range buffers {
			found[uint32(b.UID)] = listed{uid: uint32(b.UID), seq: b.SeqNum, size: b.RFC822Size, date: b.InternalDate}
		}
		for _, uid := range uids {
			if mail, ok := found[uid]; ok {
				mails = append(mails, mail)
			}
		}
		return nil
	})
	return mails, err
}

// lastUID is the UID of the mail with this sequence number; 0 when it is gone.
func (s *session) lastUID(ctx context.Context, seq uint32) (uid uint32, err error) {
	err = s.guard.do(ctx, "fetch last uid", 0, func() error {
		buffers, err := s.client.Fetch(imap.SeqSetNum(seq), &imap.FetchOptions{UID: true}).Collect()
		for _, b := range buffers {
			uid = max(uid, uint32(b.UID))
		}
		return err
	})
	return uid, err
}

// bodies fetches what is to be taken of each mail: first the whole ones, then the header sections.
func (s *session) bodies(ctx context.Context, mails []listed) (map[uint32][]byte, error) {
	got := map[uint32][]byte{}
	for _, t := range []take{whole, header} {
		var some []listed
		for _, mail := range mails {
			if mail.take == t {
				some = append(some, mail)
			}
		}
		if len(some) == 0 {
			continue
		}
		came, err := s.fetchAll(ctx, some, t)
		maps.Copy(got, came)
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

// fetchAll fetches mails with one command; two in flight would dead-lock the library. What came
// without a body is not in the result; what came whole before an error is. A tagged NO is not an error
// here: the server may have given some before it, and the caller looks after what is missing.
func (s *session) fetchAll(ctx context.Context, mails []listed, t take) (map[uint32][]byte, error) {
	var uids []uint32
	var expect int64
	for _, mail := range mails {
		uids = append(uids, mail.uid)
		expect += mail.expect()
	}
	return s.fetchBodies(ctx, "uid fetch bodies", uidSet(uids), expect, section(t))
}

// section is what is asked for. A header section is cut where no honest one would end.
func section(t take) imap.FetchItemBodySection {
	if t == header {
		return imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Partial: &imap.SectionPartial{Size: maxHeader}}
	}
	return imap.FetchItemBodySection{}
}

// bodyBySequence fetches one mail by its sequence number. The library loses a body whose response has
// the UID behind the literal, unless it was asked for this way.
func (s *session) bodyBySequence(ctx context.Context, mail listed) (map[uint32][]byte, error) {
	return s.fetchBodies(ctx, "fetch body", imap.SeqSetNum(mail.seq), mail.expect(), section(mail.take))
}

// glimpse fetches the first bytes of one mail, to see whether the server gives bodies at all.
func (s *session) glimpse(ctx context.Context, uid uint32) (bool, error) {
	got, err := s.fetchBodies(ctx, "uid fetch start of body", imap.UIDSetNum(imap.UID(uid)), 0, imap.FetchItemBodySection{Partial: &imap.SectionPartial{Size: 1024}})
	return len(got) > 0, err
}

func (s *session) fetchBodies(ctx context.Context, what string, set imap.NumSet, expect int64, section imap.FetchItemBodySection) (map[uint32][]byte, error) {
	got := map[uint32][]byte{}
	section.Peek = true
	err := s.guard.do(ctx, what, expect, func() error {
		command := s.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{&section}})
		for message := command.Next(); message != nil; message = command.Next() {
			uid, raw, err := readMessage(message)
			if err != nil {
				s.guard.stop() // nothing more of this answer is wanted
				if errors.Is(err, errTooLarge) {
					_ = command.Close() // the client's reader waits for the body to be read
				}
				// QUIRK: after a body that broke off, Close would read on in it while the client's
				// reader does so too.
				return err
			}
			if uid != 0 && raw != nil {
				got[uid] = raw
			}
		}
		return refusalIsNoError(command.Close())
	})
	return got, err
}

// readMessage takes one FETCH response apart; raw is nil when there was no body in it.
func readMessage(message *imapclient.FetchMessageData) (uid uint32, raw []byte, err error) {
	for item := message.Next(); item != nil; item = message.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil { // NIL: the server has nothing to give
				continue
			}
			if raw, err = readLiteral(item.Literal); err != nil {
				return 0, nil, err
			}
		}
	}
	return uid, raw, nil
}

// readLiteral reads a body whole. The library gives a literal cut short by the end of the connection
// as if it were complete, so the length is compared here.
func readLiteral(literal imap.LiteralReader) ([]byte, error) {
	size := literal.Size()
	if size > maxMail {
		return nil, errTooLarge
	}
	buffer := bytes.NewBuffer(make([]byte, 0, min(size, 1<<20)))
	n, err := io.Copy(buffer, literal)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if n != size {
		return nil, fmt.Errorf("read body: %d of %d bytes: %w", n, size, io.ErrUnexpectedEOF)
	}
	return buffer.Bytes(), nil
}

func refusalIsNoError(err error) error {
	var refusal *imap.Error
	if errors.As(err, &refusal) && refusal.Type == imap.StatusResponseTypeNo {
		return nil
	}
	return err
}

// idle waits for the server to announce a message, at most so long; ctx ends it too. At the end the
// server has probe to show that it is still there. One without IDLE is asked with NOOP.
func (s *session) idle(ctx context.Context, d, probe time.Duration) error {
	if !s.idles {
		s.pause(ctx, d)
		return s.guard.within(ctx, probe, "noop", 0, func() error { return s.client.Noop().Wait() })
	}
	var idle *imapclient.IdleCommand
	err := s.guard.within(ctx, probe, "idle", 0, func() (err error) {
		idle, err = s.client.Idle()
		return err
	})
	if err != nil {
		return err
	}
	s.pause(ctx, d)
	return s.guard.within(ctx, probe, "end of idle", 0, func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}

// pause returns when there is something to do: a message announced, the connection or the context
// ended, the time over.
func (s *session) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.wake:
		s.rouse() // the note stays for whoever asks awake
	case <-s.client.Closed():
	case <-ctx.Done():
	case <-timer.C:
	}
}

// rouse leaves a note that there is something to fetch.
func (s *session) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// awake takes the note, if there is one.
func (s *session) awake() bool {
	select {
	case <-s.wake:
		return true
	default:
		return false
	}
}

func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}
