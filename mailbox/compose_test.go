package mailbox

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// outgoing is a mail that can be composed.
func outgoing() Outgoing {
	return Outgoing{
		From:      Address{"Bústia de contacte", "contacte@example.cat"},
		To:        Address{"Joan Garcia", "joan@example.org"},
		Subject:   "Resposta",
		Date:      time.Date(2026, 3, 3, 9, 12, 0, 0, time.FixedZone("CET", 3600)),
		MessageID: "k1@example.cat",
		Text:      "Bon dia,\n\nhem arreglat el fanal.\n",
	}
}

func TestComposeHeader(t *testing.T) {
	o := outgoing()
	o.ReplyTo = Address{"", "contacte+k1@example.cat"}
	o.InReplyTo = "b@example.org"
	o.References = []MessageID{"a@example.org", "b@example.org"}
	o.AutoSubmitted = "auto-replied"
	o.Language = "ca"
	raw, err := Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"Auto-Submitted: auto-replied",
		"Content-Language: ca",
		"Date: Tue, 03 Mar 2026 09:12:00 +0100",
		"In-Reply-To: <b@example.org>",
		"MIME-Version: 1.0",
		"Message-ID: <k1@example.cat>",
		"References: <a@example.org> <b@example.org>",
		"Subject: Resposta",
		"X-Auto-Response-Suppress: All",
		"From: =?utf-8?q?B=C3=BAstia_de_contacte?= <contacte@example.cat>",
		`To: "Joan Garcia" <joan@example.org>`,
		"Reply-To: <contacte+k1@example.cat>",
		"Content-Transfer-Encoding: quoted-printable",
		"Content-Type: text/plain; charset=UTF-8",
	}, "\r\n")
	got, _, _ := strings.Cut(string(raw), "\r\n\r\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func TestComposeByPerson(t *testing.T) {
	raw, err := Compose(outgoing())
	if err != nil {
		t.Fatal(err)
	}
	h := Parse(raw).Header
	for _, name := range []string{"Auto-Submitted", "X-Auto-Response-Suppress", "User-Agent", "X-Mailer", "References", "Reply-To", "Content-Language"} {
		if h.Has(name) {
			t.Errorf("got a field %s: %q", name, h.Get(name))
		}
	}
}

func TestComposeIsRepeatable(t *testing.T) {
	o := outgoing()
	o.HTML = "<p>boundary=abc</p>"
	o.Attachments = []Attachment{{"a.pdf", "application/pdf", []byte("%PDF")}}
	first, err := Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("two ways to write one mail:\n%s", diff)
	}
}

func TestComposeRefuses(t *testing.T) {
	for _, address := range []string{
		"", "joan", "@example.org", "joan@", "jo an@example.org", "joan@example..org", "joan@exam ple.org", "joan@example.org>",
		"<joan@example.org>", "joan@example.org\r\nBcc: x@example.net", "joan@-\u0000.org", "a@b@example.org", "joan@example.org, anna@example.org",
		strings.Repeat("x", 65) + "@example.org", "joan@" + strings.Repeat("x", 64) + ".org", "joan\xff@example.org",
	} {
		for name, set := range map[string]func(*Outgoing){
			"to":       func(o *Outgoing) { o.To.Address = address },
			"from":     func(o *Outgoing) { o.From.Address = address },
			"reply-to": func(o *Outgoing) { o.ReplyTo.Address = address },
		} {
			o := outgoing()
			if set(&o); name == "reply-to" && address == "" {
				continue
			}
			if raw, err := Compose(o); err == nil || raw != nil {
				t.Errorf("%s %q: got no error", name, address)
			}
		}
	}
	for name, set := range map[string]func(*Outgoing){
		"no date":          func(o *Outgoing) { o.Date = time.Time{} },
		"no id":            func(o *Outgoing) { o.MessageID = "" },
		"id on two lines":  func(o *Outgoing) { o.MessageID = "a@example.org>\r\nBcc: <x@example.net" },
		"id with a space":  func(o *Outgoing) { o.MessageID = "a b@example.org" },
		"id of 8-bit text": func(o *Outgoing) { o.MessageID = "à@example.org" },
	} {
		o := outgoing()
		set(&o)
		if _, err := Compose(o); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestComposeAddresses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"joan@example.org", "joan@example.org"},
		{"joan@ñandú.example.org", "joan@xn--and-6ma2c.example.org"},
		{"joan.@example.org", `"joan."@example.org`},
		{`"joan garcia"@example.org`, `"joan garcia"@example.org`},
		{"joan+queixa@example.org", "joan+queixa@example.org"},
		{"joan@[192.0.2.1]", "joan@[192.0.2.1]"},
	} {
		o := outgoing()
		o.To.Address = c.in
		raw, err := Compose(o)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got := Parse(raw).To; len(got) != 1 || got[0].Address != c.want {
			t.Errorf("%q: got %v, want %q", c.in, got, c.want)
		}
	}
}

func TestComposeNeutralisesLineEnds(t *testing.T) {
	const evil = "x\r\nBcc: victima@example.net\r\n\r\ncos\u2028fals\x00"
	o := outgoing()
	o.From.Name, o.To.Name, o.Subject, o.Language, o.AutoSubmitted = evil, evil, evil, evil, evil
	o.InReplyTo, o.References = evil, []MessageID{evil, "a@example.org"}
	o.Attachments = []Attachment{{evil, evil, []byte("a")}, {"=?utf-8?q?=0A?=\"; x=y", "text/plain; x=\"\r\nX: y\"", nil}}
	raw, err := Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	m := Parse(raw)
	if m.Header.Has("Bcc") || m.Header.Has("X") || len(m.Faults) > 0 {
		t.Errorf("got header %q and faults %v", m.Header, m.Faults)
	}
	if got := len(m.Root.Parts); got != 3 {
		t.Errorf("got %d parts, want 3", got)
	}
	if plain, _ := m.Body(); plain == nil || !strings.Contains(string(plain.Body), "fanal") {
		t.Errorf("got body %v", plain)
	}
}

func TestComposeTrimsReferences(t *testing.T) {
	o := outgoing()
	for i := range 40 {
		o.References = append(o.References, MessageID(string(rune('a'+i%26))+strings.Repeat("x", i)+"@example.org"))
	}
	o.References = append(o.References, o.References[0])
	raw, err := Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	want := append([]MessageID{o.References[1]}, o.References[32:]...)
	if diff := cmp.Diff(want, Parse(raw).References); diff != "" {
		t.Errorf("References (-want +got):\n%s", diff)
	}
}

func TestComposeThenParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOutgoing(t)
		raw, err := Compose(o)
		if err != nil {
			t.Fatal(err)
		}
		checkWireForm(t, raw)
		m := Parse(raw)
		plain, html := m.Body()
		got := Outgoing{
			From: m.From, To: m.To[0], Subject: m.Subject, Date: m.Date, MessageID: m.MessageID, References: m.References,
			AutoSubmitted: m.Header.Get("Auto-Submitted"), Language: m.Header.Get("Content-Language"),
			Text: partText(plain), HTML: partText(html), Attachments: m.Attachments(),
		}
		if len(m.ReplyTo) > 0 {
			got.ReplyTo = m.ReplyTo[0]
		}
		if len(m.InReplyTo) > 0 {
			got.InReplyTo = m.InReplyTo[0]
		}
		if diff := cmp.Diff(o, got); diff != "" {
			t.Fatalf("(-composed +parsed):\n%s\n%s", diff, raw)
		}
		if len(m.Faults) > 0 {
			t.Fatalf("got faults %v\n%s", m.Faults, raw)
		}
		if Digest(m, raw) != Digest(Parse(raw), raw) {
			t.Fatal("two digests of one mail")
		}
	})
}

// partText is the text of a part with line feeds alone, "" for nil.
func partText(p *Part) string {
	if p == nil {
		return ""
	}
	return strings.ReplaceAll(string(p.Body), "\r\n", "\n")
}

// checkWireForm fails unless raw is what SMTP carries without help: ASCII lines of less than 998 bytes
// that end in CRLF, with a header that others read as well.
func checkWireForm(t *rapid.T, raw []byte) {
	for _, line := range bytes.SplitAfter(raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(bytes.TrimSuffix(line, []byte("\r\n")), "\r\n\x00") || !isASCII(line) {
			t.Fatalf("got line %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"From", "To"} {
		if list, err := m.Header.AddressList(name); err != nil || len(list) != 1 {
			t.Fatalf("got %s %q: %v", name, m.Header.Get(name), err)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		t.Fatal(err)
	}
}

// drawOutgoing draws a mail of which nothing has to be changed to compose it.
func drawOutgoing(t *rapid.T) Outgoing {
	address := rapid.Custom(func(t *rapid.T) Address {
		return Address{
			Name:    rapid.OneOf(rapid.Just(""), drawLine(60)).Filter(func(s string) bool { return !strings.Contains(s, `\`) }).Draw(t, "name"),
			Address: rapid.StringMatching(`[a-z0-9]+([.+=_-][a-z0-9]+){0,3}@[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){1,3}`).Draw(t, "address"),
		}
	}).Filter(func(a Address) bool {
		return strings.IndexByte(a.Address, '@') <= 64 && !strings.HasPrefix(a.Address, "mailto")
	})
	id := rapid.Custom(func(t *rapid.T) MessageID {
		return MessageID(rapid.StringMatching(`[A-Za-z0-9.$+=_-]{1,120}@[a-z0-9.-]{1,40}`).Draw(t, "id"))
	})
	o := Outgoing{
		From: address.Draw(t, "from"), To: address.Draw(t, "to"), Subject: drawLine(300).Draw(t, "subject"),
		Date:      time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "date"), 0).In(time.FixedZone("", 60*rapid.IntRange(-720, 720).Draw(t, "zone"))),
		MessageID: id.Draw(t, "id"), References: drawDistinct(t, id),
		AutoSubmitted: rapid.SampledFrom([]string{"", "auto-replied", "auto-generated"}).Draw(t, "auto"),
		Language:      rapid.SampledFrom([]string{"", "ca", "oc-aranes", "es", "en-GB"}).Draw(t, "language"),
		Text:          drawText().Draw(t, "text"),
	}
	if rapid.Bool().Draw(t, "has reply-to") {
		o.ReplyTo = address.Draw(t, "reply-to")
	}
	if rapid.Bool().Draw(t, "has in-reply-to") {
		o.InReplyTo = id.Draw(t, "in-reply-to")
	}
	if rapid.Bool().Draw(t, "has html") {
		o.HTML = "<p>" + drawText().Draw(t, "html") + "</p>"
	}
	for range rapid.IntRange(0, 3).Draw(t, "attachments") {
		o.Attachments = append(o.Attachments, Attachment{
			Filename:  rapid.StringMatching(`[A-Za-zàèéíòúç·'"(),;=%*_ -]{0,60}[A-Za-zç]\.(pdf|txt|eml|x)`).Filter(func(s string) bool { return cleanFilename(oneLine(s)) == s }).Draw(t, "filename"),
			MediaType: rapid.SampledFrom([]string{"application/pdf", "text/plain", "text/html", "application/octet-stream", "image/svg+xml"}).Draw(t, "media type"),
			Body:      rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "body"),
		})
	}
	return o
}

// drawDistinct draws as many Message-IDs as are kept, none twice.
func drawDistinct(t *rapid.T, id *rapid.Generator[MessageID]) []MessageID {
	ids := rapid.SliceOfNDistinct(id, 0, maxReferences, rapid.ID[MessageID]).Draw(t, "references")
	if len(ids) == 0 {
		return nil
	}
	return ids
}

// drawLine draws one line of up to n characters without white space to spare.
func drawLine(n int) *rapid.Generator[string] {
	letters := []rune("abc XYZ 0189 àèéíòúçñ·’«»—€ ß漢字😀 .,;:!?=_()<>[]{}@#%&*+-/\\\"'")
	return rapid.Map(rapid.StringOfN(rapid.SampledFrom(letters), 1, n, -1), oneLine).
		Filter(func(s string) bool { return s != "" && s == strings.Trim(s, `"' ,;\<>`) && !strings.Contains(s, "=?") })
}

// drawText draws a text of some lines that is more than white space and ends in a line feed.
func drawText() *rapid.Generator[string] {
	letters := []rune("abc XYZ =3D .- àèéíòúç·’— 漢😀\t\n\n--From ")
	return rapid.Map(rapid.StringOfN(rapid.SampledFrom(letters), 0, 400, -1), func(s string) string { return "a" + s + "\n" })
}
