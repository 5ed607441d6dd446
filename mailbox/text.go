package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words is what the writer of a mail wrote themselves: without quoted text, signature,
// disclaimer and mobile tagline.
type Words struct {
	Text    string
	Certain bool   // false: where the own words end could not be told, so Text must not go out unseen
	Why     string // what the cut was made by, or why it is not certain
}

// Text gives the writer's own words, from the plain body or, where there is none worth reading, from
// the HTML one. Answers below or between quoted lines survive. A mail that only forwards another
// gives what it forwards. At most the first megabyte of text is read.
//
// Certain holds when nothing was quoted, or when what was cut begins at our Marker, an attribution
// or a complete header block and reaches the end of the mail with none of the writer's words below.
func Text(m *Message) Words {
	b := readBodies(m)
	var plain, html Words
	if b.plain != nil {
		plain = ownWords(b.plain, m.Subject)
	}
	if b.html != nil {
		html = ownWords(b.html, m.Subject)
	}
	w := choose(plain, html, b.plain != nil, b.html != nil)
	switch {
	case w.Text == "":
		w.Certain, w.Why = false, "no words of the writer's"
	case b.cut:
		w.Certain, w.Why = false, "too long"
	}
	return w
}

// bodies is the text of a mail twice: as its plain and as its HTML parts say it. Where one kind is
// missing everywhere, it is nil.
type bodies struct {
	plain, html []line
	cut         bool // a part was longer than is read
	size        int
}

// readBodies reads every part that a mail program shows as text. There may be several: Apple Mail
// parts the text where a picture stands in it.
func readBodies(m *Message) bodies {
	var b bodies
	var havePlain, haveHTML bool
	add := func(plain, html *Part) {
		havePlain, haveHTML = havePlain || plain != nil, haveHTML || html != nil
		var p, h []line
		if plain != nil {
			b.note(len(plain.Body), maxText)
			p = plainLines(plain)
			h = p
		}
		if html != nil {
			b.note(len(html.Body), maxHTML)
			h = htmlLines(html.Body)
			if plain == nil {
				p = h
			}
		}
		b.plain, b.html = append(b.plain, p...), append(b.html, h...)
	}
	m.Walk(func(p *Part) bool {
		switch {
		case b.size > maxHTML: // enough of one mail
			b.cut = true
			return false
		case p.MediaType == "multipart/alternative":
			add(alternatives(p))
			return false
		case strings.HasPrefix(p.MediaType, "multipart/"):
			return true
		case isBody(p, "text/plain"):
			add(p, nil)
		case isBody(p, "text/html"):
			add(nil, p)
		}
		return false // above all not what is inside an attached mail
	})
	if !havePlain && !haveHTML { // nothing shown as text: a text file sent alone is one after all
		plain, html := m.Body()
		add(plain, html)
	}
	b.cut = b.cut || len(b.plain) >= maxLines || len(b.html) >= maxLines
	b.plain, b.html = b.plain[:min(len(b.plain), maxLines)], b.html[:min(len(b.html), maxLines)]
	if !havePlain {
		b.plain = nil
	}
	if !haveHTML {
		b.html = nil
	}
	return b
}

func (b *bodies) note(size, limit int) {
	b.size += size
	b.cut = b.cut || size > limit
}

// isBody tells a text part from a text file that was attached.
func isBody(p *Part, mediaType string) bool {
	return p.MediaType == mediaType && p.Disposition != "attachment" && p.Filename == ""
}

// alternatives finds the twins in a multipart/alternative, the HTML one maybe in a multipart/related.
func alternatives(root *Part) (plain, html *Part) {
	root.walk(func(p *Part) bool {
		switch {
		case plain == nil && isBody(p, "text/plain"):
			plain = p
		case html == nil && isBody(p, "text/html"):
			html = p
		}
		return strings.HasPrefix(p.MediaType, "multipart/")
	})
	return plain, html
}

// choose decides between the twins of a multipart/alternative.
func choose(plain, html Words, havePlain, haveHTML bool) Words {
	switch {
	case !haveHTML:
		return plain
	case !havePlain, plain.Text == "", html.Text != "" && len(plain.Text) < 300 && seeHTMLPattern.MatchString(plain.Text) && !sameWords(plain.Text, html.Text):
		return html
	case html.Text == "":
		plain.Certain, plain.Why = false, "the HTML has no words of the writer's"
		return plain
	case !sameWords(plain.Text, html.Text):
		plain.Certain, plain.Why = false, "plain and HTML disagree"
		return plain
	case html.Certain && !plain.Certain: // blockquotes say more than a plain twin without marks
		return html
	}
	return plain
}

// sameWords tells whether most words of each text are in the other.
func sameWords(a, b string) bool {
	count := map[string]int{}
	total := 0
	for _, w := range wordsOf(a) {
		count[w]++
		total++
	}
	shared := 0
	for _, w := range wordsOf(b) {
		total++
		if count[w] > 0 {
			count[w]--
			shared++
		}
	}
	return total == 0 || 2*shared*10 >= 7*total // seven in ten
}

func wordsOf(s string) []string {
	s = strings.ToLower(s[:min(len(s), 200_000)])
	return strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// plainLines reads a text/plain part.
func plainLines(p *Part) []line {
	text := string(p.Body[:min(len(p.Body), maxText)])
	for len(text) > 0 && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) && len(text) == maxText {
		text = text[:len(text)-1] // the character that the limit cut through
	}
	if strings.EqualFold(p.Params["format"], "flowed") {
		return splitFlowed(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	return split(text)
}

// splitFlowed undoes format=flowed (RFC 3676): a line that ends in a space goes on in the next one of
// the same quote depth; a line that begins with a space lost one to stuffing.
func splitFlowed(text string, delSp bool) []line {
	var lines []line
	open := false
	for s := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		rest := strings.TrimLeft(s, ">")
		depth := len(s) - len(rest)
		rest = strings.TrimPrefix(rest, " ")
		signature := rest == "-- "
		flows := strings.HasSuffix(rest, " ") && !signature
		if flows && delSp {
			rest = rest[:len(rest)-1]
		}
		if last := len(lines) - 1; open && !signature && lines[last].depth == depth {
			lines[last].text += rest
		} else {
			lines = append(lines, line{text: rest, depth: depth})
		}
		open = flows
	}
	for i := range lines {
		lines[i].text = cleanLine(lines[i].text)
	}
	return lines
}

// ownWords cuts a body down to what its writer wrote.
func ownWords(lines []line, subject string) Words {
	c := cutQuotes(lines)
	var paragraphs []string
	for _, part := range c.own {
		trimmed, doubt := trimTrailer(part)
		if doubt != "" && c.certain {
			c.certain, c.why = false, doubt
		}
		if text := joinLines(trimmed); text != "" {
			paragraphs = append(paragraphs, text)
		}
	}
	w := Words{Text: strings.Join(paragraphs, "\n\n"), Certain: c.certain, Why: c.why}
	if len(paragraphs) > 1 {
		w.Certain, w.Why = false, "words between or below quoted lines"
	}
	if w.Text == "" && c.rest != nil && (c.forwards || !isReply(subject)) {
		for i := range c.rest {
			c.rest[i].depth = max(0, c.rest[i].depth-1)
		}
		return Words{Text: joinLines(c.rest), Why: "forwarded mail"}
	}
	if c.flat && w.Certain && c.why != byMarker && isForward(subject) {
		w.Certain, w.Why = false, "forwarded mail"
	}
	if c.flat && w.Certain && inlinePattern.MatchString(w.Text) {
		w.Certain, w.Why = false, "may go on inside the quoted mail"
	}
	return w
}

// isReply tells a subject that mail programs put on answers.
func isReply(subject string) bool {
	switch subjectPrefix(subject) {
	case "re", "r", "rif", "aw", "ref", "sv", "res", "resp", "rép", "antw":
		return true
	}
	return false
}

// isForward tells a subject that mail programs put on forwarded mail.
func isForward(subject string) bool {
	switch subjectPrefix(subject) {
	case "fwd", "fw", "rv", "tr", "wg", "enc", "i", "reenv", "renv", "rmtd":
		return true
	}
	return false
}

func subjectPrefix(subject string) string {
	prefix, _, _ := strings.Cut(subject, ":")
	return strings.ToLower(strings.TrimSpace(prefix))
}

// joinLines writes lines as text: no blank line at either end, never two in a row.
func joinLines(lines []line) string {
	var b strings.Builder
	gap := false
	for _, l := range lines {
		if strings.TrimSpace(l.text) == "" {
			gap = b.Len() > 0
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if gap {
			b.WriteByte('\n')
		}
		gap = false
		for range min(l.depth, maxQuoteDepth) {
			b.WriteString("> ")
		}
		b.WriteString(strings.TrimRight(l.text, " \t"))
	}
	return strings.TrimSpace(b.String())
}
