package mailbox

import "strings"

// References is everything in a mail that may say which case it belongs to. None of it is proof:
// the caller checks signatures and senders.
type References struct {
	MessageIDs []MessageID // In-Reply-To, then References from the newest back, each once
	Case       Reference   // from the subject, check digit right; "" when none
	Recipients []string    // every address it was sent to: Delivered-To, X-Original-To, Envelope-To, To, Cc
}

// Reference is a case's name for people: B-2026-004217-7 (year, number, check digit).
type Reference string

// maxRefs is how many Message-IDs and recipients are taken from one mail.
const maxRefs = 1000

// Refs reads what a mail refers to. Recipients come as written, each once whatever its case, those
// the servers noted before those the writer did.
func Refs(m *Message) References {
	var r References
	r.Case, _ = FindReference(m.Subject)
	seen := make(map[string]bool)
	addID := func(id MessageID) {
		if id != "" && !seen[string(id)] && len(r.MessageIDs) < maxRefs {
			seen[string(id)] = true
			r.MessageIDs = append(r.MessageIDs, id)
		}
	}
	for _, id := range m.InReplyTo {
		addID(id)
	}
	for i := len(m.References) - 1; i >= 0; i-- {
		addID(m.References[i]) // RFC 5322 section 3.6.4: the newest is the last
	}
	known := make(map[string]bool)
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc"} {
		for _, a := range allAddresses(m.Header, name) {
			if key := strings.ToLower(a.Address); key != "" && !known[key] && len(r.Recipients) < maxRefs {
				known[key] = true
				r.Recipients = append(r.Recipients, a.Address)
			}
		}
	}
	return r
}
