package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/store"
)

func ledgerCommand(p program) *cobra.Command {
	var s storeFlags
	var asJSON, compare bool
	var of string
	c := &cobra.Command{
		Use:   "ledger (-c DIR | --store URL)",
		Short: "Account for every mail ever taken in",
		Long: `Prints, for each mailbox and folder, how far it has been read, how many mails were
taken in, and what became of them. Every mail has exactly one disposition; while
some wait to be processed, they are counted as pending and the exit status is 1.

With --compare it asks each mailbox's server what lies there and prints, for each
folder, that all of it was taken in, or the exact UIDs that were not; then, too, the
exit status is 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if compare {
				return p.compareLedger(cmd.Context(), s.dir, asJSON)
			}
			if of != "" {
				return p.listMails(cmd.Context(), s, store.Disposition(of), asJSON)
			}
			st, _, err := s.open(cmd.Context(), p)
			if err != nil {
				return err
			}
			defer st.Close()
			var rows []store.MailboxSummary
			err = st.View(cmd.Context(), func(tx *store.Tx) (err error) {
				rows, err = tx.LedgerSummary()
				return err
			})
			if err != nil {
				return err
			}
			return p.printLedger(rows, asJSON)
		},
	}
	s.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a folder")
	c.Flags().BoolVar(&compare, "compare", false, "compare with what the servers show (needs -c)")
	c.Flags().StringVar(&of, "list", "", "list the mails of one disposition instead: automatic, ignored, duplicate, …")
	c.MarkFlagsMutuallyExclusive("compare", "store")
	c.MarkFlagsMutuallyExclusive("compare", "list")
	return c
}

// dispositions are the columns of the ledger.
var dispositions = []store.Disposition{store.OpenedCase, store.FollowUp, store.AgentReply, store.Automatic,
	store.Bounced, store.Duplicate, store.Quarantine, store.Ignored}

type ledgerJSON struct {
	Mailbox      string                    `json:"mailbox"`
	Folder       string                    `json:"folder"`
	UIDValidity  uint32                    `json:"uid_validity"`
	LastUID      uint32                    `json:"last_uid"`
	Seen         int                       `json:"seen"`
	Accounted    int                       `json:"accounted"`
	Pending      int                       `json:"pending"`
	Dispositions map[store.Disposition]int `json:"dispositions"`
}

func (p program) printLedger(rows []store.MailboxSummary, asJSON bool) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	encode := json.NewEncoder(p.Out)
	if !asJSON {
		fmt.Fprint(w, "mailbox\tfolder\tlast uid\tseen\t")
		for _, d := range dispositions {
			fmt.Fprintf(w, "%s\t", d)
		}
		fmt.Fprintln(w, "pending\t")
	}
	var left error
	for _, r := range rows {
		if r.Pending > 0 {
			left = errSaid
		}
		if asJSON {
			if err := encode.Encode(ledgerJSON{r.Mailbox, r.Folder, r.Position.UIDValidity, r.Position.LastUID, r.Seen, r.Seen - r.Pending, r.Pending, r.ByDisposition}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t", r.Mailbox, r.Folder, r.Position.LastUID, r.Seen)
		for _, d := range dispositions {
			fmt.Fprintf(w, "%d\t", r.ByDisposition[d])
		}
		fmt.Fprintf(w, "%d\t\n", r.Pending)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return left
}
