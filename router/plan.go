package router

import (
	"fmt"
	"time"

	"github.com/bustia/bustia/classifier"
	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// Event is something that happened and must be decided upon: *Mail, DeadlineReached, Order or
// SendRefused.
type Event interface{ event() }

// Mail is one received mail with all that was judged of it. Judge makes it.
type Mail struct {
	Received store.Received
	Message  *mailbox.Message
	Words    mailbox.Words
	Screen   mailbox.Verdict
	Bounce   *mailbox.BounceReport // nil unless Screen says so
	Refs     mailbox.References
	Auth     mailbox.Auth
	Class    classifier.Result
	Token    *Token // of a signed address of ours it was sent to; nil = none
}

// DeadlineReached is the clock at the next step of a deadline.
type DeadlineReached struct{ Deadline store.Deadline }

// Order is a command by the operator of the daemon, given on the command line.
type Order struct {
	By      string // login name
	Command Command
}

// SendRefused is a mail of ours that the submission server will never take.
type SendRefused struct {
	Outgoing store.Outgoing
	Reason   string // code and the server's line
}

func (*Mail) event()           {}
func (DeadlineReached) event() {}
func (Order) event()           {}
func (SendRefused) event()     {}

// Facts is everything Decide may know besides the event: nothing else is looked up.
type Facts struct {
	Config     *config.Config
	Mailbox    *config.Mailbox   // the event's or the case's
	Case       *store.Case       // the case concerned; nil = none yet
	Deadlines  []store.Deadline  // of the case, open ones
	Current    *store.Assignment // who treats (or triages) the case now; nil = nobody
	Oversight  *store.Assignment // the supervisor's, since a breach; nil = none
	Assignment *store.Assignment // whose reply address the mail came to; nil = none
	Held       *store.Outgoing   // an answer on the case that waits for OK
	Said       []Said            // what the citizen wrote on the case, oldest first
	Same       *store.Received   // the same mail, taken in before
	Original   *store.Outgoing   // our mail that a bounce gives back
	Recent     int               // mails of ours to the citizen's address in the last hour
	Answered   int               // mails of ours in the last hour that answered an agent's on the case
	Workload   Workload
}

// Said is one mail of the citizen's on a case.
type Said struct {
	At      time.Time
	Size    int // of the mail, in bytes
	Message *mailbox.Message
	Words   mailbox.Words

	Truncated bool // only its header section was taken in
}

// Plan is what one event leads to. The shell carries it out in one transaction.
type Plan struct {
	Disposition store.Disposition // of the mail; "" when the event was none
	Reason      string            // why, for the ledger
	Case        *store.Case       // as it shall be; ID 0 = open it; nil = no case changes
	From        store.State       // state the case must still be in
	End         bool              // end the case's assignments before Assign
	Assign      *store.Assignment // new; its ID is made when carried out
	Counts      []PlannedDeadline // new deadlines
	EndState    string            // what open deadlines end as: met, missed or void; "" = they go on
	Step        *PlannedStep      // move a deadline to its next step
	Release     store.OutgoingID  // held answer to send
	Drop        store.OutgoingID  // held answer to forget
	Letters     []Letter          // mails to render, in order
	Events      []store.Event     // for the case's history
	Route       Route             // how the agent was found, when one was
	Refused     string            // why an Order cannot be carried out; nothing else is planned then
}

// PlannedDeadline is a deadline with the count that led to it.
type PlannedDeadline struct {
	store.Deadline
	Term  config.Term
	Count Count
}

// PlannedStep moves a deadline on, if From steps were done so far, to To steps done.
type PlannedStep struct {
	ID       store.DeadlineID
	From, To int
	Next     step
}

// Letter is one mail to write: who reads it, and what it says besides the facts of the case.
type Letter struct {
	Kind        string // of template
	To          mailbox.Address
	Agent       string // id of the reader; "" = the citizen
	Language    config.Language
	Purpose     Purpose            // what replying to it does
	Assignment  store.AssignmentID // the reply address is signed for it; 0 = the plan's new one
	Automatic   string             // Auto-Submitted (RFC 3834); "" = a person's words
	Answer      string
	Words       string
	Reason      []Phrase
	Candidates  []string
	TooLarge    string // the limit that the citizen's mail went over; "" when it came whole
	Attachments []mailbox.Attachment
	InReplyTo   mailbox.MessageID
	References  []mailbox.MessageID
	Hold        bool // store it, send it only after the agent's OK
}

// Decide says what follows from event, given facts, at now. It is pure: the same arguments give
// the same plan.
func Decide(event Event, f Facts, now time.Time) Plan {
	switch e := event.(type) {
	case *Mail:
		return decideMail(e, f, now)
	case DeadlineReached:
		return decideDeadline(e, f, now)
	case Order:
		return decideOrder(e, f, now)
	case SendRefused:
		return decideRefusal(e, f, now)
	default:
		panic(fmt.Sprintf("event %T", event))
	}
}

// decideMail finds out whose mail it is and what for, in the order in which being wrong would do most harm.
func decideMail(m *Mail, f Facts, now time.Time) Plan {
	switch {
	case f.Same != nil:
		return decideDuplicate(m, f, now)
	case m.Screen.Kind == mailbox.BounceKind || m.Screen.Kind == mailbox.Delay:
		return decideBounce(m, f, now)
	case m.Screen.Kind != mailbox.Person && !(m.Screen.Kind == mailbox.Junk && expected(m, f)):
		return decideAutomatic(m, f, now)
	case f.Assignment != nil && !sentBy(m, f.Config, f.Assignment.Agent) && belongs(m, f.Case): // the agent showed them their address
		return decideFollowUp(m, f, now)
	case f.Assignment != nil:
		return decideAgentMail(m, f, now)
	case f.Original != nil && f.Original.Agent != "" && sentBy(m, f.Config, f.Original.Agent):
		return decideStrayReply(m, f, now)
	case f.Case != nil && belongs(m, f.Case):
		return decideFollowUp(m, f, now)
	case f.Case != nil:
		return decideStranger(m, f, now)
	case m.Class.Ignore != "":
		return Plan{Disposition: store.Ignored, Reason: "rule " + m.Class.Ignore}
	default:
		return decideNewCase(m, f, now)
	}
}

// expected says whether m is from the citizen or the agent of the case it names.
func expected(m *Mail, f Facts) bool {
	return f.Case != nil && belongs(m, f.Case) || f.Assignment != nil && sentBy(m, f.Config, f.Assignment.Agent)
}

// decideDuplicate accounts for a mail that was taken in before, at another place or another time.
func decideDuplicate(m *Mail, f Facts, now time.Time) Plan {
	p := Plan{Disposition: store.Duplicate, Reason: fmt.Sprintf("same mail as ledger %d", f.Same.ID)}
	if f.Case == nil {
		return p
	}
	p.Case, p.From = f.Case, f.Case.State
	if f.Same.Mailbox != m.Received.Mailbox {
		p.event(now, "also_received", "citizen", "mailbox", m.Received.Mailbox)
	}
	return p
}

// event adds one entry to the case's history; facts are name, value, name, value, …; empty values are left out.
func (p *Plan) event(at time.Time, kind, actor string, facts ...string) {
	e := store.Event{At: at, Kind: kind, Actor: actor, Facts: map[string]string{}}
	for i := 0; i+1 < len(facts); i += 2 {
		if facts[i+1] != "" {
			e.Facts[facts[i]] = facts[i+1]
		}
	}
	p.Events = append(p.Events, e)
}

// change starts a plan that changes the case at hand.
func (f Facts) change(d store.Disposition, reason string) Plan {
	c := *f.Case
	return Plan{Disposition: d, Reason: reason, Case: &c, From: f.Case.State}
}

// circuit and calendar of the case at hand; the configuration was checked, so they exist.
func (f Facts) circuit(c *store.Case) (*config.Circuit, *config.Calendar) {
	id := f.Mailbox.Circuit
	if c != nil && c.Circuit != "" {
		id = c.Circuit
	}
	circuit, ok := f.Config.Circuit(id)
	if !ok { // the circuit was taken out of the configuration since: the mailbox's holds
		circuit, _ = f.Config.Circuit(f.Mailbox.Circuit)
	}
	calendar, _ := f.Config.Calendar(circuit.Calendar)
	return circuit, calendar
}
