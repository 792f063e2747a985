-- How many of the planned looks at a task that was given up lie behind it: each of them asks the supplier once at most.
alter table tasks add column late_looks smallint not null default 0;
