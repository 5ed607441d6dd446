package config

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testNow is a day in the third quarter of the year that testdata/valid has holidays for.
var testNow = time.Date(2026, time.July, 15, 10, 0, 0, 0, time.UTC)

// secretWords are in the environment and the files of the tests, and must be nowhere else.
var secretWords = []string{"correct horse", "battery", "staple"}

// testEnv is an environment that knows what testdata/valid asks for.
func testEnv(t testing.TB) Env {
	t.Helper()
	return Env{
		Now: testNow,
		Getenv: func(name string) string {
			return map[string]string{"BUSTIA_SMTP": "battery", "BUSTIA_IMAP": "staple", "BUSTIA_LONG": "staple\nstaple"}[name]
		},
		ReadFile: func(name string) ([]byte, error) { return fs.ReadFile(os.DirFS("testdata/valid"), name) },
	}
}

// validFiles is a copy of testdata/valid that a test may change.
func validFiles(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	valid := os.DirFS("testdata/valid")
	names, err := fileNames(valid)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(valid, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

// loadValid loads testdata/valid, in which nothing is wrong.
func loadValid(t testing.TB) *Config {
	t.Helper()
	c, faults := Load(validFiles(t), testEnv(t))
	for _, f := range faults {
		t.Error(f)
	}
	if c == nil {
		t.Fatal("got no configuration")
	}
	return c
}

func TestLoad(t *testing.T) {
	c := loadValid(t)
	check := func(what string, got, want any) {
		t.Helper()
		if d := cmp.Diff(want, got, cmp.AllowUnexported(Secret{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	check("mailboxes", c.Mailboxes, []Mailbox{{
		Name: "corporate", Address: "bustia@example.cat", Aliases: []string{"contacte@example.cat"}, Kind: Corporate,
		Organisation: "salut", Circuit: "general", Language: "ca", Threshold: 0.6, Subaddress: "-",
		AuthservID: "mx.example.cat", Poll: "*/10 * * * *",
		MaxSize: 30 * MB, After: After{Do: Keep},
		IMAP: Server{Host: "imap.example.cat", Port: 993, TLS: TLS, Username: "bustia", Password: NewSecret("correct horse"), Folder: "INBOX", Folders: []string{"INBOX"}},
		SMTP: Server{Host: "smtp.example.cat", Port: 587, TLS: StartTLS, Username: "bustia", Password: NewSecret("battery")},
	}, {
		Name: "salut", Address: "salut@example.cat", Kind: Specific,
		Organisation: "salut", Circuit: "general", Language: "ca", Threshold: 0.5, Subaddress: "+", Poll: "*/5 * * * *",
		MaxSize: 30 * MB, After: After{Do: Keep},
		IMAP: Server{Host: "127.0.0.1", Port: 1143, TLS: Plain, Username: "salut", Password: NewSecret("staple"), Folder: "Entrada", Folders: []string{"Entrada"}},
		SMTP: Server{Host: "localhost", Port: 587, TLS: Plain},
	}})
	check("circuits", c.Circuits, []Circuit{{
		ID: "general", Calendar: "aran", NonworkingArrival: NextWorkingDay,
		Terms:  map[string]Term{"consulta": {5, WorkingDays}, "queixa": {1, Months}},
		Remind: []float64{0.5, 0.8}, Reopen: Term{60, CalendarDays}, ReplyDays: 90,
	}})
	check("agents", c.Agents, []Agent{{
		ID: "montse", Name: "Montse Puig", Signature: "Montse Puig", Address: "montse@example.cat", Organisation: "salut",
		Language: "ca", Languages: []Language{"ca", "en"},
	}, {
		ID: "marta", Name: "Marta Soler", Signature: "Servei d'Atenció", Address: "Marta.Soler@example.cat", Aliases: []string{"msoler@example.cat"},
		Organisation: "salut", Language: "ca", Languages: []Language{"ca"}, Themes: []string{"salut/tsi", "salut/metge"},
	}})
	check("themes", c.Themes, []Theme{
		{Path: "salut", Level: 1, Name: Text{"ca": "Salut", "en": "Health"}, Organisation: "salut", Visible: true},
		{Path: "salut/tsi", Level: 2, Name: Text{"ca": "Targeta sanitària", "en": "Health card"}, Organisation: "salut",
			Keywords: map[Language][]Keyword{"ca": {{"targeta", 1}, {"llista d'espera", 1}, {"tsi", 2}, {"metg*", 1}}}},
		{Path: "salut/tsi/perdua", Level: 3, Name: Text{"ca": "Pèrdua", "en": "Loss"}, Organisation: "salut"},
		{Path: "salut/tsi/canvi", Level: 3, Name: Text{"ca": "Canvi", "en": "Change"}, Organisation: "salut", Visible: true},
		{Path: "salut/metge", Level: 2, Name: Text{"ca": "Metge", "en": "Doctor"}, Organisation: "salut", Visible: true},
	})
	check("rules", c.Rules, []Rule{
		{"complaint words", Condition{Words: []string{"queixa", "vull reclamar", "reclam*"}, Not: &Condition{Language: []Language{"en"}}}, Outcome{Type: "queixa"}},
		{"newsletters", Condition{From: []string{"@news.example.com"}, Subject: []string{`/^\[promo\]/`}}, Outcome{Ignore: true}},
		{"lost card", Condition{Mailbox: []string{"salut"}, To: []string{"salut@example.cat"}, Text: []string{"targeta"}, Language: []Language{"other"}},
			Outcome{Theme: "salut/tsi/perdua", Organisational: []string{"org-risc"}}},
	})
	check("organisational themes", c.OrganisationalThemes, []OrganisationalTheme{
		{"org-risc", Text{"ca": "Risc", "en": "Risk"}, map[Language][]Keyword{"ca": {{"suïcidi", 1}}}},
	})
	check("store", c.Store, "sqlite:bustia.db")
	check("types", c.Types, []Type{
		{"consulta", Text{"ca": "consulta", "en": "question"}, true},
		{"queixa", Text{"ca": "queixa", "en": "complaint"}, false},
	})
}

func TestLoadDefaults(t *testing.T) {
	files := validFiles(t)
	edit := func(file, old, with string) {
		t.Helper()
		data := string(files[file].Data)
		if !strings.Contains(data, old) {
			t.Fatalf("%s has no %q", file, old)
		}
		files[file].Data = []byte(strings.Replace(data, old, with, 1))
	}
	edit("about.yaml", "store: sqlite:bustia.db\n", "")
	edit("mailboxes.yaml", "    nonworking_arrival: next_working_day\n", "")
	edit("mailboxes.yaml", "    remind: [50%, 80%]\n    reopen: 60 calendar days\n    reply_days: 90\n", "")
	edit("mailboxes.yaml", "tls: starttls, ", "")
	edit("mailboxes.yaml", "port: 1143, tls: none", "tls: starttls")
	c, faults := Load(files, testEnv(t))
	if c == nil || len(faults) > 0 {
		t.Fatalf("got faults %v", faults)
	}
	circuit := c.Circuits[0]
	if c.Store != "sqlite:bustia.db" || circuit.NonworkingArrival != AsReceived || circuit.ReplyDays != 120 || circuit.Reopen != (Term{}) {
		t.Errorf("got %q, %+v", c.Store, circuit)
	}
	if want := []float64{0.5, 0.8}; !slices.Equal(circuit.Remind, want) {
		t.Errorf("got remind %v, want %v", circuit.Remind, want)
	}
	if got := c.Mailboxes[0].SMTP.Port; got != 465 {
		t.Errorf("got SMTP port %d, want 465", got)
	}
	if got := c.Mailboxes[1].IMAP.Port; got != 143 {
		t.Errorf("got IMAP port %d for starttls, want 143", got)
	}
}

func TestLoadCalendars(t *testing.T) {
	c := loadValid(t)
	holidays := func(name string) map[int][]string {
		cal, ok := c.Calendar(name)
		if !ok {
			t.Fatalf("no calendar %s", name)
		}
		years := map[int][]string{}
		for year, days := range cal.Holidays {
			for d := range days {
				years[year] = append(years[year], d.String())
			}
			slices.Sort(years[year])
		}
		return years
	}
	want := map[string]map[int][]string{
		"catalunya": {2025: {"2025-01-01", "2025-12-25"}, 2026: {"2026-01-01", "2026-01-06", "2026-12-25", "2026-12-26"}},
		"aran":      {2025: {"2025-01-01", "2025-12-25"}, 2026: {"2026-01-01", "2026-01-06", "2026-06-17", "2026-12-25"}},
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if d := cmp.Diff(want[name], holidays(name)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		cal, _ := c.Calendar(name)
		if cal.Zone.String() != "Europe/Madrid" || !cal.Weekend[time.Saturday] || !cal.Weekend[time.Sunday] || cal.Weekend[time.Monday] {
			t.Errorf("%s: got zone %s, weekend %v", name, cal.Zone, cal.Weekend)
		}
	}
}

func TestLoadDir(t *testing.T) {
	t.Setenv("BUSTIA_SMTP", "battery")
	t.Setenv("BUSTIA_IMAP", "staple")
	c, faults := LoadDir("testdata/valid", testNow)
	if c == nil || len(faults) > 0 {
		t.Fatalf("got faults %v", faults)
	}
	if got := c.Mailboxes[0].IMAP.Password.Reveal(); got != "correct horse" {
		t.Errorf("got the password %q", got)
	}
	if c, faults := LoadDir("testdata/nothing-here", testNow); c != nil || faults.Err() == nil {
		t.Errorf("got %v, %v for a directory that is not there", c, faults)
	}
}

// TestLoadOAuth reads a login with tokens: by client credentials, and by a refresh token.
func TestLoadOAuth(t *testing.T) {
	files := validFiles(t)
	data := string(files["mailboxes.yaml"].Data)
	data = strings.Replace(data, "password_file: secrets/corporate", "oauth: {token_url: https://login.example.cat/token, client_id: 7f3c, client_secret_file: secrets/corporate, scopes: [https://mail.example.cat/.default]}", 1)
	data = strings.Replace(data, "password_env: BUSTIA_SMTP", "oauth: {mechanism: oauthbearer, token_url: \"http://127.0.0.1:8080/token\", client_id: bustia, refresh_token_env: BUSTIA_SMTP}", 1)
	files["mailboxes.yaml"].Data = []byte(data)
	c, faults := Load(files, testEnv(t))
	if c == nil || len(faults) > 0 {
		t.Fatalf("got faults %v", faults)
	}
	want := []*OAuth{{
		Mechanism: XOAUTH2, TokenURL: "https://login.example.cat/token", ClientID: "7f3c", ClientSecret: NewSecret("correct horse"),
		Scopes: []string{"https://mail.example.cat/.default"},
	}, {
		Mechanism: OAuthBearer, TokenURL: "http://127.0.0.1:8080/token", ClientID: "bustia", RefreshToken: NewSecret("battery"),
	}}
	if d := cmp.Diff(want, []*OAuth{c.Mailboxes[0].IMAP.OAuth, c.Mailboxes[0].SMTP.OAuth}, cmp.AllowUnexported(Secret{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if c.Mailboxes[1].IMAP.OAuth != nil {
		t.Errorf("got %v for a server with a password", c.Mailboxes[1].IMAP.OAuth)
	}
}

// TestLoadMerge reads servers that share keys by "<<", and files with several documents.
func TestLoadMerge(t *testing.T) {
	files := validFiles(t)
	data := string(files["mailboxes.yaml"].Data)
	data = strings.Replace(data, "imap: {host: imap", "imap: &imap {host: imap", 1)
	data = strings.Replace(data, "imap: {host: 127.0.0.1, port: 1143, tls: none, username: salut, password_env: BUSTIA_IMAP, folder: Entrada}", "imap: {<<: [*imap, *imap], username: salut}", 1)
	data = strings.Replace(data, "circuits:", "---\ncircuits:", 1)
	files["mailboxes.yaml"].Data = []byte(data)
	c, faults := Load(files, testEnv(t))
	if c == nil || len(faults) > 0 {
		t.Fatalf("got faults %v", faults)
	}
	want := c.Mailboxes[0].IMAP
	want.Username = "salut"
	if d := cmp.Diff(want, c.Mailboxes[1].IMAP, cmp.AllowUnexported(Secret{})); d != "" {
		t.Errorf("merged server (-want +got):\n%s", d)
	}
}
