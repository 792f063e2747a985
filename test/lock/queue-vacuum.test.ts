// What a standby costs the queue. It waits inside Postgres for the lock, and a wait without end would hold a snapshot that
// keeps every dead row of the queue from being vacuumed.
import { expect, test } from 'vitest';
import { besides, startBot, waitFor } from '../support/bot.ts';
import { patienceMs } from '../support/patience.ts';

/** Some slices of a production wait, of 5 s each. */

test('while a standby waits, what has died in the queue is vacuumed', async () => {
  await using active = await startBot();
  await using standby = await startBot(besides(active));
  const user = active.user();
  for (const say of ['/start', '/help', '/start'])
    await active.waitForEvent(await active.cidOf(user.say(say).updateId), 'DISPATCH_OK');
  const { database } = active;
  const queueBytes = async (): Promise<number> => {
    const [size] = await database.query<{ bytes: number }>(
      `select pg_relation_size('graphile_worker._private_jobs')::int as bytes`,
    );
    return size?.bytes ?? expect.fail('No queue');
  };
  expect(await queueBytes()).toBeGreaterThan(0);
  await waitFor(
    'an empty table',
    async () => {
      await database.query('vacuum graphile_worker._private_jobs');
      return (await queueBytes()) === 0 || undefined;
    },
    undefined,
    patienceMs,
  );
  // It has waited all the time.
  expect(standby.lines.filter(({ name }) => name === 'LOCK_ACQUIRED')).toEqual([]);
});
