// Adds jobs to graphile-worker inside the caller's transaction, so that work and the state it follows
// from are committed together. The key of a task's job makes adding idempotent: one waiting job per key; a job
// that is running already is followed by a second run, because it may not have seen what led to this call.
import { makeWorkerUtils } from 'graphile-worker';
import { type Lease, leaseLost } from '../lock/lease.ts';
import type { Database, Queryable } from './database.ts';
import { isWorkedElsewhere } from './worked-elsewhere.ts';

export interface JobPayloads {
  /** Works off the pending updates of one lane, oldest first. */
  lane: { readonly lane: number };
  /** Does what updates of one lane have left to be done, as far as it is due. */
  follow_up: { readonly lane: number };
  /** Brings one task as far as it can go now. */
  task: { readonly task: string };
}

export type JobName = keyof JobPayloads;

/** Retries of graphile-worker itself; they only happen when a job could not even record its failure. */
const maxAttempts = 25;
/** A job that is locked for longer has lost its worker: all that it does has limits, which are shorter together. */
const longestLockMinutes = 15;

/**
 * The next look at a task. One that is planned sooner stays: two instances may look at a task at the same time, and what
 * the slower one has seen must not put off what the other one has planned.
 */
export async function addTaskJob(queryable: Queryable, task: string, delayMs: number): Promise<void> {
  await queryable.query(
    `select graphile_worker.add_job('task', json_build_object('task', $1::text),
       run_at => least(now() + $2 * interval '1 millisecond', (
         select run_at from graphile_worker.jobs
         where key = 'task:' || $1 and locked_at is null and attempts < max_attempts)),
       max_attempts => ${maxAttempts}, job_key => 'task:' || $1)`,
    [task, delayMs],
  );
}

/** A look at once, under a key of its own: a look that is planned at this moment must not put it off. */
export async function addCallbackJob(queryable: Queryable, task: string): Promise<void> {
  await queryable.query(
    `select graphile_worker.add_job('task', json_build_object('task', $1::text),
       max_attempts => ${maxAttempts}, job_key => 'callback:' || $1)`,
    [task],
  );
}

/** A look at what the lane has left to be done, when that is due. */
export async function addFollowUpJob(queryable: Queryable, lane: number, delayMs: number): Promise<void> {
  await queryable.query(
    `select graphile_worker.add_job('follow_up', json_build_object('lane', $1::bigint),
       run_at => now() + $2 * interval '1 millisecond', max_attempts => ${maxAttempts})`,
    [lane, delayMs],
  );
}

/** SQL: a job for each of `lanes` (lane, run_at). Without a key, see below. */
const addJobsOf = (job: 'lane' | 'follow_up', lanes: string): string => `
  select graphile_worker.add_jobs(array_agg(row(
    '${job}', json_build_object('lane', lane), null, run_at, ${maxAttempts}, null, 0, null
  )::graphile_worker.job_spec order by lane, run_at))
  from (${lanes}) as lanes (lane, run_at)
  having count(*) > 0`;

/**
 * SQL for the group commit of the inbox: one job per lane of the rows in `stored`. Without a key: a keyed job
 * that a worker takes while this statement runs would swallow the new one, and look before the rows are there.
 */
export const addLaneJobs = addJobsOf('lane', 'select distinct lane, now() from stored');

/** SQL for the statement that ends updates: a job for each lane of the rows in `followed` and time at which one is due. */
export const addFollowUpJobs = addJobsOf('follow_up', 'select distinct lane, due_at from followed');

/**
 * Gives every lane and task with unfinished work a job that may run now. For the start of a working
 * instance: what a dead instance had locked needs no unlocking, whatever state it was left in.
 */
async function recoverJobs(queryable: Queryable): Promise<void> {
  await queryable.query(
    `with stored as (select distinct lane from updates where outcome is null) ${addLaneJobs}`,
  );
  await queryable.query(`with followed as (select lane, due_at from follow_ups) ${addFollowUpJobs}`);
  await queryable.query(addTaskJobs('true'));
}

/** Fifty tasks a second: a take-over looks at all that are open, and suppliers are not to feel it. */
const pauseBetweenTasksMs = 20;

/** SQL that gives a job to every unfinished task, a row of `open`, that fits, one after the other. */
function addTaskJobs(condition: string): string {
  return `
    select graphile_worker.add_jobs(array_agg(row(
      'task', json_build_object('task', id), null, now() + place * interval '${pauseBetweenTasksMs} milliseconds',
      ${maxAttempts}, 'task:' || id, 0, null
    )::graphile_worker.job_spec order by place))
    from (
      select id, row_number() over (order by id) - 1 as place from (
        select id from tasks where state in ('created', 'submitting', 'waiting')
        union select task_id from deliveries where finished_at is null
        union select task_id from kie_callbacks where finished_at is null
      ) as open
      where ${condition}
    ) as chosen
    having count(*) > 0`;
}

/** What one instance may take for left behind by whoever had it. */
export interface Stranding {
  readonly instanceId: string;
  /** Lanes that are worked here now. */
  readonly workedHere: readonly number[];
  /** Tasks that are looked at here now, whatever has become of the job that this look began with. */
  readonly tasksWorkedHere: readonly string[];
  /** For so long an update may wait for a pick, and a pick of this instance for its end, while slots are free. */
  readonly patienceMs: number;
  /** What another instance has picked before so long has been left behind. */
  readonly pickLimitMs: number;
}

/** SQL: nobody works this row of a lane, one of `rows`, which could be worked `since` then. Its values are those of `reviveStranded`. */
const isLeftBehind = (rows: string, since: string): string => `case
  when ${rows}.lane = any(string_to_array($2, ',')::bigint[]) then false
  when picked_by is null then ${since} < now() - $3 * interval '1 millisecond'
  when picked_by = $1 then picked_at < now() - $3 * interval '1 millisecond'
  else true
end and not ${isWorkedElsewhere(`${rows}.lane`, '$1', '$4')}`;

/**
 * Gives a job to every lane whose oldest update, or what that has left to be done, nobody works, and to every unfinished
 * task that has none and is not looked at here: whatever has become of the job they had. Their picks end with it, because
 * any member of a cluster may take the job. Returns how many there were.
 */
export async function reviveStranded(queryable: Queryable, stranding: Stranding): Promise<number> {
  const { instanceId, workedHere, patienceMs, pickLimitMs } = stranding;
  const values = [instanceId, workedHere.join(','), patienceMs, pickLimitMs];
  const lanes = await queryable.query(
    `with heads as (
       select distinct on (lane) id, lane, picked_by, picked_at, received_at from updates
       where outcome is null order by lane, id
     ), stored as (
       select lane from heads where ${isLeftBehind('heads', 'received_at')}
     ), freed as (
       update updates set picked_by = null
       where (lane, id) in (select lane, id from heads) and outcome is null and picked_by is not null
         and ${isLeftBehind('updates', 'received_at')}
     ) ${addLaneJobs}`,
    values,
  );
  const followUps = await queryable.query(
    `with followed as (
       select lane, due_at from follow_ups where ${isLeftBehind('follow_ups', 'due_at')}
     ), freed as (
       update follow_ups set picked_by = null
       where picked_by is not null and ${isLeftBehind('follow_ups', 'due_at')}
     ) ${addFollowUpJobs}`,
    values,
  );
  const tasks = await queryable.query(
    addTaskJobs(
      // One that has used up its attempts is never run again, and one whose worker is gone not for hours.
      `not exists (
         select 1 from graphile_worker._private_jobs
         where key in ('task:' || open.id, 'callback:' || open.id) and attempts < max_attempts
           and (locked_at is null or locked_at > now() - interval '${longestLockMinutes} minutes')
       ) and open.id <> all($1::text[])`,
    ),
    [stranding.tasksWorkedHere],
  );
  return [lanes, followUps, tasks].reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0);
}

/** What the names begin with by which the runners of one tenure lock jobs: anybody can see whether it is over. */
export function jobOwner({ name, epoch }: Lease): string {
  return `${name}@${epoch}/`;
}

/**
 * Frees what was locked under leases that are over, whatever became of those who had them; the queue itself would wait
 * four hours for them. A job that still runs there and here is fenced there.
 */
export async function unlockJobsOfTheGone(queryable: Queryable): Promise<void> {
  await queryable.query(
    `update graphile_worker._private_jobs set locked_by = null, locked_at = null
     where id in (
       select id from graphile_worker._private_jobs
       where case
         when locked_by like '%@%/%' then not exists (
           select 1 from leases where starts_with(locked_by, leases.name || '@' || leases.epoch || '/'))
         -- By an earlier release, whose names do not show the lease.
         else locked_at < now() - interval '${longestLockMinutes} minutes'
       end
       for update skip locked
     )`,
  );
}

/** Frees what runners that are gone had locked; the queue itself would wait four hours for them. */
export async function unlockJobsOf(queryable: Queryable, runners: readonly string[]): Promise<void> {
  if (runners.length > 0)
    await queryable.query('select graphile_worker.force_unlock_workers($1::text[])', [runners]);
}

/**
 * A job for one runner of one instance, which is nothing but taken: that it comes back shows that the runner works.
 * One that waits already is replaced; it goes before all others.
 */
export async function addPulse(queryable: Queryable, pulse: string): Promise<void> {
  await queryable.query(
    `select graphile_worker.add_job($1, '{}'::json, job_key => $1, max_attempts => 1, priority => -1)`,
    [pulse],
  );
}

/** The name of the pulses of one runner. */
export function pulseOf(instanceId: string, runner: string): string {
  return `pulse:${instanceId}:${runner}`;
}

/** Deletes the pulses of instances that have no connection any more. */
export async function forgetPulses(queryable: Queryable): Promise<void> {
  const ofTheGone = `identifier like 'pulse:%' and not exists (
    select 1 from pg_stat_activity
    where datname = current_database() and application_name = split_part(identifier, ':', 2))`;
  await queryable.query(
    `delete from graphile_worker._private_jobs as jobs using graphile_worker._private_tasks as tasks
     where tasks.id = jobs.task_id and ${ofTheGone}`,
  );
  await queryable.query(`delete from graphile_worker._private_tasks where ${ofTheGone}`);
}

/**
 * For the one instance that works from now on: what any other had picked is free again, and jobs they had locked
 * may run at once; the queue itself would wait four hours for a worker that is gone. Rejects with AppError LEASE_LOST
 * where it has been succeeded already.
 */
export async function takeOverWork(
  database: Pick<Database, 'query' | 'transaction'>,
  instanceId: string,
  { name, epoch }: Lease,
): Promise<void> {
  await database.transaction(async transaction => {
    // Until the end of this nobody can succeed the instance: what its successor has picked must not be freed.
    const { rows } = await transaction.query<{ held: boolean }>('select holds_lease($1, $2) as held', [
      name,
      epoch,
    ]);
    if (rows[0]?.held !== true) throw leaseLost();
    await transaction.query('update updates set picked_by = null where outcome is null and picked_by <> $1', [
      instanceId,
    ]);
    await transaction.query('update follow_ups set picked_by = null where picked_by <> $1', [instanceId]);
    await transaction.query(`
      select graphile_worker.force_unlock_workers(array_agg(distinct locked_by))
      from graphile_worker.jobs where locked_by is not null having count(*) > 0`);
  });
  await recoverJobs(database);
}

/**
 * For the members of a cluster: ends the leases of those that have not renewed for `staleMs` or have no connection
 * any more, which fences them off, and takes over what they had, or what those had that gave their lease back.
 */
export async function takeOverFromDead(queryable: Queryable, staleMs: number): Promise<void> {
  const { rowCount: dead } = await queryable.query(
    `delete from leases
     where name like 'member:%' and (
       heartbeat_at < clock_timestamp() - $1 * interval '1 millisecond' or not exists (
         select 1 from pg_stat_activity
         where datname = current_database() and application_name = leases.instance_id
       )
     )`,
    [staleMs],
  );
  const freed = await freePicksOfTheGone(queryable);
  if (dead || freed > 0) await recoverJobs(queryable);
}

/**
 * Makes everything that no member holds available to all of them. For one that joins or leaves: what it did not
 * pick while it was not working has no job any more.
 */
export async function shareWork(queryable: Queryable): Promise<void> {
  await freePicksOfTheGone(queryable);
  await recoverJobs(queryable);
}

/** What was picked under a lease that is no more; returns how much that was. */
async function freePicksOfTheGone(queryable: Queryable): Promise<number> {
  const ofTheGone = `picked_by is not null and not exists (
    select 1 from leases where leases.name = 'member:' || picked_by)`;
  const updates = await queryable.query(
    `update updates set picked_by = null where outcome is null and ${ofTheGone}`,
  );
  const followUps = await queryable.query(`update follow_ups set picked_by = null where ${ofTheGone}`);
  return (updates.rowCount ?? 0) + (followUps.rowCount ?? 0);
}

/** Deletes what the queue keeps of no use: jobs that failed for good, and named queues without jobs. */
export async function cleanQueue({ pool }: Pick<Database, 'pool'>): Promise<void> {
  const queue = await makeWorkerUtils({ pgPool: pool });
  try {
    await queue.cleanup({ tasks: ['DELETE_PERMAFAILED_JOBS', 'GC_JOB_QUEUES'] });
  } finally {
    await queue.release();
  }
}
