-- Mail is base64 for the most part: to squeeze it costs more than it saves.
alter table ledger_raw alter column raw set storage external;
alter table outgoing_raw alter column raw set storage external;
