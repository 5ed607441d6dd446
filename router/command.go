package router

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Verb is what a command asks for.
type Verb string

// Verbs. Each has its words in every language in verbWords.
const (
	VerbTheme Verb = "theme" // file the case under the theme named
	VerbTo    Verb = "to"    // hand the case to the agent named
	VerbNote  Verb = "note"  // keep this on the case, for us only
	VerbClose Verb = "close" // end the case without an answer, for the reason given
	VerbOK    Verb = "ok"    // send the answer that was held
	VerbHelp  Verb = "help"  // what can be written
)

// Command is one line of an agent's mail, or one order by the operator.
type Command struct {
	Verb Verb
	Arg  string
	Line string // as written
}

// verbWords are the words of each verb in ca, es, oc-aranes and en, folded.
var verbWords = map[string]Verb{
	"tema": VerbTheme, "theme": VerbTheme,
	"a": VerbTo, "to": VerbTo,
	"nota": VerbNote, "note": VerbNote,
	"tanca": VerbClose, "cierra": VerbClose, "barra": VerbClose, "close": VerbClose,
	"ok":    VerbOK,
	"ajuda": VerbHelp, "ayuda": VerbHelp, "help": VerbHelp,
}

// Commands is what an agent's own words begin with.
type Commands struct {
	List  []Command
	Rest  string   // the words below the commands
	Wrong []string // lines that are meant as commands but are none, with what could be meant
}

// ParseCommands reads the command lines that words begin with: `#verb argument` or `/verb argument`.
// bare also takes lines without the sign, which is safe only where plain words go nowhere. "OK"
// alone is a command everywhere. The first line that is no command ends them; all of it is Rest.
func ParseCommands(words string, bare bool) Commands {
	var c Commands
	lines := strings.Split(strings.TrimSpace(words), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		command, wrong, is := parseCommand(line, bare)
		if !is {
			c.Rest = strings.TrimSpace(strings.Join(lines[i:], "\n"))
			return c
		}
		if wrong != "" {
			c.Wrong = append(c.Wrong, wrong)
			continue
		}
		c.List = append(c.List, command)
		if command.Verb == VerbNote { // a note is everything below it, too
			c.List[len(c.List)-1].Arg = strings.TrimSpace(command.Arg + "\n" + strings.Join(lines[i+1:], "\n"))
			return c
		}
	}
	return c
}

// parseCommand reads one line. is = the line is meant as a command; wrong says what is wrong with it.
func parseCommand(line string, bare bool) (c Command, wrong string, is bool) {
	text, signed := line, false
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "/") {
		text, signed = strings.TrimSpace(line[1:]), true
	}
	word, arg, _ := strings.Cut(text, " ")
	folded := fold(strings.TrimRight(word, ":.!"))
	verb, known := verbWords[folded]
	switch {
	case folded == "ok" && strings.TrimSpace(arg) == "":
		return Command{Verb: VerbOK, Line: line}, "", true
	case !signed && (!bare || !known):
		return Command{}, "", false
	case !known:
		return Command{}, unknownCommand(line, folded), true
	}
	c = Command{Verb: verb, Arg: strings.TrimSpace(arg), Line: line}
	if verb == VerbTheme || verb == VerbTo { // a name, as people end sentences and clients mark addresses
		c.Arg = strings.Trim(c.Arg, "<>.,;")
	}
	if c.Arg == "" && (verb == VerbTheme || verb == VerbTo || verb == VerbNote) {
		return Command{}, fmt.Sprintf("%q: says nothing after %s", line, word), true
	}
	return c, "", true
}

func unknownCommand(line, folded string) string {
	if near := nearest(folded, verbNames()); near != "" {
		return fmt.Sprintf("%q: unknown command, did you mean #%s?", line, near)
	}
	return fmt.Sprintf("%q: unknown command; there are #%s", line, strings.Join(verbNames(), " #"))
}

func verbNames() []string {
	names := make([]string, 0, len(verbWords))
	for w := range verbWords {
		names = append(names, w)
	}
	slices.Sort(names)
	return names
}

// nearest is the word among words at most two edits from w; "" when there is none or w is too short to tell.
func nearest(w string, words []string) string {
	best, at := "", 3
	for _, candidate := range words {
		if d := editDistance(w, candidate); d < at && d < len(w) && d < len(candidate) {
			best, at = candidate, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance of a and b, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// fold takes case and accents off a word.
func fold(s string) string {
	marksOff := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	folded, _, err := transform.String(marksOff, s)
	if err != nil { // invalid UTF-8 cannot be a command
		return s
	}
	return strings.ToLower(folded)
}
