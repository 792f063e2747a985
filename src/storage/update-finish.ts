// The end of updates: an outcome is set once, together with the screen and form state it led to, and with what it leaves
// to be done. Screens and forms are opaque here; the bot knows their shapes.
import type { CurrentLease } from '../lock/lease.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { createGroupCommit } from './group-commit.ts';
import { addFollowUpJobs } from './job-queue.ts';
import { byLease, type Leased } from './leased-calls.ts';
import type { UserProfile } from './update-pick.ts';

export type UpdateOutcome = 'accepted' | 'rejected' | 'noop' | 'failed' | 'dead_letter';

/** What an update leaves behind in one chat; absent parts stay as they are. */
export interface Effects {
  readonly chatId: number;
  /** Must be given for a user not known yet, before anything else can be stored about the chat. */
  readonly user?: UserProfile;
  /** `form: null` closes the form. */
  readonly session?: { readonly messageId: number | undefined; readonly form: object | null };
  /** The screen that a message shows now. */
  readonly message?: { readonly messageId: number; readonly screen: string; readonly record: object };
  /** The message whose button was accepted, and that button's data. */
  readonly tapped?: { readonly messageId: number; readonly data: string };
}

export interface UpdateEnding {
  readonly id: number;
  /** Of the pick that ends. */
  readonly attempt: number;
  readonly outcome: UpdateOutcome;
  readonly reason: ReasonCode;
  readonly effects: Effects | undefined;
  readonly followUps?: readonly NewFollowUp[];
  /** Of the dispatch, for what follows. */
  readonly traceparent: string;
}

/** What the outcome leads to; see inbox/follow-up.ts. */
export interface NewFollowUp {
  readonly kind: string;
  readonly data: object;
  /** Not to be done before. */
  readonly delayMs: number;
}

export interface Finished {
  /** False when the update has ended, was picked again, or is no longer ours to end; nothing was changed then. */
  readonly committed: boolean;
  /** Whether the lane may have more to do. What is stored after this has a job of its own. */
  readonly more: boolean;
}

export interface UpdateFinish {
  /**
   * Sets the outcome and its effects in one statement, with what follows and the job for that. Asked again by the same
   * pick, it says again that it is done: for a call whose answer was lost.
   */
  finish(ending: UpdateEnding): Promise<Finished>;
}

export interface UpdateFinishOptions {
  readonly database: Database;
  readonly instanceId: string;
  readonly lease: CurrentLease;
}

/** Sets outcomes and stores the session and the screen that they led to: all there is to most of them. */
const endAndShow = `
  with finished as (
    update updates
    set outcome = incoming.outcome, reason_code = incoming.reason_code, finished_at = clock_timestamp(), epoch = $3
    from json_to_recordset($1) as incoming (
      id bigint, attempt smallint, outcome text, reason_code text, chat_id bigint, language text, username text,
      blocked boolean, has_session boolean, session_message_id bigint, form jsonb, message_id bigint, screen_id text,
      screen_data jsonb, tapped_message_id bigint, tapped_data text, traceparent text, follow_ups json)
    where updates.id = incoming.id and updates.outcome is null and (select holds_lease($2, $3))
      and updates.picked_by = $4 and updates.attempts = incoming.attempt
    returning updates.lane, incoming.*
  ), stored_users as (
    insert into users (chat_id, language, blocked_at, username)
    select chat_id, language, case when blocked then now() end, username from finished where language is not null
    on conflict (chat_id) do update
    set language = excluded.language, blocked_at = excluded.blocked_at, username = excluded.username
  ), stored_sessions as (
    insert into sessions (chat_id, message_id, form)
    select chat_id, session_message_id, form from finished where has_session
    on conflict (chat_id) do update
    set message_id = coalesce(excluded.message_id, sessions.message_id), form = excluded.form, updated_at = now()
  ), stored_messages as (
    insert into messages (chat_id, message_id, screen_id, screen_data, last_action, last_action_at)
    select chat_id, message_id, screen_id, screen_data,
      case when tapped_message_id = message_id then tapped_data end, now()
    from finished where message_id is not null
    on conflict (chat_id, message_id) do update
    set screen_id = excluded.screen_id, screen_data = excluded.screen_data, last_action = excluded.last_action,
      last_action_at = now(), rendered_at = now()
  )`;

const hasMore = `exists (
  select 1 from updates as waiting
  where waiting.lane = finished.lane and waiting.outcome is null and waiting.id <> finished.id
) as more`;

const endAndShowText = `${endAndShow}
  select id, ${hasMore} from finished`;

/** The same with what follows, and with taps that were accepted on another message than the one that shows the screen. */
const endAndFollowText = `${endAndShow}, tapped as (
    update messages set last_action = tapped_data, last_action_at = now()
    from finished
    where messages.chat_id = finished.chat_id and messages.message_id = tapped_message_id
      and tapped_message_id is distinct from finished.message_id
  ), followed as (
    insert into follow_ups (lane, kind, data, traceparent, due_at)
    select lane, follow_up.kind, follow_up.data, traceparent, now() + follow_up.delay_ms * interval '1 millisecond'
    from finished
    cross join lateral json_to_recordset(follow_ups) as follow_up (kind text, data jsonb, delay_ms float8)
    returning lane, due_at
  ), jobs as (${addFollowUpJobs})
  select id, ${hasMore}, (select count(*) from jobs) from finished`;

/** Which of these picks have ended their updates in just this way. */
const endedText = `
  select id from updates
  join json_to_recordset($1) as incoming (id bigint, attempt smallint, outcome text) using (id)
  where updates.outcome = incoming.outcome and attempts = attempt and picked_by = $2`;

export function createUpdateFinish({ database, instanceId, lease }: UpdateFinishOptions): UpdateFinish {
  const finish = createGroupCommit<Leased<UpdateEnding>, Finished>({
    keyOf: ({ item: { id } }) => id,
    run: calls =>
      byLease(calls, async (endings, { name, epoch }) => {
        const isPlain = endings.every(isEndAndShow);
        const { rows } = await database.prepared<{ id: string; more: boolean }>(
          isPlain ? 'updates_finish' : 'updates_finish_all',
          isPlain ? endAndShowText : endAndFollowText,
          [JSON.stringify(endings.map(toEnding)), name, epoch, instanceId],
        );
        const more = new Map(rows.map(row => [Number(row.id), row.more]));
        const before = await endedBefore(endings.filter(({ id }) => !more.has(id)));
        return endings.map(({ id }) => ({
          committed: more.has(id) || before.has(id),
          more: more.get(id) ?? true,
        }));
      }),
  });

  /** What a statement did whose answer was lost. Read by a statement of its own: that one may have ended only now. */
  async function endedBefore(endings: readonly UpdateEnding[]): Promise<ReadonlySet<number>> {
    if (endings.length === 0) return new Set();
    const { rows } = await database.query<{ id: string }>(endedText, [
      JSON.stringify(endings.map(({ id, attempt, outcome }) => ({ id, attempt, outcome }))),
      instanceId,
    ]);
    return new Set(rows.map(({ id }) => Number(id)));
  }

  return { finish: ending => finish({ item: ending, lease: lease() }) };
}

function isEndAndShow({ effects, followUps }: UpdateEnding): boolean {
  const { tapped, message } = effects ?? {};
  return !followUps?.length && (tapped === undefined || tapped.messageId === message?.messageId);
}

function toEnding({ id, attempt, outcome, reason, effects, followUps, traceparent }: UpdateEnding): object {
  const { chatId, user, session, message, tapped } = effects ?? {};
  return {
    id,
    attempt,
    outcome,
    reason_code: reason,
    chat_id: chatId,
    language: user?.language,
    username: user?.username,
    blocked: user?.blocked,
    has_session: session !== undefined,
    session_message_id: session?.messageId,
    form: session?.form ?? undefined,
    message_id: message?.messageId,
    screen_id: message?.screen,
    screen_data: message?.record,
    tapped_message_id: tapped?.messageId,
    tapped_data: tapped?.data,
    traceparent,
    follow_ups: followUps?.length
      ? followUps.map(({ kind, data, delayMs }) => ({ kind, data, delay_ms: delayMs }))
      : undefined,
  };
}
