package classifier

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bustia/bustia/config"
)

func TestDetectLanguage(t *testing.T) {
	sure := func(want config.Language, text string) {
		t.Helper()
		if got, confidence := DetectLanguage(text); got != want || confidence < 0.5 {
			t.Errorf("%q: got %s %.2f, want %s for sure", text, got, confidence, want)
		}
	}
	// The same said in Catalan and in Aranese.
	sure("ca", "Voldria saber quan obre l'oficina de Vielha.")
	sure("oc-aranes", "Voleria saber quan daurís era oficina de Vielha.")
	sure("ca", "La carretera està plena de forats i quan neva no passa la màquina.")
	sure("oc-aranes", "Era carretèra ei plia d'horats e quan nhèue non passe era maquina.")
	sure("ca", "Els meus fills van a l'escola i no tenim plaça al menjador.")
	sure("oc-aranes", "Es mèns hilhs van ara escòla e non auem plaça en minjador.")
	sure("ca", "Moltes gràcies per la vostra resposta, fins aviat.")
	sure("oc-aranes", "Fòrça gràcies pera vòsta responsa, enquia lèu.")
	sure("es", "Los baches de la carretera siguen sin arreglar desde enero.")
	sure("en", "The road has been full of holes since January.")
	// As citizens write.
	sure("ca", "ns si puc demanar lajut del lloguer pq no tinc contracte")
	sure("es", "qeria saver si puedo pedir la alluda del alquiler xq no tengo contrato")
	sure("ca", "VULL SABER QUE PASSA AMB LA MEVA SOLLICITUD")
	sure("es", "QUIERO SABER QUE PASA CON MI SOLICITUD")
	sure("oc-aranes", "VOI SABER QUE PASSE DAMB ERA MIA SOLLICITUD")
	sure("en", "i dont understand why nobody answers me")
	// In none of our languages.
	sure(Other, "Bonjour, je voudrais savoir pourquoi ma demande n'a pas été acceptée.")
	sure(Other, "Guten Tag, mein Antrag wurde leider abgelehnt und ich weiß nicht warum.")
	sure(Other, "Buongiorno, vorrei sapere perché la mia richiesta non è stata accolta.")
	sure(Other, "Bom dia, gostaria de saber porque é que o meu pedido não foi aceite.")
	sure(Other, "Dzień dobry, chciałbym wiedzieć, dlaczego mój wniosek został odrzucony.")
	sure(Other, "Добрый день, почему мне отказали?")
	sure(Other, "صباح الخير، أريد أن أعرف لماذا رفض طلبي")
	sure(Other, "您好，请问办公室几点开门？")
}

func TestLanguageUnsure(t *testing.T) {
	unsure := func(text string) {
		t.Helper()
		if got, confidence := DetectLanguage(text); confidence >= 0.5 {
			t.Errorf("%q: got %s %.2f, want less than 0.5", text, got, confidence)
		}
	}
	unsure("Gràcies")
	unsure("Hola")
	unsure("thanks")
	unsure("Transport")
	unsure("Maria Vila")
	none := func(text string) {
		t.Helper()
		if got, confidence := DetectLanguage(text); got != "" || confidence != 0 {
			t.Errorf("%q: got %s %.2f, want nothing", text, got, confidence)
		}
	}
	none("")
	none(" \n\t")
	none("612 00 00 00")
	none("anna@example.cat https://example.cat/que-es-aixo www.example.org")
	none("\xff\xfe🙂")
}

func TestLanguageOffered(t *testing.T) {
	cfg := sampleConfig()
	cfg.Languages.Offered = []config.Language{"ca", "es"}
	r := New(cfg).Classify(Input{Text: "Good morning, I would like to know when you open."})
	if r.Language.Code != Other {
		t.Errorf("English where it is not offered: got %v", r.Language)
	}
}

func TestLanguageModelRoundTrip(t *testing.T) {
	m := TrainLanguage(map[config.Language][]string{
		"ca": {"vull saber quan obriu", "no tinc cap resposta"},
		"es": {"quiero saber cuando abren", "no tengo ninguna respuesta"},
		"fr": {"je veux savoir quand vous ouvrez"},
	})
	var file bytes.Buffer
	if _, err := m.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	again, err := ReadLanguageModel(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"vull saber quan", "quiero saber cuando", "je veux savoir"} {
		a, x := m.Detect(text, known)
		b, y := again.Detect(text, known)
		if a != b || x != y {
			t.Errorf("%q: %s %v before, %s %v after", text, a, x, b, y)
		}
	}
	for _, cut := range []int{0, 5, len(whole) / 2, len(whole) - 9} {
		if _, err := ReadLanguageModel(bytes.NewReader(whole[:cut])); err == nil {
			t.Errorf("no error for the first %d bytes of %d", cut, len(whole))
		}
	}
}

func FuzzDetectLanguage(f *testing.F) {
	for _, seed := range []string{"Bon dia", "\xff", "l·l d’", strings.Repeat("a", 70), "e\u0301", "您好", "a@b www.", "''''"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, confidence := DetectLanguage(text)
		if confidence < 0 || confidence > 1 || code == "" && confidence != 0 {
			t.Errorf("%q: %s %v", text, code, confidence)
		}
	})
}
