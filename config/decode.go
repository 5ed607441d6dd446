package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"
)

// Bounds on what is read, far above any real configuration.
const (
	maxBytes  = 64 << 20 // in all files
	maxFiles  = 10_000
	maxNodes  = 1 << 20 // values read, each use of an alias counted
	maxFaults = 1000    // kept; the rest is only counted
	maxMerge  = 8       // "<<" inside "<<"
)

// reading is one load under way.
type reading struct {
	env     Env
	faults  Faults
	more    int                      // faults beyond maxFaults
	fatal   bool                     // one of them is no warning
	nodes   int                      // values read so far
	defined map[noun]map[string]node // where each name is said
	checks  []func(*Config)          // what can only be looked at when everything is read
}

// node is one value of the YAML and its place.
type node struct {
	*yaml.Node
	r         *reading
	file      string
	path      string
	line, col int // of the value, or of the alias that stands for it
}

// entry is one key of a mapping.
type entry struct{ key, value node }

// documents parses one file. Only its first syntax error can be told.
func (r *reading) documents(file string, data []byte) (roots []node, ok bool) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	for err == nil {
		root := new(yaml.Node)
		if err = loader.Load(root); err == nil && root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
			roots = append(roots, r.node(root.Content[0], file, ""))
		}
	}
	if errors.Is(err, io.EOF) {
		return roots, true
	}
	r.syntaxFault(file, data, err)
	return nil, false
}

// node gives y its place; an alias is what it stands for, where it is used.
func (r *reading) node(y *yaml.Node, file, path string) node {
	r.nodes++
	n := node{Node: y, r: r, file: file, path: path, line: y.Line, col: y.Column}
	if y.Kind == yaml.AliasNode && y.Alias != nil {
		n.Node = y.Alias
	}
	return n
}

func (n node) child(y *yaml.Node, step string) node {
	path := n.path + step
	if n.path == "" {
		path = strings.TrimPrefix(step, ".")
	}
	return n.r.node(y, n.file, path)
}

// step is how a path shows a key: in quotes when it would not be read as one.
func step(key string) string {
	if len(key) > 64 || strings.ContainsFunc(key, func(c rune) bool { return !unicode.IsPrint(c) || strings.ContainsRune(` .:[]"`, c) }) {
		return "[" + quote(key) + "]"
	}
	return "." + key
}

// full says, once, that there is more than can be read. Aliases of lists of aliases are the way to get there.
func (n node) full() bool {
	if n.r.nodes <= maxNodes {
		return false
	}
	if n.r.nodes < 2*maxNodes {
		n.r.nodes = 2 * maxNodes
		message := fmt.Sprintf("there are more than %d values in all; the rest is not read", maxNodes)
		n.r.faults = append(n.r.faults, Fault{n.file, n.line, n.col, n.path, message, false}) // beyond maxFaults, too
	}
	return true
}

func (n node) isList() bool    { return n.Kind == yaml.SequenceNode }
func (n node) isMapping() bool { return n.Kind == yaml.MappingNode }

// items are the values of a list. ok is false, and a fault noted, when n is none.
func (n node) items() (items []node, ok bool) {
	if n.full() {
		return nil, false
	}
	if n.tagged() {
		return nil, false
	}
	if !n.isList() {
		n.fault("this is %s, a list is needed: [a, b] or lines that begin with -", n.what())
		return nil, false
	}
	for i, c := range n.Content {
		items = append(items, n.child(c, fmt.Sprintf("[%d]", i)))
	}
	return items, true
}

// entries are the keys of a mapping in order, those of "<<" last. ok is false, and a fault noted,
// when n is no mapping.
func (n node) entries() (entries []entry, ok bool) {
	if n.full() {
		return nil, false
	}
	if n.tagged() {
		return nil, false
	}
	if !n.isMapping() {
		n.fault("this is %s, keys with values are needed", n.what())
		return nil, false
	}
	return n.merged(map[string]bool{}, 0), true
}

// at is the value of a key, or the mapping itself when it has no such key.
func (n node) at(key string) node {
	entries, _ := n.entries()
	for _, e := range entries {
		if e.key.Value == key {
			return e.value
		}
	}
	return n
}

// merged lists the entries of a mapping that are not in seen, and then those of what it merges.
func (n node) merged(seen map[string]bool, depth int) (entries []entry) {
	var merges []node
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		e := entry{n.child(n.Content[i], step(k.Value)), n.child(n.Content[i+1], step(k.Value))}
		switch {
		case k.Tag == "!!merge":
			merges = append(merges, e.value)
		case k.Kind != yaml.ScalarNode:
			e.key.path = n.path
			e.key.fault("this key is %s, a plain word is needed", e.key.what())
		case own[k.Value]:
			e.key.fault("the key %s is there twice", quote(k.Value))
		case !seen[k.Value]:
			entries = append(entries, e)
		}
		own[k.Value], seen[k.Value] = true, true
	}
	for _, m := range merges {
		entries = append(entries, m.mergedIn(seen, depth+1)...)
	}
	return entries
}

// mergedIn is what "<<" brings: a mapping, or several in a list of which the first says it.
func (n node) mergedIn(seen map[string]bool, depth int) (entries []entry) {
	switch {
	case n.full():
	case depth > maxMerge:
		n.fault("more than %d mappings merged into one another", maxMerge)
	case n.isMapping():
		return n.merged(seen, depth)
	case n.isList():
		for _, item := range n.Content {
			entries = append(entries, n.child(item, "").mergedIn(seen, depth+1)...)
		}
	default:
		n.fault("<< takes the keys of another mapping: <<: *name")
	}
	return entries
}

// scalar is a plain value as written. ok is false, and a fault noted, when n is none.
func (n node) scalar() (v string, ok bool) {
	if n.full() || n.tagged() {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		n.fault("this is %s, one value is needed", n.what())
		return "", false
	}
	return n.Value, true
}

// tagged says, and notes as a fault, that n has a tag of its own.
func (n node) tagged() bool {
	if n.Tag != "!!binary" && (!strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!")) {
		return false
	}
	n.fault("tags (!…) are not read; a text that begins with ! needs quotes")
	return true
}

// what says what sort of value n is, without the value.
func (n node) what() string {
	switch {
	case n.isMapping():
		return "a mapping"
	case n.isList():
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "a number"
	}
	return "a text"
}

// define notes that n names a thing; a second of that name is a fault.
func (n node) define(what noun, name string) {
	names := n.r.defined[what]
	if names == nil {
		names = map[string]node{}
		n.r.defined[what] = names
	}
	if other, double := names[name]; double {
		n.fault("the %s %s is there twice, first at %s:%d:%d", what, quote(name), other.file, other.line, other.col)
		return
	}
	names[name] = n
}

// fault notes something wrong with n.
func (n node) fault(format string, args ...any) {
	n.r.add(Fault{n.file, n.line, n.col, n.path, fmt.Sprintf(format, args...), false})
}

// warn notes something about n that is worth a look.
func (n node) warn(format string, args ...any) {
	n.r.add(Fault{n.file, n.line, n.col, n.path, fmt.Sprintf(format, args...), true})
}

// add keeps a fault, each once: what stands behind an alias is read at every use.
func (r *reading) add(f Fault) {
	f.Message = strings.ReplaceAll(f.Message, "\n", " ") // a fault is a line
	if len(r.faults) >= maxFaults {
		r.more++
		r.fatal = r.fatal || !f.Warning
		return
	}
	same := func(o Fault) bool {
		return o.File == f.File && o.Line == f.Line && o.Col == f.Col && o.Message == f.Message
	}
	if !slices.ContainsFunc(r.faults, same) {
		r.faults = append(r.faults, f)
	}
}
