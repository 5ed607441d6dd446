-- backlog is the highest UID the folder held when it was opened for the first time under this UIDVALIDITY.
alter table folder_position add column backlog bigint not null default 0;

-- truncated: what is kept of the mail is its header section only. mark_due: the mail is to be flagged or
-- moved on the server, and that was not done yet.
alter table ledger add column truncated boolean not null default false;
alter table ledger add column mark_due boolean not null default false;
create index ledger_mark_due on ledger (mailbox, folder, uid_validity, uid) where mark_due;
