-- What administrators say of a model, laid over its entry in the catalogue. A row stays when its model goes.
create table model_settings (
  model_id text primary key,
  -- A flat price, in credits of the supplier; null: by the rule of the entry.
  credits numeric(10, 3) check (credits >= 0),
  -- Null: not switched off.
  disabled_reason text check (disabled_reason <> ''),
  updated_at timestamptz not null default now(),
  updated_by text not null
);
