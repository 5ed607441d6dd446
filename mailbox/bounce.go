package mailbox

import (
	"strconv"
	"strings"
)

// Actions of a delivery status notification (RFC 3464 section 2.3.3).
const (
	actionFailed    = "failed"
	actionDelayed   = "delayed"
	actionDelivered = "delivered"
	actionRelayed   = "relayed"
	actionExpanded  = "expanded"
)

const maxBounced = 100 // recipients read from one bounce

// BounceReport is what a delivery status notification says (RFC 3464), or what could be read of an
// old free-form one.
type BounceReport struct {
	Action            string // failed, delayed, delivered, relayed, expanded
	Hard              bool   // no retry will help
	Reason            string // user_unknown, mailbox_full, host_unknown, rejected, blocked, too_large, expired, filtered, suspended, network, policy, security, content, other
	Recipients        []BouncedRecipient
	OriginalMessageID MessageID // of the mail that did not arrive
}

// BouncedRecipient is one recipient of a BounceReport.
type BouncedRecipient struct {
	Address string
	Status  string // enhanced status code (RFC 3463), "5.1.1"
}

// Bounce reads what a delivery status notification says, or nil when Screen finds m to be none. The
// fields of message/delivery-status come first; an old free-form bounce is read from its text.
func Bounce(m *Message) *BounceReport {
	b := &BounceReport{}
	switch Screen(m, Own{}).Kind {
	case BounceKind:
		b.Action = actionFailed
	case Delay:
		b.Action = actionDelayed
	case DSNSuccess:
		b.Action = actionDelivered
	case Person, AutoReply, Report, List, Challenge, Loop, Junk:
		return nil
	}
	details := b.readStatus(statusPart(m))
	notice, returned := noticeText(m)
	if len(b.Recipients) == 0 {
		b.Recipients = recipientsInText(m, notice)
	}
	if details == "" {
		details = notice
	}
	status := worstStatus(b.Recipients)
	b.Hard = b.Action == actionFailed && !strings.HasPrefix(status, "4")
	b.Reason = bounceReason(status, strings.ToLower(details))
	if b.Reason == "other" && b.Action != actionDelivered {
		b.Reason = bounceReason(status, strings.ToLower(notice))
	}
	b.OriginalMessageID = originalMessageID(m, returned)
	return b
}

// worstStatus is the code that decides: one of a permanent failure before one of a transient one.
func worstStatus(recipients []BouncedRecipient) (worst string) {
	for _, r := range recipients {
		if worst == "" || r.Status != "" && r.Status[0] > worst[0] {
			worst = r.Status
		}
	}
	return worst
}

// report finds notifications that say in MIME what they are (RFC 6522).
func (s *screening) report() (Kind, string) {
	root := s.m.Root
	// Outside multipart/report a status part counts only from a machine: people forward bounces too.
	isReport := root.MediaType == "multipart/report"
	if isReport || strings.HasPrefix(root.MediaType, "multipart/") && (s.fromDaemon() || s.nullReversePath()) {
		for _, part := range root.Parts {
			switch part.MediaType {
			case "message/delivery-status", "message/global-delivery-status":
				return statusKind(part), part.MediaType
			case "message/disposition-notification", "message/global-disposition-notification", "message/feedback-report":
				return Report, part.MediaType
			}
		}
	}
	reportType := strings.ToLower(root.Params["report-type"])
	switch {
	case isReport && reportType != "" && reportType != "delivery-status":
		return Report, "report-type=" + reportType
	case s.m.Header.Has("TLS-Report-Domain"): // RFC 8460
		return Report, "TLS-Report-Domain"
	case strings.HasPrefix(s.subject(), "report domain:") && strings.Contains(s.subject(), "submitter:"): // RFC 7489 section 7.2.1.1
		return Report, "subject of a DMARC report"
	case isReport:
		if kind, reason := s.freeFormBounce(); kind != "" {
			return kind, reason
		}
		return BounceKind, "multipart/report"
	}
	return "", ""
}

// statusKind is the worst that a delivery status says of any recipient.
func statusKind(part *Part) Kind {
	b := &BounceReport{}
	b.readStatus(part)
	switch b.Action {
	case actionDelayed:
		return Delay
	case actionDelivered, actionRelayed, actionExpanded:
		return DSNSuccess
	}
	return BounceKind
}

// freeFormBounce finds the bounces of mail systems that know nothing of RFC 3464, by sender, subject and wording.
func (s *screening) freeFormBounce() (Kind, string) {
	if s.m.Header.Has("X-Failed-Recipients") { // Exim
		return BounceKind, "X-Failed-Recipients"
	}
	if s.m.Header.Has("X-MS-Exchange-Message-Is-Ndr") {
		return BounceKind, "X-MS-Exchange-Message-Is-Ndr"
	}
	subject := s.subject()
	failed := bounceSubject.MatchString(subject)
	auto := s.autoSubmitted() != "" && s.autoSubmitted() != "no"
	system := s.fromDaemon() || s.nullReversePath()
	if !failed && !system {
		return "", ""
	}
	wording := bounceBody.MatchString(s.body())
	switch {
	case (system || auto) && delaySubject.MatchString(subject) && (failed || wording || delayBody.MatchString(s.body())):
		return Delay, "subject and wording of a delay"
	case (system || auto) && failed:
		return BounceKind, "subject of a bounce"
	case system && wording && delayBody.MatchString(s.body()) && !strings.Contains(s.body(), "permanent"):
		return Delay, "wording of a delay"
	case system && wording:
		return BounceKind, "wording of a bounce"
	case failed && wording && replyCode(s.body()) != "":
		return BounceKind, "subject and wording of a bounce"
	case mailerDaemon.MatchString(s.m.From.Address) && !autoSubjectPrefix.MatchString(subject) && !awaySubject.MatchString(subject):
		return BounceKind, "From of a mail system"
	}
	return "", ""
}

// statusPart gives the delivery status of m itself, not of a mail inside it; nil when there is none.
func statusPart(m *Message) *Part {
	for _, part := range m.Root.Parts {
		if strings.HasSuffix(part.MediaType, "delivery-status") {
			return part
		}
	}
	return nil
}

// readStatus takes in the groups of fields of a message/delivery-status (RFC 3464 section 2.1): the first is
// about the message, each other about a recipient. It gives the diagnostics, one a line.
func (b *BounceReport) readStatus(part *Part) (diagnostics string) {
	if part == nil {
		return ""
	}
	worst := 0
	var said []string
	for _, group := range statusGroups(part) {
		address := typedValue(group["final-recipient"])
		if address == "" {
			address = typedValue(group["original-recipient"])
		}
		if address == "" && group["action"] == "" && group["status"] == "" {
			continue // about the message
		}
		action := strings.ToLower(firstWord(group["action"]))
		if badness[action] > worst || worst == 0 && badness[action] > 0 {
			worst, b.Action = badness[action], action
		}
		diagnostic := typedValue(group["diagnostic-code"])
		said = append(said, diagnostic)
		status := enhancedCode(group["status"])
		if status == "" || strings.HasSuffix(status, ".0.0") { // "5.0.0" says nothing that the diagnostic might
			if code := replyCode(diagnostic); code != "" {
				status = code
			}
		}
		if address != "" && len(b.Recipients) < maxBounced {
			b.Recipients = append(b.Recipients, BouncedRecipient{Address: address, Status: status})
		}
	}
	return strings.TrimSpace(strings.Join(said, "\n"))
}

var badness = map[string]int{actionExpanded: 1, actionRelayed: 2, actionDelivered: 3, actionDelayed: 4, actionFailed: 5}

// statusGroups reads the groups of a message/delivery-status, field names lower case.
func statusGroups(part *Part) (groups []map[string]string) {
	group, last := map[string]string{}, ""
	text := strings.ReplaceAll(string(part.Body[:min(len(part.Body), 256<<10)]), "\r\n", "\n")
	for s := range strings.SplitSeq(text, "\n") {
		name, value, found := strings.Cut(s, ":")
		switch {
		case strings.TrimSpace(s) == "":
			if len(group) > 0 {
				groups = append(groups, group)
			}
			group, last = map[string]string{}, ""
		case s[0] == ' ' || s[0] == '\t':
			if last != "" && len(group[last]) < 2000 {
				group[last] += " " + strings.TrimSpace(s)
			}
		case found:
			last = strings.ToLower(strings.TrimSpace(name))
			group[last] = strings.TrimSpace(value)
		}
		if len(groups) >= maxBounced {
			return groups
		}
	}
	if len(group) > 0 {
		groups = append(groups, group)
	}
	return groups
}

// typedValue takes the type off "rfc822; a@example.org".
func typedValue(s string) string {
	if kind, value, found := strings.Cut(s, ";"); found && !strings.ContainsAny(kind, "@ ") {
		s = value
	}
	return strings.Trim(strings.TrimSpace(s), "<>")
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return strings.Trim(words[0], ";,()")
	}
	return ""
}

// enhancedCode finds the first enhanced status code (RFC 3463) in s; an IP address is none.
func enhancedCode(s string) string {
	s = s[:min(len(s), 20_000)]
	for _, at := range statusPattern.FindAllStringIndex(s, 50) {
		before, after := at[0] == 0 || !strings.ContainsRune("0123456789.", rune(s[at[0]-1])), at[1] == len(s)
		if !after {
			rest := s[at[1]:]
			after = rest[0] != '.' || len(rest) == 1 || rest[1] < '0' || rest[1] > '9'
		}
		if before && after {
			return s[at[0]:at[1]]
		}
	}
	return ""
}

// replyCode finds the enhanced code of a diagnostic, or makes one of the SMTP reply code in it.
func replyCode(s string) string {
	if code := enhancedCode(s); code != "" {
		return code
	}
	if found := smtpCodePattern.FindStringSubmatch(s[:min(len(s), 20_000)]); found != nil {
		class, _ := strconv.Atoi(found[1][:1])
		return strconv.Itoa(class) + ".0.0"
	}
	return ""
}

// noticeText parts the text of a bounce in what the mail system says and the returned mail below it.
func noticeText(m *Message) (notice, returned string) {
	text := bodyText(m, 200_000)
	if at := returnedPattern.FindStringIndex(text); at != nil {
		return text[:at[0]], text[at[0]:]
	}
	return text, text
}

// recipientsInText reads a free-form bounce: X-Failed-Recipients, else the addresses the mail system names.
func recipientsInText(m *Message, notice string) (recipients []BouncedRecipient) {
	seen := map[string]bool{strings.ToLower(m.From.Address): true, "": true}
	for _, a := range m.To {
		seen[strings.ToLower(a.Address)] = true // the sender of the returned mail
	}
	add := func(address, status string) {
		address = strings.Trim(address, "<>.,;:()'\" ")
		if key := strings.ToLower(address); !seen[key] && len(recipients) < maxBounced && !daemonPattern.MatchString(address) {
			seen[key] = true
			recipients = append(recipients, BouncedRecipient{Address: address, Status: status})
		}
	}
	general := replyCode(notice)
	for _, address := range strings.Split(m.Header.Get("X-Failed-Recipients"), ",") {
		add(strings.TrimSpace(address), general)
	}
	if len(recipients) > 0 {
		return recipients
	}
	for _, at := range addressPattern.FindAllStringIndex(notice, maxBounced) {
		near := notice[at[1]:min(len(notice), at[1]+600)]
		if next := addressPattern.FindStringIndex(near); next != nil {
			near = near[:next[0]]
		}
		status := replyCode(near)
		if status == "" {
			status = general
		}
		add(notice[at[0]:at[1]], status)
	}
	return recipients
}

// originalMessageID finds the Message-ID of the mail that came back: in the part that holds it, in the
// text below the notice, or in what the bounce says it answers.
func originalMessageID(m *Message, returned string) (id MessageID) {
	for _, part := range m.Root.Parts {
		switch part.MediaType {
		case "message/rfc822", "message/global":
			id = messageIDIn(part.Header.Get("Message-ID"))
			if id == "" && len(part.Parts) > 0 {
				id = messageIDIn(part.Parts[0].Header.Get("Message-ID"))
			}
		case "text/rfc822-headers", "message/global-headers", "message/rfc822-headers":
			id = Parse(part.Body).MessageID
		}
		if id != "" {
			return id
		}
	}
	if found := quotedIDPattern.FindStringSubmatch(returned); found != nil {
		return MessageID(found[1])
	}
	if len(m.InReplyTo) > 0 {
		return m.InReplyTo[0]
	}
	if len(m.References) > 0 {
		return m.References[len(m.References)-1]
	}
	return ""
}

func messageIDIn(field string) MessageID {
	_, id, found := strings.Cut(field, "<")
	if !found {
		return ""
	}
	id, _, found = strings.Cut(id, ">")
	if !found {
		return ""
	}
	return MessageID(strings.TrimSpace(id))
}
