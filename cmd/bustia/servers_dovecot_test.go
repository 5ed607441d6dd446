//go:build integration

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// mailOwner owns every mailbox's files; Debian always has it.
const mailOwner = "mail"

// deliveryLimit is how long a mail may take from submission to its mailbox.
const deliveryLimit = 30 * time.Second

// dovecotServer keeps the mailboxes (IMAP), takes in mail (LMTP) and checks passwords for Postfix (SASL).
type dovecotServer struct {
	dir                     string
	imap, imaps, lmtp, auth int // ports
	users                   []string
	settings                string // of its configuration, besides ours; the last one of a name counts
}

// start writes the configuration and starts Dovecot.
func (d dovecotServer) start(t *testing.T) error {
	_, err := d.launch(t)
	return err
}

// launch is start for who asks what the server costs.
func (d dovecotServer) launch(t *testing.T) (*serverProcess, error) {
	home := filepath.Join(d.dir, "dovecot")
	mail := filepath.Join(d.dir, "mail")
	for _, dir := range []string{home, mail} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := chown(mail, mailOwner); err != nil {
		return nil, err
	}
	var users strings.Builder
	for _, u := range d.users {
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", u, password(u))
	}
	if err := writeConfig(filepath.Join(home, "users"), "dovecot", users.String()); err != nil {
		return nil, err
	}
	if err := writeConfig(d.configFile(), "", d.config(home, mail)); err != nil {
		return nil, err
	}
	log := filepath.Join(home, "dovecot.log")
	run, err := launch(t, exec.Command("dovecot", "-F", "-c", d.configFile()), syscall.SIGTERM, filepath.Join(home, "out"), log)
	if err != nil {
		return nil, err
	}
	for port, greeting := range map[int]string{d.imap: "* OK", d.lmtp: "220 "} {
		if err := run.ready(t.Context(), greeted(port, greeting)); err != nil {
			return nil, err
		}
	}
	return run, nil
}

func (d dovecotServer) configFile() string { return filepath.Join(d.dir, "dovecot", "dovecot.conf") }

func (d dovecotServer) config(home, mail string) string {
	return fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
instance_name = bustia-test
log_path = %[1]s/dovecot.log
hostname = mail.example.cat
postmaster_address = postmaster@example.cat
protocols = imap lmtp
listen = %[3]s
recipient_delimiter = +

ssl = required
ssl_cert = <%[2]s/cert.pem
ssl_key = <%[2]s/key.pem

auth_mechanisms = plain login
# A wrong password need not cost a test two seconds.
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = username_format=%%u %[1]s/users
}
userdb {
  driver = static
  args = uid=%[4]s gid=%[4]s home=%[5]s/%%u
}

mail_location = maildir:~/Maildir
mail_fsync = never
first_valid_uid = 1
mail_max_userip_connections = 0
namespace inbox {
  inbox = yes
}

service imap-login {
  inet_listener imap {
    port = %[6]d
  }
  inet_listener imaps {
    port = %[7]d
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    port = %[8]d
  }
}
service auth {
  inet_listener sasl {
    port = %[9]d
  }
}
protocol lmtp {
  # LMTP carries no password; it is the private Postfix that speaks it.
  ssl = no
}
%[10]s
`, home, d.dir, loopback, mailOwner, mail, d.imap, d.imaps, d.lmtp, d.auth, d.settings)
}

// mails are all mails in the INBOX of address, oldest first. It marks nothing.
func (s *servers) mails(t *testing.T, address string) [][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deliveryLimit)
	defer cancel()
	client, _, err := s.inbox(ctx, address)
	if err != nil {
		t.Fatalf("open the mailbox of %s: %v", address, err)
	}
	defer client.Close()
	found, _, err := mailsAbove(client, 0)
	if err != nil {
		t.Fatalf("read the mailbox of %s: %v", address, err)
	}
	return found
}

// waitMail is the first mail in the INBOX of address, there or still to come, that match says yes to.
func (s *servers) waitMail(t *testing.T, address string, match func(raw []byte) bool) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deliveryLimit)
	defer cancel()
	client, news, err := s.inbox(ctx, address)
	if err != nil {
		t.Fatalf("open the mailbox of %s: %v", address, err)
	}
	defer client.Close()
	var last imap.UID
	var seen []string
	for {
		found, upTo, err := mailsAbove(client, last)
		last = upTo
		for _, raw := range found {
			if match(raw) {
				return raw
			}
			seen = append(seen, headerSection(raw))
		}
		if err == nil {
			err = waitForNews(ctx, client, news)
		}
		if err != nil {
			t.Fatalf("no such mail reached %s: %v; it has:\n%s", address, err, strings.Join(seen, "\n"))
		}
	}
}

// inbox logs in as address and selects its INBOX. The channel hears of new mail. go-imap itself never
// gives up waiting for an answer, so the connection is closed when ctx ends.
func (s *servers) inbox(ctx context.Context, address string) (*imapclient.Client, <-chan struct{}, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.IMAPHost, fmt.Sprint(s.IMAPPort)))
	if err != nil {
		return nil, nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	news := make(chan struct{}, 1)
	client, err := imapclient.NewStartTLS(conn, &imapclient.Options{
		TLSConfig: s.tls(),
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(*imapclient.UnilateralDataMailbox) {
				select {
				case news <- struct{}{}:
				default:
				}
			},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	if err := client.Login(address, password(address)).Wait(); err != nil {
		conn.Close()
		return nil, nil, err
	}
	if _, err := client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return client, news, nil
}

// tls trusts the private authority only.
func (s *servers) tls() *tls.Config { return &tls.Config{RootCAs: s.roots, ServerName: s.IMAPHost} }

// mailsAbove reads what lies above UID last, and how far that went.
func mailsAbove(client *imapclient.Client, last imap.UID) ([][]byte, imap.UID, error) {
	found, err := client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: last + 1}}}}, nil).Wait()
	if err != nil {
		return nil, last, err
	}
	var uids imap.UIDSet
	for _, uid := range found.AllUIDs() {
		if uid > last { // "n:*" always names the newest mail too (RFC 9051 section 9)
			uids.AddNum(uid)
		}
	}
	if len(uids) == 0 {
		return nil, last, nil
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := client.Fetch(uids, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil {
		return nil, last, err
	}
	var mails [][]byte
	for _, m := range fetched {
		mails = append(mails, m.FindBodySection(whole))
		last = max(last, m.UID)
	}
	return mails, last, nil
}

// waitForNews waits (IDLE) until the mailbox has changed.
func waitForNews(ctx context.Context, client *imapclient.Client, news <-chan struct{}) error {
	waiting, err := client.Idle()
	if err != nil {
		return err
	}
	select {
	case <-news:
	case <-client.Closed():
		return fmt.Errorf("connection closed: %w", context.Cause(ctx))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := waiting.Close(); err != nil {
		return err
	}
	return waiting.Wait()
}

// headerSection is a mail's header section, for a reader who looks why it did not match.
func headerSection(raw []byte) string {
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return string(header) + "\n"
}
