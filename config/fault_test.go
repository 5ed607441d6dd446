package config

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// faultCases are edits to testdata/valid (the first old in file becomes new) and every fault line that
// then has to be told.
var faultCases = []struct {
	file, old, new string
	want           string
}{
	// YAML
	{"mailboxes.yaml", "    circuit: general\n    language", "    circuit general\n    language", `
mailboxes.yaml:8:5: .: syntax: could not find expected ':': a key, then ": " and its value, is needed on this line or the one above
`},
	{"mailboxes.yaml", "address: bustia@example.cat", "address: *bustia", `
mailboxes.yaml:3:14: .: syntax: "*" at the start of a value means an anchor, and there is none of that name; put a text in quotes
`},
	{"mailboxes.yaml", "kind: corporate", "kind: \"corpo\x01rate\"", `
mailboxes.yaml:5:17: .: syntax: control characters are not allowed (value: 1)
`},
	{"rules.yaml", "rules:", "- rules:", `
rules.yaml:1:1: .: this is a list, keys with values are needed
`},
	{"rules.yaml", "newsletters", "news\xffletters", `
rules.yaml:5:15: .: syntax: invalid leading UTF-8 octet (value: 255): save the file as UTF-8
`},
	{"people.yaml", "name: Marta Soler", "name: Marta: Soler", `
people.yaml:13:16: .: syntax: mapping values are not allowed in this context: a text that has ": " in it needs quotes, and a key stands in a line with the others of its block
`},
	{"people.yaml", "    name: Marta Soler", "\tname: Marta Soler", `
people.yaml:13:1: .: syntax: found a tab character that violates indentation: indent with spaces
`},
	{"mailboxes.yaml", "    threshold: 0.6", "    poll: */5 * * * *", `
mailboxes.yaml:9:16: .: syntax: did not find expected alphabetic or numeric character: a text that begins with * or & needs quotes
`},
	{"empty.yaml", "", "# nothing\n", ""},
	{"mailboxes.yaml", "name: salut", "name: !salut salut", `
mailboxes.yaml:15:11: mailboxes[1].name: tags (!…) are not read; a text that begins with ! needs quotes
rules.yaml:9:22: rules[2].when.mailbox[0]: there is no mailbox "salut"; there are: corporate
`},
	{"mailboxes.yaml", "mailboxes:\n", "mailboxes:\n  - &again {<<: *again}\n", `
mailboxes.yaml:2:5: mailboxes[0]: name is missing: how commands and rules name it
mailboxes.yaml:2:5: mailboxes[0]: address is missing: where citizens write
mailboxes.yaml:2:5: mailboxes[0]: kind is missing: corporate (the common door) or specific (one department's own)
mailboxes.yaml:2:5: mailboxes[0]: organisation is missing: whose it is
mailboxes.yaml:2:5: mailboxes[0]: circuit is missing: how its cases are treated
mailboxes.yaml:2:5: mailboxes[0]: imap is missing: the way in
mailboxes.yaml:2:5: mailboxes[0]: smtp is missing: the way out
mailboxes.yaml:2:17: mailboxes[0].<<.<<.<<.<<.<<.<<.<<.<<.<<: more than 8 mappings merged into one another
`},
	{"mailboxes.yaml", "imap: {host: 127.0.0.1", "imap: {<<: here, host: 127.0.0.1", `
mailboxes.yaml:20:16: mailboxes[1].imap.<<: << takes the keys of another mapping: <<: *name
`},
	{"about.yaml", "types:", "? [types]\n: 1\ntypes:", `
about.yaml:8:3: .: this key is a list, a plain word is needed
`},
	// keys
	{"rules.yaml", "ignore: true", "ignroe: true, tpye: queixa, theme: salut/tsi/canvis", `
rules.yaml:7:12: rules[1].then.ignroe: unknown key "ignroe"; did you mean "ignore"?
rules.yaml:7:26: rules[1].then.tpye: unknown key "tpye"; did you mean "type"?
rules.yaml:7:47: rules[1].then.theme: there is no theme "salut/tsi/canvis"; did you mean "salut/tsi/canvi"?
`},
	{"mailboxes.yaml", "threshold: 0.6", "treshold: 0.6", `
mailboxes.yaml:9:5: mailboxes[0].treshold: unknown key "treshold"; did you mean "threshold"?
`},
	{"mailboxes.yaml", "threshold: 0.6", "verbosity: 0.6", `
mailboxes.yaml:9:5: mailboxes[0].verbosity: unknown key "verbosity"; there are: address, after, aliases, archive, authserv_id, circuit, imap, kind, language, max_size, name, organisation, … (17 in all)
`},
	{"about.yaml", "store:", "stores:", `
about.yaml:6:1: stores: unknown key "stores"; did you mean "store"?
`},
	{"mailboxes.yaml", "kind: corporate", "kind: corporate\n    kind: specific", `
mailboxes.yaml:6:5: mailboxes[0].kind: the key "kind" is there twice
`},
	{"mailboxes.yaml", "    circuit: general\n    language: ca\n", "    language: ca\n", `
mailboxes.yaml:2:5: mailboxes[0]: circuit is missing: how its cases are treated
`},
	{"about.yaml", "  privacy_url: https://example.cat/privacitat\n", "", `
about.yaml:2:3: about: privacy_url is missing: the whole data-protection notice (LOPDGDD art. 11)
`},
	{"about.yaml", "types:\n  - {id: consulta, name: {ca: consulta, en: question}, default: true}\n  - {id: queixa, name: {ca: queixa, en: complaint}}\n", "", `
about.yaml:1:1: types: is missing: no file says any
`},
	{"other.yaml", "", "store: sqlite:other.db\n", `
other.yaml:1:8: store: the key "store" is there twice, first at about.yaml:6:8
`},
	// types
	{"mailboxes.yaml", "aliases: [contacte@example.cat]", "aliases: contacte@example.cat", `
mailboxes.yaml:4:14: mailboxes[0].aliases: this is a text, a list is needed: [a, b] or lines that begin with -
`},
	{"mailboxes.yaml", "name: corporate", "name: [corporate]", `
mailboxes.yaml:2:11: mailboxes[0].name: this is a list, one value is needed
`},
	{"mailboxes.yaml", "smtp: {host: localhost, tls: none}", "smtp: localhost", `
mailboxes.yaml:21:11: mailboxes[1].smtp: this is a text, keys with values are needed
`},
	{"mailboxes.yaml", "reply_days: 90", "reply_days: ninety", `
mailboxes.yaml:29:17: circuits[0].reply_days: "ninety": a whole number from 1 to 3650 is needed
`},
	{"mailboxes.yaml", "reply_days: 90", "reply_days:", `
mailboxes.yaml:29:16: circuits[0].reply_days: this is nothing, one value is needed
`},
	{"people.yaml", "name: Marta Soler", "name: true", `
people.yaml:13:11: agents[1].name: this is true or false, a text is needed: put it in quotes
`},
	{"people.yaml", "name: Marta Soler", "name: \"\"", `
people.yaml:13:11: agents[1].name: is empty: say something, or leave the key out
`},
	{"people.yaml", "name: Marta Soler", "name: \"Marta\\nSoler\"", `
people.yaml:13:11: agents[1].name: several lines where one is needed
`},
	{"themes.yml", "visible: true", "visible: yes", `
themes.yml:13:65: themes[0].children[0].children[1].visible: "yes": true or false is needed
`},
	{"mailboxes.yaml", "threshold: 0.6", "threshold: 1.6", `
mailboxes.yaml:9:16: mailboxes[0].threshold: "1.6": a number from 0 to 1 is needed
`},
	{"mailboxes.yaml", "threshold: 0.6", "threshold: .nan", `
mailboxes.yaml:9:16: mailboxes[0].threshold: ".nan": a number from 0 to 1 is needed
`},
	// names twice
	{"about.yaml", "id: queixa", "id: consulta", `
about.yaml:10:10: types[1].id: the type "consulta" is there twice, first at about.yaml:9:10
mailboxes.yaml:26:39: circuits[0].terms.queixa: there is no type "queixa"; there are: consulta
rules.yaml:4:18: rules[0].then.type: there is no type "queixa"; there are: consulta
`},
	{"mailboxes.yaml", "name: salut", "name: corporate", `
mailboxes.yaml:15:11: mailboxes[1].name: the mailbox "corporate" is there twice, first at mailboxes.yaml:2:11
rules.yaml:9:22: rules[2].when.mailbox[0]: there is no mailbox "salut"; there are: corporate
`},
	{"other.yaml", "", "organisations:\n  - {id: salut, name: {ca: Salut, en: Health}, supervisors: [montse]}\n", `
people.yaml:2:9: organisations[0].id: the organisation "salut" is there twice, first at other.yaml:2:10
`},
	{"people.yaml", "id: marta", "id: montse", `
people.yaml:12:9: agents[1].id: the agent "montse" is there twice, first at people.yaml:8:9
`},
	{"people.yaml", "address: montse@example.cat", "address: Bustia@example.cat", `
people.yaml:10:14: agents[0].address: the address "bustia@example.cat" is there twice, first at mailboxes.yaml:3:14
`},
	{"people.yaml", "aliases: [msoler@example.cat]", "aliases: [montse@example.cat]", `
people.yaml:16:15: agents[1].aliases[0]: the address "montse@example.cat" is there twice, first at people.yaml:10:14
`},
	{"themes.yml", "id: canvi", "id: perdua", `
themes.yml:13:13: themes[0].children[0].children[1]: the theme "salut/tsi/perdua" is there twice, first at themes.yml:12:13
`},
	{"people.yaml", "name: aran", "name: catalunya", `
mailboxes.yaml:24:15: circuits[0].calendar: there is no calendar "aran"; there are: catalunya
people.yaml:22:5: calendars[0]: like goes round in a circle: catalunya, catalunya
people.yaml:26:11: calendars[1].name: the calendar "catalunya" is there twice, first at people.yaml:22:11
`},
	{"rules.yaml", "name: newsletters", "name: complaint words", `
rules.yaml:5:11: rules[1].name: the rule "complaint words" is there twice, first at rules.yaml:2:11
`},
	{"templates/en.yaml", "kind: follow_up_received", "kind: acknowledgement", `
about.yaml:7:40: languages.offered[1]: no template in en for: follow_up_received; each citizen who reads en needs them
templates/en.yaml:7:5: templates[1]: the template "acknowledgement in en" is there twice, first at templates/en.yaml:2:5
`},
	{"about.yaml", "offered: [ca, en]", "offered: [ca, en, ca]", `
about.yaml:7:44: languages.offered[2]: the language "ca" is there twice, first at about.yaml:7:36
`},
	{"about.yaml", "name: {ca: queixa, en: complaint}", "name: {ca: queixa, en: complaint}, default: true", `
about.yaml:10:5: types[1]: only one type may have default: true, and the one at about.yaml:9:5 has it
`},
	// references
	{"mailboxes.yaml", "organisation: salut", "organisation: salud", `
mailboxes.yaml:6:19: mailboxes[0].organisation: there is no organisation "salud"; did you mean "salut"?
`},
	{"mailboxes.yaml", "circuit: general", "circuit: especial", `
mailboxes.yaml:7:14: mailboxes[0].circuit: there is no circuit "especial"; there are: general
`},
	{"mailboxes.yaml", "calendar: aran", "calendar: madrid", `
mailboxes.yaml:24:15: circuits[0].calendar: there is no calendar "madrid"; there are: aran, catalunya
`},
	{"people.yaml", "supervisors: [montse]", "supervisors: [montsa]", `
people.yaml:4:19: organisations[0].supervisors[0]: there is no agent "montsa"; did you mean "montse"?
`},
	{"people.yaml", "themes: [salut/tsi, salut/metge]", "themes: [salut/tsi, metge, salut]", `
people.yaml:20:25: agents[1].themes[1]: there is no theme "metge"; did you mean "salut/metge"?
`},
	{"mailboxes.yaml", "language: ca", "language: fr", `
mailboxes.yaml:8:15: mailboxes[0].language: there is no language "fr"; there are: ca, en
`},
	{"mailboxes.yaml", "terms: {consulta: 5", "terms: {consultes: 5", `
mailboxes.yaml:26:13: circuits[0].terms.consultes: there is no type "consultes"; did you mean "consulta"?
`},
	{"rules.yaml", "theme: salut/tsi/perdua", "theme: salut/tsi/perdu", `
rules.yaml:10:19: rules[2].then.theme: there is no theme "salut/tsi/perdu"; did you mean "salut/tsi/perdua"?
`},
	{"rules.yaml", "theme: salut/tsi/perdua", "theme: salut/tsi/duplicat", `
rules.yaml:10:19: rules[2].then.theme: there is no theme "salut/tsi/duplicat"; there are: salut/tsi/canvi, salut/tsi/perdua
`},
	{"rules.yaml", "theme: salut/tsi/perdua", "theme: salut", `
rules.yaml:10:19: rules[2].then.theme: salut is a theme of level 1: a case is filed on one of the themes below it
`},
	{"rules.yaml", "mailbox: [salut]", "mailbox: [slaut]", `
rules.yaml:9:22: rules[2].when.mailbox[0]: there is no mailbox "slaut"; did you mean "salut"?
`},
	{"rules.yaml", "language: [en]", "language: [eng]", `
rules.yaml:3:74: rules[0].when.not.language[0]: there is no language "eng"; did you mean "en"?
`},
	{"rules.yaml", "{type: queixa}", "{type: queja}", `
rules.yaml:4:18: rules[0].then.type: there is no type "queja"; did you mean "queixa"?
`},
	{"rules.yaml", "organisational: [org-risc]", "organisational: [risc]", `
rules.yaml:10:54: rules[2].then.organisational[0]: there is no organisational theme "risc"; there are: org-risc
`},
	{"people.yaml", "like: catalunya", "like: espanya", `
people.yaml:23:11: calendars[0].like: there is no calendar "espanya"; there are: aran, catalunya
`},
	{"about.yaml", "default: ca", "default: es", `
about.yaml:7:22: languages.default: there is no language "es"; there are: ca, en
`},
	{"people.yaml", "organisation: salut", "organisation: \"\"", `
people.yaml:11:19: agents[0].organisation: is empty: the name of an organisation is needed
`},
	{"templates/ca.yaml", "organisation: salut", "organisation: saluts", `
templates/ca.yaml:89:19: templates[13].organisation: there is no organisation "saluts"; did you mean "salut"?
`},
	// values
	{"mailboxes.yaml", "address: bustia@example.cat", "address: bustia.example.cat", `
mailboxes.yaml:3:14: mailboxes[0].address: "bustia.example.cat" is no mail address: name@domain is needed, and nothing else
`},
	{"mailboxes.yaml", "address: bustia@example.cat", "address: Bústia <bustia@example.cat>", `
mailboxes.yaml:3:14: mailboxes[0].address: "Bústia <bustia@example.cat>" is no mail address: name@domain is needed, and nothing else
`},
	{"mailboxes.yaml", "port: 1143", "port: 70000", `
mailboxes.yaml:20:35: mailboxes[1].imap.port: "70000": a whole number from 1 to 65535 is needed
`},
	{"mailboxes.yaml", "tls: starttls", "tls: startls", `
mailboxes.yaml:14:41: mailboxes[0].smtp.tls: "startls" is none of tls, starttls, none; did you mean "starttls"?
`},
	{"mailboxes.yaml", "host: imap.example.cat", "host: imap.example.cat:993", `
mailboxes.yaml:13:18: mailboxes[0].imap.host: "imap.example.cat:993" is no host: a name like mail.example.org or an IP address, without port
`},
	{"mailboxes.yaml", "kind: corporate", "kind: common", `
mailboxes.yaml:5:11: mailboxes[0].kind: "common" is none of corporate, specific
`},
	{"mailboxes.yaml", "subaddress: \"-\"", "subaddress: \"\"", `
mailboxes.yaml:10:17: mailboxes[0].subaddress: "" is none of +, -, =, _
`},
	{"mailboxes.yaml", "poll: \"*/10 * * * *\"", "poll: \"*/10 * * *\"", `
mailboxes.yaml:12:11: mailboxes[0].poll: "*/10 * * *": expected exactly 5 fields, found 4: [*/10 * * *]; say five fields, "*/5 * * * *", or "@every 5m"
`},
	{"mailboxes.yaml", "poll: \"*/10 * * * *\"", "poll: TZ=Europe/Madrid", `
mailboxes.yaml:12:11: mailboxes[0].poll: "TZ=Europe/Madrid": a time zone cannot be said here; say five fields, "*/5 * * * *", or "@every 5m"
`},
	{"mailboxes.yaml", "poll: \"*/10 * * * *\"", "poll: \"0 0 31 2 *\"", `
mailboxes.yaml:12:11: mailboxes[0].poll: "0 0 31 2 *": that day never comes
`},
	{"mailboxes.yaml", "poll: \"*/10 * * * *\"", "poll: \"@every 5s\"", `
mailboxes.yaml:12:11: mailboxes[0].poll: "@every 5s": at least 10s
`},
	{"mailboxes.yaml", "queixa: 1 month", "queixa: 5 days", `
mailboxes.yaml:26:47: circuits[0].terms.queixa: "5 days": say working days or calendar days
`},
	{"mailboxes.yaml", "queixa: 1 month", "queixa: 0 months", `
mailboxes.yaml:26:47: circuits[0].terms.queixa: "0 months": between 1 and 120 months
`},
	{"mailboxes.yaml", "queixa: 1 month", "queixa: soon", `
mailboxes.yaml:26:47: circuits[0].terms.queixa: "soon" is no term: say "10 working days", "30 calendar days", "1 month" or "24 hours"
`},
	{"mailboxes.yaml", "queixa: 1 month", "queixa: 2 weeks", `
mailboxes.yaml:26:47: circuits[0].terms.queixa: "2 weeks" has no unit we know: say "10 working days", "30 calendar days", "1 month" or "24 hours"
`},
	{"mailboxes.yaml", "queixa: 1 month", "queixa: 72 hours", `
mailboxes.yaml:26:47: circuits[0].terms.queixa: warning: a term in hours has at most 24 (Ley 39/2015 art. 30.1): say working days
`},
	{"mailboxes.yaml", "remind: [50%, 80%]", "remind: [0.5, 100%, 0%]", `
mailboxes.yaml:27:14: circuits[0].remind[0]: "0.5": a share like 80% is needed, above 0% and below 100%
mailboxes.yaml:27:19: circuits[0].remind[1]: "100%": a share like 80% is needed, above 0% and below 100%
mailboxes.yaml:27:25: circuits[0].remind[2]: "0%": a share like 80% is needed, above 0% and below 100%
`},
	{"mailboxes.yaml", "remind: [50%, 80%]", "remind: [80%, 50%]", `
mailboxes.yaml:27:13: circuits[0].remind: the shares must grow: 50%, 80%
`},
	{"about.yaml", "privacy_url: https://example.cat/privacitat", "privacy_url: example.cat/privacitat", `
about.yaml:5:16: about.privacy_url: "example.cat/privacitat" is no web address: https://… is needed
`},
	{"about.yaml", "store: sqlite:bustia.db", "store: mysql://bustia:battery@db/bustia", `
about.yaml:6:8: store: is neither sqlite:PATH nor postgres://user@host/database
`},
	{"about.yaml", "store: sqlite:bustia.db", "store: postgres://bustia:battery@db/bustia", `
about.yaml:6:8: store: warning: a password does not belong in the configuration: leave it out here and set PGPASSWORD or PGPASSFILE
`},
	{"about.yaml", "id: queixa", "id: Queixa!", `
about.yaml:10:10: types[1].id: "Queixa!" is no name: small letters, digits and . _ - in between, at most 64
mailboxes.yaml:26:39: circuits[0].terms.queixa: there is no type "queixa"; there are: consulta
rules.yaml:4:18: rules[0].then.type: there is no type "queixa"; there are: consulta
`},
	{"about.yaml", "offered: [ca, en]", "offered: [ca, en, Français]", `
about.yaml:7:44: languages.offered[2]: "Français" is no language: a BCP 47 tag like ca, es, oc-aranes
`},
	{"about.yaml", "offered: [ca, en]", "offered: []", `
about.yaml:7:35: languages.offered: is empty: say at least one
`},
	// secrets and servers
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "password: battery", `
mailboxes.yaml:14:79: mailboxes[0].smtp.password: a password does not belong in the configuration: name a file that holds it (password_file) or an environment variable (password_env)
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "password_env: BUSTIA_SMTP, password_file: secrets/corporate", `
mailboxes.yaml:14:11: mailboxes[0].smtp: password_file and password_env: one of them is needed, not both
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "password_env: BUSTIA_NONE", `
mailboxes.yaml:14:83: mailboxes[0].smtp.password_env: the environment variable named here is empty or not there
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "password_env: battery", `
mailboxes.yaml:14:83: mailboxes[0].smtp.password_env: this is no name of an environment variable: capital letters, digits and _ are
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "password_env: BUSTIA_LONG", `
mailboxes.yaml:14:83: mailboxes[0].smtp.password_env: the environment variable named here holds no password: one line of at most 4096 bytes is needed
`},
	{"mailboxes.yaml", "password_file: secrets/corporate", "password_file: battery", `
mailboxes.yaml:13:69: mailboxes[0].imap.password_file: the file named here cannot be read: no such file or directory
`},
	{"mailboxes.yaml", ", password_file: secrets/corporate", "", `
mailboxes.yaml:13:11: mailboxes[0].imap: username without a password: say password_file, password_env or oauth
`},
	{"mailboxes.yaml", "username: bustia, password_file", "password_file", `
mailboxes.yaml:13:11: mailboxes[0].imap: username is missing: to log in with
mailboxes.yaml:13:11: mailboxes[0].imap: a password without username
`},
	{"mailboxes.yaml", "smtp: {host: localhost, tls: none}", "smtp: {host: localhost, tls: none, password_env: BUSTIA_SMTP}", `
mailboxes.yaml:21:11: mailboxes[1].smtp: a password without username
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "oauth: {mechanism: xoauth, token_url: http://login.example.cat/token, client_id: 7, client_secret: battery, scopes: [a b]}", `
mailboxes.yaml:14:88: mailboxes[0].smtp.oauth.mechanism: "xoauth" is none of xoauth2, oauthbearer; did you mean "xoauth2"?
mailboxes.yaml:14:107: mailboxes[0].smtp.oauth.token_url: http sends the client secret readable by anyone on the way: https://… is needed
mailboxes.yaml:14:168: mailboxes[0].smtp.oauth.client_secret: a client secret does not belong in the configuration: name a file that holds it (client_secret_file) or an environment variable (client_secret_env)
mailboxes.yaml:14:186: mailboxes[0].smtp.oauth.scopes[0]: "a b" is no scope: a word is needed, and several in a list
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "oauth: {token_url: \"https://u:battery@login.example.cat/token\", client_id: 7, refresh_token: staple, client_secret_file: battery}", `
mailboxes.yaml:14:88: mailboxes[0].smtp.oauth.token_url: a name or password in the address does not belong here: say client_id and client_secret_file
mailboxes.yaml:14:162: mailboxes[0].smtp.oauth.refresh_token: a refresh token does not belong in the configuration: name a file that holds it (refresh_token_file) or an environment variable (refresh_token_env)
mailboxes.yaml:14:190: mailboxes[0].smtp.oauth.client_secret_file: the file named here cannot be read: no such file or directory
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "oauth: {token_url: login.example.cat, client_id: 7}", `
mailboxes.yaml:14:76: mailboxes[0].smtp.oauth: nothing to get tokens with: say client_secret_file or client_secret_env, or a refresh token
mailboxes.yaml:14:88: mailboxes[0].smtp.oauth.token_url: this is no web address: https://… is needed
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "oauth: {token_url: https://login.example.cat/, client_secret_file: secrets/corporate, client_secret_env: BUSTIA_SMTP, refresh_token_file: secrets/corporate, refresh_token_env: BUSTIA_LONG}", `
mailboxes.yaml:14:76: mailboxes[0].smtp.oauth: client_id is missing: the application's
mailboxes.yaml:14:76: mailboxes[0].smtp.oauth: client_secret_file and client_secret_env: one of them is needed, not both
mailboxes.yaml:14:76: mailboxes[0].smtp.oauth: refresh_token_file and refresh_token_env: one of them is needed, not both
mailboxes.yaml:14:245: mailboxes[0].smtp.oauth.refresh_token_env: the environment variable named here holds no refresh token: one line of at most 4096 bytes is needed
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "password_env: BUSTIA_SMTP, oauth: {token_url: https://login.example.cat/, client_id: 7, client_secret_env: BUSTIA_SMTP}", `
mailboxes.yaml:14:11: mailboxes[0].smtp: a password and oauth: one of them is needed, not both
`},
	{"mailboxes.yaml", "username: bustia, password_env: BUSTIA_SMTP", "oauth: {token_url: https://login.example.cat/, client_id: 7, client_secret_env: BUSTIA_SMTP}", `
mailboxes.yaml:14:11: mailboxes[0].smtp: oauth without username: it is the address of the mailbox
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "oauth: yes", `
mailboxes.yaml:14:76: mailboxes[0].smtp.oauth: this is a text, keys with values are needed
`},
	{"mailboxes.yaml", "host: 127.0.0.1", "host: mail.example.cat", `
mailboxes.yaml:20:11: mailboxes[1].imap: warning: tls: none sends mail and password readable by anyone on the way to mail.example.cat: say tls or starttls
`},
	{"mailboxes.yaml", "host: imap.example.cat", "host: imap.example.cat, ca_file: about.yaml", `
mailboxes.yaml:13:45: mailboxes[0].imap.ca_file: "about.yaml" holds no certificate in PEM form
`},
	{"mailboxes.yaml", "host: imap.example.cat", "host: imap.example.cat, ca_file: ca.pem", `
mailboxes.yaml:13:45: mailboxes[0].imap.ca_file: "ca.pem" cannot be read: no such file or directory
`},
	// themes, agents, organisations
	{"themes.yml", "{id: perdua, name: {ca: Pèrdua, en: Loss}}", "{id: perdua, name: {ca: Pèrdua, en: Loss}, children: [{id: avui, name: {ca: Avui, en: Today}}]}", `
themes.yml:12:66: themes[0].children[0].children[0].children: the tree of themes has 3 levels, this would be a level below
`},
	{"people.yaml", "themes: [salut/tsi, salut/metge]", "themes: [salut/tsi]", `
themes.yml:14:9: themes[0].children[1]: no agent treats salut/metge: name it, or salut, in the themes of one
`},
	{"people.yaml", "themes: [salut/tsi, salut/metge]", "themes: [salut/tsi/perdua, salut/metge]", `
themes.yml:6:9: themes[0].children[0]: no agent treats salut/tsi: name it, or salut, in the themes of one
`},
	{"people.yaml", "    supervisors: [montse]\n", "", `
people.yaml:2:5: organisations[0]: supervisors is missing: agents who are told what went wrong, the first one first
`},
	{"people.yaml", "supervisors: [montse]", "supervisors: []", `
people.yaml:4:18: organisations[0].supervisors: is empty: say at least one
`},
	{"themes.yml", "name: {ca: Metge, en: Doctor}", "name: {ca: Metge}", `
themes.yml:15:15: themes[0].children[1].name: is missing in en, which is offered to citizens
`},
	{"themes.yml", "name: {ca: Metge, en: Doctor}", "name: {ca: Metge, en: Doctor, eng: Doctor}", `
themes.yml:15:39: themes[0].children[1].name.eng: warning: eng is not among languages.offered, so this is never used; did you mean "en"?
`},
	{"themes.yml", "  - id: salut\n    name: {ca: Salut, en: Health}\n    organisation: salut\n", "  - id: salut\n    name: {ca: Salut, en: Health}\n", `
themes.yml:2:5: themes[0]: organisation is missing: whose it is, and everything below it that says no other
`},
	{"themes.yml", "metg*", "m*tge, \"*\", {words: tsi, weight: 200}, {weight: 1}", `
themes.yml:10:69: themes[0].children[0].keywords.ca[3]: "m*tge": a * may only stand at the end
themes.yml:10:76: themes[0].children[0].keywords.ca[4]: "*" has no letter or digit to look for
themes.yml:10:102: themes[0].children[0].keywords.ca[5].weight: "200": a number from 0 to 100 is needed
themes.yml:10:108: themes[0].children[0].keywords.ca[6]: words is missing: a word, a phrase, or the beginning of a word with * at its end
`},
	// calendars
	{"people.yaml", "zone: Europe/Madrid", "zone: Europe/Barcelona", `
people.yaml:27:11: calendars[1].zone: "Europe/Barcelona" is no time zone: a name like Europe/Madrid is
`},
	{"people.yaml", "    zone: Europe/Madrid\n", "", `
people.yaml:26:5: calendars[1]: zone is missing: a time zone like Europe/Madrid, or like: another calendar
`},
	{"people.yaml", "weekend: [saturday, sunday]", "weekend: [saturday, diumenge]", `
people.yaml:28:25: calendars[1].weekend[1]: "diumenge" is none of sunday, monday, tuesday, wednesday, thursday, friday, saturday
`},
	{"people.yaml", "weekend: [saturday, sunday]", "weekend: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]", `
people.yaml:22:5: calendars[0]: every day is a weekend: no term would ever end
people.yaml:26:5: calendars[1]: every day is a weekend: no term would ever end
`},
	{"people.yaml", "2025: [01-01, 12-25]", "2024: [01-01, 12-25]", `
people.yaml:26:5: calendars[1]: has holidays for 2024 and 2026 and none in between
`},
	{"people.yaml", "2026: [01-01, 01-06, 12-25, 12-26]", "2027: [02-29, 01-01, 12-26, 01-01, 13-01, 2027-01-06]", `
people.yaml:25:13: calendars[0].years.2026: catalunya says nothing of 2026, so there is nothing to differ from: say it there, or a list of days here
people.yaml:26:5: calendars[1]: has holidays for 2025 and 2027 and none in between
people.yaml:26:5: calendars[1]: has no holidays for 2026, this year
people.yaml:31:14: calendars[1].years.2027[0]: 2027 has no 02-29
people.yaml:31:35: calendars[1].years.2027[3]: 2027-01-01 is a holiday already
people.yaml:31:42: calendars[1].years.2027[4]: "13-01" is no day of a year: month-day like 06-24 is needed
people.yaml:31:49: calendars[1].years.2027[5]: "2027-01-06" is no day of a year: month-day like 06-24 is needed
`},
	{"people.yaml", "remove: [12-26]", "remove: [12-24]", `
people.yaml:25:23: calendars[0].years.2026.remove[0]: 2026-12-24 is no holiday of catalunya
`},
	{"people.yaml", "like: catalunya", "zone: Europe/Madrid", `
people.yaml:22:5: calendars[0]: has no holidays for 2026, this year
people.yaml:25:13: calendars[0].years.2026: remove and add need another calendar to differ from: like: NAME; or a list of days
`},
	{"people.yaml", "    zone: Europe/Madrid\n", "    like: aran\n", `
people.yaml:22:5: calendars[0]: like goes round in a circle: aran, catalunya, aran
people.yaml:26:5: calendars[1]: like goes round in a circle: catalunya, aran, catalunya
`},
	{"people.yaml", "2025: [01-01", "25: [01-01", `
people.yaml:30:7: calendars[1].years.25: "25": a whole number from 1990 to 2199 is needed
`},
	// templates
	{"templates/en.yaml", "  - kind: acknowledgement\n", "  - kind: acknowledgment\n", `
about.yaml:7:40: languages.offered[1]: no template in en for: acknowledgement; each citizen who reads en needs them
templates/en.yaml:2:11: templates[0].kind: "acknowledgment" is none of acknowledgement, follow_up_received, answer, holding_reply, assigned, follow_up, reminder, receipt, held, refused, unfiled, breach, undelivered; did you mean "acknowledgement"?
`},
	{"about.yaml", "offered: [ca, en]", "offered: [ca, en, es]", `
about.yaml:2:9: about.name: is missing in es, which is offered to citizens
about.yaml:7:44: languages.offered[2]: no template in es for: acknowledgement, follow_up_received, answer, holding_reply; each citizen who reads es needs them
about.yaml:9:26: types[0].name: is missing in es, which is offered to citizens
about.yaml:10:24: types[1].name: is missing in es, which is offered to citizens
people.yaml:3:11: organisations[0].name: is missing in es, which is offered to citizens
themes.yml:3:11: themes[0].name: is missing in es, which is offered to citizens
themes.yml:7:15: themes[0].children[0].name: is missing in es, which is offered to citizens
themes.yml:12:32: themes[0].children[0].children[0].name: is missing in es, which is offered to citizens
themes.yml:13:31: themes[0].children[0].children[1].name: is missing in es, which is offered to citizens
themes.yml:15:15: themes[0].children[1].name: is missing in es, which is offered to citizens
themes.yml:17:26: organisational_themes[0].name: is missing in es, which is offered to citizens
`},
	{"people.yaml", "language: ca\n", "language: en\n", `
people.yaml:12:5: agents[1]: no template in en for: assigned, follow_up, reminder, receipt, held, refused, unfiled, breach, undelivered; each agent who reads en needs them
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "Hem rebut\n      {{with .Due}}{{.}}", `
templates/ca.yaml:8:1: templates[0].body: it ends inside an action: every {{if}}, {{with}} and {{range}} needs its {{end}}
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "Hem rebut\n      {.Reference}.", `
templates/ca.yaml:7:1: templates[0].body: {.…} with one brace is sent as it stands: two are needed, {{.…}}
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "Hem rebut\n      {{if .Agent}}{{.Sitizen}}{{else}}{{$.Citizen.Name}}{{end}}", `
templates/ca.yaml:7:1: templates[0].body: there is no .Sitizen; did you mean ".Citizen"?
templates/ca.yaml:7:1: templates[0].body: there is no .Citizen.Name; there are: .Administration, .Agent, .Answer, .Candidates, .Citizen, .CitizenAddress, .Command, .DaysLeft, .Due, .Language, .Mailbox, .Organisation, … (24 in all)
`},
	{"templates/ca.yaml", "subject: \"[{{.Reference}}] {{.Subject}}\"", "subject: \"{{.Subject}}\"", `
templates/ca.yaml:4:14: templates[0].subject: comes out empty for a letter without anything: put some words of its own in it
`},
	{"templates/ca.yaml", "subject: \"[{{.Reference}}] {{.Subject}}\"", "subject: \"[{{.Reference}}]\\n{{.Subject}}\"", `
templates/ca.yaml:4:14: templates[0].subject: has a line break, and a subject is one line
`},
	{"templates/ca.yaml", "subject: \"[{{.Reference}}] {{.Subject}}\"", "subject: |\n      [{{.Reference}}]", `
templates/ca.yaml:4:14: templates[0].subject: has a line break, and a subject is one line
`},
	{"templates/ca.yaml", "subject: \"[{{.Reference}}] {{.Subject}}\"", "subject: \"{{/* nothing */}}\"", `
templates/ca.yaml:4:14: templates[0].subject: is empty
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "{{index .Candidates 0}}", `
templates/ca.yaml:6:1: templates[0].body: for a letter without anything: <index .Candidates 0>: error calling index: reflect: slice index out of range
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "{{range .Candidates}}{{.Theme}}{{end}}", `
templates/ca.yaml:6:1: templates[0].body: for a full letter: <.Theme>: can't evaluate field Theme in type string
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}", `
templates/ca.yaml:5:11: templates[0].body: define, block and template are not for here: write the words where they are needed
`},
	{"templates/ca.yaml", "Hem rebut el vostre missatge{{with .Due}} {{.}}{{end}}.", "{{template \"body\"}}", `
templates/ca.yaml:5:11: templates[0].body: define, block and template are not for here: write the words where they are needed
`},
	{"templates/fr.yaml", "", "templates:\n  - {kind: answer, language: fr, subject: Réponse, body: \"{{.Answer}}\"}\n", `
templates/fr.yaml:2:30: templates[0].language: warning: fr is not among languages.offered, so this is never used; there are: ca, en
`},
	// rules
	{"rules.yaml", "when: {words: [queixa, \"vull reclamar\", \"reclam*\"], not: {language: [en]}}", "when: {}", `
rules.yaml:3:11: rules[0].when: is empty, so this rule could never decide anything: say mailbox, language, from, to, subject, text, words or not
`},
	{"rules.yaml", "not: {language: [en]}", "not: {}", `
rules.yaml:3:62: rules[0].when.not: is empty, so this rule could never decide anything: say mailbox, language, from, to, subject, text, words or not
`},
	{"rules.yaml", "not: {language: [en]}", "not: {not: {language: [en]}}", `
rules.yaml:3:68: rules[0].when.not.not: a not inside a not: say it in two rules
`},
	{"rules.yaml", "{type: queixa}", "{}", `
rules.yaml:4:11: rules[0].then: is empty, so this rule decides nothing: say type, theme, organisational or ignore
`},
	{"rules.yaml", "words: [queixa,", "words: [],\n           text: [queixa,", `
rules.yaml:3:19: rules[0].when.words: is empty: say at least one
`},
	{"rules.yaml", "'/^\\[promo\\]/'", "'/^[promo/'", "rules.yaml:6:51: rules[1].when.subject[0]: \"/^[promo/\" is no RE2 pattern: missing closing ]: `[promo`\n"},
	{"rules.yaml", "'/^\\[promo\\]/'", "'/promo'", `
rules.yaml:6:51: rules[1].when.subject[0]: "/promo": a pattern stands between two slashes: /…/
`},
	{"rules.yaml", "'/^\\[promo\\]/'", "'//'", `
rules.yaml:6:51: rules[1].when.subject[0]: "//": a pattern stands between two slashes: /…/
`},
	{"rules.yaml", "from: [\"@news.example.com\"]", "from: [news.example.com]", `
rules.yaml:6:19: rules[1].when.from[0]: "news.example.com" is neither an address nor @domain
`},
	{"rules.yaml", "\"reclam*\"", "\"rec*lam\", \"*\", \"…\"", `
rules.yaml:3:45: rules[0].when.words[2]: "rec*lam": a * may only stand at the end
rules.yaml:3:56: rules[0].when.words[3]: "*" has no letter or digit to look for
rules.yaml:3:61: rules[0].when.words[4]: "…" has no letter or digit to look for
`},
	{"rules.yaml", "ignore: true", "ignore: always", `
rules.yaml:7:20: rules[1].then.ignore: "always": true or false is needed
`},
	// odd ones
	{"about.yaml", "store:", "\"a key\\nof lines\": 1\nstore:", `
about.yaml:6:1: ["a key\nof lines"]: unknown key "a key\nof lines"; there are: about, agents, calendars, circuits, languages, mailboxes, organisational_themes, organisations, rules, store, templates, themes, … (13 in all)
`},
	{"mailboxes.yaml", "password_env: BUSTIA_SMTP", "pasword: battery", `
mailboxes.yaml:14:11: mailboxes[0].smtp: username without a password: say password_file, password_env or oauth
mailboxes.yaml:14:69: mailboxes[0].smtp.pasword: unknown key "pasword"; there are: ca_file, host, oauth, password_env, password_file, port, tls, username
`},
	{"mailboxes.yaml", "tls: starttls", "tls: a very long value that goes on and on and is longer than anybody wants to read", `
mailboxes.yaml:14:41: mailboxes[0].smtp.tls: "a very long value that goes on and on and is longer than any…" is none of tls, starttls, none
`},
	{"mailboxes.yaml", "smtp: {host: smtp.example.cat", "smtp: !odd {host: smtp.example.cat", `
mailboxes.yaml:14:11: mailboxes[0].smtp: tags (!…) are not read; a text that begins with ! needs quotes
`},
	{"mailboxes.yaml", "aliases: [contacte@example.cat]", "aliases: {contacte: example.cat}", `
mailboxes.yaml:4:14: mailboxes[0].aliases: this is a mapping, a list is needed: [a, b] or lines that begin with -
`},
	{"mailboxes.yaml", "name: corporate", "name: !!binary Y29ycG9yYXRl", `
mailboxes.yaml:2:11: mailboxes[0].name: tags (!…) are not read; a text that begins with ! needs quotes
`},
	{"people.yaml", "zone: Europe/Madrid", "zone: Local", `
people.yaml:27:11: calendars[1].zone: "Local" is no time zone: a name like Europe/Madrid is
`},
}

// edited is testdata/valid with one edit.
func edited(t testing.TB, file, old, new string) fstest.MapFS {
	t.Helper()
	files := validFiles(t)
	if files[file] == nil {
		files[file] = &fstest.MapFile{}
	}
	data := string(files[file].Data)
	if !strings.Contains(data, old) {
		t.Fatalf("%s has no %q", file, old)
	}
	files[file].Data = []byte(strings.Replace(data, old, new, 1))
	return files
}

func lines(faults Faults) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

func TestFaults(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.file+" "+c.new, func(t *testing.T) {
			conf, faults := Load(edited(t, c.file, c.old, c.new), testEnv(t))
			got := lines(faults)
			if d := cmp.Diff(strings.TrimLeft(c.want, "\n"), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (conf == nil) != (faults.Err() != nil) {
				t.Errorf("configuration is nil: %t, with %v", conf == nil, faults.Err())
			}
			for _, secret := range secretWords {
				if strings.Contains(got, secret) {
					t.Errorf("a secret is shown: %s", got)
				}
			}
		})
	}
}
