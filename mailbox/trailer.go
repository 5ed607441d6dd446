package mailbox

import (
	"regexp"
	"strings"
)

// trimTrailer removes what stands below the words of one stretch of lines: signature, taglines,
// legal disclaimer. What would leave nothing is kept and is a doubt.
func trimTrailer(lines []line) (trimmed []line, doubt string) {
	lines = trimBlank(lines)
	for range 4 { // a tagline above a signature above a disclaimer
		before := len(lines)
		lines = trimTaglines(lines)
		for _, cut := range []func([]line) int{disclaimerStart, signatureStart, markedSignatureStart} {
			i := cut(lines)
			switch kept := trimBlank(lines[:i]); {
			case i == len(lines):
			case len(kept) == 0:
				doubt = "nothing stands above the signature"
			default:
				lines = kept
			}
		}
		if len(lines) == before {
			break
		}
	}
	return lines, doubt
}

// trimBelow is trimTrailer for a stretch below quoted lines, which may be nothing but a signature.
func trimBelow(lines []line) []line {
	lines, _ = trimTrailer(lines)
	return trimBlank(lines[:min(signatureStart(lines), markedSignatureStart(lines), disclaimerStart(lines))])
}

// trimBlank removes the blank lines and rules at the end.
func trimBlank(lines []line) []line {
	for len(lines) > 0 && (strings.TrimSpace(lines[len(lines)-1].text) == "" || isRule(lines[len(lines)-1].text)) &&
		lines[len(lines)-1].text != "-- " {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// signatureStart finds the line "-- " (RFC 3676 section 4.3). Without its space, as many programs send it,
// only a short rest is a signature; the line may as well part two chapters.
func signatureStart(lines []line) int {
	for i, l := range lines {
		if l.depth > 0 && !l.weak {
			continue
		}
		if l.text == "-- " || (l.text == "--" || l.text == "—") && writtenAtMost(lines[i:], 13) {
			return i
		}
	}
	return len(lines)
}

// markedSignatureStart finds a signature that HTML elements tell. People also write inside them by
// mistake, so a long one is not believed.
func markedSignatureStart(lines []line) int {
	i := len(lines)
	for i > 0 && (lines[i-1].mark == signatureMark || lines[i-1].blank()) {
		i--
	}
	if !writtenAtMost(lines[i:], 15) {
		return len(lines)
	}
	return i
}

// written counts the lines that are not blank.
func written(lines []line) (n int) {
	for _, l := range lines {
		if !l.blank() {
			n++
		}
	}
	return n
}

// writtenAtMost tells whether no more than limit lines are not blank, without looking much further.
func writtenAtMost(lines []line, limit int) bool {
	const furthest = 200
	return len(lines) <= furthest+limit && written(lines) <= limit
}

func trimTaglines(lines []line) []line {
	for len(lines) > 0 && isTagline(lines[len(lines)-1].text) {
		lines = trimBlank(lines[:len(lines)-1])
	}
	return lines
}

var (
	linkPattern = regexp.MustCompile(`\s*[<(\[]?(?:https?://|mailto:)[^\s<>]*[>)\]]?`)
	// Enviat des del meu iPhone; Sent from my Samsung Galaxy smartphone.
	taglinePattern = regexp.MustCompile(`(?i)^[-—*_ ]*(?:` +
		`(?:missatge |mensaje |message )?(?:enviat|tramès|mandat|enviado|sent|envoyé|inviato|gesendet|verzonden) ` +
		`(?:des|de|del|amb|per|mitjançant|usant|dempuèi|deth|dera|desde|do|da|dal|con|por|mediante|através|from|with|via|by|using|depuis|à|avec|von|mit|über|a)\b.{0,60}` +
		`(?:iphone|ipad|ipod|android|\bios\b|m[oòóo]bil|movil|mobile|tel[eèé]f|smartphone|samsung|galaxy|xiaomi|redmi|huawei|oppo|pixel|outlook|yahoo|proton|gmail|blackberry|windows|` +
		`dispositi[uv]|tablet|tauleta|tableta|handy|phone\b|\bcell\b|airmail|htc\b|correu per|correo para|mail for|spark|k-9|fairemail|bluemail|aqua ?mail|tutanota|\btuta\b|nine|boxer|thunderbird|mobiltelefon).{0,50}` +
		`|(?:get|try|obteniu?|baixeu|descarregueu|obtén|obtener|obtenga|descargar?|télécharger|obtenir|obtenez|ottieni|scarica|obter|obtenha|holen sie sich|laden sie) .{0,12}(?:outlook|bluemail|spark|yahoo).{0,40}` +
		`|(?:l')?outlook (?:per a|per|para|for|pour|für) (?:ios|android|iphone|mac|windows)` +
		`|(?:diese nachricht wurde )?von (?:meinem|meiner) .{0,50}gesendet` +
		`|(?:lliure|libre) de virus.{0,40}|virus-free.{0,40}|(?:sense|sin) virus\. ?www\..{0,40}` +
		`|(?:disculp(?:eu|a|i|in|e|en|ad)|perdon(?:eu|a|i|ad|e|en)|excuse) (?:la|the|my|els?|los?) (?:brevetat|brevedad|brevity|errors?|errores|typos).{0,40}` +
		`)[.! ]*$`)
)

func isTagline(s string) bool {
	if len(s) > 300 {
		return false
	}
	s = strings.Trim(linkPattern.ReplaceAllString(plainApostrophes.Replace(s), ""), " <>[]()")
	return len(s) >= 8 && len(s) <= 140 && taglinePattern.MatchString(s)
}

var (
	disclaimerHead = regexp.MustCompile(`(?i)^[^\pL\pN]*(?:av[ií]s legal|av[ií]s de confidencialitat|avis de confidentialit[ée]|av[ií]s important|aviso legal|aviso de confidencialidad|` +
		`advertiment legal|advertencia legal|nota legal|legal notice|legal disclaimer|disclaimer|confidentiality(?: notice)?|` +
		`(?:clàusula|nota) de confidencialitat|(?:cláusula|nota) de confidencialidad|confidencialitat|confidencialidad|` +
		`informaci[óo] b[àaáa]sica (?:sobre|de) (?:la )?protecci[óo] de (?:dades|datos)|información básica (?:sobre|de) (?:la )?protección de datos|` +
		`protecci[óo] de dades|protección de datos|data protection notice|avertissement|avvertenze legali)(?:[^\pL\pN ]| [-–—(]|$)`)
	disclaimerSentence = regexp.MustCompile(`(?i)^[^\pL\pN]*(?:(?:aquest[ae]?|el present|este|esta|el presente|this|the present|ce|aguest)(?: [\pL-]+)? ?(?:missatge|messatge|correu|mensaje|correo|e-?mail|message|transmission|communication|comunicació|comunicación|courriel)\b.*` +
		`(?:adjunt|annex|confiden[ct]i|destinat|dirigi[td]|anejo|anexo|attach|intended|privileg)|` +
		`(?:tota )?la informaci[óo]n? (?:que )?(?:continguda|contenida|conté|contiene|d'aquest (?:correu|missatge)|de este (?:correo|mensaje))|` +
		`the information (?:contained|in this)|toda la información contenida)`)
	printingSentence = regexp.MustCompile(`(?i)^[^\pL\pN]*(?:(?:si us plau|sisplau|por favor|please)[, ]+)?(?:pens[ieu]+ en el medi ambient|piens[ea] en el medio ambiente|(?:abans d'|antes de |abans de |before )(?:imprimir|printing)|(?:penseu?|pensi|piense|considere?u?)[,]? (?:bé )?(?:si (?:és|es) (?:realment |realmente )?(?:necessari|necesario) )?(?:abans d'|antes de )imprimir|(?:please )?consider the environment|no (?:imprimiu|imprimeixis|imprima|imprimas) aquest|ajudeu a conservar el medi)`)
	// Words that legal boilerplate holds two of and letters to an administration seldom.
	boilerplate = []string{"confidencia", "confidentia", "destinatari", "intended", "recipient", "per error", "por error", "in error", "prohibi", "privileg",
		"notifiqu", "esborr", "elimin", "destru", "delete", "adjunt", "attach", "responsable del tractament", "responsable del tratamiento", "exercir els drets",
		"ejercer los derechos", "delegat de protecció", "delegado de protección", "2016/679", "autoritza", "autoriza", "erreur", "destinataire"}
)

// disclaimerStart finds the line that begins a legal disclaimer or the request not to print. A heading
// alone is not enough: people write about legal notices too.
func disclaimerStart(lines []line) int {
	const longest = 6000 // bytes of a disclaimer
	tail := 0
	for total := totalSize(lines); tail < len(lines) && total > longest; tail++ {
		total -= len(lines[tail].text) + 1
	}
	for i := tail; i < len(lines); i++ {
		s := plainApostrophes.Replace(lines[i].text)
		switch {
		case len(s) < 8:
		case printingSentence.MatchString(s) && writtenAtMost(lines[i:], 20):
			return i
		case (disclaimerHead.MatchString(s) || disclaimerSentence.MatchString(joinUpTo(lines[i:], 300))) && isBoilerplate(lines[i:]):
			return i
		}
	}
	return len(lines)
}

func totalSize(lines []line) (n int) {
	for _, l := range lines {
		n += len(l.text) + 1
	}
	return n
}

// joinUpTo gives the first bytes of lines on one line.
func joinUpTo(lines []line, size int) string {
	var b strings.Builder
	for _, l := range lines {
		if b.Len() >= size || l.blank() {
			break
		}
		b.WriteString(plainApostrophes.Replace(l.text))
		b.WriteByte(' ')
	}
	return b.String()
}

func isBoilerplate(lines []line) bool {
	var b strings.Builder
	for _, l := range lines {
		if b.Len() > 2000 {
			break
		}
		b.WriteString(strings.ToLower(plainApostrophes.Replace(l.text)))
		b.WriteByte(' ')
	}
	text, found := b.String(), 0
	for _, word := range boilerplate {
		if strings.Contains(text, word) {
			found++
		}
	}
	return found >= 2
}
