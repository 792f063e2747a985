-- A result may be several files, told apart by position: an album is followed by a text with the buttons (closing),
-- and the user may ask for the files as they were made (original).
alter table deliveries
  drop constraint deliveries_kind_check,
  add constraint deliveries_kind_check check (kind in ('result', 'failure', 'closing', 'original')),
  -- Not sent before: the messenger asked to wait, or the last try has just failed.
  add column due_at timestamptz not null default now(),
  -- Of the tap that asked for it; null where the task itself owes it.
  add column traceparent text;
