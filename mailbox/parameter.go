package mailbox

import (
	"sort"
	"strconv"
	"strings"
)

// parameter is one attribute of a Content-Type or Content-Disposition as written; a section of one
// when its name carries a number, encoded when it ends in an asterisk (RFC 2231).
type parameter struct {
	name    string
	section int // -1 when there is but one
	encoded bool
	value   string
}

// maxParameters is how many are read of one field.
const maxParameters = 200

// parseParameters reads a field of the form "value; name=value" (RFC 2045 section 5.1, RFC 2231). It
// takes what mailers get wrong: unquoted values, quotes not closed or inside each other, semicolons
// missing or doubled, a name given twice (the first holds). Values come decoded. ok is false
// when something had to be left out.
func parseParameters(raw string) (value string, params map[string]string, ok bool) {
	rest := skipComments(raw)
	end := strings.IndexAny(rest, "; \t(")
	if end < 0 {
		end = len(rest)
	}
	value, rest = strings.Trim(rest[:end], `"',`), rest[end:]
	if strings.Contains(value, "=") { // the value is missing altogether
		value, rest = "", raw
	}
	ok = true
	var found []parameter
	for range maxParameters {
		rest = skipComments(strings.TrimLeft(rest, "; \t,"))
		if rest == "" {
			break
		}
		name, after, isParam := strings.Cut(rest, "=")
		if !isParam || strings.ContainsAny(name, `;"`) {
			var junk string
			junk, rest, _ = strings.Cut(rest, ";")
			ok = ok && strings.TrimSpace(junk) == ""
			continue
		}
		if fields := strings.Fields(name); len(fields) > 0 {
			name = fields[len(fields)-1]
			ok = ok && len(fields) == 1
		}
		p := newParameter(name)
		p.value, rest = readParameterValue(strings.TrimLeft(after, " \t"), p.name)
		found = append(found, p)
	}
	return value, joinParameters(found), ok
}

// newParameter reads the name of a parameter: "filename", "filename*", "filename*0", "filename*0*".
func newParameter(name string) parameter {
	p := parameter{name: strings.ToLower(strings.TrimSpace(name)), section: -1}
	if strings.HasSuffix(p.name, "*") {
		p.name, p.encoded = p.name[:len(p.name)-1], true
	}
	if base, number, ok := strings.Cut(p.name, "*"); ok {
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			p.name, p.section = base, n
		}
	}
	return p
}

// readParameterValue reads a value, quoted or not, and returns what follows it.
func readParameterValue(s, name string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		return readQuoted(s[1:])
	}
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	// A file name may hold spaces and brackets even when nobody quoted it.
	if name != "name" && name != "filename" {
		if space := strings.IndexAny(s[:end], " \t"); space >= 0 {
			end = space
		}
	} else if next := nextParameter(s[:end]); next >= 0 {
		end = next
	}
	return strings.TrimSpace(s[:end]), s[end:]
}

// readQuoted reads to the closing quote: the first one that something sensible follows. Without any,
// the value ends at the semicolon or at the end.
func readQuoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '"' && closesQuote(s[i+1:]):
			return b.String(), s[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	value, _, _ = strings.Cut(s, ";")
	return strings.TrimRight(value, " \t"), s[len(value):]
}

// closesQuote reports whether rest is what comes after a quoted value, not more of it.
func closesQuote(rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	if rest == "" || rest[0] == ';' || rest[0] == ',' || rest[0] == '(' {
		return true
	}
	return nextParameter(" "+rest[:min(len(rest), 40)]) == 0
}

// nextParameter returns where " name=" begins in an unquoted value whose semicolon is missing, or -1.
func nextParameter(s string) int {
	equals := strings.IndexByte(s, '=')
	if equals < 0 {
		return -1
	}
	space := strings.LastIndexAny(s[:equals], " \t")
	if space < 0 || space+1 == equals {
		return -1
	}
	switch newParameter(s[space+1 : equals]).name {
	case "name", "filename", "charset", "boundary", "size", "format", "type", "creation-date", "modification-date":
		return space
	}
	return -1
}

// skipComments takes comments and white space off the front.
func skipComments(s string) string {
	for {
		s = strings.TrimLeft(s, " \t")
		if !strings.HasPrefix(s, "(") {
			return s
		}
		_, after, ok := strings.Cut(s, ")")
		if !ok {
			return ""
		}
		s = after
	}
}

// joinParameters decodes the parameters and puts the sections of each together, up to the first that is
// missing. An encoded one wins over a plain one of the same name (RFC 6266 section 4.3 says why).
func joinParameters(found []parameter) map[string]string {
	params := make(map[string]string)
	sections := make(map[string][]parameter)
	for _, p := range found {
		switch {
		case p.section >= 0 || p.encoded:
			sections[p.name] = append(sections[p.name], p)
		case params[p.name] == "":
			params[p.name] = decodeText(p.value)
		}
	}
	for name, list := range sections {
		sort.SliceStable(list, func(i, j int) bool { return list[i].section < list[j].section })
		if value := joinSections(list); value != "" {
			params[name] = value
		}
	}
	return params
}

// joinSections decodes RFC 2231 section 4.1: the first section names the charset of all.
func joinSections(list []parameter) string {
	charset, encoded := "", false
	var b []byte
	for i, p := range list {
		if i > 0 && p.section != list[i-1].section+1 {
			break
		}
		value := p.value
		if !p.encoded {
			b = append(b, value...)
			continue
		}
		encoded = true
		if i == 0 {
			if parts := strings.SplitN(value, "'", 3); len(parts) == 3 {
				charset, value = parts[0], parts[2]
			}
		}
		b = append(b, decodePercent(value)...)
	}
	if !encoded {
		return decodeText(string(b)) // QUIRK: some mailers number the sections and write encoded-words in them
	}
	text, _ := toUTF8(charset, b)
	return cleanControls(string(text))
}

// decodePercent decodes %XX; a percent sign that starts no escape stays.
func decodePercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
