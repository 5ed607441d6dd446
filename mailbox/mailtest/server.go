package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// ErrHangUp, returned by a hook, drops the connection instead of answering. From Options.Data the mail
// is taken all the same: that is the answer a client never gets to see.
var ErrHangUp = errors.New("hang up")

// Options says what the server is made of. The zero value is a server without users on free ports.
type Options struct {
	Users    map[string]string // address → password; "" takes any password and needs no SMTP login
	Clock    func() time.Time  // internal date of mail taken over SMTP; default time.Now
	Host     string            // default 127.0.0.1
	IMAPPort int               // 0 = a free one
	SMTPPort int               // 0 = a free one

	TLS         *tls.Config // nil = no TLS; otherwise STARTTLS is offered, and login needs it
	ImplicitTLS bool        // TLS from the first byte instead of STARTTLS

	// Token says whether an address may log in with an access token of OAuth 2, by XOAUTH2 or OAUTHBEARER
	// (RFC 7628). nil = neither is offered.
	Token func(address, token string) bool

	// Refuse is asked for each recipient; an *smtp.SMTPError is the answer. May be nil.
	Refuse func(recipient string) error
	// Data is asked when a mail has come whole, before it is accepted. May be nil.
	Data func(recipient string, raw []byte) error
}

// Mail is a message in an INBOX.
type Mail struct {
	UID          uint32
	InternalDate time.Time
	Flags        []string // as the server keeps them: lower case, sorted
	Raw          []byte
}

// Accepted is one mail taken over SMTP, for one recipient.
type Accepted struct {
	ReversePath string // "" = null reverse-path
	Recipient   string // as given, with its subaddress
	Raw         []byte // as received, without the fields added at delivery
	At          time.Time
	UTF8        bool // the client asked for SMTPUTF8 (RFC 6531)
}

// Server is a running pair of servers. All its methods may be called at any time from anywhere.
type Server struct {
	options Options

	imapListener, smtpListener *listener
	imapServer                 *imapserver.Server
	smtpServer                 *smtp.Server
	running                    sync.WaitGroup // the two Serve loops and every IMAP session

	mu       sync.Mutex
	users    map[string]*user // by address, lower case
	accepted []Accepted
	changed  chan struct{} // closed at the next change
	closed   bool
}

// user is an address with its INBOX. The memory server does not give mails back, so they are kept
// here too; flags and what is left of the mails are its own.
type user struct {
	address, password string
	box               *imapmemserver.User
	mails             map[imap.UID]Mail // every mail ever put in the present INBOX
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	s := &Server{options: o, users: map[string]*user{}, changed: make(chan struct{})}
	for _, address := range slices.Sorted(maps.Keys(o.Users)) {
		s.AddUser(address, o.Users[address])
	}
	var err error
	if s.imapListener, err = listen(o, o.IMAPPort); err != nil {
		return nil, err
	}
	if s.smtpListener, err = listen(o, o.SMTPPort); err != nil {
		return nil, errors.Join(err, s.imapListener.Close())
	}
	s.imapServer, s.smtpServer = s.newIMAP(), s.newSMTP()
	s.running.Go(func() { _ = s.imapServer.Serve(s.imapListener) }) // ends only by Close
	s.running.Go(func() { _ = s.smtpServer.Serve(s.smtpListener) })
	return s, nil
}

// IMAPAddr is host:port of the IMAP side.
func (s *Server) IMAPAddr() string { return s.imapListener.Addr().String() }

// SMTPAddr is host:port of the SMTP side.
func (s *Server) SMTPAddr() string { return s.smtpListener.Addr().String() }

// IMAPConnections counts the IMAP connections taken since Start.
func (s *Server) IMAPConnections() int { return s.imapListener.taken() }

// SMTPConnections counts the SMTP connections taken since Start.
func (s *Server) SMTPConnections() int { return s.smtpListener.taken() }

// HangUp drops every open connection, as a restart of the server would.
func (s *Server) HangUp() {
	s.imapListener.hangUp()
	s.smtpListener.hangUp()
}

// Close drops every connection, stops listening and waits until all is quiet.
func (s *Server) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	err := errors.Join(s.imapListener.Close(), s.smtpListener.Close())
	s.HangUp()
	// Both close their listener again, which is no news. Shutdown waits for its sessions.
	for _, e := range []error{s.imapServer.Close(), s.smtpServer.Shutdown(context.Background())} {
		if !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	s.running.Wait()
	return err
}

// AddUser gives an address an empty INBOX, or a known one another password.
func (s *Server) AddUser(address, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(address)
	if u := s.users[name]; u != nil {
		u.password = password
		return
	}
	u := &user{address: address, password: password, mails: map[imap.UID]Mail{}}
	u.box = imapmemserver.NewUser(name, password)
	must(u.box.Create("INBOX", nil))
	s.users[name] = u
}

// Deliver puts a mail in a user's INBOX as a delivery agent does: Delivered-To in front, and a
// Return-Path made from the From field unless raw begins with its own. The address may have a
// subaddress. The rest of raw is left as it is, byte for byte.
func (s *Server) Deliver(address string, raw []byte, internalDate time.Time) error {
	return s.deliver(address, deliveryFields(raw, address, nil), raw, internalDate)
}

func (s *Server) deliver(address, fields string, raw []byte, internalDate time.Time) error {
	u := s.user(address)
	if u == nil {
		return fmt.Errorf("deliver to %s: no such user", address)
	}
	whole := append([]byte(fields), raw...)
	_, err := s.put(u, "INBOX", whole, &imap.AppendOptions{Time: internalDate.Truncate(time.Second)})
	return err
}

// put appends to one of a user's folders and keeps a copy of what goes to INBOX.
func (s *Server) put(u *user, folder string, raw []byte, options *imap.AppendOptions) (*imap.AppendData, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if options.Time.IsZero() {
		options.Time = s.options.Clock().Truncate(time.Second)
	}
	data, err := u.box.Append(folder, newLiteral(raw), options)
	if err != nil {
		return nil, fmt.Errorf("append to %s: %w", folder, err)
	}
	if folder == "INBOX" {
		u.mails[data.UID] = Mail{UID: uint32(data.UID), InternalDate: options.Time, Raw: raw}
	}
	s.wakeLocked()
	return data, nil
}

// Mails lists what is in a user's INBOX, oldest first; nil for an unknown user.
func (s *Server) Mails(address string) []Mail {
	u := s.user(address)
	if u == nil {
		return nil
	}
	view := imapmemserver.NewUserSession(u.box)
	if _, err := view.Select("INBOX", nil); err != nil {
		return nil
	}
	defer view.Close()
	search := func(criteria imap.SearchCriteria) []imap.UID {
		data, err := view.Search(imapserver.NumKindUID, &criteria, &imap.SearchOptions{})
		must(err)
		uids, _ := data.All.(imap.UIDSet).Nums()
		return uids
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var mails []Mail
	at := map[imap.UID]int{}
	for _, uid := range search(imap.SearchCriteria{}) {
		if mail, ok := u.mails[uid]; ok {
			at[uid] = len(mails)
			mails = append(mails, mail)
		}
	}
	for _, flag := range []imap.Flag{imap.FlagAnswered, imap.FlagDeleted, imap.FlagDraft, imap.FlagFlagged, imap.FlagSeen} {
		for _, uid := range search(imap.SearchCriteria{Flag: []imap.Flag{flag}}) {
			if i, ok := at[uid]; ok {
				mails[i].Flags = append(mails[i].Flags, strings.ToLower(string(flag)))
			}
		}
	}
	return mails
}

// Expunge removes mails from a user's INBOX; unknown UIDs are passed over.
func (s *Server) Expunge(address string, uids ...uint32) error {
	u := s.user(address)
	if u == nil {
		return fmt.Errorf("expunge for %s: no such user", address)
	}
	view := imapmemserver.NewUserSession(u.box)
	if _, err := view.Select("INBOX", nil); err != nil {
		return fmt.Errorf("expunge for %s: %w", address, err)
	}
	defer view.Close()
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := view.Store(nil, set, deleted, nil); err != nil {
		return fmt.Errorf("expunge for %s: %w", address, err)
	}
	if err := view.Expunge(nil, &set); err != nil {
		return fmt.Errorf("expunge for %s: %w", address, err)
	}
	s.wake()
	return nil
}

// Recreate replaces a user's INBOX by an empty one with a new UIDVALIDITY and drops the IMAP
// connections, which still look at the old one.
func (s *Server) Recreate(address string) error {
	u := s.user(address)
	if u == nil {
		return fmt.Errorf("recreate INBOX of %s: no such user", address)
	}
	s.mu.Lock()
	must(u.box.Delete("INBOX"))
	must(u.box.Create("INBOX", nil))
	u.mails = map[imap.UID]Mail{}
	s.wakeLocked()
	s.mu.Unlock()
	s.imapListener.hangUp()
	return nil
}

// Accepted lists every mail taken over SMTP, in order.
func (s *Server) Accepted() []Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accepted)
}

// Wait blocks until cond holds. It is asked now and after every delivery or other change, never
// otherwise, and may call the server's methods. The error is the context's.
func (s *Server) Wait(ctx context.Context, cond func() bool) error {
	for {
		changed := s.next()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Wake makes every Wait ask again, for conditions about things outside the server.
func (s *Server) Wake() { s.wake() }

func (s *Server) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeLocked()
}

func (s *Server) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// next is closed at the first change after this call.
func (s *Server) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// user finds who an address belongs to, without its subaddress; nil = nobody here.
func (s *Server) user(address string) *user {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[baseAddress(address)]
}

// local reports whether any user has the address's domain.
func (s *Server) local(address string) bool {
	_, domain, _ := cutLast(baseAddress(address), "@")
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.users {
		if _, d, _ := cutLast(name, "@"); d == domain {
			return true
		}
	}
	return false
}

// baseAddress is an address in lower case without its subaddress (RFC 5233).
func baseAddress(address string) string {
	local, domain, ok := cutLast(strings.ToLower(address), "@")
	if !ok {
		return local
	}
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	return local + "@" + domain
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func listen(o Options, port int) (*listener, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &listener{Listener: ln, implicit: implicitTLS(o), open: map[net.Conn]struct{}{}}, nil
}

// must is for calls on the memory server that cannot fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
