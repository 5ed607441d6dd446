package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
)

const corporate = "bustia@example.cat"

// byHand is a person's mail client at the corporate mailbox.
type byHand struct {
	*testing.T
	client *imapclient.Client
}

func openByHand(t *testing.T, server *mailtest.Server) byHand {
	t.Helper()
	client, err := imapclient.DialInsecure(server.IMAPAddr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // the server may be gone
	h := byHand{t, client}
	h.must(client.Login(corporate, demoPassword).Wait())
	return h
}

func (h byHand) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h byHand) put(folder string, raw []byte, at time.Time, flags ...imap.Flag) {
	h.Helper()
	command := h.client.Append(folder, int64(len(raw)), &imap.AppendOptions{Time: at, Flags: flags})
	_, err := command.Write(raw)
	h.must(err)
	h.must(command.Close())
	_, err = command.Wait()
	h.must(err)
}

// count is how many mails a folder has.
func (h byHand) count(folder string) uint32 {
	h.Helper()
	data, err := h.client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	h.must(err)
	return data.NumMessages
}

// backToInbox moves everything from a folder back by hand.
func (h byHand) backToInbox(folder string) {
	h.Helper()
	_, err := h.client.Select(folder, nil).Wait()
	h.must(err)
	_, err = h.client.Move(imap.UIDSet{{Start: 1}}, "INBOX").Wait()
	h.must(err)
}

// question is a citizen's mail, of so many bytes more than usual.
func question(n, more int) []byte {
	return fmt.Appendf(nil, "From: c%d@example.org\r\nTo: bustia@example.cat\r\nSubject: Targeta %d\r\nMessage-ID: <%d@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHe perdut la targeta sanitària.\r\n%s",
		n, n, n, bytes.Repeat([]byte("x\r\n"), more/3))
}

// TestTakeOver has the daemon take over a mailbox that people worked in for years, in two folders, and
// then do to it whatever people do.
func TestTakeOver(t *testing.T) {
	users := everybody(t)
	for n := range 10 {
		users[fmt.Sprintf("c%d@example.org", n)] = demoPassword
	}
	server, err := mailtest.Start(mailtest.Options{Users: users})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	h := openByHand(t, server)
	for _, folder := range []string{"Correu brossa", "Fet"} {
		h.must(h.client.Create(folder, nil).Wait())
	}
	since := time.Date(2026, 4, 1, 0, 0, 0, 0, demoZone)
	h.put("INBOX", question(1, 0), since.AddDate(-2, 0, 0), imap.FlagSeen)
	h.put("INBOX", question(2, 0), since.Add(-time.Minute))
	h.put("INBOX", question(3, 0), since, imap.FlagSeen)
	h.put("Correu brossa", question(4, 0), since.AddDate(0, 0, -9))
	h.put("Correu brossa", question(5, 0), since.Add(time.Hour), imap.FlagDeleted)

	dir := ownConfig(t, server.IMAPAddr(), server.SMTPAddr())
	file := filepath.Join(dir, "mailboxes.yaml")
	edit(t, file, "    imap: &imap\n", "    since: 2026-04-01\n    archive: true\n    max_size: 64 KB\n    after: {move: Fet}\n    imap: &imap\n")
	edit(t, file, "      password_env: BUSTIA_PASSWORD\n", "      password_env: BUSTIA_PASSWORD\n      folders: [INBOX, Correu brossa]\n")
	for _, m := range []string{"salut", "dretssocials", "territori", "aran"} { // theirs is INBOX alone
		edit(t, file, "imap: {<<: *imap, username: bustia."+m+"@", "imap: {<<: *imap, folders: [INBOX], username: bustia."+m+"@")
	}

	log, stop := startDaemon(t, dir)
	acknowledged := func(n int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := server.Wait(ctx, func() bool { return len(toCitizens(server)) >= n }); err != nil {
			t.Fatalf("%v: citizens got %v\n%s", err, toCitizens(server), log)
		}
	}
	acknowledged(2) // 3 and 5
	h.put("INBOX", question(6, 100_000), demoStart)
	acknowledged(3)
	h.put("INBOX", question(7, 0), since.AddDate(-1, 0, 0), imap.FlagSeen, imap.FlagAnswered)
	acknowledged(4)
	log.wait(t, "disposition=case", 4)

	// What was moved away comes back by hand, then the folder is made anew from a backup.
	moved := func(n uint32) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := server.Wait(ctx, func() bool { return h.count("Fet") == n }); err != nil {
			t.Fatalf("%v: %d mails in Fet, want %d\n%s", err, h.count("Fet"), n, log)
		}
	}
	moved(3) // 3, 5 and 7
	if left, junk := h.count("INBOX"), h.count("Correu brossa"); left != 3 || junk != 1 {
		t.Errorf("%d mails left in INBOX and %d in the junk folder, want the 3 past and large ones and 1", left, junk)
	}
	h.backToInbox("Fet")
	log.wait(t, "disposition=duplicate", 3)
	moved(3)
	if err := server.Recreate(corporate); err != nil {
		t.Fatal(err)
	}
	h = openByHand(t, server)
	for _, n := range []int{1, 2, 3, 7} {
		h.put("INBOX", question(n, 0), since.AddDate(0, 0, n-3))
	}
	h.put("INBOX", question(6, 100_000), demoStart)
	h.put("INBOX", question(8, 0), demoStart)
	acknowledged(5)
	log.wait(t, "disposition=case", 5)
	if status := stop(); status != 0 {
		t.Errorf("stopped with status %d:\n%s", status, log)
	}

	want := []string{"c3@example.org", "c5@example.org", "c6@example.org", "c7@example.org", "c8@example.org"}
	if diff := cmp.Diff(want, toCitizens(server)); diff != "" {
		t.Errorf("citizens written to (-want +got):\n%s\n%s", diff, log)
	}
	for _, mail := range server.Accepted() {
		_, text, _ := strings.Cut(string(mail.Raw), "\r\n\r\n")
		if got, want := strings.Contains(text, "64 KB"), mail.Recipient == "c6@example.org"; strings.HasSuffix(mail.Recipient, "@example.org") && got != want {
			t.Errorf("%s is told of the limit: %t", mail.Recipient, got)
		}
	}
	wantLedger(t, dir, map[string]map[string]int{
		// First: 1, 2 past; 3, 6, 7. Back by hand: 3, 5, 7. Anew: 1, 2 past; 3, 6, 7 known; 8.
		"INBOX":         {"ignored": 4, "case": 4, "duplicate": 6},
		"Correu brossa": {"ignored": 1, "case": 1},
	})
}

// toCitizens are the citizens who were acknowledged, in the order of their numbers, each as often as they
// were. An old mail's committed time has passed already: its holding reply may come, too, and is no
// acknowledgement.
func toCitizens(server *mailtest.Server) (all []string) {
	for n := range 10 {
		for _, mail := range server.Accepted() {
			if who := fmt.Sprintf("c%d@example.org", n); mail.Recipient == who && mailbox.ParseHeader(mail.Raw).Header.Get("Auto-Submitted") == "auto-replied" {
				all = append(all, who)
			}
		}
	}
	return all
}

func wantLedger(t *testing.T, dir string, want map[string]map[string]int) {
	t.Helper()
	status, out, errOut := bustia(t, "", "ledger", "-c", dir, "--json")
	if status != 0 {
		t.Errorf("ledger: status %d: %s%s", status, out, errOut)
	}
	got := map[string]map[string]int{}
	for line := range strings.Lines(out) {
		var row struct {
			Mailbox, Folder string
			Dispositions    map[string]int
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Mailbox == "corporate" {
			got[row.Folder] = row.Dispositions
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// What several folders say of one server is told once, and a reload in between tells nothing again.
func TestReach(t *testing.T) {
	var log bytes.Buffer
	r := newReach(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	gone := errors.New("no route to host")
	for _, s := range []struct {
		mailbox, folder string
		err             error
	}{
		{"a", "", nil}, {"a", "INBOX", nil}, {"a", "Junk", nil},
		{"a", "", gone}, {"a", "", gone}, {"b", "", gone},
		{"a", "", gone}, // after a reload
		{"a", "", nil}, {"a", "", nil},
		{"a", "Junk", errors.New("no such folder")}, {"a", "INBOX", nil}, {"a", "Junk", nil},
	} {
		r.state(t.Context(), s.mailbox, s.folder, s.err)
	}
	want := `level=ERROR msg="mailbox unreachable" mailbox=a err="no route to host"
level=ERROR msg="mailbox unreachable" mailbox=b err="no route to host"
level=INFO msg="mailbox reachable again" mailbox=a
level=ERROR msg="mailbox unreachable" mailbox=a folder=Junk err="no such folder"
level=INFO msg="mailbox reachable again" mailbox=a folder=Junk
`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
