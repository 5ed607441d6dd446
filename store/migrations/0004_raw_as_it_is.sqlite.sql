-- SQLite never squeezes anything.
select 1;
