package mailbox

import "time"

// MessageID is a msg-id (RFC 5322 section 3.6.4) without its angle brackets.
type MessageID string

// Address is one mailbox address with its display name (RFC 5322 section 3.4).
type Address struct {
	Name    string // decoded display name, may be ""
	Address string // addr-spec as written, local part and domain; "" when there was none
}

// Message is one mail as read. Parse always gives one, however bad the bytes are; what was wrong
// with them is in Faults.
type Message struct {
	Header     Header // top-level header fields, in order
	MessageID  MessageID
	InReplyTo  []MessageID
	References []MessageID
	From       Address
	Sender     Address
	ReplyTo    []Address
	To         []Address
	Cc         []Address
	Subject    string
	Date       time.Time // as the sender claims; zero when it cannot be read
	Root       *Part     // never nil
	Faults     []Fault
}

// Part is a node of the MIME tree (RFC 2045, 2046).
type Part struct {
	Header      Header
	MediaType   string            // "text/plain", lower case
	Params      map[string]string // of Content-Type, names lower case
	Disposition string            // "attachment", "inline" or ""
	Filename    string            // decoded (RFC 2231, 2047), without any directory
	ContentID   string            // without angle brackets
	Body        []byte            // transfer encoding removed; text/* that is no attachment also in valid UTF-8; nil for a multipart
	Parts       []*Part           // of a multipart, or the one inside message/rfc822
}

// Attachment is a part meant to be kept as a file.
type Attachment struct {
	Filename  string // never empty: made up from the media type when the mail gives none
	MediaType string
	Body      []byte
}

// Fault is something wrong with a mail that did not keep us from reading it.
type Fault struct {
	Kind   string // address, boundary, charset, date, depth, empty, encoding, header, panic, parameter or parts
	Detail string
}

// Header is the fields of a header section in order, names as written.
type Header []Field

// Field is one header field. Value is unfolded and decoded (RFC 2047): valid UTF-8 on one line. Raw is what
// came after the colon, folding and all.
type Field struct {
	Name  string
	Value string
	Raw   string
}

// Received is one mail as an IMAP server gave it, with its place on that server.
type Received struct {
	Mailbox      string // name in the configuration
	Folder       string
	UIDValidity  uint32
	UID          uint32
	InternalDate time.Time // the server's reception (RFC 9051 section 2.3.3): committed times start here
	Size         int64     // as the server tells it (RFC822.SIZE); 0 = not told
	Raw          []byte
	Truncated    bool // Raw is the header section only: the mail is larger than its mailbox takes
	Past         Past // why it is not to be treated; "" = it is
}

// Past is why a mail that was in the folder before us is accounted for and not treated.
type Past string

// Kinds of past mail.
const (
	BeforeSince Past = "before since" // received before the day we begin; Raw is nil
	Archived    Past = "archive"      // kept, for whoever looks for it
)

// Position is how far a folder has been read: every UID up to LastUID is in the ledger.
type Position struct {
	UIDValidity uint32
	LastUID     uint32
	Backlog     uint32 // the highest UID there was when the folder was opened for the first time
}
