// Which stored updates wait although they have arrived: those that nobody works yet, and taps that do not end,
// whichever instance has stored or picked them.
import type { Database } from './database.ts';
import { bodyOf } from './update-body.ts';

export interface WaitingUpdates {
  /** Those of the given updates that have no outcome and that no instance has picked. */
  among(updateIds: readonly number[]): Promise<ReadonlySet<number>>;
  /** Taps without an outcome, picked or not, oldest first. */
  tapsInWaiting(wanted: WantedTaps): Promise<readonly StoredTap[]>;
}

export interface WantedTaps {
  /** Between these two ages, by the database's clock. */
  readonly olderThanMs: number;
  readonly youngerThanMs: number;
  /** Update ids to leave out. */
  readonly except: readonly number[];
  /** At most so many. */
  readonly limit: number;
}

export interface StoredTap {
  readonly body: unknown;
  readonly traceparent: string;
  readonly receivedAt: Date;
}

export function createWaitingUpdates(database: Pick<Database, 'query'>, botId: number): WaitingUpdates {
  return {
    async among(updateIds) {
      const { rows } = await database.query<{ update_id: string }>(
        `select update_id from updates
         where bot_id = $1 and update_id = any($2::bigint[]) and outcome is null and picked_by is null`,
        [botId, updateIds],
      );
      return new Set(rows.map(row => Number(row.update_id)));
    },
    async tapsInWaiting({ olderThanMs, youngerThanMs, except, limit }) {
      const { rows } = await database.query<{ body: unknown; traceparent: string; received_at: Date }>(
        `select body, traceparent, received_at from updates
         where bot_id = $1 and outcome is null and event_type = 'callback_query'
           and received_at <= clock_timestamp() - $2 * interval '1 millisecond'
           and received_at > clock_timestamp() - $3 * interval '1 millisecond'
           and update_id <> all($4::bigint[])
         order by id limit $5`,
        [botId, olderThanMs, youngerThanMs, except, limit],
      );
      return rows.map(row => ({
        body: bodyOf(row.body),
        traceparent: row.traceparent,
        receivedAt: row.received_at,
      }));
    },
  };
}
