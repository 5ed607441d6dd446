package config

import (
	"fmt"
	"io"
	"time"
)

// Config is everything an admin has said, complete and valid: Load returns one only when it
// found no fault. It is never changed after that; a reload makes a new one.
type Config struct {
	About                About
	Store                string // "sqlite:PATH" or "postgres://…"; default "sqlite:bustia.db"
	Languages            Languages
	Types                []Type
	Mailboxes            []Mailbox
	Organisations        []Organisation
	Circuits             []Circuit
	Themes               []Theme // the tree, flattened: a parent stands before its children
	OrganisationalThemes []OrganisationalTheme
	Agents               []Agent
	Calendars            []Calendar
	Templates            []Template
	Rules                []Rule
}

// About names the administration and who answers for the system (Ley 40/2015 art. 41.2).
type About struct {
	Name        Text   // the administration, as citizens know it
	Domain      string // right-hand side of the Message-IDs we make
	Responsible string // the body responsible for specification, supervision and audit
	PrivacyURL  string // second layer of the data-protection notice (LOPDGDD art. 11)
}

// Text is the same words in several languages, by language code.
type Text map[Language]string

// Language is a BCP 47 tag: ca, es, oc-aranes, en.
type Language string

// Languages says which languages citizens are answered in, and which when it is not known.
type Languages struct {
	Default Language
	Offered []Language
}

// Type is what a case asks for: consulta, queixa, suggeriment, agraïment.
type Type struct {
	ID      string
	Name    Text
	Default bool // the type of a mail no rule gives one
}

// Kinds of mailbox.
const (
	Corporate = "corporate" // the administration's common door
	Specific  = "specific"  // one department's own
)

// Mailbox is one address that citizens write to, how it is read and how it sends.
type Mailbox struct {
	Name         string
	Address      string
	Aliases      []string // further addresses delivered here
	Kind         string   // Corporate or Specific
	Organisation string   // whose it is; also where a mail goes that no rule knows
	Circuit      string
	Language     Language // when detection is not sure; default Languages.Default
	Threshold    float64  // theme confidence below which a mail goes to triage; default 0.5
	Subaddress   string   // separator before the signed part of a reply address; default "+"
	AuthservID   string   // whose Authentication-Results are believed; "" = nobody's
	Poll         string   // cron spec, the safety net under IDLE; default "*/5 * * * *"
	MaxSize      Size     // of a larger mail only the header section is taken in; default 30 MB
	Since        Date     // see below; zero = every mail is treated
	Archive      bool     // see below
	After        After    // what is done to a mail on the server once it is ours; default Keep
	IMAP         Server
	SMTP         Server
}

// Since and Archive are about the mail that a folder holds when it is opened for the first time, and
// about no other. With Since, what was received before that day (its internal date, by the calendar
// of the mailbox's circuit) is past; with Archive alone, all of it is. Past mail is accounted for in
// the ledger as ignored, nobody is written to, and it is left as it is on the server. Its bytes are
// kept with Archive, and not even fetched without.
//
// A mail that comes into the folder later is treated however old its internal date is: somebody
// delivered it late, or put it there by hand to have it treated. When a folder is made anew (its
// UIDVALIDITY changes) it is opened for the first time again as far as Since is concerned; what is
// known by its content is a duplicate, and Archive alone makes nothing else past.
//
// What a folder held is fixed when it is opened, so neither key undoes what was done before it was
// said: to begin with a mailbox that is full, say it before the daemon first runs.

// What is done to a mail on the server once it is ours.
const (
	Keep = "keep" // nothing
	Flag = "flag" // the keyword $Bustia, or \Flagged where the server keeps no keywords
	Seen = "seen" // \Seen, as if somebody had read it
	Move = "move" // to another folder, if the server can do that without touching other mail
)

// After says what is done to a mail on the server after it was taken in whole. Past mail, mail over
// MaxSize and mail the server would not give stay as they are.
type After struct {
	Do     string // Keep, Flag, Seen or Move
	Folder string // for Move
}

// How a connection is protected.
const (
	TLS      = "tls"      // implicit TLS (RFC 8314)
	StartTLS = "starttls" // upgrade, refused when the server does not offer it
	Plain    = "none"     // loopback and tests only: check warns elsewhere
)

// Server is an IMAP or SMTP server and how to log in to it.
type Server struct {
	Host     string
	Port     int    // default 993 (IMAP), 465 (SMTP tls), 587 (SMTP starttls)
	TLS      string // TLS, StartTLS or Plain; default TLS
	CAFile   string // PEM file of a private authority; "" = the system's
	Username string // "" = no login (SMTP only)
	Password Secret // from password_file or password_env
	OAuth    *OAuth // instead of a password; nil = the password
	Folder   string // IMAP only; default INBOX; the first of Folders

	// Folders are all that are read, IMAP only. Mail in a junk folder is treated as any other: whether
	// it is junk is told by what it says.
	Folders []string
}

// How a token is sent.
const (
	XOAUTH2     = "xoauth2"     // Microsoft's and Google's own way
	OAuthBearer = "oauthbearer" // RFC 7628
)

// OAuth is how to log in with a token (OAuth 2, RFC 6749), and where the tokens come from: by client
// credentials, or by a refresh token when there is one.
type OAuth struct {
	Mechanism    string // XOAUTH2 or OAuthBearer; default XOAUTH2
	TokenURL     string
	ClientID     string
	ClientSecret Secret // from client_secret_file or client_secret_env
	RefreshToken Secret // from refresh_token_file or refresh_token_env
	Scopes       []string
}

// Organisation is a department or body: themes, agents and templates belong to it.
type Organisation struct {
	ID          string
	Name        Text
	Supervisors []string // agent ids; the first is told first
	Header      Text     // HTML above every mail to citizens
	Footer      Text     // HTML below it
}

// Circuit is the agreed protocol by which an organisation's cases are treated.
type Circuit struct {
	ID                string
	Calendar          string
	NonworkingArrival string          // AsReceived or NextWorkingDay
	Terms             map[string]Term // committed time to the first answer, by type id; no entry = no deadline
	Remind            []float64       // shares of the term at which the agent is reminded; default 0.5, 0.8
	Reopen            Term            // how long after the answer a follow-up reopens the case; later it opens a linked one
	ReplyDays         int             // how many days an assignment's reply address stays valid; default 120
}

// What the first day of a term is when a mail arrives on a non-working day (Llei 26/2010 art. 41.8).
const (
	AsReceived     = "as_received"      // day 1 is the first working day after arrival: the stricter promise
	NextWorkingDay = "next_working_day" // it counts as arrived on the next working day, day 1 is the one after
)

// Theme is a node of the tree. Its path is its id joined to its parents' by "/".
type Theme struct {
	Path         string // "salut/tsi", also its identity everywhere
	Level        int    // 1, 2, 3
	Name         Text
	Organisation string // inherited from the parent when not said
	Visible      bool   // shown to citizens; default true
	Keywords     map[Language][]Keyword
}

// OrganisationalTheme is a node of the second, internal axis: 0..n per case, never shown to citizens.
type OrganisationalTheme struct {
	ID       string
	Name     Text
	Keywords map[Language][]Keyword
}

// Keyword is a word, phrase or prefix ("padr*") that speaks for a theme.
type Keyword struct {
	Words  string
	Weight float64 // default 1; phrases and the subject count more by themselves
}

// Agent is a person who treats cases or oversees them, known by the address they write from.
type Agent struct {
	ID           string
	Name         string
	Signature    string // what citizens read under an answer: name, unit or code; default Name
	Address      string
	Aliases      []string // further addresses they write from
	Organisation string
	Language     Language   // of their notices; default Languages.Default
	Languages    []Language // languages they answer in; default all offered
	Themes       []string   // paths they treat, each with everything below it
}

// Template is one kind of mail in one language, for every organisation or for one.
// Subject and Body are Go text/template over Letter; the HTML twin is made from the body.
type Template struct {
	Kind         string // one of Kinds
	Language     Language
	Organisation string // "" = all
	Subject      string
	Body         string
}

// Rule is one ordered, named rule: what must hold and what then follows. The first rule that
// matches and sets a field wins for that field; organisational themes of all matching rules add up.
type Rule struct {
	Name string
	When Condition
	Then Outcome
}

// Condition holds when every field that is said holds; a list holds when one of its entries does.
// Words are matched folded (case, accents): "word", "two words", "prefix*", or "/RE2/".
type Condition struct {
	Mailbox  []string
	Language []Language
	From     []string // address, or "@domain"
	To       []string // any recipient: address, or "@domain"
	Subject  []string
	Text     []string
	Words    []string // subject or text
	Not      *Condition
}

// Outcome is what a rule decides; empty fields decide nothing.
type Outcome struct {
	Type           string
	Theme          string
	Organisational []string
	Ignore         bool // no case: the mail is accounted for under the rule's name
}

// Secret is a password. It never prints; Reveal gives it to the one who logs in.
type Secret struct{ value string }

// NewSecret wraps v.
func NewSecret(v string) Secret { return Secret{v} }

// Reveal gives the secret itself.
func (s Secret) Reveal() string { return s.value }

// String keeps the secret out of logs and %v.
func (s Secret) String() string { return "[secret]" }

// GoString keeps the secret out of %#v.
func (s Secret) GoString() string { return "[secret]" }

// Format keeps the secret out of every other verb: %d would show what is inside.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) } // a State has no error to give

// Calendar knows which days are working days, in its own time zone (Ley 39/2015 art. 30).
type Calendar struct {
	Name     string
	Zone     *time.Location
	Weekend  [7]bool               // by time.Weekday; default Saturday and Sunday
	Holidays map[int]map[Date]bool // by year; a year without an entry is not loaded
}

// Date is a day of the civil calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day that t falls on in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// Time is the start of the day in loc.
func (d Date) Time(loc *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
}

// Add is the day n days later.
func (d Date) Add(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// Before says whether d is earlier than o.
func (d Date) Before(o Date) bool { return d.Time(time.UTC).Before(o.Time(time.UTC)) }

// String is the ISO 8601 form.
func (d Date) String() string { return d.Time(time.UTC).Format(time.DateOnly) }

// Working says whether d is a working day. Ask Loaded first: in a year that is not loaded only
// the weekend is known.
func (c *Calendar) Working(d Date) bool {
	if c.Weekend[d.Time(time.UTC).Weekday()] {
		return false
	}
	return !c.Holidays[d.Year][d]
}

// Loaded says whether the holidays of year are known.
func (c *Calendar) Loaded(year int) bool { _, ok := c.Holidays[year]; return ok }

// Unit is what a term is counted in.
type Unit string

// Units of a term (Ley 39/2015 art. 30).
const (
	Hours        Unit = "hours" // of working days, which have 24
	WorkingDays  Unit = "working days"
	CalendarDays Unit = "calendar days"
	Months       Unit = "months"
)

// Term is a committed time: "10 working days", "1 month". The zero Term is no term.
type Term struct {
	N    int
	Unit Unit
}
