//go:build integration

package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// TestIsolation has twenty mailboxes, one on a server that accepts and then says nothing, one on a
// server that lies, and one with more mail than all the others. They trouble no other.
func TestIsolation(t *testing.T) {
	cfg := sampleConfig(t)
	boxes := slices.Clone(cfg.Mailboxes)
	for len(boxes) < 20 {
		m := cfg.Mailboxes[1]
		m.Name, m.Address = fmt.Sprintf("box%d", len(boxes)), fmt.Sprintf("box%d@example.cat", len(boxes))
		boxes = append(boxes, m)
	}
	users := map[string]string{}
	for _, m := range boxes {
		users[m.Address] = demoPassword
	}
	for _, a := range cfg.Agents {
		users[a.Address] = demoPassword
	}
	server, err := mailtest.Start(mailtest.Options{Users: users})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for i := range boxes {
		boxes[i].IMAP, boxes[i].SMTP = plainly(boxes[i], at(t, server.IMAPAddr())), plainly(boxes[i], at(t, server.SMTPAddr()))
	}
	hangs, lies, huge, others := &boxes[17], &boxes[18], &boxes[19], boxes[:17]
	silent := startProxy(t, server.IMAPAddr())
	silent.set(faults{hole: true})
	hangs.IMAP.Port = at(t, silent.listener.Addr().String())
	lies.IMAP.Port = startLiar(t)
	deliver := func(m *config.Mailbox, citizen string, more int) {
		t.Helper()
		raw := fmt.Appendf(nil, "From: <%s@example.net>\r\nTo: %s\r\nSubject: Consulta\r\nMessage-ID: <%s@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n%s",
			citizen, m.Address, citizen, questions[0], strings.Repeat(strings.Repeat("x", 70)+"\r\n", more/72))
		if err := server.Deliver(m.Address, raw, demoStart); err != nil {
			t.Fatal(err)
		}
	}
	const many = 400
	for i := range many {
		deliver(huge, fmt.Sprintf("huge%d", i), 10_000)
	}
	deliver(huge, "largest", 30<<20)

	s := newSite(t, "", boxes)
	log, _ := startDaemon(t, s.dir)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log:\n%s", tail(log.String(), 40))
		}
	})
	log.wait(t, "msg=started ", 1)
	began := time.Now()
	for i := range others {
		deliver(&others[i], fmt.Sprintf("other%d", i), 0)
	}
	db := s.open(t)
	answered := func(who string) int {
		return count(t, db, "select count(*) from outgoing where kind = 'acknowledgement' and state = 'sent' and recipient like '"+who+"%@example.net'")
	}
	until(t, 45*time.Second, "every other mailbox's mail is acknowledged", func() bool { return answered("other") == len(others) })
	t.Logf("%d mailboxes answered after %s; of the huge one %d of %d", len(others), time.Since(began).Round(100*time.Millisecond), answered("huge"), many)
	until(t, time.Minute, "the huge mailbox is answered too", func() bool { return answered("huge")+answered("largest") == many+1 })
	t.Logf("the huge one after %s", time.Since(began).Round(100*time.Millisecond))
	if n := count(t, db, "select count(*) from ledger where mailbox in ('"+hangs.Name+"', '"+lies.Name+"') and disposition <> 'quarantine'"); n != 0 {
		t.Errorf("%d mails from mailboxes that gave none", n)
	}
	if !strings.Contains(log.String(), "mailbox="+lies.Name) {
		t.Error("the log is silent about the mailbox that lies")
	}
}

// startLiar is an IMAP server on which everything goes well but what it says of its mails.
func startLiar(t *testing.T) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", onLoopback(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for turn := 0; ; turn++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go lie(conn, turn)
		}
	}()
	return at(t, listener.Addr().String())
}

// lie answers one connection's commands; what it says of its mails is another thing each time.
func lie(conn net.Conn, turn int) {
	defer conn.Close()
	fmt.Fprint(conn, "* OK [CAPABILITY IMAP4rev1] at your service\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		tag, command, _ := strings.Cut(lines.Text(), " ")
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimPrefix(command, "UID ")), " ")
		switch verb {
		case "SELECT", "EXAMINE":
			fmt.Fprint(conn, "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] as ever\r\n* OK [UIDNEXT 2] or so\r\n")
		case "SEARCH":
			fmt.Fprint(conn, "* SEARCH 77 4294967295 1 1 1\r\n")
		case "FETCH":
			fmt.Fprint(conn, []string{
				"* 1 FETCH (UID 1 RFC822.SIZE 99999999999999999999)\r\n",
				"* 1 FETCH (UID 1 RFC822.SIZE 12 INTERNALDATE \"yesterday\")\r\n",
				"* 9 FETCH (UID 5 RFC822.SIZE 12 INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\" BODY[] {900000000}\r\nabc",
				"* 1 FETCH (((((((((((((((((((((\r\n",
				"* 1 FETCH (UID 1 BODY[] {-5}\r\n\x00\xff)\r\n",
			}[turn%5])
		}
		fmt.Fprintf(conn, "%s OK done\r\n", tag)
	}
}
