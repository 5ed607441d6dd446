// Package fetch is the way in: it reads one folder of one mailbox over IMAP and hands on every mail in
// it, once and in order, for as long as its context lives.
//
// # Nouns
//
// An account is where the mail lies and how to log in. A receiver is who takes it: it keeps the
// position (the UIDVALIDITY and the highest UID read) in the same transaction as the mails. A walk
// goes from the position to the end of the folder in batches of about fifty mails or eight megabytes.
//
// # What always holds
//
// Nothing is changed on the server: the folder is opened with EXAMINE and bodies are read with
// BODY.PEEK[]. The position moves only when Receive has returned nil, so a crash anywhere leads to the
// same mails again and never to a gap. When UIDVALIDITY changes, every UID has lost its meaning and
// the walk starts at the first mail (RFC 9051 section 2.3.1.1).
//
// Every UID the server lists is accounted for: it is handed on, or found to have been expunged in the
// meantime and logged, or reported as unfetchable. A mail that breaks the connection is found by
// asking for half as many until it stands alone; it is given up only when another mail of the folder
// could be read while it could not, because a server whose disks are away must not cost a single mail.
//
// Run returns only when its context ends. Every failure before that is logged and tried again, after
// one second at first and five minutes at most.
//
// # What is asked of the server
//
// SEARCH by UID, then UID, RFC822.SIZE and INTERNALDATE, then UID and BODY.PEEK[]; never ENVELOPE,
// BODYSTRUCTURE or flags, which is where servers err and where one bad answer costs the connection.
// New mail is announced by IDLE (RFC 2177) where there is IDLE; the schedule is the safety net, and the
// only way where there is none.
//
// Time and memory are bounded: each command has a watchdog that closes the connection when the server
// falls silent or talks too much.
//
// # What it does not do
//
// It does not read the mails, mark, move or delete them, and it knows nothing of the configuration.
package fetch
