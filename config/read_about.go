package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Sorts of things that have names.
const (
	aKey           noun = "key"
	aLanguage      noun = "language"
	aType          noun = "type"
	aMailbox       noun = "mailbox"
	anAddress      noun = "address"
	anOrganisation noun = "organisation"
	aCircuit       noun = "circuit"
	aTheme         noun = "theme"
	aSecondTheme   noun = "organisational theme"
	anAgent        noun = "agent"
	aCalendar      noun = "calendar"
	aTemplate      noun = "template"
	aRule          noun = "rule"
	theDefault     noun = "default"
)

// draft is a configuration under way: what needs a second look is not yet in its final form.
type draft struct {
	Config
	themes    []draftTheme
	calendars []draftCalendar
}

// document is the shape of one file. Every key may be left out of it, not out of all of them.
func document() shape[draft] {
	return object(
		once(key("about", "the administration, and who answers for the system", about(), func(d *draft) *About { return &d.About })),
		once(key("store", "sqlite:PATH or postgres://…; default sqlite:bustia.db", storeAddress(), func(d *draft) *string { return &d.Store })),
		once(key("languages", "the languages citizens are answered in", languages(), func(d *draft) *Languages { return &d.Languages })),
		section(key("types", "what a case may ask for", joined(caseType()), func(d *draft) *[]Type { return &d.Types })),
		section(key("mailboxes", "the addresses citizens write to", joined(mailbox()), func(d *draft) *[]Mailbox { return &d.Mailboxes })),
		section(key("organisations", "departments and bodies", joined(organisation()), func(d *draft) *[]Organisation { return &d.Organisations })),
		section(key("circuits", "the agreed protocols by which cases are treated", joined(circuit()), func(d *draft) *[]Circuit { return &d.Circuits })),
		section(key("themes", "the tree of themes, three levels", joined(theme(1)), func(d *draft) *[]draftTheme { return &d.themes })),
		section(key("organisational_themes", "the internal axis, never shown to citizens", joined(organisationalTheme()), func(d *draft) *[]OrganisationalTheme { return &d.OrganisationalThemes })),
		section(key("agents", "the people who treat cases or oversee them", joined(agent()), func(d *draft) *[]Agent { return &d.Agents })),
		section(key("calendars", "which days are working days", joined(calendar()), func(d *draft) *[]draftCalendar { return &d.calendars })),
		section(key("templates", "what is written to citizens and agents", joined(template()), func(d *draft) *[]Template { return &d.Templates })),
		section(key("rules", "what is decided before the trained model is asked, in order", joined(rule()), func(d *draft) *[]Rule { return &d.Rules })),
	)
}

// checkNeeded finds what no file says.
func checkNeeded(first node, d *draft) {
	said := first.r.defined[aKey]
	_, about := said["about"]
	_, languages := said["languages"]
	for _, need := range []struct {
		key   string
		there bool
	}{
		{"about", about},
		{"languages", languages},
		{"types", len(d.Types) > 0},
		{"mailboxes", len(d.Mailboxes) > 0},
		{"organisations", len(d.Organisations) > 0},
		{"circuits", len(d.Circuits) > 0},
		{"themes", len(d.themes) > 0},
		{"agents", len(d.Agents) > 0},
		{"calendars", len(d.calendars) > 0},
		{"templates", len(d.Templates) > 0},
	} {
		at, ok := said[need.key]
		if !ok {
			at = first
			at.path = need.key
		}
		if !need.there {
			at.fault("is missing: no file says any")
		}
	}
	if _, ok := d.DefaultType(); !ok && len(d.Types) > 0 {
		said["types"].fault("one of the types must have default: true")
	}
}

// once is a key that only one file may have.
func once(f field[draft]) field[draft] {
	read := f.read
	f.read = func(n node, into *draft) {
		n.define(aKey, f.name)
		read(n, into)
	}
	return f
}

// section is a key that several files may have; the lists are joined.
func section(f field[draft]) field[draft] {
	read := f.read
	f.read = func(n node, into *draft) {
		if _, ok := n.r.defined[aKey][f.name]; !ok {
			n.define(aKey, f.name)
		}
		read(n, into)
	}
	return f
}

func about() shape[About] {
	return object(
		must("name", "the administration, as citizens know it", translated(), func(a *About) *Text { return &a.Name }),
		must("domain", "right-hand side of the Message-IDs we make", host(), func(a *About) *string { return &a.Domain }),
		must("responsible", "the body that answers for the system (Ley 40/2015 art. 41.2)", line(), func(a *About) *string { return &a.Responsible }),
		must("privacy_url", "the whole data-protection notice (LOPDGDD art. 11)", webAddress(), func(a *About) *string { return &a.PrivacyURL }),
	)
}

func webAddress() shape[string] {
	return scalar(schema{"type": "string", "pattern": "^https?://"}, func(v string) (string, error) {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(v, " \t\r\n") {
			return "", fmt.Errorf("%s is no web address: https://… is needed", quote(v))
		}
		return v, nil
	})
}

// storeAddress never shows the value in a fault: there may be a password in it.
func storeAddress() shape[string] {
	s := scalar(schema{"type": "string", "pattern": "^(sqlite:.|postgres(ql)?://)"}, func(v string) (string, error) {
		path, sqlite := strings.CutPrefix(v, "sqlite:")
		if sqlite && path != "" {
			return v, nil
		}
		if u, err := url.Parse(v); err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return "", errors.New("is neither sqlite:PATH nor postgres://user@host/database")
		}
		return v, nil
	})
	return s.then(func(n node, v *string) {
		u, err := url.Parse(*v)
		if err != nil || u.User == nil {
			return
		}
		if _, said := u.User.Password(); said {
			n.warn("a password does not belong in the configuration: leave it out here and set PGPASSWORD or PGPASSFILE")
		}
	})
}

func languages() shape[Languages] {
	return object(
		must("default", "the language when nothing else says one", ref[Language](aLanguage), func(l *Languages) *Language { return &l.Default }),
		must("offered", "every language citizens are answered in", some(define(aLanguage, languageCode()).later(checkTemplatesIn(Citizens))), func(l *Languages) *[]Language { return &l.Offered }),
	)
}

func caseType() shape[Type] {
	return object(
		must("id", "how rules and terms name it", id(aType), func(t *Type) *string { return &t.ID }),
		must("name", "as citizens read it", translated(), func(t *Type) *Text { return &t.Name }),
		key("default", "true for the type of a mail that no rule gives one", truth(), func(t *Type) *bool { return &t.Default }),
	).then(func(n node, t *Type) {
		if !t.Default {
			return
		}
		if other, double := n.r.defined[theDefault]["type"]; double {
			n.fault("only one type may have default: true, and the one at %s:%d:%d has it", other.file, other.line, other.col)
			return
		}
		n.define(theDefault, "type")
	})
}
