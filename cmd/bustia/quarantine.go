package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/store"
)

func quarantineCommand(p program) *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine",
		Short: "Look after mails that could not be processed",
		Long: `A mail that cannot be processed does not stop the others: it is kept as it came, with
the reason, until a person has looked at it. retry puts it back in line (a running
daemon takes it up within a minute), drop accounts for it without a case.`,
	}
	c.AddCommand(quarantineListCommand(p), quarantineShowCommand(p), quarantineRetryCommand(p), quarantineDropCommand(p))
	return c
}

// mailJSON is the shape of a received mail in --json.
type mailJSON struct {
	ID           store.LedgerID `json:"id"`
	Mailbox      string         `json:"mailbox"`
	Folder       string         `json:"folder"`
	UIDValidity  uint32         `json:"uid_validity"`
	UID          uint32         `json:"uid"`
	InternalDate string         `json:"internal_date"`
	MessageID    string         `json:"message_id"`
	Size         int            `json:"size"`
	Reason       string         `json:"reason"`
}

func quarantineListCommand(p program) *cobra.Command {
	var s storeFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List them, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.listMails(cmd.Context(), s, store.Quarantine, asJSON)
		},
	}
	s.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a mail")
	return c
}

// listMails prints the received mails of one disposition, newest first.
func (p program) listMails(ctx context.Context, s storeFlags, d store.Disposition, asJSON bool) error {
	if !slices.Contains(dispositions, d) {
		return fmt.Errorf("no disposition %q; there are %v", d, dispositions)
	}
	var rows []store.Received
	err := s.in(ctx, p, func(tx *store.Tx) (err error) {
		rows, err = tx.LedgerRows(store.LedgerFilter{Disposition: d})
		return err
	})
	if err != nil {
		return err
	}
	return p.printMails(rows, asJSON)
}

func (p program) printMails(rows []store.Received, asJSON bool) error {
	encode := json.NewEncoder(p.Out)
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(w, "ID\tMAILBOX\tUID\tARRIVED\tSIZE\tREASON")
	}
	for _, r := range rows {
		if asJSON {
			if err := encode.Encode(mailJSON{r.ID, r.Mailbox, r.Folder, r.UIDValidity, r.UID, stamp(r.InternalDate), r.MessageID, r.Size, r.Reason}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%d\t%s\n", r.ID, r.Mailbox, r.UID, r.InternalDate.Local().Format(minute), r.Size, r.Reason)
	}
	return w.Flush()
}

func quarantineShowCommand(p program) *cobra.Command {
	return quarantineOne(p, "show ID", "Print the mail as it came", func(tx *store.Tx, r store.Received) error {
		_, err := p.Out.Write(r.Raw)
		return err
	})
}

func quarantineRetryCommand(p program) *cobra.Command {
	return quarantineOne(p, "retry ID", "Put it back in line to be processed", func(tx *store.Tx, r store.Received) error {
		return tx.Requeue(r.ID)
	})
}

func quarantineDropCommand(p program) *cobra.Command {
	var reason string
	c := quarantineOne(p, "drop ID --reason TEXT", "Account for it without a case; it stays in the store", func(tx *store.Tx, r store.Received) error {
		return tx.Dispose(r.ID, store.Ignored, fmt.Sprintf("dropped by %s: %s (was: %s)", operator(), reason, r.Reason), 0, p.Clock())
	})
	c.Flags().StringVar(&reason, "reason", "", "why, for the ledger")
	c.MarkFlagRequired("reason")
	return c
}

// quarantineOne is a command that does something with one quarantined mail.
func quarantineOne(p program, use, short string, do func(*store.Tx, store.Received) error) *cobra.Command {
	var s storeFlags
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no ID: see bustia quarantine list", args[0])
			}
			return s.in(cmd.Context(), p, func(tx *store.Tx) error {
				r, err := tx.Received(store.LedgerID(id))
				if errors.Is(err, store.ErrNotFound) || err == nil && r.Disposition != store.Quarantine {
					return fmt.Errorf("no mail %d in quarantine", id)
				}
				if err != nil {
					return err
				}
				return do(tx, r)
			})
		},
	}
	s.add(c)
	return c
}

// in runs f in one transaction on the store that the flags name.
func (s storeFlags) in(ctx context.Context, p program, f func(*store.Tx) error) error {
	st, _, err := s.open(ctx, p)
	if err != nil {
		return err
	}
	defer st.Close()
	return st.InTx(ctx, f)
}
