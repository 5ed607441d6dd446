-- Times are Unix milliseconds UTC, 0 when there is none. Raw bytes stand in tables of their own, so that
-- a change of state does not write a mail of 25 MB again.

create table folder_position (
    mailbox      text   not null,
    folder       text   not null,
    uid_validity bigint not null,
    last_uid     bigint not null,
    read_at      bigint not null,
    primary key (mailbox, folder)
);

create table cases (
    id              {{id}},
    reference       text   not null unique,
    state           text   not null,
    mailbox         text   not null,
    organisation    text   not null,
    circuit         text   not null,
    type            text   not null,
    theme           text   not null,
    organisational  text   not null, -- JSON list
    language        text   not null,
    citizen_address text   not null,
    citizen_name    text   not null,
    silent          boolean not null, -- no automatic mail to the citizen
    subject         text   not null,
    agent           text   not null,
    supervisor      text   not null,
    linked          bigint references cases (id),
    received_at     bigint not null,
    opened_at       bigint not null,
    answered_at     bigint not null,
    closed_at       bigint not null
);
create index cases_state on cases (state, id);
create index cases_agent on cases (agent, id);
create index cases_load on cases (agent) where state = 'open';
create index cases_citizen on cases (citizen_address);

create table case_number (
    year integer not null primary key,
    last integer not null
);

create table ledger (
    id            {{id}},
    mailbox       text   not null,
    folder        text   not null,
    uid_validity  bigint not null,
    uid           bigint not null,
    internal_date bigint not null,
    fetched_at    bigint not null,
    message_id    text   not null,
    digest        text   not null,
    sender        text   not null,
    subject       text   not null,
    size          bigint not null,
    disposition   text   not null default '', -- '' = waits to be processed
    reason        text   not null default '',
    case_id       bigint references cases (id),
    processed_at  bigint not null default 0,
    unique (mailbox, folder, uid_validity, uid)
);
create index ledger_pending on ledger (id) where disposition = '';
create index ledger_quarantine on ledger (id) where disposition = 'quarantine';
create index ledger_digest on ledger (digest, id);
create index ledger_message on ledger (message_id);
create index ledger_case on ledger (case_id);

create table ledger_raw (
    ledger_id bigint   not null primary key references ledger (id),
    raw       {{blob}} not null
);

create table event (
    id      {{id}},
    case_id bigint not null references cases (id),
    at      bigint not null,
    kind    text   not null,
    actor   text   not null,
    facts   text   not null -- JSON map
);
create index event_case on event (case_id, id);

create table assignment (
    id         {{id}},
    case_id    bigint not null references cases (id),
    agent      text   not null,
    role       text   not null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at   bigint not null
);
create index assignment_case on assignment (case_id, id);

-- The latest treat assignment of each agent, so that choosing one does not read all there ever were.
create table last_assigned (
    agent text   not null primary key,
    at    bigint not null
);

create table deadline (
    id           {{id}},
    case_id      bigint  not null references cases (id),
    kind         text    not null,
    counted_from bigint  not null,
    due          bigint  not null,
    state        text    not null,
    next         bigint  not null, -- 0 = nothing more to do
    step         text    not null,
    done         integer not null
);
create index deadline_next on deadline (next) where state = 'open' and next > 0;
create index deadline_case on deadline (case_id);

create table outgoing (
    id           {{id}},
    case_id      bigint  references cases (id),
    kind         text    not null,
    message_id   text    not null unique,
    mailbox      text    not null,
    reverse_path text    not null,
    recipient    text    not null,
    agent        text    not null, -- '' = the citizen
    subject      text    not null,
    state        text    not null,
    attempts     integer not null,
    created_at   bigint  not null,
    attempted_at bigint  not null,
    sent_at      bigint  not null,
    last_error   text    not null
);
create index outgoing_case on outgoing (case_id);
create index outgoing_recipient on outgoing (lower(recipient), created_at);

create table outgoing_raw (
    outgoing_id bigint   not null primary key references outgoing (id),
    raw         {{blob}} not null
);

create table setting (
    name  text     not null primary key,
    value {{blob}} not null
);
