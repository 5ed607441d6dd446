package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	defaultMaxSize = 30 * MB
	leastMaxSize   = 64 * KB
	mostMaxSize    = 90 * MB // what the reader of mailboxes takes of one mail
	mostFolders    = 10
)

// folderName is a folder of an IMAP server. INBOX is one in any letter case (RFC 9051 section 5.1).
func folderName() shape[string] {
	return line().then(func(_ node, name *string) {
		if strings.EqualFold(*name, defaultFolder) {
			*name = defaultFolder
		}
	})
}

func severalFolders() shape[[]string] {
	return some(folderName()).then(func(n node, folders *[]string) {
		for i, name := range *folders {
			if name != "" && slices.Contains((*folders)[:i], name) {
				n.fault("%s is there twice", quote(name))
			}
		}
		if len(*folders) > mostFolders {
			n.fault("%d folders, at most %d: each is a connection, and servers allow few", len(*folders), mostFolders)
		}
	})
}

func size(least, most Size) shape[Size] {
	return scalar(schema{"type": "string", "pattern": `^ *[0-9]+ +(KB|MB) *$`}, func(v string) (Size, error) {
		s, err := ParseSize(v)
		if err == nil && (s < least || s > most) {
			err = fmt.Errorf("%s: between %s and %s", quote(v), least, most)
		}
		return s, err
	})
}

func date() shape[Date] {
	return scalar(schema{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}, func(v string) (Date, error) {
		t, err := time.Parse(time.DateOnly, v)
		if err != nil {
			return Date{}, fmt.Errorf("%s is no day: say 2026-11-01 (year, month, day)", quote(v))
		}
		return DateOf(t), nil
	})
}

// since is the day from which on mail is treated. Only mail that is in the folder already can be too
// old, so a day to come does not do what one would think.
func since() shape[Date] {
	return date().then(func(n node, d *Date) {
		if now := n.r.env.Now; !now.IsZero() && DateOf(now).Before(*d) {
			n.warn("%s is to come: mail that arrives before then is treated all the same, so start the daemon on that day", *d)
		}
	})
}

// after is one word, or {move: FOLDER}.
func after() shape[After] {
	word := scalar(schema{"enum": []string{Keep, Flag, Seen}}, func(v string) (string, error) {
		switch v {
		case Keep, Flag, Seen:
			return v, nil
		case Move:
			return "", errors.New(`move needs to know where to: {move: FOLDER}`)
		}
		return "", fmt.Errorf("%s is none of %s, %s, %s, {move: FOLDER}", quote(v), Keep, Flag, Seen)
	})
	move := object(must(Move, "folder that mail is moved to", folderName(), func(a *After) *string { return &a.Folder }))
	return shape[After]{func(n node, into *After) {
		if n.isMapping() {
			into.Do = Move
			move.read(n, into)
			return
		}
		word.read(n, &into.Do)
	}, schema{"anyOf": []schema{word.schema, move.schema}}}
}

// checkIntake looks at what the way in of a mailbox says in several keys.
func checkIntake(n node, m *Mailbox, _ map[string]bool) {
	if m.After.Do == Move && m.After.Folder != "" && slices.Contains(m.IMAP.Folders, m.After.Folder) {
		n.at("after").fault("mail is read from %s: move it to a folder that is not", quote(m.After.Folder))
	}
}
