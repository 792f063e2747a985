// Ten thousand random histories of a wallet, each worked by several connections at the same time: taps that come
// twice, retries, transactions that are given up, references used for something else. Whatever was answered, the
// books agree, and every move that was reported as made is there once.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Move, MoveOrShortage, Wallet } from '../../src/billing/wallet.ts';
import { AppError } from '../../src/errors.ts';
import type { Queryable } from '../../src/storage/database.ts';
import { expectSound, type Money, startMoney } from './money.ts';

const historiesPerBatch = 200;
const batches = 50;
const amounts = [0, 1, 7, 50];
const references = ['a', 'b'];

type Step =
  | { readonly kind: 'hold'; readonly task: string; readonly amount: number }
  | { readonly kind: 'charge' | 'release'; readonly task: string }
  | { readonly kind: 'refund'; readonly task: string; readonly ref: string }
  | { readonly kind: 'topUp' | 'adjust'; readonly amount: number; readonly ref: string }
  | { readonly kind: 'welcome'; readonly amount: number };

/** Steps that are committed together, or given up together. */
interface Attempt {
  readonly steps: readonly Step[];
  readonly isGivenUp: boolean;
}

/** What each connection does, one attempt after the other. */
type History = readonly (readonly Attempt[])[];

const task = fc.constantFrom(...references);
const ref = fc.constantFrom(...references);
// Mostly one price per task, as in life, so that most of what comes twice is a repetition.
const amount = fc.oneof(
  { weight: 4, arbitrary: fc.constant(7) },
  { weight: 1, arbitrary: fc.constantFrom(...amounts) },
);
const positive = amount.map(kopecks => kopecks + 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('hold' as const), task, amount }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('charge' as const, 'release' as const), task }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('refund' as const), task, ref }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('topUp' as const), amount: positive, ref }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('adjust' as const),
      amount: fc.tuple(positive, fc.constantFrom(1, -1)).map(([kopecks, sign]) => kopecks * sign),
      ref,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('welcome' as const), amount: positive }) },
);
const alone: fc.Arbitrary<Attempt> = fc.record({
  steps: fc.tuple(step),
  isGivenUp: fc.constant(false),
});
const together: fc.Arbitrary<Attempt> = fc.record({
  steps: fc.array(step, { minLength: 2, maxLength: 3 }),
  isGivenUp: fc.nat({ max: 3 }).map(draw => draw === 0),
});
const attempt = fc.oneof({ weight: 4, arbitrary: alone }, { weight: 1, arbitrary: together });
const history: fc.Arbitrary<History> = fc.array(fc.array(attempt, { minLength: 1, maxLength: 2 }), {
  minLength: 2,
  maxLength: 3,
});

let money: Money;
beforeAll(async () => {
  money = await startMoney(6);
});
afterAll(() => money.stop());

function make(
  wallet: Wallet,
  queryable: Queryable,
  chatId: number,
  step: Step,
): Promise<Move | MoveOrShortage> {
  switch (step.kind) {
    case 'hold':
      return wallet.hold(queryable, { ...step, chatId, task: `${chatId}-${step.task}` });
    case 'charge':
      return wallet.charge(queryable, `${chatId}-${step.task}`);
    case 'release':
      return wallet.release(queryable, `${chatId}-${step.task}`);
    case 'refund':
      return wallet.refund(queryable, `${chatId}-${step.task}`, `${chatId}-${step.ref}`);
    case 'topUp':
      return wallet.topUp(queryable, { ...step, chatId, ref: `${chatId}-${step.ref}` });
    case 'adjust':
      return wallet.adjust(queryable, { ...step, chatId, ref: `${chatId}-${step.ref}`, note: 'test' });
    case 'welcome':
      return wallet.welcome(queryable, chatId, step.amount);
  }
}

const givenUp = new Error('given up');

/** Resolves to how many moves were made and committed. */
async function work(chatId: number, { steps, isGivenUp }: Attempt): Promise<number> {
  let moved = 0;
  const makeAll = async (queryable: Queryable): Promise<void> => {
    for (const one of steps) {
      const answer = await make(money.wallet, queryable, chatId, one);
      if ('moved' in answer && answer.moved) moved++;
      if ('ok' in answer && !answer.ok) expect(answer.missing).toBeGreaterThan(0);
      expect(answer.balance.available).toBeGreaterThanOrEqual(0);
      expect(answer.balance.held).toBeGreaterThanOrEqual(0);
    }
    if (isGivenUp) throw givenUp;
  };
  try {
    // Also for one step: a statement that fails outside of a transaction costs the pool its connection.
    await money.database.transaction(makeAll);
    return moved;
  } catch (error) {
    if (error === givenUp || (error instanceof AppError && error.code === 'WALLET_REFUSED')) return 0;
    throw error;
  }
}

async function live(chatId: number, connections: History): Promise<number> {
  const moved = await Promise.all(
    connections.map(async attempts => {
      let sum = 0;
      for (const one of attempts) sum += await work(chatId, one);
      return sum;
    }),
  );
  return moved.reduce((sum, count) => sum + count, 0);
}

test('after any history the ledger adds up to the wallet, never below zero, each hold settled once', {
  timeout: 120_000,
}, async () => {
  let first = 1;
  await fc.assert(
    fc.asyncProperty(
      fc.array(history, { minLength: historiesPerBatch, maxLength: historiesPerBatch }),
      async histories => {
        const start = first;
        first += histories.length;
        await money.addUsers(start, histories.length);
        const moved = await Promise.all(histories.map((one, index) => live(start + index, one)));
        await expectSound(money.database, start, histories.length);
        const { rows } = await money.database.query<{ moves: number }>(
          `select count(ledger.id)::int as moves from users left join ledger using (chat_id)
           where chat_id between $1 and $2 group by chat_id order by chat_id`,
          [start, start + histories.length - 1],
        );
        expect(rows.map(({ moves }) => moves)).toEqual(moved);
      },
    ),
    // A batch is too much to shrink; the rows that are wrong name the chat, and with it the history.
    { numRuns: batches, endOnFailure: true },
  );
});
