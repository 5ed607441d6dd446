package router

import (
	"time"

	"github.com/bustia/bustia/config"
)

// A mail larger than its mailbox takes comes without its body: only the header section was fetched, and
// the mail itself lies on the server as it came. The case is opened all the same, because the committed
// time runs; the citizen learns that the rest did not come through, and whoever has the case where it is.

// limit is the size that a mail went over, as a citizen reads it; "" when it came whole.
func (m *Mail) limit(f Facts) string {
	if !m.Received.Truncated {
		return ""
	}
	return f.Mailbox.MaxSize.String()
}

// large puts into the history that a mail came without its body, and tells the citizen on a case that
// goes on; on a new one the acknowledgement says so.
func (p *Plan) large(m *Mail, f Facts, now time.Time) {
	if !m.Received.Truncated {
		return
	}
	p.event(now, "too_large", "clock", "size", config.Size(m.Received.Size).String(), "limit", m.limit(f), "folder", m.Received.Folder)
	for _, l := range p.Letters {
		if l.TooLarge != "" {
			return
		}
	}
	p.acknowledge(m, f, config.FollowUpReceived, now)
}

// beyond tells an agent which of the mails they are shown came without their body.
func (f Facts) beyond(said []Said) (why []Phrase) {
	for _, s := range said {
		if s.Truncated {
			why = append(why, Phrase{"too_large", []any{config.Size(s.Size).String(), f.Mailbox.Address}})
		}
	}
	return why
}
