-- Forgetting a person. What was theirs goes in one transaction; money stays, under a number that stands for nobody,
-- because the books must add up.

-- Who was forgotten: only an HMAC of the id is kept, which says nothing without the secret. It is there so that nobody
-- is given the welcome credit anew by being forgotten, and so that late rows of the journal can be swept.
create table erased (
  -- Stands in wallets, holds and ledger in the place of the chat. Below zero, where no private chat is.
  pseudonym bigint generated always as identity (start with -1 increment by -1) primary key,
  -- As in the journal.
  user_hash text collate "C" not null,
  -- Had the welcome credit, in this life or an earlier one.
  welcomed boolean not null,
  erased_at timestamptz not null default now()
);
create index erased_user on erased (user_hash);

-- The one change that the ledger allows: in the transaction that erases a person, their number becomes a pseudonym,
-- also in the reference that holds it, and a note that may name them becomes one that does not.
create or replace function refuse_ledger_change() returns trigger language plpgsql as $$
declare
  allowed ledger;
begin
  if tg_op = 'UPDATE' then
    allowed := old;
    allowed.chat_id := new.chat_id;
    allowed.ref := case when old.ref = 'welcome:' || old.chat_id then 'welcome:' || new.chat_id else old.ref end;
    allowed.note := case when new.note = 'erased' and old.note is not null then 'erased' else old.note end;
    if old.chat_id > 0 and new is not distinct from allowed
      and exists (select from erased where pseudonym = new.chat_id and erased_at = now()) then
      return new;
    end if;
  end if;
  raise exception 'The ledger is only ever added to. Make an opposite move instead.' using errcode = 'TW002';
end $$;

-- Something of theirs is not settled: a generation that runs, money that is held, a result that is on its way.
create function user_is_busy(chat bigint) returns boolean language sql stable as $$
  select exists (select from tasks where chat_id = chat and state in ('created', 'submitting', 'waiting'))
    or exists (select from holds where chat_id = chat and state = 'held')
    or exists (
      select from deliveries join tasks on tasks.id = deliveries.task_id
      where tasks.chat_id = chat and deliveries.finished_at is null
    )
$$;

-- The part of a traceparent that a trace is found by in the journal.
create function trace_of(traceparent text) returns text language sql immutable as $$
  select split_part(traceparent, '-', 2)
$$;

-- 'erased', 'busy', 'unknown' (nobody by that number) or 'lease_lost'; nothing was changed but for the first.
-- Updates that were not worked yet stay: they were accepted, and whoever they come from is then a new user.
create function erase_user(
  chat bigint, person text, lease_name text, lease_epoch bigint
) returns text language plpgsql as $$
declare
  stand_in bigint;
  name text;
  traces text[];
begin
  if not holds_lease(lease_name, lease_epoch) then
    return 'lease_lost';
  end if;
  -- Nothing can be added to a user who is locked like this.
  select username into name from users where chat_id = chat for update;
  if not found then
    return 'unknown';
  end if;
  perform from wallets where chat_id = chat for update;
  if user_is_busy(chat) then
    return 'busy';
  end if;

  select array_agg(distinct trace_of(traceparent)) into traces from (
    select traceparent from updates where lane = chat and outcome is not null
    union select traceparent from tasks where chat_id = chat
    union select deliveries.traceparent from deliveries join tasks on tasks.id = task_id where chat_id = chat
  ) as known where traceparent is not null;

  insert into erased (user_hash, welcomed)
  values (person, exists (select from ledger where ref = 'welcome:' || chat)
    or exists (select from erased where user_hash = person and welcomed))
  returning pseudonym into stand_in;
  -- Marked as blocked: nobody can write to a pseudonym.
  insert into users (chat_id, language, blocked_at)
  select stand_in, 'en', now() from wallets where chat_id = chat;
  insert into wallets (chat_id, available, held) select stand_in, available, held from wallets where chat_id = chat;
  update holds set chat_id = stand_in where chat_id = chat;
  update ledger set
    chat_id = stand_in,
    ref = case when ref = 'welcome:' || chat then 'welcome:' || stand_in else ref end,
    note = case
      when position(chat::text in note) > 0 or position(name in lower(note)) > 0 then 'erased' else note
    end
  where chat_id = chat;
  delete from wallets where chat_id = chat;

  delete from kie_callbacks using tasks where tasks.id = task_id and chat_id = chat;
  delete from deliveries using tasks where tasks.id = task_id and chat_id = chat;
  delete from tasks where chat_id = chat;
  delete from sessions where chat_id = chat;
  delete from messages where chat_id = chat;
  -- That they came, and how they ended, stays: a repetition is still told from a new one, and the counts add up.
  update updates set lane = 0, message_id = null, body = json_build_object('update_id', update_id)
  where lane = chat and outcome is not null;
  delete from users where chat_id = chat;

  delete from journal where user_hash = person;
  delete from journal
  where cid in (select left(trace, 8) from unnest(traces) as trace) and trace_id = any (traces);
  return 'erased';
end $$;

-- Rows about the forgotten that were written after they were: the journal is always a little behind. Returns how many.
create function sweep_journal_of_erased() returns bigint language plpgsql as $$
declare
  swept bigint;
begin
  delete from journal using erased
  where erased.erased_at > now() - interval '2 days'
    and journal.user_hash = erased.user_hash and journal.at <= erased.erased_at;
  get diagnostics swept = row_count;
  return swept;
end $$;

-- Once per person: nothing for those who had it before they were forgotten.
create function wallet_welcome(
  chat bigint, kopecks bigint, person text, lease_name text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  wallet wallets := wallet_lock(chat, lease_name, lease_epoch);
begin
  if exists (select from erased where user_hash = person and welcomed) then
    return (false, 0, 0, wallet.available, wallet.held)::wallet_move;
  end if;
  return wallet_welcome(chat, kopecks, lease_name, lease_epoch);
end $$;
