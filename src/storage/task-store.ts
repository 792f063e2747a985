// Tasks and their states. Every change of state names the state it leaves, so that of two workers only one makes it, and
// each function says which change it makes. What a row holds is in task-row.ts, stored callbacks are in
// callback-store.ts, and what users are still owed is in delivery-store.ts.
import type { FormValues } from '../catalogue/values.ts';
import { errorType } from '../errors.ts';
import { type CurrentLease, leaseLost } from '../lock/lease.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Database, Queryable } from './database.ts';
import { dropFailure, insertFailure, insertResults } from './delivery-requests.ts';
import { addTaskJob } from './job-queue.ts';
import { selectTask, type TaskRecord, type TaskRow, type TaskState, toTask } from './task-row.ts';

/** At most `submissions` may begin within `windowMs`, counted over all instances. */
export interface SubmissionLimit {
  readonly submissions: number;
  readonly windowMs: number;
}

/** The right to submit an order, which nobody else has meanwhile. */
export interface SubmissionClaim {
  /** By the database's clock. Each claim of a task has another time. */
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
}

/** SQLSTATE. */
const uniqueViolation = '23505';
/** Far below what the column holds. */
const mostFailedLooks = 1_000;
/** Of the lock under which submissions are counted. */
const submissionLockKey = 7_310_441;

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
  };
}
