import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { type LockConnection, openLockConnection } from '../../src/lock/lock-connection.ts';
import { lockKeyOf } from '../../src/lock/lock-key.ts';
import { Secret } from '../../src/secret.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startSessionPooler } from '../support/session-pooler.ts';

const key = lockKeyOf(7_000_000_001);

async function createDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

async function open(url: string, instanceId: string): Promise<LockConnection> {
  const connection = await openLockConnection({ url: new Secret(url), instanceId, key, deadlineMs: 20_000 });
  onTestFinished(() => connection.close().catch(() => undefined));
  return connection;
}

test('keys are signed 32-bit integers, the same for a bot every time and another for another bot', () => {
  const keys = Array.from({ length: 200 }, (_none, botId) => lockKeyOf(botId));
  for (const { high, low } of keys)
    for (const part of [high, low]) expect(Math.abs(part)).toBeLessThanOrEqual(2 ** 31);
  expect(keys.some(({ high }) => high < 0)).toBe(true);
  expect(new Set(keys.map(({ high, low }) => `${high} ${low}`)).size).toBe(keys.length);
  const digest = createHash('sha256').update('trt instance lock 42').digest();
  expect(lockKeyOf(42)).toEqual({ high: digest.readInt32BE(0), low: digest.readInt32BE(4) });
});

test('one of two has the lock, and the other has it the moment the first is gone', async () => {
  const { url } = await createDatabase();
  const [first, second] = [await open(url, 'first'), await open(url, 'second')];
  expect([await first.tryLock(), await second.tryLock()]).toEqual([true, false]);
  expect(await second.waitForLock(50)).toBe(false);
  const had = second.waitForLock(10_000);
  await first.close();
  expect(await had).toBe(true);
});

const lease = { name: 'active:1', release: 'release', mode: 'single' } as const;

test('a lease is renewed by the session that has the lock only, and under its own epoch only', async () => {
  const { url } = await createDatabase();
  const [first, second] = [await open(url, 'first'), await open(url, 'second')];
  await first.tryLock();
  const epoch = await first.takeLease(lease);
  expect(await first.renewLease('active:1', epoch)).toBe(true);
  expect(await first.renewLease('active:1', epoch + 1)).toBe(false);
  expect(await second.renewLease('active:1', epoch)).toBe(false);
  await first.unlock();
  expect(await first.renewLease('active:1', epoch)).toBe(false);
  await second.tryLock();
  expect(await second.takeLease(lease)).toBe(epoch + 1);
});

test('a standby that is gone stops waiting in Postgres', async () => {
  const database = await createDatabase();
  const [first, second] = [await open(database.url, 'first'), await open(database.url, 'second')];
  await first.tryLock();
  const waiting = second.waitForLock(60_000).catch(() => 'gone');
  await waitFor('the wait', async () => (await waiters(database)) === 1 || undefined);
  await second.close();
  expect(await waiting).toBe('gone');
  await waitFor('the end of the wait', async () => (await waiters(database)) === 0 || undefined);
});

test('between the slices of a wait what has died can be vacuumed', async () => {
  const database = await createDatabase();
  const [first, second] = [await open(database.url, 'first'), await open(database.url, 'second')];
  await first.tryLock();
  await database.query('create table queue as select generate_series(1, 1000) as id');
  const standingBy = new AbortController();
  const standby = (async () => {
    while (!standingBy.signal.aborted) await second.waitForLock(200);
  })();
  await waitFor('the wait', async () => (await waiters(database)) === 1 || undefined);
  await database.query('delete from queue');
  await waitFor('an empty table', async () => {
    await database.query('vacuum queue');
    const [size] = await database.query<{ bytes: string }>(`select pg_relation_size('queue') as bytes`);
    return size?.bytes === '0' || undefined;
  });
  standingBy.abort();
  await standby;
});

test('a pooler that shares sessions is refused, and the message says what to set', async () => {
  const { url } = await createDatabase();
  await using pooler = await startSessionPooler(url);
  const refused = openLockConnection({
    url: new Secret(pooler.url),
    instanceId: 'first',
    key,
    deadlineMs: 20_000,
  });
  await expect(refused).rejects.toMatchObject({ code: 'LOCK_POOLER' });
  await expect(refused).rejects.toThrow(/LOCK_DATABASE_URL/);
});

async function waiters(database: TestDatabase): Promise<number> {
  const rows = await database.query(
    `select 1 from pg_locks where locktype = 'advisory' and not granted
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.length;
}
