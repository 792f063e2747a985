// Updates that are refused the moment they arrive: stored with their outcome, so that none is without one, and
// without a job, so that nobody works them later.
import type { ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { createGroupCommit } from './group-commit.ts';
import type { NewUpdate } from './update-store.ts';

export interface RefusedUpdateStore {
  /** Stores an update durably as rejected for this reason. False when it was known: its own outcome stands. */
  insert(update: NewUpdate, reason: ReasonCode): Promise<boolean>;
}

const insertText = `
  insert into updates
    (bot_id, update_id, lane, message_id, event_type, body, traceparent, outcome, reason_code, finished_at)
  select $1, update_id, lane, message_id, event_type, body::json, traceparent, 'rejected', reason_code, now()
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
    with ordinality as incoming
      (update_id, lane, message_id, event_type, body, traceparent, reason_code, position)
  order by position
  on conflict (bot_id, update_id) do nothing
  returning update_id`;

interface RefusedUpdate {
  readonly update: NewUpdate;
  readonly reason: ReasonCode;
}

export function createRefusedUpdateStore(
  database: Pick<Database, 'prepared'>,
  botId: number,
): RefusedUpdateStore {
  const insert = createGroupCommit<RefusedUpdate, boolean>({
    keyOf: ({ update }) => update.updateId,
    async run(refused) {
      const { rows } = await database.prepared<{ update_id: string }>('updates_refuse', insertText, [
        botId,
        refused.map(({ update }) => update.updateId),
        refused.map(({ update }) => update.lane),
        refused.map(({ update }) => update.messageId ?? null),
        refused.map(({ update }) => update.eventType),
        refused.map(({ update }) => update.body),
        refused.map(({ update }) => update.traceparent),
        refused.map(({ reason }) => reason),
      ]);
      const stored = new Set(rows.map(row => Number(row.update_id)));
      return refused.map(({ update }) => stored.has(update.updateId));
    },
  });
  return { insert: (update, reason) => insert({ update, reason }) };
}
