-- How often it was picked only to find that it has to wait: that is no attempt at it. `attempts` says how often it was
-- picked at all, by which the last pick is known.
alter table follow_ups add column waits integer not null default 0;
