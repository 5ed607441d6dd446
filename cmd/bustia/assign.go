package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/router"
)

func assignCommand(p program) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "assign -c DIR REFERENCE AGENT|THEME",
		Short: "Give a case to an agent, or file it under a theme",
		Long: `Gives the case to the agent named by id or address. With the path of a theme, files
it there and gives it to whoever treats that theme. The agent gets the notice; a
daemon that runs on the same store sends it.`,
		Example: `  bustia assign -c /etc/bustia B-2026-000017-3 marta
  bustia assign -c /etc/bustia B-2026-000018-1 salut/targeta-sanitaria`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.order(cmd.Context(), dir, args[0], func(cfg *config.Config) (router.Command, error) {
				return assignment(cfg, args[1])
			})
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration")
	c.MarkFlagRequired("config")
	return c
}

// assignment is the command that to means: for an agent, or for the theme with this path or last name.
func assignment(cfg *config.Config, to string) (router.Command, error) {
	_, byID := cfg.Agent(strings.ToLower(to))
	_, byAddress := cfg.AgentByAddress(to)
	if byID || byAddress {
		return router.Command{Verb: router.VerbTo, Arg: to}, nil
	}
	for _, t := range cfg.Themes {
		if strings.HasSuffix("/"+t.Path, "/"+strings.ToLower(strings.Trim(to, "/"))) {
			return router.Command{Verb: router.VerbTheme, Arg: to}, nil
		}
	}
	return router.Command{}, fmt.Errorf("%q is neither an agent (id or address) nor a theme (path, or the last name in it)", to)
}
