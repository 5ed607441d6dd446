package submit

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/bustia/bustia/mailbox/login"
)

// Server is a submission server and how to log in to it. Printing or logging it does not show what
// it is logged in to with.
type Server struct {
	Host  string
	Port  int               // 0 = 465 for tls, 587 for starttls, 25 for none
	TLS   string            // "tls" (also ""), "starttls" or "none"
	CAs   *x509.CertPool    // nil = the system's
	Login login.Credentials // none = no login
	HELO  string            // our own name; "" = localhost
}

// String is host:port.
func (s Server) String() string { return s.address() }

// GoString is String: %#v must not show more.
func (s Server) GoString() string { return s.String() }

// LogValue is host:port.
func (s Server) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s Server) address() string {
	port := s.Port
	switch {
	case port != 0:
	case s.TLS == "starttls":
		port = 587
	case s.TLS == "none":
		port = 25
	default:
		port = 465
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(port))
}

func (s Server) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: s.CAs, MinVersion: tls.VersionTLS12}
}

func (s Server) helo() string {
	if s.HELO == "" {
		return "localhost"
	}
	return s.HELO
}

// Envelope is who a mail is from and for, as the servers see it (RFC 5321).
type Envelope struct {
	ReversePath string // where a bounce goes; "" = null reverse-path
	Recipient   string
}

func (e Envelope) check() error {
	if e.ReversePath != "" && !writable(e.ReversePath) {
		return &Error{Permanent: true, Enhanced: "5.1.7", Phase: PhaseMail, Err: fmt.Errorf("reverse-path cannot be written in SMTP")}
	}
	if !writable(e.Recipient) {
		return &Error{Permanent: true, Enhanced: "5.1.3", Phase: PhaseRcpt, Err: fmt.Errorf("recipient cannot be written in SMTP")}
	}
	return nil
}

// utf8 reports whether an address needs SMTPUTF8 (RFC 6531).
func (e Envelope) utf8() bool { return !ascii(e.ReversePath) || !ascii(e.Recipient) }
