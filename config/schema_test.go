package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write docs/bustia.schema.json anew")

const schemaFile = "../docs/bustia.schema.json"

func TestSchemaFile(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Schema()) {
		t.Errorf("%s is not what the tables say: go test ./config -run TestSchemaFile -update", schemaFile)
	}
}

// TestSchemaTakesSample validates every file that Load takes against the schema.
func TestSchemaTakesSample(t *testing.T) {
	v := newValidator(t)
	for _, fsys := range []fs.FS{Sample(), os.DirFS("testdata/valid")} {
		names, err := fileNames(fsys)
		if err != nil || len(names) == 0 {
			t.Fatalf("got files %v, %v", names, err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range v.file(data) {
				t.Errorf("%s: %s", name, wrong)
			}
		}
	}
}

// TestSchemaRefuses shows that the schema finds what an editor should mark, and so that the test above can fail.
func TestSchemaRefuses(t *testing.T) {
	v := newValidator(t)
	check := func(data, want string) {
		t.Helper()
		wrong := v.file([]byte(data))
		if !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, want) }) {
			t.Errorf("%q: got %q, want %q", data, wrong, want)
		}
	}
	check("stores: x", ".stores: unknown")
	check("store: mysql:x", ".store: pattern")
	check("about: {name: {ca: x}, domain: x, responsible: x}", ".about: privacy_url missing")
	check("languages: {default: ca, offered: ca}", ".languages.offered: type")
	check("languages: {default: ca, offered: []}", ".languages.offered: too few")
	check("mailboxes: [{kind: common}]", ".mailboxes[0].kind: enum")
	check("mailboxes: [{imap: {port: 0}}]", ".mailboxes[0].imap.port: minimum")
	check("mailboxes: [{imap: {password: x}}]", ".mailboxes[0].imap.password: unknown")
	check("circuits: [{terms: {queixa: 5 days}}]", ".circuits[0].terms.queixa: pattern")
	check("themes: [{children: [{children: [{children: []}]}]}]", ".themes[0].children[0].children[0].children: unknown")
	check("themes: [{name: {CA: x}}]", ".themes[0].name.CA: pattern")
	check("themes: [{keywords: {ca: [{weight: 1}]}}]", ".themes[0].keywords.ca[0]: none fits")
	check("calendars: [{years: {2026: [2026-01-01]}}]", ".calendars[0].years.2026: none fits")
	check("rules: [{when: {}}]", ".rules[0].when: too few")
}

// validator is as much of JSON Schema as Schema uses; a keyword that it does not know is a panic.
type validator struct {
	root     map[string]any
	patterns map[string]*regexp.Regexp
}

func newValidator(t *testing.T) validator {
	t.Helper()
	v := validator{patterns: map[string]*regexp.Regexp{}}
	if err := json.Unmarshal(Schema(), &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v validator) file(data []byte) []string {
	var value any
	if err := yaml.Load(data, &value); err != nil {
		return []string{err.Error()}
	}
	return v.check(v.root, value, "")
}

func (v validator) check(s map[string]any, value any, at string) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, arg := range s {
		switch keyword {
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/$defs/")
			wrong = append(wrong, v.check(v.root["$defs"].(map[string]any)[name].(map[string]any), value, at)...)
		case "type":
			if !hasType(arg, value) {
				bad("type %v", arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), value) {
				bad("enum %v", arg)
			}
		case "pattern":
			if text, ok := value.(string); ok && !v.pattern(arg.(string)).MatchString(text) {
				bad("pattern %s", arg)
			}
		case "minimum":
			if n, ok := number(value); ok && n < arg.(float64) {
				bad("minimum %v", arg)
			}
		case "maximum":
			if n, ok := number(value); ok && n > arg.(float64) {
				bad("maximum %v", arg)
			}
		case "minItems", "minLength", "minProperties":
			if n, ok := length(keyword, value); ok && float64(n) < arg.(float64) {
				bad("too few")
			}
		case "items":
			if items, ok := value.([]any); ok {
				for i, item := range items {
					wrong = append(wrong, v.check(arg.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
				}
			}
		case "anyOf":
			if !slices.ContainsFunc(arg.([]any), func(one any) bool { return len(v.check(one.(map[string]any), value, at)) == 0 }) {
				bad("none fits")
			}
		case "properties", "additionalProperties", "propertyNames", "required":
			wrong = append(wrong, v.checkMapping(keyword, s, value, at)...)
		case "$schema", "$defs", "title", "description", "format":
		default:
			panic("unknown keyword " + keyword)
		}
	}
	return wrong
}

func (v validator) pattern(source string) *regexp.Regexp {
	if v.patterns[source] == nil {
		v.patterns[source] = regexp.MustCompile(source)
	}
	return v.patterns[source]
}

func (v validator) checkMapping(keyword string, s map[string]any, value any, at string) (wrong []string) {
	mapping, ok := keys(value)
	if !ok {
		return nil
	}
	properties, _ := s["properties"].(map[string]any)
	if keyword == "required" {
		for _, name := range s["required"].([]any) {
			if _, ok := mapping[name.(string)]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s: %s missing", at, name))
			}
		}
		return wrong
	}
	for name, value := range mapping {
		property, known := properties[name].(map[string]any)
		at := at + "." + name
		switch {
		case keyword == "properties" && known:
			wrong = append(wrong, v.check(property, value, at)...)
		case keyword == "propertyNames":
			wrong = append(wrong, v.check(s["propertyNames"].(map[string]any), name, at)...)
		case keyword == "additionalProperties" && !known && s[keyword] == false:
			wrong = append(wrong, at+": unknown")
		case keyword == "additionalProperties" && !known:
			wrong = append(wrong, v.check(s[keyword].(map[string]any), value, at)...)
		}
	}
	return wrong
}

// keys are the keys of a mapping as JSON has them, as texts.
func keys(value any) (map[string]any, bool) {
	switch m := value.(type) {
	case map[string]any:
		return m, true
	case map[any]any:
		texts := map[string]any{}
		for k, v := range m {
			texts[fmt.Sprint(k)] = v
		}
		return texts, true
	}
	return nil, false
}

func hasType(want, value any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return hasType(one, value) })
	}
	_, isMapping := keys(value)
	_, isList := value.([]any)
	_, isText := value.(string)
	_, isTruth := value.(bool)
	_, isWhole := value.(int)
	_, isNumber := number(value)
	return map[any]bool{"object": isMapping, "array": isList, "string": isText, "boolean": isTruth, "integer": isWhole, "number": isNumber}[want]
}

func number(value any) (float64, bool) {
	switch value.(type) {
	case int, float64:
		n, err := strconv.ParseFloat(fmt.Sprint(value), 64)
		return n, err == nil
	}
	return 0, false
}

func length(keyword string, value any) (int, bool) {
	switch v := value.(type) {
	case []any:
		return len(v), keyword == "minItems"
	case string:
		return len(v), keyword == "minLength"
	}
	m, ok := keys(value)
	return len(m), ok && keyword == "minProperties"
}
