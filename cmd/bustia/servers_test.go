//go:build integration

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// loopback is where every private server listens, and nowhere else.
const loopback = "127.0.0.1"

// servers are a Dovecot, a Postfix and a PostgreSQL of this test's own, on loopback, in one temporary
// folder. What Postfix accepts it delivers into that Dovecot by LMTP, so everybody of example.cat,
// example.org and example.com — citizens, agents and our own mailboxes — has a real mailbox.
type servers struct {
	IMAPHost       string // the submission server's host too
	IMAPPort       int    // STARTTLS
	IMAPSPort      int    // implicit TLS
	SubmissionPort int    // STARTTLS, then AUTH: there is no other way in
	CAFile         string // PEM, the authority that signed both servers' certificate
	PostgresURL    string // an empty database

	roots    *x509.CertPool
	postgres *postgresServer
}

// password is what address logs in with, to read and to submit.
func password(address string) string { return "pw-" + address }

// startServers starts all three and waits until they answer. The addresses in users get mailboxes;
// mail to anyone else in our domains is refused, mail elsewhere comes back as a bounce. A failing test
// shows the end of each server's log. Where the servers cannot run the test is skipped, or fails when
// BUSTIA_REQUIRE_SERVERS=1 or CI=true.
func startServers(t *testing.T, users []string) *servers {
	t.Helper()
	requireServers(t)
	requirePostgres(t)
	dir := serverDir(t)
	ports := freePorts(t, 5)
	s := &servers{
		IMAPHost:       loopback,
		IMAPPort:       ports[0],
		IMAPSPort:      ports[1],
		SubmissionPort: ports[2],
		CAFile:         filepath.Join(dir, "ca.pem"),
	}
	var err error
	if s.roots, err = writeCertificates(dir); err != nil {
		t.Fatal(err)
	}
	imap := dovecotServer{dir: dir, imap: s.IMAPPort, imaps: s.IMAPSPort, lmtp: ports[3], auth: ports[4], users: users}
	mta := postfixServer{dir: dir, submission: s.SubmissionPort, lmtp: imap.lmtp, auth: imap.auth, users: users}

	var all errgroup.Group
	all.Go(func() error { return imap.start(t) })
	all.Go(func() error { return mta.start(t) })
	all.Go(func() (err error) { s.postgres, err = startPostgres(t); return err })
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	s.PostgresURL = s.postgresURL(t)
	return s
}

// requireServers skips the test, or fails it, when Dovecot and Postfix cannot run here.
func requireServers(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "Dovecot and Postfix need root, to run each part as its own user")
	}
	for _, program := range []string{"dovecot", "postfix", "postconf"} {
		if _, err := exec.LookPath(program); err != nil {
			unavailable(t, program+" is not installed (.ci/install does it)")
		}
	}
	for _, name := range []string{"dovecot", "dovenull", "postfix", mailOwner} {
		if _, err := user.Lookup(name); err != nil {
			unavailable(t, err.Error())
		}
	}
	if out, err := exec.Command("dovecot", "--version").Output(); err != nil || !strings.HasPrefix(string(out), "2.3.") {
		unavailable(t, fmt.Sprintf("this configuration is for Dovecot 2.3, here is %q, %v", out, err))
	}
}

// unavailable ends a test that needs what this machine does not have.
func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" || os.Getenv("BUSTIA_REQUIRE_SERVERS") == "1" {
		t.Fatalf("the real servers are required and cannot run: %s", why)
	}
	t.Skipf("NOT TESTED against real servers: %s", why)
}

// serverDir is a folder that the servers' own users may enter, which t.TempDir is not. Its name is
// short: it holds Unix sockets.
func serverDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bustia-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the servers' folder: %v", err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// freePorts finds n ports on loopback, below those the kernel gives to outgoing connections: nothing
// but another server can take one between now and its use.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := 15000 + mathrand.IntN(15000)
		l, err := net.Listen("tcp", onLoopback(port))
		if err != nil {
			continue // taken, or ours already
		}
		defer l.Close()
		ports = append(ports, port)
	}
	t.Fatalf("found %d free ports on loopback, want %d", len(ports), n)
	return nil
}

func onLoopback(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// serverProcess is a server we run in the foreground, as our child.
type serverProcess struct {
	name    string
	pid     int
	stop    syscall.Signal
	logs    []string
	ended   chan struct{} // closed when the process is gone
	err     error         // how it ended; read after ended
	release func() error  // of its guard
}

// launch starts command and sees to its end: t's clean-up sends stop to the recorded pid, and a guard
// does if we die first. Its output goes to out; a failed test shows the ends of out and logs.
func launch(t *testing.T, command *exec.Cmd, stop syscall.Signal, out string, logs ...string) (*serverProcess, error) {
	output, err := os.OpenFile(out, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	// A session of its own: Postfix insists, and killing its group ends what it has started.
	command.SysProcAttr.Setsid = true
	name := filepath.Base(command.Path)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	d := &serverProcess{name: name, pid: command.Process.Pid, stop: stop, logs: append(logs, out), ended: make(chan struct{})}
	go func() {
		d.err = command.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() { d.end(t) })
	d.release, err = guard(d.pid, stop)
	return d, err
}

// guard ends a server when this process dies without doing so itself: killed, or out of time. (A
// parent death signal would not do: Postfix's master loses it when it changes its user.) release ends
// the guard alone.
func guard(pid int, stop syscall.Signal) (release func() error, err error) {
	watch := exec.Command("sh", "-c", `read told || kill -s "$0" -- "-$1"`, strconv.Itoa(int(stop)), strconv.Itoa(pid))
	watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt at the terminal is not for it
	told, err := watch.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := watch.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return func() error {
		if _, err := fmt.Fprintln(told, "ended"); err != nil {
			return err
		}
		return watch.Wait()
	}, nil
}

// end stops the server and whatever it has started, and shows its logs when the test has failed.
func (d *serverProcess) end(t *testing.T) {
	select {
	case <-d.ended:
		t.Errorf("%s ended before the test did: %v", d.name, d.err)
	default:
		syscall.Kill(d.pid, d.stop)
		select {
		case <-d.ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s (pid %d) did not stop at %v; killed", d.name, d.pid, d.stop)
			syscall.Kill(d.pid, syscall.SIGKILL)
			<-d.ended
		}
	}
	// What it has left behind would still write into the folder that goes next.
	syscall.Kill(-d.pid, syscall.SIGKILL)
	if d.release != nil {
		if err := d.release(); err != nil {
			t.Errorf("release the guard of %s: %v", d.name, err)
		}
	}
	if !t.Failed() {
		return
	}
	for _, log := range d.logs {
		if tail := lastLines(log, 60); tail != "" {
			t.Logf("%s, end of %s:\n%s", d.name, filepath.Base(log), tail)
		}
	}
}

// ready waits until probe succeeds.
func (d *serverProcess) ready(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.ended:
			return fmt.Errorf("%s ended while starting: %v", d.name, d.err)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", d.name, err)
		case <-tick.C:
		}
	}
}

// greeted is a probe: the server at port says something beginning with want.
func greeted(port int, want string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", onLoopback(port))
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		got := make([]byte, len(want))
		if _, err := conn.Read(got); err != nil {
			return err
		}
		if string(got) != want {
			return fmt.Errorf("greeting %q, want %q", got, want)
		}
		return nil
	}
}

// lastLines is the end of a log, "" when there is none.
func lastLines(file string, n int) string {
	b, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// writeConfig writes a configuration file, owned by owner when that is not "".
func writeConfig(file, owner, content string) error {
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		return err
	}
	if owner == "" {
		return nil
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return err
	}
	return chown(file, owner)
}

func chown(file, owner string) error {
	c, err := runAs(owner)
	if err != nil {
		return err
	}
	return os.Chown(file, int(c.Uid), int(c.Gid))
}

// runAs is what a process needs to run as the named user.
func runAs(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// writeCertificates makes an authority (ca.pem) and the servers' certificate (cert.pem, key.pem) in dir.
func writeCertificates(dir string) (*x509.CertPool, error) {
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "bustia test authority"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    ca.NotBefore,
		NotAfter:     ca.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.ParseIP(loopback)},
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	write := func(name, kind string, der []byte, mode fs.FileMode) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
		}
	}
	write("ca.pem", "CERTIFICATE", caDER, 0o644)
	write("cert.pem", "CERTIFICATE", der, 0o644)
	write("key.pem", "PRIVATE KEY", keyDER, 0o600)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}))
	return pool, err
}
