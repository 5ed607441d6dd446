package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox/mailtest"
	"github.com/bustia/bustia/router"
	"github.com/bustia/bustia/store"
)

//go:embed demo/*.eml
var demoMails embed.FS

// demoPassword opens every mailbox of the demo; its servers listen on loopback only.
const demoPassword = "demo"

func demoCommand(p program) *cobra.Command {
	var keep bool
	var write string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play a few days of work with servers of its own",
		Long: `Starts an IMAP and an SMTP server and the daemon in this process, with the sample
configuration and an empty SQLite store in a temporary folder, and plays a few days:
citizens write, agents and a supervisor answer from their mailboxes, dates pass. The
mails take the same way as in a real installation; only the calendar is turned.

Needs nothing installed and touches nothing outside its folder.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if write != "" {
				return p.writeSample(write)
			}
			return p.demo(cmd.Context(), keep)
		},
	}
	c.Flags().BoolVar(&keep, "keep", false, "leave everything running, for a mail client to look at")
	c.Flags().StringVar(&write, "write", "", "write the sample configuration to `DIR` instead, as a start for one's own")
	c.MarkFlagsMutuallyExclusive("keep", "write")
	return c
}

// writeSample copies the sample configuration to dir, which must not hold anything yet.
func (p program) writeSample(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	if err := os.CopyFS(dir, config.Sample()); err != nil {
		return err
	}
	fmt.Fprintf(p.Out, `The sample configuration is in %[1]s: YAML, one file a subject, each with comments.

  1. Put your addresses and servers in mailboxes.yaml
  2. export BUSTIA_PASSWORD=…   what they log in with (or password_file: in the YAML)
  3. bustia check -c %[1]s      tells every fault, with its place
  4. bustia run -c %[1]s        is the daemon
`, dir)
	return nil
}

// demoClock is a clock whose date can be set; in between it goes on like any other.
type demoClock struct {
	mu   sync.Mutex
	base time.Time
	set  time.Time // when base was set, by the program's clock
	real func() time.Time
}

func (c *demoClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Add(c.real().Sub(c.set))
}

func (c *demoClock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.set = t, c.real()
}

// demo is the world of one demo: servers, store, daemon.
type demo struct {
	program
	dir    string
	clock  *demoClock
	cfg    *config.Config
	server *mailtest.Server
	store  *store.Store
	router *router.Router
	tell   *teller
}

func (p program) demo(ctx context.Context, keep bool) (err error) {
	started := p.Clock()
	d, err := newDemo(ctx, p, keep)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	defer func() {
		stop()
		err = errors.Join(err, group.Wait(), d.close())
	}()
	if err := d.start(ctx, group); err != nil {
		return err
	}
	if err := d.play(ctx); err != nil {
		return err
	}
	if err := d.closing(ctx, p.Clock().Sub(started)); err != nil || !keep {
		return err
	}
	d.keepRunning(ctx)
	return nil
}

// newDemo makes the servers and the store.
func newDemo(ctx context.Context, p program, keep bool) (*demo, error) {
	dir, err := os.MkdirTemp("", "bustia-demo-")
	if err != nil {
		return nil, err
	}
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: func(string) string { return demoPassword }})
	if err := faults.Err(); err != nil {
		return nil, err
	}
	d := &demo{program: p, dir: dir, clock: &demoClock{real: p.Clock}, cfg: cfg}
	d.clock.Set(demoStart)
	if d.server, err = startServer(cfg, d.clock.Now, keep); err != nil {
		return nil, err
	}
	if err := pointAt(cfg, d.server); err != nil {
		return nil, err
	}
	cfg.Store = "sqlite:" + filepath.Join(dir, "bustia.db")
	if d.store, err = store.Connect(ctx, cfg.Store); err != nil {
		return nil, err
	}
	d.tell = newTeller(p.Out, cfg)
	return d, nil
}

// startServer starts the mail servers with a mailbox for everybody in the sample and every citizen
// of the story. With keep it takes the sample's own ports when they are free.
func startServer(cfg *config.Config, clock func() time.Time, keep bool) (*mailtest.Server, error) {
	users := map[string]string{}
	for _, m := range cfg.Mailboxes {
		users[m.Address] = demoPassword
	}
	for _, a := range cfg.Agents {
		users[a.Address] = demoPassword
	}
	for _, c := range citizens() {
		users[c] = demoPassword
	}
	o := mailtest.Options{Users: users, Clock: clock}
	if keep {
		o.IMAPPort, o.SMTPPort = cfg.Mailboxes[0].IMAP.Port, cfg.Mailboxes[0].SMTP.Port
		if s, err := mailtest.Start(o); err == nil {
			return s, nil
		}
		o.IMAPPort, o.SMTPPort = 0, 0
	}
	return mailtest.Start(o)
}

// pointAt makes every mailbox of cfg use the servers.
func pointAt(cfg *config.Config, s *mailtest.Server) error {
	imap, err := portOf(s.IMAPAddr())
	if err != nil {
		return err
	}
	smtp, err := portOf(s.SMTPAddr())
	if err != nil {
		return err
	}
	for i := range cfg.Mailboxes {
		m := &cfg.Mailboxes[i]
		m.IMAP.Host, m.IMAP.Port, m.IMAP.TLS = "127.0.0.1", imap, config.Plain
		m.SMTP.Host, m.SMTP.Port, m.SMTP.TLS = "127.0.0.1", smtp, config.Plain
	}
	return nil
}

func portOf(addr string) (int, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// start starts the daemon: the same router and readers as `bustia run`.
func (d *demo) start(ctx context.Context, group *errgroup.Group) error {
	file, err := os.Create(filepath.Join(d.dir, "bustia.log"))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(file, nil))
	if d.router, err = router.New(ctx, d.cfg, d.store, d.clock.Now, log); err != nil {
		return err
	}
	group.Go(func() error { return d.router.Run(ctx) })
	accounts, err := allAccounts(d.router, d.cfg)
	if err != nil {
		return err
	}
	group.Go(startReading(ctx, d.router, accounts, newReach(log)).Wait)
	return nil
}

func (d *demo) close() error {
	return errors.Join(d.store.Close(), d.server.Close())
}

// settled waits until every mail delivered to our mailboxes is accounted for and every mail of ours is sent.
func (d *demo) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := d.left(ctx)
		if err != nil || left == "" {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the demo got stuck: %s (log in %s)", left, filepath.Join(d.dir, "bustia.log"))
		case <-tick.C:
		}
	}
}

// left says what still has to happen; "" when nothing has.
func (d *demo) left(ctx context.Context) (left string, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.LedgerSummary()
		if err != nil {
			return err
		}
		seen := map[string]int{}
		for _, r := range rows {
			seen[r.Mailbox] = r.Seen - r.Pending
		}
		for _, m := range d.cfg.Mailboxes {
			if n := len(d.server.Mails(m.Address)); seen[m.Name] < n {
				left = fmt.Sprintf("%d of %d mails of %s processed", seen[m.Name], n, m.Name)
				return nil
			}
		}
		states, err := tx.OutgoingStates()
		if n := states[store.Queued] + states[store.Sending]; n > 0 {
			left = fmt.Sprintf("%d mails not sent yet", n)
		}
		return err
	})
	return left, err
}

// keepSent writes every mail sent so far as a file and gives their folder.
func (d *demo) keepSent() (string, error) {
	dir := filepath.Join(d.dir, "sent")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for i, a := range d.server.Accepted() {
		to := strings.NewReplacer("@", "-at-", "+", "-", "/", "-").Replace(a.Recipient)
		name := fmt.Sprintf("%02d-to-%s.eml", i+1, to[:min(60, len(to))])
		if err := os.WriteFile(filepath.Join(dir, name), a.Raw, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// keepRunning leaves everything as it is until the program is told to stop.
func (d *demo) keepRunning(ctx context.Context) {
	fmt.Fprintf(d.Out, `
Everything is still running. Point a mail client at it, without encryption, and write:

  IMAP  %s
  SMTP  %s
  password of every mailbox: %s

`, d.server.IMAPAddr(), d.server.SMTPAddr(), demoPassword)
	for _, m := range d.cfg.Mailboxes {
		fmt.Fprintf(d.Out, "  mailbox     %s\n", m.Address)
	}
	for _, a := range d.cfg.Agents {
		fmt.Fprintf(d.Out, "  agent       %s (%s)\n", a.Address, a.Name)
	}
	for _, c := range citizens() {
		fmt.Fprintf(d.Out, "  citizen     %s\n", c)
	}
	fmt.Fprintf(d.Out, "\nThe calendar stands at %s and goes on from there. Ctrl-C ends it.\n", d.clock.Now().Format("Monday 2 January 2006, 15:04"))
	<-ctx.Done()
}

// demoMail is one of the embedded mails.
func demoMail(name string) ([]byte, error) { return fs.ReadFile(demoMails, "demo/"+name) }
