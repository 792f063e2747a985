-- When each piece of housekeeping is due, by this database's clock: a process may be restarted more often than that.
create table housekeeping (
  name text primary key,
  due_at timestamptz not null,
  last_run_at timestamptz
);
