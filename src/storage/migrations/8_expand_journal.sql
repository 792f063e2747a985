-- The event journal: what was told on stdout, kept where it can be asked for by cid, by user and by reason. One row is
-- one span with the lines that were written inside it, or one event outside of any span. One partition per day (UTC),
-- journal_<yyyymmdd>, made ahead and dropped by storage/journal-partitions.ts. There is no default partition, because
-- rows in it would keep the partition they belong to from being made.

create table journal (
  -- When the span began, or the event happened.
  at timestamptz not null,
  -- Hexadecimal digits in the order of bytes, so that the first digits alone can be looked for.
  cid text collate "C" not null,
  trace_id text not null,
  span_id text not null,
  parent_span_id text,
  -- Null for an event outside of any span; its span_id is that of the span it was emitted under.
  span_name text,
  duration_ms real,
  failed boolean not null,
  -- 16 digits; in the lines stand the first 8 of them. Null where the span has no lines.
  user_hash text collate "C",
  instance_id text not null,
  release text not null,
  -- The one that matters most in the lines: the last that is neither SUCCESS nor NOOP, else the last.
  reason_code text,
  screen_id text,
  model_id text,
  model_version text,
  event_count smallint not null,
  -- Of the dispatch of an update: what it met. Identifiers of ours, choices and numbers; of texts only their length.
  before jsonb,
  -- The JSON lines as on stdout, joined by newlines; empty where there were none. What a line has in common with the one
  -- before it in the row is left out (otel/short-lines.ts).
  lines text not null
) partition by range (at);

create index journal_cid on journal (cid);
create index journal_user on journal (user_hash, at) where user_hash is not null;
create index journal_reason on journal (reason_code, at) where reason_code is not null;
-- The newest outcomes, and all outcomes of a period.
create index journal_outcome on journal (at) where reason_code is not null;
