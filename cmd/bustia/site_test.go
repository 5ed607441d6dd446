//go:build integration

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql knows it as "pgx"

	"github.com/bustia/bustia/config"
)

// site is a configuration on disk, as an admin has it, with what tests want to know about its store.
type site struct {
	dir   string
	store string // its url
}

// newSite writes the sample configuration to a folder, with these mailboxes in place of its own and,
// when url is not "", with its store there.
func newSite(t *testing.T, url string, boxes []config.Mailbox) site {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "own")
	if status, _, errOut := bustia(t, "", "demo", "--write", dir); status != 0 {
		t.Fatal(errOut)
	}
	var text strings.Builder
	text.WriteString("mailboxes:\n")
	for _, m := range boxes {
		fmt.Fprintf(&text, "  - name: %s\n    address: %s\n    kind: %s\n    organisation: %s\n    circuit: %s\n    poll: %q\n",
			m.Name, m.Address, m.Kind, m.Organisation, m.Circuit, m.Poll)
		for key, s := range map[string]config.Server{"imap": m.IMAP, "smtp": m.SMTP} {
			secret := fmt.Sprintf("%s-%s.secret", m.Name, key)
			fmt.Fprintf(&text, "    %s: {host: %s, port: %d, tls: %s, username: %q, password_file: %s", key, loopback, s.Port, s.TLS, s.Username, secret)
			if s.CAFile != "" {
				fmt.Fprintf(&text, ", ca_file: %s", s.CAFile)
			}
			text.WriteString("}\n")
			if err := os.WriteFile(filepath.Join(dir, secret), []byte(s.Password.Reveal()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "mailboxes.yaml"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if url == "" {
		return site{dir, "sqlite:" + filepath.Join(dir, "bustia.db")}
	}
	edit(t, filepath.Join(dir, "about.yaml"), "store: sqlite:bustia.db", "store: "+url)
	return site{dir, url}
}

// soaking is whether the long versions of the tests are wanted (make soak).
func soaking() bool { return os.Getenv("BUSTIA_SOAK") == "1" }

// sampleConfig is the configuration the tests' people and mailboxes are from.
func sampleConfig(t *testing.T) *config.Config {
	t.Helper()
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: sampleEnv})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// plainly is a mailbox's access to a server at port of our own machine.
func plainly(m config.Mailbox, port int) config.Server {
	return config.Server{Port: port, TLS: config.Plain, Username: m.Address, Password: config.NewSecret(demoPassword)}
}

// open opens the store beside the daemon, for what no command tells and for making time go by. The
// two databases take the same SQL here.
func (s site) open(t *testing.T) *sql.DB {
	t.Helper()
	driver, name := "pgx", s.store
	if file, ok := strings.CutPrefix(s.store, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+file+"?_busy_timeout=5000"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// pairs gives the rows of a query of two columns, as text.
func pairs(t *testing.T, db *sql.DB, query string) (all [][2]string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var row [2]string
		if err := rows.Scan(&row[0], &row[1]); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// count gives the only number of a query.
func count(t *testing.T, db *sql.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// until waits for something no server announces, such as a row of the store.
func until(t *testing.T, patience time.Duration, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// buildBustia makes the program as it is delivered.
func buildBustia(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "bustia")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return program
}

// child is `bustia run` as a process of its own, which may be killed.
type child struct {
	command *exec.Cmd
	release func() error // of its guard
}

// startChild starts program on a site; its log is added to log.
func startChild(t *testing.T, program string, s site, log *logged) *child {
	t.Helper()
	c := &child{command: exec.Command(program, "run", "-c", s.dir)}
	c.command.Stdout, c.command.Stderr = log, log
	c.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end(syscall.SIGKILL) })
	var err error
	if c.release, err = guard(c.command.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return c
}

// end ends the process by a signal, waits until it is gone and gives how it ended.
func (c *child) end(signal syscall.Signal) error {
	if c.command.ProcessState != nil { // ended before
		return nil
	}
	if err := c.command.Process.Signal(signal); err != nil {
		return err
	}
	err := c.command.Wait()
	if c.release != nil {
		return errors.Join(err, c.release())
	}
	return err
}

// startDovecot starts a Dovecot alone; mail comes in by LMTP at the port given.
func startDovecot(t *testing.T, addresses []string) (s *servers, lmtp int) {
	t.Helper()
	dir := serverDir(t)
	ports := freePorts(t, 4)
	s = &servers{IMAPHost: loopback, IMAPPort: ports[0], IMAPSPort: ports[1], CAFile: filepath.Join(dir, "ca.pem")}
	var err error
	if s.roots, err = writeCertificates(dir); err != nil {
		t.Fatal(err)
	}
	if err := (dovecotServer{dir: dir, imap: ports[0], imaps: ports[1], lmtp: ports[2], auth: ports[3], users: addresses}).start(t); err != nil {
		t.Fatal(err)
	}
	return s, ports[2]
}

// dialLMTP connects to where a mail server hands over what it has accepted (RFC 2033).
func dialLMTP(t *testing.T, port int) *smtp.Client {
	t.Helper()
	conn, err := net.Dial("tcp", onLoopback(port))
	if err != nil {
		t.Fatal(err)
	}
	return smtp.NewClientLMTP(conn)
}

// lmtp delivers one mail.
func lmtp(t *testing.T, c *smtp.Client, reversePath, to string, raw []byte) {
	t.Helper()
	err := c.Mail(reversePath, nil)
	if err == nil {
		err = c.Rcpt(to, nil)
	}
	if err == nil {
		var body *smtp.DataCommand
		if body, err = c.Data(); err == nil {
			_, werr := body.Write(raw)
			_, cerr := body.CloseWithLMTPResponse()
			err = errors.Join(werr, cerr)
		}
	}
	if err != nil {
		t.Fatalf("deliver to %s: %v", to, err)
	}
}

// at is the port of an address.
func at(t *testing.T, address string) int {
	t.Helper()
	port, err := portOf(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// tail is the end of a log.
func tail(log string, n int) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
