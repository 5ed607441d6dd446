//go:build integration

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// TestInterop has the daemon read from IMAP servers that administrations have besides Dovecot.
func TestInterop(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, address, password string) (port int){
		"Cyrus":   startCyrus,
		"Courier": startCourier,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := sampleConfig(t).Mailboxes[0]
			startInterop(t, box, start(t, box.Address, password(box.Address))).round(t)
		})
	}
}

// interop is a daemon whose only mailbox is on another maker's server.
type interop struct {
	site
	box    config.Mailbox
	port   int // IMAP
	sink   *mailtest.Server
	placed [][]byte // what was put in the mailbox, in order
}

func startInterop(t *testing.T, box config.Mailbox, port int) *interop {
	t.Helper()
	i := &interop{box: box, port: port, sink: startSink(t, sampleConfig(t))}
	i.box.IMAP, i.box.SMTP = plainly(box, port), plainly(box, at(t, i.sink.SMTPAddr()))
	i.box.IMAP.Password = config.NewSecret(password(box.Address))
	i.box.Poll = "0 0 1 1 *" // so that only IDLE can be what brings mail in time
	i.site = newSite(t, "", []config.Mailbox{i.box})
	return i
}

// round is the walk over what lies there, then IDLE, a citizen acknowledged, an agent's answer, and a
// second start that finds nothing new.
func (i *interop) round(t *testing.T) {
	var odd [][]byte
	for n := range 60 { // more than one command fetches
		odd = append(odd, citizenMail(n, "Bon dia."))
	}
	odd = append(odd,
		citizenMail(100, strings.Repeat("0123456789", 500)),                            // a long line
		citizenMail(101, strings.Repeat(strings.Repeat("x", 70)+"\r\n", 30_000)),       // 2 MB
		citizenMail(102, "Una línia.\r\n.\r\n..\r\n)\r\n* 1 EXISTS\r\na1 OK done\r\n"), // looks like the protocol
		[]byte("Subject: Tot és capçalera\r\nFrom: citizen103@example.net\r\n\r\n"),
	)
	i.place(t, odd...)
	log, stop := startDaemon(t, i.dir)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log:\n%s", tail(log.String(), 30))
		}
	})
	db := i.open(t)
	log.wait(t, "msg=started ", 1)
	processed := func(n int) func() bool {
		return func() bool { return count(t, db, "select count(*) from ledger where disposition <> ''") >= n }
	}
	until(t, time.Minute, "what lay there is processed", processed(len(odd)))
	until(t, time.Minute, "and answered", func() bool { return count(t, db, "select count(*) from outgoing where state <> 'sent'") == 0 })

	began := time.Now()
	i.place(t, citizenMail(200, questions[0]))
	ack := i.arrived(t, "citizen200@example.net")
	t.Logf("acknowledged %s after delivery", time.Since(began).Round(10*time.Millisecond))
	var agent string
	var notice *mailbox.Message
	until(t, time.Minute, "the agent has a notice", func() bool {
		for _, a := range i.sink.Accepted() {
			m := mailbox.Parse(a.Raw)
			if mailbox.Refs(m).Case == mailbox.Refs(ack).Case && !strings.HasSuffix(a.Recipient, "@example.net") {
				agent, notice = a.Recipient, m
				return true
			}
		}
		return false
	})
	i.place(t, append([]byte("Return-Path: <"+agent+">\r\n"), replyMail(t, "thunderbird", agent, notice, "Bon dia:\n\nPodeu demanar el duplicat al vostre CAP.\n\nCordialment,")...))
	until(t, time.Minute, "the answer reaches the citizen", func() bool {
		for _, a := range i.sink.Accepted() {
			if a.Recipient == "citizen200@example.net" && strings.Contains(plainText(mailbox.Parse(a.Raw)), "Podeu demanar el duplicat al vostre CAP.") {
				return true
			}
		}
		return false
	})
	if status := stop(); status != 0 {
		t.Errorf("stopped with status %d", status)
	}
	log, _ = startDaemon(t, i.dir)
	i.place(t, citizenMail(300, questions[0]))
	until(t, time.Minute, "the mail after the second start is processed", processed(len(i.placed)))
	i.asPlaced(t)
}

// asPlaced holds that the ledger has each mail once, byte for byte, with its reception.
func (i *interop) asPlaced(t *testing.T) {
	t.Helper()
	db := i.open(t)
	rows, err := db.QueryContext(t.Context(), "select raw, internal_date, disposition from ledger join ledger_raw on ledger_id = id order by uid")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var raw []byte
		var received int64
		var disposition string
		if err := rows.Scan(&raw, &received, &disposition); err != nil {
			t.Fatal(err)
		}
		if n < len(i.placed) && !bytes.Equal(raw, i.placed[n]) {
			t.Errorf("mail %d has %d bytes, not the %d that were placed", n, len(raw), len(i.placed[n]))
		}
		if got := time.UnixMilli(received); !got.Equal(reception(n)) {
			t.Errorf("mail %d was received at %s", n, got)
		}
		if disposition == "quarantine" {
			t.Errorf("mail %d is in quarantine", n)
		}
	}
	if err := rows.Err(); err != nil || n != len(i.placed) {
		t.Errorf("%d mails in the ledger, %d were placed (%v)", n, len(i.placed), err)
	}
}

func citizenMail(n int, text string) []byte {
	return fmt.Appendf(nil, "Return-Path: <citizen%[1]d@example.net>\r\nFrom: <citizen%[1]d@example.net>\r\nTo: bustia@example.cat\r\nSubject: Consulta %[1]d\r\nMessage-ID: <%[1]d@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%[2]s\r\n", n, text)
}

// reception is the internal date of the mail placed as the nth.
func reception(n int) time.Time { return demoStart.Add(-time.Hour).Add(time.Duration(n) * time.Second) }

// place puts mails in the mailbox, as received one second after the other.
func (i *interop) place(t *testing.T, mails ...[]byte) {
	t.Helper()
	client, err := imapclient.DialInsecure(onLoopback(i.port), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login(i.box.Address, password(i.box.Address)).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, raw := range mails {
		command := client.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: reception(len(i.placed))})
		if _, err := command.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := command.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := command.Wait(); err != nil {
			t.Fatalf("place mail %d: %v", len(i.placed), err)
		}
		i.placed = append(i.placed, raw)
	}
}

// arrived waits for the first mail to an address.
func (i *interop) arrived(t *testing.T, address string) (mail *mailbox.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := i.sink.Wait(ctx, func() bool {
		for _, a := range i.sink.Accepted() {
			if a.Recipient == address {
				mail = mailbox.Parse(a.Raw)
				return true
			}
		}
		return false
	}); err != nil {
		t.Fatalf("nothing for %s: %v", address, err)
	}
	return mail
}

// unpackedServers is where .ci/install puts servers that cannot be installed beside each other.
const unpackedServers = "/var/cache/bustia-test"

// enterUnpacked shows a program the machine as if the server $1 were installed, in a file system of
// its own at $2, and runs the script that follows there.
const enterUnpacked = `set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 bustia "$2"
mkdir "$2/upper" "$2/work" "$2/root"
cp -a "$1/." "$2/upper/"
mount -t overlay overlay -o "lowerdir=/,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --rbind /dev "$2/root/dev"
mount -t proc proc "$2/root/proc"
exec chroot "$2/root" /bin/sh -ec "$3"
`

// unpacked is a command that runs a script where the named server is as good as installed. Killing it
// ends all that the script has started.
func unpacked(name, dir, script string) *exec.Cmd {
	return exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enterUnpacked, "sh", filepath.Join(unpackedServers, name), dir, script)
}

// startUnpacked starts a server by a script that ends with it in the foreground, and waits until it
// greets. Where that cannot be the test is skipped, or fails (see unavailable).
func startUnpacked(t *testing.T, name, script string, port int) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "only root can show a program another file system")
	}
	if _, err := os.Stat(filepath.Join(unpackedServers, name)); err != nil {
		unavailable(t, name+" is not unpacked (.ci/install does it)")
	}
	dir := serverDir(t)
	if out, err := unpacked(name, dir, "true").CombinedOutput(); err != nil {
		unavailable(t, fmt.Sprintf("an overlay cannot be mounted: %v: %s", err, out))
	}
	run, err := launch(t, unpacked(name, dir, script), syscall.SIGKILL, filepath.Join(serverDir(t), "out"))
	if err != nil {
		t.Fatal(err)
	}
	if err := run.ready(t.Context(), greeted(port, "* OK")); err != nil {
		t.Fatal(err)
	}
}
