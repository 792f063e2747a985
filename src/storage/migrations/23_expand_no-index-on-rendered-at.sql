-- No statement looks for messages by the time of their screen, and every tap changes that time: without the index the row
-- is updated in its page, and no index is written.
drop index if exists messages_rendered_at;
