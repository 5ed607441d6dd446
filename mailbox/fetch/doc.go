// Package fetch is the way in: it reads one folder of one mailbox over IMAP and hands on every mail in
// it, once and in order, for as long as its context lives. Several folders are read by as many calls of
// Run, each with a connection of its own: that is what IDLE needs, and none waits for another.
//
// # Nouns
//
// An account is where the mail lies and how to log in. A receiver is who takes it: it keeps the
// position (the UIDVALIDITY and the highest UID read) in the same transaction as the mails. A walk
// goes from the position to the end of the folder in batches of about fifty mails or eight megabytes.
// The backlog of a folder is what it held when it was opened for the first time; mail of the backlog may
// be past, that is accounted for and not treated. A mark is what tells people who look at the folder
// that a mail was taken: a flag, or another folder.
//
// # What always holds
//
// Reading changes nothing on the server: the folder is opened with EXAMINE and bodies are read with
// BODY.PEEK[]. The position moves only when Receive has returned nil, so a crash anywhere leads to the
// same mails again and never to a gap. When UIDVALIDITY changes, every UID has lost its meaning and
// the walk starts at the first mail (RFC 9051 section 2.3.1.1).
//
// Every UID the server lists is accounted for: it is handed on, or found to have been expunged in the
// meantime and logged, or reported as unfetchable. A mail that breaks the connection is found by
// asking for half as many until it stands alone; it is given up only when another mail of the folder
// could be read while it could not, because a server whose disks are away must not cost a single mail.
//
// Only what Receive has committed is marked, as often as it takes until Marked has noted it; a mark
// that cannot be set is told once, tried again ever more seldom, and keeps no mail from being read. Mail
// is moved by MOVE, or by COPY, \Deleted and UID EXPUNGE each after the success of the one before; a
// server that has neither MOVE nor UIDPLUS moves nothing, because a plain EXPUNGE removes others' mail.
//
// Run returns only when its context ends. Every failure before that is logged and tried again, after
// one second at first and five minutes at most; State is told once when it begins and once when it ends.
//
// # What becomes of a mail
//
//   - In the folder at the first look: handed on; past when the account says so (Since, Archive).
//   - Larger than the account takes (RFC822.SIZE): its header section is handed on as Truncated, and the
//     mail itself stays where it is, unmarked.
//   - Appended or delivered later, however old its internal date: handed on as new. Only the backlog can be
//     past, so what a person puts into the folder by hand is treated.
//   - Read by a person (\Seen), flagged, or deleted but not yet expunged (\Deleted): handed on as any other.
//     Flags are people's and other programs' notes, and many clients set \Deleted only to move a mail.
//   - Moved away and back by hand, or found again after a new UIDVALIDITY: a new UID, so it is handed on
//     again. The receiver knows it by its content.
//   - Expunged before it was read: there is nothing to account for. If it was listed already, its UID is
//     in the log.
//   - Listed and never given: reported as unfetchable.
//
// What it logs in with is package login's. A token that was kept and is refused is renewed on a second
// connection at once. Any other refusal, and a token server that gives no token any more, is a
// LoginError: logged as an error, because somebody has to see to it, and tried again after a minute at
// the earliest.
//
// # What is asked of the server
//
// SEARCH by UID, then UID, RFC822.SIZE and INTERNALDATE, then UID and BODY.PEEK[]; never ENVELOPE,
// BODYSTRUCTURE or flags, which is where servers err and where one bad answer costs the connection.
// New mail is announced by IDLE (RFC 2177) where there is IDLE; the schedule is the safety net, and the
// only way where there is none. CONDSTORE is left aside: HIGHESTMODSEQ tells that flags have changed, and
// flags mean nothing here; for new mail, SEARCH from the position is one command and exact.
//
// Time and memory are bounded: each command has a watchdog that closes the connection when the server
// falls silent or talks too much. IDLE is ended and begun again every half minute, or NOOP asked where
// there is none, and the server has 25 seconds to answer: a connection that died without a word, as when
// a firewall forgets it, is noticed within a minute.
//
// # What it does not do
//
// It does not read what the mails say, and it knows nothing of the configuration.
package fetch
