// Rows of the inbox and of what users see. Three statements carry the life of an update: `insert` (a whole
// batch, with the jobs that will work it), `pick` (the oldest unfinished update of a lane, with everything
// needed to judge it) and `finish` (its outcome together with the screen and form state it led to). Screens
// and forms are opaque here; the bot knows their shapes.
import { z } from 'zod';
import type { EventType } from '../otel/fields.ts';
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { addLaneJobs } from './job-queue.ts';

export interface NewUpdate {
  readonly updateId: number;
  readonly lane: number;
  readonly messageId: number | undefined;
  readonly eventType: EventType;
  /** The JSON text as it arrived. */
  readonly body: string;
  readonly traceparent: string;
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
  readonly user: { readonly language: Locale; readonly blocked: boolean } | undefined;
  readonly session: { readonly messageId: number | undefined; readonly form: unknown } | undefined;
  /** Of the message that bears the tapped button, if we have a record of it. */
  readonly message: MessageState | undefined;
}

export type UpdateOutcome = 'accepted' | 'rejected' | 'noop' | 'failed' | 'dead_letter';

/** What an update leaves behind in one chat; absent parts stay as they are. */
export interface Effects {
  readonly chatId: number;
  /** Must be given for a user not known yet, before anything else can be stored about the chat. */
  readonly user?: { readonly language: Locale; readonly blocked: boolean };
  /** `form: null` closes the form. */
  readonly session?: { readonly messageId: number | undefined; readonly form: object | null };
  /** The screen that a message shows now. */
  readonly message?: { readonly messageId: number; readonly screen: string; readonly record: object };
  /** The message whose button was accepted, and that button's data. */
  readonly tapped?: { readonly messageId: number; readonly data: string };
}

export interface UpdateStore {
  /** Stores a batch durably, with jobs. Resolves to the update ids that were new; the others were known. */
  insert(updates: readonly NewUpdate[]): Promise<ReadonlySet<number>>;
  /** The traceparent under which a known update is being worked. */
  traceparentOf(updateId: number): Promise<string | undefined>;
  /** Takes the oldest unfinished update of a lane unless another instance has it; counts the attempt. */
  pick(lane: number, instanceId: string): Promise<PickedUpdate | undefined>;
  /** Sets the outcome and its effects in one statement. False when the update had ended before. */
  finish(
    id: number,
    outcome: UpdateOutcome,
    reason: ReasonCode,
    effects: Effects | undefined,
  ): Promise<boolean>;
  /** Updates without an outcome. */
  depth(): Promise<number>;
}

interface PickRecord {
  id: string;
  update_id: string;
  lane: string;
  event_type: EventType;
  body: unknown;
  traceparent: string;
  received_at: Date;
  attempts: number;
  language: Locale | null;
  blocked: boolean | null;
  session_message_id: string | null;
  form: unknown;
  has_session: boolean;
  shown_message_id: string | null;
  screen_id: string | null;
  screen_data: unknown;
  media: boolean | null;
  last_action: string | null;
  last_action_at: Date | null;
  rendered_at: Date | null;
}

const insertText = `
  with stored as (
    insert into updates (bot_id, update_id, lane, message_id, event_type, body, traceparent)
    select $1, update_id, lane, message_id, event_type, body::json, traceparent
    from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
      with ordinality as incoming (update_id, lane, message_id, event_type, body, traceparent, position)
    order by position
    on conflict (bot_id, update_id) do nothing
    returning update_id, lane
  ), jobs as (${addLaneJobs})
  select update_id, (select count(*) from jobs) from stored`;

const pickText = `
  with head as (
    select id from updates where lane = $1 and outcome is null order by id limit 1 for update
  ), picked as (
    update updates set attempts = attempts + 1, picked_by = $2, picked_at = now()
    from head where updates.id = head.id and (picked_by is null or picked_by = $2)
    returning updates.*
  )
  select picked.id, picked.update_id, picked.lane, picked.event_type, picked.body, picked.traceparent,
    picked.received_at, picked.attempts,
    users.language, users.blocked_at is not null as blocked,
    sessions.chat_id is not null as has_session, sessions.message_id as session_message_id, sessions.form,
    messages.message_id as shown_message_id, messages.screen_id, messages.screen_data, messages.media,
    messages.last_action, messages.last_action_at, messages.rendered_at
  from picked
  left join users on users.chat_id = picked.lane
  left join sessions on sessions.chat_id = picked.lane
  left join messages on messages.chat_id = picked.lane and messages.message_id = picked.message_id`;

// Parameters: 1 id, 2 outcome, 3 reason, 4 chat, 5 language, 6 blocked, 7 has session, 8 session message,
// 9 form, 10 shown message, 11 screen, 12 screen data, 13 tapped message, 14 data of the tapped button.
const finishText = `
  with finished as (
    update updates set outcome = $2, reason_code = $3, finished_at = now()
    where id = $1 and outcome is null
    returning id
  ), stored_user as (
    insert into users (chat_id, language, blocked_at)
    select $4, $5, case when $6 then now() end from finished where $5::text is not null
    on conflict (chat_id) do update set language = excluded.language, blocked_at = excluded.blocked_at
  ), stored_session as (
    insert into sessions (chat_id, message_id, form)
    select $4, $8, $9 from finished where $7::boolean
    on conflict (chat_id) do update
    set message_id = coalesce(excluded.message_id, sessions.message_id), form = excluded.form, updated_at = now()
  ), tapped as (
    update messages set last_action = $14, last_action_at = now()
    from finished
    where chat_id = $4 and message_id = $13 and $13 is distinct from $10::bigint
  ), stored_message as (
    insert into messages (chat_id, message_id, screen_id, screen_data, last_action, last_action_at)
    select $4, $10, $11, $12, case when $13 = $10 then $14 end, now() from finished where $10::bigint is not null
    on conflict (chat_id, message_id) do update
    set screen_id = excluded.screen_id, screen_data = excluded.screen_data, last_action = excluded.last_action,
      last_action_at = now(), rendered_at = now()
  )
  select id from finished`;

export function createUpdateStore(database: Database, botId: number): UpdateStore {
  return {
    async insert(updates) {
      const { rows } = await database.prepared<{ update_id: string }>('updates_insert', insertText, [
        botId,
        updates.map(update => update.updateId),
        updates.map(update => update.lane),
        updates.map(update => update.messageId ?? null),
        updates.map(update => update.eventType),
        updates.map(update => update.body),
        updates.map(update => update.traceparent),
      ]);
      return new Set(rows.map(row => Number(row.update_id)));
    },
    async traceparentOf(updateId) {
      const { rows } = await database.query<{ traceparent: string }>(
        'select traceparent from updates where bot_id = $1 and update_id = $2',
        [botId, updateId],
      );
      return rows[0]?.traceparent;
    },
    async pick(lane, instanceId) {
      const { rows } = await database.prepared<PickRecord>('updates_pick', pickText, [lane, instanceId]);
      return rows[0] && toPicked(rows[0]);
    },
    async finish(id, outcome, reason, effects) {
      const { user, session, message, tapped } = effects ?? {};
      const { rowCount } = await database.prepared('updates_finish', finishText, [
        id,
        outcome,
        reason,
        effects?.chatId ?? null,
        user?.language ?? null,
        user?.blocked ?? false,
        session !== undefined,
        session?.messageId ?? null,
        session?.form ? JSON.stringify(session.form) : null,
        message?.messageId ?? null,
        message?.screen ?? null,
        message ? JSON.stringify(message.record) : null,
        tapped?.messageId ?? null,
        tapped?.data ?? null,
      ]);
      return (rowCount ?? 0) > 0;
    },
    async depth() {
      const { rows } = await database.query<{ depth: string }>(
        'select count(*) as depth from updates where outcome is null',
      );
      return Number(rows[0]?.depth ?? 0);
    },
  };
}

function toPicked(row: PickRecord): PickedUpdate {
  return {
    id: Number(row.id),
    updateId: Number(row.update_id),
    lane: Number(row.lane),
    eventType: row.event_type,
    body: row.body,
    traceparent: row.traceparent,
    receivedAt: row.received_at,
    attempt: row.attempts,
    user: row.language === null ? undefined : { language: row.language, blocked: row.blocked === true },
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
        : { data: row.last_action, at: row.last_action_at },
    renderedAt: row.rendered_at,
  };
}

/** What arrives is only trusted to be JSON with an integer update_id. */
export const updateIdSchema = z.object({ update_id: z.int() });
