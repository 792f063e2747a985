-- What a task was sold for, where its input files lie at the supplier, and how far it has come.

alter table tasks
  -- The quote as it was shown: price in kopecks, rates, version of the model. Null for a task that nothing was held for.
  add column quote jsonb,
  -- Parameter → addresses of its files at the supplier, once all of them are there.
  add column file_urls jsonb,
  -- What the supplier says it has taken for it, in credits.
  add column cost_credits numeric(12, 3),
  -- 0–100, from some models only.
  add column progress smallint check (progress between 0 and 100);

-- Submissions of the last seconds are counted before each new one: the supplier drops what is too much.
create index tasks_submitted on tasks (submitted_at) where submitted_at is not null;
