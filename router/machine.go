package router

import (
	"slices"
	"strings"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// decideAutomatic accounts for a machine's mail. It is never answered; on a case it is noted.
func decideAutomatic(m *Mail, f Facts, now time.Time) Plan {
	p := Plan{Disposition: store.Automatic, Reason: string(m.Screen.Kind) + ": " + m.Screen.Reason}
	if f.Case != nil && (f.Assignment != nil || belongs(m, f.Case)) {
		p.Case, p.From = f.Case, f.Case.State
		p.event(now, "automatic_mail", "clock", "kind", string(m.Screen.Kind), "why", m.Screen.Reason)
	}
	return p
}

// decideBounce puts a delivery status notification on the case of the mail that did not arrive, and
// tells a human when it never will.
func decideBounce(m *Mail, f Facts, now time.Time) Plan {
	p := Plan{Disposition: store.Bounced, Reason: string(m.Screen.Kind) + ": " + m.Screen.Reason}
	if f.Case == nil || f.Original == nil && !concerns(m.Bounce, f.Case) { // anybody can name a reference
		return p
	}
	p.Case, p.From = f.Case, f.Case.State
	reason, hard := "", false
	if m.Bounce != nil {
		reason, hard = bounceReason(m.Bounce), m.Bounce.Hard
	}
	kind, agent := "", ""
	if f.Original != nil {
		kind, agent = f.Original.Kind, f.Original.Agent
	}
	p.event(now, "undelivered", "clock", "mail", kind, "to", role(agent), "why", reason, "kind", string(m.Screen.Kind))
	if hard {
		p.undelivered(f, agent, reason, now)
	}
	return p
}

// concerns says whether a bounce is about mail to the citizen of c.
func concerns(b *mailbox.BounceReport, c *store.Case) bool {
	return b != nil && slices.ContainsFunc(b.Recipients, func(r mailbox.BouncedRecipient) bool { return sameAddress(r.Address, c.CitizenAddress) })
}

func bounceReason(b *mailbox.BounceReport) string {
	said := []string{b.Reason}
	for _, r := range b.Recipients {
		if r.Status != "" {
			said = append(said, r.Status)
		}
	}
	return strings.Join(said, " ")
}

// undelivered tells whoever can act that a mail of ours will never arrive: the agent of the case
// when the citizen did not get it, the supervisor when the agent did not.
func (p *Plan) undelivered(f Facts, agent, reason string, now time.Time) {
	l := Letter{Kind: config.Undelivered, Reason: []Phrase{{"undelivered", []any{reason}}}}
	if agent == "" {
		p.nudge(f, l, now)
		return
	}
	if f.overseer(f.Case) != agent { // else nobody is left to tell: the history shows it
		p.oversee(f, l, now)
	}
}

// decideRefusal handles a mail of ours that the submission server will never take.
func decideRefusal(e SendRefused, f Facts, now time.Time) Plan {
	p := Plan{}
	if f.Case == nil {
		return p
	}
	p.Case, p.From = f.Case, f.Case.State
	p.event(now, "undelivered", "clock", "mail", e.Outgoing.Kind, "to", role(e.Outgoing.Agent), "why", e.Reason)
	if e.Outgoing.Kind != config.Undelivered { // one refusal is not told by mails that are refused in turn
		p.undelivered(f, e.Outgoing.Agent, e.Reason, now)
	}
	return p
}

func role(agent string) string {
	if agent == "" {
		return "citizen"
	}
	return "agent:" + agent
}
