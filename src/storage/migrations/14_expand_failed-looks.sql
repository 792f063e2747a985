-- How many looks at a task in a row have ended in an error of ours. Past a limit the task is brought to its end, so that
-- nothing that cannot be worked holds money for ever.
alter table tasks add column failed_looks smallint not null default 0;
