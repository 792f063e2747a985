// The insert of updates: a batch becomes durable in one statement, together with a job for each lane that has to be
// worked, or with its outcome where it is refused.
import type { EventType } from '../otel/fields.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Database } from './database.ts';
import { createGroupCommit } from './group-commit.ts';
import { addLaneJobs } from './job-queue.ts';
import { insertBody } from './update-body.ts';

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

export interface UpdateInsert {
  /** Stores an update durably, with a job for its lane, or with its outcome where it is refused. */
  insert(update: NewUpdate): Promise<Stored>;
  /** Rejects when none could be stored now; stores none. */
  checkInsert(): Promise<void>;
}

export interface UpdateInsertOptions {
  readonly database: Database;
  readonly botId: number;
  readonly instanceId: string;
  /** How many updates of a lane may be without an outcome before those that are limited are refused. */
  readonly laneMax: number;
}

interface InsertRecord {
  update_id: string;
  reason_code: ReasonCode | null;
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

export function createUpdateInsert(options: UpdateInsertOptions): UpdateInsert {
  const { database, botId, instanceId, laneMax } = options;

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

  return {
    insert: update => insertBody(update.body, body => insert({ ...update, body })),
    async checkInsert() {
      // The same statement without rows: it needs all that they would need but room on the disk.
      await insertAll([]);
    },
  };
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
