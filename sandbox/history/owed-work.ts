// What the bot owes at this moment, and what it owes without a job that would ever look at it. Reads the bot's tables as
// they are; what counts as a job that may still run is said here once more, so that the bot's own look cannot hide it.
import type { Finding } from './history.ts';
import type { Ask } from './stored.ts';

/** The oldest work of one kind that somebody could do now. */
export interface OwedWork {
  readonly kind: 'update' | 'follow-up' | 'task' | 'delivery';
  /** The same as long as it is the same piece of work. */
  readonly subject: string;
  /** Since it could be done, in milliseconds. */
  readonly ageMs: number;
}

/** One that has used up its attempts is never run again; one whose worker is gone not before its lock is taken away. */
const mayStillRun = `attempts < max_attempts and (locked_at is null or locked_at > now() - interval '15 minutes')`;
/** A task for which there is no place now looks again so soon. */
const fullPlaces = `interval '20 seconds'`;

/** SQL: every task that is not at its end, and what is known of its jobs. */
const openTasks = `
  jobs as (
    select identifier, key, payload, run_at, locked_at is not null as is_locked
    from graphile_worker._private_jobs as jobs join graphile_worker._private_tasks as names on names.id = task_id
    where ${mayStillRun}
  ), unfinished as (
    select id, created_at as since from tasks where state not in ('succeeded', 'failed')
    union all select task_id, due_at from deliveries where finished_at is null
    union all select task_id, received_at from kie_callbacks where finished_at is null
  ), open as (
    select id, max(since) as since from unfinished group by id
  ), looks as (
    select open.id, open.since, min(jobs.run_at) as run_at, coalesce(bool_or(jobs.is_locked), false) as is_looked_at
    from open left join jobs on jobs.key in ('task:' || open.id, 'callback:' || open.id)
    group by open.id, open.since
  )`;

/** At most one of each kind. Rejects while Postgres is away. */
export async function readOwed(ask: Ask): Promise<OwedWork[]> {
  const rows = await ask<{ kind: OwedWork['kind']; subject: string; age_ms: number }>(
    `with ${openTasks}, owed as (
       (select 'update' as kind, 'update ' || update_id || ' (cid ' || substr(traceparent, 4, 8) || ')' as subject,
          received_at as since
        from updates where outcome is null order by received_at limit 1)
       union all
       (select 'follow-up', 'follow-up ' || id || ' of chat ' || lane || ' (' || kind || ')', due_at
        from follow_ups where due_at <= now() order by due_at limit 1)
       union all
       (select 'task', 'task ' || id || ' (' || case when run_at is null then 'no job' else 'job is due' end || ')',
          coalesce(run_at, since)
        from looks where not is_looked_at and coalesce(run_at, since) <= now()
        order by coalesce(run_at, since) limit 1)
       union all
       (select 'delivery', 'delivery of task ' || task_id || ' (' || kind || ' ' || position || ')',
          greatest(due_at, case when run_at <= now() then run_at end)
        from deliveries join looks on looks.id = task_id
        where finished_at is null and claimed_at is null and due_at <= now() and not is_looked_at
          and (run_at is null or run_at <= now() or run_at > now() + ${fullPlaces})
          and (kind in ('result', 'original') or not exists (
            select 1 from deliveries as files
            where files.task_id = deliveries.task_id and files.kind = 'result' and files.finished_at is null))
        order by due_at limit 1)
     )
     select kind, subject, extract(epoch from clock_timestamp() - since)::float8 * 1000 as age_ms from owed`,
  );
  return rows.map(({ kind, subject, age_ms }) => ({ kind, subject, ageMs: age_ms }));
}

const lookEveryMs = 250;

/**
 * What had no job in any look within the time: the bot may be about to give it one, or may work it at this moment under
 * a job that was taken over.
 */
export async function readJobless(ask: Ask, withinMs: number): Promise<Finding[]> {
  const endsAt = performance.now() + withinMs;
  let left = await lookForJobless(ask);
  while (left.length > 0 && performance.now() < endsAt) {
    await new Promise(resolve => setTimeout(resolve, lookEveryMs));
    const again = new Set((await lookForJobless(ask)).map(({ subject }) => subject));
    left = left.filter(({ subject }) => again.has(subject));
  }
  return left;
}

async function lookForJobless(ask: Ask): Promise<Finding[]> {
  const rows = await ask<{ subject: string }>(
    `with ${openTasks}
     select 'task ' || id as subject from looks where run_at is null
     union all
     select 'follow-up ' || id || ' of chat ' || lane || ' (' || kind || ')' from follow_ups
     where not exists (
       select 1 from jobs where identifier = 'follow_up' and payload->>'lane' = follow_ups.lane::text)
     order by subject`,
  );
  return rows.map(({ subject }) => ({ subject, problem: 'is open, and no job will ever look at it' }));
}
