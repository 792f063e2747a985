// After the storm everything is well again, and everything that was begun must come to its end. What the bot waits
// minutes for by design, such as an order that may have been sent when its process died, is reached by making times in
// the database earlier while nobody lives.
import { type Ask, readLeftovers } from '../history/stored.ts';
import type { Ground } from './ground.ts';

/** An instance starts in moments, but on a machine that many share it has taken more than a minute. */
export const upDeadlineMs = 180_000;
const acceptedDeadlineMs = 60_000;
/** Eight results on a host that does not answer, five attempts of ten seconds each, some at a time. */
const quietDeadlineMs = 120_000;
const stopDeadlineMs = 40_000;
const lookEveryMs = 100;
/** Longer than the bot waits for anything. */
const passedMinutes = 20;
/** What one passage of time brings to its end may leave something to do for the next; it may also have been cut off by it. */
const settlingMs = 300_000;

/** Resolves when nothing is left to do, or when waiting longer would change nothing. */
export async function settle(ground: Ground): Promise<void> {
  const { slots, ask } = ground;
  const endsAt = performance.now() + settlingMs;
  await untilWorked(ground);
  while (performance.now() < endsAt && (await isUnfinished(ask))) {
    await Promise.all(slots.map(slot => slot.stop(stopDeadlineMs)));
    await passTime(ask);
    for (const slot of slots) slot.start();
    await untilWorked(ground);
  }
}

/** Resolves when there is nothing to do before some minutes have passed, or at the deadline. */
export async function untilWorked({ slots, telegram, ask }: Ground): Promise<void> {
  await Promise.all(slots.map(slot => slot.whenUp(upDeadlineMs)));
  // An update that nobody takes is found by the history, which misses it.
  await telegram.idle(acceptedDeadlineMs).catch(() => undefined);
  const endsAt = performance.now() + quietDeadlineMs;
  while (performance.now() < endsAt) {
    const [row] = await ask<{ owed: boolean }>(
      // A pulse is how workers prove that they work: there is always one.
      `with jobs as (
         select * from graphile_worker.jobs where task_identifier not like 'pulse:%' and attempts < max_attempts
       )
       select exists (select 1 from updates where outcome is null) or exists (
         select 1 from jobs
         -- What is locked is worked: to end it now would cut off what hangs, again and again.
         where locked_at is not null or run_at < now() + interval '1 minute'
       ) as owed`,
    );
    if (row?.owed === false) return;
    await new Promise(resolve => setTimeout(resolve, lookEveryMs));
  }
}

async function isUnfinished(ask: Ask): Promise<boolean> {
  return (await readLeftovers(ask)).length > 0;
}

async function passTime(ask: Ask): Promise<void> {
  const earlier = (column: string): string => `${column} = ${column} - interval '${passedMinutes} minutes'`;
  await ask(
    `update tasks set ${earlier('created_at')}, ${earlier('submitted_at')} where state not in ('succeeded', 'failed')`,
  );
  await ask(`update deliveries set ${earlier('claimed_at')}, ${earlier('due_at')} where finished_at is null`);
  await ask(`update follow_ups set ${earlier('due_at')}`);
  await ask(`update graphile_worker._private_jobs set run_at = least(run_at, now())`);
}
