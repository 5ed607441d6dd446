package config

import (
	"fmt"
	"slices"
	"strings"
)

// shape is one kind of value an admin may write: how a node of it is read, and the same said in JSON
// Schema. Every key of the YAML is said once, in a shape, so reader and schema cannot part.
type shape[T any] struct {
	read   func(n node, into *T)
	schema schema
}

// field is one key of a mapping that is read into a T.
type field[T any] struct {
	name     string
	about    string
	required bool
	read     func(n node, into *T)
	schema   schema
}

// key is an optional key whose value has shape s and is kept where at says.
func key[T, V any](name, about string, s shape[V], at func(*T) *V) field[T] {
	return field[T]{
		name: name, about: about, schema: s.schema,
		read: func(n node, into *T) { s.read(n, at(into)) },
	}
}

// must is a key that has to be there.
func must[T, V any](name, about string, s shape[V], at func(*T) *V) field[T] {
	f := key(name, about, s, at)
	f.required = true
	return f
}

// forbidden is a key that people write and that is not allowed, for the reason why.
func forbidden[T any](name, why string) field[T] {
	return field[T]{name: name, read: func(n node, _ *T) { n.fault("%s", why) }}
}

// object is a mapping with these keys and no others.
func object[T any](fields ...field[T]) shape[T] {
	return objectWith(func(node, *T, map[string]bool) {}, fields...)
}

// objectWith is an object whose keys together are looked at by check, which is told which were said.
func objectWith[T any](check func(n node, v *T, said map[string]bool), fields ...field[T]) shape[T] {
	read := func(n node, into *T) {
		entries, ok := n.entries()
		if !ok {
			return
		}
		said := map[string]bool{}
		for _, e := range entries {
			said[e.key.Value] = true
			if f := find(fields, e.key.Value); f != nil {
				f.read(e.value, into)
			} else {
				e.key.fault("unknown key %s%s", quote(e.key.Value), suggest(e.key.Value, names(fields)))
			}
		}
		for _, f := range fields {
			if f.required && !said[f.name] {
				n.fault("%s is missing: %s", f.name, f.about)
			}
		}
		check(n, into, said)
	}
	return shape[T]{read, objectSchema(fields)}
}

func find[T any](fields []field[T], name string) *field[T] {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// names are the keys an admin may write.
func names[T any](fields []field[T]) []string {
	var all []string
	for _, f := range fields {
		if f.schema != nil {
			all = append(all, f.name)
		}
	}
	return all
}

// first sets what holds for keys that are not said.
func (s shape[T]) first(f func(v *T)) shape[T] {
	return shape[T]{func(n node, into *T) { f(into); s.read(n, into) }, s.schema}
}

// then looks at a value once it is read, however bad it is.
func (s shape[T]) then(f func(n node, v *T)) shape[T] {
	return shape[T]{func(n node, into *T) { s.read(n, into); f(n, into) }, s.schema}
}

// later looks at a copy of a value when everything is read.
func (s shape[T]) later(f func(n node, v T, c *Config)) shape[T] {
	return s.then(func(n node, v *T) {
		value := *v
		n.r.checks = append(n.r.checks, func(c *Config) { f(n, value, c) })
	})
}

// list is a list of items. A later list for the same place replaces an earlier one.
func list[V any](item shape[V]) shape[[]V] {
	return shape[[]V]{func(n node, into *[]V) {
		*into = []V{}
		joined(item).read(n, into)
	}, schema{"type": "array", "items": item.schema}}
}

// joined is a list that is added to what other files say.
func joined[V any](item shape[V]) shape[[]V] {
	return shape[[]V]{func(n node, into *[]V) {
		items, ok := n.items()
		if !ok {
			return
		}
		*into = slices.Grow(*into, len(items))
		for _, i := range items {
			var v V
			item.read(i, &v)
			*into = append(*into, v)
		}
	}, schema{"type": "array", "items": item.schema}}
}

// some is a list that may not be empty.
func some[V any](item shape[V]) shape[[]V] {
	s := list(item).then(func(n node, v *[]V) {
		if len(*v) == 0 && n.isList() {
			n.fault("is empty: say at least one")
		}
	})
	s.schema["minItems"] = 1
	return s
}

// dict is a mapping whose keys are not fixed.
func dict[K comparable, V any](name shape[K], value shape[V]) shape[map[K]V] {
	return shape[map[K]V]{func(n node, into *map[K]V) {
		entries, ok := n.entries()
		if !ok {
			return
		}
		*into = make(map[K]V, len(entries))
		for _, e := range entries {
			var k K
			var v V
			name.read(e.key, &k)
			value.read(e.value, &v)
			if k != *new(K) { // a key that could not be read
				(*into)[k] = v
			}
		}
	}, schema{"type": "object", "propertyNames": name.schema, "additionalProperties": value.schema}}
}

// scalar is one plain value: parse says what is wrong with it and what is allowed.
func scalar[T any](s schema, parse func(v string) (T, error)) shape[T] {
	return shape[T]{func(n node, into *T) {
		v, ok := n.scalar()
		if !ok {
			return
		}
		t, err := parse(v)
		if err != nil {
			n.fault("%s", err)
			return
		}
		*into = t
	}, s}
}

// oneOf is a text from a short list.
func oneOf[S ~string](allowed ...S) shape[S] {
	return scalar(schema{"enum": allowed}, func(v string) (S, error) {
		if slices.Contains(allowed, S(v)) {
			return S(v), nil
		}
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = string(a)
		}
		if near := nearest(v, words); near != "" {
			return "", fmt.Errorf("%s is none of %s; did you mean %s?", quote(v), strings.Join(words, ", "), quote(near))
		}
		return "", fmt.Errorf("%s is none of %s", quote(v), strings.Join(words, ", "))
	})
}

// optional tells a value that is not said from one that is.
func optional[V any](s shape[V]) shape[*V] {
	return shape[*V]{func(n node, into **V) {
		*into = new(V)
		s.read(n, *into)
	}, s.schema}
}

// noun is a sort of thing that has names others refer to.
type noun string

func (n noun) article() string {
	if strings.ContainsRune("aeiou", rune(n[0])) {
		return "an"
	}
	return "a"
}

// define notes that the value of shape s names a thing of sort what. No two may have the same name.
func define[S ~string](what noun, s shape[S]) shape[S] {
	return s.then(func(n node, v *S) {
		if *v != "" {
			n.define(what, string(*v))
		}
	})
}

// ref is the name of a thing of sort what that must be there when everything is read.
func ref[S ~string](what noun) shape[S] {
	return refOr[S](what)
}

// refOr is ref with further names that mean something.
func refOr[S ~string](what noun, further ...string) shape[S] {
	s := scalar(schema{"type": []string{"string", "number"}, "minLength": 1}, func(v string) (S, error) {
		if v == "" {
			return "", fmt.Errorf("is empty: the name of %s %s is needed", what.article(), what)
		}
		return S(v), nil
	})
	return s.later(func(n node, v S, _ *Config) {
		defined := n.r.defined[what]
		if len(defined) == 0 && what != aSecondTheme { // that there is none at all is told once, by checkNeeded
			return
		}
		if _, ok := defined[string(v)]; ok || v == "" || slices.Contains(further, string(v)) {
			return
		}
		all := slices.Clone(further)
		for name := range defined {
			all = append(all, name)
		}
		n.fault("there is no %s %s%s", what, quote(string(v)), suggest(string(v), all))
	})
}
