package mailbox

import "time"

// Outgoing is one mail to write. Compose turns it into bytes once; those bytes are stored and sent.
type Outgoing struct {
	From          Address
	To            Address
	ReplyTo       Address // none when its Address is ""
	Subject       string
	Date          time.Time
	MessageID     MessageID
	InReplyTo     MessageID
	References    []MessageID
	AutoSubmitted string // RFC 3834: "auto-replied", "auto-generated", or "" for a person's words
	Language      string // Content-Language (RFC 3282), BCP 47
	Text          string
	HTML          string // "" = no HTML twin
	Attachments   []Attachment
}
