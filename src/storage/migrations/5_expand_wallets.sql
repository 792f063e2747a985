-- Money, in whole kopecks. A wallet is what its ledger adds up to; the functions below are the only writers of both.
-- One function is one move. Each runs under the lease, locks the wallet, can be repeated under its reference without
-- effect, and either makes the whole move or none of it.

-- 2^53 - 1: no sum leaves the range in which JavaScript counts exactly.
create table wallets (
  chat_id bigint primary key references users,
  available bigint not null default 0 check (available between 0 and 9007199254740991),
  held bigint not null default 0 check (held between 0 and 9007199254740991)
) with (fillfactor = 80);

-- What a task has reserved. No foreign key to tasks: accounts outlive them, and the price is held before the task is
-- there, in one transaction. A free task has a hold too, of nothing.
create table holds (
  task_id text primary key,
  chat_id bigint not null references wallets,
  amount bigint not null check (amount >= 0),
  state text not null default 'held' check (state in ('held', 'charged', 'released')),
  created_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  check ((state = 'held') = (settled_at is null))
) with (fillfactor = 80);
create index holds_open on holds (chat_id) where state = 'held';

-- Every move there ever was, in the order of its wallet.
create table ledger (
  id bigint generated always as identity primary key,
  chat_id bigint not null references wallets,
  kind text not null,
  available_delta bigint not null,
  held_delta bigint not null,
  -- The kind and what the caller names the move by: the second move under a reference is a repetition.
  ref text not null unique,
  task_id text,
  note text,
  -- The lease under which it was made.
  epoch bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint ledger_delta check (
    case kind
      when 'topup' then available_delta > 0 and held_delta = 0
      when 'welcome' then available_delta > 0 and held_delta = 0
      when 'adjust' then available_delta <> 0 and held_delta = 0
      when 'refund' then available_delta >= 0 and held_delta = 0
      when 'hold' then available_delta <= 0 and held_delta = -available_delta
      when 'release' then available_delta >= 0 and held_delta = -available_delta
      when 'charge' then available_delta = 0 and held_delta <= 0
      else false
    end
  ),
  constraint ledger_task check ((task_id is not null) = (kind in ('hold', 'charge', 'release', 'refund'))),
  -- An administrator's hand is explained.
  constraint ledger_note check (kind <> 'adjust' or (note is not null and note <> ''))
);
create index ledger_chat on ledger (chat_id, id desc);
-- Whatever a function may get wrong: one hold per task, settled once, refunded once.
create unique index ledger_hold_once on ledger (task_id) where kind = 'hold';
create unique index ledger_settled_once on ledger (task_id) where kind in ('charge', 'release');
create unique index ledger_refunded_once on ledger (task_id) where kind = 'refund';

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'The ledger is only ever added to. Make an opposite move instead.' using errcode = 'TW002';
end $$;
create trigger ledger_append_only before update or delete on ledger
  for each row execute function refuse_ledger_change();
create trigger ledger_not_emptied before truncate on ledger
  for each statement execute function refuse_ledger_change();

-- What a move answers. Without `moved` nothing was changed: `missing` says how much there was too little of, and 0 that
-- this move had been made before.
create type wallet_move as (moved boolean, amount bigint, missing bigint, available bigint, held bigint);

-- SQLSTATE TW001: the lease is another's. TW002: the move contradicts an earlier one. Both undo the transaction.
-- Messages tell no ids: they reach telemetry.
create function wallet_fence(lease_name text, lease_epoch bigint) returns void language plpgsql as $$
begin
  if not holds_lease(lease_name, lease_epoch) then
    raise exception 'Another instance works now' using errcode = 'TW001';
  end if;
end $$;

create function wallet_refuse(problem text) returns void language plpgsql as $$
begin
  raise exception '%', problem using errcode = 'TW002';
end $$;

create function wallet_lock(chat bigint, lease_name text, lease_epoch bigint) returns wallets language plpgsql as $$
declare
  wallet wallets;
begin
  perform wallet_fence(lease_name, lease_epoch);
  select * into wallet from wallets where chat_id = chat for no key update;
  if not found then
    insert into wallets (chat_id) values (chat) on conflict do nothing;
    select * into wallet from wallets where chat_id = chat for no key update;
  end if;
  return wallet;
end $$;

-- The answer of a repetition when the move was made before; refused when it was another move.
create function wallet_repeated(
  wallet wallets, move_ref text, available_change bigint
) returns wallet_move language plpgsql as $$
declare
  earlier ledger;
begin
  select * into earlier from ledger where ref = move_ref;
  if not found then
    return null;
  end if;
  if earlier.chat_id <> wallet.chat_id or earlier.available_delta <> available_change then
    perform wallet_refuse('The reference stands for another move');
  end if;
  return (false, abs(available_change), 0, wallet.available, wallet.held)::wallet_move;
end $$;

create function wallet_write(
  wallet wallets, move_kind text, available_change bigint, held_change bigint, move_ref text, task text,
  explanation text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  after wallets;
begin
  insert into ledger (chat_id, kind, available_delta, held_delta, ref, task_id, note, epoch)
  values (wallet.chat_id, move_kind, available_change, held_change, move_ref, task, explanation, lease_epoch)
  on conflict (ref) do nothing;
  -- The wallet is locked, so only a move of another wallet can have come in between.
  if not found then
    perform wallet_refuse('The reference stands for another move');
  end if;
  update wallets set available = available + available_change, held = held + held_change
  where chat_id = wallet.chat_id returning * into after;
  return (true, greatest(abs(available_change), abs(held_change)), 0, after.available, after.held)::wallet_move;
end $$;

create function wallet_top_up(
  chat bigint, kopecks bigint, move_ref text, lease_name text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  wallet wallets := wallet_lock(chat, lease_name, lease_epoch);
  repeated wallet_move := wallet_repeated(wallet, 'topup:' || move_ref, kopecks);
begin
  if repeated.moved is not null then
    return repeated;
  end if;
  return wallet_write(wallet, 'topup', kopecks, 0, 'topup:' || move_ref, null, null, lease_epoch);
end $$;

-- Once per chat, whatever the amount was then.
create function wallet_welcome(
  chat bigint, kopecks bigint, lease_name text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  wallet wallets := wallet_lock(chat, lease_name, lease_epoch);
  earlier bigint := (select available_delta from ledger where ref = 'welcome:' || chat);
begin
  if earlier is not null then
    return (false, earlier, 0, wallet.available, wallet.held)::wallet_move;
  end if;
  return wallet_write(wallet, 'welcome', kopecks, 0, 'welcome:' || chat, null, null, lease_epoch);
end $$;

-- By an administrator, up or down.
create function wallet_adjust(
  chat bigint, kopecks bigint, move_ref text, explanation text, lease_name text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  wallet wallets := wallet_lock(chat, lease_name, lease_epoch);
  repeated wallet_move := wallet_repeated(wallet, 'adjust:' || move_ref, kopecks);
begin
  if repeated.moved is not null then
    return repeated;
  end if;
  if wallet.available + kopecks < 0 then
    return (false, abs(kopecks), -(wallet.available + kopecks), wallet.available, wallet.held)::wallet_move;
  end if;
  return wallet_write(wallet, 'adjust', kopecks, 0, 'adjust:' || move_ref, null, explanation, lease_epoch);
end $$;

create function wallet_hold(
  chat bigint, task text, kopecks bigint, lease_name text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  wallet wallets := wallet_lock(chat, lease_name, lease_epoch);
  repeated wallet_move := wallet_repeated(wallet, 'hold:' || task, -kopecks);
begin
  if repeated.moved is not null then
    return repeated;
  end if;
  if wallet.available < kopecks then
    return (false, kopecks, kopecks - wallet.available, wallet.available, wallet.held)::wallet_move;
  end if;
  insert into holds (task_id, chat_id, amount) values (task, chat, kopecks) on conflict do nothing;
  if not found then
    perform wallet_refuse('The reference stands for another move');
  end if;
  return wallet_write(wallet, 'hold', -kopecks, kopecks, 'hold:' || task, task, null, lease_epoch);
end $$;

-- The hold of a task, with its wallet locked: what it says stays so until the end of the transaction.
create function wallet_lock_hold(task text, lease_name text, lease_epoch bigint, out hold holds, out wallet wallets)
language plpgsql as $$
begin
  perform wallet_fence(lease_name, lease_epoch);
  select * into hold from holds where task_id = task;
  if not found then
    perform wallet_refuse('The task has no hold');
  end if;
  wallet := wallet_lock(hold.chat_id, lease_name, lease_epoch);
  -- It may have been settled while the wallet was waited for.
  select * into hold from holds where task_id = task;
end $$;

create function wallet_charge(task text, lease_name text, lease_epoch bigint) returns wallet_move language plpgsql as $$
declare
  locked record := wallet_lock_hold(task, lease_name, lease_epoch);
  hold holds := locked.hold;
  wallet wallets := locked.wallet;
begin
  if hold.state = 'released' then
    perform wallet_refuse('The hold was released');
  end if;
  if hold.state = 'charged' then
    return (false, hold.amount, 0, wallet.available, wallet.held)::wallet_move;
  end if;
  update holds set state = 'charged', settled_at = clock_timestamp() where task_id = task;
  return wallet_write(wallet, 'charge', 0, -hold.amount, 'charge:' || task, task, null, lease_epoch);
end $$;

create function wallet_release(task text, lease_name text, lease_epoch bigint) returns wallet_move language plpgsql as $$
declare
  locked record := wallet_lock_hold(task, lease_name, lease_epoch);
  hold holds := locked.hold;
  wallet wallets := locked.wallet;
begin
  if hold.state = 'charged' then
    perform wallet_refuse('The hold was charged');
  end if;
  if hold.state = 'released' then
    return (false, hold.amount, 0, wallet.available, wallet.held)::wallet_move;
  end if;
  update holds set state = 'released', settled_at = clock_timestamp() where task_id = task;
  return wallet_write(wallet, 'release', hold.amount, -hold.amount, 'release:' || task, task, null, lease_epoch);
end $$;

create function wallet_refund(
  task text, move_ref text, lease_name text, lease_epoch bigint
) returns wallet_move language plpgsql as $$
declare
  locked record := wallet_lock_hold(task, lease_name, lease_epoch);
  hold holds := locked.hold;
  wallet wallets := locked.wallet;
  earlier_ref text := (select ref from ledger where task_id = task and kind = 'refund');
begin
  if hold.state <> 'charged' then
    perform wallet_refuse('The hold was not charged');
  end if;
  if earlier_ref = 'refund:' || move_ref then
    return (false, hold.amount, 0, wallet.available, wallet.held)::wallet_move;
  end if;
  if earlier_ref is not null then
    perform wallet_refuse('The charge was refunded under another reference');
  end if;
  return wallet_write(wallet, 'refund', hold.amount, 0, 'refund:' || move_ref, task, null, lease_epoch);
end $$;
