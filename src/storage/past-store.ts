// What the database still knows of an update that has ended: the update as it came, and what its user had at that
// moment. Only reads. What it hands out holds raw ids and what a user wrote: it is for a replay in memory, never for
// printing.
import { type FormValues, formValuesSchema } from '../catalogue/values.ts';
import type { Queryable } from './database.ts';
import type { TaskState } from './task-row.ts';
import { bodyOf } from './update-body.ts';

export interface PastUpdate {
  readonly lane: number;
  /** As Telegram sent it; of somebody who was erased since only the update_id. */
  readonly body: unknown;
  readonly receivedAt: Date;
}

/** Kopecks. */
export interface PastWallet {
  readonly available: number;
  readonly held: number;
  /** Had the welcome credit. */
  readonly welcomed: boolean;
}

/** Moves that the update itself led to: clocks of machines differ, so time alone does not identify them. */
export interface OwnMoves {
  readonly taskIds: readonly string[];
  readonly welcome: boolean;
}

export interface PastTask {
  readonly id: string;
  readonly modelId: string;
  readonly modelKey: string;
  readonly modelVersion: string;
  readonly values: FormValues;
  readonly state: TaskState;
  readonly reasonCode: string | null;
  /** How many its result has. */
  readonly files: number;
}

export interface PastStore {
  /** The stored update of a trace; undefined when there is none any more. */
  update(traceId: string, updateId: number): Promise<PastUpdate | undefined>;
  /** What the chat had at `at`, from the ledger, which nobody changes afterwards. */
  wallet(chatId: number, at: Date, butFor: OwnMoves): Promise<PastWallet>;
  /** An order of the chat that had ended before `at`, as it had ended. */
  endedTask(id: string, chatId: number, at: Date): Promise<PastTask | undefined>;
  /** The models that administrators have set otherwise since. */
  settingsChangedSince(at: Date): Promise<string[]>;
}

interface TaskRecord {
  readonly id: string;
  readonly model_id: string;
  readonly model_key: string;
  readonly model_version: string;
  readonly inputs: unknown;
  readonly state: TaskState;
  readonly reason_code: string | null;
  readonly files: number;
}

/**
 * The bots of the database, each found by one step in the index of updates. With them an update is found by its number in
 * the same index; without, a week of updates would be read.
 */
const botsText = `
  with recursive bots as (
    select min(bot_id) as bot_id from updates
    union all
    select (select min(bot_id) from updates where bot_id > bots.bot_id) from bots where bot_id is not null
  )`;

export function createPastStore(queryable: Queryable): PastStore {
  return {
    async update(traceId, updateId) {
      const { rows } = await queryable.query<{ lane: string; body: unknown; received_at: Date }>(
        `${botsText}
         select lane, body, received_at from bots join updates using (bot_id)
         where update_id = $2 and split_part(traceparent, '-', 2) = $1 limit 1`,
        [traceId, updateId],
      );
      const [row] = rows;
      return row && { lane: Number(row.lane), body: bodyOf(row.body), receivedAt: row.received_at };
    },
    async wallet(chatId, at, { taskIds, welcome }) {
      const { rows } = await queryable.query<{ available: string; held: string; welcomed: boolean }>(
        `select coalesce(sum(available_delta), 0) as available, coalesce(sum(held_delta), 0) as held,
           count(*) filter (where kind = 'welcome') > 0 as welcomed
         from ledger
         where chat_id = $1 and created_at < $2 and coalesce(task_id <> all($3), true) and not ($4 and kind = 'welcome')`,
        [chatId, at, taskIds, welcome],
      );
      const [row] = rows;
      return {
        available: Number(row?.available ?? 0),
        held: Number(row?.held ?? 0),
        welcomed: row?.welcomed === true,
      };
    },
    async endedTask(id, chatId, at) {
      const { rows } = await queryable.query<TaskRecord>(
        `select id, model_id, model_key, model_version, inputs, state, reason_code,
           (select count(*)::int from deliveries where task_id = tasks.id and kind = 'result') as files
         from tasks where id = $1 and chat_id = $2 and finished_at < $3`,
        [id, chatId, at],
      );
      const [row] = rows;
      return (
        row && {
          id: row.id,
          modelId: row.model_id,
          modelKey: row.model_key,
          modelVersion: row.model_version,
          values: formValuesSchema.parse(row.inputs),
          state: row.state,
          reasonCode: row.reason_code,
          files: row.files,
        }
      );
    },
    async settingsChangedSince(at) {
      const { rows } = await queryable.query<{ model_id: string }>(
        'select model_id from model_settings where updated_at > $1 order by model_id',
        [at],
      );
      return rows.map(row => row.model_id);
    },
  };
}
