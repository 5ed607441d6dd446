package mailbox

import (
	"regexp"
	"strings"
)

// replyPrefix is what mail clients put before the subject of a reply or a forward, in the languages
// of our writers: RFC 5256 knows re, fw and fwd alone. A count ("Re[2]", "Re^2", "AW(3)") and a list's name
// in brackets (RFC 5256 subj-blob) may come with it.
var replyPrefix = regexp.MustCompile(`(?i)^(?:re|fwd?|` + // English, and what Catalan and Occitan clients use
	`rv|reenv|reenviat|reenviado|resp|resposta|respuesta|responsa|` + // Catalan, Spanish, Occitan
	`tr|rép|ref|réf|` + // French
	`res|enc|` + // Portuguese
	`aw|wg|antw|` + // German, Dutch
	`r|i|rif|inoltra|inoltro|` + // Italian
	`sv|vs)` + // Nordic
	`\.?\s*(?:[\[(]\d{1,4}[\])]|\^\d{1,4}|\*\d{1,4})?\s*(?:\[[^\[\]]{0,100}\]\s*)?[:：]\s*`)

// blobPrefix is a bracketed name before a subject (RFC 5256 subj-blob).
var blobPrefix = regexp.MustCompile(`^\[[^\[\]]{0,100}\]\s*`)

// fwdTrailer is what RFC 5256 calls subj-trailer.
var fwdTrailer = regexp.MustCompile(`(?i)\s*\(fwd\)\s*$`)

// BaseSubject returns the base subject of RFC 5256 section 2.1: without the prefixes of replies and
// forwards, in English and in the languages of our writers, and without a list's bracketed name. Its
// letters stay as they are.
func BaseSubject(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for {
		before := s
		s = stripTrailers(s)
		s = stripLeaders(s)
		if inside, ok := cutForward(s); ok {
			s = inside
		}
		if s == before {
			return s
		}
	}
}

// stripTrailers takes every "(fwd)" off the end.
func stripTrailers(s string) string {
	for {
		loc := fwdTrailer.FindStringIndex(s[max(0, len(s)-16):])
		if loc == nil {
			return s
		}
		s = s[:max(0, len(s)-16)+loc[0]]
	}
}

// stripLeaders takes the prefixes off the front; a bracketed name only when something is left after it.
func stripLeaders(s string) string {
	for {
		if prefix := replyPrefix.FindString(s); prefix != "" {
			s = s[len(prefix):]
			continue
		}
		blob := blobPrefix.FindString(s)
		if blob == "" || len(blob) == len(s) {
			return s
		}
		s = s[len(blob):]
	}
}

// cutForward opens "[Fwd: subject]".
func cutForward(s string) (string, bool) {
	if len(s) > 6 && strings.EqualFold(s[:5], "[fwd:") && strings.HasSuffix(s, "]") {
		return strings.TrimSpace(s[5 : len(s)-1]), true
	}
	return s, false
}
