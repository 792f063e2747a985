// What a pool does with connections that say nothing more: the statement fails at its deadline, the connection is never
// used again, and others that may be as silent go with it.
import { expect, onTestFinished, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { isConnectionLost } from '../../src/postgres/connection-lost.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';

const deadlineMs = 4_000;

async function startPool(max = 4) {
  const database = await createTestDatabase();
  const proxy = await startPostgresProxy(database.url);
  const errors: Error[] = [];
  const pool = createPool({
    deadlineMs,
    config: { connectionString: proxy.url, max },
    onError: error => errors.push(error),
  });
  onTestFinished(async () => {
    await pool.end();
    await proxy[Symbol.asyncDispose]();
    await database.drop();
  });
  const fill = () => Promise.all(Array.from({ length: max }, () => pool.query('select pg_sleep(0.1)')));
  return { pool, proxy, errors, fill, database };
}

const mute = { kind: 'mute' } as const;

test('a statement that is not answered fails at its deadline, as a lost connection, and says so once', async () => {
  const { pool, proxy, errors, fill } = await startPool();
  await fill();
  proxy.setPassage(mute, { to: 'open' });
  const error = await pool.query('select 1').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'DATABASE_TIMEOUT' });
  expect(isConnectionLost(error)).toBe(true);
  expect(errors).toEqual([error]);
});

test('when one connection is silent those that were not heard of lately are given up with it', async () => {
  const { pool, proxy, errors, fill } = await startPool();
  await fill();
  proxy.setPassage(mute, { to: 'open' });
  await expect(pool.query('select 1')).rejects.toThrow();
  // On one of the old ones it would fail as well.
  await pool.query('select 1');
  expect(errors).toHaveLength(1);
  expect(pool.totalCount).toBe(1);
});

test('a silent connection that was borrowed and given back is not lent again', async () => {
  const { pool, proxy, fill } = await startPool(1);
  await fill();
  const client = await pool.connect();
  proxy.setPassage(mute, { to: 'open' });
  await expect(client.query('select 1')).rejects.toMatchObject({ code: 'DATABASE_TIMEOUT' });
  client.release();
  expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('the others go on when only one of them is silent', async () => {
  const { pool, proxy, fill } = await startPool(3);
  await fill();
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
  proxy.setPassage(mute, { to: 'open', share: 1 / 3 });
  const answers = Promise.allSettled(clients.map(client => client.query('select 1')));
  expect((await answers).map(({ status }) => status).toSorted()).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
  for (const client of clients) client.release();
});

test('a connection that only listens finds out that it is silent', async () => {
  const { pool, proxy, errors } = await startPool(1);
  const client = await pool.connect();
  await client.query('listen nothing');
  proxy.setPassage(mute, { to: 'open' });
  await waitFor('the end of the connection', () => (errors.length === 1 ? true : undefined));
  client.release();
  await pool.query('select 1');
});

test('a server that lives ends the statement before the connection is given up', async () => {
  const { pool, errors } = await startPool(1);
  const error = await pool.query('select pg_sleep(20)').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: '57014' });
  expect(isConnectionLost(error)).toBe(true);
  expect(errors).toEqual([]);
});

test('the end of a pool does not wait for silent connections', async () => {
  const database = await createTestDatabase();
  await using proxy = await startPostgresProxy(database.url);
  const pool = createPool({
    deadlineMs,
    config: { connectionString: proxy.url, max: 1 },
    onError: () => undefined,
  });
  await pool.query('select 1');
  proxy.setPassage(mute, { to: 'open' });
  await pool.end();
  await database.drop();
});
