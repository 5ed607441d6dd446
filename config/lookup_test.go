package config

import "testing"

func TestLookups(t *testing.T) {
	c := loadValid(t)
	check := func(what, got string, found bool, want string) {
		t.Helper()
		if got != want || found != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", what, got, found, want)
		}
	}
	name := func(m *Mailbox, ok bool) (string, bool) {
		if !ok {
			return "", false
		}
		return m.Name, true
	}
	byAddress := func(addr, want string) {
		t.Helper()
		got, ok := name(c.MailboxByAddress(addr))
		check(addr, got, ok, want)
	}
	byAddress("bustia@example.cat", "corporate")
	byAddress("Bustia@Example.CAT", "corporate")
	byAddress("contacte@example.cat", "corporate")
	byAddress("bustia-c1a-xyz@example.cat", "corporate") // its separator is "-"
	byAddress("contacte-c1a@example.cat", "corporate")
	byAddress("bustia+c1a@example.cat", "")
	byAddress("salut+c1a-xyz@example.cat", "salut")
	byAddress("SALUT+c1a@example.cat", "salut")
	byAddress("salut-c1a@example.cat", "")
	byAddress("salut@example.org", "")
	byAddress("salut+x", "")
	byAddress("+x@example.cat", "")
	byAddress("@example.cat", "")
	byAddress("", "")

	agent := func(addr, want string) {
		t.Helper()
		a, ok := c.AgentByAddress(addr)
		if !ok {
			a = &Agent{}
		}
		check(addr, a.ID, ok, want)
	}
	agent("marta.soler@EXAMPLE.cat", "marta")
	agent("msoler@example.cat", "marta")
	agent("marta.soler+x@example.cat", "") // what a stranger may write is not an agent's address
	agent("", "")

	if got, ok := c.Mailbox("salut"); !ok || got != &c.Mailboxes[1] {
		t.Errorf("mailbox salut: got %v, %t", got, ok)
	}
	if got, ok := c.Organisation("salut"); !ok || got != &c.Organisations[0] {
		t.Errorf("organisation salut: got %v, %t", got, ok)
	}
	if got, ok := c.Circuit("general"); !ok || got != &c.Circuits[0] {
		t.Errorf("circuit general: got %v, %t", got, ok)
	}
	if got, ok := c.Calendar("catalunya"); !ok || got != &c.Calendars[1] {
		t.Errorf("calendar catalunya: got %v, %t", got, ok)
	}
	if got, ok := c.Theme("salut/tsi"); !ok || got != &c.Themes[1] || got.ID() != "tsi" || c.Themes[0].ID() != "salut" {
		t.Errorf("theme salut/tsi: got %v, %t", got, ok)
	}
	if got, ok := c.Agent("marta"); !ok || got != &c.Agents[1] {
		t.Errorf("agent marta: got %v, %t", got, ok)
	}
	if got, ok := c.Type("queixa"); !ok || got != &c.Types[1] {
		t.Errorf("type queixa: got %v, %t", got, ok)
	}
	if got, ok := c.DefaultType(); !ok || got.ID != "consulta" {
		t.Errorf("default type: got %v, %t", got, ok)
	}
	for what, found := range map[string]bool{
		"mailbox": is(c.Mailbox("")), "organisation": is(c.Organisation("tsi")), "circuit": is(c.Circuit("")), "calendar": is(c.Calendar("x")),
		"theme": is(c.Theme("tsi")), "agent": is(c.Agent("")), "type": is(c.Type("")),
	} {
		if found {
			t.Errorf("found a %s that is not there", what)
		}
	}
}

func is[T any](_ *T, ok bool) bool { return ok }

func TestTemplateLookup(t *testing.T) {
	c := loadValid(t)
	check := func(kind, organisation string, l Language, wantSubject string) {
		t.Helper()
		got, ok := c.Template(kind, organisation, l)
		if !ok {
			got = &Template{}
		}
		if got.Subject != wantSubject {
			t.Errorf("%s of %q in %s: got %q, want %q", kind, organisation, l, got.Subject, wantSubject)
		}
	}
	const general = "[{{.Reference}}] {{.Subject}}"
	check(Answer, "salut", "ca", "[{{.Reference}}] Salut")
	check(Answer, "", "ca", general)
	check(Answer, "justicia", "ca", general)
	check(Answer, "salut", "en", general)
	check(Reminder, "salut", "ca", general)
	check(Reminder, "salut", "en", "")
	check(Answer, "salut", "fr", "")
}

func TestThemeName(t *testing.T) {
	c := loadValid(t)
	check := func(path string, l Language, want string) {
		t.Helper()
		if got := c.ThemeName(path, l); got != want {
			t.Errorf("%q in %s: got %q, want %q", path, l, got, want)
		}
	}
	check("salut/tsi/perdua", "ca", "Salut › Targeta sanitària › Pèrdua")
	check("salut/tsi", "en", "Health › Health card")
	check("salut", "fr", "Salut") // the default language's
	check("salut/gone", "en", "Health › gone")
	check("", "en", "")
}

func TestTextIn(t *testing.T) {
	check := func(text Text, l, fallback Language, want string) {
		t.Helper()
		if got := text.In(l, fallback); got != want {
			t.Errorf("%v in %s or %s: got %q, want %q", text, l, fallback, got, want)
		}
	}
	text := Text{"ca": "hola", "en": "hello", "es": "buenas"}
	check(text, "en", "ca", "hello")
	check(text, "fr", "es", "buenas")
	check(text, "fr", "it", "hola")
	check(nil, "ca", "es", "")
}
