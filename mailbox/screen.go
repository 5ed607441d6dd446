package mailbox

import (
	"strings"
)

// Kind is what sort of mail a message is.
type Kind string

// Kinds of mail.
const (
	Person     Kind = "person"
	AutoReply  Kind = "auto_reply"  // vacation, out of office (RFC 3834)
	BounceKind Kind = "bounce"      // delivery failed (RFC 3464)
	Delay      Kind = "delay"       // delivery delayed, still trying
	DSNSuccess Kind = "dsn_success" // delivered, relayed, expanded
	Report     Kind = "report"      // ARF (RFC 5965), MDN (RFC 8098), DMARC and TLS reports
	List       Kind = "list"        // a mailing list's or bulk mail (RFC 2919, 2369)
	Challenge  Kind = "challenge"   // "confirm that you are human"
	Loop       Kind = "loop"        // our own mail come back
	Junk       Kind = "junk"        // marked so by the receiving server
)

// Verdict is what Screen found.
type Verdict struct {
	Kind   Kind
	Reason string // the header field or rule that decided
	Answer bool   // an automatic mail may be sent to the writer
}

// Own tells our own mail from others'.
type Own struct {
	Addresses []string // every address of every mailbox of ours
	Domain    string   // right-hand side of the Message-IDs we make; on the left is a Reference, a dot and more
}

// Screen tells what sort of mail m is and whether an automatic mail may answer it. It is careful on both
// sides: a person's mail taken for a machine's is lost to a citizen, a machine's answered may start a loop.
// So a kind needs a sign that machines put there on purpose, or two that agree, while Answer is false
// at the first doubt.
func Screen(m *Message, own Own) Verdict {
	s := screening{m: m, own: own}
	for _, look := range []func() (Kind, string){
		s.report, s.freeFormBounce, s.loop, s.challenge, s.autoReply, s.junk, s.list, s.machine,
	} {
		if kind, reason := look(); kind != "" {
			return Verdict{Kind: kind, Reason: reason}
		}
	}
	if reason := s.unanswerable(); reason != "" {
		return Verdict{Kind: Person, Reason: reason}
	}
	return Verdict{Kind: Person, Reason: "no sign of a machine", Answer: true}
}

// screening is one mail looked at; what several looks need is read once.
type screening struct {
	m    *Message
	own  Own
	text *string
}

// body is the beginning of the mail's text, lower case.
func (s *screening) body() string {
	if s.text == nil {
		text := bodyText(s.m, 20_000)
		text = strings.ToLower(plainApostrophes.Replace(text))
		s.text = &text
	}
	return *s.text
}

// bodyText gives the text of a mail, quoted lines and all.
func bodyText(m *Message, limit int) string {
	b := readBodies(m)
	lines := b.plain
	if lines == nil {
		lines = b.html
	}
	var text strings.Builder
	for _, l := range lines {
		if text.Len() > limit {
			break
		}
		text.WriteString(l.text)
		text.WriteByte('\n')
	}
	return text.String()
}

func (s *screening) field(name string) string {
	return strings.ToLower(strings.TrimSpace(s.m.Header.Get(name)))
}

func (s *screening) subject() string {
	return strings.ToLower(plainApostrophes.Replace(strings.TrimSpace(s.m.Subject)))
}

// autoSubmitted is the keyword of Auto-Submitted without parameters and comments (RFC 3834 section 5).
func (s *screening) autoSubmitted() string {
	keyword, _, _ := strings.Cut(s.field("Auto-Submitted"), ";")
	keyword, _, _ = strings.Cut(keyword, "(")
	return strings.TrimSpace(keyword)
}

// nullReversePath tells a Return-Path of <>: a mail that must not be answered (RFC 3834 section 2).
func (s *screening) nullReversePath() bool {
	return s.m.Header.Has("Return-Path") && strings.Trim(s.field("Return-Path"), "<> \t") == ""
}

// answersAnother tells a mail that says which mail it replies to.
func (s *screening) answersAnother() bool {
	return len(s.m.InReplyTo) > 0 || len(s.m.References) > 0
}

// fromDaemon tells a mail of a mail system itself.
func (s *screening) fromDaemon() bool {
	for _, a := range []string{s.m.From.Address, s.m.Sender.Address, strings.Trim(s.field("Return-Path"), "<>")} {
		if daemonPattern.MatchString(a) {
			return true
		}
	}
	return false
}

// replyElsewhere tells a mail whose answers go to another than its sender, as web forms write it.
func (s *screening) replyElsewhere() bool {
	for _, a := range s.m.ReplyTo {
		if strings.Contains(a.Address, "@") && !strings.EqualFold(a.Address, s.m.From.Address) && !s.isOwn(a.Address) {
			return true
		}
	}
	return false
}

// isOwn tells an address of ours, with or without a subaddress (RFC 5233).
func (s *screening) isOwn(address string) bool {
	local, domain, _ := strings.Cut(address, "@")
	base, _, _ := strings.Cut(local, "+")
	for _, own := range s.own.Addresses {
		if strings.EqualFold(own, address) || strings.EqualFold(own, base+"@"+domain) {
			return true
		}
	}
	return false
}

// loop finds our own mail come back. Quoting us or answering us is no sign.
func (s *screening) loop() (Kind, string) {
	id, host, _ := strings.Cut(string(s.m.MessageID), "@")
	reference, _, _ := strings.Cut(id, ".")
	_, named := ParseReference(reference) // a person's mail program may use the same domain
	switch {
	case named && s.own.Domain != "" && strings.EqualFold(host, s.own.Domain):
		return Loop, "Message-ID of ours"
	case s.isOwn(strings.Trim(s.field("X-Loop"), "<> ")):
		return Loop, "X-Loop of ours"
	case s.isOwn(s.m.From.Address) && !s.replyElsewhere():
		return Loop, "From of ours"
	}
	return "", ""
}

// challenge finds the mail of a filter that asks for a sign of life.
func (s *screening) challenge() (Kind, string) {
	for _, name := range challengeFields {
		if s.m.Header.Has(name) {
			return Challenge, name
		}
	}
	if challengeSender.MatchString(s.m.From.Address) {
		return Challenge, "From of a challenge system"
	}
	named, asked := challengeSubject.MatchString(s.subject()), false
	if named || s.anySign() {
		asked = challengeBody.MatchString(s.body())
	}
	if asked && (named || s.anySign()) {
		return Challenge, "asks to be confirmed"
	}
	return "", ""
}

// anySign tells whether a machine left any trace in the header, be it one that also stands on persons' mail.
func (s *screening) anySign() bool {
	if a := s.autoSubmitted(); a != "" && a != "no" {
		return true
	}
	for _, name := range autoReplyFields {
		if s.m.Header.Has(name) {
			return true
		}
	}
	return s.nullReversePath() || s.fromDaemon() || s.m.Header.Has("X-Auto-Response-Suppress") ||
		s.m.Header.Has("X-MS-Exchange-Inbox-Rules-Loop") || s.m.Header.Has("X-Loop") || precedences[s.field("Precedence")]
}

// autoReply finds vacation notices and other automatic answers.
func (s *screening) autoReply() (Kind, string) {
	if s.autoSubmitted() == "auto-replied" {
		return AutoReply, "Auto-Submitted: auto-replied"
	}
	if p := s.field("Precedence"); p == "auto_reply" || p == "auto-reply" {
		return AutoReply, "Precedence: " + p
	}
	for _, name := range autoReplyFields {
		if v := s.field(name); s.m.Header.Has(name) && v != "no" && v != "false" && v != "0" {
			return AutoReply, name
		}
	}
	switch {
	case autoSubjectPrefix.MatchString(s.subject()):
		return AutoReply, "subject of an automatic reply"
	case awaySubject.MatchString(s.subject()) && (s.anySign() || s.answersAnother() && !isReply(s.m.Subject) && awayBody.MatchString(s.body())):
		return AutoReply, "subject of an absence"
	case s.anySign() && s.answersAnother() && awayBody.MatchString(s.body()):
		return AutoReply, "words of an absence"
	case s.nullReversePath() && (s.answersAnother() || isReply(s.m.Subject)):
		return AutoReply, "null reverse-path on an answer"
	}
	return "", ""
}

func (s *screening) junk() (Kind, string) {
	switch {
	case strings.HasPrefix(s.field("X-Spam-Flag"), "yes"):
		return Junk, "X-Spam-Flag"
	case strings.HasPrefix(s.field("X-Spam-Status"), "yes"):
		return Junk, "X-Spam-Status"
	case s.field("X-Spam") == "yes": // rspamd
		return Junk, "X-Spam"
	case strings.Contains(s.field("X-Forefront-Antispam-Report"), "sfv:spm"):
		return Junk, "X-Forefront-Antispam-Report"
	}
	return "", ""
}

// list finds the mail of lists and other bulk mail, also where a person wrote it.
func (s *screening) list() (Kind, string) {
	for _, name := range listFields {
		if s.m.Header.Has(name) {
			return List, name
		}
	}
	if p := s.field("Precedence"); precedences[p] {
		return List, "Precedence: " + p
	}
	return "", ""
}

// machine finds what a machine made and is none of the above. A web form also says auto-generated, but
// gives the person who filled it in as Reply-To.
func (s *screening) machine() (Kind, string) {
	if a := s.autoSubmitted(); a != "" && a != "no" && !s.replyElsewhere() {
		return AutoReply, "Auto-Submitted: " + a
	}
	return "", ""
}

// unanswerable tells why a person's mail gets no automatic answer.
func (s *screening) unanswerable() string {
	to := s.m.From.Address
	for _, a := range s.m.ReplyTo {
		if strings.Contains(a.Address, "@") {
			to = a.Address
			break
		}
	}
	local, domain, _ := strings.Cut(to, "@")
	suppress := s.field("X-Auto-Response-Suppress")
	feedback := s.field("Feedback-ID")
	switch {
	case local == "" || domain == "":
		return "no address to answer"
	case s.isOwn(to), s.isOwn(s.m.From.Address):
		return "address of ours"
	case noReplyPattern.MatchString(to):
		return "address that takes no answers"
	case s.fromDaemon():
		return "From of a mail system"
	case s.nullReversePath():
		return "null reverse-path"
	case strings.Contains(suppress, "all"), strings.Contains(suppress, "autoreply"), strings.Contains(suppress, "oof"):
		return "X-Auto-Response-Suppress"
	case s.autoSubmitted() != "" && s.autoSubmitted() != "no":
		return "Auto-Submitted: " + s.autoSubmitted()
	case s.m.Header.Has("X-Loop"):
		return "X-Loop"
	case feedback != "" && !strings.Contains(feedback, ":user:"): // Proton marks each person's mail so
		return "Feedback-ID"
	}
	return ""
}
