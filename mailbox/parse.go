package mailbox

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// Bounds on one mail. What is past them stays unread inside the part that holds it.
const (
	maxDepth  = 20  // multiparts and embedded messages inside each other
	maxParts  = 500 // in the whole tree
	maxFaults = 50
)

// parser is the reading of one mail: what it has counted and what it found wrong.
type parser struct {
	parts  int
	faults []Fault
}

// Parse reads a mail. It never fails: it gives what can be read and notes the rest in Faults. The
// message may share memory with raw. Work is linear in the size of raw.
func Parse(raw []byte) *Message {
	return read(func(p *parser, root *Part) { p.readMessage(root, raw, 0) })
}

// ParseHeader reads what the header section of a mail says, and no body: Root has none, and no parts.
func ParseHeader(raw []byte) *Message {
	return read(func(p *parser, root *Part) {
		entity, _ := stripPrelude(raw)
		root.Header, _, _ = readHeader(entity)
	})
}

// read makes a message of what is read into its root.
func read(into func(*parser, *Part)) (m *Message) {
	m = &Message{Root: &Part{MediaType: "text/plain"}}
	p := &parser{}
	defer func() {
		// Nothing below is known to panic; should it, the mail is still taken in and looked at by a person.
		if r := recover(); r != nil {
			p.fault("panic", fmt.Sprint(r))
		}
		m.Header, m.Faults = m.Root.Header, p.faults
	}()
	into(p, m.Root)
	m.Header = m.Root.Header
	p.readFields(m)
	return m
}

// fault notes something wrong, once.
func (p *parser) fault(kind, detail string) {
	f := Fault{Kind: kind, Detail: clip(detail)}
	for _, known := range p.faults {
		if known == f {
			return
		}
	}
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, f)
	}
}

// clip keeps a detail short and printable.
func clip(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s), "�")
}

// readMessage reads a whole message into part: the mail itself or one embedded in it.
func (p *parser) readMessage(part *Part, raw []byte, depth int) {
	entity, faults := stripPrelude(raw)
	for _, f := range faults {
		p.fault(f.Kind, f.Detail)
	}
	if len(entity) == 0 {
		p.fault("empty", "no bytes")
	}
	p.readPart(part, entity, depth, "text/plain")
}

// stripPrelude takes off what stands before the header: a byte order mark, empty lines, the line
// an mbox puts there, or one stray line. A message whose lines end in CR alone gets line feeds.
func stripPrelude(raw []byte) (entity []byte, faults []Fault) {
	note := func(kind, detail string) { faults = append(faults, Fault{kind, detail}) }
	entity = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if len(entity) < len(raw) {
		note("header", "byte order mark before the header")
	}
	if bytes.IndexByte(entity, '\n') < 0 && bytes.IndexByte(entity, '\r') >= 0 {
		entity = bytes.ReplaceAll(entity, []byte("\r"), []byte("\n"))
		note("header", "lines end in CR alone")
	}
	if start := bytes.TrimLeft(entity, "\r\n"); len(start) < len(entity) && headerGoesOn(start) {
		entity = start
		note("header", "empty lines before the header")
	}
	line, rest := cutLine(entity)
	_, _, field := cutField(line)
	switch {
	case field || len(line) == 0:
	case bytes.HasPrefix(line, []byte("From ")), bytes.HasPrefix(line, []byte(">From ")):
		entity = rest // an mbox's, no fault of the writer
	case headerGoesOn(rest):
		entity = rest
		note("header", "line that is no field")
	}
	return entity, faults
}

// readPart reads one node of the tree and all below it. defaultType is what a part without
// Content-Type is (RFC 2046 section 5.1.5).
func (p *parser) readPart(part *Part, entity []byte, depth int, defaultType string) {
	p.parts++
	header, body, faults := readHeader(entity)
	for _, f := range faults {
		p.fault(f.Kind, f.Detail)
	}
	part.Header = header
	p.describe(part, defaultType)
	container := isMultipart(part) || isMessage(part)
	switch {
	case container && depth >= maxDepth:
		p.fault("depth", "parts inside parts deeper than are read")
		part.MediaType, part.Body = "application/octet-stream", body
	case isMultipart(part):
		p.readMultipart(part, body, depth)
	case isMessage(part):
		p.readEmbedded(part, body, depth)
	default:
		p.readLeaf(part, body)
	}
}

// isMultipart reports whether part holds parts.
func isMultipart(part *Part) bool { return strings.HasPrefix(part.MediaType, "multipart/") }

// isMessage reports whether part holds a whole message (RFC 2046 section 5.2.1, RFC 6532 section 3.7).
func isMessage(part *Part) bool {
	return part.MediaType == "message/rfc822" || part.MediaType == "message/global"
}

// describe reads the Content- fields of a part.
func (p *parser) describe(part *Part, defaultType string) {
	mediaType, params, ok := parseParameters(part.Header.raw("Content-Type"))
	if !ok {
		p.fault("parameter", "Content-Type: "+part.Header.raw("Content-Type"))
	}
	part.MediaType, part.Params = strings.ToLower(mediaType), params
	major, minor, _ := strings.Cut(part.MediaType, "/")
	switch {
	case mediaType == "":
		part.MediaType = defaultType
	case major == "multipart" && minor == "":
		part.MediaType = "multipart/mixed"
	case major == "" || minor == "":
		if major != "text" && major != "plain" {
			p.fault("parameter", "media type "+mediaType)
		}
		part.MediaType = "text/plain" // RFC 2045 section 5.2; "Content-Type: text" is from before MIME
	}
	disposition, dispositionParams, ok := parseParameters(part.Header.raw("Content-Disposition"))
	if !ok {
		p.fault("parameter", "Content-Disposition: "+part.Header.raw("Content-Disposition"))
	}
	switch d := strings.ToLower(disposition); d {
	case "", "inline":
		part.Disposition = d
	default:
		part.Disposition = "attachment" // RFC 2183 section 2.8: an unknown one is an attachment
	}
	part.Filename = cleanFilename(dispositionParams["filename"])
	for _, name := range []string{dispositionParams["name"], params["name"], params["filename"]} {
		if part.Filename == "" {
			part.Filename = cleanFilename(name)
		}
	}
	if ids := parseMessageIDs(part.Header.Get("Content-ID")); len(ids) > 0 {
		part.ContentID = string(ids[0])
	} else {
		part.ContentID = strings.Trim(part.Header.Get("Content-ID"), "<> ")
	}
}

// readMultipart reads the parts of a multipart. One whose parts cannot be told apart is read as text.
func (p *parser) readMultipart(part *Part, body []byte, depth int) {
	boundary := part.Params["boundary"]
	pieces, closed := splitMultipart(body, boundary, maxParts-p.parts+1)
	if len(pieces) == 0 {
		encoding := part.Header.raw("Content-Transfer-Encoding")
		if decoded, _ := decodeTransfer(encoding, body, true); boundary != "" && len(decoded) != len(body) {
			p.fault("encoding", "multipart in "+encoding) // RFC 2045 section 6.4 forbids it
			body = decoded
			pieces, closed = splitMultipart(body, boundary, maxParts-p.parts+1)
		}
	}
	if len(pieces) == 0 {
		if boundary = sniffBoundary(body); boundary != "" {
			p.fault("boundary", "not the one announced")
			pieces, closed = splitMultipart(body, boundary, maxParts-p.parts+1)
		}
	}
	if len(pieces) == 0 {
		p.fault("boundary", "none found")
		part.MediaType = "text/plain"
		p.readLeaf(part, body)
		return
	}
	if !closed {
		p.fault("boundary", "multipart not closed")
	}
	defaultType := "text/plain"
	if part.MediaType == "multipart/digest" {
		defaultType = "message/rfc822"
	}
	for _, piece := range pieces {
		if p.parts >= maxParts {
			p.fault("parts", "more parts than are read")
			return
		}
		child := &Part{MediaType: defaultType}
		part.Parts = append(part.Parts, child)
		p.readPart(child, piece, depth+1, defaultType)
	}
}

// splitMultipart cuts the body of a multipart at its delimiter lines (RFC 2046 section 5.1.1), whatever
// ends the lines. Preamble and epilogue are left out; a part after the closing delimiter is
// taken, as one that closes too early is a common fault. At most limit pieces come back. closed is
// false when the closing delimiter is missing.
func splitMultipart(body []byte, boundary string, limit int) (pieces [][]byte, closed bool) {
	if boundary == "" {
		return nil, false
	}
	delimiter := []byte("--" + boundary)
	start := -1 // of the part being read
	for at := 0; len(pieces) < limit; {
		i := bytes.Index(body[at:], delimiter)
		if i < 0 {
			break
		}
		i += at
		at = i + len(delimiter)
		if i > 0 && body[i-1] != '\n' && body[i-1] != '\r' {
			continue
		}
		line, rest := cutLine(body[at:])
		tail := bytes.TrimSpace(line)
		if len(tail) > 0 && !bytes.HasPrefix(tail, []byte("--")) || len(bytes.Trim(tail, "- \t\r")) > 0 {
			continue // a longer boundary that begins like this one
		}
		if start >= 0 {
			pieces = append(pieces, trimLineEnd(body[start:max(i, start)]))
		}
		closed = len(tail) > 0
		at = len(body) - len(rest)
		if start = at; closed {
			start = -1
		}
	}
	if start >= 0 && len(pieces) < limit {
		pieces = append(pieces, body[start:])
	}
	return pieces, closed
}

// trimLineEnd takes off the line end that belongs to the delimiter after it.
func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// sniffBoundary finds the boundary a multipart uses when it is not the one it announces: the first
// line of two hyphens and more that a Content- field follows.
func sniffBoundary(body []byte) string {
	for rest := body; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		line = bytes.TrimRight(line, " \t\r")
		if len(line) > 2 && len(line) < 200 && bytes.HasPrefix(line, []byte("--")) &&
			len(rest) > 8 && bytes.EqualFold(rest[:8], []byte("content-")) && headerGoesOn(rest) {
			return string(line[2:])
		}
	}
	return ""
}

// readEmbedded reads a message inside a message; its bytes are kept whole beside its tree.
func (p *parser) readEmbedded(part *Part, body []byte, depth int) {
	encoding := part.Header.raw("Content-Transfer-Encoding")
	if !headerGoesOn(body) {
		body, _ = decodeTransfer(encoding, body, false)
	}
	part.Body = body
	if p.parts >= maxParts {
		p.fault("parts", "more parts than are read")
		return
	}
	inner := &Part{MediaType: "text/plain"}
	part.Parts = []*Part{inner}
	p.readMessage(inner, body, depth+1)
}

// metaCharset finds the charset a page names in its own head.
var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{1,200}charset\s*=\s*["']?([\w.:-]{1,40})`)

// readLeaf decodes a part that holds no other. Text becomes UTF-8, but not the text of a file, which may
// name its charset inside.
func (p *parser) readLeaf(part *Part, body []byte) {
	text := strings.HasPrefix(part.MediaType, "text/")
	decoded, fault := decodeTransfer(part.Header.raw("Content-Transfer-Encoding"), body, text)
	if fault != "" {
		p.fault("encoding", fault)
	}
	part.Body = decoded
	if !text || part.Disposition == "attachment" {
		return
	}
	charset := part.Params["charset"]
	if charset == "" && part.MediaType == "text/html" {
		if found := metaCharset.FindSubmatch(decoded[:min(len(decoded), 2048)]); found != nil {
			charset = string(found[1])
		}
	}
	utf8Text, ok := toUTF8(charset, decoded)
	if !ok {
		p.fault("charset", "text is not in "+charsetName(charset))
	}
	if bytes.IndexByte(utf8Text, 0) >= 0 {
		p.fault("charset", "NUL in text")
		utf8Text = bytes.ReplaceAll(utf8Text, []byte{0}, nil)
	}
	part.Body = utf8Text
}

// charsetName names the charset of a text that names none.
func charsetName(charset string) string {
	if charset == "" {
		return "us-ascii" // RFC 2045 section 5.2
	}
	return charset
}

// readFields reads the fields of the mail's own header into the message.
func (p *parser) readFields(m *Message) {
	h := m.Header
	for _, name := range []string{"From", "Subject", "Date", "Message-ID"} {
		if n := len(h.Values(name)); n > 1 {
			p.fault("header", fmt.Sprintf("%d fields %s", n, name))
		}
	}
	m.Subject = h.Get("Subject")
	m.From = firstAddress(h, "From")
	if m.From.Address == "" {
		p.fault("address", "no sender in From")
	}
	m.Sender = firstAddress(h, "Sender")
	m.ReplyTo = allAddresses(h, "Reply-To")
	m.To = allAddresses(h, "To")
	m.Cc = allAddresses(h, "Cc")
	m.MessageID = ownMessageID(h.Get("Message-ID"))
	m.InReplyTo = allMessageIDs(h, "In-Reply-To")
	m.References = allMessageIDs(h, "References")
	said := h.Get("Date")
	date, ok := parseDate(said)
	switch {
	case ok:
		m.Date = date
	case said == "":
		p.fault("date", "no Date")
	default:
		p.fault("date", "no date can be read in Date: "+said)
	}
}

// firstAddress returns the first usable address of the fields called name, else the first name in them.
func firstAddress(h Header, name string) Address {
	all := allAddresses(h, name)
	for _, a := range all {
		if a.Address != "" {
			return a
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return Address{}
}

// allAddresses returns the addresses of every field called name.
func allAddresses(h Header, name string) []Address {
	var all []Address
	for _, raw := range h.rawValues(name) {
		all = append(all, parseAddresses(raw)...)
	}
	return all
}
