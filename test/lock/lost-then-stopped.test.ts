// A stop that comes while an instance, having just lost its lock, is about to contend for it again.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startBot } from '../support/bot.ts';
import { patienceMs } from '../support/patience.ts';

test('an instance that has just lost its lock stops when it is told to', async () => {
  await using bot = await startBot();
  const ended = await bot.database.query<{ pid: number }>(
    `select pid from pg_locks, pg_terminate_backend(pid)
     where locktype = 'advisory' and granted and objsubid = 2
       and database = (select oid from pg_database where datname = current_database())`,
  );
  expect(ended).toHaveLength(1);
  await bot.waitForLine(({ name }) => name === 'LOCK_LOST');
  const stopped = bot.app.stop().then(() => 'stopped');
  expect(await Promise.race([stopped, sleep(patienceMs, 'still running', { ref: false })])).toBe('stopped');
});
