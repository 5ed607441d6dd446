package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox/fetch"
	"github.com/bustia/bustia/router"
	"github.com/bustia/bustia/store"
)

func runCommand(p program) *cobra.Command {
	var dir, format string
	c := &cobra.Command{
		Use:   "run -c DIR",
		Short: "Run the daemon",
		Long: `Reads the mailboxes of the configuration, answers, assigns, sends and watches the
deadlines until it is told to stop.

SIGTERM or SIGINT stops it in good order: what is under way is finished, the rest
waits in the store. SIGHUP loads the configuration again; one with faults is not
loaded, and the old one goes on. A change of store takes a restart.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := p.logger(format)
			if err != nil {
				return err
			}
			cfg, err := p.loadConfig(dir)
			if err != nil {
				return err
			}
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			d := daemon{program: p, log: log, load: func() (*config.Config, config.Faults) { return p.readConfig(dir) }, reload: reload}
			if err := d.run(cmd.Context(), cfg); err != nil && cmd.Context().Err() == nil {
				return err
			}
			return nil // told to stop
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration")
	c.Flags().StringVar(&format, "log", "text", "text or json")
	c.MarkFlagRequired("config")
	return c
}

func (p program) logger(format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(p.Err, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(p.Err, nil)), nil
	default:
		return nil, fmt.Errorf("--log: %q, allowed are text and json", format)
	}
}

// daemon is one running bustia.
type daemon struct {
	program
	log    *slog.Logger
	load   func() (*config.Config, config.Faults) // reads the configuration again
	reload <-chan os.Signal
}

// run opens the store, waiting for it if need be, and works until ctx ends.
func (d daemon) run(ctx context.Context, cfg *config.Config) error {
	st, r, err := d.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	if os.Getenv("GOGC") == "" { // mails are large and short-lived: collect them sooner than usual
		debug.SetGCPercent(50)
	}
	d.log.Info("started", "version", version(), "mailboxes", len(cfg.Mailboxes))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.Run(ctx) })
	group.Go(func() error { return d.readMailboxes(ctx, r, cfg) })
	if err = group.Wait(); err != nil {
		d.log.Error("stopped", "err", err)
		return err
	}
	d.log.Info("stopped")
	return nil
}

// readMailboxes reads every mailbox, and starts anew with the new configuration at each reload.
func (d daemon) readMailboxes(ctx context.Context, r *router.Router, cfg *config.Config) error {
	reach := newReach(d.log)
	accounts, err := allAccounts(r, cfg)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		reading, stop := context.WithCancel(ctx)
		group := startReading(reading, r, accounts, reach)
		cfg, accounts = d.awaitReload(ctx, r, cfg, accounts)
		stop()
		group.Wait() // fetch.Run gives no error but that of its context
	}
	return nil
}

// awaitReload waits until a new configuration is in force or ctx ends, and gives the one in force,
// with how to read its mailboxes.
func (d daemon) awaitReload(ctx context.Context, r *router.Router, cfg *config.Config, accounts []fetch.Account) (*config.Config, []fetch.Account) {
	for {
		select {
		case <-ctx.Done():
			return cfg, accounts
		case <-d.reload:
		}
		fresh, faults := d.load()
		for _, f := range faults {
			d.log.Warn("fault in the configuration", "fault", f)
		}
		if fresh == nil {
			d.log.Error("configuration not loaded, the old one goes on", "faults", len(faults))
			continue
		}
		all, err := allAccounts(r, fresh)
		if err == nil {
			err = r.Reload(fresh)
		}
		if err != nil {
			d.log.Error("configuration not loaded, the old one goes on", "err", err)
			continue
		}
		if fresh.Store != cfg.Store {
			d.log.Warn("a change of store takes a restart")
		}
		d.log.Info("configuration loaded", "mailboxes", len(fresh.Mailboxes))
		return fresh, all
	}
}

// open opens the store and makes the router on it; while it cannot it says why and tries again, ever
// later.
func (d daemon) open(ctx context.Context, cfg *config.Config) (*store.Store, *router.Router, error) {
	const longest = time.Minute
	for wait := time.Second; ; wait = min(2*wait, longest) {
		st, err := store.Connect(ctx, cfg.Store)
		if err == nil {
			var r *router.Router
			if r, err = router.New(ctx, cfg, st, d.Clock, d.log); err == nil {
				return st, r, nil
			}
			st.Close()
		}
		if ctx.Err() != nil {
			return nil, nil, err
		}
		d.log.Error("store not opened, will try again", "err", err, "after", wait)
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}
