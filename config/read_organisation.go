package config

import "slices"

func organisation() shape[Organisation] {
	return object(
		must("id", "how others name it", id(anOrganisation), func(o *Organisation) *string { return &o.ID }),
		must("name", "as citizens read it", translated(), func(o *Organisation) *Text { return &o.Name }),
		must("supervisors", "agents who are told what went wrong, the first one first", some(ref[string](anAgent)), func(o *Organisation) *[]string { return &o.Supervisors }),
		key("header", "HTML above every mail to citizens", texts(), func(o *Organisation) *Text { return &o.Header }),
		key("footer", "HTML below every mail to citizens", texts(), func(o *Organisation) *Text { return &o.Footer }),
	)
}

const defaultReplyDays = 120

func circuit() shape[Circuit] {
	return object(
		must("id", "how mailboxes name it", id(aCircuit), func(c *Circuit) *string { return &c.ID }),
		must("calendar", "whose working days count", ref[string](aCalendar), func(c *Circuit) *string { return &c.Calendar }),
		key("nonworking_arrival", "as_received (the first day is the first working day after) or next_working_day (the one after that); default as_received", oneOf(AsReceived, NextWorkingDay), func(c *Circuit) *string { return &c.NonworkingArrival }),
		key("terms", "committed time to the first answer, by type; none for a type not said", dict(ref[string](aType), term()), func(c *Circuit) *map[string]Term { return &c.Terms }),
		key("remind", "shares of the term at which the agent is reminded; default 50%, 80%", list(share()).then(ascending), func(c *Circuit) *[]float64 { return &c.Remind }),
		key("reopen", "how long after the answer a follow-up reopens the case; later it opens a linked one", term(), func(c *Circuit) *Term { return &c.Reopen }),
		key("reply_days", "how many days the reply address of an assignment stays valid; default 120", whole(1, maxDays), func(c *Circuit) *int { return &c.ReplyDays }),
	).first(func(c *Circuit) {
		c.NonworkingArrival, c.Remind, c.ReplyDays = AsReceived, []float64{0.5, 0.8}, defaultReplyDays
	})
}

func ascending(n node, shares *[]float64) {
	for i := 1; i < len(*shares); i++ {
		if (*shares)[i] <= (*shares)[i-1] && (*shares)[i] > 0 {
			n.fault("the shares must grow: 50%%, 80%%")
			return
		}
	}
}

func agent() shape[Agent] {
	return object(
		must("id", "how others name them", id(anAgent), func(a *Agent) *string { return &a.ID }),
		must("name", "of the person, for colleagues", line(), func(a *Agent) *string { return &a.Name }),
		key("signature", "what citizens read under an answer; default the name", text(), func(a *Agent) *string { return &a.Signature }),
		must("address", "they write from", address(), func(a *Agent) *string { return &a.Address }),
		key("aliases", "further addresses they write from", list(address()), func(a *Agent) *[]string { return &a.Aliases }),
		must("organisation", "they belong to", ref[string](anOrganisation), func(a *Agent) *string { return &a.Organisation }),
		key("language", "of their notices; default languages.default", ref[Language](aLanguage), func(a *Agent) *Language { return &a.Language }),
		key("languages", "they answer in; default all that are offered", some(ref[Language](aLanguage)), func(a *Agent) *[]Language { return &a.Languages }),
		key("themes", "paths they treat, each with everything below it", list(ref[string](aTheme)), func(a *Agent) *[]string { return &a.Themes }),
	).then(func(_ node, a *Agent) {
		if a.Signature == "" {
			a.Signature = a.Name
		}
	}).later(func(n node, a Agent, c *Config) {
		l := a.Language
		if l == "" {
			l = c.Languages.Default
		}
		checkTemplatesIn(Agents)(n, l, c)
	})
}

// fillLanguages gives mailboxes and agents the languages that the whole configuration says.
func fillLanguages(c *Config) {
	for i := range c.Mailboxes {
		if m := &c.Mailboxes[i]; m.Language == "" {
			m.Language = c.Languages.Default
		}
	}
	for i := range c.Agents {
		a := &c.Agents[i]
		if a.Language == "" {
			a.Language = c.Languages.Default
		}
		if a.Languages == nil {
			a.Languages = slices.Clone(c.Languages.Offered)
		}
	}
}
