package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

const (
	marksAtOnce = 500         // mails in one command
	marksRounds = 100         // commands after one look at the folder
	soonestMark = time.Minute // after a failure
	latestMark  = time.Hour   // after many
)

// keyword is the flag of "flag". What begins with "$" is a program's, not a person's (RFC 9051 section 2.3.2).
const keyword imap.Flag = "$Bustia"

// marker remembers how marking went, so that what fails does not fail at every look.
type marker struct {
	failures int
	notUntil time.Time
}

// mark marks on the server what is ours by now. It only ever marks what Marks names, after Receive has
// committed it, and what was marked and not noted is marked again: each mark is the same twice.
// Failures are told in the log once and never keep mail from being read. It says whether it opened the
// folder for that.
func (l *loop) mark(ctx context.Context, s *session) (opened bool) {
	if l.receiver.Marks == nil || l.account.After == "" || l.account.After == "keep" || l.now().Before(l.marker.notUntil) {
		return false
	}
	opened, err := l.markOnce(ctx, s)
	m := &l.marker
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if m.failures++; m.failures == 1 {
			l.log.Error("mails cannot be marked on the server, and stay as they are", "after", l.account.After, "err", err)
		}
		m.notUntil = l.now().Add(min(soonestMark<<min(m.failures-1, 10), latestMark))
	case m.failures > 0:
		*m = marker{}
		l.log.Info("mails are marked on the server again", "after", l.account.After)
	}
	return opened
}

func (l *loop) markOnce(ctx context.Context, s *session) (opened bool, err error) {
	name, folder := l.account.Mailbox, l.account.folder()
	at, err := l.receiver.Position(ctx, name, folder)
	if err != nil {
		return false, fmt.Errorf("read position: %w", err)
	}
	var as mark
	for range marksRounds {
		uids, err := l.receiver.Marks(ctx, name, folder, at.UIDValidity, marksAtOnce)
		if err != nil || len(uids) == 0 {
			return opened, err
		}
		if !opened {
			opened = true
			selected, err := s.choose(ctx, folder)
			if err != nil {
				return opened, err
			}
			if selected.UIDValidity != at.UIDValidity {
				return opened, nil // these UIDs mean nothing now; the next look finds out
			}
			if as, err = s.markAs(ctx, l.account, selected.PermanentFlags); err != nil {
				return opened, err
			}
		}
		if err := as(ctx, uidSet(uids)); err != nil {
			return opened, err
		}
		if err := l.receiver.Marked(ctx, name, folder, at.UIDValidity, uids); err != nil {
			return opened, fmt.Errorf("note marks: %w", err)
		}
	}
	return opened, nil
}

// mark is one way to mark mails of the selected folder. UIDs that are gone are passed over.
type mark func(ctx context.Context, uids imap.UIDSet) error

// markAs finds the way that the account wants and the server knows.
func (s *session) markAs(ctx context.Context, a Account, permanent []imap.Flag) (mark, error) {
	switch a.After {
	case "flag":
		flag, err := flagFor(permanent)
		return s.flag(flag), err
	case "seen":
		return s.flag(imap.FlagSeen), nil
	case "move":
		var known imap.CapSet
		if err := s.guard.do(ctx, "capability", 0, func() error { known = s.client.Caps(); return nil }); err != nil {
			return nil, err
		}
		switch {
		case known.Has(imap.CapMove):
			return s.move(a.MoveTo), nil
		case known.Has(imap.CapUIDPlus):
			return s.copyAndExpunge(a.MoveTo), nil
		}
		// A plain EXPUNGE would remove everybody's deleted mail.
		return nil, errors.New("move: the server knows neither MOVE (RFC 6851) nor UIDPLUS (RFC 4315), so other mail might go as well")
	}
	return nil, fmt.Errorf("after %q: want keep, flag, seen or move", a.After)
}

// flagFor is the keyword where PERMANENTFLAGS lets it be kept, else \Flagged.
func flagFor(permanent []imap.Flag) (imap.Flag, error) {
	may := func(flag imap.Flag) bool {
		for _, p := range permanent {
			if strings.EqualFold(string(p), string(flag)) {
				return true
			}
		}
		return false
	}
	switch {
	case may(imap.FlagWildcard), may(keyword):
		return keyword, nil
	case may(imap.FlagFlagged), permanent == nil: // not told: every system flag may be kept (RFC 9051 section 7.1)
		return imap.FlagFlagged, nil
	}
	return "", fmt.Errorf("flag: the server keeps neither %s nor %s in this folder", keyword, imap.FlagFlagged)
}

func (s *session) flag(flag imap.Flag) mark {
	return func(ctx context.Context, uids imap.UIDSet) error {
		return s.guard.do(ctx, "flag mails", 0, func() error {
			return s.client.Store(uids, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
		})
	}
}

func (s *session) move(folder string) mark {
	return func(ctx context.Context, uids imap.UIDSet) error {
		return s.guard.do(ctx, fmt.Sprintf("move mails to %q", folder), 0, func() error {
			_, err := s.client.Move(uids, folder).Wait()
			return err
		})
	}
}

// copyAndExpunge is the move of a server without MOVE, each step after the one before has succeeded. The
// library's own sends all three at once: mail whose copy is refused would be gone. When it breaks off
// in between, the copy is made twice.
func (s *session) copyAndExpunge(folder string) mark {
	remove := s.flag(imap.FlagDeleted)
	return func(ctx context.Context, uids imap.UIDSet) error {
		err := s.guard.do(ctx, fmt.Sprintf("copy mails to %q", folder), 0, func() error {
			_, err := s.client.Copy(uids, folder).Wait()
			return err
		})
		if err != nil {
			return err
		}
		if err := remove(ctx, uids); err != nil {
			return err
		}
		return s.guard.do(ctx, "expunge copied mails", 0, func() error { return s.client.UIDExpunge(uids).Close() })
	}
}
