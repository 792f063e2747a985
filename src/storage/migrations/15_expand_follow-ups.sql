-- What the outcome of an update leads to and what is still to be done: committed with that outcome, worked in the lane of
-- the update, and deleted when it is done.
create table follow_ups (
  id bigint generated always as identity primary key,
  lane bigint not null,
  kind text not null,
  -- What it needs besides the lane; its shape is the program's.
  data jsonb not null,
  -- The dispatch that it follows: it is told in the same trace.
  traceparent text not null,
  created_at timestamptz not null default now(),
  -- Not worked before.
  due_at timestamptz not null default now(),
  attempts smallint not null default 0,
  picked_by text,
  picked_at timestamptz
);
create index follow_ups_lane on follow_ups (lane, id);
