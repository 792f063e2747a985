// The inbox as rows. Three statements carry the life of an update, each for a whole batch of them: `insert`, `pick` and
// `finish`, each a file of its own. Here they are one store, with what is asked about stored updates beside them.
import type { CurrentLease } from '../lock/lease.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { epochMs } from './database-clock.ts';
import { createUpdateFinish, type UpdateFinish } from './update-finish.ts';
import { createUpdateInsert, type UpdateInsert } from './update-insert.ts';
import { createUpdatePick, type UpdatePick } from './update-pick.ts';

export interface KnownUpdate {
  /** Under which it is worked, or was refused. */
  readonly traceparent: string;
  /** Since it was stored. */
  readonly ageMs: number;
  readonly hasEnded: boolean;
  /** Why it was stored with its outcome. */
  readonly refusal: ReasonCode | undefined;
  /** It was this instance that stored it with its outcome, whether or not it has heard of that. */
  readonly isRefusedHere: boolean;
}

export interface UpdateStore extends UpdateInsert, UpdatePick, UpdateFinish {
  /** What is known of an update that was stored before. */
  known(updateId: number): Promise<KnownUpdate | undefined>;
  /** Updates without an outcome. */
  depth(): Promise<number>;
}

interface KnownRecord {
  traceparent: string;
  age_ms: number;
  has_ended: boolean;
  refusal: ReasonCode | null;
  picked_by: string | null;
}

export interface UpdateStoreOptions {
  readonly database: Database;
  readonly botId: number;
  readonly instanceId: string;
  /** How many updates of a lane may be without an outcome before those that are limited are refused. */
  readonly laneMax: number;
  /** `pick` and `finish` do nothing once another instance has taken it over. */
  readonly lease: CurrentLease;
}

export function createUpdateStore(options: UpdateStoreOptions): UpdateStore {
  const { database, botId, instanceId } = options;
  return {
    ...createUpdateInsert(options),
    ...createUpdatePick(options),
    ...createUpdateFinish(options),
    async known(updateId) {
      const { rows } = await database.query<KnownRecord>(
        `select traceparent, ${epochMs('now() - received_at')} as age_ms, outcome is not null as has_ended,
           case when outcome = 'rejected' and attempts = 0 then reason_code end as refusal, picked_by
         from updates where bot_id = $1 and update_id = $2`,
        [botId, updateId],
      );
      const [row] = rows;
      if (!row) return undefined;
      const { traceparent, age_ms: ageMs, has_ended: hasEnded, refusal, picked_by: pickedBy } = row;
      const isRefusedHere = refusal !== null && pickedBy === instanceId;
      return { traceparent, ageMs, hasEnded, refusal: refusal ?? undefined, isRefusedHere };
    },
    async depth() {
      const { rows } = await database.query<{ depth: string }>(
        'select count(*) as depth from updates where outcome is null',
      );
      return Number(rows[0]?.depth ?? 0);
    },
  };
}
