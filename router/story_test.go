package router

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/store"
)

var update = flag.Bool("update", false, "rewrite the stories' outcomes")

// TestStories plays each testdata/*.txtar on the sample configuration and a store of its own. A
// story is steps, each a file named "DATE TIME WHAT …" in Madrid's time, and the file "want" with
// what came of them:
//
//	2026-04-02 09:12 mail ADDRESS          the file is a citizen's mail to this mailbox
//	2026-04-02 09:12 large ADDRESS         the same, but it has 40 MB, and the file is its header section
//	2026-04-02 10:00 large-reply WHO KIND  such a one in reply to a mail of ours, but for its To
//	2026-04-02 10:00 reply WHO KIND        the file is what WHO (an agent's id, or citizen) writes in
//	                                       reply to the newest mail of KIND they got
//	2026-04-02 10:00 raw-reply WHO KIND    the same, but the file is all of the mail but its To
//	2026-04-08 09:00 sweep                 the clock
//	2026-04-08 09:00 order VERB ARG        the operator, on the newest case
//	2026-04-08 09:00 bounce KIND           a server returns the newest mail of KIND
func TestStories(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newStory(t)
			var want string
			var steps []txtar.File
			for _, f := range archive.Files {
				if f.Name == "want" {
					want = string(f.Data)
					continue
				}
				steps = append(steps, f)
				s.step(f.Name, string(f.Data))
			}
			if *update {
				archive.Files = append(steps, txtar.File{Name: "want", Data: []byte(s.told.String())})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, s.told.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// story is the world of one story.
type story struct {
	t      *testing.T
	ctx    context.Context
	cfg    *config.Config
	file   string
	store  *store.Store
	router *Router
	now    time.Time
	uid    uint32
	event  int64
	mail   map[store.OutgoingID]bool
	ledger map[store.LedgerID]bool
	states map[store.CaseID]string
	told   strings.Builder
}

func sample(t testing.TB) *config.Config {
	t.Helper()
	cfg, faults := config.Load(config.Sample(), config.Env{
		Now:    time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC),
		Getenv: func(string) string { return "secret" },
	})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{t: t, ctx: t.Context(), cfg: sample(t), mail: map[store.OutgoingID]bool{}, ledger: map[store.LedgerID]bool{}, states: map[store.CaseID]string{}}
	for i := range s.cfg.Mailboxes {
		s.cfg.Mailboxes[i].AuthservID = "mx.example.cat"
	}
	var err error
	s.file = filepath.Join(t.TempDir(), "story.db")
	if s.store, err = store.Connect(s.ctx, "sqlite:"+s.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	if s.router, err = New(s.ctx, s.cfg, s.store, func() time.Time { return s.now }, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.router.Close() })
	var n atomic.Int64
	s.router.policy.writer.newID = func() string { return fmt.Sprintf("id%d", n.Add(1)) }
	return s
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// step plays one step and tells what came of it.
func (s *story) step(name, data string) {
	s.t.Helper()
	words := strings.Fields(name)
	if len(words) < 3 {
		s.t.Fatalf("step %q: want DATE TIME WHAT", name)
	}
	cal, _ := s.cfg.Calendar("catalunya")
	s.now = parse(s.t, cal, words[0]+" "+words[1])
	fmt.Fprintf(&s.told, "%s\n", name)
	switch what, args := words[2], words[3:]; what {
	case "mail":
		s.receive(args[0], data)
	case "large":
		s.receive(args[0], data, tooLarge)
	case "large-reply":
		to := s.newest(args[0], args[1])
		s.receive(replyAddress(to), "To: "+replyAddress(to)+"\n"+data, tooLarge)
	case "reply":
		s.reply(args[0], args[1], data)
	case "raw-reply":
		to := s.newest(args[0], args[1])
		s.receive(replyAddress(to), "To: "+replyAddress(to)+"\n"+data)
	case "sweep":
		s.must(s.router.Sweep(s.ctx, s.now))
	case "order":
		s.order(args)
	case "bounce":
		s.bounce(s.newest("", args[0]))
	default:
		s.t.Fatalf("step %q: unknown", name)
	}
	s.tell()
}

// receive takes one mail in at a mailbox and processes it.
func (s *story) receive(to, raw string, changes ...func(*mailbox.Received)) {
	s.t.Helper()
	box, ok := s.cfg.MailboxByAddress(to)
	if !ok {
		s.t.Fatalf("no mailbox %s", to)
	}
	s.uid++
	m := mailbox.Received{Mailbox: box.Name, Folder: "INBOX", UIDValidity: 1, UID: s.uid, InternalDate: s.now,
		Raw: []byte(strings.ReplaceAll(raw, "\n", "\r\n"))}
	for _, change := range changes {
		change(&m)
	}
	s.must(s.router.Receive(s.ctx, []mailbox.Received{m}, box.Name, "INBOX", mailbox.Position{UIDValidity: 1, LastUID: s.uid}))
	s.must(s.router.ProcessPending(s.ctx))
}

// tooLarge makes a mail one that is larger than its mailbox takes.
func tooLarge(m *mailbox.Received) { m.Truncated, m.Size = true, 40<<20 }

// newest is the newest mail of a kind to an agent, to the citizen ("citizen"), or to anybody ("").
func (s *story) newest(who, kind string) (newest store.Outgoing) {
	s.t.Helper()
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		cases, err := tx.Cases(store.CaseFilter{})
		if err != nil {
			return err
		}
		for _, c := range cases {
			all, err := tx.CaseOutgoing(c.ID)
			if err != nil {
				return err
			}
			for _, o := range all {
				to := o.Agent
				if to == "" {
					to = "citizen"
				}
				if o.Kind == kind && (who == "" || who == to) && o.ID > newest.ID && o.State != store.OnHold {
					newest = o
				}
			}
		}
		newest, err = tx.Outgoing(newest.ID)
		return err
	}))
	return newest
}

func replyAddress(o store.Outgoing) string { return mailbox.Parse(o.Raw).ReplyTo[0].Address }

// reply answers the newest mail of a kind as a mail client would: text on top, the mail quoted below.
func (s *story) reply(who, kind, text string) {
	s.t.Helper()
	o := s.newest(who, kind)
	m := mailbox.Parse(o.Raw)
	plain, _ := m.Body()
	quoted := "> " + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(string(plain.Body)), "\r\n", "\n"), "\n", "\n> ")
	s.uid++ // also makes the Message-ID its own
	raw := fmt.Sprintf("From: <%s>\nTo: <%s>\nSubject: Re: %s\nMessage-ID: <r%d@client.example>\nIn-Reply-To: <%s>\nReferences: <%s>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s\n-- \nUn client de correu\n\nEl dj., 2 d'abr. 2026 a les 10:00, Bústia <bustia@example.cat> va escriure:\n%s\n",
		o.Recipient, m.ReplyTo[0].Address, m.Subject, s.uid, m.MessageID, m.MessageID, text, quoted)
	s.receive(m.ReplyTo[0].Address, raw)
}

// bounce returns a mail as servers do (RFC 3464).
func (s *story) bounce(o store.Outgoing) {
	s.t.Helper()
	header, _, _ := strings.Cut(string(o.Raw), "\r\n\r\n")
	s.receive(o.ReversePath, fmt.Sprintf(`Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: %s
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn%d@mx.example.org>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your mail.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; %s
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--b
Content-Type: text/rfc822-headers

%s
--b--
`, o.ReversePath, o.ID, o.Recipient, strings.ReplaceAll(header, "\r\n", "\n")))
}

func (s *story) order(args []string) {
	s.t.Helper()
	var newest store.Case
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		cases, err := tx.Cases(store.CaseFilter{Limit: 1})
		newest = cases[0]
		return err
	}))
	err := s.router.Order(s.ctx, newest.Reference, Order{By: "root", Command: Command{Verb: Verb(args[0]), Arg: strings.Join(args[1:], " ")}})
	if err != nil {
		fmt.Fprintf(&s.told, "  error: %v\n", err)
	}
}

// tell writes down what is new: dispositions, events, outgoing mail with the words meant for citizens, deadlines.
func (s *story) tell() {
	s.t.Helper()
	s.must(s.store.View(s.ctx, func(tx *store.Tx) error {
		rows, err := tx.LedgerRows(store.LedgerFilter{})
		if err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b store.Received) int { return int(a.ID - b.ID) })
		for _, r := range rows {
			if !s.ledger[r.ID] {
				s.ledger[r.ID] = true
				fmt.Fprintf(&s.told, "  mail: %s (%s)\n", r.Disposition, r.Reason)
			}
		}
		events, err := tx.EventsAfter(s.event)
		if err != nil {
			return err
		}
		for _, e := range events {
			s.event = e.ID
			c, err := tx.Case(e.CaseID)
			if err != nil {
				return err
			}
			fmt.Fprintf(&s.told, "  %s: %s by %s%s\n", c.Reference, e.Kind, e.Actor, factsOf(e))
		}
		return s.tellCases(tx)
	}))
}

func factsOf(e store.Event) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(e.Facts)) {
		if name != "why" || e.Kind != "opened" && e.Kind != "unfiled" { // the classifier's reasons are its own tests' matter
			text += fmt.Sprintf(" %s=%q", name, e.Facts[name])
		}
	}
	return text
}

func (s *story) tellCases(tx *store.Tx) error {
	cases, err := tx.Cases(store.CaseFilter{})
	if err != nil {
		return err
	}
	slices.Reverse(cases)
	for _, c := range cases {
		all, err := tx.CaseOutgoing(c.ID)
		if err != nil {
			return err
		}
		for _, o := range all {
			if s.mail[o.ID] {
				continue
			}
			s.mail[o.ID] = true
			fmt.Fprintf(&s.told, "  %s → %s (%s): %s\n", o.Kind, o.Recipient, o.State, o.Subject)
			if o.Kind == config.Answer {
				full, err := tx.Outgoing(o.ID)
				if err != nil {
					return err
				}
				m := mailbox.Parse(full.Raw)
				for _, a := range m.Attachments() {
					fmt.Fprintf(&s.told, "    + %s\n", a.Filename)
				}
				plain, _ := m.Body()
				s.told.WriteString("    | " + strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(string(plain.Body), "\r", "")), "\n", "\n    | ") + "\n")
			}
		}
		deadlines, err := tx.Deadlines(c.ID)
		if err != nil {
			return err
		}
		state := fmt.Sprintf("  = %s %s theme=%q agent=%q", c.Reference, c.State, c.Theme, c.Agent)
		for _, d := range deadlines {
			state += fmt.Sprintf(" [%s due %s %s", d.Kind, d.Due.In(s.now.Location()).Format("Mon 2006-01-02"), d.State)
			if !d.Next.IsZero() {
				state += d.Next.In(s.now.Location()).Format(", Mon 2006-01-02 15:04 ") + d.Step
			}
			state += "]"
		}
		if s.states[c.ID] != state {
			s.states[c.ID] = state
			s.told.WriteString(state + "\n")
		}
	}
	return nil
}
