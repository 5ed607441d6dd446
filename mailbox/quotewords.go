package mailbox

import (
	"regexp"
	"strings"
)

// This file holds what mail programs write, in each language, around the mail they quote.

var plainApostrophes = strings.NewReplacer("’", "'", "ʼ", "'", "`", "'", "´", "'", "\u00a0", " ", "\t", " ")

// wroteVerbs end an attribution.
var wroteVerbs = []string{
	"va escriure", "ha escrit", "escrigué", "escrivia", "va respondre", // Catalan
	"escriguec", "escriguèc", "escriuec", "escriuèc", "escrivec", "escrivèc", "escriguet", "escriguèt", "a escrich", "a escrit", "a escriut", // Occitan, Aranese
	"escribió", "escribio", "ha escrito", "escribe", "wrote", "writes", "a écrit", "écrit", "écrivait",
	"escreveu", "escreve", "ha scritto", "scrisse", "scrive", "schrieb",
}

// attributionOpeners are the first words of an attribution that begins with its date.
var attributionOpeners = map[string]bool{
	"el": true, "lo": true, "eth": true, "en": true, "on": true, "le": true, "em": true, "il": true, "am": true,
	"dilluns": true, "dimarts": true, "dimecres": true, "dijous": true, "divendres": true, "dissabte": true, "diumenge": true,
	"diluns": true, "dimèrcles": true, "dijaus": true, "dimenge": true, "data": true, "no": true, "in": true,
}

var clockPattern = regexp.MustCompile(`\b\d{1,2}[:.h]\d{2}\b`)

// isDatedAttribution tells "El dt., 26 d'ag. 2026 a les 10:12, NOM <a@example.org> va escriure:", and
// the few forms without a verb at the end.
func isDatedAttribution(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, "-> "))
	before, found := beforeVerb(s)
	first, _, _ := strings.Cut(strings.TrimRight(s, ":"), " ")
	first = strings.TrimRight(first, ",.")
	switch {
	case s == "":
	case found && attributionOpeners[first]:
		return strings.ContainsAny(before, "0123456789")
	case found && s[0] >= '0' && s[0] <= '9': // 12/03/2024 10:12, NOM va escriure:
		return strings.Count(first, "/") == 2 || strings.Count(first, "-") == 2 || strings.Count(first, ".") == 2
	case strings.HasPrefix(s, "missatge de "): // of NOM del dia dt., 16 de febr. 2021 a les 13:00:
		_, date, found := strings.Cut(s, " del dia ")
		return found && strings.HasSuffix(s, ":") && strings.ContainsAny(date, "0123456789")
	case strings.HasPrefix(s, "am "): // 12. März 2024 um 10:12 schrieb NAME <a@example.org>:
		date, _, found := strings.Cut(s, " schrieb ")
		return found && strings.HasSuffix(s, ":") && strings.ContainsAny(date, "0123456789")
	case s[0] >= '0' && s[0] <= '9': // 2014-03-12 10:12 GMT+01:00 NOM <a@example.org>:
		return len(first) == len("2014-03-12") && strings.Count(first, "-") == 2 && strings.HasSuffix(s, ">:") && clockPattern.MatchString(s)
	}
	return false
}

// isNamedAttribution tells "NOM <a@example.org> va escriure:", maybe with the date behind the verb.
func isNamedAttribution(s string) bool {
	s = strings.ToLower(s)
	before, found := beforeVerb(s)
	for i := 0; !found && i < len(wroteVerbs); i++ {
		var after string
		before, after, found = strings.Cut(s, " "+wroteVerbs[i]+" ")
		found = found && len(after) < 100 && strings.ContainsAny(after, "0123456789")
	}
	return found && len(before) > 1 && len(before) <= 150 && !strings.ContainsAny(before, ":;!?")
}

// beforeVerb cuts a lower-case attribution before the verb at its end.
func beforeVerb(s string) (before string, found bool) {
	s = strings.TrimRight(s, ": -")
	for _, verb := range wroteVerbs {
		if before, found = strings.CutSuffix(s, verb); found && before != "" && strings.IndexByte(" ,>)\"", before[len(before)-1]) >= 0 {
			return before, true
		}
	}
	return "", false
}

type separator uint8

const (
	noSeparator separator = iota
	originalSeparator
	forwardSeparator
)

var (
	originalPattern = regexp.MustCompile(`(?i)^[-–—_*=# ]{2,}(?:original message|(?:missatge|messatge|mensaje|message|mensagem) (?:original|d'ori[gx]ine?n?)|missatge d'origen|messaggio originale|ursprüngliche nachricht|originalnachricht|original appointment|cita original)[-–—_*=# ]{2,}$`)
	forwardPattern  = regexp.MustCompile(`(?i)^[-–—_*=# ]{2,}(?:forwarded (?:message|mail)|(?:missatge|messatge) (?:reenviat|transferit|remès|renviat|transmés)|mensaje (?:reenviado|remitido)|message (?:transféré|transmis|réexpédié)|mensagem (?:encaminhada|reencaminhada)|messaggio inoltrato|weitergeleitete nachricht)(?: .{0,60})?[-–—_*=# ]{2,}$`)
	begunPattern    = regexp.MustCompile(`(?i)^(?:begin forwarded message|inici del missatge reenviat|inicio del mensaje reenviado|començament del missatge reenviat|début du (?:message|courriel) (?:réexpédié|transféré)|inizio messaggio inoltrato|início da mensagem (?:re)?encaminhada|anfang der weitergeleiteten nachricht) ?:$`)
)

func separatorKind(s string) separator {
	if len(s) < 15 || len(s) > 150 {
		return noSeparator
	}
	s = plainApostrophes.Replace(strings.TrimSpace(s))
	switch {
	case originalPattern.MatchString(s):
		return originalSeparator
	case forwardPattern.MatchString(s), begunPattern.MatchString(s):
		return forwardSeparator
	}
	return noSeparator
}

// fieldClass is which header field a line of a header block shows, whatever its language.
type fieldClass uint8

const (
	fromField fieldClass = 1 << iota
	dateField
	toField
	subjectField
	otherField
)

var fieldClasses = map[string]fieldClass{
	"de": fromField, "from": fromField, "von": fromField, "da": fromField, "expéditeur": fromField, "remitent": fromField, "remitente": fromField,
	"data": dateField, "date": dateField, "fecha": dateField, "datum": dateField, "sent": dateField, "date d'envoi": dateField,
	"enviat": dateField, "enviat el": dateField, "enviats": dateField, "enviat a": dateField, "data d'enviament": dateField, "dia": dateField,
	"enviado": dateField, "enviado el": dateField, "enviados": dateField, "enviado em": dateField, "enviada": dateField, "enviada em": dateField, "fecha de envío": dateField,
	"envoyé": dateField, "envoyé le": dateField, "inviato": dateField, "gesendet": dateField, "mandat": dateField, "mandat eth": dateField, "mandat lo": dateField,
	"per a": toField, "per": toField, "a": toField, "para": toField, "to": toField, "à": toField, "pour": toField, "an": toField, "ara": toField, "entà": toField,
	"destinatari": toField, "destinataris": toField, "destinatario": toField, "destinatarios": toField, "destinataire": toField,
	"assumpte": subjectField, "tema": subjectField, "asunto": subjectField, "subject": subjectField, "objet": subjectField, "objecte": subjectField,
	"objècte": subjectField, "subjècte": subjectField, "subjecte": subjectField, "assunto": subjectField, "oggetto": subjectField, "betreff": subjectField,
	"cc": otherField, "a/c": otherField, "c/c": otherField, "còpia": otherField, "copia": otherField, "bcc": otherField, "cco": otherField, "cci": otherField, "kopie": otherField,
	"importance": otherField, "importància": otherField, "importancia": otherField, "prioritat": otherField, "prioridad": otherField, "priority": otherField,
	"attachments": otherField, "adjunts": otherField, "fitxers adjunts": otherField, "adjuncions": otherField, "adjuntos": otherField, "datos adjuntos": otherField,
	"reply-to": otherField, "respon a": otherField, "respondre a": otherField, "responder a": otherField, "organització": otherField, "organización": otherField, "x-mailer": otherField,
	"message-id": otherField, "organization": otherField,
}

// fieldOf gives the class of a line like "Enviat el: dimarts"; mail programs set the name in bold,
// which becomes asterisks in plain text.
func fieldOf(s string) fieldClass {
	name, _, found := strings.Cut(s[:min(len(s), 60)], ":")
	if !found || len(name) > 40 {
		return 0
	}
	return fieldClasses[strings.ToLower(plainApostrophes.Replace(strings.Trim(name, "*_> \u00a0\t")))]
}

// block is a header block as read.
type block struct {
	fields  fieldClass
	address bool // an address was seen
	to      int
}

func (b block) has(c fieldClass) bool { return b.fields&c == c }

// complete tells a block that nobody writes by hand.
func (b block) complete() bool {
	return b.has(fromField|dateField|subjectField) || b.has(fromField|dateField|toField) && b.address
}

// likely tells one that some programs write and a person might.
func (b block) likely() bool {
	return b.has(fromField|toField|subjectField) && b.address
}

// readHeaderBlock reads header fields from line i: one blank line between two of them (paragraphs in
// HTML) and folded values are fine.
func readHeaderBlock(lines []line, i int) block {
	b := block{to: i}
	folded := 0
	for j := i; j < min(i+40, len(lines)); j++ {
		l := lines[j]
		if l.blank() {
			if j+1 < len(lines) && fieldOf(lines[j+1].text) != 0 && b.fields != 0 && !b.complete() {
				continue
			}
			break
		}
		class := fieldOf(l.text)
		if class == 0 {
			folded++
			if b.fields == 0 || folded > 10 || !fieldFollows(lines, j) {
				break
			}
			continue
		}
		if b.fields&class != 0 && class != otherField {
			break // a second From: the next block
		}
		folded = 0
		b.fields |= class
		b.address = b.address || strings.Contains(l.text, "@")
		b.to = j + 1
	}
	if b.to == i {
		b.to = i + 1
	}
	return b
}

// fieldFollows tells whether the header block goes on after the folded line i.
func fieldFollows(lines []line, i int) bool {
	for j := i + 1; j < min(i+8, len(lines)) && !lines[j].blank(); j++ {
		if fieldOf(lines[j].text) != 0 {
			return true
		}
	}
	return false
}

// Words of a writer who answers inside the quoted mail, where no quote mark tells whose line is whose.
var inlinePattern = regexp.MustCompile(`(?i)(?:en (?:vermell|roig|blau|verd|rojo|azul|verde|color|negreta|negrita)|in (?:red|blue|green|bold|colou?r)|inline|(?:respost(?:a|es)|contest(?:o|em|ades)|respon(?:c|em)|comentaris|us ho poso|ho teniu|intercalad[oae]s?).{0,40}(?:sota|avall|a continuació|baix|entre línies)|(?:respuestas?|contest(?:o|amos|ado)|respond(?:o|emos)|comentarios).{0,40}(?:abajo|a continuación|debajo|entre líneas)|(?:see|answer(?:s|ed)?|repl(?:y|ies|ied)|comments?).{0,30}(?:below|in ?line))`)

// A plain twin that only says to look at the HTML one.
var seeHTMLPattern = regexp.MustCompile(`(?i)(?:html.{0,80}(?:client|lector|programa|visor|viewer|message|missatge|mensaje|correu|correo|format|view|veure|ver)|(?:view|ver|veure|llegir|leer|read|client|support|format|display).{0,80}html)`)
