// Package submit is the way out: it gives one stored mail at a time to a submission server (RFC 6409)
// and says exactly what became of it.
//
// # Nouns
//
// An envelope is the reverse-path and the recipient of RFC 5321; there is one recipient, so that one
// refusal never holds up another's mail. A phase is the step a mail had come to: dial, tls, auth, mail,
// rcpt, data.
//
// # What always holds
//
// The bytes given to Send are the bytes sent. They were composed and stored before, with their
// Message-ID; this package adds no field and keeps nothing, so a retry sends the same mail.
//
// An error is permanent only when the server has said so with a 5xx answer to MAIL, RCPT or DATA (or
// when the address cannot be written in SMTP at all). A server that cannot be reached, will not let us
// log in or answers something unheard of is our own trouble: the mail waits. An error with MaybeSent
// is the one that cannot be told from success: the whole mail was given and the answer did not come.
//
// What it logs in with is package login's. A token that was kept and is refused is renewed on a second
// connection before anything is given up.
//
// TLS is never bargained away: "starttls" fails where the server does not offer it.
//
// One connection is kept and used again for the next mail, for a hundred mails or thirty seconds of
// rest. When it turns out to be stale before DATA, the mail is tried once more on a fresh one.
//
// SMTPUTF8 (RFC 6531) is asked for only when an address needs it.
//
// # What it does not do
//
// It does not compose, queue, retry or log, and it does not look up MX records: it talks to the one
// server it was given. It knows nothing of the configuration.
package submit
