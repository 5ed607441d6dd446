package fetch

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/robfig/cron/v3"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
)

// Account is a folder on an IMAP server. Printing or logging it does not show what it logs in with.
type Account struct {
	Mailbox  string // name in the configuration, in the log and in every Received
	Host     string
	Port     int            // 0 = 993 for tls, otherwise 143
	TLS      string         // "tls" (also ""), "starttls" or "none"
	CAs      *x509.CertPool // nil = the system's
	Login    login.Credentials
	Folder   string        // "" = INBOX
	Schedule cron.Schedule // when to look although IDLE was silent; nil = every five minutes
}

// String names the account without its credentials.
func (a Account) String() string {
	return fmt.Sprintf("%s (%s on %s)", a.Mailbox, a.folder(), a.address())
}

// GoString is String: %#v must not show more.
func (a Account) GoString() string { return a.String() }

// LogValue is the account without its credentials: a username is often an address.
func (a Account) LogValue() slog.Value {
	return slog.GroupValue(slog.String("mailbox", a.Mailbox), slog.String("server", a.address()),
		slog.String("folder", a.folder()))
}

func (a Account) address() string {
	port := a.Port
	switch {
	case port != 0:
	case a.TLS == "starttls", a.TLS == "none":
		port = 143
	default:
		port = 993
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(port))
}

func (a Account) folder() string {
	if a.Folder == "" {
		return "INBOX"
	}
	return a.Folder
}

// Receiver is who takes the mails. Its functions are called one at a time.
type Receiver struct {
	// Position says how far the folder has been read; the zero Position when never.
	Position func(ctx context.Context, mailbox, folder string) (mailbox.Position, error)

	// Receive commits the batch and the new position in one transaction. The batch is in the order of
	// UIDs and may be empty: then only the position moves (a new UIDVALIDITY, expunged mails). After an
	// error the same mails come again, perhaps in other batches.
	Receive func(ctx context.Context, batch []mailbox.Received, to mailbox.Position) error

	// Unfetchable takes note of a mail that the server lists and will not give. It may be called twice
	// for the same UID; the position passes the UID only after it has returned nil. May be nil.
	Unfetchable func(ctx context.Context, mailbox, folder string, validity, uid uint32, err error) error
}

// LoginError is a login that somebody has to see to: the server refuses the password or the token
// (a *login.RefusedError lies under it), or the token server gives no token any more (a
// *login.GrantError).
type LoginError struct {
	Mailbox string // name in the configuration
	Err     error  // what the servers said
}

func (e *LoginError) Error() string { return fmt.Sprintf("login to mailbox %q: %v", e.Mailbox, e.Err) }

func (e *LoginError) Unwrap() error { return e.Err }
