// Package mailtest is a small mail server in this process: IMAP and SMTP on loopback, everything in
// memory. The demo runs on it, and so do the tests; nothing here is for real mail.
//
// Its nouns: a user is an address with a password and one INBOX. An accepted mail is one the SMTP side
// took, in order, whoever it was for. A local mail is for a user (the subaddress of RFC 5233 set aside,
// letter case ignored) and is delivered to their INBOX as a delivery agent does it, with Return-Path and
// Delivered-To in front. A mail for a domain in which there are no users is outside mail: it is accepted
// and kept, and goes nowhere. An unknown address in a domain with users is refused (550 5.1.1).
//
// What always holds: a user with a password must log in (AUTH PLAIN or LOGIN; with a token too where
// Options.Token is set) before a mail with their reverse-path is taken; strangers write in without. IDLE
// tells of every delivery. Wait wakes at each change, so that a test never sleeps.
//
// Faults are made with hooks: Options.Refuse answers a recipient with any SMTP status, Options.Data
// answers the whole mail, ErrHangUp from either drops the connection without an answer, HangUp drops
// all of them. Recreate gives an INBOX a new UIDVALIDITY, Expunge takes mails away.
//
// TokenServer gives out such tokens, for the daemon to get by OAuth 2. It has no listener of its own.
//
// RFC 3501 and 2177 (IMAP, IDLE) by go-imap's memory server, RFC 5321, 4954 and 6409 (SMTP, AUTH,
// submission) by go-smtp. It does not relay, bounce or keep anything on disk.
package mailtest
