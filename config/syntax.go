package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// syntaxHints say what an admin most likely wrote, by what the parser's message begins with: it tells
// of its own rules, and often on the line after the one to look at.
var syntaxHints = []struct{ message, hint string }{
	{"could not find expected ':'", `a key, then ": " and its value, is needed on this line or the one above`},
	{"mapping values are not allowed", `a text that has ": " in it needs quotes, and a key stands in a line with the others of its block`},
	{"found a tab character", "indent with spaces"},
	{"found character that cannot start", "a tab, @, ` or % cannot begin a value: indent with spaces, put a text in quotes"},
	{"did not find expected key", "here or above, a quote or a bracket is not closed, or a key is not in line with the others of its block"},
	{"did not find expected '-' indicator", `a key or a "- " is not in line with the others of its block`},
	{"did not find expected alphabetic", "a text that begins with * or & needs quotes"},
	{"did not find expected node content", "a value is missing, or a bracket is not closed"},
	{"did not find expected ',' or", "a comma is missing, or a bracket or a quote is not closed"},
	{"found unexpected end of stream", "a quote is not closed"},
	{"found unknown escape character", `in "…" a \ begins an escape: write \\, or use '…'`},
	{"invalid leading UTF-8", "save the file as UTF-8"},
	{"invalid trailing UTF-8", "save the file as UTF-8"},
	{"incomplete UTF-8", "save the file as UTF-8"},
}

// syntaxFault tells where a file is no YAML, and what to do about it.
func (r *reading) syntaxFault(file string, data []byte, err error) {
	f := Fault{File: file, Line: 1, Col: 1, Message: "this is not YAML"}
	var e *yaml.LoadError
	if errors.As(err, &e) {
		f.Line, f.Col = max(e.Mark.Line, 1), max(e.Mark.Column, 1)
		f.Message = syntaxMessage(strings.TrimPrefix(e.Message, "yaml: "))
		if e.Mark.Line == 0 {
			f.Line, f.Col = unreadable(data)
		}
	}
	r.add(f)
}

func syntaxMessage(message string) string {
	if strings.HasPrefix(message, "unknown anchor") { // its name may be a password that begins with "*"
		return `syntax: "*" at the start of a value means an anchor, and there is none of that name; put a text in quotes`
	}
	for _, h := range syntaxHints {
		if strings.HasPrefix(message, h.message) {
			return "syntax: " + message + ": " + h.hint
		}
	}
	return "syntax: " + message
}

// unreadable is where the first character stands that YAML does not allow; the parser does not say.
func unreadable(data []byte) (line, col int) {
	i := bytes.IndexFunc(data, func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f || c == utf8.RuneError
	})
	if i < 0 {
		return 1, 1
	}
	before := data[:i]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:])))
}
