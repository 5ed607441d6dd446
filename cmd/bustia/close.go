package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/router"
	"github.com/bustia/bustia/store"
)

func closeCommand(p program) *cobra.Command {
	var dir, reason string
	c := &cobra.Command{
		Use:     "close -c DIR REFERENCE --reason TEXT",
		Short:   "End a case without an answer",
		Long:    `Ends a case without an answer to the citizen. Its deadlines and reply addresses end with it.`,
		Example: `  bustia close -c /etc/bustia B-2026-000017-3 --reason "duplicate of B-2026-000012-4"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return errors.New("--reason is empty: say why, for the history")
			}
			return p.order(cmd.Context(), dir, args[0], func(*config.Config) (router.Command, error) {
				return router.Command{Verb: router.VerbClose, Arg: reason}, nil
			})
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration")
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	c.MarkFlagRequired("config")
	c.MarkFlagRequired("reason")
	return c
}

// order gives one command on the case with this reference, in the name of who runs it.
func (p program) order(ctx context.Context, dir, about string, command func(*config.Config) (router.Command, error)) error {
	ref, err := reference(about)
	if err != nil {
		return err
	}
	cfg, err := p.loadConfig(dir)
	if err != nil {
		return err
	}
	wanted, err := command(cfg)
	if err != nil {
		return err
	}
	err = p.withRouter(ctx, cfg, func(_ *store.Store, r *router.Router) error {
		return r.Order(ctx, ref, router.Order{By: operator(), Command: wanted})
	})
	if err == nil {
		fmt.Fprintln(p.Out, "done:", ref)
	}
	return err
}

// withRouter opens the store of cfg and makes a router on it, for one command.
func (p program) withRouter(ctx context.Context, cfg *config.Config, f func(*store.Store, *router.Router) error) error {
	st, err := store.Connect(ctx, cfg.Store)
	if err != nil {
		return err
	}
	defer st.Close()
	r, err := router.New(ctx, cfg, st, p.Clock, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer r.Close()
	return f(st, r)
}
