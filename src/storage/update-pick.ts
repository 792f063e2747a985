// The pick of updates: the oldest unfinished one of a lane, with all that is needed to judge it.
import { type Locale, localeOf } from '../locales.ts';
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { EventType } from '../otel/fields.ts';
import type { Database } from './database.ts';
import { epochMs } from './database-clock.ts';
import { createGroupCommit } from './group-commit.ts';
import { byLease, type Leased } from './leased-calls.ts';
import { bodyOf } from './update-body.ts';

export interface PickedUpdate {
  readonly id: number;
  readonly updateId: number;
  readonly lane: number;
  readonly eventType: EventType;
  readonly body: unknown;
  readonly traceparent: string;
  readonly receivedAt: Date;
  /** 1 for the first; more when an earlier pick ended without an outcome. */
  readonly attempt: number;
  readonly user: (UserProfile & { readonly promptConsent: boolean }) | undefined;
  readonly session: { readonly messageId: number | undefined; readonly form: unknown } | undefined;
  /** Of the message that bears the tapped button, if we have a record of it. */
  readonly message: MessageState | undefined;
}

/** What is known of a user from Telegram. */
export interface UserProfile {
  readonly language: Locale;
  /** The bot cannot write to them. */
  readonly blocked: boolean;
  /** In lower case, without the @. */
  readonly username: string | null;
}

export interface MessageState {
  readonly messageId: number;
  readonly screen: string;
  readonly record: unknown;
  readonly media: boolean;
  /** The button that was last accepted on it, and when. */
  readonly lastAction: { readonly data: string; readonly at: Date } | undefined;
  readonly renderedAt: Date;
}

/**
 * An instance that has had an update for so long hangs, whatever else it shows: what an update may take is half of it
 * at most for all that it asks of Telegram (UPDATE_DEADLINE_SECONDS), a few seconds for telling of a fault, and the
 * patience of its commit, 20 s. Another member may pick it then; the one that hangs cannot commit it any more.
 */
export const pickLimitMs = 60_000;

export interface UpdatePick {
  /**
   * Takes the oldest unfinished update of a lane unless another instance has it, and has had it for less than
   * `pickLimitMs`; counts the attempt. Rejects with AppError LEASE_LOST under a lost lease: then nothing is known of
   * the lane, and whoever asked must not count it as worked off.
   */
  pick(lane: number): Promise<PickedUpdate | undefined>;
}

export interface UpdatePickOptions {
  readonly database: Database;
  readonly instanceId: string;
  readonly lease: CurrentLease;
}

interface PickRecord {
  held: boolean;
  /** Null in the one row there is when nothing was picked. */
  id: string | null;
  update_id: string;
  lane: string;
  event_type: EventType;
  body: unknown;
  traceparent: string;
  received_at: number;
  attempts: number;
  language: string | null;
  username: string | null;
  prompt_consent: boolean | null;
  blocked: boolean | null;
  session_message_id: string | null;
  form: unknown;
  has_session: boolean;
  shown_message_id: string | null;
  screen_id: string | null;
  screen_data: unknown;
  media: boolean | null;
  last_action: string | null;
  last_action_at: number | null;
  rendered_at: number | null;
}

type PickResult = PickedUpdate | 'lease lost' | undefined;

// A head that another instance picks at the same moment is left to it: the second of the two updates waits for
// the first, and then finds picked_by changed. It does not wait for the disk: a pick that a crash of the database
// loses is made again, and what is committed after it takes it to the disk. While another instance does what an earlier
// update of the lane has left to be done the lane is its own: it looks at the lane once more when that is done. Lanes come
// as JSON rows, not as an array: how many rows of JSON there are Postgres does not guess from the value, so that it keeps
// one plan. With an array it planned each pick anew, which took twice as long as the pick itself.
const pickText = `
  with lease as materialized (
    select holds_lease($3, $4) as held
  ), heads as (
    select head.id
    from json_to_recordset($1) as wanted (lane bigint)
    cross join lateral (
      select id from updates where updates.lane = wanted.lane and outcome is null order by id limit 1
    ) as head
    where (select held from lease) and (select set_config('synchronous_commit', 'off', true)) = 'off'
      and not exists (
        select 1 from follow_ups
        where follow_ups.lane = wanted.lane and picked_by <> $2
          and picked_at > now() - ${pickLimitMs} * interval '1 millisecond')
  ), picked as (
    update updates set attempts = attempts + 1, picked_by = $2, picked_at = now()
    from heads where updates.id = heads.id and outcome is null and (
      picked_by is null or picked_by = $2 or picked_at < now() - ${pickLimitMs} * interval '1 millisecond')
    returning updates.*
  )
  select lease.held, picked.id, picked.update_id, picked.lane, picked.event_type, picked.body, picked.traceparent,
    ${epochMs('picked.received_at')} as received_at, picked.attempts,
    users.language, users.username, users.prompt_consent, users.blocked_at is not null as blocked,
    sessions.chat_id is not null as has_session, sessions.message_id as session_message_id, sessions.form,
    messages.message_id as shown_message_id, messages.screen_id, messages.screen_data, messages.media,
    messages.last_action, ${epochMs('messages.last_action_at')} as last_action_at,
    ${epochMs('messages.rendered_at')} as rendered_at
  from lease
  left join picked on true
  left join users on users.chat_id = picked.lane
  left join sessions on sessions.chat_id = picked.lane
  left join messages on messages.chat_id = picked.lane and messages.message_id = picked.message_id`;

export function createUpdatePick({ database, instanceId, lease }: UpdatePickOptions): UpdatePick {
  const pick = createGroupCommit<Leased<number>, PickResult>({
    keyOf: ({ item: lane }) => lane,
    run: calls =>
      byLease<number, PickResult>(calls, async (lanes, { name, epoch }) => {
        const { rows } = await database.prepared<PickRecord>('updates_pick', pickText, [
          JSON.stringify(lanes.map(lane => ({ lane }))),
          instanceId,
          name,
          epoch,
        ]);
        if (!rows[0]?.held) return lanes.map(() => 'lease lost');
        const picked = new Map(
          rows.flatMap(row => (row.id === null ? [] : [[Number(row.lane), toPicked(row)] as const])),
        );
        return lanes.map(lane => picked.get(lane));
      }),
  });

  return {
    async pick(lane) {
      const picked = await pick({ item: lane, lease: lease() });
      if (picked === 'lease lost') throw leaseLost();
      return picked;
    },
  };
}

function toPicked(row: PickRecord): PickedUpdate {
  return {
    id: Number(row.id),
    updateId: Number(row.update_id),
    lane: Number(row.lane),
    eventType: row.event_type,
    body: bodyOf(row.body),
    traceparent: row.traceparent,
    receivedAt: new Date(row.received_at),
    attempt: row.attempts,
    user:
      row.language === null
        ? undefined
        : {
            language: localeOf(row.language),
            blocked: row.blocked === true,
            username: row.username,
            promptConsent: row.prompt_consent === true,
          },
    session: row.has_session
      ? {
          messageId: row.session_message_id === null ? undefined : Number(row.session_message_id),
          form: row.form,
        }
      : undefined,
    message: toMessage(row),
  };
}

function toMessage(row: PickRecord): MessageState | undefined {
  if (row.shown_message_id === null || row.rendered_at === null || row.screen_id === null) return undefined;
  return {
    messageId: Number(row.shown_message_id),
    screen: row.screen_id,
    record: row.screen_data,
    media: row.media === true,
    lastAction:
      row.last_action === null || row.last_action_at === null
        ? undefined
        : { data: row.last_action, at: new Date(row.last_action_at) },
    renderedAt: new Date(row.rendered_at),
  };
}
