-- The durable inbox, what users see, and the life of a generation.
-- A private chat has the id of its user, so chat_id names both.

create table users (
  chat_id bigint primary key,
  language text not null check (language in ('ru', 'en')),
  first_seen_at timestamptz not null default now(),
  -- Set when Telegram says the user blocked the bot, cleared when the user is back.
  blocked_at timestamptz
);

-- One row per update, and its outcome: `outcome` is null until the update has ended, is set exactly once,
-- and is set in the statement that also stores the screen and form state the update led to.
create table updates (
  id bigint generated always as identity primary key,
  bot_id bigint not null,
  update_id bigint not null,
  -- Updates of one lane are worked one after the other; a lane is a chat, or 0 without one.
  lane bigint not null,
  -- The message that bears the tapped button.
  message_id bigint,
  event_type text not null,
  -- json, not jsonb: \u0000 and lone surrogates are valid JSON and must not be refused.
  body json not null,
  traceparent text not null,
  received_at timestamptz not null default now(),
  attempts smallint not null default 0,
  picked_by text,
  picked_at timestamptz,
  outcome text check (outcome in ('accepted', 'rejected', 'noop', 'failed', 'dead_letter')),
  reason_code text,
  finished_at timestamptz,
  unique (bot_id, update_id),
  check ((outcome is null) = (finished_at is null))
) with (fillfactor = 80);
create index updates_pending on updates (lane, id) where outcome is null;

-- Where a user is: the newest message with a screen, and the form being filled in.
create table sessions (
  chat_id bigint primary key references users,
  message_id bigint,
  form jsonb,
  updated_at timestamptz not null default now()
) with (fillfactor = 80);

-- What each message shows, as it was rendered: a button is judged by the screen of its own message.
create table messages (
  chat_id bigint not null references users,
  message_id bigint not null,
  screen_id text not null,
  screen_data jsonb not null,
  -- A message with a picture cannot be edited into one with text.
  media boolean not null default false,
  -- The last button data that was accepted on this message, to tell a double tap from a stale one.
  last_action text,
  last_action_at timestamptz,
  rendered_at timestamptz not null default now(),
  primary key (chat_id, message_id)
) with (fillfactor = 80);
create index messages_rendered_at on messages (rendered_at);

create table tasks (
  id text primary key,
  chat_id bigint not null references users,
  -- A draft at one revision is generated once; a double tap finds the task that it started.
  draft_id text not null,
  draft_revision integer not null,
  model_id text not null,
  model_key text not null,
  model_version text not null,
  inputs jsonb not null,
  state text not null check (state in ('created', 'submitting', 'waiting', 'succeeded', 'failed')),
  -- Why it failed, or, on a succeeded task, why its result could not be delivered.
  reason_code text,
  vendor_task_id text unique,
  -- 128 random bits in the callback's path: who knows them was told by us.
  callback_token text not null unique,
  traceparent text not null,
  -- The message with the PROCESSING screen.
  message_id bigint,
  result_urls jsonb,
  submit_attempts smallint not null default 0,
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  finished_at timestamptz,
  unique (draft_id, draft_revision)
);
create index tasks_chat on tasks (chat_id, created_at desc);

-- What the user still has to be sent: one row per notice, claimed before the send.
create table deliveries (
  id bigint generated always as identity primary key,
  task_id text not null references tasks,
  kind text not null check (kind in ('result', 'failure')),
  position smallint not null,
  url text,
  claimed_by text,
  claimed_at timestamptz,
  attempts smallint not null default 0,
  message_id bigint,
  file_id text,
  finished_at timestamptz,
  -- Null while due or delivered; why it was given up otherwise.
  reason_code text,
  unique (task_id, kind, position)
);
create index deliveries_due on deliveries (task_id) where finished_at is null;

-- Callbacks of KIE.ai are stored before their 200 and worked afterwards.
create table kie_callbacks (
  id bigint generated always as identity primary key,
  task_id text not null references tasks,
  body json not null,
  received_at timestamptz not null default now(),
  finished_at timestamptz
);
create index kie_callbacks_pending on kie_callbacks (task_id) where finished_at is null;
