-- The tasks that are still to be worked, among all that ever were: they are looked for every few seconds.
create index if not exists tasks_open on tasks (id) where state in ('created', 'submitting', 'waiting');
