-- What administrators look users up by, and what a user has allowed.
alter table users
  -- In lower case, without the @; as it was when the user was last seen.
  add column username text,
  -- Whether texts that the user writes may stand in telemetry.
  add column prompt_consent boolean not null default false;
create index users_username on users (username) where username is not null;
