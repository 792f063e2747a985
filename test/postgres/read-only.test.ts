// Connections to a database that takes nothing more: none of those that began so is lent again.
import { expect, onTestFinished, test } from 'vitest';
import { createPool } from '../../src/postgres/pool.ts';
import { createTestDatabase } from '../support/database.ts';

const max = 4;

test('one connection that cannot write takes the idle ones with it that are as old, and says nothing by itself', async () => {
  const database = await createTestDatabase();
  const errors: Error[] = [];
  const pool = createPool({
    deadlineMs: 20_000,
    config: { connectionString: database.url, max },
    onError: error => errors.push(error),
  });
  onTestFinished(async () => {
    await pool.end();
    await database.drop();
  });
  const setReadOnly = async (value: 'on' | 'off'): Promise<void> => {
    const [row] = await database.query<{ name: string }>('select current_database() as name');
    await database.query(`alter database ${row?.name} set default_transaction_read_only = ${value}`);
  };
  await setReadOnly('on');
  const old = [];
  // One after the other: what is opened at the same time has no order.
  while (old.length < max) old.push(await pool.connect());
  await setReadOnly('off');
  const [newest, ...older] = old.toReversed();
  for (const client of older) client.release();
  await newest?.query('begin');
  await expect(newest?.query('create table written ()')).rejects.toMatchObject({ code: '25006' });
  newest?.release();
  // Each may be lent another one than the last.
  for (let write = 0; write < max; write += 1) await pool.query('update leases set name = name where false');
  expect(pool.totalCount).toBe(1);
  expect(errors).toEqual([]);
});
