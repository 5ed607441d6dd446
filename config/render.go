package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
)

// maxRendered bounds a subject or body, in bytes.
const maxRendered = 4 << 20

// Render writes the mail for a letter: its subject in one line, and its body without blank lines at
// either end. A citizen's name, address and subject are put in one line first: they are a stranger's words.
func (t *Template) Render(l Letter) (subject, body string, err error) {
	for _, s := range []*string{&l.Subject, &l.Citizen, &l.CitizenAddress} {
		*s = oneLine(*s)
	}
	if subject, err = render("subject", t.Subject, l); err != nil {
		return "", "", err
	}
	if subject = oneLine(subject); subject == "" {
		return "", "", errors.New("render subject: it is empty")
	}
	if body, err = render("body", t.Body, l); err != nil {
		return "", "", err
	}
	return subject, strings.TrimSpace(body) + "\n", nil
}

// oneLine makes one line of several, with single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func render(part, source string, l Letter) (string, error) {
	t, err := texttemplate.New(part).Parse(source)
	if err != nil {
		return "", fmt.Errorf("parse %s: %w", part, err)
	}
	w := bounded{most: maxRendered}
	if err := t.Execute(&w, l); err != nil {
		return "", fmt.Errorf("render %s: %w", part, err)
	}
	return w.String(), nil
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

// checkSource says everything wrong with a template before any mail needs it.
func checkSource(part, source string) (wrong []string) {
	t, err := texttemplate.New(part).Parse(source)
	if err != nil {
		return []string{templateError(err)}
	}
	if t.Tree == nil || parse.IsEmptyTree(t.Root) {
		return []string{"is empty"}
	}
	if len(t.Templates()) > 1 || strings.Contains(source, "{{template") {
		return []string{"define, block and template are not for here: write the words where they are needed"}
	}
	if wrong = unknownVariables(t.Root); len(wrong) > 0 {
		return wrong
	}
	for _, l := range []struct {
		name   string
		letter Letter
	}{{"a full letter", fullLetter()}, {"a letter without anything", Letter{}}} {
		text, err := render(part, source, l.letter)
		switch {
		case err != nil:
			return append(wrong, "on "+l.name+": "+templateError(err))
		case oneLine(text) == "" && part == "subject":
			wrong = append(wrong, "is empty on "+l.name)
		case part == "subject" && strings.ContainsAny(text, "\r\n"):
			return append(wrong, "has a line break, a subject is one line")
		}
	}
	return wrong
}

// templateError is what text/template says, without the name of the template.
func templateError(err error) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		err = e
	}
	_, after, ok := strings.Cut(err.Error(), "template: ")
	if !ok {
		return err.Error()
	}
	return "line " + after[strings.IndexByte(after, ':')+1:]
}

// letterFields are the names a template may say.
func letterFields() []string {
	var fields []string
	for f := range reflect.TypeFor[Letter]().Fields() {
		fields = append(fields, f.Name)
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

// unknownVariables tells each name a template says that no letter has.
func unknownVariables(root parse.Node) (wrong []string) {
	fields := letterFields()
	walk(root, func(name string) {
		if slices.Contains(fields, name) {
			return
		}
		if message := "there is no ." + name + suggest(name, fields); !slices.Contains(wrong, message) {
			wrong = append(wrong, message)
		}
	})
	return wrong
}

// walk gives f the name of every field that is asked for below n. Letter has no fields inside its
// fields, so any of them must be one of its own.
func walk(n parse.Node, f func(name string)) {
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
		f(strings.Join(n.Ident, "."))
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			f(strings.Join(n.Ident[1:], "."))
		}
	case *parse.ChainNode:
		f(strings.Join(n.Field, "."))
		walk(n.Node, f)
	}
}

func walkBranch(b *parse.BranchNode, f func(name string)) {
	walk(b.Pipe, f)
	walk(b.List, f)
	walk(b.ElseList, f)
}
