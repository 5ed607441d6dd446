//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/bustia/bustia/config"
	"github.com/bustia/bustia/mailbox"
	"github.com/bustia/bustia/mailbox/mailtest"
)

// TestCrash kills the daemon again and again while mail flows in and out, and asks afterwards whether
// every mail is accounted for and nothing was done twice. The moments of the kills follow from a seed,
// which BUSTIA_SEED sets. `make soak` is the long version.
func TestCrash(t *testing.T) {
	requireServers(t)
	requirePostgres(t)
	program := buildBustia(t)
	long := soaking()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			if !long { // when it is long, the figures of one should not depend on the other
				t.Parallel()
			}
			c := startCrash(t, program, kind)
			if long {
				c.mails, c.kills, c.patience = 2000, 100, 20*time.Minute
			}
			c.killAndKill(t)
			c.settle(t)
			c.nothingLost(t)
			c.nothingDoubled(t)
		})
	}
}

// crash is a daemon that is killed, and the people around it.
type crash struct {
	mails, kills int           // to go through
	patience     time.Duration // for the backlog at the end

	site
	program string
	log     *logged
	random  *rand.Rand
	cfg     *config.Config
	imap    *servers // its Dovecot only
	lmtp    int      // port
	sink    *mailtest.Server

	asked, copies, wroteBack, answered int             // mails delivered so far
	read                               int             // of what the sink has
	done                               map[string]bool // what was replied to: "citizen B-…" and "agent B-…"
	underWay                           map[string]bool // Message-IDs whose attempt had begun at a kill
	interrupted                        int             // mails received and not yet processed, at all kills
	starts                             int             // that the log tells of
}

func startCrash(t *testing.T, program, kind string) *crash {
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("BUSTIA_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("BUSTIA_SEED=%d", seed)
	c := &crash{mails: 60, kills: 6, patience: time.Minute, program: program, log: &logged{more: make(chan struct{}, 1)},
		random: rand.New(rand.NewPCG(seed, 0)), cfg: sampleConfig(t), done: map[string]bool{}, underWay: map[string]bool{}}
	var url string
	if kind == "postgres" {
		server, err := startPostgres(t)
		if err != nil {
			t.Fatal(err)
		}
		url = server.fresh(t)
	}
	var addresses []string
	for _, m := range c.cfg.Mailboxes {
		addresses = append(addresses, m.Address)
	}
	c.imap, c.lmtp = startDovecot(t, addresses)
	c.sink = startSink(t, c.cfg)
	for i := range c.cfg.Mailboxes {
		m := &c.cfg.Mailboxes[i]
		m.IMAP = config.Server{Port: c.imap.IMAPPort, TLS: config.StartTLS, CAFile: c.imap.CAFile, Username: m.Address, Password: config.NewSecret(password(m.Address))}
		m.SMTP = plainly(*m, at(t, c.sink.SMTPAddr()))
	}
	c.site = newSite(t, url, c.cfg.Mailboxes)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log:\n%s", tail(c.log.String(), 60))
		}
	})
	return c
}

// startSink takes every mail there is, and answers after a while as servers on a network do: a kill
// may fall between its answer and what the daemon makes of it. It lives in this process, so it
// remembers what it took.
func startSink(t *testing.T, cfg *config.Config) *mailtest.Server {
	t.Helper()
	users := map[string]string{}
	for _, m := range cfg.Mailboxes {
		users[m.Address] = demoPassword
	}
	for _, a := range cfg.Agents {
		users[a.Address] = demoPassword
	}
	sink, err := mailtest.Start(mailtest.Options{Users: users, Data: func(string, []byte) error {
		time.Sleep(20 * time.Millisecond)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return sink
}

// killAndKill lets mail flow in while the daemon is started and killed: mostly at work, at times while
// it still starts.
func (c *crash) killAndKill(t *testing.T) {
	for kill := 1; kill <= c.kills; kill++ {
		daemon := startChild(t, c.program, c.site, c.log)
		if c.random.IntN(5) > 0 {
			c.starts++
			c.log.wait(t, "msg=started ", c.starts)
		}
		moment := time.Duration(c.random.Int64N(int64(1200 * time.Millisecond)))
		killed := time.AfterFunc(moment, func() { daemon.command.Process.Kill() })
		c.flow(t, kill*c.mails/c.kills, moment)
		daemon.command.Wait() // its error is the kill
		killed.Stop()
		c.starts = strings.Count(c.log.String(), "msg=started ")
		c.autopsy(t, kill, moment)
	}
	t.Logf("%d mails in %d kills: %d questions, %d copies of them, %d more from citizens, %d answers of agents",
		c.total(), c.kills, c.asked, c.copies, c.wroteBack, c.answered)
}

func (c *crash) total() int { return c.asked + c.copies + c.wroteBack + c.answered }

// autopsy notes what a kill interrupted. Then time goes by: what was under way is tried again after
// five minutes, and nobody waits so long.
func (c *crash) autopsy(t *testing.T, kill int, moment time.Duration) {
	db := c.open(t)
	defer db.Close()
	if count(t, db, tables(c.store)) == 0 { // killed before it had made them
		return
	}
	for _, row := range pairs(t, db, "select message_id, state from outgoing where state = 'sending'") {
		c.underWay[row[0]] = true
	}
	pending := count(t, db, "select count(*) from ledger where disposition = ''")
	sending := count(t, db, "select count(*) from outgoing where state = 'sending'")
	c.interrupted += pending
	t.Logf("kill %d at %s: %d mails to process, %d being sent", kill, moment.Round(time.Millisecond), pending, sending)
	for _, statement := range []string{
		"update river_job set attempted_at = '2020-01-01 00:00:00' where state = 'running'",
		"delete from river_leader",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// tables asks whether the last of our tables is there.
func tables(url string) string {
	if strings.HasPrefix(url, "sqlite:") {
		return "select count(*) from sqlite_master where name = 'river_leader'"
	}
	return "select count(*) from information_schema.tables where table_name = 'river_leader'"
}

// flow delivers mail until so much was delivered in all, evenly over so long: replies to what has come
// meanwhile, and questions.
func (c *crash) flow(t *testing.T, until int, over time.Duration) {
	post := dialLMTP(t, c.lmtp)
	defer post.Close()
	tick := time.NewTicker(max(over/time.Duration(until-c.total()+1), time.Millisecond))
	defer tick.Stop()
	for c.total() < until {
		<-tick.C
		all := c.sink.Accepted()
		before := c.total()
		for ; c.read < len(all) && c.total() == before; c.read++ {
			c.react(t, post, mailbox.Parse(all[c.read].Raw), all[c.read].Recipient)
		}
		if c.total() == before {
			c.ask(t, post)
		}
	}
}

var questions = []string{
	"He perdut la targeta sanitària. Com en puc demanar un duplicat?",
	"¿Hasta cuándo se puede pedir la ayuda al alquiler?",
	"El tren de rodalies arriba tard cada dia i ningú no avisa.",
	"Encara espero el que em vau dir.",
}

// ask is one more citizen. One in eight writes to two mailboxes at once.
func (c *crash) ask(t *testing.T, post *smtp.Client) {
	c.asked++
	from := fmt.Sprintf("citizen%d@example.net", c.asked)
	to := c.cfg.Mailboxes[0].Address
	raw := fmt.Appendf(nil, "From: <%s>\r\nTo: %s\r\nSubject: Consulta %d\r\nMessage-ID: <%d@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBon dia.\r\n\r\n%s\r\n",
		from, to, c.asked, c.asked, questions[c.random.IntN(len(questions))])
	lmtp(t, post, from, to, raw)
	if c.random.IntN(8) == 0 && c.copies < c.mails/10 {
		c.copies++
		lmtp(t, post, from, c.cfg.Mailboxes[1+c.random.IntN(len(c.cfg.Mailboxes)-1)].Address, raw)
	}
}

// react is a reader of a mail of ours: every third citizen writes back once, every third agent answers.
func (c *crash) react(t *testing.T, post *smtp.Client, mail *mailbox.Message, reader string) {
	who, text, delivered := "citizen", "Hi afegeixo el número %s del meu expedient.", &c.wroteBack
	if !strings.HasSuffix(reader, "@example.net") {
		who, text, delivered = "agent", "Bon dia:\n\nHo hem mirat i és com dieu, assumpte %s.\n\nCordialment,", &c.answered
		if len(mail.ReplyTo) == 0 || !strings.Contains(mail.ReplyTo[0].Address, "+a") {
			return
		}
	}
	reference := string(mailbox.Refs(mail).Case)
	if c.random.IntN(3) != 0 || reference == "" || c.done[who+reference] {
		return
	}
	c.done[who+reference] = true
	*delivered++
	lmtp(t, post, reader, mail.ReplyTo[0].Address, replyMail(t, "gmail", reader, mail, fmt.Sprintf(text, reference)))
}

// settle starts the daemon once more and lets it finish.
func (c *crash) settle(t *testing.T) {
	began := time.Now()
	daemon := startChild(t, c.program, c.site, c.log)
	db := c.open(t)
	until(t, c.patience, "all mails processed and all of ours sent", func() bool {
		return count(t, db, tables(c.store)) == 1 &&
			count(t, db, "select count(*) from ledger where disposition <> ''") >= c.total() &&
			count(t, db, "select count(*) from outgoing where state <> 'sent'") == 0
	})
	t.Logf("settled in %s", time.Since(began).Round(100*time.Millisecond))
	if err := daemon.end(syscall.SIGTERM); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// nothingLost holds the ledger against what lies on the server and what was delivered.
func (c *crash) nothingLost(t *testing.T) {
	command := exec.Command(c.program, "ledger", "--json", "-c", c.dir)
	command.Stderr = t.Output()
	out, err := command.Output()
	if err != nil {
		t.Errorf("ledger: %v\n%s", err, out)
	}
	became := map[string]int{}
	for decode := json.NewDecoder(bytes.NewReader(out)); decode.More(); {
		var row ledgerJSON
		if err := decode.Decode(&row); err != nil {
			t.Fatal(err)
		}
		m, _ := c.cfg.Mailbox(row.Mailbox)
		if n := len(c.imap.mails(t, m.Address)); n != row.Seen || row.Accounted != n || row.Pending != 0 {
			t.Errorf("%s has %d mails, the ledger %+v", row.Mailbox, n, row)
		}
		for d, n := range row.Dispositions {
			became[string(d)] += n
		}
	}
	want := map[string]int{"case": c.asked, "duplicate": c.copies, "follow_up": c.wroteBack, "agent_reply": c.answered}
	maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
	if diff := cmp.Diff(want, became); diff != "" {
		t.Errorf("what became of the mails (-want +got):\n%s", diff)
	}
}

// nothingDoubled holds cases and outgoing mail against what came in, and the sink against the store.
func (c *crash) nothingDoubled(t *testing.T) {
	db := c.open(t)
	if got := count(t, db, "select count(*) from cases"); got != c.asked {
		t.Errorf("%d cases of %d questions", got, c.asked)
	}
	for _, row := range pairs(t, db, "select message_id, count(*) from ledger where disposition = 'case' group by message_id having count(*) > 1") {
		t.Errorf("%s opened %s cases", row[0], row[1])
	}
	for kind, want := range map[string]int{config.Acknowledgement: c.asked, config.Answer: c.answered, config.Receipt: c.answered} {
		if got := count(t, db, "select count(*) from outgoing where kind = '"+kind+"'"); got != want {
			t.Errorf("%d outgoing mails %s, want %d", got, kind, want)
		}
	}
	for _, row := range pairs(t, db, "select min(kind), count(*) from outgoing group by case_id, kind, recipient having count(*) > 1") {
		t.Errorf("%s mails of kind %s about one case to one reader", row[1], row[0])
	}

	arrived := map[string]int{}
	for _, a := range c.sink.Accepted() {
		arrived[string(mailbox.Parse(a.Raw).MessageID)]++
	}
	twice := 0
	for id, n := range arrived {
		if n > 1 {
			twice += n - 1
			if !c.underWay[id] {
				t.Errorf("%s was sent %d times, and no kill fell into an attempt", id, n)
			}
		}
	}
	var ours []string
	for _, row := range pairs(t, db, "select message_id, state from outgoing") {
		ours = append(ours, row[0])
	}
	slices.Sort(ours)
	if diff := cmp.Diff(ours, slices.Sorted(maps.Keys(arrived))); diff != "" {
		t.Errorf("what we say we sent, and what arrived (-ours +arrived):\n%s", diff)
	}
	t.Logf("%d mails sent; %d attempts were under way at a kill, %d of these mails arrived twice; %d mails were received and not yet processed at a kill",
		len(ours), len(c.underWay), twice, c.interrupted)
}
