-- What the holder of a lease is: the one instance that works, or part of a cluster. The two must not work at the same
-- time. Null: taken by a release that does not tell.
alter table leases add column mode text check (mode in ('single', 'cluster'));
