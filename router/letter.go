package router

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// writer turns the letters of a plan into mails, bytes and all, before any connection is opened.
type writer struct {
	cfg       *config.Config
	templates map[*config.Template]*config.Compiled
	signer    *Signer
	newID     func() string // a string never given before, for Message-IDs
}

func newWriter(cfg *config.Config, signer *Signer, newID func() string) (writer, error) {
	w := writer{cfg, map[*config.Template]*config.Compiled{}, signer, newID}
	for i := range cfg.Templates {
		t := &cfg.Templates[i]
		compiled, err := t.Compile()
		if err != nil {
			return w, fmt.Errorf("template %s in %s: %w", t.Kind, t.Language, err)
		}
		w.templates[t] = compiled
	}
	return w, nil
}

// dossier is the case a letter is about, as it stands after the plan.
type dossier struct {
	Case     *store.Case
	Mailbox  *config.Mailbox
	Calendar *config.Calendar
	Due      time.Time   // of the open deadline; zero = none
	Term     config.Term // of it, when it is known
	Validity time.Time   // of reply addresses
	Now      time.Time
}

// write renders one letter and composes the mail. assignment is the one its reply address is signed for.
func (w writer) write(l Letter, d dossier, assignment store.AssignmentID) (store.Outgoing, error) {
	t, ok := w.cfg.Template(l.Kind, d.Case.Organisation, l.Language)
	if !ok {
		return store.Outgoing{}, fmt.Errorf("no template %s in %s", l.Kind, l.Language)
	}
	subject, body, err := w.templates[t].Render(w.values(l, d))
	if err != nil {
		return store.Outgoing{}, err
	}
	out := mailbox.Outgoing{
		From:    mailbox.Address{Name: w.sender(l, d), Address: d.Mailbox.Address},
		To:      l.To,
		ReplyTo: mailbox.Address{Address: w.replyTo(l, d, assignment)},
		Subject: subject, Date: d.Now.In(d.Calendar.Zone),
		MessageID: mailbox.MessageID(fmt.Sprintf("%s.%s@%s", strings.ToLower(d.Case.Reference), w.newID(), w.cfg.About.Domain)),
		InReplyTo: l.InReplyTo, References: l.References, AutoSubmitted: l.Automatic,
		Language: string(l.Language), Attachments: l.Attachments,
	}
	if l.Agent != "" { // one thread a case in the agent's mail client
		out.References = append(append([]mailbox.MessageID(nil), l.References...), mailbox.MessageID(fmt.Sprintf("%s.notices@%s", strings.ToLower(d.Case.Reference), w.cfg.About.Domain)))
	}
	if out.Text, out.HTML, err = w.twins(l, d, subject, body); err != nil {
		return store.Outgoing{}, err
	}
	raw, err := mailbox.Compose(out)
	if err != nil {
		return store.Outgoing{}, fmt.Errorf("compose %s: %w", l.Kind, err)
	}
	o := store.Outgoing{
		CaseID: d.Case.ID, Kind: l.Kind, MessageID: string(out.MessageID), Mailbox: d.Mailbox.Name,
		ReversePath: d.Mailbox.Address, Recipient: l.To.Address, Agent: l.Agent, Subject: subject,
		Raw: raw, State: store.Queued, CreatedAt: d.Now,
	}
	if l.Hold {
		o.State = store.OnHold
	}
	return o, nil
}

// twins are the text and the HTML of a mail: the same body, in the frame of the organisation for
// citizens, under the line to write above for agents.
func (w writer) twins(l Letter, d dossier, subject, body string) (text, html string, err error) {
	p := page{Language: string(l.Language), Title: subject, Body: bodyHTML(body)}
	if l.Agent != "" {
		p.Marker = mailbox.MarkerLine(Phrase{"marker", nil}.In(w.cfg, l.Language))
		text = p.Marker + "\n\n" + bodyText(body)
	} else {
		header, footer := w.frame(d, l.Language)
		p.Header, p.Footer = template.HTML(header), template.HTML(footer)
		text = joinBlocks(textOf(header), bodyText(body), textOf(footer))
	}
	html, err = p.html()
	return text, html, err
}

// frame is the header and footer of the case's organisation in language l.
func (w writer) frame(d dossier, l config.Language) (header, footer string) {
	o, ok := w.cfg.Organisation(d.Case.Organisation)
	if !ok {
		o, ok = w.cfg.Organisation(d.Mailbox.Organisation)
	}
	if !ok {
		return "", ""
	}
	return o.Header.In(l, w.cfg.Languages.Default), o.Footer.In(l, w.cfg.Languages.Default)
}

// textOf is the text twin of the admin's HTML.
func textOf(html string) string {
	text, _ := mailbox.HTMLText([]byte(html))
	return text
}

func joinBlocks(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, "\n\n") + "\n"
}

// sender is the display name a mail comes from.
func (w writer) sender(l Letter, d dossier) string {
	if o, ok := w.cfg.Organisation(d.Case.Organisation); ok {
		return o.Name.In(l.Language, w.cfg.Languages.Default)
	}
	return w.cfg.About.Name.In(l.Language, w.cfg.Languages.Default)
}

// replyTo is the signed address for a reply to the letter.
func (w writer) replyTo(l Letter, d dossier, assignment store.AssignmentID) string {
	t := Token{Purpose: l.Purpose, ID: int64(assignment), Expires: d.Validity}
	if l.Purpose == ForCitizen {
		t.ID = int64(d.Case.ID)
	}
	return w.signer.Address(d.Mailbox.Address, d.Mailbox.Subaddress, t)
}

// values is everything the template may say, in the reader's language.
func (w writer) values(l Letter, d dossier) config.Letter {
	c, fallback := d.Case, w.cfg.Languages.Default
	v := config.Letter{
		Administration: w.cfg.About.Name.In(l.Language, fallback),
		Organisation:   w.sender(l, d),
		Mailbox:        d.Mailbox.Address,
		Reference:      c.Reference,
		Subject:        c.Subject,
		Citizen:        c.CitizenName,
		Language:       languageName(config.Language(c.Language), l.Language),
		Theme:          w.theme(l, c.Theme),
		Received:       longTime(c.ReceivedAt.In(d.Calendar.Zone), l.Language),
		Answer:         l.Answer,
		Words:          l.Words,
		Candidates:     l.Candidates,
		TooLarge:       l.TooLarge,
		PrivacyURL:     w.cfg.About.PrivacyURL,
	}
	if t, ok := w.cfg.Type(c.Type); ok {
		v.Type = t.Name.In(l.Language, fallback)
	}
	if a, ok := w.cfg.Agent(c.Agent); ok {
		v.Agent, v.Signature = a.Name, a.Signature
	}
	if !d.Due.IsZero() {
		v.Due = longDate(d.Due.In(d.Calendar.Zone), l.Language)
		v.Term = termWords(d.Term, l.Language)
		v.DaysLeft = strconv.Itoa(DaysLeft(d.Now, d.Due, d.Calendar))
	}
	if l.Agent != "" {
		v.CitizenAddress, v.ThemePath = c.CitizenAddress, c.Theme
	}
	reasons := make([]string, len(l.Reason))
	for i, r := range l.Reason {
		reasons[i] = r.In(w.cfg, l.Language)
	}
	v.Reason = strings.Join(reasons, "\n")
	return v
}

// theme is the theme's name as the reader may know it: a citizen sees only the visible levels.
func (w writer) theme(l Letter, path string) string {
	for l.Agent == "" && path != "" {
		if t, ok := w.cfg.Theme(path); ok && t.Visible {
			break
		}
		path = parentTheme(path)
	}
	if path == "" {
		return ""
	}
	return w.cfg.ThemeName(path, l.Language)
}
