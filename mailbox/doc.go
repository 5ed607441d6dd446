// Package mailbox reads and writes one mail. It is pure: bytes in, values out; no network, no clock.
//
// Reading never fails. [Parse] gives a [Message] for any bytes at all, a tree of [Part] below it, and
// as a list of [Fault] what was wrong with them: bad mail is input, not an error. What is read is
// bounded (20 parts deep, 500 parts, 256 KB of header for each part) and so is the work, which
// grows with the size of the mail and no faster. Nothing read keeps a control character in a header
// value, and a text body is valid UTF-8.
//
// From a message read:
//
//   - [Message.Body] is the mail's own text/plain and text/html, [Message.Attachments] what it carries
//     as files, [Message.Walk] every part.
//   - [Text] is what the writer wrote themselves, as [Words]: without quoted text and signature.
//   - [Screen] tells a person's mail from a machine's, as a [Verdict]: kind, reason, and whether an automatic
//     mail may answer it.
//   - [Bounce] reads a delivery status notification, as a [BounceReport].
//   - [Refs] is what may say which case the mail belongs to. A [Reference] such as B-2026-004217-7 carries
//     a check digit, so that a mistyped one is not another's case.
//   - [Digest] tells whether two mails are the same one received twice, and [BaseSubject] is the subject
//     without "Re:" in any of our writers' languages.
//
// Writing: [Compose] turns an [Outgoing] into bytes once. The same bytes are stored, sent, and sent again
// when sending fails; composing the same mail again gives the same bytes.
//
// The words are those of the RFCs: 5322 (message), 2045 to 2047, 2183, 2231 and 2387 (MIME), 5256 (base
// subject), 3834 (automatic responses), 3464 (delivery status). Each is read more leniently than it is
// written: the files of testdata/parse are named for what writers get wrong.
//
// What it does not do: verify DKIM, S/MIME or PGP signatures, open winmail.dat or archives, judge
// whether a mail is spam. It reads what the receiving server says of these.
package mailbox
