// What makes deliveries due: the end of a task, a tap that asks for its files once more, and a message that does not show
// the end of its task. How they are worked is in delivery-store.ts, which also says what the kinds are.
import type { CurrentLease } from '../lock/lease.ts';
import type { Database, Queryable } from './database.ts';
import { addTaskJob } from './job-queue.ts';

/** `nothing`: the task has no result. `running`: what was asked for is already on its way. */
export type Reopening = 'due' | 'running' | 'nothing';

export interface DeliveryRequests {
  /** Has the end of a task shown once more, where its message was changed to "it runs" after the task had ended. */
  showEndAgain(taskId: string): Promise<void>;
  /** Sends the files that were given up once more or, when all had been sent, all of them. */
  redeliver(taskId: string, traceparent: string): Promise<Reopening>;
  /** Sends all files as documents, as often as it is asked for. */
  requestOriginal(taskId: string, traceparent: string): Promise<Reopening>;
}

/** Makes the files due, in the transaction that ends the task; a closing text follows several files. */
export async function insertResults(
  transaction: Queryable,
  taskId: string,
  urls: readonly string[],
): Promise<void> {
  await transaction.query(
    `insert into deliveries (task_id, kind, position, url)
     select $1, 'result', position, url from unnest($2::text[]) with ordinality as result (url, position)
     union all select $1, 'closing', 1, null where cardinality($2::text[]) > 1`,
    [taskId, urls],
  );
}

/** Makes the notice of the failure due, in the transaction that ends the task. */
export async function insertFailure(transaction: Queryable, taskId: string): Promise<void> {
  await transaction.query(`insert into deliveries (task_id, kind, position) values ($1, 'failure', 1)`, [
    taskId,
  ]);
}

/** Ends that notice, in the transaction that records a late result. A notice that is being sent may still arrive. */
export async function dropFailure(transaction: Queryable, taskId: string): Promise<void> {
  await transaction.query(
    `update deliveries set finished_at = now() where task_id = $1 and kind = 'failure' and finished_at is null`,
    [taskId],
  );
}

/** Makes an ended row due as if it had never been sent; what the messenger called the file is kept. */
export const reopened = `finished_at = null, claimed_by = null, claimed_at = null, attempts = 0, message_id = null,
  reason_code = null, due_at = now()`;

/** Under `lease`: an instance that was succeeded reopens nothing. */
export function createDeliveryRequests(database: Database, lease: CurrentLease): DeliveryRequests {
  /** Reopens in one transaction with the job that sends; `statement` answers with the rows it has changed. */
  function reopen(taskId: string, statement: string, traceparent: string): Promise<Reopening> {
    return database.transaction(async transaction => {
      const { rowCount } = await transaction.query(statement, [
        taskId,
        traceparent,
        lease().name,
        lease().epoch,
      ]);
      if (rowCount) {
        await transaction.query(
          `update tasks set reason_code = null where id = $1 and state = 'succeeded' and not exists (
             select 1 from deliveries where task_id = $1 and kind = 'result' and reason_code is not null)`,
          [taskId],
        );
        await addTaskJob(transaction, taskId, 0);
        return 'due';
      }
      const { rowCount: files } = await transaction.query(
        `select 1 from deliveries where task_id = $1 and kind = 'result' limit 1`,
        [taskId],
      );
      return files ? 'running' : 'nothing';
    });
  }

  return {
    showEndAgain: taskId =>
      database.transaction(async transaction => {
        await transaction.query(
          `update messages set screen_id = 'PROCESSING',
             screen_data = jsonb_build_object('task', tasks.id, 'model', tasks.model_key)
           from tasks where tasks.id = $1 and tasks.state = 'succeeded' and screen_data->>'task' = tasks.id
             and messages.chat_id = tasks.chat_id and messages.message_id = tasks.message_id`,
          [taskId],
        );
        await transaction.query(
          `update deliveries set ${reopened} from tasks
           where tasks.id = $1 and tasks.state = 'failed' and task_id = tasks.id and kind = 'failure'
             and deliveries.finished_at is not null and deliveries.message_id = tasks.message_id`,
          [taskId],
        );
        await addTaskJob(transaction, taskId, 0);
      }),
    redeliver: (taskId, traceparent) =>
      reopen(
        taskId,
        `update deliveries set ${reopened}, traceparent = $2
         where task_id = $1 and finished_at is not null and holds_lease($3, $4) and (
           kind = 'result' and (reason_code is not null or not exists (
             select 1 from deliveries as files where files.task_id = $1 and files.kind = 'result'
               and (files.reason_code is not null or files.finished_at is null)))
           or kind = 'closing' and not exists (
             select 1 from deliveries as files where files.task_id = $1 and files.kind = 'result'
               and files.finished_at is null))`,
        traceparent,
      ),
    requestOriginal: (taskId, traceparent) =>
      reopen(
        taskId,
        `insert into deliveries (task_id, kind, position, url, traceparent)
         select task_id, 'original', position, url, $2 from deliveries
         where task_id = $1 and kind = 'result' and holds_lease($3, $4)
         on conflict (task_id, kind, position) do update set ${reopened}, traceparent = excluded.traceparent
         where deliveries.finished_at is not null`,
        traceparent,
      ),
  };
}
