package mailtest

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

func (s *Server) newIMAP() *imapserver.Server {
	return imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.closed {
				return nil, nil, errors.New("closed")
			}
			s.running.Add(1)
			return &imapSession{server: s}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {},
			imap.CapMove: {}, imap.CapESearch: {}, imap.CapStatusSize: {},
		},
		Logger:       quiet(),
		TLSConfig:    s.options.startTLS(),
		InsecureAuth: s.options.TLS == nil,
	})
}

// imapSession is the memory server's session with our users, our Idle and a wake-up at each change.
type imapSession struct {
	*imapmemserver.UserSession // nil before login
	server                     *Server
	user                       *user
}

func (c *imapSession) Close() error {
	defer c.server.running.Done()
	return c.UserSession.Close()
}

func (c *imapSession) Login(username, password string) error {
	u := c.server.login(username, password)
	if u == nil {
		return imapserver.ErrAuthFailed
	}
	c.enter(u)
	return nil
}

func (c *imapSession) enter(u *user) { c.user, c.UserSession = u, imapmemserver.NewUserSession(u.box) }

// AuthenticateMechanisms leaves LOGIN out: IMAP has a command of that name.
func (c *imapSession) AuthenticateMechanisms() []string {
	return slices.DeleteFunc(c.server.mechanisms(), func(m string) bool { return m == sasl.Login })
}

func (c *imapSession) Authenticate(mechanism string) (sasl.Server, error) {
	if exchange := c.server.exchange(mechanism, c.enter, imapserver.ErrAuthFailed); exchange != nil {
		return exchange, nil
	}
	return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "Unknown mechanism"}
}

// login gives the user, or nil when the password is wrong.
func (s *Server) login(username, password string) *user {
	u := s.user(username)
	if u == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.password != "" && u.password != password {
		return nil
	}
	return u
}

// Idle writes updates as they come. The memory server's own Idle stays silent about what was
// delivered between the client's last command and its IDLE; this one looks first.
func (c *imapSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		changed := c.server.next()
		if err := c.UserSession.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stop:
			return nil
		}
	}
}

func (c *imapSession) Append(folder string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read literal: %w", err)
	}
	return c.server.put(c.user, folder, raw, options)
}

func (c *imapSession) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, options *imap.StoreOptions) error {
	defer c.server.wake()
	return c.UserSession.Store(w, set, flags, options)
}

func (c *imapSession) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	defer c.server.wake()
	return c.UserSession.Expunge(w, uids)
}

func (c *imapSession) Move(w *imapserver.MoveWriter, set imap.NumSet, folder string) error {
	defer c.server.wake()
	return c.UserSession.Move(w, set, folder)
}
