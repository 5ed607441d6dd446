package router

import (
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/store"
)

// decideDeadline takes the step of a deadline that has fallen due: a reminder to whoever has the
// case; at the breach, the holding reply to the citizen and word to the supervisor; after that the
// supervisor each working day.
func decideDeadline(e DeadlineReached, f Facts, now time.Time) Plan {
	d := e.Deadline
	p := f.change("", "")
	if f.Case.State == store.Answered || f.Case.State == store.Closed {
		p.EndState = store.DeadlineVoid // cannot be: the answer ended it; never nag for a case that is done
		return p
	}
	circuit, calendar := f.circuit(f.Case)
	if !mailTime(now, calendar) { // a daemon that slept wakes at night: nobody is written to before the morning
		p.Step = &PlannedStep{ID: d.ID, From: d.Done, To: d.Done, Next: step{workingMorning(now, calendar), d.Step}}
		return p
	}
	count, done := recount(d, f), d.Done
	for done < len(circuit.Remind) && !nextStep(count, circuit, calendar, done+1, now).At.After(now) {
		done++ // slept through, and overtaken by the step after it
	}
	switch {
	case done < len(circuit.Remind):
		p.remind(d, f, now)
	case done == len(circuit.Remind):
		p.breach(d, f, now)
	default:
		p.escalate(d, f, now)
	}
	p.Step = &PlannedStep{ID: d.ID, From: d.Done, To: done + 1, Next: nextStep(count, circuit, calendar, done+1, now)}
	return p
}

// recount counts the deadline's term again: the reminders are shares of its days.
func recount(d store.Deadline, f Facts) Count {
	circuit, calendar := f.circuit(f.Case)
	term := circuit.Terms[f.Case.Type]
	if term.N == 0 { // the term was taken out of the configuration: the date stands
		return Count{Due: d.Due}
	}
	c := Due(term, d.From, calendar, circuit.NonworkingArrival)
	c.Due = d.Due
	return c
}

// remind tells whoever has the case how long is left.
func (p *Plan) remind(d store.Deadline, f Facts, now time.Time) {
	p.event(now, "reminded", "clock", "step", d.Step, "agent", f.current())
	p.nudge(f, Letter{Kind: config.Reminder}, now)
}

// breach tells the citizen once that the answer is late, and the supervisor.
func (p *Plan) breach(d store.Deadline, f Facts, now time.Time) {
	p.event(now, "breached", "clock", "due", f.local(d.Due), "agent", f.current())
	if c := f.Case; !c.Silent && c.CitizenAddress != "" && f.Recent < burst {
		l := Letter{Kind: config.HoldingReply, To: citizenOf(c), Language: config.Language(c.Language), Purpose: ForCitizen, Automatic: "auto-generated"}
		if n := len(f.Said); n > 0 {
			l.InReplyTo, l.References = f.Said[n-1].Message.MessageID, thread(f.Said[n-1].Message)
		}
		p.Letters = append(p.Letters, l)
	}
	if f.treated() {
		p.nudge(f, Letter{Kind: config.Reminder}, now)
	}
	p.oversee(f, f.late(), now)
}

// escalate tells the supervisor again.
func (p *Plan) escalate(d store.Deadline, f Facts, now time.Time) {
	p.event(now, "escalated", "clock", "due", f.local(d.Due), "supervisor", f.Case.Supervisor)
	p.oversee(f, f.late(), now)
}

// treated says whether somebody has the case who is still there.
func (f Facts) treated() bool {
	if f.Current == nil {
		return false
	}
	_, ok := f.Config.Agent(f.Current.Agent)
	return ok
}

// nudge writes to whoever has the case, at the address of their assignment; to the supervisor when
// nobody has.
func (p *Plan) nudge(f Facts, l Letter, now time.Time) {
	if l.Words == "" {
		l.Words = clip(f.words(f.Said))
	}
	if !f.treated() {
		p.oversee(f, l, now)
		return
	}
	l.Purpose, l.Assignment = ForAnswer, f.Current.ID
	if f.Current.Role != store.Treat {
		l.Purpose = ForCommands
	}
	p.letterTo(f, f.Current.Agent, l)
}

// overseer is the supervisor of c; when they are gone, that of its organisation or else its mailbox's.
func (f Facts) overseer(c *store.Case) string {
	for _, id := range []string{c.Supervisor, supervisorOf(f.Config, c.Organisation), supervisorOf(f.Config, f.Mailbox.Organisation)} {
		if _, ok := f.Config.Agent(id); ok {
			return id
		}
	}
	return ""
}

// oversee writes to the supervisor of the case, for commands only, unless the case is theirs already.
func (p *Plan) oversee(f Facts, l Letter, now time.Time) {
	supervisor := f.overseer(f.Case)
	if supervisor == "" || f.holds(supervisor) {
		return
	}
	l.Purpose = ForCommands
	if o := f.Oversight; o != nil && o.Agent == supervisor && now.Before(o.ExpiresAt) {
		l.Assignment = o.ID
	} else {
		p.Assign = f.assignment(p.Case, supervisor, store.Oversee, now)
	}
	p.letterTo(f, supervisor, l)
}

// late is the letter to the supervisor about a case whose committed time has passed.
func (f Facts) late() Letter {
	return Letter{Kind: config.Breach, Reason: []Phrase{{"agent_has", []any{f.current()}}}}
}

// local is t where the case's calendar holds.
func (f Facts) local(t time.Time) string {
	_, calendar := f.circuit(f.Case)
	return t.In(calendar.Zone).Format(time.RFC3339)
}

// current is the id of whoever has the case, for the history.
func (f Facts) current() string {
	if f.Current == nil {
		return ""
	}
	return f.Current.Agent
}
