-- No statement looks for messages by the time of their screen, and every tap changes that time: without the index the row
-- is updated in its page, and no index is written.
-- While this waits for a reader of the table, everybody else waits behind it: better to fail, and to be started again.
set local lock_timeout = '2s';
drop index if exists messages_rendered_at;
