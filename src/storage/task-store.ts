// Rows of tasks and the stored callbacks; what users are sent stands in delivery-store.ts. Every change of state
// names the state it leaves, so that of two workers only one makes it; each function says which change it is.
import { z } from 'zod';
import { type FormValues, formValuesSchema } from '../catalogue/values.ts';
import { errorType } from '../errors.ts';
import type { Callback } from '../kie/callback.ts';
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { Locale, ReasonCode } from '../otel/reasons.ts';
import type { Database, Queryable } from './database.ts';
import { dropFailure, insertFailure, insertResults } from './delivery-store.ts';
import { addCallbackJob, addTaskJob } from './job-queue.ts';

export type TaskState = 'created' | 'submitting' | 'waiting' | 'succeeded' | 'failed';

export interface TaskRow {
  readonly id: string;
  readonly chatId: number;
  readonly locale: Locale;
  readonly modelId: string;
  readonly modelKey: string;
  readonly modelVersion: string;
  readonly values: FormValues;
  /** What it was sold for; undefined where nothing was held. */
  readonly quote: TaskQuote | undefined;
  /** By parameter, once every input file lies at the supplier. */
  readonly fileUrls: Readonly<Record<string, readonly string[]>> | undefined;
  readonly state: TaskState;
  readonly reasonCode: ReasonCode | null;
  readonly vendorTaskId: string | null;
  readonly callbackToken: string;
  readonly traceparent: string;
  readonly messageId: number | null;
  readonly progress: number | null;
  /** Of what was held for it; null where nothing was. */
  readonly money: 'held' | 'charged' | 'released' | null;
  readonly submitAttempts: number;
  /** Looks in a row that have ended in an error of ours. */
  readonly failedLooks: number;
  /** How many of the planned looks after it was given up lie behind it. */
  readonly lateLooks: number;
  /** Names what of the row could not be read; that is empty here. Such a task can be ended, and nothing else. */
  readonly unreadable: string | undefined;
  /** Milliseconds since it was created, by the database's clock: those of processes differ. */
  ageMs(): number;
  /** The same since it was last submitted; undefined before that. */
  submittedMs(): number | undefined;
  /** The same since it ended; undefined before that. */
  endedMs(): number | undefined;
}

/** What the supplier has called to say; more of it is not kept. */
export interface PendingCallback {
  readonly id: number;
  readonly body: unknown;
  /** Since its receipt, by the database's clock. */
  readonly ageMs: number;
}

/** The part of a quote that a running task looks at; the whole is stored. */
const taskQuoteSchema = z.object({ kopecks: z.int(), credits: z.number() });
export type TaskQuote = Readonly<z.infer<typeof taskQuoteSchema>>;

/** At most `submissions` may begin within `windowMs`, counted over all instances. */
export interface SubmissionLimit {
  readonly submissions: number;
  readonly windowMs: number;
}

/** Of an order that nobody else submits meanwhile. */
export interface SubmissionClaim {
  /** By the database's clock; tells one claim of a task from the next. */
  readonly claimedAt: string;
}

export interface NewTask {
  readonly id: string;
  readonly chatId: number;
  readonly draft: string;
  readonly revision: number;
  readonly modelId: string;
  readonly modelKey: string;
  readonly modelVersion: string;
  readonly values: FormValues;
  readonly quote: object;
  readonly callbackToken: string;
  readonly traceparent: string;
  readonly messageId: number | undefined;
}

export interface TaskStore {
  /** Inserts the task with a job after `delayMs`; the same draft revision gives the task it had. */
  create(
    transaction: Queryable,
    task: NewTask,
    delayMs: number,
  ): Promise<{ readonly id: string; readonly created: boolean }>;
  find(id: string): Promise<TaskRow | undefined>;
  /** With the time of the database's clock, in seconds since 1970. */
  findByCallbackToken(
    token: string,
  ): Promise<{ readonly task: TaskRow; readonly nowSeconds: number } | undefined>;
  /** Remembers where the input files lie, so that another attempt need not store them again. */
  saveFileUrls(id: string, urls: Readonly<Record<string, readonly string[]>>): Promise<void>;
  /** created → submitting, committed before the billable call. `full`: the limit is reached; `taken`: somebody else was first. */
  claimSubmission(id: string, limit: SubmissionLimit): Promise<SubmissionClaim | 'full' | 'taken'>;
  /**
   * submitting → created, after a definite refusal that may be tried again, or where nothing was sent: whoever is in charge
   * now, nobody else can know it. It must be the same claim. `spent`: it counts as an attempt.
   */
  returnSubmission(id: string, claim: SubmissionClaim, spent: boolean): Promise<void>;
  /**
   * Saves the vendor's id, once; submitting → waiting, and created → waiting where an order was refused and made all the
   * same. `of another task`: nothing was saved, one order has it already.
   */
  saveVendorTaskId(id: string, vendorTaskId: string): Promise<'saved' | 'of another task'>;
  /** waiting or submitting → succeeded, or failed → succeeded for a late result; adds the deliveries, and ends a notice of failure that is still owed. */
  succeed(
    transaction: Queryable,
    id: string,
    result: { readonly urls: readonly string[]; readonly costCredits: number | undefined },
  ): Promise<'succeeded' | 'late' | 'unchanged'>;
  /** Any unfinished state → failed; adds the notice. False: it had ended before. */
  fail(transaction: Queryable, id: string, reason: ReasonCode): Promise<boolean>;
  /** Percent; for a task that still runs. */
  saveProgress(id: string, progress: number): Promise<void>;
  /** The message that said that the task runs is gone. */
  forgetMessage(id: string): Promise<void>;
  schedule(id: string, delayMs: number): Promise<void>;
  /** Counts a look that has ended in an error of ours; resolves with how many there were in a row. */
  countFailedLook(id: string): Promise<number>;
  clearFailedLooks(id: string): Promise<void>;
  /** The supplier has been asked at so many of the planned looks, or their times have passed. */
  saveLateLooks(id: string, looks: number): Promise<void>;
  /** Resolves when the callback is durable. Should the process die before `workCallbacks`, its next start does that. */
  storeCallback(taskId: string, callback: Callback): Promise<void>;
  /** Has the task looked at now because of its stored callbacks. */
  workCallbacks(taskId: string): Promise<void>;
  /** From the oldest to the newest. */
  pendingCallbacks(taskId: string): Promise<readonly PendingCallback[]>;
  finishCallbacks(ids: readonly number[]): Promise<void>;
}

const fileUrlsSchema = z.record(z.string(), z.array(z.string()));
/** SQLSTATE. */
const uniqueViolation = '23505';
/** Far below what the column holds. */
const mostFailedLooks = 1_000;
/** Of the lock under which submissions are counted. */
const submissionLockKey = 7_310_441;

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
  quote: unknown;
  file_urls: unknown;
  progress: number | null;
  money: 'held' | 'charged' | 'released' | null;
  vendor_task_id: string | null;
  callback_token: string;
  traceparent: string;
  message_id: string | null;
  submit_attempts: number;
  failed_looks: number;
  late_looks: number;
  age_ms: number;
  submitted_ms: number | null;
  ended_ms: number | null;
  now_seconds: number;
}

const ageOf = (column: string): string =>
  `(1000 * extract(epoch from clock_timestamp() - ${column}))::float8`;
const selectTask = `select tasks.*, users.language, holds.state as money,
    ${ageOf('tasks.created_at')} as age_ms, ${ageOf('tasks.submitted_at')} as submitted_ms,
    ${ageOf('tasks.finished_at')} as ended_ms,
    extract(epoch from clock_timestamp())::float8 as now_seconds
  from tasks join users using (chat_id) left join holds on holds.task_id = tasks.id`;
const unfinished = `('created', 'submitting', 'waiting')`;

/**
 * Under `lease`: what begins or decides something does nothing once another instance has taken it over. What only
 * records a fact that nobody else can know (the vendor's id, a message that was sent) is stored in any case.
 */
export function createTaskStore(database: Database, lease: CurrentLease): TaskStore {
  async function findWhere(condition: string, value: string): Promise<TaskRecord | undefined> {
    const { rows } = await database.query<TaskRecord>(`${selectTask} where tasks.${condition}`, [value]);
    return rows[0];
  }

  /** Locks the lease until the end of the transaction; throws AppError LEASE_LOST when it is another's. */
  async function holdLease(transaction: Queryable): Promise<void> {
    const { name, epoch } = lease();
    const { rows } = await transaction.query<{ held: boolean }>('select holds_lease($1, $2) as held', [
      name,
      epoch,
    ]);
    if (rows[0]?.held !== true) throw leaseLost();
  }

  const changed = async (queryable: Queryable, text: string, values: readonly unknown[]): Promise<boolean> =>
    ((await queryable.query(text, values)).rowCount ?? 0) > 0;

  return {
    async create(transaction, task, delayMs) {
      await holdLease(transaction);
      const created = await changed(
        transaction,
        `insert into tasks (id, chat_id, draft_id, draft_revision, model_id, model_key, model_version, inputs,
           state, callback_token, traceparent, message_id, quote)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'created', $9, $10, $11, $12)
         on conflict (draft_id, draft_revision) do nothing`,
        [
          task.id,
          task.chatId,
          task.draft,
          task.revision,
          task.modelId,
          task.modelKey,
          task.modelVersion,
          JSON.stringify(task.values),
          task.callbackToken,
          task.traceparent,
          task.messageId ?? null,
          JSON.stringify(task.quote),
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
    },
    async find(id) {
      const record = await findWhere('id = $1', id);
      return record && toTask(record);
    },
    async findByCallbackToken(token) {
      const record = await findWhere('callback_token = $1', token);
      return record && { task: toTask(record), nowSeconds: record.now_seconds };
    },
    async saveFileUrls(id, urls) {
      await database.query('update tasks set file_urls = $2 where id = $1', [id, JSON.stringify(urls)]);
    },
    claimSubmission: (id, { submissions, windowMs }) =>
      database.transaction(async transaction => {
        // One after the other, so that two instances do not both take the last place.
        await transaction.query('select pg_advisory_xact_lock($1)', [submissionLockKey]);
        const { rows } = await transaction.query<{ recent: string }>(
          `select count(*) as recent from tasks where submitted_at > clock_timestamp() - $1 * interval '1 millisecond'`,
          [windowMs],
        );
        if (Number(rows[0]?.recent ?? 0) >= submissions) return 'full';
        const claimed = await transaction.query<{ claimed_at: string }>(
          `update tasks set state = 'submitting', submitted_at = clock_timestamp(), submit_attempts = submit_attempts + 1
           where id = $1 and state = 'created' and holds_lease($2, $3) returning submitted_at::text as claimed_at`,
          [id, lease().name, lease().epoch],
        );
        const [claim] = claimed.rows;
        return claim ? { claimedAt: claim.claimed_at } : 'taken';
      }),
    async returnSubmission(id, { claimedAt }, spent) {
      await database.query(
        `update tasks set state = 'created', submit_attempts = submit_attempts - case when $3 then 0 else 1 end
         where id = $1 and state = 'submitting' and vendor_task_id is null and submitted_at = $2::timestamptz`,
        [id, claimedAt, spent],
      );
    },
    async saveVendorTaskId(id, vendorTaskId) {
      try {
        await database.query(
          `update tasks set vendor_task_id = $2,
             state = case when state in ('created', 'submitting') then 'waiting' else state end
           where id = $1 and vendor_task_id is null`,
          [id, vendorTaskId],
        );
        return 'saved';
      } catch (error) {
        if (errorType(error) === uniqueViolation) return 'of another task';
        throw error;
      }
    },
    async succeed(transaction, id, { urls, costCredits }) {
      await holdLease(transaction);
      const { rows } = await transaction.query<{ state: TaskState }>(
        'select state from tasks where id = $1 for update',
        [id],
      );
      const before = rows[0]?.state;
      if (before === undefined || before === 'succeeded') return 'unchanged';
      await transaction.query(
        `update tasks set state = 'succeeded', reason_code = null, result_urls = $2, cost_credits = $3, finished_at = now()
         where id = $1`,
        [id, JSON.stringify(urls), costCredits ?? null],
      );
      if (before === 'failed') await dropFailure(transaction, id);
      await insertResults(transaction, id, urls);
      return before === 'failed' ? 'late' : 'succeeded';
    },
    async fail(transaction, id, reason) {
      await holdLease(transaction);
      const failed = await changed(
        transaction,
        `update tasks set state = 'failed', reason_code = $2, finished_at = now() where id = $1 and state in ${unfinished}`,
        [id, reason],
      );
      if (!failed) return false;
      await insertFailure(transaction, id);
      return true;
    },
    async saveProgress(id, progress) {
      await database.query(`update tasks set progress = $2 where id = $1 and state in ${unfinished}`, [
        id,
        progress,
      ]);
    },
    async forgetMessage(id) {
      await database.query('update tasks set message_id = null where id = $1', [id]);
    },
    schedule: (id, delayMs) => addTaskJob(database, id, delayMs),
    async countFailedLook(id) {
      const { rows } = await database.query<{ failed_looks: number }>(
        `update tasks set failed_looks = least(failed_looks + 1, ${mostFailedLooks}) where id = $1 returning failed_looks`,
        [id],
      );
      return rows[0]?.failed_looks ?? 0;
    },
    async clearFailedLooks(id) {
      await database.query('update tasks set failed_looks = 0 where id = $1', [id]);
    },
    async saveLateLooks(id, looks) {
      await database.query('update tasks set late_looks = $2 where id = $1', [id, looks]);
    },
    async storeCallback(taskId, { vendorTaskId, isFinal }) {
      // In the form of a callback, so that every release reads it.
      const body = JSON.stringify({ taskId: vendorTaskId, ...(isFinal ? {} : { state: 'generating' }) });
      await database.query('insert into kie_callbacks (task_id, body) values ($1, $2)', [taskId, body]);
    },
    workCallbacks: taskId => addCallbackJob(database, taskId),
    async pendingCallbacks(taskId) {
      const { rows } = await database.query<{ id: string; body: unknown; age_ms: number }>(
        `select id, body, ${ageOf('received_at')} as age_ms from kie_callbacks
         where task_id = $1 and finished_at is null order by id`,
        [taskId],
      );
      return rows.map(row => ({ id: Number(row.id), body: row.body, ageMs: row.age_ms }));
    },
    async finishCallbacks(ids) {
      await database.query('update kie_callbacks set finished_at = now() where id = any($1::bigint[])', [
        ids,
      ]);
    },
  };
}

function toTask(row: TaskRecord): TaskRow {
  const readAt = performance.now();
  const sinceRead = (): number => performance.now() - readAt;
  const unreadable: string[] = [];
  function read<T>(column: 'inputs' | 'quote' | 'file_urls', schema: z.ZodType<T>): T | undefined {
    if (row[column] === null) return undefined;
    const parsed = schema.safeParse(row[column]);
    if (parsed.success) return parsed.data;
    unreadable.push(column);
    return undefined;
  }
  const values = read('inputs', formValuesSchema) ?? {};
  const quote = read('quote', taskQuoteSchema);
  const fileUrls = read('file_urls', fileUrlsSchema);
  return {
    id: row.id,
    chatId: Number(row.chat_id),
    locale: row.language,
    modelId: row.model_id,
    modelKey: row.model_key,
    modelVersion: row.model_version,
    values,
    quote,
    fileUrls,
    unreadable: unreadable.length === 0 ? undefined : unreadable.join(', '),
    progress: row.progress,
    money: row.money,
    state: row.state,
    reasonCode: row.reason_code,
    vendorTaskId: row.vendor_task_id,
    callbackToken: row.callback_token,
    traceparent: row.traceparent,
    messageId: row.message_id === null ? null : Number(row.message_id),
    submitAttempts: row.submit_attempts,
    failedLooks: row.failed_looks,
    lateLooks: row.late_looks,
    ageMs: () => row.age_ms + sinceRead(),
    submittedMs: () => (row.submitted_ms === null ? undefined : row.submitted_ms + sinceRead()),
    endedMs: () => (row.ended_ms === null ? undefined : row.ended_ms + sinceRead()),
  };
}
