//go:build integration

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// TestCircuit is the main job on real servers: citizens, agents and a supervisor have mailboxes in
// Dovecot and submit through Postfix, the daemon reads and submits there too, and its store is
// PostgreSQL. Each part follows from the one before.
func TestCircuit(t *testing.T) {
	c := startCircuit(t)
	t.Run("a citizen writes in Catalan and is answered", c.catalan)
	t.Run("the citizen writes back on the same case", c.writesBack)
	t.Run("a second agent answers in Spanish", c.spanish)
	t.Run("the supervisor files by mail what nobody could classify", c.triage)
	t.Run("everything is accounted for", c.accounted)
	t.Run("it stops in good order", c.stops)
}

const (
	laia  = "laia@example.org"
	jose  = "jose@example.com"
	ramon = "ramon@example.org"
)

// circuit is the daemon among its servers.
type circuit struct {
	*servers
	cfg     *config.Config
	store   *store.Store
	stop    context.CancelFunc
	stopped chan error
	first   store.Case // laia's
}

func startCircuit(t *testing.T) *circuit {
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: sampleEnv})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	users := []string{laia, jose, ramon}
	for _, m := range cfg.Mailboxes {
		users = append(users, m.Address)
	}
	for _, a := range cfg.Agents {
		users = append(users, a.Address)
	}
	s := startServers(t, users)
	for i := range cfg.Mailboxes {
		m := &cfg.Mailboxes[i]
		login := config.Server{Host: s.IMAPHost, TLS: config.StartTLS, CAFile: s.CAFile, Username: m.Address, Password: config.NewSecret(password(m.Address)), Folder: "INBOX"}
		m.IMAP, m.SMTP = login, login
		m.IMAP.Port, m.SMTP.Port = s.IMAPPort, s.SubmissionPort
	}
	cfg.Store = s.PostgresURL
	c := &circuit{servers: s, cfg: cfg, stopped: make(chan error, 1)}
	var err error
	if c.store, err = store.Connect(t.Context(), cfg.Store); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.store.Close() })
	ctx, stop := context.WithCancel(t.Context())
	c.stop = stop
	p := program{Out: t.Output(), Err: t.Output(), Clock: time.Now}
	log, err := p.logger("text")
	if err != nil {
		t.Fatal(err)
	}
	go func() { c.stopped <- daemon{program: p, log: log}.run(ctx, cfg) }()
	t.Cleanup(stop)
	return c
}

// mail waits for a mail to address whose subject contains all of words, and reads it.
func (c *circuit) mail(t *testing.T, address string, words ...string) *mailbox.Message {
	t.Helper()
	raw := c.waitMail(t, address, func(raw []byte) bool {
		subject := mailbox.Parse(raw).Subject
		for _, w := range words {
			if !strings.Contains(subject, w) {
				return false
			}
		}
		return true
	})
	return mailbox.Parse(raw)
}

// caseOf reads the case of a reference, with its open deadline.
func (c *circuit) caseOf(t *testing.T, reference mailbox.Reference) caseDetail {
	t.Helper()
	var d caseDetail
	err := c.store.View(t.Context(), func(tx *store.Tx) (err error) {
		d, err = readCase(tx, string(reference))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (c *circuit) agent(t *testing.T, id string) *config.Agent {
	t.Helper()
	a, ok := c.cfg.Agent(id)
	if !ok {
		t.Fatalf("no agent %q", id)
	}
	return a
}

func plainText(m *mailbox.Message) string {
	plain, _ := m.Body()
	return strings.ReplaceAll(string(plain.Body), "\r\n", "\n")
}

func htmlText(t *testing.T, m *mailbox.Message) string {
	t.Helper()
	_, html := m.Body()
	if html == nil {
		t.Fatalf("%q has no HTML", m.Subject)
	}
	return string(html.Body)
}

func contains(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

func lacks(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(text, w) {
			t.Errorf("%s contains %q:\n%s", what, w, text)
		}
	}
}

// reply submits what a mail client makes of "reply".
func (c *circuit) reply(t *testing.T, client, from string, to *mailbox.Message, text string) {
	t.Helper()
	c.submit(t, from, to.ReplyTo[0].Address, replyMail(t, client, from, to, text))
}

// replyMail is what a mail client makes of "reply" (testdata/reply-*.eml): the writer's text, their
// signature, the mail quoted.
func replyMail(t *testing.T, client, from string, to *mailbox.Message, text string) []byte {
	t.Helper()
	template, err := os.ReadFile("testdata/reply-" + client + ".eml")
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.TrimSpace(plainText(to))
	raw := strings.NewReplacer(
		"{{from}}", from, "{{to}}", to.ReplyTo[0].Address, "{{subject}}", "Re: "+to.Subject, "{{original}}", string(to.MessageID),
		"{{id}}", fmt.Sprintf("%s.%d", client, time.Now().UnixNano()), "{{sender}}", to.From.Address, "{{text}}", text,
		"{{html}}", strings.ReplaceAll(text, "\n", "<br>\n"),
		"{{plain}}", plain, "{{quoted}}", "> "+strings.ReplaceAll(plain, "\n", "\n> "), "{{quotedhtml}}", htmlText(t, to),
	).Replace(string(template))
	return []byte(strings.ReplaceAll(raw, "\n", "\r\n"))
}

func (c *circuit) write(t *testing.T, from, to, subject, text string) {
	t.Helper()
	raw, err := mailbox.Compose(mailbox.Outgoing{
		From: mailbox.Address{Name: "Ciutadà", Address: from}, To: mailbox.Address{Address: to}, Subject: subject,
		Date: time.Now(), MessageID: mailbox.MessageID(fmt.Sprintf("%d@client.example", time.Now().UnixNano())), Text: text,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.submit(t, from, to, raw)
}

func (c *circuit) catalan(t *testing.T) {
	c.write(t, laia, "bustia@example.cat", "Targeta sanitària", "Bon dia,\n\nHe perdut la targeta sanitària. Com en puc demanar un duplicat?\n\nLaia\n")
	ack := c.mail(t, laia, "[B-")
	reference := mailbox.Refs(ack).Case
	d := c.caseOf(t, reference)
	c.first = d.Case
	if d.Language != "ca" || !strings.HasPrefix(d.Theme, "salut/targeta-sanitaria") {
		t.Fatalf("got language %s, theme %s", d.Language, d.Theme)
	}
	zone := d.Due.In(demoZone)
	contains(t, "the acknowledgement", plainText(ack), d.Reference, "Departament de Salut", fmt.Sprintf(" %d d", zone.Day()), zone.Format("de 2006"))
	lacks(t, "the acknowledgement", plainText(ack), "He perdut")
	if got := ack.Header.Get("Auto-Submitted"); got != "auto-replied" {
		t.Errorf("the acknowledgement is Auto-Submitted: %q", got)
	}

	agent := c.agent(t, d.Agent)
	notice := c.mail(t, agent.Address, d.Reference)
	contains(t, "the notice", plainText(notice), "He perdut la targeta sanitària.", d.Reference)
	lacks(t, "the notice's subject", notice.Subject, "Laia", laia)

	c.reply(t, "thunderbird", agent.Address, notice, "Bon dia, Laia:\n\nPodeu demanar el duplicat al vostre CAP.\n\nCordialment,")
	answer := c.mail(t, laia, d.Reference, "Resposta")
	text, html := plainText(answer), htmlText(t, answer)
	for what, body := range map[string]string{"the answer's text": text, "the answer's HTML": html} {
		contains(t, what, body, "Podeu demanar el duplicat al vostre CAP.", "Departament de Salut", "012")
		lacks(t, what, body, mailbox.Marker, "Telèfon intern", "va escriure", "#tema", agent.Address, "+a")
	}
	contains(t, "the answer's HTML", html, `<html lang="ca">`)
	c.mail(t, agent.Address, d.Reference, "Fet") // the receipt
	if d := c.caseOf(t, reference); d.State != store.Answered || d.deadlines[0].State != store.DeadlineMet {
		t.Errorf("got state %s, deadline %s", d.State, d.deadlines[0].State)
	}
}

func (c *circuit) writesBack(t *testing.T) {
	answer := c.mail(t, laia, c.first.Reference, "Resposta")
	c.reply(t, "gmail", laia, answer, "Gràcies. I quant triga a arribar la targeta nova?")
	c.mail(t, laia, c.first.Reference, "Hem afegit")
	agent := c.agent(t, c.first.Agent)
	notice := c.mail(t, agent.Address, c.first.Reference, "ha tornat a escriure")
	contains(t, "the notice", plainText(notice), "quant triga a arribar")
	lacks(t, "the notice", plainText(notice), "va escriure:")
	d := c.caseOf(t, mailbox.Reference(c.first.Reference))
	if d.State != store.Open || d.Due.IsZero() {
		t.Errorf("got state %s, due %s", d.State, d.Due)
	}
}

func (c *circuit) spanish(t *testing.T) {
	c.write(t, jose, "bustia@example.cat", "Ayuda al alquiler", "Buenos días:\n\n¿Hasta cuándo se puede pedir la ayuda al alquiler? Este mes no puedo pagar el alquiler del piso.\n\nUn saludo,\nJosé\n")
	ack := c.mail(t, jose, "[B-")
	d := c.caseOf(t, mailbox.Refs(ack).Case)
	if d.Language != "es" || !strings.HasPrefix(d.Theme, "habitatge/") {
		t.Fatalf("got language %s, theme %s", d.Language, d.Theme)
	}
	if d.Agent == c.first.Agent {
		t.Fatalf("%s has both cases", d.Agent)
	}
	agent := c.agent(t, d.Agent)
	notice := c.mail(t, agent.Address, d.Reference)
	c.reply(t, "outlook", agent.Address, notice, "Buenos días, José:\n\nHasta el último día del mes.\n\nUn saludo,")
	answer := c.mail(t, jose, d.Reference, "Respuesta")
	for what, body := range map[string]string{"the answer's text": plainText(answer), "the answer's HTML": htmlText(t, answer)} {
		contains(t, what, body, "Hasta el último día del mes.")
		lacks(t, what, body, mailbox.Marker, "De: ", "Enviado el", agent.Address)
	}
}

func (c *circuit) triage(t *testing.T) {
	c.write(t, ramon, "bustia@example.cat", "Allò", "Bon dia, encara espero el que em vau dir. Gràcies.\n")
	ack := c.mail(t, ramon, "[B-")
	reference := mailbox.Refs(ack).Case
	d := c.caseOf(t, reference)
	if d.State != store.Unfiled {
		t.Fatalf("got state %s, theme %s", d.State, d.Theme)
	}
	supervisor := c.agent(t, d.Supervisor)
	notice := c.mail(t, supervisor.Address, d.Reference)
	c.reply(t, "gmail", supervisor.Address, notice, "tema habitatge/lloguer")
	c.mail(t, supervisor.Address, d.Reference, "Fet")
	d = c.caseOf(t, reference)
	if d.State != store.Open || d.Theme != "habitatge/lloguer" {
		t.Fatalf("got state %s, theme %s", d.State, d.Theme)
	}
	assigned := c.mail(t, c.agent(t, d.Agent).Address, d.Reference)
	contains(t, "the notice", plainText(assigned), "encara espero el que em vau dir")
}

var messageID = regexp.MustCompile(`(?im)^message-id:`)

func (c *circuit) accounted(t *testing.T) {
	err := c.store.View(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.LedgerSummary()
		for _, r := range rows {
			box, _ := c.cfg.Mailbox(r.Mailbox)
			if n := len(c.mails(t, box.Address)); n != r.Seen || r.Pending != 0 || r.ByDisposition[store.Quarantine] != 0 {
				t.Errorf("%s: %d mails on the server, ledger %+v", r.Mailbox, n, r)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, citizen := range []string{laia, jose, ramon} {
		acknowledgements := 0
		for _, raw := range c.mails(t, citizen) {
			if n := len(messageID.FindAll(headerBytes(raw), -1)); n != 1 {
				t.Errorf("a mail to %s has %d Message-IDs", citizen, n)
			}
			if strings.Contains(mailbox.Parse(raw).Subject, "rebut el vostre") || strings.Contains(mailbox.Parse(raw).Subject, "recibido su") {
				acknowledgements++
			}
		}
		if acknowledgements != 1 {
			t.Errorf("%s got %d acknowledgements", citizen, acknowledgements)
		}
	}
}

func headerBytes(raw []byte) []byte {
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return header
}

func (c *circuit) stops(t *testing.T) {
	c.stop()
	if err := <-c.stopped; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the daemon stopped with %v", err)
	}
}
