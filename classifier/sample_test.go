package classifier

import (
	"strings"

	"github.com/bustia/bustia/config"
)

// keywords reads "word, two words, prefix*" into a keyword list.
func keywords(list string) []config.Keyword {
	var out []config.Keyword
	for k := range strings.SplitSeq(list, ",") {
		k = strings.TrimSpace(k)
		if k == "" {
			continue
		}
		out = append(out, config.Keyword{Words: k, Weight: 1})
	}
	return out
}

// sampleThemes is a small tree: path, and keywords in ca, es, oc-aranes and en.
var sampleThemes = [...][5]string{
	{"habitatge", "habitatge, pis, lloguer", "vivienda, piso, alquiler", "abitatge, loguèr", "housing, flat"},
	{"habitatge/lloguer", "ajut al lloguer, subvenció del lloguer", "ayuda al alquiler, subvención del alquiler", "ajuda ath loguèr", "rent subsidy, housing benefit"},
	{"habitatge/lloguer/bo-jove", "bo lloguer, bo jove, lloguer jove", "bono alquiler, bono joven", "bon loguèr", "youth voucher"},
	{"habitatge/lloguer/gent-gran", "majors de 65, pensionista", "mayores de 65, pensionista", "majors de 65", "over 65, pensioner"},
	{"habitatge/fiances", "fiança, propietari", "fianza, propietario", "fiança, proprietari", "deposit, landlord"},
	{"salut", "salut, metge, hospital", "salud, médico, hospital", "salut, mètge, espitau", "health, doctor, hospital"},
	{"salut/espera", "llista d'espera, operació, especialista", "lista de espera, operación, especialista", "lista de demora, operacion", "waiting list, surgery"},
	{"salut/espera/urgencies", "urgències, ambulància", "urgencias, ambulancia", "urgéncies, ambulància", "emergency room, ambulance"},
	{"salut/targeta", "targeta sanitària, tsi", "tarjeta sanitaria, tsi", "targeta sanitària", "health card"},
	{"educacio", "escola, institut, alumne", "escuela, instituto, alumno", "escòla, institut", "school, pupil"},
	{"educacio/beques", "beca, menjador escolar", "beca, comedor escolar", "borsa, minjador", "scholarship, school meals"},
	{"educacio/preinscripcio", "preinscripció, matrícula, plaça escolar", "preinscripción, matrícula, plaza escolar", "preinscripcion, matricula", "enrolment, school place"},
	{"mobilitat", "transport, carretera", "transporte, carretera", "transpòrt, carretèra", "transport, road"},
	{"mobilitat/tren", "tren, rodalies, estació", "tren, rodalies, cercanías, estación", "tren, estacion", "train, station"},
	{"mobilitat/tren/retards", "retard del tren, tren suprimit, r3", "retraso del tren, tren suprimido, r3", "retard deth tren", "train delay, cancelled train"},
	{"mobilitat/bus", "autobús, bus, parada", "autobús, bus, parada", "autobús, arturada", "bus, bus stop"},
	{"mobilitat/carreteres", "carretera, asfalt, sots, esvoranc", "carretera, asfalto, baches, socavón", "carretèra, horats", "pothole, asphalt"},
	{"medi-ambient", "medi ambient, natura, bosc", "medio ambiente, naturaleza, bosque", "miei ambient, bòsc", "environment, forest"},
	{"medi-ambient/residus", "residus, abocament, runa, deixalles", "residuos, vertido, escombros, basura", "residus, lordères", "waste, dumping, rubbish"},
	{"medi-ambient/fauna", "senglar, llop, ós", "jabalí, lobo, oso", "os, lop, singlar", "boar, wolf, bear"},
	{"treball", "feina, treball, empresa", "trabajo, empleo, empresa", "trabalh, emplec", "job, work"},
	{"treball/atur", "atur, demanda d'ocupació, buscar feina", "paro, demanda de empleo, buscar trabajo", "caumatge, cercar trabalh", "unemployment, jobseeker"},
}

// sampleConfig is a config with two mailboxes, the small tree and a few rules.
func sampleConfig() *config.Config {
	cfg := &config.Config{
		Languages: config.Languages{Default: "ca", Offered: []config.Language{"ca", "es", "oc-aranes", "en"}},
		Types:     []config.Type{{ID: "consulta", Default: true}, {ID: "queixa"}, {ID: "suggeriment"}, {ID: "agraiment"}},
		Mailboxes: []config.Mailbox{
			{Name: "bustia", Address: "bustia@example.cat", Kind: config.Corporate, Threshold: 0.5},
			{Name: "salut", Address: "salut@example.cat", Kind: config.Specific, Organisation: "salut", Threshold: 0.5},
			{Name: "strict", Address: "strict@example.cat", Kind: config.Corporate, Threshold: 0.95},
		},
		OrganisationalThemes: []config.OrganisationalTheme{
			{ID: "risc", Keywords: map[config.Language][]config.Keyword{"ca": keywords("em pega, suïcid*"), "es": keywords("me pega, suicid*")}},
			{ID: "juridic", Keywords: map[config.Language][]config.Keyword{"ca": keywords("recurs d'alçada, demanda judicial"), "es": keywords("recurso de alzada")}},
		},
		Rules: []config.Rule{
			{Name: "advertising", When: config.Condition{Words: []string{"posicionar*", "/aumente las visitas/"}}, Then: config.Outcome{Ignore: true}},
			{Name: "complaint", When: config.Condition{Words: []string{"queixa", "queja", "queisha", "complaint", "vergonya", "vergüenza", "indigna*"}}, Then: config.Outcome{Type: "queixa"}},
			{Name: "suggestion", When: config.Condition{Words: []string{"suggeriment", "sugerencia", "suggestion", "propos*", "propòsi"}}, Then: config.Outcome{Type: "suggeriment"}},
		},
	}
	for _, t := range sampleThemes {
		organisation, _, _ := strings.Cut(t[0], "/")
		theme := config.Theme{Path: t[0], Level: strings.Count(t[0], "/") + 1, Organisation: organisation, Visible: true,
			Keywords: make(map[config.Language][]config.Keyword)}
		for i, language := range cfg.Languages.Offered {
			theme.Keywords[language] = keywords(t[i+1])
		}
		cfg.Themes = append(cfg.Themes, theme)
	}
	return cfg
}
