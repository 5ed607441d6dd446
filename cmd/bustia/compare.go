package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bustia/bustia/mailbox/fetch"
	"github.com/bustia/bustia/router"
	"github.com/bustia/bustia/store"
)

// comparison is one folder on its server beside the ledger.
type comparison struct {
	Mailbox     string   `json:"mailbox"`
	Folder      string   `json:"folder"`
	UIDValidity uint32   `json:"uid_validity"`
	OnServer    int      `json:"on_server"`
	Missing     []uint32 `json:"missing"`         // on the server, not in the ledger
	Error       string   `json:"error,omitempty"` // why it could not be compared
}

// compareLedger asks every folder's server what it shows. A server that does not answer keeps no other
// from being compared.
func (p program) compareLedger(ctx context.Context, dir string, asJSON bool) error {
	cfg, err := p.loadConfig(dir)
	if err != nil {
		return err
	}
	return p.withRouter(ctx, cfg, func(st *store.Store, r *router.Router) error {
		accounts, err := allAccounts(r, cfg)
		if err != nil {
			return err
		}
		var wrong error
		for _, a := range accounts {
			c := compareFolder(ctx, st, a)
			if c.Error != "" || len(c.Missing) > 0 {
				wrong = errSaid
			}
			if err := p.printComparison(c, asJSON); err != nil {
				return err
			}
		}
		return wrong
	})
}

// compareFolder asks the server first: what comes in meanwhile may only be in the ledger already.
func compareFolder(ctx context.Context, st *store.Store, a fetch.Account) comparison {
	c := comparison{Mailbox: a.Mailbox, Folder: a.Folder, Missing: []uint32{}}
	validity, uids, err := fetch.UIDs(ctx, a)
	var seen map[uint32]bool
	if err == nil {
		c.UIDValidity, c.OnServer = validity, len(uids)
		err = st.View(ctx, func(tx *store.Tx) (err error) {
			seen, err = tx.SeenUIDs(a.Mailbox, a.Folder, validity)
			return err
		})
	}
	if err != nil {
		c.Error = err.Error()
		return c
	}
	for _, uid := range uids {
		if !seen[uid] {
			c.Missing = append(c.Missing, uid)
		}
	}
	return c
}

func (p program) printComparison(c comparison, asJSON bool) (err error) {
	switch {
	case asJSON:
		return json.NewEncoder(p.Out).Encode(c)
	case c.Error != "":
		_, err = fmt.Fprintf(p.Out, "%s %s: not compared: %s\n", c.Mailbox, c.Folder, c.Error)
	case len(c.Missing) > 0:
		_, err = fmt.Fprintf(p.Out, "%s %s: %d on the server, NOT in the ledger (UIDVALIDITY %d): %v\n", c.Mailbox, c.Folder, c.OnServer, c.UIDValidity, c.Missing)
	default:
		_, err = fmt.Fprintf(p.Out, "%s %s: %d on the server, all in the ledger\n", c.Mailbox, c.Folder, c.OnServer)
	}
	return err
}
