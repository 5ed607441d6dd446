package config

import (
	"slices"
	"strings"
)

// find1 is the one item that f holds for.
func find1[T any](items []T, f func(*T) bool) (*T, bool) {
	for i := range items {
		if f(&items[i]) {
			return &items[i], true
		}
	}
	return nil, false
}

// Mailbox is the mailbox of that name.
func (c *Config) Mailbox(name string) (*Mailbox, bool) {
	return find1(c.Mailboxes, func(m *Mailbox) bool { return m.Name == name })
}

// MailboxByAddress is the mailbox that mail to addr comes in at: by its address or an alias, whatever
// the case of the letters, with or without a subaddress (RFC 5233).
func (c *Config) MailboxByAddress(addr string) (*Mailbox, bool) {
	if m, ok := find1(c.Mailboxes, func(m *Mailbox) bool { return hasAddress(m.Address, m.Aliases, addr) }); ok {
		return m, true
	}
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return nil, false
	}
	return find1(c.Mailboxes, func(m *Mailbox) bool {
		if m.Subaddress == "" {
			return false
		}
		// A separator may also stand in the address itself, so every one is tried.
		for i := range addr[:at] {
			if i > 0 && strings.HasPrefix(addr[i:at], m.Subaddress) && hasAddress(m.Address, m.Aliases, addr[:i]+addr[at:]) {
				return true
			}
		}
		return false
	})
}

// hasAddress says whether addr is address or one of aliases.
func hasAddress(address string, aliases []string, addr string) bool {
	return addr != "" && (strings.EqualFold(address, addr) ||
		slices.ContainsFunc(aliases, func(a string) bool { return strings.EqualFold(a, addr) }))
}

// Organisation is the organisation of that id.
func (c *Config) Organisation(id string) (*Organisation, bool) {
	return find1(c.Organisations, func(o *Organisation) bool { return o.ID == id })
}

// Circuit is the circuit of that id.
func (c *Config) Circuit(id string) (*Circuit, bool) {
	return find1(c.Circuits, func(x *Circuit) bool { return x.ID == id })
}

// Calendar is the calendar of that name.
func (c *Config) Calendar(name string) (*Calendar, bool) {
	return find1(c.Calendars, func(x *Calendar) bool { return x.Name == name })
}

// Theme is the theme of that path.
func (c *Config) Theme(path string) (*Theme, bool) {
	return find1(c.Themes, func(t *Theme) bool { return t.Path == path })
}

// Agent is the agent of that id.
func (c *Config) Agent(id string) (*Agent, bool) {
	return find1(c.Agents, func(a *Agent) bool { return a.ID == id })
}

// AgentByAddress is the agent who writes from addr, whatever the case of the letters. That a mail says
// it is from addr does not prove that they wrote it.
func (c *Config) AgentByAddress(addr string) (*Agent, bool) {
	return find1(c.Agents, func(a *Agent) bool { return hasAddress(a.Address, a.Aliases, addr) })
}

// Type is the type of that id.
func (c *Config) Type(id string) (*Type, bool) {
	return find1(c.Types, func(t *Type) bool { return t.ID == id })
}

// DefaultType is the type of a mail that no rule gives one.
func (c *Config) DefaultType() (*Type, bool) {
	return find1(c.Types, func(t *Type) bool { return t.Default })
}

// Template is the template for a kind of mail in a language: the organisation's own, or else the one
// for all.
func (c *Config) Template(kind, organisation string, language Language) (*Template, bool) {
	of := func(organisation string) (*Template, bool) {
		return find1(c.Templates, func(t *Template) bool {
			return t.Kind == kind && t.Language == language && t.Organisation == organisation
		})
	}
	if t, ok := of(organisation); ok {
		return t, true
	}
	return of("")
}

// ThemeName is how people read a theme: the names of its levels in l, "Salut › Targeta sanitària".
// A level that is not known is shown by its id.
func (c *Config) ThemeName(path string, l Language) string {
	if path == "" {
		return ""
	}
	var levels []string
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if t, ok := c.Theme(path[:i]); ok {
			levels = append(levels, t.Name.In(l, c.Languages.Default))
		} else {
			levels = append(levels, path[strings.LastIndexByte(path[:i], '/')+1:i])
		}
	}
	return strings.Join(levels, " › ")
}

// In is the text in l, or else in fallback, or else in whatever language there is, the first by its code.
func (t Text) In(l, fallback Language) string {
	if s, ok := t[l]; ok {
		return s
	}
	if s, ok := t[fallback]; ok {
		return s
	}
	best := Language("")
	for code := range t {
		if best == "" || code < best {
			best = code
		}
	}
	return t[best]
}

// ID is the last step of the theme's path.
func (t *Theme) ID() string { return t.Path[strings.LastIndexByte(t.Path, '/')+1:] }
