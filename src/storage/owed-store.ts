// What the database knows of a screen that is owed to a user (a row of follow_ups): whether it still is, and that it was
// shown. All times are the database's.
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { Queryable } from './database.ts';

export type Standing =
  /** It is to be shown now. */
  | 'due'
  /** Updates of the chat come first, and may make it superfluous. */
  | 'chat_is_busy'
  /** Why it is not to be shown any more. */
  | 'too_late'
  | 'user_has_blocked_the_bot'
  | 'user_has_gone_on'
  | 'generation_has_ended';

export interface ShownOwed {
  readonly messageId: number;
  /** Absent where words alone were sent. */
  readonly screen: string | undefined;
  readonly record: object;
  /** Present where the user is there now. */
  readonly session: { readonly form: object | null } | undefined;
}

export interface OwedStore {
  standing(followUpId: number, horizonMs: number): Promise<Standing>;
  /** Remembers what is owed as it is now, before it is tried. Rejects with AppError LEASE_LOST under a lost lease. */
  remember(followUpId: number, data: object): Promise<void>;
  /** Stores which screen a message shows now, and that the user is there. */
  shown(followUpId: number, shown: ShownOwed): Promise<void>;
}

export interface OwedStoreOptions {
  readonly database: Queryable;
  readonly lease: CurrentLease;
}

export function createOwedStore({ database, lease }: OwedStoreOptions): OwedStore {
  return {
    async standing(followUpId, horizonMs) {
      const { rows } = await database.query<{ standing: Standing }>(
        `select case
           when created_at < now() - $2 * interval '1 millisecond' then 'too_late'
           when exists (select from users where chat_id = lane and blocked_at is not null)
             then 'user_has_blocked_the_bot'
           when exists (select from sessions where chat_id = lane and sessions.updated_at > follow_ups.created_at)
             or exists (
               select from follow_ups as newer
               where newer.lane = follow_ups.lane and newer.kind = follow_ups.kind and newer.id > follow_ups.id
             ) then 'user_has_gone_on'
           when data->'owed'->>'screen' = 'PROCESSING' and exists (
             select from tasks where id = data->'owed'->'record'->>'task' and finished_at is not null
           ) then 'generation_has_ended'
           when exists (select from updates where updates.lane = follow_ups.lane and outcome is null)
             then 'chat_is_busy'
           else 'due'
         end as standing
         from follow_ups where id = $1`,
        [followUpId, horizonMs],
      );
      return rows[0]?.standing ?? 'too_late';
    },
    async remember(followUpId, data) {
      const { rowCount } = await database.query(
        'update follow_ups set data = $2 where id = $1 and holds_lease($3, $4)',
        [followUpId, JSON.stringify(data), lease().name, lease().epoch],
      );
      if (!rowCount) throw leaseLost();
    },
    // `last_action` is forgotten: what is owed is a screen that no tap of that message has led to.
    async shown(followUpId, { messageId, screen, record, session }) {
      await database.query(
        `with owed as (
           select lane, follow_ups.created_at from follow_ups join users on chat_id = lane where id = $1
         ), stored_message as (
           insert into messages (chat_id, message_id, screen_id, screen_data)
           select lane, $2, $3, $4 from owed where $3::text is not null
           on conflict (chat_id, message_id) do update
           set screen_id = excluded.screen_id, screen_data = excluded.screen_data, media = false,
             last_action = null, last_action_at = null, rendered_at = now()
         )
         insert into sessions (chat_id, message_id, form)
         select lane, $2, $6 from owed where $5
         on conflict (chat_id) do update
         set message_id = excluded.message_id, form = excluded.form, updated_at = now()
         where sessions.updated_at <= (select created_at from owed)`,
        [
          followUpId,
          messageId,
          screen ?? null,
          JSON.stringify(record),
          session !== undefined,
          session?.form ? JSON.stringify(session.form) : null,
        ],
      );
    },
  };
}
