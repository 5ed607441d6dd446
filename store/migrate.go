package store

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// A migration is one numbered file: NUMBER_NAME.sql for both databases, NUMBER_NAME.DIALECT.sql for one.
type migration struct {
	version int
	name    string
	sql     string
}

// migrate applies what is missing. The caller holds a lock that keeps other daemons from doing the same.
func migrate(tx *Tx, dialect string, types *strings.Replacer) error {
	known, err := migrations(dialect, types)
	if err != nil {
		return err
	}
	if _, err := tx.exec("create table if not exists migration (version integer not null primary key, name text not null)"); err != nil {
		return fmt.Errorf("create table of migrations: %w", err)
	}
	done, err := one(tx, value[int], "select coalesce(max(version), 0) from migration")
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if newest := known[len(known)-1].version; done > newest {
		return fmt.Errorf("the database is at migration %d and this program knows %d: it was opened by a newer one", done, newest)
	}
	for _, m := range known {
		if m.version <= done {
			continue
		}
		if _, err := tx.exec(m.sql); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		if _, err := tx.exec("insert into migration (version, name) values ($1, $2)", m.version, m.name); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

// migrations reads the files for one database, in their order: embed lists by name.
func migrations(dialect string, types *strings.Replacer) ([]migration, error) {
	entries, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range entries {
		name, only, one := strings.Cut(strings.TrimSuffix(entry.Name(), ".sql"), ".")
		if one && only != dialect {
			continue
		}
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number", entry.Name())
		}
		text, err := migrationFiles.ReadFile("migrations/" + entry.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, name, types.Replace(string(text))})
	}
	return all, nil
}
