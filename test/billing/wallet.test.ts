// Each move of money: what it does, that it does it once, and what it refuses.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSound, type Money, startMoney } from './money.ts';

let money: Money;
let lastChat = 0;

beforeAll(async () => {
  money = await startMoney();
});
afterAll(async () => {
  await expectSound(money.database, 1, lastChat);
  await money.stop();
});

/** A user of its own for each test, with so many kopecks. */
async function openWallet(available = 0): Promise<number> {
  const chatId = ++lastChat;
  await money.addUsers(chatId, 1);
  if (available > 0)
    await money.wallet.topUp(money.database, { chatId, amount: available, ref: `opened-${chatId}` });
  return chatId;
}

const refused = { code: 'WALLET_REFUSED' };

describe('a hold', () => {
  test('takes what can be spent, and is paid by a charge', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const task = `charged-${chatId}`;
    expect(await wallet.hold(database, { chatId, task, amount: 70 })).toEqual({
      ok: true,
      moved: true,
      amount: 70,
      balance: { available: 30, held: 70 },
    });
    expect(await wallet.charge(database, task)).toEqual({
      moved: true,
      amount: 70,
      balance: { available: 30, held: 0 },
    });
  });

  test('is given back by a release', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const task = `released-${chatId}`;
    await wallet.hold(database, { chatId, task, amount: 70 });
    expect(await wallet.release(database, task)).toEqual({
      moved: true,
      amount: 70,
      balance: { available: 100, held: 0 },
    });
  });

  test('of more than there is says how much is missing, and changes nothing', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const task = `dear-${chatId}`;
    expect(await wallet.hold(database, { chatId, task, amount: 130 })).toEqual({
      ok: false,
      missing: 30,
      balance: { available: 100, held: 0 },
    });
    await expect(wallet.charge(database, task)).rejects.toMatchObject(refused);
    await wallet.topUp(database, { chatId, amount: 30, ref: task });
    expect(await wallet.hold(database, { chatId, task, amount: 130 })).toMatchObject({
      ok: true,
      moved: true,
    });
  });

  test('of nothing needs no money and is settled like any other', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet();
    const task = `free-${chatId}`;
    expect(await wallet.hold(database, { chatId, task, amount: 0 })).toMatchObject({ ok: true, moved: true });
    expect(await wallet.charge(database, task)).toMatchObject({ moved: true, amount: 0 });
    expect(await wallet.charge(database, task)).toMatchObject({ moved: false, amount: 0 });
    await expect(wallet.release(database, task)).rejects.toMatchObject(refused);
    expect(await wallet.moves(database, chatId, 10)).toEqual([]);
  });

  test('comes once however often it is asked for, also after it was settled', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const hold = { chatId, task: `once-${chatId}`, amount: 70 };
    const taps = await Promise.all([1, 2, 3, 4].map(() => wallet.hold(database, hold)));
    expect(taps.filter(tap => tap.ok && tap.moved)).toHaveLength(1);
    expect(taps.every(tap => tap.ok && tap.amount === 70)).toBe(true);
    await wallet.release(database, hold.task);
    expect(await wallet.hold(database, hold)).toEqual({
      ok: true,
      moved: false,
      amount: 70,
      balance: { available: 100, held: 0 },
    });
  });

  test('is refused for a task that holds another amount or is another chat’s', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const other = await openWallet(100);
    const hold = { chatId, task: `mine-${chatId}`, amount: 70 };
    await wallet.hold(database, hold);
    await expect(wallet.hold(database, { ...hold, amount: 71 })).rejects.toMatchObject(refused);
    await expect(wallet.hold(database, { ...hold, chatId: other })).rejects.toMatchObject(refused);
    expect(await wallet.balance(database, other)).toEqual({ available: 100, held: 0 });
  });

  test('for one task by two chats at once is one chat’s', async () => {
    const { wallet, database } = money;
    const chats = [await openWallet(100), await openWallet(100)];
    const task = `both-${chats.join('-')}`;
    const answers = await Promise.allSettled(
      chats.map(chatId => wallet.hold(database, { chatId, task, amount: 70 })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const balances = await Promise.all(chats.map(chatId => wallet.balance(database, chatId)));
    expect(balances.map(({ held }) => held).sort()).toEqual([0, 70]);
  });

  test('is settled one way only, however many try', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const task = `settled-${chatId}`;
    await wallet.hold(database, { chatId, task, amount: 70 });
    const answers = await Promise.allSettled([
      wallet.charge(database, task),
      wallet.release(database, task),
      wallet.charge(database, task),
      wallet.release(database, task),
    ]);
    const moved = answers.filter(answer => answer.status === 'fulfilled' && answer.value.moved);
    expect(moved).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    expect(await wallet.balance(database, chatId)).toMatchObject({ held: 0 });
  });
});

describe('a refund', () => {
  test('gives back what was charged, once', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const task = `refunded-${chatId}`;
    await wallet.hold(database, { chatId, task, amount: 70 });
    await wallet.charge(database, task);
    expect(await wallet.refund(database, task, task)).toEqual({
      moved: true,
      amount: 70,
      balance: { available: 100, held: 0 },
    });
    expect(await wallet.refund(database, task, task)).toMatchObject({ moved: false, amount: 70 });
    await expect(wallet.refund(database, task, `again-${chatId}`)).rejects.toMatchObject(refused);
    expect(await wallet.balance(database, chatId)).toEqual({ available: 100, held: 0 });
  });

  test('is refused for what was not charged', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const task = `unpaid-${chatId}`;
    await expect(wallet.refund(database, task, task)).rejects.toMatchObject(refused);
    await wallet.hold(database, { chatId, task, amount: 70 });
    await expect(wallet.refund(database, task, task)).rejects.toMatchObject(refused);
    await wallet.release(database, task);
    await expect(wallet.refund(database, task, task)).rejects.toMatchObject(refused);
  });
});

describe('money from outside', () => {
  test('comes in once per reference', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet();
    const topUp = { chatId, amount: 500, ref: `paid-${chatId}` };
    expect(await wallet.topUp(database, topUp)).toMatchObject({ moved: true, balance: { available: 500 } });
    expect(await wallet.topUp(database, topUp)).toMatchObject({ moved: false, balance: { available: 500 } });
    await expect(wallet.topUp(database, { ...topUp, amount: 501 })).rejects.toMatchObject(refused);
  });

  test('is adjusted up and down, with a reason, and never below zero', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const adjustment = { chatId, amount: -60, ref: `down-${chatId}`, note: 'a mistake' };
    expect(await wallet.adjust(database, adjustment)).toMatchObject({ ok: true, moved: true, amount: 60 });
    expect(await wallet.adjust(database, adjustment)).toMatchObject({ ok: true, moved: false });
    await expect(wallet.adjust(database, { ...adjustment, amount: 60 })).rejects.toMatchObject(refused);
    expect(await wallet.adjust(database, { ...adjustment, ref: `more-${chatId}` })).toEqual({
      ok: false,
      missing: 20,
      balance: { available: 40, held: 0 },
    });
    expect(
      await wallet.adjust(database, { chatId, amount: 5, ref: `up-${chatId}`, note: 'an apology' }),
    ).toMatchObject({ ok: true, moved: true, balance: { available: 45, held: 0 } });
    await expect(
      wallet.adjust(database, { chatId, amount: 5, ref: `mute-${chatId}`, note: '' }),
    ).rejects.toMatchObject(refused);
  });

  test('welcomes a chat once, whatever the amount is later', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet();
    expect(await wallet.welcome(database, chatId, 0)).toMatchObject({ moved: false, amount: 0 });
    expect(await wallet.welcome(database, chatId, 300)).toMatchObject({ moved: true, amount: 300 });
    expect(await wallet.welcome(database, chatId, 900)).toEqual({
      moved: false,
      amount: 300,
      balance: { available: 300, held: 0 },
    });
  });

  test('that is no whole, positive number of kopecks does not come in', async () => {
    const { wallet, database } = money;
    const chatId = await openWallet(100);
    const ref = `odd-${chatId}`;
    for (const amount of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      await expect(wallet.topUp(database, { chatId, amount, ref }), String(amount)).rejects.toMatchObject(
        refused,
      );
    for (const amount of [-1, 0.5, Number.NaN])
      await expect(wallet.hold(database, { chatId, task: ref, amount })).rejects.toMatchObject(refused);
    await expect(wallet.adjust(database, { chatId, amount: 0, ref, note: 'x' })).rejects.toMatchObject(
      refused,
    );
    expect(await wallet.balance(database, chatId)).toEqual({ available: 100, held: 0 });
  });
});

test('a chat without a wallet has nothing', async () => {
  const chatId = await openWallet();
  expect(await money.wallet.balance(money.database, chatId)).toEqual({ available: 0, held: 0 });
  expect(await money.wallet.moves(money.database, chatId, 10)).toEqual([]);
});

test('the last moves come newest first', async () => {
  const { wallet, database } = money;
  const chatId = await openWallet(100);
  const task = `listed-${chatId}`;
  await wallet.hold(database, { chatId, task, amount: 70 });
  await wallet.charge(database, task);
  await wallet.adjust(database, { chatId, amount: -5, ref: task, note: 'a mistake' });
  const moves = await wallet.moves(database, chatId, 3);
  expect(moves.map(({ at: _, ...move }) => move)).toEqual([
    { kind: 'adjust', availableDelta: -5, heldDelta: 0, taskId: null, note: 'a mistake' },
    { kind: 'charge', availableDelta: 0, heldDelta: -70, taskId: task, note: null },
    { kind: 'hold', availableDelta: -70, heldDelta: 70, taskId: task, note: null },
  ]);
  expect(moves[0]?.at).toBeInstanceOf(Date);
});

test('a move goes with the transaction it is made in', async () => {
  const { wallet, database } = money;
  const chatId = await openWallet(100);
  const task = `undone-${chatId}`;
  const undone = new Error('undone');
  await expect(
    database.transaction(async transaction => {
      await wallet.hold(transaction, { chatId, task, amount: 70 });
      throw undone;
    }),
  ).rejects.toBe(undone);
  expect(await wallet.balance(database, chatId)).toEqual({ available: 100, held: 0 });
  expect(await wallet.hold(database, { chatId, task, amount: 50 })).toMatchObject({ ok: true, moved: true });
});

test.each([
  'update ledger set available_delta = available_delta + 1',
  'update ledger set note = null',
  'delete from ledger',
  'truncate ledger',
])('the ledger is only added to: %s', async statement => {
  await openWallet(100);
  await expect(money.database.query(statement)).rejects.toMatchObject({ code: 'TW002' });
});

test.each([
  ['a wallet below zero', `update wallets set available = -1`],
  ['a wallet that holds less than nothing', `update wallets set held = -1`],
  ['a hold that is settled without a time', `update holds set state = 'held', settled_at = now()`],
  ['a hold of less than nothing', `update holds set amount = -1`],
  ['a hold in an unknown state', `update holds set state = 'lost'`],
  [
    'a charge that adds to what can be spent',
    `insert into ledger (chat_id, kind, available_delta, held_delta, ref, task_id, epoch)
     select chat_id, 'charge', 5, -5, 'x', 'x', 1 from wallets limit 1`,
  ],
  [
    'a payment of nothing',
    `insert into ledger (chat_id, kind, available_delta, held_delta, ref, epoch)
     select chat_id, 'topup', 0, 0, 'x', 1 from wallets limit 1`,
  ],
  [
    'a hold without its task',
    `insert into ledger (chat_id, kind, available_delta, held_delta, ref, epoch)
     select chat_id, 'hold', -5, 5, 'x', 1 from wallets limit 1`,
  ],
  [
    'a move of an unknown kind',
    `insert into ledger (chat_id, kind, available_delta, held_delta, ref, epoch)
     select chat_id, 'gift', 5, 0, 'x', 1 from wallets limit 1`,
  ],
])('the database itself refuses %s', async (_case, statement) => {
  const chatId = await openWallet(100);
  await money.wallet.hold(money.database, { chatId, task: `checked-${chatId}`, amount: 10 });
  await expect(money.database.query(statement)).rejects.toMatchObject({ code: '23514' });
});

test.each([
  ['a second hold of a task', 'hold', -5, 5],
  ['a second settlement of a task', 'release', 5, -5],
])('the database itself refuses %s', async (_case, kind, available, held) => {
  const chatId = await openWallet(100);
  const task = `twice-${chatId}`;
  await money.wallet.hold(money.database, { chatId, task, amount: 10 });
  await money.wallet.charge(money.database, task);
  await expect(
    money.database.query(
      `insert into ledger (chat_id, kind, available_delta, held_delta, ref, task_id, epoch)
       values ($1, $2, $3, $4, 'x', $5, 1)`,
      [chatId, kind, available, held, task],
    ),
  ).rejects.toMatchObject({ code: '23505' });
});
