// What administrators have said of models: a flat price, a model switched off. Who said it last is kept. Whether
// there is such a model is not known here.
import type { ModelSetting } from '../catalogue/catalogue.ts';
import type { Queryable } from './database.ts';

export interface ModelSettings {
  all(): Promise<ModelSetting[]>;
  /** Credits of 0 or more, kept to a thousandth; null goes back to the rule of the catalogue. */
  setPrice(modelId: string, credits: number | null, by: string): Promise<void>;
  /** `reason` is for operators and is not empty. */
  disable(modelId: string, reason: string, by: string): Promise<void>;
  /** Lifts `disable`; a model that the catalogue itself has switched off stays so. */
  enable(modelId: string, by: string): Promise<void>;
}

interface SettingRecord {
  model_id: string;
  /** node-postgres hands numeric over as text; float8 holds three decimals of ten digits exactly enough. */
  credits: number | null;
  disabled_reason: string | null;
}

export function createModelSettings(queryable: Queryable): ModelSettings {
  return {
    async all() {
      const { rows } = await queryable.query<SettingRecord>(
        'select model_id, credits::float8 as credits, disabled_reason from model_settings order by model_id',
      );
      return rows.map(row => ({
        modelId: row.model_id,
        credits: row.credits,
        disabledReason: row.disabled_reason,
      }));
    },
    async setPrice(modelId, credits, by) {
      await queryable.query(
        `insert into model_settings (model_id, credits, updated_by) values ($1, $2, $3)
         on conflict (model_id) do update
         set credits = excluded.credits, updated_by = excluded.updated_by, updated_at = now()`,
        [modelId, credits, by],
      );
    },
    disable: (modelId, reason, by) => setReason(queryable, modelId, reason, by),
    enable: (modelId, by) => setReason(queryable, modelId, null, by),
  };
}

async function setReason(
  queryable: Queryable,
  modelId: string,
  reason: string | null,
  by: string,
): Promise<void> {
  await queryable.query(
    `insert into model_settings (model_id, disabled_reason, updated_by) values ($1, $2, $3)
     on conflict (model_id) do update
     set disabled_reason = excluded.disabled_reason, updated_by = excluded.updated_by, updated_at = now()`,
    [modelId, reason, by],
  );
}
