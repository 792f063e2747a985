// Which failures are the database's, after which the same work is tried again, and which are the work's own.
import pg from 'pg';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { isConnectionLost } from '../../src/postgres/connection-lost.ts';
import { startBot } from '../support/bot.ts';
import { holdStatement } from '../support/held-statement.ts';
import { storyOf } from '../support/story.ts';
import { walkToConfirm } from '../support/walk.ts';

function sqlError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('refused', 1, 'error');
  error.code = code;
  return error;
}

test.each([
  ['08006', 'connection failure'],
  ['25006', 'a primary that was demoted'],
  ['25P03', 'idle in a transaction for too long'],
  ['40001', 'serialization failure'],
  ['40P01', 'deadlock'],
  ['53100', 'disk full'],
  ['53300', 'too many connections'],
  ['55P03', 'lock not available'],
  ['57014', 'cancelled'],
  ['57P01', 'sessions ended by an administrator'],
  ['57P02', 'crash'],
  ['57P03', 'starting up'],
  ['58030', 'input and output'],
])('%s, %s, is tried again', code => {
  expect(isConnectionLost(sqlError(code))).toBe(true);
});

test.each([
  ['22021', 'a text that is none'],
  ['23505', 'a row that is there'],
  ['42P01', 'a table that is not there'],
  ['54001', 'nested too deep'],
  ['P0001', 'raised by a function'],
])('%s, %s, is not', code => {
  expect(isConnectionLost(sqlError(code))).toBe(false);
});

test('what ends a connection is tried again, what is wrong with the program is not', () => {
  const refused = Object.assign(new Error('connect'), { syscall: 'connect', code: 'ECONNREFUSED' });
  expect(isConnectionLost(refused)).toBe(true);
  expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isConnectionLost(new AppError({ code: 'DATABASE_TIMEOUT', message: 'no answer' }))).toBe(true);
  expect(isConnectionLost(new Error('Cannot use a pool after calling end on the pool'))).toBe(true);
  expect(isConnectionLost(new TypeError('x is not a function'))).toBe(false);
  expect(isConnectionLost(new AppError({ code: 'WALLET_REFUSED', message: 'no money' }))).toBe(false);
});

test('an order whose statement is cancelled is made once, by another attempt, and is no fault', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  await using held = await holdStatement(bot.database, { table: 'tasks', event: 'insert', when: 'true' });
  const run = user.click('🚀 Run');
  await held.reached();
  const cancelled = await bot.database.query(
    `select pg_cancel_backend(pid) from pg_locks
     where locktype = 'advisory' and not granted
       and database = (select oid from pg_database where datname = current_database())`,
  );
  expect(cancelled).toEqual([{ pg_cancel_backend: true }]);
  await held.execute();
  const story = await storyOf(bot, run, 'RESULT_DELIVERED');
  expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'accepted', attempt: 2 });
  expect(await bot.database.query('select kind from ledger where task_id is not null order by id')).toEqual([
    { kind: 'hold' },
    { kind: 'charge' },
  ]);
});
