package config

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// loadOne loads one file alone.
func loadOne(t testing.TB, data string) (*Config, Faults) {
	t.Helper()
	return Load(fstest.MapFS{"a.yaml": {Data: []byte(data)}}, testEnv(t))
}

// TestLoadNow loads testdata/valid, whose calendars end with 2026, at other moments.
func TestLoadNow(t *testing.T) {
	check := func(now time.Time, want string) {
		t.Helper()
		env := testEnv(t)
		env.Now = now
		_, faults := Load(validFiles(t), env)
		if got := lines(faults); got != want {
			t.Errorf("%s: got\n%swant\n%s", now, got, want)
		}
	}
	const (
		soon = "people.yaml:26:5: calendars[1]: warning: has no holidays for 2027 yet: terms that end then will be counted too short\n"
		late = "people.yaml:26:5: calendars[1]: has no holidays for 2027, this year\n"
	)
	check(time.Date(2026, time.September, 30, 21, 59, 0, 0, time.UTC), "")
	check(time.Date(2026, time.September, 30, 22, 0, 0, 0, time.UTC), soon) // October in Madrid
	check(time.Date(2026, time.December, 31, 22, 59, 0, 0, time.UTC), soon)
	check(time.Date(2026, time.December, 31, 23, 0, 0, 0, time.UTC), late) // the new year in Madrid
}

func TestLoadNothing(t *testing.T) {
	check := func(files fstest.MapFS, want string) {
		t.Helper()
		c, faults := Load(files, testEnv(t))
		if got := lines(faults); c != nil || got != want {
			t.Errorf("got %v and\n%swant\n%s", c, got, want)
		}
	}
	none := ".:1:1: .: no *.yaml here nor one folder below\n"
	check(fstest.MapFS{}, none)
	check(fstest.MapFS{"about.txt": {Data: []byte("x: [")}, ".hidden.yaml": {Data: []byte("x: [")}, ".git/a.yaml": {Data: []byte("x: [")}, "a/b/c.yaml": {Data: []byte("x: [")}}, none)
	check(fstest.MapFS{"a/b.yml": {Data: []byte("x: [")}}, "a/b.yml:2:1: .: syntax: did not find expected node content: a value is missing, or a bracket is not closed\n")
	check(fstest.MapFS{"a.yaml": {Mode: fs.ModeDir | 0o755}}, none)

	dir := t.TempDir()
	if err := os.Symlink("gone", dir+"/a.yaml"); err != nil {
		t.Fatal(err)
	}
	if c, faults := LoadDir(dir, testNow); c != nil || lines(faults) != "a.yaml:1:1: .: no such file or directory\n" {
		t.Errorf("a file that cannot be read: got %v, %v", c, faults)
	}

	gone := dir + "/gone"
	if c, faults := LoadDir(gone, testNow); c != nil || lines(faults) != gone+":1:1: .: cannot be read: no such file or directory\n" {
		t.Errorf("a directory that is not there: got %v, %v", c, faults)
	}

	// A file that is no YAML hides what the others refer to, which is then not told.
	check(fstest.MapFS{"a.yaml": {Data: []byte("x: [")}, "b.yaml": {Data: []byte("agents: [{id: A, organisation: salut}]")}},
		"a.yaml:2:1: .: syntax: did not find expected node content: a value is missing, or a bracket is not closed\n"+
			"b.yaml:1:10: agents[0]: name is missing: of the person, for colleagues\n"+
			"b.yaml:1:10: agents[0]: address is missing: they write from\n"+
			"b.yaml:1:15: agents[0].id: \"A\" is no name: small letters, digits and . _ - in between, at most 64\n")
}

// TestLoadEmptyEnv has no environment at all.
func TestLoadEmptyEnv(t *testing.T) {
	if c, faults := Load(validFiles(t), Env{Now: testNow}); c != nil || len(faults) != 3 {
		t.Errorf("got %v, %v, want a fault for each password", c, faults)
	}
}

func TestFaultsErr(t *testing.T) {
	if err := (Faults{{File: "a.yaml", Line: 1, Col: 1, Message: "x", Warning: true}}).Err(); err != nil {
		t.Errorf("got %v for a warning", err)
	}
	faults := Faults{{"a.yaml", 1, 2, "b.c", "x", false}, {"a.yaml", 1, 3, "", "y", true}, {"b.yaml", 4, 5, "", "z", false}}
	if got, want := fmt.Sprint(faults.Err()), "a.yaml:1:2: b.c: x\nb.yaml:4:5: .: z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyFaults counts what is too much to tell, and stays a fault when all that is told are warnings.
func TestManyFaults(t *testing.T) {
	c, faults := loadOne(t, "rules:\n"+strings.Repeat("  - {nmae: x}\n", 2000))
	if len(faults) != maxFaults+1 || c != nil {
		t.Fatalf("got %d faults", len(faults))
	}
	if got, want := faults[maxFaults].Message, "and 7010 faults more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	files := validFiles(t)
	files["many.yaml"] = &fstest.MapFile{Data: []byte("organisational_themes:\n  - id: a\n    name: {ca: a, en: a}\n    keywords:\n" + strings.Repeat("      fr: [b]\n", 1))}
	for i := range 1500 {
		files[fmt.Sprintf("m%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "organisational_themes: [{id: a%d, name: {ca: a, en: a, fr: a}}]", i)}
	}
	if c, faults := Load(files, testEnv(t)); c == nil || faults.Err() != nil || len(faults) != maxFaults+1 {
		t.Errorf("%d warnings alone: got %v", len(faults), faults.Err())
	}
	files["z.yaml"] = &fstest.MapFile{Data: []byte("nobody: knows")}
	if c, faults := Load(files, testEnv(t)); c != nil || faults.Err() == nil {
		t.Errorf("a fault among many warnings: got a configuration and %d faults", len(faults))
	}
}

// TestAliasBombs are few bytes that stand for very many values.
func TestAliasBombs(t *testing.T) {
	check := func(data, want string) {
		t.Helper()
		_, faults := loadOne(t, data)
		if got := lines(faults); !strings.Contains(got, want) {
			t.Errorf("got\n%.2000swant %q", got, want)
		}
	}
	const many = "there are more than 1048576 values in all; the rest is not read"
	hundred := func(alias string) string { return strings.Repeat(alias+", ", 100) }
	check("themes:\n  - children:\n    - &c {id: x, children: [&d {id: y}, "+hundred("*d")+"]}\n    - {children: ["+hundred("*d")+"]}\n"+
		strings.Repeat("  - {children: ["+hundred("*c")+"]}\n", 200), many)
	check("about: &a {name: &b {x: 1}}\nagents:\n  - &c {<<: ["+hundred("*b")+"]}\n  - &d {<<: ["+hundred("*c")+"]}\n  - &e {<<: ["+hundred("*d")+"]}\n  - {<<: ["+hundred("*e")+"]}\n", many)
	check("themes: &t\n  - {id: x, children: *t}\n", "the tree of themes has 3 levels")
	check("rules: &r [*r, *r]", "this is a list, keys with values are needed")
	check(strings.Repeat("[", 100_000), "syntax: ")
	check(strings.Repeat("{a: ", 100_000), "syntax: ")
}

func TestLongText(t *testing.T) {
	files := edited(t, "people.yaml", "name: Marta Soler", "name: "+strings.Repeat("a", maxText+1))
	c, faults := Load(files, testEnv(t))
	if want := "people.yaml:13:11: agents[1].name: 262145 bytes long, at most 262144\n"; c != nil || lines(faults) != want {
		t.Errorf("got %q, want %q", lines(faults), want)
	}
}

// FuzzLoad reads any bytes as a configuration, alone and among the files of testdata/valid.
func FuzzLoad(f *testing.F) {
	valid := os.DirFS("testdata/valid")
	names, err := fileNames(valid)
	if err != nil {
		f.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		data, err := fs.ReadFile(valid, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		all.WriteString("---\n" + string(data))
	}
	f.Add([]byte(all.String()))
	for _, c := range faultCases {
		f.Add([]byte(c.new))
	}
	f.Add([]byte("themes: &t\n  - {id: x, children: *t}\n"))
	f.Add([]byte("a: &a {<<: [*a, *a]}\n? [b]\n: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		files := fstest.MapFS{"a.yaml": {Data: data}}
		checkLoad(t, files, data)
		for _, name := range []string{"about.yaml", "people.yaml"} {
			b, err := fs.ReadFile(valid, name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: b}
		}
		checkLoad(t, files, data)
	})
}

// checkLoad looks at what holds for every load.
func checkLoad(t *testing.T, files fstest.MapFS, data []byte) {
	t.Helper()
	c, faults := Load(files, testEnv(t))
	if (c == nil) != (faults.Err() != nil) {
		t.Errorf("configuration is nil: %t, with %v", c == nil, faults.Err())
	}
	if len(faults) > maxFaults+2 {
		t.Errorf("got %d faults", len(faults))
	}
	for i, fault := range faults {
		line := fault.String()
		if strings.ContainsAny(line, "\n\r\x00") || fault.Line < 1 || fault.Col < 1 || fault.Message == "" {
			t.Errorf("fault %q, %+v", line, fault)
		}
		if i > 0 && faults[i-1].File == fault.File && faults[i-1].Line > fault.Line {
			t.Errorf("%s stands after %s", fault, faults[i-1])
		}
		for _, secret := range secretWords {
			if strings.Contains(line, secret) && !strings.Contains(string(data), secret) {
				t.Errorf("a secret is shown: %s", line)
			}
		}
	}
}
