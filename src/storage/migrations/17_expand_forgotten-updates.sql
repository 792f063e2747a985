-- Updates of people who were erased, and of chats that are nobody's own, hold nothing once they have ended.

-- Stored before its person was erased, and not ended then: it is worked without what was written, and forgotten at its
-- end.
alter table updates add column forget boolean not null default false;

-- That it came, and how it ended, stays: a repetition is still told from a new one, and the counts add up.
create function forget_update() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    new.message_id := null;
    new.body := json_build_object('update_id', new.update_id);
    return new;
  end if;
  -- After the statement that ends it: that still needs to know the lane.
  update updates set
    lane = case when new.forget then 0 else lane end,
    message_id = null,
    body = json_build_object('update_id', update_id)
  where id = new.id;
  return null;
end $$;

-- In groups, channels and without a chat (lane 0 and below) anybody may have written, and nothing is kept of it.
create trigger forget_ended_update after update of outcome on updates for each row
  when (new.outcome is not null and old.outcome is null and (new.forget or new.lane <= 0))
  execute function forget_update();
create trigger forget_refused_update before insert on updates for each row
  when (new.outcome is not null and new.lane <= 0)
  execute function forget_update();
