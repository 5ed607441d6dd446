package config

// Kinds of mail we send, each with a template in every language of whoever reads it.
const (
	// To the citizen.
	Acknowledgement  = "acknowledgement"    // it arrived, its reference, who has it, by when
	FollowUpReceived = "follow_up_received" // what you added arrived, on the same case
	Answer           = "answer"             // the agent's words
	HoldingReply     = "holding_reply"      // late: apology and what happens now
	// To agents and supervisors.
	Assigned    = "assigned"    // a case is yours
	FollowUp    = "follow_up"   // the citizen wrote again
	Reminder    = "reminder"    // the date comes near
	Receipt     = "receipt"     // what was done with your mail
	Held        = "held"        // your answer was not sent: this is what would go out
	Refused     = "refused"     // your mail or command was not carried out, and why
	Unfiled     = "unfiled"     // triage: no confident theme
	Breach      = "breach"      // a committed time has passed
	Undelivered = "undelivered" // a mail of ours did not arrive
)

// Letter is what a template may say: every value is ready to print, in the reader's language.
// A field that does not apply is empty.
type Letter struct {
	Administration string // About.Name
	Organisation   string // who has the case
	Mailbox        string // the address the citizen wrote to
	Reference      string // B-2026-004217-7
	Subject        string // of the citizen's mail
	Citizen        string // name, or "" when unknown
	CitizenAddress string // agents' mail only
	Language       string // name of the case's language
	Type           string
	Theme          string   // names of its levels joined by " › "; "" when unfiled
	ThemePath      string   // agents' mail only
	Received       string   // date and time
	Due            string   // date; "" when the case has no committed time
	Term           string   // "10 working days"
	DaysLeft       string   // working days until Due, a number
	Agent          string   // name of who has it
	Signature      string   // how the agent signs to citizens
	Answer         string   // the agent's words
	Words          string   // the citizen's own words, agents' mail only
	Reason         string   // why this came, why it was refused, what was done
	Candidates     []string // theme paths worth a look, best first
	Command        string   // the agent's command, quoted back
	TooLarge       string   // "30 MB", the limit, when the citizen's mail was over it and its text and files did not come through
	PrivacyURL     string
}

// Reader is who reads a kind of mail.
type Reader string

// Readers of our mail.
const (
	Citizens Reader = "citizen"
	Agents   Reader = "agent" // and supervisors
)

// Kind is a kind of mail and who reads it.
type Kind struct {
	Name   string
	Reader Reader
}

// Kinds are all kinds of mail. There must be a template for each in every language of its readers.
var Kinds = []Kind{
	{Acknowledgement, Citizens},
	{FollowUpReceived, Citizens},
	{Answer, Citizens},
	{HoldingReply, Citizens},
	{Assigned, Agents},
	{FollowUp, Agents},
	{Reminder, Agents},
	{Receipt, Agents},
	{Held, Agents},
	{Refused, Agents},
	{Unfiled, Agents},
	{Breach, Agents},
	{Undelivered, Agents},
}
