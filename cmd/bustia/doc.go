// Command bustia answers a public administration's contact mailboxes: it reads them over IMAP, opens
// a case for each citizen's mail, gives it to the agent who treats its theme, and gets the agent's
// answer back to the citizen in their language inside the committed time.
//
// Each subcommand is one file, named after it. They only read their arguments, call the packages
// that do the work, and print; `bustia help` is the text about them.
package main
