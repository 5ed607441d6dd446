package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Outgoing is one mail to write. Compose turns it into bytes once; those bytes are stored and sent.
type Outgoing struct {
	From          Address
	To            Address
	ReplyTo       Address // none when its Address is ""
	Subject       string
	Date          time.Time
	MessageID     MessageID
	InReplyTo     MessageID
	References    []MessageID
	AutoSubmitted string // RFC 3834: "auto-replied", "auto-generated", or "" for a person's words
	Language      string // Content-Language (RFC 3282), BCP 47
	Text          string
	HTML          string // "" = no HTML twin
	Attachments   []Attachment
}

// Bounds on what goes into one header field, so that no line comes near the 998 bytes of RFC 5322.
const (
	maxSubject     = 500 // characters
	maxDisplayName = 120 // characters
	maxComposedID  = 900 // bytes
	maxReferences  = 10
)

// Compose writes a mail (RFC 5322, MIME) with CRLF line ends: the same bytes for the same Outgoing.
// Control characters in any value become spaces. It fails when From, To or ReplyTo is no address mail
// can be sent to, or without a Message-ID or a Date.
func Compose(o Outgoing) ([]byte, error) {
	if o.Date.IsZero() {
		return nil, errors.New("compose: no date")
	}
	messageID, ok := composedID(o.MessageID)
	if !ok {
		return nil, fmt.Errorf("compose: unusable Message-ID %q", o.MessageID)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	if err := setAddresses(msg, o); err != nil {
		return nil, fmt.Errorf("compose: %w", err)
	}
	msg.SetGenHeader(gomail.HeaderSubject, composedSubject(o.Subject))
	msg.SetDateWithValue(o.Date)
	msg.SetGenHeader(gomail.HeaderMessageID, messageID)
	setThread(msg, o)
	if language := oneLine(o.Language); language != "" {
		msg.SetGenHeader(gomail.HeaderContentLang, language)
	}
	if auto := oneLine(o.AutoSubmitted); auto != "" {
		msg.SetGenHeader("Auto-Submitted", auto)
		msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All") // QUIRK: Exchange answers machines without it
	}
	setBody(msg, o)
	var raw bytes.Buffer
	if _, err := msg.WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("compose: %w", err)
	}
	return fixBoundaries(raw.Bytes()), nil
}

// setAddresses sets the fields From, To and Reply-To.
func setAddresses(msg *gomail.Msg, o Outgoing) error {
	from, err := composedAddress(o.From)
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	to, err := composedAddress(o.To)
	if err != nil {
		return fmt.Errorf("to: %w", err)
	}
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	if o.ReplyTo.Address == "" {
		return nil
	}
	replyTo, err := composedAddress(o.ReplyTo)
	if err != nil {
		return fmt.Errorf("reply-to: %w", err)
	}
	msg.ReplyToMailAddress(replyTo)
	return nil
}

// domainPattern is a host name as mail takes it, or an address literal (RFC 5321 section 4.1.3).
var domainPattern = regexp.MustCompile(`^(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*|\[[A-Za-z0-9:.]+\])$`)

// composedAddress checks an address and brings its domain to ASCII (RFC 5891).
func composedAddress(a Address) (*mail.Address, error) {
	local, domain, ok := cutAddress(a.Address)
	unusable := fmt.Errorf("unusable address %q", a.Address)
	if !ok || len(local) > 64 || !utf8.ValidString(local) || strings.ContainsFunc(local, isControl) {
		return nil, unusable
	}
	if !isASCII([]byte(domain)) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return nil, unusable
		}
		domain = ascii
	}
	if len(domain) > 253 || !domainPattern.MatchString(domain) {
		return nil, unusable
	}
	// net/mail quotes the local part when it has to.
	return &mail.Address{Name: composedName(a.Name), Address: local + "@" + domain}, nil
}

// Usable reports whether Compose can write to the address.
func (a Address) Usable() bool {
	_, err := composedAddress(a)
	return err == nil
}

// cutAddress splits an addr-spec; the local part comes without its quotes, and without them it may
// hold no space and no bracket.
func cutAddress(spec string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(spec, '@')
	if at <= 0 {
		return "", "", false
	}
	local, domain = spec[:at], spec[at+1:]
	if strings.HasPrefix(local, `"`) && quoteEnd(local) == len(local) {
		local = unescape(local[1 : len(local)-1])
	} else if strings.ContainsAny(local, " <>()[]\\,;:\"@") {
		return "", "", false
	}
	return local, domain, local != "" && domain != ""
}

// composedName makes a display name that reads the same everywhere: nothing in it that looks like an
// encoded-word, and no backslash, which net/mail lets into one though a phrase may not hold it.
func composedName(name string) string {
	name = clipRunes(oneLine(name), maxDisplayName)
	return strings.NewReplacer("=?", "= ?", `\`, "/").Replace(name)
}

// oneLine makes valid UTF-8 on one line: every run of white space and control characters is one space.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if isControl(r) || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return strings.Join(strings.Fields(s), " ")
}

// clipRunes cuts s to at most n characters.
func clipRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// composedSubject encodes a subject. go-mail encodes what is not ASCII; what looks like an
// encoded-word but is meant as it stands, or cannot be folded, is encoded here.
func composedSubject(subject string) string {
	subject = clipRunes(oneLine(subject), maxSubject)
	plain := isASCII([]byte(subject)) && !strings.Contains(subject, "=?")
	for _, word := range strings.Fields(subject) {
		plain = plain && len(word) < 70
	}
	if plain {
		return subject
	}
	return encodeWords(subject)
}

// encodeWords writes s as encoded-words of at most 75 bytes (RFC 2047 section 2) that no character is split
// over.
func encodeWords(s string) string {
	const room = 75 - len("=?UTF-8?Q?") - len("?=")
	var words []string
	var word strings.Builder
	for _, r := range s {
		escaped := escapeQ(r)
		if word.Len()+len(escaped) > room {
			words = append(words, word.String())
			word.Reset()
		}
		word.WriteString(escaped)
	}
	words = append(words, word.String())
	return "=?UTF-8?Q?" + strings.Join(words, "?= =?UTF-8?Q?") + "?="
}

// escapeQ writes one character in the Q encoding (RFC 2047 section 4.2).
func escapeQ(r rune) string {
	switch {
	case r == ' ':
		return "_"
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-.,:/!()", r):
		return string(r)
	}
	var b strings.Builder
	for _, c := range []byte(string(r)) {
		fmt.Fprintf(&b, "=%02X", c)
	}
	return b.String()
}

// composedID writes a msg-id in its brackets; ok is false when it cannot be one.
func composedID(id MessageID) (string, bool) {
	s := strings.Trim(string(id), "<>")
	ok := s != "" && len(s) <= maxComposedID && isASCII([]byte(s)) && !strings.ContainsFunc(s, isControl) &&
		!strings.ContainsAny(s, " <>") && !strings.Contains(s, "=?")
	return "<" + s + ">", ok
}

// setThread sets In-Reply-To and References, leaving out what is no msg-id. A long thread keeps its
// first and its newest: clients need no more, and the field must not grow for ever.
func setThread(msg *gomail.Msg, o Outgoing) {
	if id, ok := composedID(o.InReplyTo); ok {
		msg.SetGenHeader(gomail.HeaderInReplyTo, id)
	}
	var ids []string
	seen := make(map[string]bool)
	for i := len(o.References) - 1; i >= 0; i-- { // from the newest, so that of doubles the last place holds
		if id, ok := composedID(o.References[i]); ok && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	slices.Reverse(ids)
	if len(ids) > maxReferences {
		ids = append(ids[:1:1], ids[len(ids)-maxReferences+1:]...)
	}
	if len(ids) > 0 {
		msg.SetGenHeader(gomail.HeaderReferences, strings.Join(ids, " "))
	}
}

// setBody sets the text, its HTML twin and the attachments.
func setBody(msg *gomail.Msg, o Outgoing) {
	switch {
	case o.HTML == "":
		msg.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(o.Text, "�"))
	case o.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, strings.ToValidUTF8(o.HTML, "�"))
	default:
		msg.SetBodyString(gomail.TypeTextPlain, strings.ToValidUTF8(o.Text, "�"))
		msg.AddAlternativeString(gomail.TypeTextHTML, strings.ToValidUTF8(o.HTML, "�"))
	}
	for i, a := range o.Attachments {
		name := cleanFilename(oneLine(strings.ReplaceAll(a.Filename, "=?", "= ?")))
		if name == "" {
			name = madeFilename(a.MediaType, i+1)
		}
		msg.AttachReadSeeker(name, bytes.NewReader(a.Body), attachmentFields(name, a.MediaType))
	}
}

// attachmentFields sets the fields of an attachment ourselves: the name by RFC 2231, and in Content-Type as
// an encoded-word for the clients that know no better.
func attachmentFields(name, mediaType string) gomail.FileOption {
	return func(f *gomail.File) {
		mediaType = composedMediaType(mediaType)
		f.Header = textproto.MIMEHeader{}
		f.Header.Set("Content-Type", mime.FormatMediaType(mediaType, map[string]string{"name": asciiName(name)}))
		f.Header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		f.Header.Set("Content-Transfer-Encoding", "base64")
	}
}

// asciiName is name for those who do not read RFC 2231.
func asciiName(name string) string {
	if isASCII([]byte(name)) {
		return name
	}
	return encodeWords(name)
}

// mediaTypePattern is a media type as RFC 6838 section 4.2 names them.
var mediaTypePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$`)

// composedMediaType is the media type an attachment goes out with. RFC 2046 allows no base64 on
// messages and multiparts, so those go as plain files.
func composedMediaType(mediaType string) string {
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	if !mediaTypePattern.MatchString(mediaType) || strings.HasPrefix(mediaType, "multipart/") || strings.HasPrefix(mediaType, "message/") {
		return "application/octet-stream"
	}
	return mediaType
}

// boundaryMark stands before the random boundaries that go-mail makes, 60 hexadecimal digits each.
// Neither quoted-printable nor base64 can hold such a line, so no text is taken for one.
var boundaryMark = []byte(";\r\n boundary=")

const boundarySize = 60

// fixBoundaries puts boundaries in place of go-mail's that come from the mail itself, so that
// composing is a function of its argument alone. They are as long, so it works in place.
func fixBoundaries(raw []byte) []byte {
	var places [][]int // of each boundary
	for at := 0; ; {
		i := bytes.Index(raw[at:], boundaryMark)
		if i < 0 {
			break
		}
		at += i + len(boundaryMark)
		if at+boundarySize > len(raw) {
			break
		}
		if boundary := raw[at : at+boundarySize]; isBoundary(boundary) {
			places = append(places, occurrences(raw, boundary))
		}
	}
	put := func(i int, boundary []byte) {
		for _, at := range places[i] {
			copy(raw[at:], boundary)
		}
	}
	for i := range places {
		put(i, make([]byte, boundarySize))
	}
	sum := sha256.Sum256(raw)
	for i := range places {
		own := sha256.Sum256(append(sum[:], byte(i)))
		put(i, []byte(hex.EncodeToString(own[:])[:boundarySize]))
	}
	return raw
}

// occurrences are the places where part stands in raw.
func occurrences(raw, part []byte) (places []int) {
	for at := 0; ; at += len(part) {
		i := bytes.Index(raw[at:], part)
		if i < 0 {
			return places
		}
		at += i
		places = append(places, at)
	}
}

// isBoundary reports whether b is made of the digits of a boundary of go-mail's.
func isBoundary(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
