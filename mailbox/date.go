package mailbox

import (
	"strconv"
	"strings"
	"time"
)

// zones are the named zones of RFC 5322 section 4.3 and those European mailers write, in minutes east
// of Greenwich. Any other name means UTC, as RFC 5322 says.
var zones = map[string]int{
	"est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
	"wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120, "eet": 120, "eest": 180, "msk": 180,
}

// months are the first letters of the months' names, in English and in the languages of mailers that
// translate them.
var months = map[string]time.Month{
	"jan": 1, "ene": 1, "gen": 1, "feb": 2, "fev": 2, "mar": 3, "apr": 4, "abr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7,
	"aug": 8, "ago": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dic": 12, "des": 12, "dez": 12,
}

// dateParts is a date being put together from its words, in whatever order they come.
type dateParts struct {
	year, day            int
	month                time.Month
	early                bool // the month came before the day, so it may be a day's name: "mar., 3 dic."
	hour, minute, second int
	halfDay              string // "am", "pm" or ""
	zone                 int    // seconds east of Greenwich

	hasYear, hasTime, hasZone bool
}

// parseDate reads a date: RFC 5322 section 3.3 with its obsolete forms, and what programs write
// instead (asctime, ISO 8601). Two-digit years are of RFC 5322 section 4.3; without a zone it is UTC.
func parseDate(value string) (time.Time, bool) {
	if len(value) > 200 {
		return time.Time{}, false
	}
	var d dateParts
	for _, word := range dateWords(value) {
		if !d.read(word) {
			return time.Time{}, false
		}
	}
	return d.time()
}

// dateWords splits a date into words, without comments, commas and the "T" of ISO 8601.
func dateWords(value string) []string {
	for {
		open := strings.IndexByte(value, '(')
		if open < 0 {
			break
		}
		length := strings.IndexByte(value[open:], ')')
		if length < 0 {
			value = value[:open]
			break
		}
		value = value[:open] + " " + value[open+length+1:]
	}
	if len(value) > 11 && value[4] == '-' && value[7] == '-' && value[10] == 'T' {
		value = value[:10] + " " + value[11:]
	}
	return strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return strings.ContainsRune(" \t,;", r) })
}

// read takes in one word; false when it cannot be of a date.
func (d *dateParts) read(word string) bool {
	switch {
	case strings.Contains(word, ":") && word[0] != '+' && word[0] != '-':
		return d.readTime(word)
	case word == "am" || word == "pm":
		d.halfDay = word
		return true
	case word[0] == '+' || word[0] == '-':
		return d.readOffset(word)
	case '0' <= word[0] && word[0] <= '9':
		return d.readNumber(word)
	}
	if month, ok := months[firstLetters(word)]; ok && (d.month == 0 || d.early && d.day > 0) {
		d.month, d.early = month, d.day == 0
		return true
	}
	if d.hasTime && !d.hasZone {
		d.zone, d.hasZone = 60*zones[word], true
		// "GMT+0200" is of JavaScript.
		if i := strings.IndexAny(word, "+-"); i > 0 {
			return d.readOffset(word[i:])
		}
	}
	return true // a day's name, or nothing we know
}

// firstLetters returns the three letters that tell a month, accents apart.
func firstLetters(word string) string {
	word = strings.NewReplacer("é", "e", "û", "u", "ä", "a", "ç", "c").Replace(word)
	return word[:min(3, len(word))]
}

// readTime reads "15:04", "15:04:05", "15:04:05.678", with the zone stuck to it or not.
func (d *dateParts) readTime(word string) bool {
	if i := strings.IndexAny(word, "+-z"); i > 0 {
		if word[i] == 'z' {
			d.hasZone = true
		} else if !d.readOffset(word[i:]) {
			return false
		}
		word = word[:i]
	}
	if n := len(word); n > 2 && (word[n-2:] == "am" || word[n-2:] == "pm") {
		d.halfDay, word = word[n-2:], word[:n-2]
	}
	word, _, _ = strings.Cut(word, ".")
	fields := strings.Split(word, ":")
	for i, into := range []*int{&d.hour, &d.minute, &d.second} {
		if i >= len(fields) {
			break
		}
		n, err := strconv.Atoi(fields[i])
		if err != nil || n < 0 {
			return false
		}
		*into = n
	}
	d.hasTime = true
	return len(fields) <= 3
}

// readOffset reads "+0200", "+02:00", "+02" and "+200".
func (d *dateParts) readOffset(word string) bool {
	digits := strings.ReplaceAll(word[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > 4 || n < 0 {
		return true // not a number we know: UTC
	}
	if len(digits) <= 2 {
		n *= 100
	}
	if n/100 > 23 || n%100 > 59 {
		return true
	}
	d.zone, d.hasZone = n/100*3600+n%100*60, true
	if word[0] == '-' {
		d.zone = -d.zone
	}
	return true
}

// readNumber reads a day, a year, or a date stuck together: "4-Mar-2026", "2026-03-04".
func (d *dateParts) readNumber(word string) bool {
	if fields := strings.Split(word, "-"); len(fields) == 3 {
		if len(fields[0]) == 4 {
			fields[0], fields[2] = fields[2], fields[0]
		}
		month, known := months[firstLetters(fields[1])]
		if n, err := strconv.Atoi(fields[1]); err == nil {
			month, known = time.Month(n), true
		}
		d.month = month
		return known && d.readNumber(fields[0]) && d.readNumber(fields[2])
	}
	n, err := strconv.Atoi(strings.TrimRight(word, "."))
	switch {
	case err != nil:
		return false
	case d.day == 0 && len(word) <= 3 && n <= 31:
		d.day = n
	case !d.hasYear:
		d.year, d.hasYear = n, true
		switch {
		case len(word) <= 2 && n < 50:
			d.year += 2000
		case len(word) <= 3:
			d.year += 1900
		}
	}
	return true
}

// time puts the parts together.
func (d *dateParts) time() (time.Time, bool) {
	if d.halfDay == "pm" && d.hour < 12 {
		d.hour += 12
	} else if d.halfDay == "am" && d.hour == 12 {
		d.hour = 0
	}
	if !d.hasYear || d.month < 1 || d.month > 12 || d.day < 1 || d.year < 1900 || d.year > 9999 ||
		d.hour > 23 || d.minute > 59 || d.second > 60 {
		return time.Time{}, false
	}
	d.second = min(d.second, 59) // a leap second
	location := time.UTC
	if d.zone != 0 {
		location = time.FixedZone("", d.zone)
	}
	t := time.Date(d.year, d.month, d.day, d.hour, d.minute, d.second, 0, location)
	return t, t.Day() == d.day // not the 31st of February
}
