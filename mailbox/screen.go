package mailbox

// Kind is what sort of mail a message is.
type Kind string

// Kinds of mail.
const (
	Person     Kind = "person"
	AutoReply  Kind = "auto_reply"  // vacation, out of office (RFC 3834)
	BounceKind Kind = "bounce"      // delivery failed (RFC 3464)
	Delay      Kind = "delay"       // delivery delayed, still trying
	DSNSuccess Kind = "dsn_success" // delivered, relayed, expanded
	Report     Kind = "report"      // ARF (RFC 5965), MDN (RFC 8098), DMARC and TLS reports
	List       Kind = "list"        // a mailing list's or bulk mail (RFC 2919, 2369)
	Challenge  Kind = "challenge"   // "confirm that you are human"
	Loop       Kind = "loop"        // our own mail come back
	Junk       Kind = "junk"        // marked so by the receiving server
)

// Verdict is what Screen found.
type Verdict struct {
	Kind   Kind
	Reason string // the header field or rule that decided
	Answer bool   // an automatic mail may be sent to the writer
}

// Own tells our own mail from others'.
type Own struct {
	Addresses []string // every address of every mailbox of ours
	Domain    string   // right-hand side of the Message-IDs we make
}

// BounceReport is what a delivery status notification says (RFC 3464), or what could be read of an
// old free-form one.
type BounceReport struct {
	Action            string // failed, delayed, delivered, relayed, expanded
	Hard              bool   // no retry will help
	Reason            string // user_unknown, mailbox_full, host_unknown, rejected, blocked, too_large, expired, filtered, suspended, network, policy, security, content, other
	Recipients        []BouncedRecipient
	OriginalMessageID MessageID // of the mail that did not arrive
}

// BouncedRecipient is one recipient of a BounceReport.
type BouncedRecipient struct {
	Address string
	Status  string // enhanced status code (RFC 3463), "5.1.1"
}
