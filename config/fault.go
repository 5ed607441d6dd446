package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong in the configuration, and where.
type Fault struct {
	File    string // path inside the configuration, with "/"
	Line    int    // from 1
	Col     int    // from 1, in characters
	Path    string // of the value: "mailboxes[0].imap.port"; "" = the whole file
	Message string // what is wrong, and what is allowed
	Warning bool   // worth a look, but the configuration can run
}

// String is the line an admin reads: "mailboxes.yaml:4:11: mailboxes[0].imap.port: …".
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s: ", f.File, f.Line, f.Col, cmp.Or(f.Path, "."))
	if f.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults is everything found in one load, sorted by place.
type Faults []Fault

// Err is nil when the configuration can run, that is, when there are only warnings. Otherwise its
// message is every fault that is none, a line each.
func (fs Faults) Err() error {
	var lines []string
	for _, f := range fs {
		if !f.Warning {
			lines = append(lines, f.String())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// sort puts faults in the order of their places.
func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// quote shows a value in a message, cut when it is long.
func quote(v string) string {
	const most = 60
	if r := []rune(v); len(r) > most {
		v = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", v)
}

// suggest says what v may have been meant as, or what there is: "; did you mean …?", "; there are: …".
func suggest(v string, names []string) string {
	if near := nearest(v, names); near != "" {
		return fmt.Sprintf("; did you mean %s?", quote(near))
	}
	if len(names) == 0 {
		return "; there is none"
	}
	const most = 12
	names = slices.Sorted(slices.Values(beside(v, names)))
	rest := ""
	if len(names) > most {
		rest = fmt.Sprintf(", … (%d in all)", len(names))
		names = names[:most]
	}
	return "; there are: " + strings.Join(names, ", ") + rest
}

// beside are the names right below the deepest one that the path v goes through; all when there is none.
func beside(v string, names []string) []string {
	for i := strings.LastIndexByte(v, '/'); i > 0; i = strings.LastIndexByte(v[:i], '/') {
		within := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			rest, ok := strings.CutPrefix(name, v[:i+1])
			return !ok || strings.Contains(rest, "/")
		})
		if len(within) > 0 {
			return within
		}
	}
	return names
}

// nearest is the name at most two edits from v (one for short names, none for the shortest), or the only one that v is a
// part of at a "/" or "-"; "" when there is none.
func nearest(v string, names []string) string {
	best, at := "", 3
	if len(v) < 4 {
		at = max(1, len(v)-1)
	}
	for _, name := range names {
		if len(name)-len(v) > 2 || len(v)-len(name) > 2 {
			continue
		}
		if d := editDistance(v, name); d < at || d == at && best != "" && name < best {
			best, at = name, d
		}
	}
	if best != "" || v == "" {
		return best
	}
	for _, name := range names {
		if strings.HasSuffix(name, "/"+v) || strings.HasPrefix(name, v+"-") {
			if best != "" {
				return ""
			}
			best = name
		}
	}
	return best
}

// editDistance is how many bytes must be put in, taken out, changed or swapped with their neighbour to
// make b of a.
func editDistance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			change := row[j]
			if a[i] != b[j] {
				change++
			}
			next[j+1] = min(change, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
