package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// intake is testdata/valid with further keys for the first mailbox and its imap.
func intake(t *testing.T, keys, imap string) (*Config, Faults) {
	t.Helper()
	files := edited(t, "mailboxes.yaml", "threshold: 0.6\n", "threshold: 0.6\n    "+keys+"\n")
	data := strings.Replace(string(files["mailboxes.yaml"].Data), "imap: {", "imap: {"+imap, 1)
	files["mailboxes.yaml"].Data = []byte(data)
	return Load(files, testEnv(t))
}

func TestIntake(t *testing.T) {
	type want struct {
		MaxSize Size
		Since   Date
		Archive bool
		After   After
		Folder  string
		Folders []string
	}
	check := func(keys, imap string, w want) {
		t.Helper()
		c, faults := intake(t, keys, imap)
		for _, f := range faults {
			t.Error(f)
		}
		if c == nil {
			t.Fatalf("%s %s: not loaded", keys, imap)
		}
		m := c.Mailboxes[0]
		if diff := cmp.Diff(w, want{m.MaxSize, m.Since, m.Archive, m.After, m.IMAP.Folder, m.IMAP.Folders}); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", keys, imap, diff)
		}
	}
	inbox := []string{"INBOX"}
	check("", "", want{30 * MB, Date{}, false, After{Do: Keep}, "INBOX", inbox})
	check("max_size: 500 KB", "", want{500 * KB, Date{}, false, After{Do: Keep}, "INBOX", inbox})
	check("since: 2026-01-31", "", want{30 * MB, Date{2026, time.January, 31}, false, After{Do: Keep}, "INBOX", inbox})
	check("archive: true", "", want{30 * MB, Date{}, true, After{Do: Keep}, "INBOX", inbox})
	check("after: seen", "folder: inbox, ", want{30 * MB, Date{}, false, After{Do: Seen}, "INBOX", inbox})
	check("after: flag", "folder: Entrada, ", want{30 * MB, Date{}, false, After{Do: Flag}, "Entrada", []string{"Entrada"}})
	check("after: {move: Fet/2026}", "folders: [Inbox, Junk], ", want{30 * MB, Date{}, false, After{Move, "Fet/2026"}, "INBOX", []string{"INBOX", "Junk"}})
}

func TestIntakeFaults(t *testing.T) {
	check := func(keys, imap, want string) {
		t.Helper()
		_, faults := intake(t, keys, imap)
		if diff := cmp.Diff(strings.TrimLeft(want, "\n"), lines(faults)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", keys, imap, diff)
		}
	}
	check("max_size: 30", "", `
mailboxes.yaml:10:15: mailboxes[0].max_size: "30" has no unit we know: say "30 MB" or "500 KB"
`)
	check("max_size: 3 GB", "", `
mailboxes.yaml:10:15: mailboxes[0].max_size: "3 GB" has no unit we know: say "30 MB" or "500 KB"
`)
	check("max_size: 200 MB", "", `
mailboxes.yaml:10:15: mailboxes[0].max_size: "200 MB": between 64 KB and 90 MB
`)
	check("since: 1/11/2026", "", `
mailboxes.yaml:10:12: mailboxes[0].since: "1/11/2026" is no day: say 2026-11-01 (year, month, day)
`)
	check("since: 2026-11-31", "", `
mailboxes.yaml:10:12: mailboxes[0].since: "2026-11-31" is no day: say 2026-11-01 (year, month, day)
`)
	check("since: 2026-11-01", "", `
mailboxes.yaml:10:12: mailboxes[0].since: warning: 2026-11-01 is to come: mail that arrives before then is treated all the same, so start the daemon on that day
`)
	check("archive: si", "", `
mailboxes.yaml:10:14: mailboxes[0].archive: "si": true or false is needed
`)
	check("after: delete", "", `
mailboxes.yaml:10:12: mailboxes[0].after: "delete" is none of keep, flag, seen, {move: FOLDER}
`)
	check("after: move", "", `
mailboxes.yaml:10:12: mailboxes[0].after: move needs to know where to: {move: FOLDER}
`)
	check("after: {}", "", `
mailboxes.yaml:10:12: mailboxes[0].after: move is missing: folder that mail is moved to
`)
	check("after: {move: inbox}", "", `
mailboxes.yaml:10:12: mailboxes[0].after: mail is read from "INBOX": move it to a folder that is not
`)
	check("after: {move: Fet}", "folders: [INBOX, Fet], ", `
mailboxes.yaml:10:12: mailboxes[0].after: mail is read from "Fet": move it to a folder that is not
`)
	check("", "folder: INBOX, folders: [INBOX, Junk], ", `
mailboxes.yaml:14:20: mailboxes[0].imap.folder: folder and folders: one of them is needed, not both
`)
	check("", "folders: Junk, ", `
mailboxes.yaml:14:21: mailboxes[0].imap.folders: this is a text, a list is needed: [a, b] or lines that begin with -
`)
	check("", "folders: [], ", `
mailboxes.yaml:14:21: mailboxes[0].imap.folders: is empty: say at least one
`)
	check("", "folders: [inbox, Junk, INBOX], ", `
mailboxes.yaml:14:21: mailboxes[0].imap.folders: "INBOX" is there twice
`)
	check("", "folders: [a, b, c, d, e, f, g, h, i, j, k], ", `
mailboxes.yaml:14:21: mailboxes[0].imap.folders: 11 folders, at most 10: each is a connection, and servers allow few
`)
}
