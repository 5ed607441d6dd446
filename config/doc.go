// Package config is what an admin may say: a directory of YAML files, read as a whole, and found either
// valid or not loaded at all. It is plain data for everything else, and imports nothing of ours.
//
// # Files
//
// Every *.yaml and *.yml file in the directory, or one folder below it, is read in the order of its
// path; what begins with "." is not. Any file may have any of the top-level keys: about, store,
// languages (these three in one file only), types, mailboxes, organisations, circuits, themes,
// organisational_themes, agents, calendars, templates, rules. Lists that stand in several files are
// joined. docs/bustia.schema.json describes a file to editors; it is made from the same tables that
// read it (see Schema).
//
// A mailbox, and the circuit by which its cases are treated:
//
//	mailboxes:
//	  - name: corporate
//	    address: bustia@example.cat
//	    kind: corporate
//	    organisation: salut
//	    circuit: general
//	    imap: {host: imap.example.cat, username: bustia, password_file: secrets/corporate}
//	    smtp: {host: smtp.example.cat, username: bustia, password_env: BUSTIA_SMTP}
//	circuits:
//	  - {id: general, calendar: catalunya, terms: {consulta: 5 working days, queixa: 1 month}}
//
// # Things and their names
//
// Mailboxes, organisations, circuits, themes, agents, types and calendars refer to one another by
// name. A theme is named by its path: its id joined to its parents' by "/". It has the organisation and
// the visibility of its parent unless it says otherwise. A calendar that is like another has that one's
// zone, weekend and years, and says only what it removes and adds.
//
// # Faults
//
// Load looks at everything and tells every fault at once, each in a line with its place, what is wrong
// and what is allowed. Beyond what one value may be, it looks whether names refer to something and
// are there once, whether somebody treats each theme and oversees each organisation, whether every
// mail can be written in every language it may be needed in, and whether the calendars know the days
// that will be counted. A warning is worth a look but stops nothing. When a file is no YAML at all,
// the others are read but names are not looked up, as what they refer to may be in that file.
//
// # Secrets
//
// A password is never written in the YAML: password_file names a file that holds it, password_env an
// environment variable. It is a Secret from then on and does not print, and no fault shows what
// stands where a password was meant to be named. The same goes for what oauth has in its place, for
// servers that want a token: a client secret (client_secret_file, client_secret_env) and perhaps a
// refresh token (refresh_token_file, refresh_token_env). What Microsoft 365 and Google want there is
// told in package mailbox/login.
//
// # Bounds
//
// Admins are trusted to mean well, not to never slip: the number and size of files, values, faults, and
// of what a template renders are bounded, anchors that multiply included.
package config
