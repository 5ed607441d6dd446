package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// logged is a log that tests wait on.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wait waits until the log says want n times.
func (l *logged) wait(t *testing.T, want string, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for strings.Count(l.String(), want) < n {
		select {
		case <-l.more:
		case <-late:
			t.Fatalf("the log never said %q %d times:\n%s", want, n, l)
		}
	}
}

// ownConfig writes the sample configuration out, as an admin would, and points it at the servers' ports.
func ownConfig(t *testing.T, imap, smtp string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "own")
	if status, _, errOut := bustia(t, "", "demo", "--write", dir); status != 0 {
		t.Fatal(errOut)
	}
	file := filepath.Join(dir, "mailboxes.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for was, addr := range map[string]string{"1143": imap, "1587": smtp} {
		_, port, _ := strings.Cut(addr, ":")
		text = regexp.MustCompile(`port: `+was).ReplaceAll(text, []byte("port: "+port))
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BUSTIA_PASSWORD", demoPassword)
	return dir
}

func everybody(t *testing.T) map[string]string {
	t.Helper()
	cfg, faults := config.Load(config.Sample(), config.Env{Now: demoStart, Getenv: sampleEnv})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	users := map[string]string{"citizen@example.org": demoPassword}
	for _, m := range cfg.Mailboxes {
		users[m.Address] = demoPassword
	}
	for _, a := range cfg.Agents {
		users[a.Address] = demoPassword
	}
	return users
}

// startDaemon runs `bustia run -c dir` until the test ends or stop is called; stop gives its exit status.
func startDaemon(t *testing.T, dir string) (log *logged, stop func() int) {
	t.Helper()
	log = &logged{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, program{In: strings.NewReader(""), Out: log, Err: log, Clock: func() time.Time { return demoStart }}, []string{"run", "-c", dir})
	}()
	stop = sync.OnceValue(func() int { cancel(); return <-status })
	t.Cleanup(func() { stop() })
	return log, stop
}

// The daemon as it is run: mail in, acknowledgement and notice out, reload by SIGHUP, good and bad,
// and a stop in good order.
func TestRun(t *testing.T) {
	server, err := mailtest.Start(mailtest.Options{Users: everybody(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dir := ownConfig(t, server.IMAPAddr(), server.SMTPAddr())
	log, stop := startDaemon(t, dir)
	deliver := func(n int) {
		t.Helper()
		mail := fmt.Sprintf("From: citizen@example.org\r\nTo: bustia@example.cat\r\nSubject: Targeta\r\nMessage-ID: <%d@example.org>\r\n\r\nHe perdut la targeta sanitària.\r\n", n)
		if err := server.Deliver("bustia@example.cat", []byte(mail), demoStart); err != nil {
			t.Fatal(err)
		}
	}
	got := func(address string, n int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := server.Wait(ctx, func() bool { return len(server.Mails(address)) >= n }); err != nil {
			t.Fatalf("%s got %d mails, want %d: %v\n%s", address, len(server.Mails(address)), n, err, log)
		}
	}
	deliver(1)
	got("citizen@example.org", 1)
	if ack := mailbox.Parse(server.Mails("citizen@example.org")[0].Raw); mailbox.Refs(ack).Case == "" {
		t.Errorf("the acknowledgement has no reference: %s", ack.Subject)
	}

	hup := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "about.yaml")
	edit(t, file, "domain: bustia.example.cat", "domain: not a domain")
	hup()
	log.wait(t, "configuration not loaded, the old one goes on", 1)
	deliver(2)
	got("citizen@example.org", 2)
	edit(t, file, "domain: not a domain", "domain: new.example.cat")
	hup()
	log.wait(t, "configuration loaded", 1)
	deliver(3)
	got("citizen@example.org", 3)
	if id := mailbox.Parse(server.Mails("citizen@example.org")[2].Raw).MessageID; !strings.HasSuffix(string(id), "@new.example.cat") {
		t.Errorf("the new configuration is not in force: %s", id)
	}
	if status := stop(); status != 0 {
		t.Errorf("stopped with status %d:\n%s", status, log)
	}
	for _, secret := range []string{demoPassword + "\"", "password=" + demoPassword, "citizen@example.org"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
	status, out, errOut := bustia(t, "", "ledger", "-c", dir, "--json")
	if status != 0 || !strings.Contains(out, `"seen":3,"accounted":3`) {
		t.Errorf("ledger: status %d: %s%s", status, out, errOut)
	}
	compare := func(want int, words ...string) {
		t.Helper()
		status, out, errOut := bustia(t, "", "ledger", "-c", dir, "--compare")
		for _, w := range words {
			if status != want || !strings.Contains(out, w) {
				t.Errorf("compare: status %d, want %d and %q: %s%s", status, want, w, out, errOut)
			}
		}
	}
	compare(0, "corporate INBOX: 3 on the server, all in the ledger", "salut INBOX: 0 on the server")
	deliver(4) // nobody reads it
	compare(1, "corporate INBOX: 4 on the server, NOT in the ledger", ": [4]", "salut INBOX: 0 on the server")
	reference := string(mailbox.Refs(mailbox.Parse(server.Mails("citizen@example.org")[0].Raw)).Case)
	if status, _, errOut := bustia(t, "", "assign", "-c", dir, reference, "habitatge/lloguer"); status != 0 {
		t.Errorf("assign: %s", errOut)
	}
	if status, _, errOut := bustia(t, "", "assign", "-c", dir, reference, "nobody"); status != 1 || !strings.Contains(errOut, "nobody") {
		t.Errorf("assign to nobody: status %d: %s", status, errOut)
	}
	if status, _, errOut := bustia(t, "", "close", "-c", dir, reference, "--reason", "test"); status != 0 {
		t.Errorf("close: %s", errOut)
	}
	if status, out, _ := bustia(t, "", "case", "-c", dir, reference, "--json"); status != 0 || !strings.Contains(out, `"state":"closed"`) || !strings.Contains(out, `"theme":"habitatge/lloguer"`) {
		t.Errorf("case: status %d: %s", status, out)
	}
}

// Nothing to connect to is no reason to end: it says so and tries again until there is.
func TestRunBeforeItsServers(t *testing.T) {
	users := everybody(t)
	server, err := mailtest.Start(mailtest.Options{Users: users})
	if err != nil {
		t.Fatal(err)
	}
	imap, smtp := server.IMAPAddr(), server.SMTPAddr()
	server.Close()
	dir := ownConfig(t, imap, smtp)
	log, stop := startDaemon(t, dir)
	log.wait(t, "connection refused", 5) // each mailbox
	imapPort, _ := portOf(imap)
	smtpPort, _ := portOf(smtp)
	server, err = mailtest.Start(mailtest.Options{Users: users, IMAPPort: imapPort, SMTPPort: smtpPort})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	mail := "From: citizen@example.org\r\nTo: bustia@example.cat\r\nSubject: Targeta\r\nMessage-ID: <1@example.org>\r\n\r\nHe perdut la targeta sanitària.\r\n"
	if err := server.Deliver("bustia@example.cat", []byte(mail), demoStart); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Wait(ctx, func() bool { return len(server.Mails("citizen@example.org")) == 1 }); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if status := stop(); status != 0 {
		t.Errorf("stopped with status %d:\n%s", status, log)
	}
}

// A store that does not answer is waited for, and its password is not shown.
func TestRunWithoutStore(t *testing.T) {
	dir := ownConfig(t, "127.0.0.1:1", "127.0.0.1:1")
	edit(t, filepath.Join(dir, "about.yaml"), "store: sqlite:bustia.db", "store: postgres://bustia:sesame@127.0.0.1:1/bustia")
	log, stop := startDaemon(t, dir)
	log.wait(t, "store not opened, will try again", 2)
	if status := stop(); status != 0 {
		t.Errorf("stopped with status %d:\n%s", status, log)
	}
	if strings.Contains(log.String(), "sesame") {
		t.Errorf("the log shows the password:\n%s", log)
	}
}
