package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a calendar's time zone must be known on every machine

	"github.com/spf13/cobra"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Clock: time.Now}, os.Args[1:]))
}

// program is what a command may touch of the world.
type program struct {
	In       io.Reader
	Out, Err io.Writer
	Clock    func() time.Time
}

// errSaid is the error of a command that has told what was wrong itself.
var errSaid = errors.New("already reported")

// run carries out one command line and gives the exit status: 0 done, 1 not.
func run(ctx context.Context, p program, args []string) int {
	root := rootCommand(p)
	root.SetArgs(args)
	understood := noteStart(root)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintln(p.Err, "bustia:", err)
	}
	if !*understood {
		fmt.Fprintf(p.Err, "usage: %s\n       %s --help\n", c.UseLine(), c.CommandPath())
	}
	return 1
}

// noteStart notes in the flag it gives that a command has begun, so that its line was understood.
func noteStart(root *cobra.Command) *bool {
	begun := false
	var note func(*cobra.Command)
	note = func(c *cobra.Command) {
		if begin := c.RunE; begin != nil {
			c.RunE = func(c *cobra.Command, args []string) error {
				begun = true
				return begin(c, args)
			}
		}
		for _, below := range c.Commands() {
			note(below)
		}
	}
	note(root)
	return &begun
}

func rootCommand(p program) *cobra.Command {
	root := &cobra.Command{
		Use:   "bustia",
		Short: "Answer citizens' mail in time, in their language",
		Long: `bustia reads a public administration's contact mailboxes, opens a case for each
citizen's mail, gives it to the agent who treats its theme, and gets the agent's
answer back to the citizen in their language inside the committed time.

Agents and supervisors only use their own mail client. Admins write YAML.

To see it at work:             bustia demo
To start one's own:            bustia demo --write DIR, edit, bustia check -c DIR
To run it:                     bustia run -c DIR`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.AddGroup(
		&cobra.Group{ID: "work", Title: "The daemon:"},
		&cobra.Group{ID: "try", Title: "Check and try a configuration:"},
		&cobra.Group{ID: "look", Title: "Cases and mails:"},
	)
	group := func(id string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = id
			if c.Flags().Lookup("config") != nil {
				c.MarkFlagDirname("config")
			}
			root.AddCommand(c)
		}
	}
	group("work", demoCommand(p), runCommand(p))
	group("try", checkCommand(p), explainCommand(p), classifyCommand(p), deadlineCommand(p))
	group("look", casesCommand(p), caseCommand(p), assignCommand(p), closeCommand(p), ledgerCommand(p), quarantineCommand(p))
	root.AddCommand(versionCommand(p))
	return root
}

// loadConfig reads the configuration in dir, or the sample when dir is "", and prints every fault.
func (p program) loadConfig(dir string) (*config.Config, error) {
	cfg, faults := p.readConfig(dir)
	for _, f := range faults {
		fmt.Fprintln(p.Err, f)
	}
	if cfg == nil {
		return nil, errSaid
	}
	return cfg, nil
}

// readConfig reads the configuration in dir, or the sample when dir is ""; nil when it has a fault.
func (p program) readConfig(dir string) (*config.Config, config.Faults) {
	if dir == "" {
		return config.Load(config.Sample(), config.Env{Now: p.Clock(), Getenv: sampleEnv})
	}
	cfg, faults := config.LoadDir(dir, p.Clock())
	if cfg != nil {
		cfg.Store = anchored(cfg.Store, dir)
	}
	return cfg, faults
}

// sampleEnv stands in for the secrets of the sample configuration, which only the demo's own servers know.
func sampleEnv(string) string { return "demo" }

// anchored makes a relative SQLite path relative to the configuration, wherever the command is run.
func anchored(url, dir string) string {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok || filepath.IsAbs(path) || path == ":memory:" {
		return url
	}
	return "sqlite:" + filepath.Join(dir, path)
}

// storeFlags are the two ways to say which store a command looks into.
type storeFlags struct{ dir, url string }

func (s *storeFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&s.dir, "config", "c", "", "directory of the configuration")
	c.Flags().StringVar(&s.url, "store", "", "the store itself: sqlite:PATH or postgres://…")
	c.MarkFlagsMutuallyExclusive("config", "store")
	c.MarkFlagsOneRequired("config", "store")
}

// open opens the store the flags name, and gives the zone to tell its times in: that of the first
// calendar, as in the mails, or this machine's when no configuration is at hand.
func (s storeFlags) open(ctx context.Context, p program) (*store.Store, *time.Location, error) {
	if s.dir != "" {
		cfg, err := p.loadConfig(s.dir)
		if err != nil {
			return nil, nil, err
		}
		st, err := store.Connect(ctx, cfg.Store)
		return st, cfg.Calendars[0].Zone, err
	}
	if path, ok := strings.CutPrefix(s.url, "sqlite:"); ok && path != "" {
		if _, err := os.Stat(path); err != nil { // to look into one is no reason to make one
			return nil, nil, fmt.Errorf("no store there: %w", err)
		}
	}
	st, err := store.Connect(ctx, s.url)
	return st, time.Local, err
}

// reference is a case's reference as a person may write it.
func reference(s string) (string, error) {
	r, ok := mailbox.ParseReference(s)
	if !ok {
		return "", fmt.Errorf("no case %q: references look like %s, and the last digit checks the others", s, mailbox.NewReference(2026, 17))
	}
	return string(r), nil
}

// operator is who gives orders on the command line, for the history.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
