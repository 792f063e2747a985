// Connections that die in the middle of moving money, before their commit or together with it, and the retries that
// follow: nobody knows what had been committed, and all ends as if nothing had happened.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Wallet } from '../../src/billing/wallet.ts';
import { isConnectionLost } from '../../src/postgres/connection-lost.ts';
import type { Queryable } from '../../src/storage/database.ts';
import { expectSound, type Money, startMoney } from './money.ts';

/** When the connection is ended: before so many of its statements, or while it commits. */
type Crash = number | 'commit';
type Move = (wallet: Wallet, queryable: Queryable) => Promise<unknown>;

interface Life {
  /** Whether the generation succeeds. */
  readonly isCharged: boolean;
  readonly isRefunded: boolean;
  /** Crashes of each of the transactions, one after the other, until it is left alone. */
  readonly crashes: readonly (readonly Crash[])[];
}

const crash: fc.Arbitrary<Crash> = fc.oneof(fc.constantFrom(1, 2), fc.constant('commit' as const));
const life: fc.Arbitrary<Life> = fc.record({
  isCharged: fc.boolean(),
  isRefunded: fc.boolean(),
  crashes: fc.array(fc.array(crash, { maxLength: 2 }), { minLength: 3, maxLength: 3 }),
});

let money: Money;
beforeAll(async () => {
  money = await startMoney(6);
});
afterAll(() => money.stop());

/** Resolves when the moves were committed or the connection was lost, whichever it was. */
async function attempt(moves: readonly Move[], dies: Crash | undefined): Promise<'committed' | 'unknown'> {
  const client = new pg.Client({ connectionString: money.url });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const end = (): Promise<unknown> => money.database.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  const queryable: Queryable = {
    query: (text, values) => client.query(text, values === undefined ? undefined : [...values]),
  };
  try {
    await client.query('begin');
    for (const [index, move] of moves.entries()) {
      if (dies === index + 1) await end();
      await move(money.wallet, queryable);
    }
    const committing = client.query('commit');
    await (dies === 'commit' ? Promise.all([committing, end()]) : committing);
    return 'committed';
  } catch (error) {
    if (dies !== undefined && isConnectionLost(error)) return 'unknown';
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function untilCommitted(moves: readonly Move[], crashes: readonly Crash[]): Promise<void> {
  for (const one of crashes) await attempt(moves, one);
  expect(await attempt(moves, undefined)).toBe('committed');
}

/** Money in and a hold, the settlement, and perhaps a refund; each transaction by two workers at the same time. */
async function live(chatId: number, { isCharged, isRefunded, crashes }: Life): Promise<void> {
  const task = `task-${chatId}`;
  const transactions: readonly (readonly Move[])[] = [
    [
      (wallet, queryable) => wallet.topUp(queryable, { chatId, amount: 100, ref: task }),
      (wallet, queryable) => wallet.hold(queryable, { chatId, task, amount: 70 }),
    ],
    [(wallet, queryable) => (isCharged ? wallet.charge(queryable, task) : wallet.release(queryable, task))],
    isCharged && isRefunded ? [(wallet, queryable) => wallet.refund(queryable, task, task)] : [],
  ];
  for (const [index, moves] of transactions.entries())
    await Promise.all([untilCommitted(moves, crashes[index] ?? []), untilCommitted(moves, [])]);
  expect(await money.wallet.balance(money.database, chatId)).toEqual({
    available: isCharged && !isRefunded ? 30 : 100,
    held: 0,
  });
  const moves = await money.wallet.moves(money.database, chatId, 10);
  expect(moves).toHaveLength(isCharged && isRefunded ? 4 : 3);
}

test('what a connection leaves behind that is ended in mid-transaction is fixed by trying again', async () => {
  let first = 1;
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 8, maxLength: 8 }), async lives => {
      const start = first;
      first += lives.length;
      await money.addUsers(start, lives.length);
      await Promise.all(lives.map((one, index) => live(start + index, one)));
      await expectSound(money.database, start, lives.length);
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

test('a connection that is ended with a wallet locked lets the next one in, and leaves nothing', async () => {
  const chatId = 1_000_000;
  await money.addUsers(chatId, 1);
  const { wallet, database } = money;
  const client = new pg.Client({ connectionString: money.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  await wallet.topUp(
    { query: (text, values) => client.query(text, [...(values ?? [])]) },
    { chatId, amount: 5, ref: 'locked' },
  );
  const waiting = wallet.topUp(database, { chatId, amount: 5, ref: 'locked' });
  await database.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  expect(await waiting).toMatchObject({ moved: true, balance: { available: 5 } });
  await client.end().catch(() => undefined);
});
