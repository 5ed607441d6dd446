package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(p program) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(p.Out, version())
			return nil
		},
	}
}

// version is what the build says of itself: module version, commit, Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "bustia, unknown build"
	}
	commit := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return fmt.Sprintf("bustia %s%s %s", info.Main.Version, commit, info.GoVersion)
}
