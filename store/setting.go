package store

import "fmt"

// InitSetting stores a value under a name unless one is there, and gives the one that is there: every
// daemon that starts with a value of its own ends with the same.
func (tx *Tx) InitSetting(name string, value []byte) ([]byte, error) {
	_, err := tx.exec(`insert into setting (name, value) values ($1, $2) on conflict (name) do nothing`, name, present(value))
	var kept []byte
	if err == nil {
		kept, err = one(tx, func(v *[]byte) []any { return []any{v} }, `select value from setting where name = $1`, name)
	}
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	return kept, nil
}
