//go:build integration

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// postgresServer is a PostgreSQL server in which a test may make databases.
type postgresServer struct {
	admin *url.URL
	run   *serverProcess // nil when it is not ours
}

// requirePostgres skips the test, or fails it, when there is no PostgreSQL to be had.
func requirePostgres(t *testing.T) {
	t.Helper()
	if os.Getenv("BUSTIA_TEST_POSTGRES") == "" && postgresPrograms() == "" {
		unavailable(t, "PostgreSQL is not installed (.ci/install does it)")
	}
}

// postgresURL is one more fresh, empty database. It goes when the test ends.
func (s *servers) postgresURL(t *testing.T) string {
	t.Helper()
	return s.postgres.fresh(t)
}

// startPostgres starts a private server, or takes the one BUSTIA_TEST_POSTGRES names. Ours has nothing
// to keep when the power goes.
func startPostgres(t *testing.T) (*postgresServer, error) {
	if given := os.Getenv("BUSTIA_TEST_POSTGRES"); given != "" {
		admin, err := url.Parse(given)
		if err != nil {
			return nil, errors.New("BUSTIA_TEST_POSTGRES is not a URL") // which may hold a password
		}
		return &postgresServer{admin: admin}, nil
	}
	return privatePostgres(t, "fsync=off", "full_page_writes=off")
}

// privatePostgres starts a server of the test's own, with these settings; without any it is as durable
// as PostgreSQL is by itself.
func privatePostgres(t *testing.T, settings ...string) (*postgresServer, error) {
	home := serverDir(t)
	data := filepath.Join(home, "data")
	secret := rand.Text()
	if err := initdb(t.Context(), home, data, secret); err != nil {
		return nil, err
	}
	port := freePorts(t, 1)[0]
	args := []string{"-D", data}
	for _, s := range append([]string{"listen_addresses=" + loopback, fmt.Sprintf("port=%d", port), "unix_socket_directories="}, settings...) {
		args = append(args, "-c", s)
	}
	server, err := asPostgres(exec.Command(filepath.Join(postgresPrograms(), "postgres"), args...))
	if err != nil {
		return nil, err
	}
	// SIGINT is its fast shutdown: it does not wait for clients.
	run, err := launch(t, server, syscall.SIGINT, filepath.Join(home, "log"))
	if err != nil {
		return nil, err
	}
	p := &postgresServer{&url.URL{Scheme: "postgres", User: url.UserPassword("bustia", secret), Host: onLoopback(port), Path: "/postgres"}, run}
	return p, run.ready(t.Context(), func(ctx context.Context) error { return p.exec(ctx, "select 1") })
}

// initdb makes the folder data, inside home, for a server whose administrator's password is secret.
func initdb(ctx context.Context, home, data, secret string) error {
	secretFile := filepath.Join(home, "password")
	owner := ""
	if os.Geteuid() == 0 {
		owner = "postgres"
		if err := chown(home, owner); err != nil {
			return err
		}
	}
	if err := writeConfig(secretFile, owner, secret); err != nil {
		return err
	}
	command, err := asPostgres(exec.CommandContext(ctx, filepath.Join(postgresPrograms(), "initdb"), "--pgdata", data, "--username", "bustia",
		"--pwfile", secretFile, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"))
	if err != nil {
		return err
	}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// asPostgres lets command run as the user postgres when we are root, as which it refuses to.
func asPostgres(command *exec.Cmd) (*exec.Cmd, error) {
	command.Dir = "/"
	if os.Geteuid() != 0 {
		return command, nil
	}
	c, err := runAs("postgres")
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c}
	return command, err
}

// postgresPrograms is the folder with the newest PostgreSQL's programs, "" when there is none. Debian
// keeps one folder a version, outside the path.
func postgresPrograms() string {
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // fails for a bad pattern only
	if len(found) == 0 {
		return ""
	}
	newest := slices.MaxFunc(found, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	return filepath.Dir(newest)
}

// fresh makes a database that lives as long as the test.
func (p *postgresServer) fresh(t *testing.T) string {
	t.Helper()
	name := "bustia_" + strings.ToLower(rand.Text())
	if err := p.exec(t.Context(), "create database "+name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context is done by now.
		if err := p.exec(context.Background(), "drop database "+name+" with (force)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	database := *p.admin
	database.Path = "/" + name
	return database.String()
}

// exec runs one statement as the server's administrator.
func (p *postgresServer) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.admin.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}
