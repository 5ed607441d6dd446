package config

import "encoding/json"

// schema is a JSON Schema (2020-12), as far as it is needed here.
type schema map[string]any

// definition is a schema that is written down once, under its name, and referred to.
type definition struct {
	name   string
	schema schema
}

// MarshalJSON is the reference.
func (d definition) MarshalJSON() ([]byte, error) { return json.Marshal("#/$defs/" + d.name) }

// named writes the schema of s down once for all who use it.
func (s shape[T]) named(name string) shape[T] {
	return shape[T]{s.read, schema{"$ref": definition{name, s.schema}}}
}

func objectSchema[T any](fields []field[T]) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		if f.schema == nil { // forbidden
			continue
		}
		property := schema{}
		for k, v := range f.schema {
			property[k] = v
		}
		if f.about != "" {
			property["description"] = f.about
		}
		properties[f.name] = property
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// Schema is the JSON Schema of one configuration file, for editors that complete and check while an
// admin types. It says what a value may look like; whether names and dates fit together only Load knows.
func Schema() []byte {
	s := document().schema
	definitions := schema{}
	collect(s, definitions)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "bustia configuration"
	s["$defs"] = definitions
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil { // made of our own tables
		panic(err)
	}
	return append(b, '\n')
}

// collect finds every definition below v.
func collect(v any, into schema) {
	switch v := v.(type) {
	case schema:
		for _, w := range v {
			collect(w, into)
		}
	case []schema:
		for _, w := range v {
			collect(w, into)
		}
	case definition:
		if _, known := into[v.name]; !known {
			into[v.name] = v.schema
			collect(v.schema, into)
		}
	}
}
