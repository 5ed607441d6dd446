package router

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/store"
)

// Route is who treats a case and who oversees it, with the reason for both.
type Route struct {
	Agent      string // id; "" when nobody treats the theme
	Supervisor string // id
	Why        []string
}

// Workload is what Assign weighs agents by.
type Workload struct {
	Open map[string]int       // open cases by agent id
	Last map[string]time.Time // when each was last given a case
}

// add counts what a plan does to the workload.
func (w Workload) add(p Plan, f Facts, now time.Time) {
	if p.Assign != nil && p.Assign.Role == store.Treat {
		w.Open[p.Assign.Agent]++
		w.Last[p.Assign.Agent] = now
	}
	had := p.Case != nil && f.Case != nil && p.Case.ID == f.Case.ID && f.Case.State == store.Open
	if had && (p.Case.State != store.Open || p.Assign != nil) {
		w.Open[f.Case.Agent]--
	}
}

// Assign chooses the agent for a case on theme in language l: those assigned to the deepest theme
// on its path, of them those who answer in l when there is one, of them the one with the fewest
// open cases, then the one who names l earlier among their languages (so that who answers in a rare
// language stays free for it), then the one who was given a case longest ago, then the first in the
// configuration.
func Assign(cfg *config.Config, theme string, l config.Language, w Workload) Route {
	org := organisationOf(cfg, theme)
	r := Route{Supervisor: supervisorOf(cfg, org)}
	at, agents := treating(cfg, theme)
	if len(agents) == 0 {
		r.Why = append(r.Why, fmt.Sprintf("no agent treats %s", theme))
		return r
	}
	r.Why = append(r.Why, fmt.Sprintf("%s treated by %s", at, ids(agents)))
	if speakers := keep(agents, func(a *config.Agent) bool { return slices.Contains(a.Languages, l) }); len(speakers) > 0 {
		agents = speakers
		r.Why = append(r.Why, fmt.Sprintf("answering in %s: %s", l, ids(agents)))
	} else {
		r.Why = append(r.Why, fmt.Sprintf("none of them answers in %s", l))
	}
	best := slices.MinFunc(agents, func(a, b *config.Agent) int {
		if n := w.Open[a.ID] - w.Open[b.ID]; n != 0 {
			return n
		}
		if n := slices.Index(a.Languages, l) - slices.Index(b.Languages, l); n != 0 {
			return n
		}
		return w.Last[a.ID].Compare(w.Last[b.ID])
	})
	r.Agent = best.ID
	if len(agents) > 1 {
		r.Why = append(r.Why, fmt.Sprintf("%s has the fewest open cases (%d)", best.ID, w.Open[best.ID]))
	}
	return r
}

// treating finds the agents assigned deepest on theme's path, and at which theme.
func treating(cfg *config.Config, theme string) (at string, agents []*config.Agent) {
	for path := theme; path != ""; path = parentTheme(path) {
		for i := range cfg.Agents {
			if slices.Contains(cfg.Agents[i].Themes, path) {
				agents = append(agents, &cfg.Agents[i])
			}
		}
		if len(agents) > 0 {
			return path, agents
		}
	}
	return "", nil
}

// parentTheme cuts the last level off a theme path; "" above level 1.
func parentTheme(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)]
}

// organisationOf is the organisation a theme belongs to; "" for an unknown theme.
func organisationOf(cfg *config.Config, theme string) string {
	if t, ok := cfg.Theme(theme); ok {
		return t.Organisation
	}
	return ""
}

// supervisorOf is the id of the supervisor who is told first; "" when the organisation has none.
func supervisorOf(cfg *config.Config, organisation string) string {
	if o, ok := cfg.Organisation(organisation); ok && len(o.Supervisors) > 0 {
		return o.Supervisors[0]
	}
	return ""
}

func keep(agents []*config.Agent, f func(*config.Agent) bool) []*config.Agent {
	var kept []*config.Agent
	for _, a := range agents {
		if f(a) {
			kept = append(kept, a)
		}
	}
	return kept
}

func ids(agents []*config.Agent) string {
	names := make([]string, len(agents))
	for i, a := range agents {
		names[i] = a.ID
	}
	return strings.Join(names, ", ")
}
