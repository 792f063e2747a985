// A pool for graphile-worker, which gives a connection back twice.
import { expect, onTestFinished, test } from 'vitest';
import { releaseOnce } from '../../src/postgres/release-once.ts';
import { createTestDatabase } from '../support/database.ts';

test('a connection that is given back twice is given back once, broken as it was said the first time', async () => {
  const database = await createTestDatabase({ empty: true });
  onTestFinished(() => database.drop());
  const { pool } = database.connect(1);
  releaseOnce(pool);

  for (const broken of [undefined, new Error('it broke')]) {
    const release = await new Promise<(error?: Error) => void>((resolve, reject) =>
      pool.connect((error, _client, done) => (error ? reject(error) : resolve(done))),
    );
    release(broken);
    release();
    expect({ all: pool.totalCount, idle: pool.idleCount }).toEqual(
      broken ? { all: 0, idle: 0 } : { all: 1, idle: 1 },
    );
  }
  const client = await pool.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  client.release();

  // Asked while it ends, it has nothing that could be given back.
  const ended = pool.end();
  const given = await new Promise(resolve =>
    pool.connect((error, _client, done) => resolve({ error: error?.message, done })),
  );
  expect(given).toEqual({ error: expect.stringContaining('after calling end'), done: undefined });
  await ended;
});
