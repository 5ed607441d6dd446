package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
)

// maxRendered bounds a subject or body, in bytes.
const maxRendered = 4 << 20

// Compiled is a template made ready to be rendered many times, also at the same time.
type Compiled struct{ subject, body *texttemplate.Template }

// Compile makes a template ready.
func (t *Template) Compile() (*Compiled, error) {
	subject, err := parseTemplate("subject", t.Subject)
	if err != nil {
		return nil, fmt.Errorf("parse subject: %w", err)
	}
	body, err := parseTemplate("body", t.Body)
	if err != nil {
		return nil, fmt.Errorf("parse body: %w", err)
	}
	return &Compiled{subject, body}, nil
}

// Render compiles the template and renders it once.
func (t *Template) Render(l Letter) (subject, body string, err error) {
	c, err := t.Compile()
	if err != nil {
		return "", "", err
	}
	return c.Render(l)
}

// Render writes the mail for a letter: its subject in one line, and its body without blank lines at
// either end. A citizen's name, address and subject are put in one line first: they are a stranger's words.
func (c *Compiled) Render(l Letter) (subject, body string, err error) {
	for _, s := range []*string{&l.Subject, &l.Citizen, &l.CitizenAddress} {
		*s = oneLine(*s)
	}
	if subject, err = execute(c.subject, l); err != nil {
		return "", "", err
	}
	if subject = oneLine(subject); subject == "" {
		return "", "", errors.New("render subject: it is empty")
	}
	if body, err = execute(c.body, l); err != nil {
		return "", "", err
	}
	return subject, strings.TrimSpace(body) + "\n", nil
}

// oneLine makes one line of several, with single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func execute(t *texttemplate.Template, l Letter) (string, error) {
	w := bounded{most: maxRendered}
	if err := t.Execute(&w, l); err != nil {
		return "", fmt.Errorf("render %s: %w", t.Name(), err)
	}
	return w.String(), nil
}

// otherTemplates are the actions that make or call another template. One that calls itself would keep
// the daemon busy for minutes.
var otherTemplates = regexp.MustCompile(`\{\{-?\s*(define|block|template)\b`)

func parseTemplate(part, source string) (*texttemplate.Template, error) {
	if otherTemplates.MatchString(source) {
		return nil, errors.New("define, block and template are not for here: write the words where they are needed")
	}
	return texttemplate.New(part).Parse(source)
}

// bounded is a buffer that takes no more than most bytes.
type bounded struct {
	strings.Builder
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, fmt.Errorf("more than %d bytes", b.most)
	}
	return b.Builder.Write(p)
}

// wrong is one thing wrong with the source of a template, and on which line of it (0 = the whole).
type wrong struct {
	line    int
	message string
}

// oneBrace is a value asked for with one brace instead of two, which citizens would read as it stands.
var oneBrace = regexp.MustCompile(`(?:^|[^{])\{ ?\.[A-Za-z]* ?\}(?:[^}]|$)`)

// checkSource says everything wrong with a template before any mail needs it.
func checkSource(part, source string) []wrong {
	t, err := parseTemplate(part, source)
	if err != nil {
		return []wrong{templateError(err)}
	}
	if t.Tree == nil || parse.IsEmptyTree(t.Root) {
		return []wrong{{0, "is empty"}}
	}
	if unknown := unknownNames(t.Root, source); len(unknown) > 0 {
		return unknown
	}
	if at := oneBrace.FindStringIndex(source); at != nil {
		return []wrong{{1 + strings.Count(source[:at[0]+1], "\n"), "{.…} with one brace is sent as it stands: two are needed, {{.…}}"}}
	}
	for _, l := range []struct {
		name   string
		letter Letter
	}{{"a full letter", fullLetter()}, {"a letter without anything", Letter{}}} {
		text, err := execute(t, l.letter)
		switch {
		case err != nil:
			w := templateError(err)
			return []wrong{{w.line, "for " + l.name + ": " + w.message}}
		case part == "subject" && oneLine(text) == "":
			return []wrong{{0, "comes out empty for " + l.name + ": put some words of its own in it"}}
		case part == "subject" && strings.ContainsAny(text, "\r\n"):
			return []wrong{{0, "has a line break, and a subject is one line"}}
		}
	}
	return nil
}

// templateLine is how text/template says where: "template: body:3:12: what".
var templateLine = regexp.MustCompile(`^template: \w+:(\d+):(?:\d+:)? (?:executing "\w+" at )?((?s).*)$`)

// templateError takes the line out of what text/template says.
func templateError(err error) wrong {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if m := templateLine.FindStringSubmatch(e.Error()); m != nil {
			line, _ := strconv.Atoi(m[1]) // digits
			if m[2] == "unexpected EOF" {
				return wrong{line, "it ends inside an action: every {{if}}, {{with}} and {{range}} needs its {{end}}"}
			}
			return wrong{line, m[2]}
		}
	}
	return wrong{0, err.Error()}
}

// letterFields are the names a template may say: ".Reference" and so on.
func letterFields() []string {
	var fields []string
	for f := range reflect.TypeFor[Letter]().Fields() {
		fields = append(fields, "."+f.Name)
	}
	return fields
}

// fullLetter is a letter with every field said.
func fullLetter() Letter {
	var l Letter
	v := reflect.ValueOf(&l).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(v.Type().Field(i).Name)
		default:
			f.Set(reflect.ValueOf([]string{"a/b", "c/d"}))
		}
	}
	return l
}

// unknownNames tells each name a template says that no letter has.
func unknownNames(root parse.Node, source string) (unknown []wrong) {
	fields := letterFields()
	walk(root, func(n parse.Node, name string) {
		if slices.Contains(fields, name) {
			return
		}
		line := 1 + strings.Count(source[:n.Position()], "\n")
		unknown = append(unknown, wrong{line, "there is no " + name + suggest(name, fields)})
	})
	return unknown
}

// walk gives f every name of a field that is asked for below n. A letter has no fields inside its
// fields, so any name must be one of its own.
func walk(n parse.Node, f func(n parse.Node, name string)) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil { // no else
			return
		}
		for _, c := range n.Nodes {
			walk(c, f)
		}
	case *parse.IfNode:
		walkBranch(&n.BranchNode, f)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, f)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, f)
	case *parse.ActionNode:
		walk(n.Pipe, f)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, f)
		}
	case *parse.CommandNode:
		for _, c := range n.Args {
			walk(c, f)
		}
	case *parse.FieldNode:
		f(n, "."+strings.Join(n.Ident, "."))
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			f(n, "."+strings.Join(n.Ident[1:], "."))
		}
	case *parse.ChainNode:
		f(n, "."+strings.Join(n.Field, "."))
		walk(n.Node, f)
	}
}

func walkBranch(b *parse.BranchNode, f func(n parse.Node, name string)) {
	walk(b.Pipe, f)
	walk(b.List, f)
	walk(b.ElseList, f)
}
