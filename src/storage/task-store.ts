// Rows of tasks, their deliveries and the stored callbacks. Every change of state names the state it
// leaves, so that of two workers only one makes it; each function says which change it is.
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { CurrentLease } from '../lock/lease.ts';
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import type { Database, Queryable } from './database.ts';
import { addCallbackJob, addTaskJob } from './job-queue.ts';

export type TaskState = 'created' | 'submitting' | 'waiting' | 'succeeded' | 'failed';

export interface TaskRow {
  readonly id: string;
  readonly chatId: number;
  readonly locale: Locale;
  readonly modelId: string;
  readonly modelKey: string;
  readonly modelVersion: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly state: TaskState;
  readonly reasonCode: ReasonCode | null;
  readonly vendorTaskId: string | null;
  readonly callbackToken: string;
  readonly traceparent: string;
  readonly messageId: number | null;
  readonly submitAttempts: number;
  readonly createdAt: Date;
  readonly submittedAt: Date | null;
}

export interface NewTask {
  readonly id: string;
  readonly chatId: number;
  readonly draft: string;
  readonly revision: number;
  readonly modelId: string;
  readonly modelKey: string;
  readonly modelVersion: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly callbackToken: string;
  readonly traceparent: string;
  readonly messageId: number | undefined;
}

export interface DeliveryRow {
  readonly id: number;
  readonly kind: 'result' | 'failure';
  readonly position: number;
  /** Of a result; the number of results of the task decides which one bears the buttons. */
  readonly url: string | null;
  readonly last: boolean;
  readonly attempts: number;
}

export interface TaskStore {
  /** Inserts the task with a job after `delayMs`; the same draft revision gives the task it had. */
  create(task: NewTask, delayMs: number): Promise<{ readonly id: string; readonly created: boolean }>;
  find(id: string): Promise<TaskRow | undefined>;
  findByCallbackToken(token: string): Promise<TaskRow | undefined>;
  /** created → submitting, committed before the billable call. False: somebody else was first. */
  claimSubmission(id: string): Promise<boolean>;
  /** submitting → created, after a definite refusal that may be tried again. */
  returnSubmission(id: string): Promise<void>;
  /** Saves the vendor's id, once; submitting → waiting. */
  saveVendorTaskId(id: string, vendorTaskId: string): Promise<void>;
  /** waiting or submitting → succeeded, or failed → succeeded for a late result; adds the deliveries. */
  succeed(id: string, urls: readonly string[]): Promise<'succeeded' | 'late' | 'unchanged'>;
  /** Any unfinished state → failed; adds the notice. False: it had ended before. */
  fail(id: string, reason: ReasonCode): Promise<boolean>;
  schedule(id: string, delayMs: number): Promise<void>;
  /** Whether anything is still owed to the user, claimed or not. */
  hasOpenDeliveries(taskId: string): Promise<boolean>;
  /** Claims the next due delivery; a claim older than `claimMs` belongs to an instance that died. */
  claimDelivery(taskId: string, instanceId: string, claimMs: number): Promise<DeliveryRow | undefined>;
  releaseDelivery(id: number): Promise<void>;
  finishDelivery(id: number, sent: { messageId: number; fileId?: string }): Promise<void>;
  /** Ends a delivery that did not succeed; `tell` makes its reason the task's and adds the notice, once per task. */
  giveUpDelivery(id: number, reason: ReasonCode, tell: boolean): Promise<void>;
  /** Resolves when the callback is durable. Should the process die before `workCallbacks`, its next start does that. */
  storeCallback(taskId: string, body: string): Promise<void>;
  /** Has the task looked at now because of its stored callbacks. */
  workCallbacks(taskId: string): Promise<void>;
  pendingCallbacks(taskId: string): Promise<readonly { readonly id: number; readonly body: unknown }[]>;
  finishCallbacks(ids: readonly number[]): Promise<void>;
}

const inputsSchema = z.record(z.string(), z.string());

interface TaskRecord {
  id: string;
  chat_id: string;
  language: Locale;
  model_id: string;
  model_key: string;
  model_version: string;
  inputs: unknown;
  state: TaskState;
  reason_code: ReasonCode | null;
  vendor_task_id: string | null;
  callback_token: string;
  traceparent: string;
  message_id: string | null;
  submit_attempts: number;
  created_at: Date;
  submitted_at: Date | null;
}

const selectTask = 'select tasks.*, users.language from tasks join users using (chat_id)';
const unfinished = `('created', 'submitting', 'waiting')`;

/**
 * Under `lease`: what begins or decides something does nothing once another instance has taken it over. What only
 * records a fact that nobody else can know (the vendor's id, a message that was sent) is stored in any case.
 */
export function createTaskStore(database: Database, lease: CurrentLease): TaskStore {
  async function findWhere(condition: string, value: string): Promise<TaskRow | undefined> {
    const { rows } = await database.query<TaskRecord>(`${selectTask} where ${condition}`, [value]);
    return rows[0] && toTask(rows[0]);
  }

  /** Locks the lease until the end of the transaction; throws AppError LEASE_LOST when it is another's. */
  async function holdLease(transaction: Queryable): Promise<void> {
    const { name, epoch } = lease();
    const { rows } = await transaction.query<{ held: boolean }>('select holds_lease($1, $2) as held', [
      name,
      epoch,
    ]);
    if (rows[0]?.held !== true)
      throw new AppError({ code: 'LEASE_LOST', message: 'Another instance works now; it will do this anew' });
  }

  const changed = async (queryable: Queryable, text: string, values: readonly unknown[]): Promise<boolean> =>
    ((await queryable.query(text, values)).rowCount ?? 0) > 0;

  return {
    create: (task, delayMs) =>
      database.transaction(async transaction => {
        await holdLease(transaction);
        const created = await changed(
          transaction,
          `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs,
             state, callback_token, traceparent, message_id)
           values ($1, $2, $3, $4, $5, $6, $7, $8, 'created', $9, $10, $11)
           on conflict (draft_id, draft_revision) do nothing`,
          [
            task.id,
            task.chatId,
            task.draft,
            task.revision,
            task.modelId,
            task.modelKey,
            task.modelVersion,
            JSON.stringify(task.inputs),
            task.callbackToken,
            task.traceparent,
            task.messageId ?? null,
          ],
        );
        if (created) {
          await addTaskJob(transaction, task.id, delayMs);
          return { id: task.id, created };
        }
        const { rows } = await transaction.query<{ id: string }>(
          'select id from tasks where draft_id = $1 and draft_revision = $2',
          [task.draft, task.revision],
        );
        return { id: rows[0]?.id ?? task.id, created };
      }),
    find: id => findWhere('id = $1', id),
    findByCallbackToken: token => findWhere('callback_token = $1', token),
    claimSubmission: id =>
      changed(
        database,
        `update tasks set state = 'submitting', submitted_at = now(), submit_attempts = submit_attempts + 1
         where id = $1 and state = 'created' and holds_lease($2, $3)`,
        [id, lease().name, lease().epoch],
      ),
    async returnSubmission(id) {
      await database.query(
        `update tasks set state = 'created' where id = $1 and state = 'submitting' and vendor_task_id is null and holds_lease($2, $3)`,
        [id, lease().name, lease().epoch],
      );
    },
    async saveVendorTaskId(id, vendorTaskId) {
      await database.query(
        `update tasks set vendor_task_id = $2, state = case state when 'submitting' then 'waiting' else state end
         where id = $1 and vendor_task_id is null`,
        [id, vendorTaskId],
      );
    },
    succeed: (id, urls) =>
      database.transaction(async transaction => {
        await holdLease(transaction);
        const { rows } = await transaction.query<{ state: TaskState }>(
          'select state from tasks where id = $1 for update',
          [id],
        );
        const before = rows[0]?.state;
        if (before === undefined || before === 'succeeded') return 'unchanged';
        await transaction.query(
          `update tasks set state = 'succeeded', reason_code = null, result_urls = $2, finished_at = now() where id = $1`,
          [id, JSON.stringify(urls)],
        );
        await transaction.query(
          `insert into deliveries (task_id, kind, position, url)
           select $1, 'result', position, url from unnest($2::text[]) with ordinality as result (url, position)`,
          [id, urls],
        );
        return before === 'failed' ? 'late' : 'succeeded';
      }),
    fail: (id, reason) =>
      database.transaction(async transaction => {
        await holdLease(transaction);
        const failed = await changed(
          transaction,
          `update tasks set state = 'failed', reason_code = $2, finished_at = now() where id = $1 and state in ${unfinished}`,
          [id, reason],
        );
        if (!failed) return false;
        await transaction.query(
          `insert into deliveries (task_id, kind, position) values ($1, 'failure', 1)`,
          [id],
        );
        return true;
      }),
    schedule: (id, delayMs) => addTaskJob(database, id, delayMs),
    async claimDelivery(taskId, instanceId, claimMs) {
      const { rows } = await database.query<{
        id: string;
        kind: 'result' | 'failure';
        position: number;
        url: string | null;
        last: boolean;
        attempts: number;
      }>(
        `with due as (
           select id from deliveries
           where task_id = $1 and finished_at is null and (select holds_lease($4, $5))
             and (claimed_at is null or claimed_at < now() - $3 * interval '1 millisecond')
           order by id limit 1 for update skip locked
         )
         update deliveries set claimed_by = $2, claimed_at = now(), attempts = attempts + 1
         from due where deliveries.id = due.id
         returning deliveries.id, kind, position, url, attempts,
           position = (select max(position) from deliveries other where other.task_id = $1 and other.kind = deliveries.kind) as last`,
        [taskId, instanceId, claimMs, lease().name, lease().epoch],
      );
      const row = rows[0];
      return row && { ...row, id: Number(row.id) };
    },
    async hasOpenDeliveries(taskId) {
      const { rowCount } = await database.query(
        'select 1 from deliveries where task_id = $1 and finished_at is null limit 1',
        [taskId],
      );
      return (rowCount ?? 0) > 0;
    },
    async releaseDelivery(id) {
      await database.query('update deliveries set claimed_by = null, claimed_at = null where id = $1', [id]);
    },
    async finishDelivery(id, { messageId, fileId }) {
      await database.query(
        'update deliveries set finished_at = now(), message_id = $2, file_id = $3 where id = $1',
        [id, messageId, fileId ?? null],
      );
    },
    async giveUpDelivery(id, reason, tell) {
      await database.query(
        `with given_up as (
           update deliveries set finished_at = now(), reason_code = $2 where id = $1 returning task_id
         ), explained as (
           update tasks set reason_code = $2 from given_up where tasks.id = given_up.task_id and $3
         )
         insert into deliveries (task_id, kind, position)
         select task_id, 'failure', 1 from given_up where $3
         on conflict (task_id, kind, position) do nothing`,
        [id, reason, tell],
      );
    },
    async storeCallback(taskId, body) {
      await database.query('insert into kie_callbacks (task_id, body) values ($1, $2)', [taskId, body]);
    },
    workCallbacks: taskId => addCallbackJob(database, taskId),
    async pendingCallbacks(taskId) {
      const { rows } = await database.query<{ id: string; body: unknown }>(
        'select id, body from kie_callbacks where task_id = $1 and finished_at is null order by id',
        [taskId],
      );
      return rows.map(row => ({ id: Number(row.id), body: row.body }));
    },
    async finishCallbacks(ids) {
      await database.query('update kie_callbacks set finished_at = now() where id = any($1::bigint[])', [
        ids,
      ]);
    },
  };
}

function toTask(row: TaskRecord): TaskRow {
  return {
    id: row.id,
    chatId: Number(row.chat_id),
    locale: row.language,
    modelId: row.model_id,
    modelKey: row.model_key,
    modelVersion: row.model_version,
    inputs: inputsSchema.parse(row.inputs),
    state: row.state,
    reasonCode: row.reason_code,
    vendorTaskId: row.vendor_task_id,
    callbackToken: row.callback_token,
    traceparent: row.traceparent,
    messageId: row.message_id === null ? null : Number(row.message_id),
    submitAttempts: row.submit_attempts,
    createdAt: row.created_at,
    submittedAt: row.submitted_at,
  };
}
