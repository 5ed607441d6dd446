package router

import (
	"context"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

// marks says whether a mail is to be marked on the server. Past mail is left alone, and of one that came
// without its body the server has the only copy.
func (r *Router) marks(m mailbox.Received) bool {
	box, ok := r.current().cfg.Mailbox(m.Mailbox)
	return ok && box.After.Do != config.Keep && m.Past == "" && !m.Truncated
}

// Marks lists mails of a folder that are ours and are still to be marked on the server.
func (r *Router) Marks(ctx context.Context, box, folder string, validity uint32, limit int) (uids []uint32, err error) {
	err = r.store.View(ctx, func(tx *store.Tx) error {
		uids, err = tx.MarksDue(box, folder, validity, limit)
		return err
	})
	return uids, err
}

// Marked takes note that mails of a folder are marked on the server, or gone from it.
func (r *Router) Marked(ctx context.Context, box, folder string, validity uint32, uids []uint32) error {
	return r.store.InTx(ctx, func(tx *store.Tx) error { return tx.Marked(box, folder, validity, uids) })
}
