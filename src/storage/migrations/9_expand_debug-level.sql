-- Until when all instances tell DEBUG events. One row, or none.

create table debug_level (
  id smallint primary key default 1 check (id = 1),
  until timestamptz not null,
  -- Pseudonym of the administrator.
  enabled_by text not null
);
