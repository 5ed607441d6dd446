package router

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/mailbox/submit"
	"github.com/bustia/bustia/store"
)

// Router carries out what Decide plans, on a store and through submission servers. Its methods are
// safe for concurrent use; several daemons may share one store.
type Router struct {
	store  *store.Store
	signer *Signer
	clock  func() time.Time
	newID  func() string
	log    *slog.Logger
	wake   chan struct{} // something was received
	tokens login.Keeper  // outlives a reload

	mu     sync.RWMutex // guards policy: Reload replaces it whole
	policy policy
}

// policy is everything that follows from one configuration.
type policy struct {
	cfg     *config.Config
	judge   *Judge
	writer  writer
	senders map[string]*submit.Client // by mailbox name
}

// replyKey names the setting that holds the key of signed reply addresses.
const replyKey = "reply_key"

// New makes a router over st that acts by cfg. clock is only read by the router's loops and when a
// mail or an order is taken up. The key of signed reply addresses is made on the first start and
// kept in the store, so that every daemon on it signs alike.
func New(ctx context.Context, cfg *config.Config, st *store.Store, clock func() time.Time, log *slog.Logger) (*Router, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails (crypto/rand)
	err := st.InTx(ctx, func(tx *store.Tx) (err error) {
		key, err = tx.InitSetting(replyKey, key)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read reply key: %w", err)
	}
	signer, err := NewSigner(key)
	if err != nil {
		return nil, err
	}
	r := &Router{store: st, signer: signer, clock: clock, newID: newID, log: log, wake: make(chan struct{}, 1)}
	return r, r.Reload(cfg)
}

// newID is 100 random bits, short enough that a Message-ID need not be folded.
func newID() string { return strings.ToLower(rand.Text())[:20] }

// Reload makes the router act by cfg from now on. What is under way ends by the old one.
func (r *Router) Reload(cfg *config.Config) error {
	w, err := newWriter(cfg, r.signer, r.newID)
	if err != nil {
		return err
	}
	p := policy{cfg: cfg, judge: NewJudge(cfg, r.signer), writer: w, senders: map[string]*submit.Client{}}
	for _, m := range cfg.Mailboxes {
		cas, err := m.SMTP.CAs()
		if err != nil {
			return fmt.Errorf("mailbox %q: %w", m.Name, err)
		}
		p.senders[m.Name] = submit.New(server(m.SMTP, cas, r.Login(m.SMTP)))
	}
	r.mu.Lock()
	old := r.policy
	r.policy = p
	r.mu.Unlock()
	return old.close()
}

func server(s config.Server, cas *x509.CertPool, credentials login.Credentials) submit.Server {
	return submit.Server{Host: s.Host, Port: s.Port, TLS: s.TLS, CAs: cas, Login: credentials}
}

// Login is what a server is logged in to with. Mailboxes with one and the same grant share its tokens,
// to read and to send.
func (r *Router) Login(s config.Server) login.Credentials {
	o := s.OAuth
	if o == nil {
		return login.Password(s.Username, s.Password.Reveal())
	}
	return r.tokens.Credentials(s.Username, o.Mechanism, login.Grant{
		TokenURL: o.TokenURL, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(),
		RefreshToken: o.RefreshToken.Reveal(), Scope: strings.Join(o.Scopes, " "),
	})
}

// Close ends the connections to the submission servers.
func (r *Router) Close() error { return r.current().close() }

func (p policy) close() error {
	var errs []error
	for _, s := range p.senders {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func (r *Router) current() policy {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.policy
}

// Position is how far a folder has been read.
func (r *Router) Position(ctx context.Context, box, folder string) (mailbox.Position, error) {
	var p store.Position
	err := r.store.View(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.Position(box, folder)
		return err
	})
	return mailbox.Position(p), err
}

// Receive commits a batch of mails and how far their folder has been read, in one transaction:
// after it, and not before, they are ours. Process does the rest.
func (r *Router) Receive(ctx context.Context, batch []mailbox.Received, box, folder string, to mailbox.Position) error {
	now := r.clock()
	rows := make([]store.Received, len(batch))
	for i, m := range batch {
		rows[i] = ledgerRow(m, now)
		rows[i].MarkDue = r.marks(m)
	}
	err := r.store.InTx(ctx, func(tx *store.Tx) error {
		for i, row := range rows {
			id, err := tx.AddReceived(row)
			if err == nil && batch[i].Past != "" {
				err = tx.Dispose(id, store.Ignored, string(batch[i].Past), 0, now)
			}
			if err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
		}
		return tx.SetPosition(box, folder, store.Position(to), now)
	})
	if err != nil {
		return fmt.Errorf("receive %d mails of %s: %w", len(batch), box, err)
	}
	for i, row := range rows {
		if batch[i].Past == mailbox.BeforeSince { // nothing was taken in
			continue
		}
		r.log.Info("mail received", "mailbox", row.Mailbox, "uid", row.UID, "message_id", row.MessageID, "size", row.Size)
	}
	r.Wake()
	return nil
}

// Unfetchable accounts for a mail that the server lists and will not give: it is quarantined
// without its bytes, for a person to look at on the server.
func (r *Router) Unfetchable(ctx context.Context, box, folder string, validity, uid uint32, cause error) error {
	now := r.clock()
	return r.store.InTx(ctx, func(tx *store.Tx) error {
		id, err := tx.AddReceived(store.Received{Mailbox: box, Folder: folder, UIDValidity: validity, UID: uid, InternalDate: now, FetchedAt: now})
		if errors.Is(err, store.ErrExists) {
			return nil
		}
		if err != nil {
			return err
		}
		r.log.Error("mail quarantined", "mailbox", box, "uid", uid, "err", cause)
		return tx.Dispose(id, store.Quarantine, "the server would not give it: "+cause.Error(), 0, now)
	})
}

// ledgerRow is what the ledger keeps of a mail before anything is judged.
func ledgerRow(m mailbox.Received, now time.Time) store.Received {
	if m.InternalDate.IsZero() || m.InternalDate.After(now) { // a clock that is wrong must not move a date
		m.InternalDate = now
	}
	row := store.Received{
		Mailbox: m.Mailbox, Folder: m.Folder, UIDValidity: m.UIDValidity, UID: m.UID,
		InternalDate: m.InternalDate, FetchedAt: now, Raw: m.Raw, Size: len(m.Raw), Truncated: m.Truncated,
	}
	if m.Truncated || m.Past == mailbox.BeforeSince {
		row.Size = int(m.Size)
	}
	if m.Past == mailbox.BeforeSince { // nothing is known of it, so nothing may be found to be the same
		return row
	}
	parsed := mailbox.ParseHeader(m.Raw)
	row.MessageID, row.Digest = string(parsed.MessageID), mailbox.Digest(parsed, m.Raw)
	row.From, row.Subject = parsed.From.Address, parsed.Subject
	return row
}

// Wake makes the router look for mails to process.
func (r *Router) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// act decides on one event at now and carries the plan out, facts and all in one transaction. When
// somebody else changed the case in between, it is decided anew.
func (r *Router) act(ctx context.Context, p policy, e Event, now time.Time, facts func(*store.Tx) (Facts, error)) (plan Plan, err error) {
	defer survive(&err)
	for tries := 1; ; tries++ {
		err = r.store.InTx(ctx, func(tx *store.Tx) error {
			f, err := facts(tx)
			if err != nil {
				return err
			}
			plan = Decide(e, f, now)
			return carryOut(tx, p.writer, []*decided{{event: e, facts: f, plan: plan}}, now)
		})
		if err == nil {
			r.report(e, plan)
			return plan, nil
		}
		if !errors.Is(err, store.ErrConflict) || tries == 3 {
			return Plan{}, err
		}
	}
}

// report logs what an event led to, one line.
func (r *Router) report(e Event, p Plan) {
	args := []any{}
	if m, ok := e.(*Mail); ok {
		args = append(args, "mailbox", m.Received.Mailbox, "uid", m.Received.UID, "message_id", m.Received.MessageID, "disposition", p.Disposition, "why", p.Reason)
	}
	if p.Case != nil {
		args = append(args, "case", p.Case.Reference, "state", p.Case.State, "theme", p.Case.Theme, "agent", p.Case.Agent)
	}
	switch e.(type) {
	case *Mail:
		r.log.Info("mail processed", args...)
	default:
		if len(p.Events) > 0 {
			r.log.Info("case "+p.Events[0].Kind, args...)
		}
	}
}
