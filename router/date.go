package router

import (
	"fmt"
	"strings"
	"time"

	"github.com/bustia/bustia/config"
)

// dateWords are the names of days (from Sunday) and months of one language.
type dateWords struct {
	days   [7]string
	months [12]string
}

var dateNames = map[config.Language]dateWords{
	"ca": {
		[7]string{"diumenge", "dilluns", "dimarts", "dimecres", "dijous", "divendres", "dissabte"},
		[12]string{"gener", "febrer", "març", "abril", "maig", "juny", "juliol", "agost", "setembre", "octubre", "novembre", "desembre"},
	},
	"es": {
		[7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		[12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	},
	"oc-aranes": {
		[7]string{"dimenge", "deluns", "dimars", "dimèrcles", "dijaus", "diuendres", "dissabte"},
		[12]string{"gèr", "hereuèr", "març", "abriu", "mai", "junh", "junhsèga", "agost", "seteme", "octobre", "noveme", "deseme"},
	},
	"en": {
		[7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		[12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	},
}

// longDate is t's day in words: "dimarts 21 d'abril de 2026". An unknown language gets the ISO date.
func longDate(t time.Time, l config.Language) string {
	names, ok := dateNames[l]
	if !ok {
		return t.Format(time.DateOnly)
	}
	day, month := names.days[t.Weekday()], names.months[t.Month()-1]
	switch l {
	case "es":
		return fmt.Sprintf("%s %d de %s de %d", day, t.Day(), month, t.Year())
	case "en":
		return fmt.Sprintf("%s %d %s %d", day, t.Day(), month, t.Year())
	default: // ca and oc-aranes elide before a vowel
		of := "de "
		if strings.ContainsRune("aeo", rune(month[0])) {
			of = "d'"
		}
		return fmt.Sprintf("%s %d %s%s de %d", day, t.Day(), of, month, t.Year())
	}
}

// longTime is t's day and time of day in words.
func longTime(t time.Time, l config.Language) string {
	at := map[config.Language]string{"ca": "a les", "es": "a las", "oc-aranes": "as", "en": "at"}[l]
	return strings.TrimSpace(longDate(t, l)+" "+at) + " " + t.Format("15:04")
}

// termWords is a term in words: "10 dies hàbils".
func termWords(t config.Term, l config.Language) string {
	words, ok := unitWords[t.Unit]
	if !ok || t.N == 0 {
		return ""
	}
	one, many, _ := strings.Cut(words.In(l, "en"), "|")
	if t.N == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", t.N, many)
}

var unitWords = map[config.Unit]config.Text{
	config.Hours:        {"ca": "hora hàbil|hores hàbils", "es": "hora hábil|horas hábiles", "oc-aranes": "ora abila|ores abiles", "en": "working hour|working hours"},
	config.WorkingDays:  {"ca": "dia hàbil|dies hàbils", "es": "día hábil|días hábiles", "oc-aranes": "dia abil|dies abils", "en": "working day|working days"},
	config.CalendarDays: {"ca": "dia natural|dies naturals", "es": "día natural|días naturales", "oc-aranes": "dia naturau|dies naturaus", "en": "calendar day|calendar days"},
	config.Months:       {"ca": "mes|mesos", "es": "mes|meses", "oc-aranes": "mes|mesi", "en": "month|months"},
}
