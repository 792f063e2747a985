-- When an update was last ended by who worked it: a probe asks for that, and not for those that were refused on arrival,
-- which have no epoch. An operator with many updates builds it before, `concurrently`: docs/operations.md.
create index if not exists updates_finished on updates (finished_at) where epoch is not null;
