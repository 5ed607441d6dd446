package router

import (
	"strings"

	"github.com/bustia/bustia/classifier"
	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// Judge makes judgements on mail under one configuration. It is pure and safe for concurrent use.
type Judge struct {
	cfg        *config.Config
	classifier *classifier.Classifier
	signer     *Signer
	own        mailbox.Own
}

// NewJudge compiles what cfg says.
func NewJudge(cfg *config.Config, signer *Signer) *Judge {
	own := mailbox.Own{Domain: cfg.About.Domain}
	for _, m := range cfg.Mailboxes {
		own.Addresses = append(append(own.Addresses, m.Address), m.Aliases...)
	}
	return &Judge{cfg, classifier.New(cfg), signer, own}
}

// Mail reads one received mail and judges it: parse, text, screen, refs, classify.
func (j *Judge) Mail(r store.Received, box *config.Mailbox) *Mail {
	m := &Mail{Received: r, Message: mailbox.Parse(r.Raw)}
	m.Words = mailbox.Text(m.Message)
	m.Screen = mailbox.Screen(m.Message, j.own)
	m.Bounce = mailbox.Bounce(m.Message)
	m.Refs = mailbox.Refs(m.Message)
	if box.AuthservID != "" {
		m.Auth = mailbox.AuthResults(m.Message, box.AuthservID)
	}
	m.Token = j.token(m.Refs.Recipients)
	m.Class = j.classifier.Classify(classifier.Input{
		Mailbox: box.Name, From: m.Message.From.Address, Recipients: m.Refs.Recipients,
		Subject: mailbox.BaseSubject(m.Message.Subject), Text: m.Words.Text,
	})
	return m
}

// token finds the first recipient that is a signed address of ours.
func (j *Judge) token(recipients []string) *Token {
	for _, to := range recipients {
		box, ok := j.cfg.MailboxByAddress(to)
		if !ok || !strings.Contains(to, box.Subaddress) {
			continue
		}
		if t, ok := j.signer.Verify(to, box.Address, box.Subaddress); ok {
			return &t
		}
	}
	return nil
}
