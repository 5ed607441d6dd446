package config

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const defaultStore = "sqlite:bustia.db"

// Env is everything outside the YAML that a load looks at.
type Env struct {
	Now      time.Time                         // says which year's calendars are needed
	Getenv   func(string) string               // for password_env
	ReadFile func(name string) ([]byte, error) // for password_file and ca_file, names as written; nil functions know nothing
}

// LoadDir loads the configuration in a directory, with the environment of this process. Names of
// secrets and certificates that are not absolute are looked up from dir.
func LoadDir(dir string, now time.Time) (*Config, Faults) {
	from := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	env := Env{now, os.Getenv, func(name string) ([]byte, error) { return os.ReadFile(from(name)) }}
	c, faults := Load(os.DirFS(dir), env)
	for i := range faults {
		if faults[i].File == "." { // the directory itself
			faults[i].File = dir
		}
	}
	if c == nil {
		return nil, faults
	}
	for i := range c.Mailboxes {
		for _, s := range []*Server{&c.Mailboxes[i].IMAP, &c.Mailboxes[i].SMTP} {
			if s.CAFile != "" {
				s.CAFile = from(s.CAFile)
			}
		}
	}
	return c, faults
}

// Load reads every *.yaml and *.yml file of fsys, directly in it or one folder below, and gives the
// configuration and everything that is wrong or worth a look. The configuration is nil when a fault is
// no warning.
func Load(fsys fs.FS, env Env) (*Config, Faults) {
	if env.Getenv == nil {
		env.Getenv = func(string) string { return "" }
	}
	if env.ReadFile == nil {
		env.ReadFile = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	r := &reading{env: env, defined: map[noun]map[string]node{}}
	roots, whole := r.files(fsys)
	d := &draft{Config: Config{Store: defaultStore}}
	shape := document()
	for _, root := range roots {
		shape.read(root, d)
	}
	if whole && len(roots) > 0 {
		r.finish(roots[0], d)
	}
	faults := r.all()
	if faults.Err() != nil {
		return nil, faults
	}
	return &d.Config, faults
}

// finish fills in what is inherited and looks at what can only be judged when everything is read.
func (r *reading) finish(first node, d *draft) {
	addThemes(&d.Config, nil, d.themes)
	addCalendars(&d.Config, d.calendars)
	checkNeeded(first, d)
	for _, check := range r.checks {
		check(&d.Config)
	}
	checkTreated(&d.Config, r.defined[aTheme])
	checkCalendars(&d.Config, d.calendars, r.env.Now)
	fillLanguages(&d.Config)
}

// all is what was found, in order, and how much more there was.
func (r *reading) all() Faults {
	r.faults.sort()
	if r.more > 0 {
		last := r.faults[len(r.faults)-1]
		r.faults = append(r.faults, Fault{last.File, last.Line, last.Col, "", fmt.Sprintf("and %d faults more", r.more), !r.fatal})
	}
	return r.faults
}

// files reads all files. whole is false when one could not be read, so what the others refer to may be in it.
func (r *reading) files(fsys fs.FS) (roots []node, whole bool) {
	names, err := fileNames(fsys)
	switch {
	case err != nil:
		r.add(Fault{File: ".", Line: 1, Col: 1, Message: "cannot be read: " + reason(err)})
		return nil, false
	case len(names) == 0:
		r.add(Fault{File: ".", Line: 1, Col: 1, Message: "no *.yaml here nor one folder below"})
		return nil, false
	case len(names) > maxFiles:
		r.add(Fault{File: ".", Line: 1, Col: 1, Message: fmt.Sprintf("%d files, at most %d", len(names), maxFiles)})
		return nil, false
	}
	whole, left := true, int64(maxBytes)
	for _, name := range names {
		data, err := readFile(fsys, name, left)
		if err != nil {
			r.add(Fault{File: name, Line: 1, Col: 1, Message: reason(err)})
			whole = false
			continue
		}
		left -= int64(len(data))
		documents, ok := r.documents(name, data)
		roots, whole = append(roots, documents...), whole && ok
	}
	return roots, whole
}

// fileNames are the paths of the configuration's files, sorted. What begins with "." is not read.
func fileNames(fsys fs.FS) ([]string, error) {
	top, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range top {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info, err := fs.Stat(fsys, e.Name()); err != nil || !info.IsDir() { // what cannot be read is told when it is
			names = append(names, e.Name())
			continue
		}
		below, err := fs.ReadDir(fsys, e.Name())
		if err != nil {
			return nil, err
		}
		for _, f := range below {
			if !f.IsDir() && !strings.HasPrefix(f.Name(), ".") {
				names = append(names, path.Join(e.Name(), f.Name()))
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return path.Ext(name) != ".yaml" && path.Ext(name) != ".yml"
	})
	slices.Sort(names)
	return names, nil
}

// readFile reads one file of at most left bytes.
func readFile(fsys fs.FS, name string, left int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > left {
		return nil, fmt.Errorf("too long: at most %d bytes in all files", maxBytes)
	}
	return fs.ReadFile(fsys, name)
}
