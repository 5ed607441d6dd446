package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/fetch"
	"github.com/bustia/bustia/mailbox/login"
	"github.com/bustia/bustia/router"
)

// startReading starts one reader a folder. One that cannot connect troubles no other.
func startReading(ctx context.Context, r *router.Router, all []fetch.Account, reach *reach) *errgroup.Group {
	var group errgroup.Group
	for _, a := range all {
		group.Go(func() error { return fetch.Run(ctx, a, receiver(r, a, reach), reach.log) })
	}
	return &group
}

// allAccounts are how to read every folder of every mailbox.
func allAccounts(r *router.Router, cfg *config.Config) (all []fetch.Account, err error) {
	for _, m := range cfg.Mailboxes {
		some, err := accounts(cfg, m, r.Login(m.IMAP))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// accounts are how to read the folders of mailbox m.
func accounts(cfg *config.Config, m config.Mailbox, credentials login.Credentials) (all []fetch.Account, err error) {
	cas, err := m.IMAP.CAs()
	if err != nil {
		return nil, fmt.Errorf("mailbox %q: %w", m.Name, err)
	}
	schedule, err := config.ParseCron(m.Poll)
	if err != nil {
		return nil, fmt.Errorf("mailbox %q: %w", m.Name, err)
	}
	folders := m.IMAP.Folders
	if len(folders) == 0 {
		folders = []string{m.IMAP.Folder}
	}
	for _, folder := range folders {
		all = append(all, fetch.Account{
			Mailbox: m.Name, Host: m.IMAP.Host, Port: m.IMAP.Port, TLS: m.IMAP.TLS, CAs: cas,
			Login: credentials, Folder: folder, Schedule: schedule,
			MaxSize: int64(m.MaxSize), Since: since(cfg, m), Archive: m.Archive, After: m.After.Do, MoveTo: m.After.Folder,
		})
	}
	return all, nil
}

// since is when the day begins from which on mail of mailbox m is treated, where its circuit's calendar
// holds; zero when every mail is.
func since(cfg *config.Config, m config.Mailbox) time.Time {
	if m.Since == (config.Date{}) {
		return time.Time{}
	}
	circuit, _ := cfg.Circuit(m.Circuit) // the configuration was checked
	calendar, _ := cfg.Calendar(circuit.Calendar)
	return m.Since.Time(calendar.Zone)
}

// receiver hands what is read to the router.
func receiver(r *router.Router, a fetch.Account, reach *reach) fetch.Receiver {
	return fetch.Receiver{
		Position: r.Position,
		Receive: func(ctx context.Context, batch []mailbox.Received, to mailbox.Position) error {
			return r.Receive(ctx, batch, a.Mailbox, a.Folder, to)
		},
		Unfetchable: r.Unfetchable,
		Marks:       r.Marks,
		Marked:      r.Marked,
		State:       reach.state,
	}
}

// reach tells in the log when a mailbox can no longer be read and when it can be again, once each,
// however many folders say so and however often the configuration is loaded in between.
type reach struct {
	log  *slog.Logger
	mu   sync.Mutex
	down map[place]bool
}

func newReach(log *slog.Logger) *reach { return &reach{log: log, down: map[place]bool{}} }

// place is a mailbox, or one folder of it.
type place struct{ mailbox, folder string }

// state is fetch.Receiver.State.
func (r *reach) state(_ context.Context, mailbox, folder string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, args := place{mailbox, folder}, []any{"mailbox", mailbox}
	if folder != "" {
		args = append(args, "folder", folder)
	}
	switch {
	case err != nil && !r.down[at]:
		r.down[at] = true
		r.log.Error("mailbox unreachable", append(args, "err", err)...)
	case err == nil && r.down[at]:
		delete(r.down, at)
		r.log.Info("mailbox reachable again", args...)
	}
}
