package mailbox

import "strings"

// cut is a body taken apart.
type cut struct {
	own      [][]line // the writer's, in stretches between quoted lines
	certain  bool
	why      string
	flat     bool   // what was cut has no quote marks, so words in it cannot be told apart
	forwards bool   // what was cut is meant for us to read
	rest     []line // what was cut, where it may be all that is sent
}

func (c *cut) doubt(why string) {
	if c.certain {
		c.certain, c.why = false, why
	}
}

// addBelow adds what stands outside the quote but not above it, without the signature that often does.
func (c *cut) addBelow(parts [][]line) {
	for _, part := range parts {
		part = trimBelow(part)
		if written(part) > 0 {
			c.doubt("words between or below quoted lines")
			c.own = append(c.own, part)
		}
	}
}

// cutQuotes finds the writer's lines.
func cutQuotes(lines []line) cut {
	for i, l := range lines {
		if hasMarker(l.text) || i+1 < len(lines) && l.depth > 0 && strings.HasSuffix(l.text, "##~") && hasMarker(l.text+lines[i+1].text) {
			return cutAtMarker(lines, i)
		}
	}
	return cutAtHead(lines)
}

// cutAtMarker keeps what stands above our own line, without the head of the quote it is in, and what
// stands below it outside the quote.
func cutAtMarker(lines []line, at int) cut {
	c := cut{certain: true, why: byMarker}
	above, below := lines[:at], lines[at+1:]
	marked := lines[at].depth > 0
	h, found := findHead(above)
	if found {
		between := above[h.to:]
		above = above[:h.from]
		c.flat = !marked
		_, again := findHead(between[min(1, len(between)):])
		switch {
		case marked:
			c.addBelow(stretches(between))
		case h.kind == attribution && !h.complete, h.kind == forward, again, written(between) > 8:
			c.doubt("words between the quoted mail's head and our line")
		}
	}
	top := trimQuoted(above)
	if !found && looksLikeHead(top) {
		top = top[:lastParagraph(top)]
		c.doubt("what stands above our line looks like the head of a quoted mail")
	}
	c.own = append(stretches(top), c.own...)
	if marked {
		c.addBelow(stretches(beforeHead(below)))
	}
	if quoted(top) {
		c.doubt("words between or below quoted lines")
	}
	return c
}

// cutAtHead keeps what stands above the first mail inside the mail and, where that is marked as
// quoted, what stands below it.
func cutAtHead(lines []line) cut {
	h, found := findHead(lines)
	for from := 0; found && h.kind == attribution && !h.complete && !quoteFollows(lines, h.to); {
		from = h.to // "On Monday she wrote:" is only a sentence when no quoted line follows
		h, found = findHead(lines[from:])
		h.from, h.to = h.from+from, h.to+from
	}
	if !found {
		return cutUnannounced(lines)
	}
	c := cut{certain: true, why: headNames[h.kind], own: stretches(lines[:h.from]), forwards: h.kind == forward}
	if quoted(lines[:h.from]) {
		c.doubt("words between or below quoted lines")
	}
	rest := lines[h.to:]
	switch {
	case h.kind == forward:
		c.doubt("forwarded mail")
		c.rest = rest
	case quoteFollows(lines, h.to):
		c.addBelow(stretchesOutside(beforeHead(rest)))
	case h.kind == attribution:
		c.flat, c.rest, c.forwards = true, rest, true
		c.doubt("the quoted mail has no quote marks")
	default:
		c.flat, c.rest = true, rest
		if !h.complete {
			c.doubt("the header block is not complete")
		}
	}
	return c
}

// cutUnannounced handles a body without any head: with quoted lines all the same, or without.
func cutUnannounced(lines []line) cut {
	c := cut{certain: true, why: "no quote", own: stretches(lines)}
	first := 0
	for first < len(lines) && lines[first].depth == 0 {
		first++
	}
	switch {
	case first == len(lines) && hasStrangeHead(lines):
		c.doubt("what may be the head of a quoted mail stands in it")
	case first == len(lines):
	case introducedInside(lines[first:]):
		c.why = headNames[attribution]
	default:
		c.doubt("quoted lines without an attribution")
		if top := trimQuoted(lines[:first]); looksLikeHead(top) && len(top)-lastParagraph(top) <= 4 {
			c.own = append(stretches(top[:lastParagraph(top)]), stretches(lines[first:])...)
		}
	}
	if written(flatten(c.own)) == 0 {
		c.rest = lines
	}
	return c
}

// introducedInside tells whether lines are one quote to the end that begins with its own head, as Apple
// Mail and Yahoo write it.
func introducedInside(lines []line) bool {
	inside := make([]line, len(lines))
	for i, l := range lines {
		if l.depth == 0 && !l.blank() {
			return false
		}
		l.depth, l.weak = max(0, l.depth-1), false
		inside[i] = l
	}
	h, found := findHead(inside)
	return found && h.complete && written(inside[:h.from]) == 0
}

// beforeHead gives the lines above the next mail inside the mail.
func beforeHead(lines []line) []line {
	loose := make([]line, len(lines))
	for i, l := range lines {
		if l.mark == openerMark { // its attribution has been read: what else is loose in it is the writer's
			l.mark = unmarked
		}
		loose[i] = l
	}
	if h, found := findHead(loose); found {
		return loose[:h.from]
	}
	return loose
}

func flatten(parts [][]line) (all []line) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

const byMarker = "marker"

// isQuoted tells a line that certainly is a quote's.
func isQuoted(l line) bool { return l.depth > 0 && !l.weak }

// stretches gives the lines outside quotes, parted where quoted ones stand between. Weak quotes count as
// the writer's: nothing announced them.
func stretches(lines []line) [][]line { return part(lines, isQuoted) }

// stretchesOutside is stretches below an attribution, where every blockquote is a quote.
func stretchesOutside(lines []line) [][]line {
	return part(lines, func(l line) bool { return l.depth > 0 })
}

func part(lines []line, quoted func(line) bool) (parts [][]line) {
	from := 0
	add := func(to int) {
		if written(lines[from:to]) > 0 {
			own := make([]line, to-from)
			for i, l := range lines[from:to] {
				l.depth = 0
				own[i] = l
			}
			parts = append(parts, own)
		}
	}
	for i, l := range lines {
		if quoted(l) && !l.blank() {
			add(i)
			from = i + 1
		}
	}
	add(len(lines))
	return parts
}

func quoted(lines []line) bool {
	for _, l := range lines {
		if isQuoted(l) && !l.blank() {
			return true
		}
	}
	return false
}

// trimQuoted removes quoted and blank lines at the end.
func trimQuoted(lines []line) []line {
	for len(lines) > 0 && (isQuoted(lines[len(lines)-1]) || lines[len(lines)-1].blank()) {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// quoteFollows tells whether the next written line is quoted.
func quoteFollows(lines []line, i int) bool {
	i = nextWritten(lines, i)
	return i < len(lines) && lines[i].depth > 0
}

// hasStrangeHead tells whether lines hold what looks like a header block in a language we do not know: three
// lines "Name: value" together, with an address and a time of day, or Outlook's horizontal line.
func hasStrangeHead(lines []line) bool {
	fields, address, clock := 0, false, false
	for i, l := range lines {
		name, value, found := strings.Cut(l.text, ":")
		if !found || len(name) == 0 || len(name) > 30 || strings.TrimSpace(value) == "" {
			fields, address, clock = 0, false, false
			if isRule(l.text) && strings.HasPrefix(l.text, "___") && written(lines[i+1:min(i+4, len(lines))]) > 0 {
				return true
			}
			continue
		}
		fields++
		address = address || strings.Contains(value, "@")
		clock = clock || clockPattern.MatchString(value)
		if fields >= 3 && address && clock {
			return true
		}
	}
	return false
}

// looksLikeHead tells whether the last paragraph has what a head in a language we do not know has:
// an address and a time of day, or a colon at its end and one of them.
func looksLikeHead(lines []line) bool {
	if len(lines) == 0 {
		return false
	}
	text := joinUpTo(lines[lastParagraph(lines):], 2000)
	address, clock := strings.Contains(text, "@"), clockPattern.MatchString(text)
	return address && clock || (address || clock) && strings.HasSuffix(lines[len(lines)-1].text, ":")
}

func lastParagraph(lines []line) int {
	i := len(lines)
	for i > 0 && !lines[i-1].blank() {
		i--
	}
	return i
}
