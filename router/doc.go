// Package router is what happens to a mail once it is ours: which case it belongs to, who treats
// it, by when, and which mails go out. It is the heart of the daemon.
//
// # The way of one mail
//
// Each step is one function; a reader who opens these six knows the program:
//
//	fetch.Run          reads the mailbox; marks nothing before Receive is done (mailbox/fetch)
//	Router.Receive     raw bytes, ledger row and position, one transaction
//	Judge.Mail         parse, own words, kind, references, classification    (pure)
//	Decide             what follows from it: a Plan                          (pure)
//	carryOut           the plans of a batch (process.go): case, events, assignment, deadlines, outgoing
//	                   mail rendered and queued, disposition, one transaction
//	Router.Submit      sends one outgoing mail: sent, again later, or refused
//
// Besides mail there are three other events, and they go the same way through Decide and carryOut:
// a deadline's next step (Router.Sweep), an operator's command (Router.Order), a mail of ours that
// can never be sent.
//
// # The states of a case
//
//	        citizen's mail
//	              |
//	 theme sure   |   no confident theme
//	    +---------+----------+
//	    |                    v
//	    |                 unfiled ----- close -----+
//	    |                    |                     |
//	    |              filed by a supervisor       |
//	    v                    |                     v
//	  open <-----------------+                   closed
//	  |  ^ \                                       |  |
//	  |  |  +------------- close ------------------+  |
//	  |  |                                            |
//	  |  +---- the citizen writes again (in time) ----+
//	  |  |
//	  v  |
//	answered ---- the citizen writes again, too late ----> a new, linked case
//
// A case opened again is unfiled when it never had a theme, else open. Filing an open case under
// another theme leaves it open and gives it to whoever treats that theme.
//
// # Nouns
//
// An event is one thing that happened; facts are all that Decide may know besides; a plan is what
// follows. A letter is one mail of a plan, not yet rendered. An assignment is this case, this
// agent, from then on; its signed reply address (Signer) is the agent's only credential besides
// their own address and the receiving server's authentication result.
//
// # What always holds
//
// Decide is pure: no store, no clock, no randomness. What goes to a citizen is a template of the
// administration's or the words an agent wrote for them; when it is not certain where those words
// end, the answer is held and shown back. A machine's mail is never answered. Deadlines are rows
// that Sweep looks at, not timers. The committed time starts at the receiving server's internal
// date. A mail that cannot be processed is quarantined with its reason, and the next one goes on.
//
// Terms are counted as Ley 39/2015 arts. 30 to 32 and Llei 26/2010 art. 41 say (deadline.go).
// Automatic mail follows RFC 3834; mail that fails is retried as RFC 5321 section 4.5.4.1 asks.
//
// # What it does not do
//
// It reads no mailbox (mailbox/fetch hands mails in), speaks no SMTP (mailbox/submit does), knows
// no SQL (store does), and never decides what to tell a citizen in substance: a human does.
package router
