package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/bustia/bustia/mailbox"
)

const (
	batchMails  = 50       // measured: one command for fifty mails is five times fifty commands
	batchBytes  = 8 << 20  // by RFC822.SIZE; one larger mail goes alone
	usualSize   = 30 << 20 // of a larger mail only the header section is taken in
	maxMail     = 90 << 20 // whatever the account says; attachments of 25 MB arrive as 35
	maxHeader   = 256 << 10
	searchMails = 5000     // UIDs taken from one search
	searchBytes = 16 << 20 // what the answer to a search may weigh
	unknownSize = 8 << 20  // expected of a mail whose size was not told

	alone = 3 // attempts at a mail by itself before it is held to be the culprit
)

var (
	errTooLarge = fmt.Errorf("larger than %d MB", maxMail>>20)
	errGone     = errors.New("expunged")
	errNoBody   = errors.New("the server lists it and gives no body")
)

// walker reads one folder. It outlives connections, because what broke one connection decides how
// carefully the next one asks.
type walker struct {
	account  Account
	receiver Receiver
	log      *slog.Logger
	now      func() time.Time

	care     care
	progress bool // something was achieved since the caller last looked
}

// care is what is known about a mail that breaks the connection: somewhere from the position to
// until, in a set that is halved until one UID is left.
type care struct {
	limit   int    // mails per command; 0 = batchMails
	until   uint32 // where full batches may begin again
	suspect uint32 // the UID that failed alone
	tries   int    // how often it did
	err     error  // what happened
	probes  int    // how many others were tried to compare it with
	undated uint32 // this UID is listed without its internal date
}

// poll walks from the position to the end of the folder.
func (w *walker) poll(ctx context.Context, s *session) error {
	at, err := w.locate(ctx, s)
	if err != nil {
		return err
	}
	for at.LastUID < math.MaxUint32 {
		uids, err := s.search(ctx, at.LastUID+1, 0, searchMails)
		if err != nil {
			return err
		}
		if len(uids) == 0 {
			return nil
		}
		for len(uids) > 0 {
			if at, err = w.step(ctx, s, at, uids); err != nil {
				return err
			}
			for len(uids) > 0 && uids[0] <= at.LastUID {
				uids = uids[1:]
			}
		}
	}
	return nil
}

// locate opens the folder and finds the position in it.
func (w *walker) locate(ctx context.Context, s *session) (mailbox.Position, error) {
	at, err := w.receiver.Position(ctx, w.account.Mailbox, w.account.folder())
	if err != nil {
		return at, ours{fmt.Errorf("read position: %w", err)}
	}
	folder, err := s.examine(ctx, w.account.folder())
	if err != nil {
		return at, err
	}
	if at.UIDValidity == folder.UIDValidity {
		if folder.UIDNext != 0 && uint32(folder.UIDNext) <= at.LastUID {
			// RFC 9051 section 2.3.1.1 forbids it: a folder put back from a backup, as a rule.
			w.log.Warn("server's next uid is behind the position: new mail may stay unread",
				"uid_next", uint32(folder.UIDNext), "uid", at.LastUID)
		}
		return at, nil
	}
	return w.open(ctx, s, at, folder)
}

// open begins a folder that was never read under this UIDVALIDITY. What it holds now is its backlog, and
// that must be known before anything else arrives.
func (w *walker) open(ctx context.Context, s *session, was mailbox.Position, folder *imap.SelectData) (mailbox.Position, error) {
	at := mailbox.Position{UIDValidity: folder.UIDValidity}
	var err error
	switch {
	case folder.NumMessages == 0:
	case folder.UIDNext != 0:
		at.Backlog = uint32(folder.UIDNext) - 1
	default: // RFC 9051 section 6.3.2 has servers tell it, and some do not
		if at.Backlog, err = s.lastUID(ctx, folder.NumMessages); err != nil {
			return was, err
		}
	}
	if was.UIDValidity != 0 {
		w.log.Warn("uidvalidity changed: reading the folder from its first mail",
			"uid_validity_was", was.UIDValidity, "uid_validity", folder.UIDValidity)
		w.care = care{}
		if w.account.Since.IsZero() {
			at.Backlog = 0 // that it held everything the first time is no reason to treat nothing now
		}
	}
	return w.commit(ctx, nil, at)
}

// past says whether a mail was there before us and is not to be treated. In doubt it is.
func (w *walker) past(at mailbox.Position, mail listed) mailbox.Past {
	since, archive := w.account.Since, w.account.Archive
	switch {
	case mail.uid > at.Backlog, since.IsZero() && !archive:
		return ""
	case !since.IsZero() && (mail.date.IsZero() || !mail.date.Before(since)):
		return ""
	case archive:
		return mailbox.Archived
	}
	return mailbox.BeforeSince
}

// sort says what is to be taken of each mail.
func (w *walker) sort(at mailbox.Position, mails []listed) {
	for i := range mails {
		m := &mails[i]
		m.past = w.past(at, *m)
		switch {
		case m.past == mailbox.BeforeSince:
			m.take = nothing
		case m.size > w.account.maxSize():
			m.take = header
		}
	}
}

// step hands on the first of these UIDs, as many as make a batch, and gives the position behind them.
func (w *walker) step(ctx context.Context, s *session, at mailbox.Position, uids []uint32) (mailbox.Position, error) {
	if w.care.suspect == uids[0] && w.care.tries >= alone {
		proven, err := w.othersCanBeRead(ctx, s, uids)
		if err != nil {
			return at, err
		}
		if proven {
			return w.giveUp(ctx, at, uids[0], w.care.err)
		}
	}
	window := uids[:min(len(uids), w.size())]
	mails, err := s.list(ctx, window, w.care.undated != window[0])
	if err != nil {
		return at, w.stumble(ctx, window, true, err)
	}
	w.sort(at, mails)
	set, through := cut(mails, window)
	batch, blame, err := w.fetch(ctx, s, at.UIDValidity, set)
	if err != nil {
		if len(batch) > 0 { // what came whole before the connection broke is good
			if _, err := w.commit(ctx, batch, upTo(at, batch[len(batch)-1].UID)); err != nil {
				return at, err
			}
		}
		return at, w.stumble(ctx, blame, false, err)
	}
	if gone := missing(window, mails, through); len(gone) > 0 {
		w.log.Info("mails were removed before they could be read", "uids", gone)
	}
	return w.commit(ctx, batch, upTo(at, through))
}

// cut takes mails from the front until the batch is full: a mail that would fill it stands alone. It also
// says up to which UID the window is done with then.
func cut(mails []listed, window []uint32) (set []listed, through uint32) {
	var bytes int64
	for i, mail := range mails {
		if mail.take != whole || mail.size > 0 { // one whose size was not told goes with the others
			bytes += mail.expect()
		}
		if i > 0 && bytes > batchBytes {
			return mails[:i], mails[i-1].uid
		}
	}
	return mails, window[len(window)-1]
}

// fetch gets the bodies of a set in its order, up to the first it cannot get. On an error, blame is
// where the mail is that caused it.
func (w *walker) fetch(ctx context.Context, s *session, validity uint32, set []listed) (batch []mailbox.Received, blame []uint32, err error) {
	if len(set) == 0 {
		return nil, nil, nil
	}
	bodies, broken := s.bodies(ctx, set)
	for i, mail := range set {
		raw, ok := bodies[mail.uid]
		ok = ok || mail.take == nothing
		if !ok && broken != nil {
			return batch, uidsOf(set[i:]), broken
		}
		if !ok {
			raw, err = w.insist(ctx, s, mail)
			if errors.Is(err, errGone) {
				w.log.Info("mail was removed while it was being read", "uid", mail.uid)
				continue
			}
			if err != nil {
				return batch, []uint32{mail.uid}, err
			}
		}
		batch = append(batch, mailbox.Received{
			Mailbox: w.account.Mailbox, Folder: w.account.folder(), UIDValidity: validity,
			UID: mail.uid, InternalDate: w.internalDate(mail), Size: mail.size, Raw: raw, Truncated: mail.take == header, Past: mail.past,
		})
	}
	return batch, nil, broken // all is there, whatever broke afterwards
}

// insist is for a mail that was listed and did not come, on a connection that still works: it may have
// been expunged since, its response may have been taken for another's, or the server may put the UID
// behind the body.
func (w *walker) insist(ctx context.Context, s *session, mail listed) ([]byte, error) {
	uid := mail.uid
	mails, err := s.list(ctx, []uint32{uid}, false)
	if err != nil {
		return nil, err
	}
	if len(mails) == 0 {
		return nil, errGone
	}
	mails[0].take = mail.take
	got, err := s.bodies(ctx, mails)
	if err == nil && got[uid] == nil {
		got, err = s.bodyBySequence(ctx, mails[0])
	}
	if err == nil && got[uid] == nil {
		err = errNoBody
	}
	return got[uid], err
}

// internalDate is the server's reception, or the time of fetching when the server does not say: late
// rather than never, and the log knows.
func (w *walker) internalDate(mail listed) time.Time {
	if !mail.date.IsZero() {
		return mail.date
	}
	w.log.Warn("mail has no readable internal date: the time of fetching stands in", "uid", mail.uid)
	return w.now()
}

// commit hands on a batch and gives the new position.
func (w *walker) commit(ctx context.Context, batch []mailbox.Received, to mailbox.Position) (mailbox.Position, error) {
	if err := w.receiver.Receive(ctx, batch, to); err != nil {
		return to, ours{fmt.Errorf("receive %d mails: %w", len(batch), err)}
	}
	w.progress = true
	if to.LastUID >= w.care.until {
		w.care = care{}
	}
	return to, nil
}

// giveUp reports one UID as unfetchable and goes behind it.
func (w *walker) giveUp(ctx context.Context, at mailbox.Position, uid uint32, cause error) (mailbox.Position, error) {
	w.log.Error("mail cannot be fetched", "uid", uid, "err", cause)
	if report := w.receiver.Unfetchable; report != nil {
		if err := report(ctx, w.account.Mailbox, w.account.folder(), at.UIDValidity, uid, cause); err != nil {
			return at, ours{fmt.Errorf("report unfetchable mail: %w", err)}
		}
	}
	return w.commit(ctx, nil, upTo(at, uid))
}

// size is how many mails to ask for at once.
func (w *walker) size() int {
	if w.care.limit == 0 {
		return batchMails
	}
	return w.care.limit
}

// stumble remembers which UIDs were asked for when the connection broke, so that the next one asks for
// half of them. A mail alone is first listed without its internal date, if listing was the trouble.
func (w *walker) stumble(ctx context.Context, uids []uint32, listing bool, err error) error {
	if ctx.Err() != nil || len(uids) == 0 {
		return err
	}
	c := &w.care
	c.limit, c.until = max(1, len(uids)/2), uids[len(uids)-1]
	if len(uids) > 1 {
		w.progress = true // it cannot be halved often
		return err
	}
	if c.suspect != uids[0] {
		c.suspect, c.tries, c.probes = uids[0], 0, 0
	}
	c.tries++
	c.err = err
	if listing && c.undated != uids[0] && c.tries > 1 {
		c.undated, c.tries = uids[0], 0
	}
	return err
}

// othersCanBeRead proves that the server gives bodies at all, by a mail that is not the suspect. When
// one cannot be read either, the next attempt takes another, further away.
func (w *walker) othersCanBeRead(ctx context.Context, s *session, uids []uint32) (bool, error) {
	var before []uint32
	if suspect := uids[0]; suspect > 1 {
		var err error
		if before, err = s.search(ctx, 1, suspect-1, searchMails); err != nil {
			return false, err
		}
	}
	others := outward(before, uids[1:])
	if len(others) == 0 {
		return false, nil // try on, more and more seldom
	}
	other := others[w.care.probes%len(others)]
	w.care.probes++
	return s.glimpse(ctx, other)
}

// outward is both lists in one, from the middle: the last before, the first after, and so on.
func outward(before, after []uint32) (uids []uint32) {
	for len(before)+len(after) > 0 {
		if n := len(before); n > 0 {
			uids, before = append(uids, before[n-1]), before[:n-1]
		}
		if len(after) > 0 {
			uids, after = append(uids, after[0]), after[1:]
		}
	}
	return uids
}

// missing is what the window has up to through and the server does not list.
func missing(window []uint32, mails []listed, through uint32) (gone []uint32) {
	there := map[uint32]bool{}
	for _, mail := range mails {
		there[mail.uid] = true
	}
	for _, uid := range window {
		if uid <= through && !there[uid] {
			gone = append(gone, uid)
		}
	}
	return gone
}

func uidsOf(mails []listed) (uids []uint32) {
	for _, mail := range mails {
		uids = append(uids, mail.uid)
	}
	return uids
}

func upTo(at mailbox.Position, uid uint32) mailbox.Position {
	at.LastUID = uid
	return at
}
