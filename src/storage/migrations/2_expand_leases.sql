-- Who may commit. A lease is held by at most one instance under one epoch; whoever takes it over raises the epoch,
-- and every statement that must not be run by a former holder checks `holds_lease` in its own transaction.
create table leases (
  name text not null,
  epoch bigint not null,
  instance_id text not null,
  release text not null,
  acquired_at timestamptz not null default now(),
  -- By this database's clock only.
  heartbeat_at timestamptz not null default now(),
  -- The epoch is part of the key on purpose: FOR KEY SHARE then waits for a takeover and is waited for by one,
  -- while a heartbeat, which changes no key, passes by.
  primary key (name, epoch)
);
create unique index leases_name on leases (name);

-- True while the lease stands under this epoch, and it cannot be taken over before the transaction has ended.
create function holds_lease(lease_name text, lease_epoch bigint) returns boolean language sql volatile as $$
  select coalesce((select true from leases where name = lease_name and epoch = lease_epoch for key share), false)
$$;

-- The epoch under which the outcome was committed: in the order of finished_at it never falls.
alter table updates add column epoch bigint;
