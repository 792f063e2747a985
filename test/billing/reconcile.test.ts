// The audit of the wallets finds what is wrong, reports it once without naming anybody, and is silent otherwise.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createReconcile, type Reconcile } from '../../src/billing/reconcile.ts';
import { type Money, startMoney } from './money.ts';

const chatId = 770_077;

let money: Money;
let emitted: { readonly name: string; readonly fields: object }[];
let audit: Reconcile;

beforeEach(async () => {
  money = await startMoney();
  emitted = [];
  audit = createReconcile({
    database: money.database,
    telemetry: { emit: (name, fields) => void emitted.push({ name, fields }) },
  });
  await money.addUsers(chatId, 2);
  await money.wallet.topUp(money.database, { chatId, amount: 1_000, ref: 'paid' });
});
afterEach(() => money.stop());

async function hold(task: string, taskState?: string, amount = 100): Promise<void> {
  if (taskState) await money.addTask(task, chatId, taskState);
  await money.wallet.hold(money.database, { chatId, task, amount });
}

test('books that agree are passed over in silence', async () => {
  const { wallet, database } = money;
  await hold('running', 'waiting');
  await hold('free', 'created', 0);
  await hold('done', 'succeeded');
  await wallet.charge(database, 'done');
  await hold('failed', 'failed');
  await wallet.release(database, 'failed');
  // A result that came after its task had been given up is delivered for nothing.
  await hold('late', 'succeeded');
  await wallet.release(database, 'late');
  await hold('complained', 'failed');
  await wallet.charge(database, 'complained');
  await wallet.refund(database, 'complained', 'complaint');
  // Accounts outlive tasks.
  await hold('forgotten');
  await wallet.charge(database, 'forgotten');

  expect(await audit.run()).toEqual([]);
  expect(emitted).toEqual([]);
});

test('a wallet that was changed by another hand than a move', async () => {
  await money.database.query('update wallets set available = available + 7, held = held + 3');
  expect(await audit.run()).toEqual([
    { kind: 'open_holds', count: 1, amount: 3 },
    { kind: 'wallet_available', count: 1, amount: 7 },
    { kind: 'wallet_held', count: 1, amount: 3 },
  ]);
});

test.each(['succeeded', 'failed'])('a hold that is left open by a task that %s', async state => {
  await hold('left', state);
  expect(await audit.run()).toEqual([{ kind: 'hold_without_running_task', count: 1, amount: 100 }]);
});

test('a hold for a task that does not exist', async () => {
  await hold('nowhere');
  expect(await audit.run()).toEqual([{ kind: 'hold_without_running_task', count: 1, amount: 100 }]);
});

test('a task that runs without a hold, or on one that was settled', async () => {
  await money.addTask('unpaid', chatId, 'waiting');
  await hold('settled', 'submitting');
  await money.wallet.release(money.database, 'settled');
  expect(await audit.run()).toEqual([{ kind: 'running_task_without_hold', count: 2, amount: 100 }]);
});

test('a task that failed and was paid for', async () => {
  await hold('cheated', 'failed');
  await money.wallet.charge(money.database, 'cheated');
  expect(await audit.run()).toEqual([{ kind: 'charge_of_failed_task', count: 1, amount: 100 }]);
});

test('what is found is reported in one event, with counts and amounts and nobody’s id', async () => {
  await hold('left', 'failed');
  await money.wallet.topUp(money.database, { chatId: chatId + 1, amount: 5, ref: 'other' });
  await money.database.query('update wallets set available = available + 7');
  await audit.run();
  expect(emitted).toEqual([
    {
      name: 'WALLET_MISMATCH',
      fields: {
        reason_code: 'INTERNAL_ERROR',
        amount: 114,
        reason_detail: 'hold_without_running_task=1(100) wallet_available=2(14)',
      },
    },
  ]);
  expect(JSON.stringify(emitted)).not.toContain(String(chatId));
});

test('moves that are being made while it looks are no differences', async () => {
  const { wallet, database } = money;
  await database.transaction(async transaction => {
    await wallet.hold(transaction, { chatId, task: 'in flight', amount: 100 });
    expect(await audit.run()).toEqual([]);
    await wallet.charge(transaction, 'in flight');
  });
  expect(await audit.run()).toEqual([]);
});
