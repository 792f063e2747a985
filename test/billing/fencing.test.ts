// Who has been succeeded moves no money any more, and nobody is succeeded in the middle of a move.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createWallet, type Wallet } from '../../src/billing/wallet.ts';
import { patienceMs } from '../support/patience.ts';
import { expectSound, type Money, startMoney } from './money.ts';

const chatId = 1;
let money: Money;

beforeAll(async () => {
  money = await startMoney();
  await money.addUsers(chatId, 1);
});
afterAll(() => money.stop());

test('no move passes under a lost epoch, a repetition neither', async () => {
  const { database } = money;
  const former = await money.succeed();
  await former.topUp(database, { chatId, amount: 1_000, ref: 'paid' });
  for (const task of ['held', 'charged', 'asked']) await former.hold(database, { chatId, task, amount: 100 });
  await former.charge(database, 'charged');

  const moves: Record<string, (wallet: Wallet) => Promise<unknown>> = {
    'top-up': wallet => wallet.topUp(database, { chatId, amount: 1, ref: 'other' }),
    'repeated top-up': wallet => wallet.topUp(database, { chatId, amount: 1_000, ref: 'paid' }),
    adjust: wallet => wallet.adjust(database, { chatId, amount: 1, ref: 'other', note: 'test' }),
    welcome: wallet => wallet.welcome(database, chatId, 1),
    hold: wallet => wallet.hold(database, { chatId, task: 'other', amount: 1 }),
    'hold of too much': wallet => wallet.hold(database, { chatId, task: 'dear', amount: 1_000_000 }),
    charge: wallet => wallet.charge(database, 'held'),
    'repeated charge': wallet => wallet.charge(database, 'charged'),
    'charge of nothing': wallet => wallet.charge(database, 'unknown'),
    release: wallet => wallet.release(database, 'asked'),
    refund: wallet => wallet.refund(database, 'charged', 'refund'),
  };
  const before = await former.moves(database, chatId, 100);
  const successor = await money.succeed();
  for (const [name, move] of Object.entries(moves))
    await expect(move(former), name).rejects.toMatchObject({ code: 'LEASE_LOST', retryable: true });
  expect(await successor.moves(database, chatId, 100)).toEqual(before);
  await expectSound(database, chatId, 1);

  expect(await successor.charge(database, 'held')).toMatchObject({ moved: true });
  expect(await successor.topUp(database, { chatId, amount: 1_000, ref: 'paid' })).toMatchObject({
    moved: false,
  });
});

test('before a lease was ever taken nothing moves', async () => {
  const wallet = createWallet(() => ({ name: 'test', epoch: 0 }));
  await expect(wallet.topUp(money.database, { chatId, amount: 1, ref: 'early' })).rejects.toMatchObject({
    code: 'LEASE_LOST',
  });
});

test('a takeover waits for the transaction in which money moves', async () => {
  const { database } = money;
  const former = await money.succeed();
  let isTaken = false;
  const taking = await database.transaction(async transaction => {
    await former.topUp(transaction, { chatId, amount: 5, ref: 'in flight' });
    const takeover = money.succeed().then(wallet => {
      isTaken = true;
      return wallet;
    });
    await vi.waitUntil(async () => {
      const { rowCount } = await database.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return (rowCount ?? 0) > 0;
    }, patienceMs);
    expect(isTaken).toBe(false);
    // In an object: awaited here, the takeover would wait for this transaction, and it for the takeover.
    return { takeover };
  });
  const successor = await taking.takeover;
  expect(await successor.topUp(database, { chatId, amount: 5, ref: 'in flight' })).toMatchObject({
    moved: false,
  });
});
