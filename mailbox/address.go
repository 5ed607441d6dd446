package mailbox

import "strings"

// maxComment is how far the end of a comment is looked for, in bytes.
const maxComment = 500

// addressScanner cuts an address list into its addresses. It works on the value as received, so that
// a comma inside an encoded-word or a quoted string does not end an address.
type addressScanner struct {
	raw       string
	at        int  // next byte to read
	start     int  // of the address being read
	found     bool // it has an "@" or an angle bracket by now
	noQuote   bool // no quotation mark ends after this point
	addresses []Address

	lastSemicolon int
}

// parseAddresses reads an address list (RFC 5322 section 3.4) as people and programs write it: names
// with commas and brackets nobody quoted, brackets not closed, addresses no standard allows,
// encoded-words anywhere, groups, raw 8-bit text. What holds no address at all comes as a Name.
func parseAddresses(raw string) []Address {
	s := addressScanner{raw: raw, lastSemicolon: strings.LastIndexByte(raw, ';')}
	for s.at < len(s.raw) {
		s.step()
	}
	s.end(len(s.raw))
	if len(s.addresses) == 1 && s.addresses[0].Address == "" && strings.Contains(raw, "=?") {
		// QUIRK: some forms encode the whole field, address and all.
		if again := parseAddresses(strings.ReplaceAll(decodeText(raw), "=?", "")); len(again) > 0 && again[0].Address != "" {
			return again
		}
	}
	return s.addresses
}

// step reads one character, or one thing that no comma splits.
func (s *addressScanner) step() {
	rest := s.raw[s.at:]
	switch rest[0] {
	case '"':
		if end := quoteEnd(rest); !s.noQuote && end > 0 {
			s.at += end
			return
		}
		s.noQuote = true
	case '(':
		if end := commentEnd(rest); end > 0 {
			s.at += end
			return
		}
	case '<':
		s.found = true
		s.at += angleEnd(rest)
		return
	case '=':
		if word, ok := encodedWordAt(rest); ok {
			s.at += word
			return
		}
	case '@':
		s.found = true
	case ':':
		// A group's name, when the group also ends.
		if !s.found && s.at < s.lastSemicolon && !strings.EqualFold(strings.TrimLeft(s.raw[max(s.start, s.at-7):s.at], " <"), "mailto") {
			s.start = s.at + 1
		}
	case ',':
		// QUIRK: "Garcia, Joan <joan@example.org>" without quotes is one address.
		if s.found {
			s.end(s.at)
		}
	case ';':
		s.end(s.at)
	}
	s.at++
}

// end takes the address that ends before the byte at, and starts the next after it.
func (s *addressScanner) end(at int) {
	if a := readAddress(s.raw[s.start:at]); a != (Address{}) {
		s.addresses = append(s.addresses, a)
	}
	s.start, s.found = at+1, false
}

// encodedWordAt returns the size of the encoded-word that s starts with.
func encodedWordAt(s string) (size int, ok bool) {
	if !strings.HasPrefix(s, "=?") {
		return 0, false
	}
	word, ok := readEncodedWord(s)
	return word.size, ok
}

// quoteEnd returns where the quoted string that s starts with ends, 0 when it does not.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// commentEnd returns where the comment that s starts with ends, 0 when it does not. Comments nest.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < min(len(s), maxComment); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// angleEnd returns where the angle bracket that s starts with ends: after ">", or where it was
// forgotten, before what begins another address.
func angleEnd(s string) int {
	at := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '@':
			at = true
		case '>':
			return i + 1
		case '<':
			if i > 1 {
				return i
			}
		case ',':
			if at && s[1] != '@' {
				return i
			}
		}
	}
	return len(s)
}

// readAddress reads one address with its display name.
func readAddress(raw string) Address {
	name, spec, comment := splitAddress(raw)
	address := cleanAddress(spec)
	if address == "" {
		if name = displayName(name + " " + spec); name == "" {
			name = displayName(comment)
		}
		return Address{Name: name}
	}
	if name = displayName(name); name == "" {
		name = displayName(comment)
	}
	return Address{Name: name, Address: address}
}

// splitAddress tells the display name, the address and the comments apart. Without angle brackets the
// last word with an "@" is the address.
func splitAddress(raw string) (name, spec, comment string) {
	var text strings.Builder // what is outside brackets and comments
	named := false           // a name stands before the brackets: what is after them is noise
	for i := 0; i < len(raw); {
		rest := raw[i:]
		size := 1
		switch rest[0] {
		case '"':
			size = max(quoteEnd(rest), 1)
		case '=':
			if word, ok := encodedWordAt(rest); ok {
				size = word
			}
		case '(':
			if end := commentEnd(rest); end > 0 {
				comment += rest[1 : end-1]
				i += end
				text.WriteByte(' ')
				continue
			}
		case '<':
			size = angleEnd(rest)
			if inside := strings.Trim(rest[:size], "<> \t"); spec == "" || !strings.Contains(spec, "@") {
				spec = inside
			}
			i += size
			named = named || strings.TrimSpace(text.String()) != ""
			continue
		}
		if !named {
			text.WriteString(rest[:size])
		}
		i += size
	}
	name = strings.Trim(text.String(), " \t>")
	if spec != "" {
		return name, spec, comment
	}
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return name, "", comment
	}
	start := wordStart(name, at)
	end := at
	for end < len(name) && name[end] != ' ' && name[end] != '\t' {
		end++
	}
	return strings.TrimSpace(name[:start] + " " + name[end:]), name[start:end], comment
}

// wordStart returns where the word that holds the byte at begins; a quoted local part is one word.
func wordStart(s string, at int) int {
	if at > 0 && s[at-1] == '"' {
		if quote := strings.LastIndexByte(s[:at-1], '"'); quote >= 0 {
			return quote
		}
	}
	return strings.LastIndexAny(s[:at], " \t") + 1
}

// cleanAddress takes an addr-spec out of what stands around it; "" when it is none.
func cleanAddress(spec string) string {
	spec = decodeText(strings.TrimSpace(spec))
	if strings.HasPrefix(spec, "@") { // RFC 5322 section 4.4: a route
		if _, after, ok := strings.Cut(spec, ":"); ok {
			spec = after
		}
	}
	if len(spec) > 7 && strings.EqualFold(spec[:7], "mailto:") {
		spec = spec[7:]
	}
	if !strings.HasPrefix(spec, `"`) {
		spec = strings.Join(strings.Fields(spec), "")
		spec = strings.Trim(spec, "'\"`<>,;:[]()")
	}
	spec = strings.TrimRight(spec, ".'\"")
	at := strings.LastIndexByte(spec, '@')
	if at <= 0 || at == len(spec)-1 {
		return ""
	}
	if strings.HasPrefix(spec[at+1:], "[") && !strings.HasSuffix(spec, "]") {
		spec += "]" // a domain literal, cut just above
	}
	return spec
}

// displayName decodes a display name and takes off its quotes.
func displayName(raw string) string {
	raw = strings.Trim(raw, " \t,;")
	if strings.HasPrefix(raw, `"`) && quoteEnd(raw) == len(raw) {
		raw = unescape(raw[1 : len(raw)-1])
	} else if strings.Contains(raw, `"`) {
		raw = strings.ReplaceAll(unescape(raw), `"`, "")
	}
	name := strings.TrimSpace(decodeText(raw))
	for _, quote := range []string{`"`, "'"} { // quoted again inside, as Outlook does
		if len(name) > 1 && strings.HasPrefix(name, quote) && strings.HasSuffix(name, quote) {
			name = name[1 : len(name)-1]
		}
	}
	return strings.Join(strings.Fields(name), " ")
}

// unescape takes out the backslashes of quoted pairs.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
