package main

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/submit"
	"github.com/bustia/bustia/store"
)

// demoStart is when the demo begins: the Thursday before Easter 2026, so that a weekend and two
// holidays lie inside the committed times.
var demoStart = time.Date(2026, 4, 2, 9, 12, 0, 0, demoZone)

var demoZone = mustZone("Europe/Madrid")

func mustZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil { // cannot be: the zones are built in
		panic(err)
	}
	return loc
}

// play is the story, scene by scene.
func (d *demo) play(ctx context.Context) error {
	fmt.Fprintf(d.Out, "bustia demo: a contact mailbox at work. Everything lies in\n%s\n", d.dir)
	for _, scene := range []struct {
		at   time.Time
		what string
		do   func(context.Context) error
	}{
		{demoStart, "citizens write", d.citizensWrite},
		{demoStart.Add(1 * time.Hour), "agents answer from their mail clients", d.agentsAnswer},
		{demoStart.Add(2 * time.Hour), "a citizen writes back", d.citizenWritesBack},
		{demoStart.Add(3 * time.Hour), "the supervisor files what nobody could classify, in one line", d.supervisorFiles},
		{time.Date(2026, 4, 8, 9, 0, 0, 0, demoZone), "after Easter, half the term is used", d.sweep},
		{time.Date(2026, 4, 14, 9, 0, 0, 0, demoZone), "the committed time has passed", d.sweep},
	} {
		d.clock.Set(scene.at)
		d.tell.scene(scene.at, scene.what)
		if err := scene.do(ctx); err != nil {
			return err
		}
		if err := d.settled(ctx); err != nil {
			return err
		}
		if err := d.tell.news(ctx, d.store); err != nil {
			return err
		}
	}
	return nil
}

// citizensWrite puts the sample mails into the mailboxes they are addressed to.
func (d *demo) citizensWrite(context.Context) error {
	names, err := fs.Glob(demoMails, "demo/*.eml")
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := fs.ReadFile(demoMails, name)
		if err != nil {
			return err
		}
		to := mailbox.Refs(mailbox.Parse(raw)).Recipients
		for _, address := range to {
			if box, ok := d.cfg.MailboxByAddress(address); ok {
				if err := d.server.Deliver(box.Address, raw, d.clock.Now()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// citizens are the addresses the sample mails come from.
func citizens() []string {
	var all []string
	names, _ := fs.Glob(demoMails, "demo/*.eml") // the pattern is good
	for _, name := range names {
		if raw, err := fs.ReadFile(demoMails, name); err == nil {
			all = append(all, strings.ToLower(mailbox.Parse(raw).From.Address))
		}
	}
	return all
}

// The cases that the story follows, by the sample mail that opens them.
const (
	healthCard = "ca-question-health-card.eml"
	spanish    = "es-question.eml"
	unclear    = "ca-unclear.eml"
)

// agentsAnswer has two agents reply to their notices, as their mail clients would.
func (d *demo) agentsAnswer(ctx context.Context) error {
	err := d.agentReplies(ctx, healthCard, "ca", `Bon dia,

Podeu demanar el duplicat de la targeta al vostre centre de salut o al web de La Meva Salut. És gratuït i arriba a casa en uns quinze dies; mentrestant us poden visitar amb el DNI.

Cordialment,`)
	if err != nil {
		return err
	}
	return d.agentReplies(ctx, spanish, "es", `Buenos días:

La solicitud se puede presentar hasta el último día del mes. Si ya la tiene presentada no hace falta que haga nada más: recibirá la resolución por correo postal.

Un saludo,`)
}

// citizenWritesBack answers the answer.
func (d *demo) citizenWritesBack(ctx context.Context) error {
	c, err := d.caseOf(ctx, healthCard)
	if err != nil {
		return err
	}
	answer, err := d.lastMail(c.CitizenAddress)
	if err != nil {
		return err
	}
	return d.reply(ctx, answer, mailbox.Address{Name: c.CitizenName, Address: c.CitizenAddress}, "ca",
		"Gràcies per la resposta. Una altra pregunta: el duplicat també el pot recollir el meu fill en nom meu?")
}

// supervisorFiles answers the triage notice with one line.
func (d *demo) supervisorFiles(ctx context.Context) error {
	c, err := d.caseOf(ctx, unclear)
	if err != nil {
		return err
	}
	a, _ := d.cfg.Agent(c.Supervisor)
	notice, err := d.noticeOf(a.Address, c.Reference)
	if err != nil {
		return err
	}
	return d.reply(ctx, notice, mailbox.Address{Name: a.Name, Address: a.Address}, string(a.Language), "tema habitatge/lloguer")
}

// sweep has the daemon look at the deadlines now instead of within the minute.
func (d *demo) sweep(ctx context.Context) error { return d.router.Sweep(ctx, d.clock.Now()) }

// agentReplies answers the notice of the case that a sample mail opened, in the name of its agent.
func (d *demo) agentReplies(ctx context.Context, sample, language, text string) error {
	c, err := d.caseOf(ctx, sample)
	if err != nil {
		return err
	}
	a, ok := d.cfg.Agent(c.Agent)
	if !ok {
		return fmt.Errorf("case %s has no agent", c.Reference)
	}
	notice, err := d.noticeOf(a.Address, c.Reference)
	if err != nil {
		return err
	}
	return d.reply(ctx, notice, mailbox.Address{Name: a.Name, Address: a.Address}, language, text+"\n"+a.Name)
}

// caseOf is the case that a sample mail opened.
func (d *demo) caseOf(ctx context.Context, sample string) (c store.Case, err error) {
	raw, err := demoMail(sample)
	if err != nil {
		return c, err
	}
	id := string(mailbox.Parse(raw).MessageID)
	err = d.store.View(ctx, func(tx *store.Tx) error {
		cases, err := tx.CasesOfMessages([]string{id})
		if err != nil {
			return err
		}
		if len(cases) == 0 {
			return fmt.Errorf("%s opened no case", sample)
		}
		c, err = tx.Case(cases[0])
		return err
	})
	return c, err
}

// lastMail is the newest mail in somebody's mailbox.
func (d *demo) lastMail(address string) (*mailbox.Message, error) {
	mails := d.server.Mails(address)
	if len(mails) == 0 {
		return nil, fmt.Errorf("%s got no mail", address)
	}
	return mailbox.Parse(mails[len(mails)-1].Raw), nil
}

// noticeOf is the newest mail about a case in an agent's mailbox.
func (d *demo) noticeOf(address, reference string) (*mailbox.Message, error) {
	mails := d.server.Mails(address)
	for i := len(mails) - 1; i >= 0; i-- {
		if m := mailbox.Parse(mails[i].Raw); string(mailbox.Refs(m).Case) == reference {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s got no notice of %s", address, reference)
}

// reply writes and submits what a person's mail client makes of "reply": their text, then the mail quoted.
func (d *demo) reply(ctx context.Context, to *mailbox.Message, from mailbox.Address, language, text string) error {
	plain, _ := to.Body()
	quoted := "> " + strings.ReplaceAll(strings.TrimSpace(string(plain.Body)), "\n", "\n> ")
	attribution := map[string]string{
		"ca": "El %[1]s, %[2]s va escriure:", "es": "El %[1]s, %[2]s escribió:", "oc-aranes": "Eth %[1]s, %[2]s escriuec:", "en": "On %[1]s, %[2]s wrote:",
	}[language]
	now := d.clock.Now()
	raw, err := mailbox.Compose(mailbox.Outgoing{
		From: from, To: to.ReplyTo[0], Subject: "Re: " + to.Subject, Date: now,
		MessageID: mailbox.MessageID(fmt.Sprintf("%d.%s", now.UnixNano(), strings.ReplaceAll(from.Address, "@", "@client."))),
		InReplyTo: to.MessageID, References: append(to.References, to.MessageID), Language: language,
		Text: text + "\n\n" + fmt.Sprintf(attribution, now.Format("02/01/2006 15:04"), to.From.Name+" <"+to.From.Address+">") + "\n" + quoted + "\n",
	})
	if err != nil {
		return err
	}
	port, err := portOf(d.server.SMTPAddr())
	if err != nil {
		return err
	}
	client := submit.New(submit.Server{Host: "127.0.0.1", Port: port, TLS: "none", Login: login.Password(from.Address, demoPassword)})
	defer client.Close()
	return client.Send(ctx, submit.Envelope{ReversePath: from.Address, Recipient: to.ReplyTo[0].Address}, raw)
}

// closing prints what it came to and how to go on.
func (d *demo) closing(ctx context.Context, took time.Duration) error {
	sent, err := d.keepSent()
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "\n%s\n\n", d.tell.bold("What it came to"))
	var cases []listedCase
	var ledger []store.MailboxSummary
	err = d.store.View(ctx, func(tx *store.Tx) (err error) {
		if cases, err = listCases(tx, store.CaseFilter{}); err != nil {
			return err
		}
		ledger, err = tx.LedgerSummary()
		return err
	})
	if err != nil {
		return err
	}
	if err := d.tell.cases(cases); err != nil {
		return err
	}
	d.tell.ledger(ledger)
	fmt.Fprintf(d.Out, `%d mails sent in %.1f s, all kept as .eml in
%s

  bustia cases --store %[4]s
  bustia case %[5]s --store %[4]s
  bustia explain FILE.eml        what would be made of a mail, and why
  bustia demo --keep             the same, left running for your own mail client
  bustia demo --write my-config  the sample configuration, to make your own of
  bustia run -c my-config        the daemon
`, len(d.server.Accepted()), took.Seconds(), sent, d.cfg.Store, cases[len(cases)-1].Reference)
	return nil
}
