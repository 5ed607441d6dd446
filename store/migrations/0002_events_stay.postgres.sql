create function event_stays() returns trigger language plpgsql as $$
begin
    raise exception 'events are append-only';
end
$$;
create trigger event_no_change before update or delete on event
    for each row execute function event_stays();
create trigger event_no_truncate before truncate on event
    for each statement execute function event_stays();
