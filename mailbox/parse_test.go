package mailbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// outlined is what a mail reads as, short enough for one line.
type outlined struct {
	subject, from, plain, html string
	files                      string // name:media type:bytes
	faults                     string // kinds
}

// outline reads m so.
func outline(m *Message) outlined {
	o := outlined{subject: m.Subject, from: m.From.Name + "|" + m.From.Address}
	plain, html := m.Body()
	if plain != nil {
		o.plain = strings.ReplaceAll(strings.TrimSpace(string(plain.Body)), "\r\n", "\n")
	}
	if html != nil {
		o.html = strings.TrimSpace(string(html.Body))
	}
	for _, a := range m.Attachments() {
		o.files += fmt.Sprintf(" %s:%s:%d", a.Filename, a.MediaType, len(a.Body))
	}
	for _, f := range m.Faults {
		o.faults += " " + f.Kind
	}
	o.files, o.faults = strings.TrimSpace(o.files), strings.TrimSpace(o.faults)
	return o
}

func TestParse(t *testing.T) {
	cases := []struct {
		file string
		want outlined
	}{
		{"8bit-subject", outlined{"Petició d’informació: açò", "Joan García|joan@example.org", "Sense MIME.", "", "", ""}},
		{"8bit-subject-latin1", outlined{"Petició: avinguda Diagonal", "Núria Peña|joan@example.org", "Sense MIME.", "", "", ""}},
		{"alternative", outlined{"Consulta", "Joan Garcia|joan@example.org", "Línia molt llarga que es talla", "<p>Línia molt llarga que es talla</p>", "", ""}},
		{"apple-text-between-files", outlined{"Fotos", "Joan Garcia|joan@example.org", "La primera:\ni la segona.", "", "IMG_1.jpg:image/jpeg:3", ""}},
		{"blank-lines-first", outlined{"Consulta", "Joan Garcia|joan@example.org", "Després de línies buides", "", "", "header"}},
		{"body-only", outlined{"", "|", "Hola, aixo es un text sense cap capcalera\nni res mes", "", "", "header address date"}},
		{"bom", outlined{"Consulta", "Joan Garcia|joan@example.org", "Amb marca", "", "", "header"}},
		{"boundary-prefix", outlined{"Consulta", "Joan Garcia|joan@example.org", "text de dins", "<p>text de dins</p>", "dades.csv:text/csv:3", ""}},
		{"boundary-unclosed-quote", outlined{"Consulta", "Joan Garcia|joan@example.org", "cometes sense tancar", "", "", ""}},
		{"boundary-unquoted-equals", outlined{"Consulta", "Joan Garcia|joan@example.org", "JavaMail ho fa", "", "", ""}},
		{"broken-base64", outlined{"Consulta", "Joan Garcia|joan@example.org", "Bon dia, això és un text llarg per provar coses", "", "", "encoding"}},
		{"calendar-invite", outlined{"Reunió", "Joan Garcia|joan@example.org", "Us convido a una reunió", "<p>Us convido a una reunió</p>", "attachment-1.ics:text/calendar:46", ""}},
		{"charset-without-semicolon", outlined{"Consulta", "Joan Garcia|joan@example.org", "5 €", "", "", ""}},
		{"closed-too-early", outlined{"Consulta", "Joan Garcia|joan@example.org", "cos", "", "foto.png:image/png:28", ""}},
		{"content-type-text", outlined{"Consulta", "Joan Garcia|joan@example.org", "d'abans del MIME", "", "", ""}},
		{"digest", outlined{"Resum", "Joan Garcia|joan@example.org", "", "", "attachment-1.eml:message/rfc822:41 attachment-2.eml:message/rfc822:42", ""}},
		{"embedded-base64", outlined{"Fwd: Queixa", "Joan Garcia|joan@example.org", "Us reenvio això", "", "queixa.eml:message/rfc822:64", ""}},
		{"embedded-message", outlined{"Fwd: Queixa", "Joan Garcia|joan@example.org", "Us reenvio això", "", "attachment-1.eml:message/rfc822:389", ""}},
		{"empty", outlined{"", "|", "", "", "", "empty address date"}},
		{"encoded-word-line-feed", outlined{"Hola  Bcc: victima@example.net", "Joan Garcia|joan@example.org", "cos", "", "", ""}},
		{"encoded-word-sloppy", outlined{"café \"amb espais i \" Qué? més", "García, Joan|joan@example.org", "cos", "", "", ""}},
		{"encoded-word-split-character", outlined{"Ciència i tècnica: línia tallada", "Joan Garcia|joan@example.org", "cos", "", "", ""}},
		{"encoding-7-bit", outlined{"Consulta", "Joan Garcia|joan@example.org", "Text tal com raja", "", "", ""}},
		{"filename-traversal", outlined{"Plànol", "Joan Garcia|joan@example.org", "", "", "factfdp.exe:application/octet-stream:19", ""}},
		{"folded-blank-line", outlined{"Consulta    plegada", "Joan Garcia|joan@example.org", "cos", "", "", ""}},
		{"format-flowed", outlined{"Consulta", "Joan Garcia|joan@example.org", "Una línia que continua \na la següent", "", "", ""}},
		{"from-without-bracket", outlined{"Consulta", "Joan Garcia|joan@example.org", "cos", "", "", ""}},
		{"header-only", outlined{"Només capçalera", "Joan Garcia|joan@example.org", "", "", "", ""}},
		{"html-meta-charset", outlined{"Queixa", "Joan Garcia|joan@example.org", "", "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-15\"></head><body>Val 5 €</body></html>", "", ""}},
		{"html-only", outlined{"Consulta", "Joan Garcia|joan@example.org", "", "<html><body><p>Hola, què tal</p></body></html>", "", ""}},
		{"inline-images", outlined{"Foto", "Joan Garcia|joan@example.org", "mireu la foto", "<p>mireu la foto <img src=\"cid:logo%40example\"></p>", "attachment-1.png:image/png:28", ""}},
		{"iso2022jp-no-charset", outlined{"Consulta", "Joan Garcia|joan@example.org", "こんにちは", "", "", "charset"}},
		{"latin1-attachment-kept", outlined{"Dades", "Joan Garcia|joan@example.org", "vegeu", "", "a.xml:text/xml:51", ""}},
		{"latin1-no-charset", outlined{"Fanal trencat", "Joan Garcia|joan@example.org", "Bon dia, és a la cantonada. Gràcies.", "", "", "charset"}},
		{"latin1-said-utf8", outlined{"Fanal trencat", "Joan Garcia|joan@example.org", "Bon dia, és a la cantonada. «CAFÉ» Gràcies.", "", "", "charset"}},
		{"lf-only", outlined{"Consulta", "Joan Garcia|joan@example.org", "linies acabades en LF", "", "", ""}},
		{"lone-cr", outlined{"Consulta", "Joan Garcia|joan@example.org", "linies\nacabades en CR", "", "", "header"}},
		{"mbox-from-line", outlined{"Consulta", "Joan Garcia|joan@example.org", "De la bústia", "", "", ""}},
		{"missing-boundary", outlined{"Consulta", "Joan Garcia|joan@example.org", "Cos trobat", "", "a.pdf:application/pdf:19", "boundary"}},
		{"mixed-line-ends", outlined{"Consulta", "Joan Garcia|joan@example.org", "unes amb LF\nel final", "<p>altres amb CR CR LF</p>", "", ""}},
		{"multipart-in-base64", outlined{"Consulta", "Joan Garcia|joan@example.org", "embolicat", "", "", "encoding"}},
		{"no-blank-line", outlined{"Consulta", "Joan Garcia|joan@example.org", "Aquesta línia ja és el cos.\nI aquesta també.", "", "", "header"}},
		{"no-delimiter-at-all", outlined{"Consulta", "Joan Garcia|joan@example.org", "Ni una sola part.", "", "", "boundary"}},
		{"no-from", outlined{"Sense remitent", "|", "Qui soc?", "", "", "address"}},
		{"no-mime-version", outlined{"Consulta", "Joan Garcia|joan@example.org", "", "<p>Gràcies</p>", "", ""}},
		{"nul-bytes", outlined{"Consulta", "Joan Garcia|joan@example.org", "un  NUL al mig", "", "", "charset"}},
		{"only-blank-lines", outlined{"", "|", "", "", "", "address date"}},
		{"part-without-header", outlined{"Consulta", "Joan Garcia|joan@example.org", "sense capçalera\ntampoc cap línia buida", "", "", "header"}},
		{"plain", outlined{"Fanal trencat", "Joan Garcia|joan@example.org", "El fanal del carrer Major no fa llum.", "", "", ""}},
		{"plain-said-base64", outlined{"Consulta", "Joan Garcia|joan@example.org", "Això, ben clar, no és base64: és text, amb comes i punts, i prou... (o no?)", "", "", "encoding"}},
		{"references-without-brackets", outlined{"Re: [B-2026-004217-7] Fanal", "Joan Garcia|joan@example.org", "cos", "", "", ""}},
		{"right-to-left-override", outlined{"factura fdp.exe", "Laia gup.tac|laia@example.org", "Bon dia.", "", "", ""}},
		{"rfc2231-filename", outlined{"Plànol", "Joan Garcia|joan@example.org", "adjunts", "", "plànol.pdf:application/pdf:19 plànol nou.pdf:application/pdf:19 plànol 3.pdf:application/pdf:19 informe final (1).pdf:application/pdf:19 un \"bon\" informe.pdf:application/pdf:19", ""}},
		{"smime-signed", outlined{"Consulta", "Joan Garcia|joan@example.org", "Signat per mi", "", "smime.p7s:application/pkcs7-signature:3", ""}},
		{"space-before-colon", outlined{"Amb espai", "Joan|joan@example.org", "cos", "", "", ""}},
		{"stray-header-line", outlined{"Consulta", "Joan Garcia|joan@example.org", "cos", "", "", "header"}},
		{"surname-comma", outlined{"Consulta", "Garcia, Joan|joan@example.org", "cos", "", "", ""}},
		{"two-from", outlined{"Dos remitents", "Joan|joan@example.org", "Quin val?", "", "", "header header"}},
		{"unknown-charset", outlined{"Queixa", "Joan Garcia|joan@example.org", "Això no s’entén.", "", "", "charset"}},
		{"unknown-encoding", outlined{"Consulta", "Joan Garcia|joan@example.org", "Text tal com raja", "", "", "encoding"}},
		{"unterminated-nested", outlined{"Consulta", "Joan Garcia|joan@example.org", "Text sense final", "<p>Text sense final</p>", "", "boundary"}},
		{"utf7", outlined{"Consulta", "Joan Garcia|joan@example.org", "Gràcies, 1 + 1", "", "", ""}},
		{"utf8-one-bad-byte", outlined{"Fanal trencat", "Joan Garcia|joan@example.org", "És això: l’àvia visqué 12 € cada mes.", "", "", "charset"}},
		{"utf8-said-latin1", outlined{"Fanal trencat", "Joan Garcia|joan@example.org", "Bon dia, és a la cantonada. Gràcies.", "", "", "charset"}},
		{"uuencode", outlined{"Consulta", "Joan Garcia|joan@example.org", "", "", "hola.txt:application/octet-stream:3", ""}},
		{"windows-1252-quotes", outlined{"Queixa", "Joan Garcia|joan@example.org", "“Preu: 5 €” a l’Hospitalet", "", "", ""}},
		{"winmail-dat", outlined{"Consulta", "Joan Garcia|joan@example.org", "Des de l’Outlook", "", "winmail.dat:application/ms-tnef:4", ""}},
		{"wrong-boundary", outlined{"Consulta", "Joan Garcia|joan@example.org", "Cos trobat", "", "", "boundary"}},
	}
	for _, c := range cases {
		got := outline(Parse(readTestMail(t, c.file)))
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(outlined{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.file, diff)
		}
	}
	files, err := filepath.Glob("testdata/parse/*.eml")
	if err != nil || len(files) != len(cases) {
		t.Errorf("got %d files in testdata/parse (%v), want the %d of the table", len(files), err, len(cases))
	}
}

// readTestMail reads a file of testdata/parse.
func readTestMail(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "parse", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// testMails returns every mail the package has for its tests, by file name.
func testMails(t testing.TB) map[string][]byte {
	t.Helper()
	mails := make(map[string][]byte)
	files, err := filepath.Glob("testdata/*/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files (%v), want some", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		mails[file] = raw
	}
	return mails
}

func TestParseThread(t *testing.T) {
	m := Parse(readTestMail(t, "references-without-brackets"))
	if got, want := m.MessageID, MessageID("refs@example.org"); got != want {
		t.Errorf("got Message-ID %q, want %q", got, want)
	}
	if diff := cmp.Diff([]MessageID{"b@example.cat"}, m.InReplyTo); diff != "" {
		t.Errorf("In-Reply-To (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]MessageID{"a@example.cat", "b@example.cat", "c@example.cat"}, m.References); diff != "" {
		t.Errorf("References (-want +got):\n%s", diff)
	}
	if want := time.Date(2026, 3, 3, 8, 12, 0, 0, time.UTC); !m.Date.Equal(want) {
		t.Errorf("got date %v, want %v", m.Date, want)
	}
}

func TestParseEmbeddedTree(t *testing.T) {
	var got []string
	Parse(readTestMail(t, "embedded-message")).Walk(func(p *Part) bool {
		got = append(got, p.MediaType)
		return true
	})
	want := []string{"multipart/mixed", "text/plain", "message/rfc822", "multipart/mixed", "text/plain", "image/png"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	got = nil
	Parse(readTestMail(t, "embedded-message")).Walk(func(p *Part) bool {
		got = append(got, p.MediaType)
		return p.MediaType != "message/rfc822"
	})
	if diff := cmp.Diff(want[:3], got); diff != "" {
		t.Errorf("tree without what is inside the message (-want +got):\n%s", diff)
	}
}

func TestParseKeepsBytesOfFiles(t *testing.T) {
	attachments := Parse(readTestMail(t, "latin1-attachment-kept")).Attachments()
	if len(attachments) != 1 || !bytes.Contains(attachments[0].Body, []byte("<a>\xe0</a>")) {
		t.Errorf("got %q, want the attachment in the charset its own head names", attachments)
	}
}

// bombs are mails made to be expensive.
func bombs() map[string][]byte {
	const head = "From: a@example.org\r\nSubject: bomb\r\n"
	var depth, unterminated, messages, parts strings.Builder
	depth.WriteString(head)
	unterminated.WriteString(head)
	messages.WriteString(head)
	for i := range 5000 {
		fmt.Fprintf(&depth, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		fmt.Fprintf(&unterminated, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")
		messages.WriteString("Content-Type: message/rfc822\r\n\r\n")
	}
	for i := 4999; i >= 0; i-- {
		fmt.Fprintf(&depth, "--b%d--\r\n", i)
	}
	parts.WriteString(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n")
	for i := range 10000 {
		fmt.Fprintf(&parts, "--b\r\n\r\npart %d\r\n", i)
	}
	return map[string][]byte{
		"depth":              []byte(depth.String()),
		"unterminated":       []byte(unterminated.String()),
		"messages":           []byte(messages.String()),
		"parts":              []byte(parts.String() + "--b--\r\n"),
		"header":             []byte(head + "X-Long: " + strings.Repeat("x", 1<<20) + "\r\nX-Late: 1\r\n\r\nbody\r\n"),
		"folds":              []byte(head + "X-Long:" + strings.Repeat("\r\n x", 1<<18) + "\r\n\r\nbody\r\n"),
		"fields":             []byte(head + strings.Repeat("X: y\r\n", 20000) + "\r\nbody\r\n"),
		"no colons":          []byte(head + strings.Repeat("xx\r\n", 50000)),
		"encoded-words":      []byte(head + "X: " + strings.Repeat("=?a?q?", 40000) + "\r\n\r\nbody\r\n"),
		"addresses":          []byte(head + "To: " + strings.Repeat("<\"(:,", 50000) + ";\r\n\r\nbody\r\n"),
		"comments":           []byte(head + "To: " + strings.Repeat("(", 200000) + "\r\n\r\nbody\r\n"),
		"parameters":         []byte(head + "Content-Type: text/plain" + strings.Repeat("; a\"b", 50000) + "\r\n\r\nbody\r\n"),
		"sections":           []byte(head + "Content-Type: text/plain" + strings.Repeat("; a*0=b", 30000) + "\r\n\r\nbody\r\n"),
		"delimiters in line": []byte(head + "Content-Type: multipart/mixed; boundary=-\r\n\r\n" + strings.Repeat("-", 1<<20)),
		"uuencode":           []byte(head + "Content-Transfer-Encoding: uuencode\r\n\r\nbegin 644 a\n" + strings.Repeat("M\n", 1<<18)),
		"references":         []byte(head + "References: " + strings.Repeat("<", 250000) + "\r\n\r\nbody\r\n"),
	}
}

// checkBounds fails when a message is not within what Parse promises.
func checkBounds(t *testing.T, raw []byte, m *Message) {
	t.Helper()
	parts, fields, held := 0, 0, 0
	var measure func(part *Part, depth int)
	measure = func(part *Part, depth int) {
		parts++
		fields = max(fields, len(part.Header))
		if depth > maxDepth {
			t.Errorf("got a part %d deep, want at most %d", depth, maxDepth)
		}
		if isMultipart(part) && part.Body != nil {
			t.Errorf("got a %s with a body", part.MediaType)
		}
		if len(part.Parts) == 0 {
			held += len(part.Body)
		}
		if strings.HasPrefix(part.MediaType, "text/") && part.Disposition != "attachment" && !utf8.Valid(part.Body) {
			t.Errorf("got a %s that is not UTF-8", part.MediaType)
		}
		for _, f := range part.Header {
			if !utf8.ValidString(f.Value) || strings.ContainsFunc(f.Value, isControl) {
				t.Errorf("got value %q, want UTF-8 on one line", f.Value)
			}
		}
		for _, child := range part.Parts {
			measure(child, depth+1)
		}
	}
	measure(m.Root, 0)
	if parts > maxParts+1 || fields > maxFields || len(m.Faults) > maxFaults {
		t.Errorf("got %d parts, %d fields, %d faults", parts, fields, len(m.Faults))
	}
	if held > 3*len(raw)+3 { // a byte of a legacy charset takes three in UTF-8 at most
		t.Errorf("got %d bytes of bodies from a mail of %d", held, len(raw))
	}
	for _, f := range m.Faults {
		if f.Kind == "panic" || !utf8.ValidString(f.Detail) {
			t.Errorf("got fault %q", f)
		}
	}
	for _, a := range m.Attachments() {
		if a.Filename == "" || strings.ContainsAny(a.Filename, "/\\\r\n\x00") || len(a.Filename) > maxFilename {
			t.Errorf("got attachment %q", a.Filename)
		}
	}
}

func TestParseBounds(t *testing.T) {
	for name, raw := range testMails(t) {
		t.Run(filepath.Base(name), func(t *testing.T) { checkBounds(t, raw, Parse(raw)) })
	}
	for name, raw := range bombs() {
		t.Run(name, func(t *testing.T) { checkBounds(t, raw, Parse(raw)) })
	}
}

func TestParseBombFaults(t *testing.T) {
	all := bombs()
	for name, want := range map[string]string{
		"depth": "depth", "unterminated": "boundary", "messages": "depth", "parts": "parts", "header": "header", "folds": "header", "fields": "header",
	} {
		m := Parse(all[name])
		if m.Subject != "bomb" || !strings.Contains(outline(m).faults, want) {
			t.Errorf("%s: got subject %q and faults %v, want one of kind %s", name, m.Subject, m.Faults, want)
		}
	}
	if plain, _ := Parse(all["header"]).Body(); plain == nil || string(plain.Body) != "body\r\n" {
		t.Errorf("got %v, want the body after a header too long", plain)
	}
	if got := len(Parse(all["parts"]).Root.Parts); got != maxParts-1 {
		t.Errorf("got %d parts of 10,000, want %d", got, maxParts-1)
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range testMails(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		checkBounds(t, raw, m)
		if again := Digest(Parse(raw), raw); again != Digest(m, raw) {
			t.Error("two digests of one mail")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	mails := testMails(b)
	size := 0
	for _, raw := range mails {
		size += len(raw)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, raw := range mails {
			Parse(raw)
		}
	}
}

// The header alone says the same as the whole mail does.
func TestParseHeader(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no mails: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole, header := Parse(raw), ParseHeader(raw)
		if Digest(header, raw) != Digest(whole, raw) {
			t.Errorf("%s: another digest", file)
		}
		whole.Root, whole.Faults, header.Root, header.Faults = nil, nil, nil, nil
		if diff := cmp.Diff(whole, header); diff != "" {
			t.Errorf("%s (-whole +header):\n%s", file, diff)
		}
	}
}
