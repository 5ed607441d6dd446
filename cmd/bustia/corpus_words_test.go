//go:build integration && bench

package main

import "github.com/bustia/bustia/config"

var (
	givenNames  = []string{"Maria", "Jordi", "Núria", "Josep", "Montserrat", "Xavier", "Carmen", "Antonio", "Fàtima", "Mohamed", "Ana", "Pere", "Àngels", "Lluís", "Rosa", "Iker", "Olena", "Joan", "Sílvia", "Teresa"}
	familyNames = []string{"Puig", "García", "Ferrer", "Martínez", "Soler", "López", "Vila", "Sánchez", "Roca", "Fernández", "Serra", "Benali", "Casals", "Muñoz", "Bosch", "Arró", "Pujol", "Ibáñez", "Sabaté", "Kovalenko"}
	clients     = []string{"Microsoft Outlook 16.0", "Apple Mail (2.3774)", "iPhone Mail (21F90)", "Mozilla Thunderbird", "Gmail"}
)

// phrasebook is what citizens say in one language: {theme} is what it is about.
type phrasebook struct {
	subjects, greetings, about, sentences, closings []string
	wrote                                           string
}

var phrases = map[config.Language]phrasebook{
	"ca": {
		subjects:  []string{"Consulta sobre {theme}", "{theme}", "Queixa: {theme}", "Dubte amb {theme}", "Suggeriment: {theme}"},
		greetings: []string{"Bon dia,", "Bona tarda,", "Benvolguts,", "Hola,"},
		about: []string{"Us escric per una qüestió de {theme} que no sé com resoldre.", "Voldria saber què he de fer amb {theme}.",
			"Fa setmanes que intento aclarir el tema: {theme}.", "M'han dit que per {theme} em dirigeixi a vosaltres."},
		sentences: []string{"He trucat diverses vegades i ningú no m'ha sabut donar una resposta.", "El meu número d'expedient és el {number}.",
			"Vaig presentar la documentació el dia {day} i encara no en tinc notícies.", "A l'oficina em van dir que ho havia de demanar per internet, però la pàgina no funciona.",
			"La meva mare té vuitanta anys i no pot desplaçar-se fins a la ciutat.", "Adjunto una còpia del document que em van demanar.",
			"Us agrairia que m'indiquéssiu els passos que he de seguir.", "No entenc per què cal tornar a portar els mateixos papers.",
			"Vivim en un poble petit i l'autobús només passa dues vegades al dia.", "Si cal, puc venir qualsevol matí a partir de les deu.",
			"El termini s'acaba a final de mes i estic preocupat.", "Al web hi diu una cosa i per telèfon me n'han dit una altra."},
		closings: []string{"Moltes gràcies per la vostra atenció.", "Quedo a l'espera de la vostra resposta.", "Salutacions cordials,"},
		wrote:    "El dl., 2 de nov. 2026, %s <%s> va escriure:",
	},
	"es": {
		subjects:  []string{"Consulta sobre {theme}", "{theme}", "Queja: {theme}", "Duda con {theme}", "Sugerencia: {theme}"},
		greetings: []string{"Buenos días:", "Buenas tardes:", "Estimados señores:", "Hola:"},
		about: []string{"Les escribo por un asunto de {theme} que no sé cómo resolver.", "Quisiera saber qué tengo que hacer con {theme}.",
			"Llevo semanas intentando aclarar este tema: {theme}.", "Me han dicho que para {theme} me dirija a ustedes."},
		sentences: []string{"He llamado varias veces y nadie ha sabido darme una respuesta.", "Mi número de expediente es el {number}.",
			"Presenté la documentación el día {day} y todavía no tengo noticias.", "En la oficina me dijeron que lo pidiera por internet, pero la página no funciona.",
			"Mi padre tiene ochenta años y no puede desplazarse hasta la ciudad.", "Adjunto una copia del documento que me pidieron.",
			"Les agradecería que me indicaran los pasos que debo seguir.", "No entiendo por qué hay que volver a llevar los mismos papeles.",
			"Vivimos en un pueblo pequeño y el autobús solo pasa dos veces al día.", "Si hace falta puedo ir cualquier mañana a partir de las diez.",
			"El plazo termina a final de mes y estoy preocupada.", "En la web pone una cosa y por teléfono me han dicho otra."},
		closings: []string{"Muchas gracias por su atención.", "Quedo a la espera de su respuesta.", "Un saludo cordial,"},
		wrote:    "El lun, 2 nov 2026, %s <%s> escribió:",
	},
	"en": {
		subjects:  []string{"Question about {theme}", "{theme}", "Complaint: {theme}", "Suggestion: {theme}"},
		greetings: []string{"Good morning,", "Dear all,", "Hello,"},
		about: []string{"I am writing about {theme}, which I do not know how to sort out.", "I would like to know what to do about {theme}.",
			"For weeks I have been trying to find out about {theme}."},
		sentences: []string{"I have called several times and nobody could give me an answer.", "My file number is {number}.",
			"I handed in the papers on the {day}th and have not heard from you since.", "At the office they told me to apply online, but the page does not work.",
			"I moved here last year and my Catalan is still poor.", "I attach a copy of the document you asked for.",
			"Could you please tell me which steps I have to follow?", "I do not understand why I have to bring the same papers again.",
			"The term ends this month and I am worried.", "The website says one thing and on the telephone I was told another."},
		closings: []string{"Thank you very much for your help.", "I look forward to your answer.", "Kind regards,"},
		wrote:    "On Mon, 2 Nov 2026, %s <%s> wrote:",
	},
	"oc-aranes": {
		subjects:  []string{"Consulta sus {theme}", "{theme}", "Queisha: {theme}"},
		greetings: []string{"Bon dia,", "Bona tarde,"},
		about: []string{"Vos escrigui per un ahèr de {theme} que non sai com resòlver.", "Voleria saber qué è de hèr damb {theme}.",
			"Que hè setmanes que sagi d'aclarir eth tèma: {theme}."},
		sentences: []string{"È telefonat fòrça viatges e arrés non m'a sabut dar ua responsa.", "Eth mèn numerò d'expedient ei eth {number}.",
			"Presentè era documentacion eth dia {day} e encara non n'è naues.", "Ena oficina me digueren qu'ac auia de demanar per internet, mès era pagina non fonciòne.",
			"Era mia mair a ueitanta ans e non pòt vier enquia Vielha.", "Vos arregraïria que m'indiquéssetz es passi qu'è de seguir.",
			"Viuem en un pòble petit e er autobús sonque passe dus còps ath dia."},
		closings: []string{"Fòrça gràcies pera vòsta atencion.", "Demori era vòsta responsa."},
		wrote:    "Eth dl., 2 de nov. 2026, %s <%s> escriuec:",
	},
}
