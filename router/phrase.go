package router

import (
	"fmt"

	"github.com/bustia/bustia/config"
)

// Phrase is something the daemon tells an agent in its own words, put into the reader's language
// when the mail is written.
type Phrase struct {
	ID   string
	Args []any // strings, or themeArg and languageArg, which are put into words too
}

// themeArg is a theme path that is to be read as the theme's name.
type themeArg string

// languageArg is a language code that is to be read as the language's name.
type languageArg string

// In is the phrase in language l, in English when l has none.
func (p Phrase) In(cfg *config.Config, l config.Language) string {
	texts, ok := phrases[p.ID]
	if !ok {
		panic(fmt.Sprintf("phrase %q", p.ID))
	}
	args := make([]any, len(p.Args))
	for i, a := range p.Args {
		switch a := a.(type) {
		case themeArg:
			args[i] = cfg.ThemeName(string(a), l)
		case languageArg:
			args[i] = languageName(config.Language(a), l)
		default:
			args[i] = a
		}
	}
	return fmt.Sprintf(texts.In(l, "en"), args...)
}

// languageName is how language code is called in language l.
func languageName(code, l config.Language) string {
	names, ok := languageNames[code]
	if !ok {
		return string(code)
	}
	return names.In(l, "en")
}

var languageNames = map[config.Language]config.Text{
	"ca":        {"ca": "català", "es": "catalán", "oc-aranes": "catalan", "en": "Catalan"},
	"es":        {"ca": "castellà", "es": "castellano", "oc-aranes": "castelhan", "en": "Spanish"},
	"oc-aranes": {"ca": "aranès", "es": "aranés", "oc-aranes": "aranés", "en": "Aranese"},
	"en":        {"ca": "anglès", "es": "inglés", "oc-aranes": "anglés", "en": "English"},
}

var phrases = map[string]config.Text{
	"marker": {
		"ca":        "Escriviu per sobre d'aquesta línia",
		"es":        "Escriba por encima de esta línea",
		"oc-aranes": "Escriuetz per dessús d'aguesta linha",
		"en":        "Write above this line",
	},
	"you_treat": {
		"ca":        "Us arriba perquè tracteu el tema «%s».",
		"es":        "Le llega porque trata el tema «%s».",
		"oc-aranes": "Vos arribe pr'amor que tractatz eth tèma «%s».",
		"en":        "It comes to you because you treat the theme “%s”.",
	},
	"reopened": {
		"ca":        "El ciutadà ha tornat a escriure després de la resposta: el cas es reobre.",
		"es":        "El ciudadano ha vuelto a escribir después de la respuesta: el caso se reabre.",
		"oc-aranes": "Eth ciutadan a tornat a escríuer dempús dera responsa: eth cas se torne a daurir.",
		"en":        "The citizen has written again after the answer: the case is open again.",
	},
	"handed": {
		"ca":        "Us l'ha passat %s.",
		"es":        "Se lo ha pasado %s.",
		"oc-aranes": "Vos l'a passat %s.",
		"en":        "Handed to you by %s.",
	},
	"agent_has": {
		"ca":        "El té %s.",
		"es":        "Lo tiene %s.",
		"oc-aranes": "Lo a %s.",
		"en":        "%s has it.",
	},
	"answer_sent": {
		"ca":        "La vostra resposta s'ha enviat al ciutadà, amb la plantilla en %s.",
		"es":        "Su respuesta se ha enviado al ciudadano, con la plantilla en %s.",
		"oc-aranes": "Era vòsta responsa s'a enviat ath ciutadan, damb eth modèl en %s.",
		"en":        "Your answer was sent to the citizen, with the template in %s.",
	},
	"filed": {
		"ca":        "El cas s'ha classificat a «%s» i el té %s.",
		"es":        "El caso se ha clasificado en «%s» y lo tiene %s.",
		"oc-aranes": "Eth cas s'a classificat en «%s» e lo a %s.",
		"en":        "The case was filed under “%s”; %s has it.",
	},
	"handed_to": {
		"ca":        "El cas s'ha passat a %s.",
		"es":        "El caso se ha pasado a %s.",
		"oc-aranes": "Eth cas s'a passat a %s.",
		"en":        "The case was handed to %s.",
	},
	"rest_not_sent": {
		"ca":        "El text que heu escrit sota l'ordre no s'ha enviat a ningú: si era la resposta, torneu-la a enviar sense l'ordre.",
		"es":        "El texto que ha escrito debajo de la orden no se ha enviado a nadie: si era la respuesta, vuelva a enviarla sin la orden.",
		"oc-aranes": "Eth tèxte qu'auetz escrit dejós dera orde non s'a enviat ad arrés: s'ère era responsa, tornatz-la a enviar sense era orde.",
		"en":        "The text you wrote below the command was sent to nobody: if it was the answer, send it again without the command.",
	},
	"noted": {
		"ca":        "La nota s'ha desat al cas. El ciutadà no la veu.",
		"es":        "La nota se ha guardado en el caso. El ciudadano no la ve.",
		"oc-aranes": "Era nòta s'a sauvat en cas. Eth ciutadan non la ve.",
		"en":        "The note was kept on the case. The citizen does not see it.",
	},
	"closed": {
		"ca":        "El cas s'ha tancat sense resposta. Motiu: %s",
		"es":        "El caso se ha cerrado sin respuesta. Motivo: %s",
		"oc-aranes": "Eth cas s'a barrat sense responsa. Motiu: %s",
		"en":        "The case was closed without an answer. Reason: %s",
	},
	"help": {
		"ca":        "Responeu l'avís i el vostre text s'enviarà al ciutadà. O escriviu a la primera línia: #tema RUTA · #a AGENT · #nota TEXT · #tanca MOTIU · #ok",
		"es":        "Responda al aviso y su texto se enviará al ciudadano. O escriba en la primera línea: #tema RUTA · #a AGENTE · #nota TEXTO · #cierra MOTIVO · #ok",
		"oc-aranes": "Responetz er avís e eth vòste tèxte s'enviarà ath ciutadan. O escriuetz ena prumèra linha: #tèma RUTA · #a AGENT · #nòta TÈXTE · #barra MOTIU · #ok",
		"en":        "Reply to the notice and your text goes to the citizen. Or write on the first line: #theme PATH · #to AGENT · #note TEXT · #close REASON · #ok",
	},
	"not_from_you": {
		"ca":        "Algú que no sou vós ha escrit a la vostra adreça de resposta d'aquest cas. No s'ha enviat res al ciutadà.",
		"es":        "Alguien que no es usted ha escrito a su dirección de respuesta de este caso. No se ha enviado nada al ciudadano.",
		"oc-aranes": "Quauquarrés que non ètz vos a escrit ara vòsta adreça de responsa d'aguest cas. Non s'a enviat arren ath ciutadan.",
		"en":        "Somebody who is not you has written to your reply address for this case. Nothing was sent to the citizen.",
	},
	"not_authentic": {
		"ca":        "El servidor de correu no ha pogut comprovar que el missatge fos vostre. No s'ha fet res.",
		"es":        "El servidor de correo no ha podido comprobar que el mensaje fuera suyo. No se ha hecho nada.",
		"oc-aranes": "Eth servidor de corrèu non a pogut comprovar qu'eth messatge siguesse vòste. Non s'a hèt arren.",
		"en":        "The mail server could not confirm that the mail was yours. Nothing was done.",
	},
	"no_longer_yours": {
		"ca":        "Aquest cas ja no el teniu vós. No s'ha fet res.",
		"es":        "Este caso ya no lo tiene usted. No se ha hecho nada.",
		"oc-aranes": "Aguest cas ja non l'auetz vos. Non s'a hèt arren.",
		"en":        "You no longer have this case. Nothing was done.",
	},
	"expired": {
		"ca":        "L'adreça de resposta ha caducat. No s'ha fet res: demaneu al supervisor que us torni a passar el cas.",
		"es":        "La dirección de respuesta ha caducado. No se ha hecho nada: pida al supervisor que le vuelva a pasar el caso.",
		"oc-aranes": "Era adreça de responsa a caducat. Non s'a hèt arren: demanatz ath supervisor que vos torne a passar eth cas.",
		"en":        "The reply address has expired. Nothing was done: ask the supervisor to hand you the case again.",
	},
	"stray": {
		"ca":        "Heu respost a una adreça que no és la d'aquest cas i no s'ha enviat res. Responeu a aquest missatge.",
		"es":        "Ha respondido a una dirección que no es la de este caso y no se ha enviado nada. Responda a este mensaje.",
		"oc-aranes": "Auetz responut a ua adreça que non ei era d'aguest cas e non s'a enviat arren. Responetz ad aguest messatge.",
		"en":        "You replied to an address that is not this case's, and nothing was sent. Reply to this mail.",
	},
	"wrong_command": {
		"ca":        "No s'entén l'ordre i no s'ha fet res: %s",
		"es":        "No se entiende la orden y no se ha hecho nada: %s",
		"oc-aranes": "Non se compren era orde e non s'a hèt arren: %s",
		"en":        "The command was not understood and nothing was done: %s",
	},
	"commands_only": {
		"ca":        "A aquesta adreça només s'hi poden enviar ordres. El text no s'ha enviat a ningú.",
		"es":        "A esta dirección solo se pueden enviar órdenes. El texto no se ha enviado a nadie.",
		"oc-aranes": "Ad aguesta adreça sonque s'i pòden enviar ordes. Eth tèxte non s'a enviat ad arrés.",
		"en":        "This address takes commands only. The text was sent to nobody.",
	},
	"no_words": {
		"ca":        "El missatge no porta cap text vostre. No s'ha enviat res.",
		"es":        "El mensaje no lleva ningún texto suyo. No se ha enviado nada.",
		"oc-aranes": "Eth messatge non pòrte cap tèxte vòste. Non s'a enviat arren.",
		"en":        "The mail has no text of yours. Nothing was sent.",
	},
	"not_certain": {
		"ca":        "No és segur on acaba el vostre text. Responeu OK si és això el que s'ha d'enviar, o torneu a enviar el text per sobre de la línia.",
		"es":        "No es seguro dónde acaba su texto. Responda OK si es esto lo que hay que enviar, o vuelva a enviar el texto por encima de la línea.",
		"oc-aranes": "Non ei segur a on acabe eth vòste tèxte. Responetz OK s'ei açò çò que s'a d'enviar, o tornatz a enviar eth tèxte per dessús dera linha.",
		"en":        "It is not certain where your text ends. Answer OK if this is what should be sent, or send your text again above the line.",
	},
	"internal": {
		"ca":        "El text conté un avís intern. Responeu OK si tot i així s'ha d'enviar, o torneu-lo a enviar corregit.",
		"es":        "El texto contiene un aviso interno. Responda OK si aun así hay que enviarlo, o vuelva a enviarlo corregido.",
		"oc-aranes": "Eth tèxte conten un avís intèrn. Responetz OK s'encara atau s'a d'enviar, o tornatz-lo a enviar corregit.",
		"en":        "The text contains an internal notice. Answer OK if it should be sent all the same, or send it again corrected.",
	},
	"other_case": {
		"ca":        "El text anomena la referència d'un altre cas. Responeu OK si tot i així s'ha d'enviar, o torneu-lo a enviar corregit.",
		"es":        "El texto nombra la referencia de otro caso. Responda OK si aun así hay que enviarlo, o vuelva a enviarlo corregido.",
		"oc-aranes": "Eth tèxte nomente era referéncia d'un aute cas. Responetz OK s'encara atau s'a d'enviar, o tornatz-lo a enviar corregit.",
		"en":        "The text names the reference of another case. Answer OK if it should be sent all the same, or send it again corrected.",
	},
	"attached_mail": {
		"ca":        "La resposta porta adjunt un missatge sencer, que no s'enviarà. Responeu OK per enviar només el text.",
		"es":        "La respuesta lleva adjunto un mensaje entero, que no se enviará. Responda OK para enviar solo el texto.",
		"oc-aranes": "Era responsa pòrte junhut un messatge entièr, que non s'enviarà. Responetz OK entà enviar sonque eth tèxte.",
		"en":        "A whole mail is attached to the answer; it will not be sent. Answer OK to send the text alone.",
	},
	"may_be_automatic": {
		"ca":        "Sembla que això ho ha escrit una màquina. Responeu OK si ho heu escrit vós i és el que s'ha d'enviar.",
		"es":        "Parece que esto lo ha escrito una máquina. Responda OK si lo ha escrito usted y es lo que hay que enviar.",
		"oc-aranes": "Semble qu'açò ac a escrit ua maquina. Responetz OK s'ac auetz escrit vos e ei çò que s'a d'enviar.",
		"en":        "This looks like a machine's mail. Answer OK if you wrote it and it should be sent.",
	},
	"too_large": {
		"ca":        "El missatge del ciutadà és massa gran (%s) i només n'ha arribat la capçalera. Sencer, és a la bústia %s.",
		"es":        "El mensaje del ciudadano es demasiado grande (%s) y solo ha llegado su cabecera. Entero, está en el buzón %s.",
		"oc-aranes": "Eth messatge deth ciutadan ei massa gran (%s) e sonque n'a arribat era capçalèra. Entièr, ei ena bóstia %s.",
		"en":        "The citizen's mail is too large (%s) and only its header came through. The whole of it is in the mailbox %s.",
	},
	"yours_too_large": {
		"ca":        "El vostre missatge passa de %s i no s'ha enviat res. Torneu-lo a enviar amb adjunts més petits.",
		"es":        "Su mensaje pasa de %s y no se ha enviado nada. Vuelva a enviarlo con adjuntos más pequeños.",
		"oc-aranes": "Eth vòste messatge passe de %s e non s'a enviat arren. Tornatz-lo a enviar damb documents junhuts mès petiti.",
		"en":        "Your mail is over %s and nothing was sent. Send it again with smaller attachments.",
	},
	"no_address": {
		"ca":        "El ciutadà no ha deixat cap adreça: la resposta no es pot enviar.",
		"es":        "El ciudadano no ha dejado ninguna dirección: la respuesta no se puede enviar.",
		"oc-aranes": "Eth ciutadan non a deishat cap adreça: era responsa non se pòt enviar.",
		"en":        "The citizen left no address: the answer cannot be sent.",
	},
	"nothing_held": {
		"ca":        "No hi ha cap resposta que esperi el vostre OK.",
		"es":        "No hay ninguna respuesta que espere su OK.",
		"oc-aranes": "Non i a cap responsa qu'espère eth vòste OK.",
		"en":        "There is no answer that waits for your OK.",
	},
	"theme_unknown": {
		"ca":        "No hi ha cap tema «%s». Potser: %s",
		"es":        "No hay ningún tema «%s». Quizá: %s",
		"oc-aranes": "Non i a cap tèma «%s». Dilhèu: %s",
		"en":        "There is no theme “%s”. Perhaps: %s",
	},
	"theme_unclear": {
		"ca":        "«%s» pot ser més d'un tema: %s",
		"es":        "«%s» puede ser más de un tema: %s",
		"oc-aranes": "«%s» pòt èster mès d'un tèma: %s",
		"en":        "“%s” may be more than one theme: %s",
	},
	"theme_shallow": {
		"ca":        "«%s» és massa general: calen almenys dos nivells. A sota hi ha: %s",
		"es":        "«%s» es demasiado general: hacen falta al menos dos niveles. Debajo hay: %s",
		"oc-aranes": "«%s» ei massa generau: cau aumens dus nivèus. Dejós i a: %s",
		"en":        "“%s” is too general: at least two levels are needed. Below it there are: %s",
	},
	"agent_unknown": {
		"ca":        "No hi ha cap agent «%s».",
		"es":        "No hay ningún agente «%s».",
		"oc-aranes": "Non i a cap agent «%s».",
		"en":        "There is no agent “%s”.",
	},
	"agent_not_theme": {
		"ca":        "%s no tracta el tema «%s».",
		"es":        "%s no trata el tema «%s».",
		"oc-aranes": "%s non tracte eth tèma «%s».",
		"en":        "%s does not treat the theme “%s”.",
	},
	"file_first": {
		"ca":        "Abans cal classificar el cas: #tema RUTA",
		"es":        "Antes hay que clasificar el caso: #tema RUTA",
		"oc-aranes": "Abans cau classificar eth cas: #tèma RUTA",
		"en":        "The case must be filed first: #theme PATH",
	},
	"not_open": {
		"ca":        "El cas no està obert.",
		"es":        "El caso no está abierto.",
		"oc-aranes": "Eth cas non ei dubèrt.",
		"en":        "The case is not open.",
	},
	"close_reason": {
		"ca":        "Cal dir el motiu: #tanca MOTIU",
		"es":        "Hay que decir el motivo: #cierra MOTIVO",
		"oc-aranes": "Cau díder eth motiu: #barra MOTIU",
		"en":        "The reason must be given: #close REASON",
	},
	"undelivered": {
		"ca":        "El servidor de correu no l'ha pogut lliurar: %s",
		"es":        "El servidor de correo no lo ha podido entregar: %s",
		"oc-aranes": "Eth servidor de corrèu non l'a pogut liurar: %s",
		"en":        "The mail server could not deliver it: %s",
	},
}
