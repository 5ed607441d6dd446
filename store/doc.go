// Package store keeps what the daemon must not forget: every mail taken in, every case and its
// history, every mail of ours and where it stands. It is one concrete store with one SQL text for
// two databases: SQLite inside the process, the default, and PostgreSQL for several daemons on one
// database. Everything that differs between the two is in database.go.
//
// # Nouns
//
//   - ledger: one row per mail and place (mailbox, folder, UIDVALIDITY, UID), with its raw bytes and,
//     once processed, its one disposition
//   - position: how far a folder was read; written in the transaction that stores what was read
//   - case, event, assignment, deadline: a citizen's matter, what happened to it, who has it and
//     until when, by when it must be answered
//   - outgoing: a mail of ours, rendered before it is sent, and the state of its sending
//   - job: the wish to send one outgoing mail. It is enqueued by the transaction that queues the
//     mail, so there is never one without the other. The engine is River; only queue.go knows it.
//
// # What always holds
//
// All queries are methods of a transaction: InTx runs one that writes, View one that reads, and
// nobody holds a bare connection. InTx may run its function again when the database asks for it, so
// the function must have no effect outside the transaction.
//
// A change of state names the state it starts from and fails with ErrConflict when another
// transaction was faster. Reading a case or a received mail in a writing transaction locks its row
// until the end, so what is decided from it is still true when it is written.
//
// Events are never changed or deleted: the database itself refuses. Case numbers have no gaps.
//
// Times are arguments. They are kept as Unix milliseconds in UTC: anything finer is cut off, the zero
// time is 0, and reading gives UTC. SQL never asks for the time (the job engine does, for its own tables).
//
// Strangers' text is made storable on the way in: bytes that are not UTF-8 become U+FFFD, NUL is
// removed (PostgreSQL cannot keep it), and what is indexed is cut to a fixed length. The raw bytes of
// a mail are kept as they came.
//
// # Schema
//
// Numbered files in migrations/ carry the schema, applied by Connect under a lock. A released file is
// never edited.
package store
