package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand(p program) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "check -c DIR",
		Short: "Check a configuration and print every fault with its place",
		Long: `Reads every YAML file of the configuration and prints each fault as

    file:line:col: path: what is wrong, what is allowed

Exit status 0 when it may be loaded (warnings are printed too), 1 when not.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.loadConfig(dir)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.Out, "valid: %d mailboxes, %d organisations, %d themes, %d agents, %d templates, %d rules\n",
				len(cfg.Mailboxes), len(cfg.Organisations), len(cfg.Themes), len(cfg.Agents), len(cfg.Templates), len(cfg.Rules))
			return nil
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration")
	c.MarkFlagRequired("config")
	return c
}
