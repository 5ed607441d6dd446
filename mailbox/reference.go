package mailbox

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
)

// damm is the quasigroup of order 10 of H. Michael Damm (2004), totally anti-symmetric: one wrong digit
// and two neighbours swapped never give the same check digit.
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

// checkDigit returns Damm's check digit of a string of digits.
func checkDigit(digits string) byte {
	var interim byte
	for i := range len(digits) {
		interim = damm[interim][digits[i]-'0']
	}
	return '0' + interim
}

// NewReference names the case of that number in that year: B-2026-004217-7. The last digit is Damm's
// over the year and the number together, so it catches any one wrong digit and any two neighbours
// swapped. Above 999999 the number takes more digits.
func NewReference(year, number int) Reference {
	y, n := fmt.Sprintf("%04d", max(year, 0)), fmt.Sprintf("%06d", max(number, 0))
	return Reference(fmt.Sprintf("B-%s-%s-%c", y, n, checkDigit(y+n)))
}

// ParseReference reads a reference as NewReference writes it, with the liberties of FindReference,
// and nothing beside it.
func ParseReference(s string) (Reference, bool) {
	s = strings.TrimSpace(s)
	found := referencePattern.FindStringSubmatchIndex(s)
	if found == nil || found[2] != 0 || found[9] != len(s) {
		return "", false
	}
	return referenceAt(s, found)
}

// FindReference returns the first of FindReferences.
func FindReference(text string) (Reference, bool) {
	for r := range references(text) {
		return r, true
	}
	return "", false
}

// FindReferences returns the references in a text whose check digit is right, as NewReference
// writes them. Case does not matter, nor do the dashes, spaces and line ends that mail
// clients put in the place of the hyphens.
func FindReferences(text string) []Reference { return slices.Collect(references(text)) }

func references(text string) iter.Seq[Reference] {
	return func(yield func(Reference) bool) {
		for from := 0; from < len(text); {
			found := referencePattern.FindStringSubmatchIndex(text[from:])
			if found == nil {
				return
			}
			if reference, ok := referenceAt(text[from:], found); ok && !yield(reference) {
				return
			}
			from += found[5] // past the year: what follows may begin another
		}
	}
}

// referencePattern finds what looks like a reference. Between the groups stand hyphens of any kind
// (soft, non-breaking, full-width), dashes, minus signs and spaces, also those without width.
var referencePattern = func() *regexp.Regexp {
	const gap = `[\s\x{00a0}\x{00ad}\x{2000}-\x{2015}\x{202f}\x{2060}\x{2212}\x{fe58}\x{fe63}\x{feff}\x{ff0d}_-]`
	return regexp.MustCompile(`(?i)(?:^|[^\pL\pN])(B)` + gap + `{0,6}(\d{4})` + gap + `{1,6}(\d{6,19})` + gap + `{1,6}(\d)(?:$|[^\pL\pN])`)
}()

// referenceAt checks a match of referencePattern and writes it as NewReference does.
func referenceAt(s string, found []int) (Reference, bool) {
	year, number, check := s[found[4]:found[5]], s[found[6]:found[7]], s[found[8]]
	if len(number) > 6 && number[0] == '0' || checkDigit(year+number) != check {
		return "", false
	}
	return Reference(fmt.Sprintf("B-%s-%s-%c", year, number, check)), true
}
