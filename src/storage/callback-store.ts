// Callbacks of KIE.ai that were stored before they were answered, until what they led to is done.
import type { Callback } from '../kie/callback.ts';
import type { Database } from './database.ts';
import { millisecondsSince } from './database-clock.ts';
import { addCallbackJob } from './job-queue.ts';

/** The part of a callback that is kept. */
export interface PendingCallback {
  readonly id: number;
  readonly body: unknown;
  /** Milliseconds since its receipt, by the database's clock. */
  readonly ageMs: number;
}

export interface CallbackStore {
  /** Resolves when the callback is durable. Should the process die before `wake`, the next start has the task looked at. */
  save(taskId: string, callback: Callback): Promise<void>;
  /** Has the task looked at now because of its stored callbacks. */
  wake(taskId: string): Promise<void>;
  /** From the oldest to the newest. */
  pending(taskId: string): Promise<readonly PendingCallback[]>;
  /** What these callbacks led to is done. */
  finish(ids: readonly number[]): Promise<void>;
}

export function createCallbackStore(database: Database): CallbackStore {
  return {
    async save(taskId, { vendorTaskId, isFinal }) {
      // In the form of a callback, so that every release reads it.
      const body = JSON.stringify({ taskId: vendorTaskId, ...(isFinal ? {} : { state: 'generating' }) });
      await database.query('insert into kie_callbacks (task_id, body) values ($1, $2)', [taskId, body]);
    },
    wake: taskId => addCallbackJob(database, taskId),
    async pending(taskId) {
      const { rows } = await database.query<{ id: string; body: unknown; age_ms: number }>(
        `select id, body, ${millisecondsSince('received_at')} as age_ms from kie_callbacks
         where task_id = $1 and finished_at is null order by id`,
        [taskId],
      );
      return rows.map(row => ({ id: Number(row.id), body: row.body, ageMs: row.age_ms }));
    },
    async finish(ids) {
      await database.query('update kie_callbacks set finished_at = now() where id = any($1::bigint[])', [
        ids,
      ]);
    },
  };
}
