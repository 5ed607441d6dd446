package mailbox

import (
	"regexp"
	"strings"
)

// Marker stands in the first line of every notice of ours that can be answered: what a reply holds
// from there on is not its writer's. It is one word of ASCII, so that no charset, no wrapping, no
// quoting and no change from HTML to text takes it apart.
const Marker = "##~bustia~##"

// MarkerLine is the line to put on top of a notice, with a hint in its reader's language.
func MarkerLine(hint string) string { return strings.TrimSpace(Marker + " " + hint) }

// Converters to Markdown put backslashes before punctuation, and some editors a space between it.
var markerPattern = regexp.MustCompile(`(?i)\\?#\s?\\?#\s?\\?~\s?bustia\s?\\?~\s?\\?#\s?\\?#`)

func hasMarker(s string) bool {
	return strings.Contains(s, "~") && markerPattern.MatchString(s)
}

// split makes lines of a plain body and counts the quote marks in front of each.
func split(text string) []line {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	var lines []line
	for s := range strings.SplitSeq(text, "\n") {
		depth, rest := quoteMarks(s)
		lines = append(lines, line{text: cleanLine(rest), depth: depth})
	}
	return lines
}

// quoteMarks counts the '>' a line begins with ("> > x", ">> x").
func quoteMarks(s string) (depth int, rest string) {
	if strings.HasPrefix(s, ">From ") { // not a quote: mbox files escape the word so
		return 0, s[1:]
	}
	rest = s
	for {
		trimmed := strings.TrimLeft(rest, " \u00a0")
		if len(rest)-len(trimmed) > 2 || !strings.HasPrefix(trimmed, ">") {
			break
		}
		rest = trimmed[1:]
		depth++
	}
	if depth > 0 {
		rest = strings.TrimPrefix(rest, " ")
	}
	return depth, rest
}

// cleanLine removes what cannot be seen and the white space at the end, but for the one of "-- ".
func cleanLine(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\u00a0' || c == '\u202f' || c == '\u2007':
			return ' '
		case invisible(c):
			return -1
		}
		return c
	}, s)
	if s == "-- " {
		return s
	}
	return strings.TrimRight(s, " \t\f\v")
}

// headKind is what begins a mail inside a mail.
type headKind uint8

const (
	attribution headKind = iota // "X wrote:"
	headerBlock                 // "From: Sent: To: Subject:"
	forward                     // "Forwarded message", with its header block
	container                   // an HTML element says so
)

var headNames = [...]string{attribution: "attribution", headerBlock: "header block", forward: "forwarded mail", container: "reply container"}

// head is where a mail inside the mail begins: lines [from, to) introduce it.
type head struct {
	kind     headKind
	from, to int
	complete bool // sure by itself; otherwise it counts only with what follows
}

// findHead gives the first head in lines. Weakly quoted lines are looked at too, since some programs
// put the header block inside the blockquote.
func findHead(lines []line) (head, bool) {
	seen := 0 // header fields before this line were found to be no header block
	for i := range lines {
		l := lines[i]
		if l.blank() || l.depth > 0 && !l.weak && l.mark == unmarked {
			continue
		}
		if h, ok := markedHead(lines, i); ok {
			return h, true
		}
		if l.depth > 0 && !l.weak {
			continue
		}
		if i >= seen {
			h, next, ok := writtenHead(lines, i)
			if ok {
				return h, true
			}
			seen = next
		}
		if from, complete, ok := attributionEndingAt(lines, i); ok {
			return head{attribution, from, i + 1, complete}, true
		}
	}
	return head{}, false
}

// markedHead reads the head that HTML elements announce at line i.
func markedHead(lines []line, i int) (head, bool) {
	switch l := lines[i]; l.mark {
	case attributionMark:
		if h, _, ok := writtenHead(lines, i); ok {
			return h, true
		}
		to := i
		for to < len(lines) && (lines[to].mark == attributionMark || lines[to].blank()) {
			to++
		}
		return head{attribution, i, to, true}, true
	case openerMark:
		if l.depth > 0 {
			return head{}, false
		}
		if h, _, ok := writtenHead(lines, i); ok {
			return h, true
		}
		to, words := i, 0
		for to < len(lines) && (lines[to].mark == openerMark && lines[to].depth == 0 || lines[to].blank()) {
			if !lines[to].blank() {
				words++
			}
			to++
		}
		if words <= 5 && to < len(lines) && lines[to].depth > 0 {
			return head{attribution, i, to, true}, true
		}
		return head{container, i, i, false}, true
	case replyMark:
		if h, _, ok := writtenHead(lines, i); ok {
			h.complete = true
			return h, true
		}
		return head{container, i, i, true}, true
	case unmarked, signatureMark:
	}
	return head{}, false
}

// writtenHead reads a head of separator and header fields that begins at line i, the horizontal line
// above it included. Lines before next cannot begin one.
func writtenHead(lines []line, i int) (h head, next int, ok bool) {
	h = head{kind: headerBlock, from: i}
	j := i
	if isRule(lines[j].text) {
		j = nextWritten(lines, j+1)
	}
	separated := false
	if j < len(lines) {
		switch separatorKind(lines[j].text) {
		case forwardSeparator:
			h.kind, separated = forward, true
		case originalSeparator:
			separated = true
		case noSeparator:
		}
	}
	if separated {
		h.to = j + 1
		j = nextWritten(lines, j+1)
	}
	if j < len(lines) {
		b := readHeaderBlock(lines, j)
		next = b.to
		switch {
		case b.complete(), separated && b.has(fromField):
			h.to, h.complete = b.to, b.complete()
			return h, next, true
		case b.likely() && i > 0:
			h.to = b.to
			return h, next, true
		}
		if separated { // Proton writes its attribution below the separator
			for k := j; k < min(j+4, len(lines)) && !lines[k].blank(); k++ {
				if _, complete, ok := attributionEndingAt(lines, k); ok {
					h.to, h.complete = k+1, complete
					return h, next, true
				}
			}
		}
	}
	return h, max(next, i+1), separated
}

func isRule(s string) bool {
	return len(s) >= 10 && strings.Trim(s, "_") == "" || len(s) >= 20 && strings.Trim(s, "-=") == ""
}

func nextWritten(lines []line, i int) int {
	for i < len(lines) && lines[i].blank() {
		i++
	}
	return i
}

// attributionEndingAt tells whether an attribution, maybe folded over up to five lines, ends at line i.
func attributionEndingAt(lines []line, i int) (from int, complete, ok bool) {
	last := lines[i].text
	if !strings.HasSuffix(last, ":") && !strings.HasSuffix(last, "--") {
		return 0, false, false
	}
	joined := ""
	named, namedFrom := "", -1
	for from = i; from >= max(0, i-4) && !lines[from].blank() && lines[from].depth == lines[i].depth; from-- {
		joined = strings.TrimSpace(lines[from].text) + " " + joined
		if len(joined) > 600 {
			break
		}
		s := plainApostrophes.Replace(strings.TrimSpace(joined))
		if isDatedAttribution(s) {
			return from, strings.Contains(s, "@") || clockPattern.MatchString(s), true
		}
		if namedFrom < 0 && isNamedAttribution(s) {
			named, namedFrom = s, from
		}
	}
	if namedFrom >= 0 {
		return namedFrom, strings.Contains(named, "@"), true
	}
	return 0, false, false
}
