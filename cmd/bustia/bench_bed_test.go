//go:build integration && bench

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	neturl "net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/store"
)

// bed is what is measured on: a Dovecot, a PostgreSQL as durable as it is by itself, and a submission
// server that takes every mail. Nothing is encrypted: what TLS costs is the same for everybody.
type bed struct {
	dir      string
	imap     dovecotServer
	dovecot  *serverProcess
	postgres *postgresServer
	sink     *submission
	program  string // the built bustia
	boxes    int    // of the spare mailboxes, how many are used
}

// spare is how many mailboxes there are to fill: each is used once. Those of the idle part stay empty.
const spare = 100

// limits lets Dovecot keep a session for each of them.
const limits = `
ssl = yes
disable_plaintext_auth = no
mail_max_userip_connections = 0
default_client_limit = 4000
service imap-login {
  service_count = 0
  process_min_avail = 1
  client_limit = 2000
}
service imap {
  process_limit = 2000
}
`

func makeBed(t *testing.T) *bed {
	requireServers(t)
	requirePostgres(t)
	b := &bed{dir: serverDir(t)}
	if _, err := writeCertificates(b.dir); err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 4)
	b.imap = dovecotServer{dir: b.dir, imap: ports[0], imaps: ports[1], lmtp: ports[2], auth: ports[3], settings: limits}
	for n := range spare {
		b.imap.users = append(b.imap.users, address("bustia", n))
	}
	b.imap.users = append(b.imap.users, idlers(t)...)
	var err error
	if b.dovecot, err = b.imap.launch(t); err != nil {
		t.Fatal(err)
	}
	// What anybody sets who runs a server of this size. Durability is as it comes: all on.
	settings := []string{"shared_buffers=512MB", "max_wal_size=4GB"}
	if profile() != "" {
		settings = append(settings, "shared_preload_libraries=pg_stat_statements", "track_io_timing=on")
	}
	if b.postgres, err = privatePostgres(t, settings...); err != nil {
		t.Fatal(err)
	}
	b.sink = startSubmission(t)
	b.program = filepath.Join(b.dir, "bustia")
	build := exec.Command("go", "build", "-trimpath", "-o", b.program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return b
}

func address(name string, n int) string { return fmt.Sprintf("%s%03d@example.cat", name, n) }

// idlers are the mailboxes in which nothing ever happens.
func idlers(t *testing.T) (users []string) {
	t.Helper()
	for n := range setting(t, "BENCH_BOXES", 600) {
		users = append(users, address("idle", n))
	}
	return users
}

// box is a spare mailbox.
func (b *bed) box(t *testing.T) string {
	t.Helper()
	if b.boxes == spare {
		t.Fatalf("all %d mailboxes are used", spare)
	}
	b.boxes++
	return address("bustia", b.boxes-1)
}

// fill puts the mails of a folder that corpus.store has written into a mailbox nobody has used, and
// has Dovecot number them. The files are links: a mailbox costs no room.
func (b *bed) fill(t *testing.T, mails string) (user string) {
	t.Helper()
	user = b.box(t)
	home := filepath.Join(b.dir, "mail", user)
	inbox := filepath.Join(home, "Maildir", "new")
	for _, dir := range []string{inbox, filepath.Join(home, "Maildir", "cur"), filepath.Join(home, "Maildir", "tmp")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(mails)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Link(filepath.Join(mails, f.Name()), filepath.Join(inbox, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return chown(path, mailOwner)
	})
	if err != nil {
		t.Fatal(err)
	}
	status := exec.Command("doveadm", "-c", b.imap.configFile(), "mailbox", "status", "-u", user, "messages", "INBOX")
	out, err := status.CombinedOutput()
	if want := fmt.Sprintf("messages=%d", len(files)); err != nil || !strings.Contains(string(out), want) {
		t.Fatalf("mailbox of %s: %v, %s; want %s", user, err, out, want)
	}
	return user
}

// sink is a submission server that takes everything and keeps nothing but when it took it.
type submission struct {
	address string
	mu      sync.Mutex
	taken   map[string]time.Time // the latest of each citizen
	acks    int                  // mails to citizens
	last    time.Time            // of them
	others  int                  // to agents
}

func startSubmission(t *testing.T) *submission {
	t.Helper()
	l, err := net.Listen("tcp", onLoopback(0))
	if err != nil {
		t.Fatal(err)
	}
	s := &submission{address: l.Addr().String(), taken: map[string]time.Time{}}
	server := smtp.NewServer(s)
	server.Domain = "sink.example.cat"
	server.MaxMessageBytes = 64 << 20
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return s
}

func (s *submission) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &submissionSession{sink: s}, nil
}

// reset forgets what came.
func (s *submission) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken, s.acks, s.others, s.last = map[string]time.Time{}, 0, 0, time.Time{}
}

func (s *submission) acknowledged() (n int, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks, s.last
}

type submissionSession struct {
	sink *submission
	to   []string
}

func (s *submissionSession) Reset()                               { s.to = nil }
func (s *submissionSession) Logout() error                        { return nil }
func (s *submissionSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *submissionSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *submissionSession) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	now := time.Now()
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	for _, to := range s.to {
		if !strings.HasSuffix(to, "@example.org") {
			s.sink.others++
			continue
		}
		s.sink.acks++
		s.sink.taken[to] = now
		s.sink.last = now
	}
	return nil
}

var storeLine = regexp.MustCompile(`(?m)^store: .*$`)

// configure writes the sample configuration, with these mailboxes on our servers and this store.
func (b *bed) configure(t *testing.T, url string, users []string, poll string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(b.dir, "config-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, config.Sample()); err != nil {
		t.Fatal(err)
	}
	about, err := os.ReadFile(filepath.Join(dir, "about.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if u, err := neturl.Parse(url); err == nil && u.User != nil { // the daemon has the password from its environment
		u.User = neturl.User(u.User.Username())
		url = u.String()
	}
	_, port, err := net.SplitHostPort(b.sink.address)
	if err != nil {
		t.Fatal(err)
	}
	var boxes strings.Builder
	boxes.WriteString("mailboxes:\n")
	for i, u := range users {
		name := fmt.Sprintf("box%03d", i)
		if i == 0 {
			name = "corporate"
		}
		fmt.Fprintf(&boxes, "  - name: %s\n    address: %s\n    kind: corporate\n    organisation: atencio-ciutadana\n    circuit: general\n    language: ca\n    poll: %q\n", name, u, poll)
		fmt.Fprintf(&boxes, "    imap: {host: %s, port: %d, tls: none, username: %s, password_file: password-%s}\n", loopback, b.imap.imap, u, u)
		fmt.Fprintf(&boxes, "    smtp: {host: %s, port: %s, tls: none}\n", loopback, port)
		if err := os.WriteFile(filepath.Join(dir, "password-"+u), []byte(password(u)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"about.yaml":     storeLine.ReplaceAllLiteralString(string(about), "store: "+url),
		"mailboxes.yaml": boxes.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// profile is the file for a profile of the daemon, "" when none is wanted.
func profile() string { return os.Getenv("BENCH_PROFILE") }

// run starts the daemon; it stops with the test.
func (b *bed) run(t *testing.T, dir string) *serverProcess {
	t.Helper()
	command := exec.Command(b.program, "run", "-c", dir)
	if file := profile(); file != "" {
		command = exec.Command(os.Args[0], "-test.run=^TestDaemonProfiled$", "-test.cpuprofile="+file, "-test.memprofile="+file+".mem", "-test.memprofilerate=65536", "-test.timeout=0")
		command.Env = []string{"BENCH_DAEMON=" + dir}
	}
	secret, _ := b.postgres.admin.User.Password()
	command.Env = append(append(os.Environ(), "PGPASSWORD="+secret), command.Env...)
	p, err := launch(t, command, syscall.SIGTERM, filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDaemonProfiled is the daemon itself, in a process of its own that the test binary can profile.
func TestDaemonProfiled(t *testing.T) {
	dir := os.Getenv("BENCH_DAEMON")
	if dir == "" {
		t.Skip("runs for a bench with BENCH_PROFILE only")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p := program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Clock: time.Now}
	if status := run(ctx, p, []string{"run", "-c", dir}); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// watch looks at the store the daemon works on, in ways that cost it next to nothing.
type watch struct {
	store *store.Store
	mails uint32 // UIDs are 1 … mails
}

// done says whether every mail of the mailbox "corporate" has its disposition.
func (w watch) done(ctx context.Context) (bool, error) {
	var at store.Position
	var pending []store.LedgerID
	err := w.store.View(ctx, func(tx *store.Tx) (err error) {
		if at, err = tx.Position("corporate", "INBOX"); err == nil {
			pending, err = tx.Pending(1)
		}
		return err
	})
	return at.LastUID == w.mails && len(pending) == 0, err
}

// accounted checks what became of the mails: a case, which is acknowledged, or a follow-up on one that
// is open, of which only its agent hears.
func (w watch) accounted(t *testing.T) (acknowledgements int) {
	t.Helper()
	var boxes []store.MailboxSummary
	err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		boxes, err = tx.LedgerSummary()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, box := range boxes {
		if box.Mailbox != "corporate" {
			continue
		}
		acknowledgements = box.ByDisposition[store.OpenedCase]
		if acknowledgements+box.ByDisposition[store.FollowUp] != int(w.mails) {
			t.Errorf("of %d mails: %v", w.mails, box.ByDisposition)
		}
	}
	return acknowledgements
}
