// Rows of the inbox and of what users see. Three statements carry the life of an update, each for a whole batch
// of them: `insert` (with the jobs that will work it), `pick` (the oldest unfinished update of a lane, with all
// that is needed to judge it) and `finish` (its outcome together with the screen and form state it led to).
// Screens and forms are opaque here; the bot knows their shapes.
import { type CurrentLease, type Lease, leaseLost } from '../lock/lease.ts';
import type { EventType } from '../otel/fields.ts';
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { createGroupCommit } from './group-commit.ts';
import { addFollowUpJobs, addLaneJobs } from './job-queue.ts';
import { bodyOf, insertBody } from './update-body.ts';

export interface NewUpdate {
  readonly updateId: number;
  readonly lane: number;
  readonly messageId: number | undefined;
  readonly eventType: EventType;
  /** The JSON text as it arrived. */
  readonly body: string;
  readonly traceparent: string;
  /** Why nobody is to work it: it is stored with this as its outcome. Undefined for what is to be worked. */
  readonly refusal: ReasonCode | undefined;
  /** Whether it counts against the share of its lane: above that it is refused as RATE_LIMIT. */
  readonly isLimited: boolean;
}

export interface Stored {
  /** False when it was known: its own outcome stands. */
  readonly isNew: boolean;
  /** Why a new one was refused: then it has its outcome. */
  readonly refusal: ReasonCode | undefined;
}

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

export interface MessageState {
  readonly messageId: number;
  readonly screen: string;
  readonly record: unknown;
  readonly media: boolean;
  /** The button that was last accepted on it, and when. */
  readonly lastAction: { readonly data: string; readonly at: Date } | undefined;
  readonly renderedAt: Date;
}

/** What is known of a user from Telegram. */
export interface UserProfile {
  readonly language: Locale;
  /** The bot cannot write to them. */
  readonly blocked: boolean;
  /** In lower case, without the @. */
  readonly username: string | null;
}

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

export interface UpdateStore {
  /** Stores an update durably, with a job for its lane, or with its outcome where it is refused. */
  insert(update: NewUpdate): Promise<Stored>;
  /** Rejects when none could be stored now; stores none. */
  checkInsert(): Promise<void>;
  /** What is known of an update that was stored before. */
  known(updateId: number): Promise<KnownUpdate | undefined>;
  /**
   * Takes the oldest unfinished update of a lane unless another instance has it, and has had it for less than
   * `pickLimitMs`; counts the attempt. Rejects with AppError LEASE_LOST under a lost lease: then nothing is known of
   * the lane, and whoever asked must not count it as worked off.
   */
  pick(lane: number): Promise<PickedUpdate | undefined>;
  /**
   * Sets the outcome and its effects in one statement, with what follows and the job for that. Asked again by the same
   * pick, it says again that it is done: for a call whose answer was lost.
   */
  finish(ending: UpdateEnding): Promise<Finished>;
  /** Updates without an outcome. */
  depth(): Promise<number>;
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

/**
 * An instance that has had an update for so long hangs, whatever else it shows: what an update may take is half of it
 * at most for all that it asks of Telegram (UPDATE_DEADLINE_SECONDS), a few seconds for telling of a fault, and the
 * patience of its commit, 20 s. Another member may pick it then; the one that hangs cannot commit it any more.
 */
export const pickLimitMs = 60_000;

interface InsertRecord {
  update_id: string;
  reason_code: ReasonCode | null;
}

interface KnownRecord {
  traceparent: string;
  age_ms: number;
  has_ended: boolean;
  refusal: ReasonCode | null;
  picked_by: string | null;
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
  language: Locale | null;
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

// What a lane has is counted up to its share, on the index of what is unfinished. Statements that run beside this one
// are not seen, so a lane may go above its share by what they store.
const insertText = `
  with judged as materialized (
    select incoming.*, coalesce(refusal, case when limited and place_in_lane + (
      select count(*) from (
        select 1 from updates where updates.lane = incoming.lane and outcome is null limit $3
      ) as unfinished
    ) > $3 then 'RATE_LIMIT' end) as reason
    from rows from (json_to_recordset($2) as (
      update_id bigint, lane bigint, message_id bigint, event_type text, body text, traceparent text, refusal text,
      limited boolean, place_in_lane int
    )) with ordinality as incoming
      (update_id, lane, message_id, event_type, body, traceparent, refusal, limited, place_in_lane, position)
  ), inserted as (
    insert into updates
      (bot_id, update_id, lane, message_id, event_type, body, traceparent, outcome, reason_code, finished_at, picked_by)
    select $1, update_id, lane, message_id, event_type, body::json, traceparent,
      case when reason is not null then 'rejected' end, reason, case when reason is not null then now() end,
      -- Who has to emit its end: the answer to this may be lost.
      case when reason is not null then $4 end
    from judged
    order by position
    on conflict (bot_id, update_id) do nothing
    returning update_id, lane, reason_code
  ), stored as (
    select lane from inserted where reason_code is null
  ), jobs as (${addLaneJobs})
  select update_id, reason_code, (select count(*) from jobs) from inserted`;

/** Epoch milliseconds: reading a timestamp's text takes the driver far longer than reading a number. */
const epochMs = (column: string): string => `extract(epoch from ${column})::float8 * 1000`;

// What waits here for a lease is one call of many; what it comes under goes with it.
interface Leased<Item> {
  readonly item: Item;
  readonly lease: Lease;
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
  const { database, botId, instanceId, laneMax, lease } = options;

  async function insertAll(updates: readonly NewUpdate[]): Promise<readonly InsertRecord[]> {
    const { rows } = await database.prepared<InsertRecord>('updates_insert', insertText, [
      botId,
      JSON.stringify(toIncoming(updates)),
      laneMax,
      instanceId,
    ]);
    return rows;
  }

  const insert = createGroupCommit<NewUpdate, Stored>({
    keyOf: update => update.updateId,
    async run(updates) {
      const rows = await insertAll(updates);
      const stored = new Map(rows.map(row => [Number(row.update_id), row.reason_code]));
      return updates.map(({ updateId }) => ({
        isNew: stored.has(updateId),
        refusal: stored.get(updateId) ?? undefined,
      }));
    },
  });

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

  return {
    insert: update => insertBody(update.body, body => insert({ ...update, body })),
    async checkInsert() {
      // The same statement without rows: it needs all that they would need but room on the disk.
      await insertAll([]);
    },
    async pick(lane) {
      const picked = await pick({ item: lane, lease: lease() });
      if (picked === 'lease lost') throw leaseLost();
      return picked;
    },
    finish: ending => finish({ item: ending, lease: lease() }),
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

/**
 * Runs what came under one lease together. Nearly always that is all of it; what an instance began under a lease that
 * it has lost since goes under that one, and is refused.
 */
async function byLease<Item, Result>(
  calls: readonly Leased<Item>[],
  run: (items: readonly Item[], lease: Lease) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const results = new Map<Leased<Item>, Result>();
  for (const [, group] of Map.groupBy(calls, ({ lease: { name, epoch } }) => `${name} ${epoch}`)) {
    const [first] = group;
    if (!first) continue;
    const items = group.map(({ item }) => item);
    for (const [index, result] of (await run(items, first.lease)).entries()) {
      const call = group[index];
      if (call) results.set(call, result);
    }
  }
  // SAFETY: `run` promises one result per item.
  return calls.map(call => results.get(call) as Result);
}

/** What is undefined is left out of the JSON, and null in the row. */
function toIncoming(updates: readonly NewUpdate[]): readonly object[] {
  const places = new Map<number, number>();
  return updates.map(({ updateId, messageId, eventType, isLimited, ...same }) => {
    const place = (places.get(same.lane) ?? 0) + (same.refusal === undefined ? 1 : 0);
    places.set(same.lane, place);
    return {
      ...same,
      update_id: updateId,
      message_id: messageId,
      event_type: eventType,
      limited: isLimited,
      // From 1, among those of its lane that are to be worked.
      place_in_lane: place,
    };
  });
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
            language: row.language,
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
