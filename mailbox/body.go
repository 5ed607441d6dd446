package mailbox

import (
	"bytes"
	"strings"
)

// Body returns the text/plain and the text/html of the mail itself, nil for the one it does not have:
// not an attachment, not what a mail inside this one says. Where a client cut the text in two to put an
// image or a file between, or a list added its footer, the pieces come joined in one part.
func (m *Message) Body() (plain, html *Part) {
	b := bodyFinder{}
	b.find(m.Root)
	if len(b.plain)+len(b.html) == 0 {
		b.named = true
		b.find(m.Root)
	}
	return joinParts(b.plain), joinParts(b.html)
}

// bodyFinder collects the parts of the body, in order.
type bodyFinder struct {
	plain, html []*Part
	named       bool // take text that has a file name as well
}

// find goes through one part.
func (b *bodyFinder) find(part *Part) {
	if part.Disposition == "attachment" {
		return
	}
	switch part.MediaType {
	case "multipart/related":
		if root := relatedRoot(part); root != nil {
			b.find(root)
		}
		return
	case "multipart/signed":
		if len(part.Parts) > 0 { // RFC 1847: the first is what was signed
			b.find(part.Parts[0])
		}
		return
	}
	if isMultipart(part) {
		for _, child := range part.Parts {
			b.find(child)
		}
		return
	}
	if part.Filename != "" && !b.named {
		return
	}
	switch part.MediaType {
	case "text/plain", "text/markdown", "text/x-markdown", "text/enriched":
		b.plain = append(b.plain, part)
	case "text/html":
		b.html = append(b.html, part)
	}
}

// relatedRoot returns the root of a multipart/related (RFC 2387): the part its start names, else the
// first.
func relatedRoot(part *Part) *Part {
	start := strings.Trim(part.Params["start"], "<> ")
	for _, child := range part.Parts {
		if start != "" && child.ContentID == start {
			return child
		}
	}
	if len(part.Parts) > 0 {
		return part.Parts[0]
	}
	return nil
}

// joinParts makes one part of several; blank ones count only when there is no other.
func joinParts(parts []*Part) *Part {
	var full []*Part
	for _, part := range parts {
		if len(bytes.TrimSpace(part.Body)) > 0 {
			full = append(full, part)
		}
	}
	switch {
	case len(full) == 1:
		return full[0]
	case len(full) == 0 && len(parts) > 0:
		return parts[0]
	case len(full) == 0:
		return nil
	}
	joined := *full[0]
	var bodies [][]byte
	for _, part := range full {
		bodies = append(bodies, part.Body)
	}
	joined.Body = bytes.Join(bodies, []byte("\n"))
	return &joined
}
