package mailbox

// References is everything in a mail that may say which case it belongs to. None of it is proof:
// the caller checks signatures and senders.
type References struct {
	MessageIDs []MessageID // In-Reply-To, then References from the newest back, each once
	Case       Reference   // from the subject, check digit right; "" when none
	Recipients []string    // every address it was sent to: Delivered-To, X-Original-To, Envelope-To, To, Cc
}

// Reference is a case's name for people: B-2026-004217-7 (year, number, check digit).
type Reference string
