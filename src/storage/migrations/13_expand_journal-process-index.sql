-- What a process told of itself, by time: the lock, starts and stops, a database that did not answer. Such events stand
-- outside of any span and are few, so the index is small and costs the rows of updates nothing. It is built on each
-- partition in turn; meanwhile rows of the journal wait in memory, which is what they can do.
create index journal_process on journal (at) where span_name is null;
