-- Dead letters are few among many updates, and looked up by people who wait.
create index updates_dead_letters on updates (id) where outcome = 'dead_letter';
