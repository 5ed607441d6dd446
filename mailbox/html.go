package mailbox

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// What is considered of an HTML body, and of the text that comes out of any body, in bytes.
const (
	maxHTML = 4 << 20
	maxText = 1 << 20
	// Lines are what costs time; a mail of more is no letter.
	maxLines = 20_000
)

// HTMLText turns the HTML of a mail into plain text: paragraphs, lists and table cells kept apart,
// quoted lines prefixed with "> ", a link that shows something else than its address followed by
// <address>, hidden elements left out. quoteAt is where the text of an element begins that mail
// programs use only for the mail they answer, or -1. At most 4 MB are read, work is linear and
// no depth of nesting matters.
func HTMLText(src []byte) (text string, quoteAt int) {
	var b strings.Builder
	quoteAt = -1
	for _, l := range htmlLines(src) {
		quoted := l.depth > 0 && !l.weak
		if quoteAt < 0 && (quoted || l.mark == attributionMark || l.mark == openerMark || l.mark == replyMark) {
			quoteAt = b.Len()
		}
		for range min(l.depth, maxQuoteDepth) {
			b.WriteString("> ")
		}
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String(), quoteAt
}

const maxQuoteDepth = 20

// mark is what the markup of an HTML mail says about a line.
type mark uint8

const (
	unmarked        mark = iota
	attributionMark      // the element is only ever used for "X wrote:"
	openerMark           // loose in a reply's container: the attribution, until the first quoted line
	replyMark            // the mail that is answered begins here and goes on to the end, unquoted
	signatureMark        // the element is a signature
)

// line is one line of a body with what is known of its place.
type line struct {
	text  string
	depth int  // quotes it stands in
	weak  bool // only in blockquotes of a kind that editors also make to indent
	mark  mark
}

func (l line) blank() bool { return l.text == "" }

// effect is what an element does to the text inside it.
type effect uint8

const (
	noEffect effect = iota
	quotes
	indents // a blockquote without a sign that it is a reply's
	hides
	keepsSpace
	attributesTo
	opens
	signs
	links
	lists
	effects // how many there are
)

type element struct {
	name   string
	inline bool
	effect effect
	href   string // links
	line   int    // links: the line its text begins on, and where in it
	from   int
	items  int // lists: number of the next item, or -1 for bullets
}

// htmlReader builds lines from a stream of tags. It keeps a stack of its own instead of a tree, so
// neither depth nor broken nesting can cost more than the length of the input.
type htmlReader struct {
	lines []line
	size  int // bytes in lines

	cur   []byte // the line being read
	state line   // place of the line being read, as its first text found it
	space bool   // white space seen, written only before more text
	gap   bool   // a paragraph ended: a blank line before the next text
	empty bool   // a line of nothing but a no-break space: how editors write a blank one

	stack  []element
	open   map[string]int // elements on the stack, by name
	count  [effects]int   // effects on the stack
	reply  bool           // replyMark was seen and is not yet on a line
	bullet string         // of a list item whose text has not begun
}

func htmlLines(src []byte) []line {
	src = src[:min(len(src), maxHTML)]
	r := &htmlReader{open: map[string]int{}}
	z := html.NewTokenizer(bytes.NewReader(src))
	drop := false // the text inside script, style and the like
	for r.size < maxText && len(r.lines) < maxLines {
		switch z.Next() {
		case html.ErrorToken: // the end: a tokenizer over bytes knows no other error
			r.breakLine()
			return r.lines
		case html.TextToken:
			if !drop {
				r.text(string(z.Text()))
			}
			drop = false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			tag := string(name)
			drop = droppedTags[tag]
			r.start(tag, readAttributes(z, more))
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(string(name))
			drop = false
		case html.CommentToken, html.DoctypeToken:
		}
	}
	r.breakLine()
	return r.lines
}

// attributes are the ones that tell something about the text of an element.
type attributes struct {
	class, id, style, kind, href, cite string
	hidden                             bool
}

func readAttributes(z *html.Tokenizer, more bool) attributes {
	var a attributes
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "class":
			a.class = string(value)
		case "id":
			a.id = string(value)
		case "style":
			a.style = squeeze(string(value[:min(len(value), 2000)]))
		case "type":
			a.kind = string(value)
		case "href":
			a.href = string(value)
		case "cite":
			a.cite = string(value)
		case "hidden":
			a.hidden = true
		}
	}
	return a
}

// squeeze makes a style comparable: lower case, without white space.
func squeeze(style string) string {
	return strings.ToLower(strings.Join(strings.Fields(style), ""))
}

var (
	// The tokenizer gives what is inside these as text.
	droppedTags = map[string]bool{"script": true, "style": true, "title": true, "iframe": true, "noembed": true,
		"noframes": true, "noscript": true}
	voidTags = map[string]bool{"area": true, "base": true, "basefont": true, "bgsound": true, "br": true, "col": true,
		"embed": true, "frame": true, "hr": true, "img": true, "input": true, "keygen": true, "link": true, "meta": true,
		"param": true, "source": true, "track": true, "wbr": true}
	// A line ends before and after these.
	blockTags = map[string]bool{"div": true, "tr": true, "li": true, "dt": true, "dd": true, "section": true, "article": true,
		"header": true, "footer": true, "main": true, "address": true, "center": true, "form": true, "fieldset": true,
		"thead": true, "tbody": true, "tfoot": true, "body": true, "html": true, "caption": true, "option": true,
		"td": false, "th": false}
	// A blank line stands before and after these.
	paragraphTags = map[string]bool{"p": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true,
		"ul": true, "ol": true, "dl": true, "table": true, "blockquote": true, "pre": true, "hr": true}
	// An end tag of these says nothing about the blocks opened since.
	inlineTags = map[string]bool{"a": true, "abbr": true, "b": true, "big": true, "code": true, "em": true, "font": true,
		"i": true, "s": true, "small": true, "span": true, "strike": true, "strong": true, "sub": true, "sup": true,
		"tt": true, "u": true}
	// A start tag of these ends the one before it.
	siblingTags = map[string]bool{"p": true, "li": true, "dt": true, "dd": true, "td": true, "th": true, "tr": true, "option": true}
)

const rule = "________________________________" // as Outlook writes a horizontal line in plain text

func (r *htmlReader) start(tag string, a attributes) {
	if siblingTags[tag] {
		r.closeSibling(tag)
	}
	r.separate(tag, a.style, a.class)
	switch tag {
	case "br":
		if len(r.cur) == 0 && r.visible() {
			r.state = r.place()
			r.push("")
		}
		r.breakLine()
	case "hr":
		r.text(rule)
		r.breakLine()
	case "td", "th":
		if len(r.cur) > 0 && r.visible() {
			r.cur = append(r.cur, '\t')
			r.space = false
		}
	case "li":
		r.bullet = r.nextBullet()
	}
	e := element{name: tag, inline: inlineTags[tag], effect: effectOf(tag, a)}
	if isReplyStart(a) {
		r.breakLine()
		r.reply = true
	}
	if voidTags[tag] {
		return
	}
	switch e.effect {
	case links:
		e.href, e.line, e.from = a.href, len(r.lines), len(r.cur)
		if e.from == 0 {
			e.from = len(r.bullet)
		}
	case lists:
		e.items = -1
		if tag == "ol" {
			e.items = 1
		}
	case quotes, indents, attributesTo, opens, signs:
		r.breakLine()
	}
	r.stack = append(r.stack, e)
	r.open[tag]++
	r.count[e.effect]++
}

// separate ends the line, and the paragraph, that a tag ends.
func (r *htmlReader) separate(tag, style, class string) {
	switch {
	case paragraphTags[tag]:
		r.breakLine()
		// Outlook's and many editors' p is a line, not a paragraph: no margin.
		if tag != "p" || !strings.Contains(class, "MsoNormal") && !strings.Contains(style, "margin:0") &&
			!strings.Contains(style, "margin-bottom:0") {
			r.gap = true
		}
	case blockTags[tag]:
		r.breakLine()
	}
}

// nextBullet is what a list item begins with, indented as deep as its list.
func (r *htmlReader) nextBullet() string {
	depth := min(r.count[lists], 10)
	indent := strings.Repeat("  ", max(depth-1, 0))
	for i := len(r.stack) - 1; i >= max(0, len(r.stack)-64); i-- {
		if e := &r.stack[i]; e.effect == lists {
			if e.items < 0 {
				break
			}
			e.items++
			return indent + strconv.Itoa(e.items-1) + ". "
		}
	}
	return indent + "- "
}

// closeSibling pops an element left open that a tag of the same name ends.
func (r *htmlReader) closeSibling(tag string) {
	if r.open[tag] == 0 {
		return
	}
	for i := len(r.stack) - 1; i >= max(0, len(r.stack)-64); i-- {
		switch e := r.stack[i]; {
		case e.name == tag:
			r.popTo(i)
			return
		case !e.inline:
			return
		}
	}
}

// end pops the element that an end tag closes, with what was left open inside it.
func (r *htmlReader) end(tag string) {
	defer r.separate(tag, "", "MsoNormal")
	if r.open[tag] == 0 {
		return
	}
	depth, inline := len(r.stack), inlineTags[tag] // a block: down to the start, since every step removes what a start tag paid for
	if inline {
		depth = 64
	}
	for i := len(r.stack) - 1; i >= max(0, len(r.stack)-depth); i-- {
		if r.stack[i].name == tag {
			r.popTo(i)
			return
		}
		if inline && !r.stack[i].inline {
			return
		}
	}
}

func (r *htmlReader) popTo(i int) {
	for j := len(r.stack) - 1; j >= i; j-- {
		e := r.stack[j]
		switch e.effect {
		case links:
			r.endLink(e)
		case quotes, indents, attributesTo, opens, signs:
			r.breakLine()
		case keepsSpace:
			r.space = false
		}
		r.open[e.name]--
		r.count[e.effect]--
	}
	if r.stack[i].name != "p" && paragraphTags[r.stack[i].name] {
		r.breakLine()
		r.gap = true
	}
	r.stack = r.stack[:i]
}

// endLink writes where a link goes when its text does not say so.
func (r *htmlReader) endLink(e element) {
	if e.line != len(r.lines) { // over two lines, or after a blank one: it shows what is on the last
		e.from = min(e.from, len(r.bullet))
	}
	if !r.visible() || e.from >= len(r.cur) || len(e.href) > 500 {
		return
	}
	href := strings.TrimSpace(e.href)
	shown := strings.TrimSpace(string(r.cur[e.from:]))
	lower := strings.ToLower(href)
	switch {
	case shown == "" || strings.ContainsAny(href, "<> \n"):
	case strings.HasPrefix(lower, "mailto:"):
		address, _, _ := strings.Cut(href[len("mailto:"):], "?")
		if address != "" && !strings.Contains(strings.ToLower(shown), strings.ToLower(address)) {
			r.cur = append(r.cur, " <"+address+">"...)
		}
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		if bareURL(shown) != bareURL(href) {
			r.cur = append(r.cur, " <"+href+">"...)
		}
	}
}

func bareURL(s string) string {
	s = strings.ToLower(s)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	return strings.TrimSuffix(strings.TrimPrefix(s, "www."), "/")
}

func (r *htmlReader) visible() bool { return r.count[hides] == 0 }

// place is a line with what the open elements say about it.
func (r *htmlReader) place() line {
	l := line{depth: r.count[quotes] + r.count[indents], weak: r.count[quotes] == 0 && r.count[indents] > 0}
	switch {
	case r.count[signs] > 0:
		l.mark = signatureMark
	case r.count[attributesTo] > 0:
		l.mark = attributionMark
	case r.count[opens] > 0:
		l.mark = openerMark
	}
	if r.reply {
		l.mark = replyMark
	}
	return l
}

func (r *htmlReader) text(s string) {
	if !r.visible() {
		return
	}
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case invisible(c):
		case c == '\n' && r.count[keepsSpace] > 0:
			if len(r.cur) == 0 {
				r.state = r.place()
				r.push("")
			}
			r.breakLine()
		case unicode.IsSpace(c) && r.count[keepsSpace] > 0 && c != '\r':
			r.begin()
			r.cur = append(r.cur, ' ')
		case unicode.IsSpace(c):
			r.space = true
			r.empty = r.empty || c == '\u00a0'
		default:
			r.begin()
			r.cur = append(r.cur, s[:n]...)
		}
		s = s[n:]
	}
}

// invisible tells the characters that take no room and only get in the way of finding words.
func invisible(c rune) bool {
	switch c {
	case '\u00ad', '\u200b', '\u2060', '\ufeff':
		return true
	}
	return unicode.IsControl(c) && c != '\n' && c != '\t' && c != '\r'
}

// begin prepares the line for one more character.
func (r *htmlReader) begin() {
	if len(r.cur) == 0 {
		if r.gap && len(r.lines) > 0 {
			r.state = r.place()
			if last := r.lines[len(r.lines)-1]; last.depth < r.state.depth {
				r.state = line{depth: last.depth, weak: last.weak}
			}
			r.push("")
		}
		r.gap = false
		r.state = r.place()
		r.reply = false
		r.cur = append(r.cur, r.bullet...)
		r.bullet = ""
	} else if r.space && r.cur[len(r.cur)-1] != '\t' {
		r.cur = append(r.cur, ' ')
	}
	r.space = false
}

func (r *htmlReader) breakLine() {
	if len(r.cur) > 0 {
		r.push(strings.TrimRight(string(r.cur), " \t"))
	} else if r.empty {
		r.state = r.place()
		r.push("")
	}
	r.cur, r.space, r.empty = r.cur[:0], false, false
}

func (r *htmlReader) push(text string) {
	l := r.state
	l.text = text
	r.lines = append(r.lines, l)
	r.size += len(text) + 1
}

// names gives the class and id of an element as its mail program wrote them: Outlook prefixes those
// of a mail it quotes with x_, once for each time it was quoted.
func (a attributes) names() []string {
	names := strings.Fields(strings.ToLower(a.class + " " + a.id))
	for i, name := range names[:min(len(names), 20)] {
		for strings.HasPrefix(name, "x_") {
			name = name[len("x_"):]
		}
		names[i] = name
	}
	return names
}

var (
	attributionNames = map[string]bool{
		"gmail_attr":      true,
		"moz-cite-prefix": true, // Thunderbird
		"reply-intro":     true, // Roundcube
	}
	openerNames = map[string]bool{
		"gmail_quote": true, "gmail_quote_container": true, "protonmail_quote": true, "tutanota_quote": true, "zmail_extra": true,
	}
	quoteNames = map[string]bool{"yahoo_quoted": true}
	replyNames = map[string]bool{
		"divrplyfwdmsg": true, "appendonsend": true, // Outlook on the web
		"mail-editor-reference-message-container": true, // the new Outlook
		"ms-outlook-mobile-reference-message":     true,
		"olk_src_body_section":                    true, // Outlook for Mac
		"outlookmessageheader":                    true,
		"stopspelling":                            true, // Hotmail, on its hr
	}
	signatureNames = map[string]bool{
		"gmail_signature": true, "moz-signature": true, "signature": true, "protonmail_signature_block": true,
		"ms-outlook-mobile-signature": true,
	}
)

func isReplyStart(a attributes) bool {
	for _, name := range a.names() {
		if replyNames[name] {
			return true
		}
	}
	return false
}

func effectOf(tag string, a attributes) effect {
	if tag == "template" || a.hidden || hiddenStyle(a.style) {
		return hides
	}
	for _, name := range a.names() {
		switch {
		case attributionNames[name]:
			return attributesTo
		case quoteNames[name], strings.HasPrefix(name, "yahoo_quoted"):
			return quotes
		case openerNames[name] && tag == "blockquote":
			return quotes
		case openerNames[name]:
			return opens
		case signatureNames[name]:
			return signs
		}
	}
	switch {
	case tag == "blockquote" && (strings.EqualFold(a.kind, "cite") || a.cite != ""):
		return quotes
	case tag == "blockquote":
		return indents
	case tag == "a":
		return links
	case tag == "ul" || tag == "ol":
		return lists
	case tag == "pre" || strings.Contains(a.style, "white-space:pre") && !strings.Contains(a.style, "white-space:pre-line"):
		return keepsSpace
	}
	return noEffect
}

// hiddenStyle tells a squeezed style that shows nothing. Newsletters and mail filters put text there
// that no reader sees.
func hiddenStyle(style string) bool {
	if style == "" {
		return false
	}
	for _, hidden := range []string{"display:none", "visibility:hidden", "mso-hide:all"} {
		if strings.Contains(style, hidden) {
			return true
		}
	}
	_, size, found := strings.Cut(style, "font-size:0")
	return found && (size == "" || strings.Trim(strings.TrimSuffix(strings.SplitN(size, ";", 2)[0], "!important"), "pxtem%") == "")
}
