package main

import (
	"github.com/spf13/cobra"

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
  bustia assign -c /etc/bustia B-2026-000018-1 salut/tsi`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.order(cmd.Context(), dir, args[0], func(r policyView) router.Command {
				if r.isAgent(args[1]) {
					return router.Command{Verb: router.VerbTo, Arg: args[1]}
				}
				return router.Command{Verb: router.VerbTheme, Arg: args[1]}
			})
		},
	}
	c.Flags().StringVarP(&dir, "config", "c", "", "directory of the configuration")
	c.MarkFlagRequired("config")
	return c
}
