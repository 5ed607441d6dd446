//go:build integration && bench

package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bustia/bustia/config"
)

// corpus makes citizens' mails to one address: the same ones for the same seed.
type corpus struct {
	seed    uint64
	to      string
	newest  time.Time
	replies float64 // share of mails that go on from an earlier one
	words   map[config.Language][]string
	noise   []byte // base64 lines, for attachments
	mails   []planned
}

// planned is what a mail will be, before it is written.
type planned struct {
	kind     mailKind
	language config.Language
	citizen  int // every citizen writes one mail of their own, and perhaps goes on from it
	first    int // the mail it goes on from; itself when from none
}

type mailKind int

const (
	plainMail mailKind = iota // 1–4 KB of text
	htmlMail                  // 8–30 KB, text and HTML
	fileMail                  // a file of 50–300 KB
	largeMail                 // a file of 2 MB
)

// kindShares are how many of a hundred mails are of each kind.
var kindShares = map[mailKind]int{plainMail: 60, htmlMail: 30, fileMail: 8, largeMail: 2}

// languageShares are how many of a hundred citizens write in each language.
var languageShares = []struct {
	language config.Language
	percent  int
}{{"ca", 55}, {"es", 35}, {"en", 6}, {"oc-aranes", 4}}

// mostReplies is how often a citizen goes on at most: more mails within an hour would be a burst, and
// acknowledgements would be withheld.
const mostReplies = 4

// newCorpus plans n mails on the themes of the sample configuration.
func newCorpus(t *testing.T, seed uint64, n int, replies float64, to string) *corpus {
	t.Helper()
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: sampleEnv})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	c := &corpus{seed: seed, to: to, newest: time.Now(), replies: replies, words: map[config.Language][]string{}}
	for _, theme := range cfg.Themes {
		for language, keywords := range theme.Keywords {
			for _, k := range keywords {
				if theme.Level > 1 && !strings.ContainsAny(k.Words, "*") {
					c.words[language] = append(c.words[language], k.Words)
				}
			}
		}
	}
	for _, words := range c.words {
		slices.Sort(words) // the keywords come from a map
	}
	r := c.chance(-1)
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	c.noise = folded(noise)
	c.plan(r, n)
	return c
}

// chance is the luck of one mail, whichever order they are written in.
func (c *corpus) chance(mail int) *rand.Rand { return rand.New(rand.NewPCG(c.seed, uint64(mail+1))) }

func (c *corpus) plan(r *rand.Rand, n int) {
	written := map[int]int{} // by first mail
	for i := range n {
		p := planned{kind: pick(r, kindShares), citizen: i, first: i}
		at := r.IntN(100)
		for _, share := range languageShares {
			if at -= share.percent; at < 0 {
				p.language = share.language
				break
			}
		}
		if i > 20 && r.Float64() < c.replies {
			if earlier := c.mails[r.IntN(i-10)].first; written[earlier] < mostReplies {
				written[earlier]++
				p.first, p.citizen, p.language = earlier, c.mails[earlier].citizen, c.mails[earlier].language
			}
		}
		c.mails = append(c.mails, p)
	}
}

func pick(r *rand.Rand, shares map[mailKind]int) mailKind {
	at := r.IntN(100)
	for kind := plainMail; kind < largeMail; kind++ {
		if at -= shares[kind]; at < 0 {
			return kind
		}
	}
	return largeMail
}

// citizen is the name and the address of who writes.
func (c *corpus) citizen(n int) (name, address string) {
	r := rand.New(rand.NewPCG(c.seed+1, uint64(n)))
	given, family := givenNames[r.IntN(len(givenNames))], familyNames[r.IntN(len(familyNames))]
	return given + " " + family, fmt.Sprintf("citizen%06d@example.org", n)
}

func (c *corpus) messageID(mail int) string {
	return fmt.Sprintf("<%d.%d.%x@client.example.org>", c.seed, mail, c.chance(mail).Uint64())
}

// write is mail i, with bare newlines, as Dovecot keeps it in a Maildir.
func (c *corpus) write(i int) []byte {
	p, r := c.mails[i], c.chance(i)
	name, address := c.citizen(p.citizen)
	subject := c.subject(p.first)
	date := c.newest.Add(-time.Duration(len(c.mails)-i) * 100 * time.Millisecond)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\n", address)
	for hop := range 2 + r.IntN(3) {
		fmt.Fprintf(&b, "Received: from mx%d.example.org (mx%d.example.org [192.0.2.%d])\n\tby in%d.example.cat (Postfix) with ESMTPS id %010X\n\tfor <%s>; %s\n",
			hop, hop, 1+r.IntN(250), hop, r.Uint64()>>24, c.to, date.Format(time.RFC1123Z))
	}
	fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1;\n\th=from:to:subject:date:message-id;\n\tbh=%s;\n\tb=%s\n", c.letters(r, 44), c.letters(r, 340))
	fmt.Fprintf(&b, "Authentication-Results: in.example.cat; dkim=pass header.d=example.org; spf=pass\n")
	fmt.Fprintf(&b, "From: %s <%s>\nTo: %s <%s>\nSubject: %s\nDate: %s\nMessage-ID: %s\n", mime.QEncoding.Encode("utf-8", name), address,
		mime.QEncoding.Encode("utf-8", "Atenció Ciutadana"), c.to, mime.QEncoding.Encode("utf-8", subject), date.Format(time.RFC1123Z), c.messageID(i))
	if p.first != i {
		fmt.Fprintf(&b, "In-Reply-To: %[1]s\nReferences: %[1]s\n", c.messageID(p.first))
	}
	fmt.Fprintf(&b, "User-Agent: %s\nMIME-Version: 1.0\n", clients[r.IntN(len(clients))])
	c.body(&b, r, i)
	return b.Bytes()
}

func (c *corpus) subject(first int) string {
	p, r := c.mails[first], c.chance(first)
	r.Uint64()
	subject := phrases[p.language].subjects[r.IntN(len(phrases[p.language].subjects))]
	return strings.ReplaceAll(subject, "{theme}", c.theme(p.language, first))
}

// theme is what a thread is about.
func (c *corpus) theme(language config.Language, first int) string {
	words := c.words[language]
	return words[rand.New(rand.NewPCG(c.seed+2, uint64(first))).IntN(len(words))]
}

// letters are n that no text holds: a signature, say.
func (c *corpus) letters(r *rand.Rand, n int) string {
	const line = 77
	at := r.IntN(len(c.noise)/line-10) * line
	return strings.ReplaceAll(string(c.noise[at:at+n]), "\n", "")
}

func (c *corpus) body(b *bytes.Buffer, r *rand.Rand, i int) {
	boundary := fmt.Sprintf("=_%d_%x", i, r.Uint64())
	switch p := c.mails[i]; p.kind {
	case plainMail:
		text := c.text(r, i, 300+r.IntN(2200))
		if r.IntN(100) < 60 {
			fmt.Fprintf(b, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s", text)
		} else {
			fmt.Fprintf(b, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s", quoted(text))
		}
	case htmlMail:
		fmt.Fprintf(b, "Content-Type: multipart/alternative; boundary=\"%s\"\n\n", boundary)
		c.alternative(b, r, i, boundary, 7000+r.IntN(20000))
	default:
		size := 2 << 20
		if p.kind == fileMail {
			size = 50<<10 + r.IntN(250<<10)
		}
		const line = 77
		lines := size / line
		at := r.IntN(len(c.noise)/line-lines) * line
		fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=\"%s\"\n\n--%s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s\n",
			boundary, boundary, quoted(c.text(r, i, 600+r.IntN(1500))))
		fmt.Fprintf(b, "--%s\nContent-Type: application/pdf; name=\"document.pdf\"\nContent-Disposition: attachment; filename=\"document.pdf\"\nContent-Transfer-Encoding: base64\n\n", boundary)
		fmt.Fprintf(b, "%s--%s--\n", c.noise[at:at+lines*line], boundary)
	}
}

// alternative is a text and the same in the HTML that mail clients write, size bytes together.
func (c *corpus) alternative(b *bytes.Buffer, r *rand.Rand, i int, boundary string, size int) {
	text := c.text(r, i, size/8)
	var html strings.Builder
	html.WriteString("<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"><style>\n")
	for n := 0; html.Len() < size/3; n++ {
		fmt.Fprintf(&html, "p.MsoNormal%d, li.MsoNormal%d {margin:0cm; font-size:%d.0pt; font-family:\"Calibri\",sans-serif}\n", n, n, 8+r.IntN(6))
	}
	html.WriteString("</style></head><body lang=\"CA\" link=\"#0563C1\"><div class=\"WordSection1\">\n")
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		fmt.Fprintf(&html, "<p class=\"MsoNormal\" style=\"margin-bottom:6.0pt\"><span style='font-size:11.0pt;color:black'>%s</span></p>\n", strings.ReplaceAll(paragraph, "\n", " "))
	}
	for html.Len() < size*6/10 {
		fmt.Fprintf(&html, "<p class=\"MsoNormal\"><span style='mso-fareast-language:EN-US'>&nbsp;</span><o:p></o:p></p>\n")
	}
	html.WriteString("</div></body></html>\n")
	fmt.Fprintf(b, "--%s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s\n", boundary, quoted(text))
	fmt.Fprintf(b, "--%s\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s\n--%s--\n", boundary, quoted(html.String()), boundary)
}

// text is what the citizen writes, size bytes or a little more; a reply quotes the mail it goes on from.
func (c *corpus) text(r *rand.Rand, i, size int) string {
	p := c.mails[i]
	words := phrases[p.language]
	name, address := c.citizen(p.citizen)
	var b strings.Builder
	b.WriteString(words.greetings[r.IntN(len(words.greetings))] + "\n\n")
	for n := 0; b.Len() < size; n++ {
		sentence := words.sentences[r.IntN(len(words.sentences))]
		if n%4 == 0 {
			sentence = words.about[r.IntN(len(words.about))]
		}
		b.WriteString(strings.NewReplacer("{theme}", c.theme(p.language, p.first), "{number}", fmt.Sprint(10000+r.IntN(90000)), "{day}", fmt.Sprint(1+r.IntN(28))).Replace(sentence))
		if n%4 == 3 {
			b.WriteString("\n\n")
		} else {
			b.WriteByte(' ')
		}
	}
	fmt.Fprintf(&b, "\n\n%s\n%s\n", words.closings[r.IntN(len(words.closings))], name)
	if p.first != i {
		fmt.Fprintf(&b, "\n"+words.wrote+"\n", name, address)
		for n := range 6 {
			b.WriteString("> " + words.sentences[n%len(words.sentences)] + "\n")
		}
	}
	return wrapped(b.String())
}

// wrapped breaks lines before column 76.
func wrapped(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		column := 0
		for word := range strings.FieldsSeq(line) {
			if column > 0 && column+len(word) > 75 {
				b.WriteByte('\n')
				column = 0
			} else if column > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(word)
			column += len(word) + 1
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func quoted(s string) string {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

// folded is data in base64, in lines of 76.
func folded(data []byte) []byte {
	encoded := base64.StdEncoding.EncodeToString(data)
	var b bytes.Buffer
	for ; len(encoded) > 76; encoded = encoded[76:] {
		b.WriteString(encoded[:76] + "\n")
	}
	return b.Bytes() // without the last, shorter line
}

// store writes every mail into dir, under the names Dovecot gives: their order is that of the UIDs.
func (c *corpus) store(dir string) (total int64, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for i := range c.mails {
		raw := c.write(i)
		onWire := len(raw) + bytes.Count(raw, []byte("\n"))
		name := fmt.Sprintf("%d.M%06dP1.bench,S=%d,W=%d", c.newest.Unix()-int64(len(c.mails))+int64(i), i%1e6, len(raw), onWire)
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			return 0, err
		}
		if err := chown(file, mailOwner); err != nil {
			return 0, err
		}
		total += int64(onWire)
	}
	return total, nil
}
