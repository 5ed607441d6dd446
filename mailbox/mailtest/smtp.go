package mailtest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const maxMessageBytes = 64 << 20

func (s *Server) newSMTP() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		return &smtpSession{server: s, conn: conn}, nil
	}))
	server.Domain = "mail.example.org"
	server.MaxMessageBytes = maxMessageBytes
	server.MaxRecipients = 100
	server.ReadTimeout, server.WriteTimeout = 5*time.Minute, time.Minute
	server.EnableSMTPUTF8 = true
	server.TLSConfig = s.options.startTLS()
	server.AllowInsecureAuth = s.options.TLS == nil
	server.ErrorLog = quiet()
	return server
}

func (o Options) startTLS() *tls.Config {
	if o.ImplicitTLS {
		return nil
	}
	return o.TLS
}

// smtpSession is one connection; who has logged in outlives its transactions.
type smtpSession struct {
	server *Server
	conn   *smtp.Conn
	user   *user // nil = not logged in

	reversePath string
	utf8        bool
	recipients  []string
}

func (c *smtpSession) Reset() { c.reversePath, c.utf8, c.recipients = "", false, nil }

func (c *smtpSession) Logout() error { return nil }

func (c *smtpSession) AuthMechanisms() []string { return c.server.mechanisms() }

func (c *smtpSession) Auth(mechanism string) (sasl.Server, error) {
	if exchange := c.server.exchange(mechanism, func(u *user) { c.user = u }, smtp.ErrAuthFailed); exchange != nil {
		return exchange, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// Mail takes strangers' mail as an MX does, and a user's own only after their login.
func (c *smtpSession) Mail(reversePath string, options *smtp.MailOptions) error {
	owner := c.server.user(reversePath)
	if owner != nil && owner.password != "" && c.user == nil {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	c.reversePath, c.utf8 = reversePath, options.UTF8
	return nil
}

func (c *smtpSession) Rcpt(recipient string, _ *smtp.RcptOptions) error {
	if refuse := c.server.options.Refuse; refuse != nil {
		if err := refuse(recipient); err != nil {
			return c.hangUp(err)
		}
	}
	if c.server.user(recipient) == nil && c.server.local(recipient) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
	}
	c.recipients = append(c.recipients, recipient)
	return nil
}

func (c *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // the library answers for a broken or too large mail
	}
	for _, recipient := range c.recipients {
		var answer error
		if hook := c.server.options.Data; hook != nil {
			answer = hook(recipient, raw)
		}
		if answer != nil && !errors.Is(answer, ErrHangUp) {
			return answer
		}
		if err := c.server.accept(Accepted{ReversePath: c.reversePath, Recipient: recipient, Raw: raw, UTF8: c.utf8}); err != nil {
			return err
		}
		if answer != nil {
			return c.hangUp(answer)
		}
	}
	return nil
}

// hangUp drops the connection when that is what err asks for; the answer then goes nowhere.
func (c *smtpSession) hangUp(err error) error {
	if errors.Is(err, ErrHangUp) {
		_ = c.conn.Conn().Close() // nobody is left to be told
	}
	return err
}

// accept keeps a mail and, when it is for a user, delivers it.
func (s *Server) accept(a Accepted) error {
	a.At = s.options.Clock()
	s.mu.Lock()
	s.accepted = append(s.accepted, a)
	s.wakeLocked()
	s.mu.Unlock()
	if s.user(a.Recipient) == nil {
		return nil
	}
	fields := deliveryFields(a.Raw, a.Recipient, &a.ReversePath)
	return s.deliver(a.Recipient, fields, a.Raw, a.At)
}

// deliveryFields is what a delivery agent writes in front of a mail. Without an envelope (nil) the
// reverse-path is taken from From, unless the mail already begins with a Return-Path.
func deliveryFields(raw []byte, recipient string, reversePath *string) string {
	eol := "\r\n"
	if !bytes.Contains(raw, []byte("\r\n")) {
		eol = "\n"
	}
	delivered := "Delivered-To: " + recipient + eol
	if reversePath == nil {
		if hasPrefixFold(raw, "Return-Path:") {
			return delivered
		}
		from := fromAddress(raw)
		reversePath = &from
		if from == "" {
			return delivered // no From to take it from, and <> would make a bounce of it
		}
	}
	return fmt.Sprintf("Return-Path: <%s>%s%s", *reversePath, eol, delivered)
}

func hasPrefixFold(raw []byte, prefix string) bool {
	return len(raw) >= len(prefix) && strings.EqualFold(string(raw[:len(prefix)]), prefix)
}

// fromAddress is the first address of From, or "" when there is none to be read.
func fromAddress(raw []byte) string {
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	list, err := mail.ParseAddressList(message.Header.Get(textproto.CanonicalMIMEHeaderKey("From")))
	if err != nil || len(list) == 0 {
		return ""
	}
	return list[0].Address
}
