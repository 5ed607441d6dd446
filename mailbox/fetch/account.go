package fetch

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

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

	MaxSize int64     // of a mail over so many bytes only the header section is handed on; 0 = 30 MB, 90 MB at most
	Since   time.Time // what the folder held when it was first opened, and was received earlier, is past; zero = nothing is
	Archive bool      // past mail is handed on with its bytes; without Since, all that the folder held is past
	After   string    // what Marks names is marked as: "flag" ($Bustia), "seen" or "move"; "" = "keep" = nothing is
	MoveTo  string    // folder for "move"
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

// maxSize is the size over which a mail is not taken in whole.
func (a Account) maxSize() int64 {
	if a.MaxSize <= 0 {
		return usualSize
	}
	return min(a.MaxSize, maxMail)
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

	// Marks lists mails of the folder that were received and are to be marked on the server, lowest UID
	// first, at most limit. It is asked after every look at the folder, unless Account.After says that
	// nothing is marked. May be nil.
	Marks func(ctx context.Context, mailbox, folder string, validity uint32, limit int) ([]uint32, error)

	// Marked takes note that these are marked, or gone from the folder: Marks names them no more. When it
	// fails they are marked again.
	Marked func(ctx context.Context, mailbox, folder string, validity uint32, uids []uint32) error

	// State is told when a mailbox can no longer be read (err says why: at once when the login is refused,
	// otherwise after three failures in a row) and when it can be again (nil); also the first time that it
	// can. folder is "" when the trouble is with the server or the login, so with every folder of the
	// mailbox. May be nil.
	State func(ctx context.Context, mailbox, folder string, err error)
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
