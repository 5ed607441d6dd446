//go:build integration

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// postfixServer takes mail from who logs in and delivers it to Dovecot. It never connects to anything else.
type postfixServer struct {
	dir                    string
	submission, lmtp, auth int // ports: its own, and Dovecot's two
	users                  []string
}

// start writes the configuration and starts Postfix's master process.
func (p postfixServer) start(t *testing.T) error {
	home := filepath.Join(p.dir, "postfix")
	data := filepath.Join(p.dir, "postfix-data")
	for _, dir := range []string{home, data, filepath.Join(p.dir, "postfix-queue")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := chown(data, "postfix"); err != nil {
		return err
	}
	var users strings.Builder
	for _, u := range p.users {
		fmt.Fprintf(&users, "%s OK\n", u)
	}
	for name, content := range map[string]string{
		"users":     users.String(),
		"main.cf":   p.config(home),
		"master.cf": p.services(),
	} {
		if err := writeConfig(filepath.Join(home, name), "", content); err != nil {
			return err
		}
	}
	// Makes the queue's folders, each with the owner it must have.
	if out, err := exec.Command("postfix", "-c", home, "check").CombinedOutput(); err != nil {
		return fmt.Errorf("postfix check: %w: %s", err, out)
	}
	programs, err := exec.Command("postconf", "-c", home, "-h", "daemon_directory").Output()
	if err != nil {
		return fmt.Errorf("postconf: %w", err)
	}
	master := exec.Command(filepath.Join(strings.TrimSpace(string(programs)), "master"), "-c", home, "-s")
	run, err := launch(t, master, syscall.SIGTERM, filepath.Join(home, "out"), filepath.Join(home, "log"))
	if err != nil {
		return err
	}
	return run.ready(t.Context(), greeted(p.submission, "220 "))
}

func (p postfixServer) config(home string) string {
	return fmt.Sprintf(`
compatibility_level = 3.6
queue_directory = %[2]s/postfix-queue
data_directory = %[2]s/postfix-data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
myhostname = mail.example.cat
myorigin = example.cat
inet_interfaces = %[3]s
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
alias_database =
recipient_delimiter = +
message_size_limit = 52428800
in_flow_delay = 0
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
biff = no

# All mail goes to Dovecot. It refuses what is not ours, after we have accepted it: so that bounces.
virtual_mailbox_domains = example.cat example.org example.com
virtual_mailbox_maps = texthash:%[1]s/users
virtual_mailbox_limit = 0
virtual_transport = lmtp:inet:%[3]s:%[4]d
lmtp_tls_security_level = none
default_transport = lmtp:inet:%[3]s:%[4]d

smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = %[2]s/cert.pem
smtpd_tls_key_file = %[2]s/key.pem
tls_random_source = dev:/dev/urandom
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:%[3]s:%[5]d
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
`, home, p.dir, loopback, p.lmtp, p.auth)
}

// services is master.cf: submission on its port, and what a mail needs on its way from there.
func (p postfixServer) services() string {
	return fmt.Sprintf(`
%s:%d inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
`, loopback, p.submission)
}

// submit sends a mail as the person's own mail client does, logged in as from.
func (s *servers) submit(t *testing.T, from, to string, raw []byte) {
	t.Helper()
	if err := s.send(t.Context(), from, from, to, raw); err != nil {
		t.Fatalf("submit a mail from %s to %s: %v", from, to, err)
	}
}

// send submits one mail, logged in as login ("" = without), under any reverse-path ("" = null). Its
// error is the server's.
func (s *servers) send(ctx context.Context, login, reversePath, to string, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.IMAPHost, fmt.Sprint(s.SubmissionPort)))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	client, err := smtp.NewClientStartTLS(conn, s.tls())
	if err != nil {
		conn.Close()
		return err
	}
	defer client.Close()
	if login != "" {
		if err := client.Auth(sasl.NewPlainClient("", login, password(login))); err != nil {
			return err
		}
	}
	if err := client.SendMail(reversePath, []string{to}, bytes.NewReader(raw)); err != nil {
		return err
	}
	return client.Quit()
}
