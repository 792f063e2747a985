// What a user's money does, as the user reads it and as the books have it: the credit of the first day, the price that
// was shown is the price that is held and charged, and whatever goes wrong gives it back and says so.
import { expect, test } from 'vitest';
import { createReconcile } from '../../src/billing/reconcile.ts';
import { type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { acceptedRun, acceptedTap, messageChain, storyOf, tapChain, traceEnded } from '../support/story.ts';
import { buttonsOf, prompt, walkToConfirm, walkToModel } from '../support/walk.ts';

const manual = { kie: { stepMs: 'manual' } } as const;
const today = (): string => new Date().toISOString().slice(0, 10);

test('a new user is given the welcome credit once, and sees it under /balance', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const first = user.start();
  await user.waitForMessage(/What shall we create/);
  const welcomed = await storyOf(bot, first, 'BALANCE_TOPUP');
  expect(welcomed.line('BALANCE_TOPUP')).toMatchObject({
    amount: 100_000,
    operation: 'welcome',
    domain: 'BILLING',
  });
  const again = user.start();
  await user.waitForMessage(/What shall we create/, { after: again });
  await storyOf(bot, again);

  const asked = user.say('/balance');
  const shown = await user.waitForMessage(/Balance: /, { after: asked });
  expect(shown.text).toBe(`Balance: ₽1,000\n\n${today()} · welcome bonus · +₽1,000`);
  expect(buttonsOf(shown)).toEqual(['◀️ Back', '🏠 Menu']);
  expect((await storyOf(bot, asked)).chain).toEqual(
    messageChain('COMMAND_RECEIVED', 'COMMAND_START', 'UI_RENDER', 'DISPATCH_OK'),
  );
  expect(await ledger(bot)).toEqual([['welcome', 100_000, 0]]);
  expect(bot.lines.filter(({ name }) => name === 'BALANCE_TOPUP')).toHaveLength(1);
});

test('without a welcome credit a new user has nothing, and no line says otherwise', async () => {
  await using bot = await startBot({ environment: { WELCOME_CREDIT: '' } });
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  const tap = user.click('💰 Balance');
  expect((await user.waitForMessage(/Balance: /, { after: tap })).text).toBe(
    'Balance: ₽0\n\nNo payments yet.',
  );
  expect((await storyOf(bot, tap)).chain).toEqual(acceptedTap);
  expect(await ledger(bot)).toEqual([]);
});

test('the price on the confirmation is what is held and then charged, and the balance shows it as one payment', async () => {
  await using bot = await startBot(manual);
  const user = bot.user();
  await walkToConfirm(user);
  expect(user.lastMessage()?.text).toContain('Price: ₽0.80. Your balance: ₽1,000.');
  const run = user.click('🚀 Run');
  const story = await storyOf(bot, run, 'TASK_PROGRESS');
  expect(story.chain.slice(0, acceptedRun.length)).toEqual(acceptedRun);
  expect(story.line('BALANCE_HOLD')).toMatchObject({
    amount: 80,
    domain: 'BILLING',
    task_id: story.line('TASK_CREATED').task_id,
    model_id: 'z-image',
  });
  expect(await balanceOf(bot)).toEqual({ available: 99_920, held: 80 });
  const held = await user.waitForMessage(/Balance: /, { after: user.say('/balance') });
  expect(held.text).toBe(
    [
      'Balance: ₽999.20',
      'Reserved for generations in progress: ₽0.80',
      '',
      `${today()} · reserved · −₽0.80`,
      `${today()} · welcome bonus · +₽1,000`,
    ].join('\n'),
  );

  await bot.kie.advance(3);
  const finished = await storyOf(bot, run, 'RESULT_DELIVERED');
  expect(finished.line('BALANCE_CHARGE')).toMatchObject({ amount: 80, domain: 'BILLING' });
  expect(finished.chain.indexOf('BALANCE_CHARGE')).toBe(finished.chain.indexOf('TASK_COMPLETED') + 1);
  expect(await balanceOf(bot)).toEqual({ available: 99_920, held: 0 });
  const paid = await user.waitForMessage(/Balance: /, { after: user.say('/balance') });
  expect(paid.text).toBe(
    ['Balance: ₽999.20', '', `${today()} · paid · −₽0.80`, `${today()} · welcome bonus · +₽1,000`].join('\n'),
  );
  expect(await ledger(bot)).toEqual([
    ['welcome', 100_000, 0],
    ['hold', -80, 80],
    ['charge', 0, -80],
  ]);
  await expectBooksInOrder(bot);
});

test('a wallet that is short says by how much, and nothing moves', async () => {
  await using bot = await startBot({ environment: { WELCOME_CREDIT: '50' } });
  const user = bot.user();
  await walkToConfirm(user);
  expect(user.lastMessage()?.text).toContain('You are ₽0.30 short.');
  const run = user.click('🚀 Run');
  const story = await storyOf(bot, run);
  expect(story.chain).toEqual(
    tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK'),
  );
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({
    reason_code: 'BALANCE_INSUFFICIENT',
    reason_detail: '30 kopecks',
    button_id: 'CONFIRM_RUN',
  });
  expect(await user.answerOf(run)).toMatchObject({ text: 'You are ₽0.30 short.', showAlert: false });
  expect(await bot.database.query('select id from tasks')).toEqual([]);
  expect(await ledger(bot)).toEqual([['welcome', 50, 0]]);
  expect(bot.kie.createdCount()).toBe(0);
  expect(user.lastMessage()?.text).toContain('Check and run');
  await expectBooksInOrder(bot);
});

test('a double tap on Run joins the task that the first one made', async () => {
  await using bot = await startBot(manual);
  const user = bot.user();
  await walkToConfirm(user);
  const [first, second] = [user.click('🚀 Run'), user.click('🚀 Run')];
  await storyOf(bot, first, 'TASK_PROGRESS');
  const story = await storyOf(bot, second);
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({ reason_code: 'DUPLICATE_ACTION' });
  expect(await user.answerOf(second)).toMatchObject({ text: 'Already on it' });
  await bot.kie.advance(3);
  await storyOf(bot, first, 'RESULT_DELIVERED');
  expect(bot.kie.createdCount()).toBe(1);
  expect(await bot.database.query('select count(*)::int as holds from holds')).toEqual([{ holds: 1 }]);
  expect(await balanceOf(bot)).toEqual({ available: 99_920, held: 0 });
  expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(1);
});

test('a failure gives the money back and says so; trying again is a new order of the same inputs', async () => {
  await using bot = await startBot();
  bot.kie.failNext({ at: 'outcome', does: 'fail' });
  const user = bot.user();
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  const failed = await storyOf(bot, run, 'RESULT_DELIVERED');
  await traceEnded(bot, failed.cid);
  expect(failed.line('BALANCE_RELEASE')).toMatchObject({ amount: 80, domain: 'BILLING' });
  expect(failed.chain.indexOf('BALANCE_RELEASE')).toBe(failed.chain.indexOf('TASK_FAILED') + 1);
  expect(user.lastMessage()?.text).toContain('Your money is back on your balance.');
  expect(await balanceOf(bot)).toEqual({ available: 100_000, held: 0 });

  const retry = user.click('🔁 Try again');
  const confirmation = await user.waitForMessage(/Check and run/, { after: retry });
  expect(confirmation.text).toContain(prompt);
  expect(confirmation.text).toContain('16:9');
  expect((await storyOf(bot, retry)).line('CALLBACK_ACCEPTED')).toMatchObject({
    button_id: 'RETRY',
    screen_id: 'RESULT_ERROR',
    next_screen: 'CONFIRM',
  });
  const rerun = user.click('🚀 Run');
  await storyOf(bot, rerun, 'RESULT_DELIVERED');
  const tasks = await bot.database.query<{ state: string; quote: { id: string }; inputs: object }>(
    'select state, quote, inputs from tasks order by created_at',
  );
  expect(tasks.map(({ state }) => state)).toEqual(['failed', 'succeeded']);
  expect(tasks[1]?.inputs).toEqual(tasks[0]?.inputs);
  expect(tasks[1]?.quote.id).not.toBe(tasks[0]?.quote.id);
  expect(await ledger(bot)).toEqual([
    ['welcome', 100_000, 0],
    ['hold', -80, 80],
    ['release', 80, -80],
    ['hold', -80, 80],
    ['charge', 0, -80],
  ]);
  const shown = await user.waitForMessage(/Balance: /, { after: user.say('/balance') });
  expect(shown.text.split('\n').slice(2)).toEqual([
    `${today()} · paid · −₽0.80`,
    `${today()} · reservation returned · +₽0.80`,
    `${today()} · reserved · −₽0.80`,
    `${today()} · welcome bonus · +₽1,000`,
  ]);
  await expectBooksInOrder(bot);
});

test('a quote that is over 15 minutes old is shown anew at the price of now, and only that one is charged', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  await ageQuote(bot, 70);
  const late = user.click('🚀 Run');
  const confirmation = await user.waitForMessage(/Check and run/, { after: late });
  const story = await storyOf(bot, late);
  expect(story.chain).toEqual(
    tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'UI_RENDER', 'DISPATCH_OK'),
  );
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({
    reason_code: 'EXPIRED_MESSAGE',
    reason_detail: 'the quote',
  });
  expect(await user.answerOf(late)).toMatchObject({
    text: 'The price was calculated a while ago. Check the current price and run again.',
  });
  expect(confirmation.text).toContain('Price: ₽0.80.');
  expect(await ledger(bot)).toEqual([['welcome', 100_000, 0]]);

  const run = user.click('🚀 Run', { messageId: confirmation.messageId });
  expect((await storyOf(bot, run, 'RESULT_DELIVERED')).line('BALANCE_CHARGE')).toMatchObject({ amount: 80 });
});

test('a model at price 0 is said to be free, and its result costs nothing', async () => {
  await using bot = await startBot({ prices: { 'z-image': 0 }, environment: { WELCOME_CREDIT: '0' } });
  const user = bot.user();
  await walkToConfirm(user);
  expect(user.lastMessage()?.text).toContain('Price: free. Your balance: ₽0.');
  const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  await traceEnded(bot, cid);
  expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(1);
  expect(await balanceOf(bot)).toEqual({ available: 0, held: 0 });
  expect(bot.linesOf(cid).filter(({ name }) => name === 'BALANCE_HOLD')).toMatchObject([{ amount: 0 }]);
  const shown = await user.waitForMessage(/Balance: /, { after: user.say('/balance') });
  expect(shown.text).toBe('Balance: ₽0\n\nNo payments yet.');
  await expectBooksInOrder(bot);
});

test('a free model that fails says that nothing was charged', async () => {
  await using bot = await startBot({ prices: { 'z-image': 0 } });
  bot.kie.failNext({ at: 'create', does: 'answer', code: 500 });
  const user = bot.user();
  await walkToConfirm(user);
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  expect(user.lastMessage()?.text).toContain('You were not charged.');
});

test('a dear order is counted to the kopeck in Russian, too', async () => {
  await using bot = await startBot({ prices: { 'google/nano-banana': 1_234.565 } });
  const user = bot.user({ languageCode: 'ru' });
  await user.waitForMessage(/Что создадим/, { after: user.start() });
  await user.waitForMessage(/Нашлось/, { after: user.say('nano banana') });
  await user.waitForMessage(/Вопросов/, { after: user.click({ text: /^Google Nano Banana · / }) });
  await user.waitForMessage(/шаг 1 из 1/, { after: user.click('✨ Создать') });
  await user.waitForMessage(/параметры/, { after: user.say('банан на столе') });
  const confirmation = await user.waitForMessage(/Проверьте и запускайте/, {
    after: user.click('▶️ Дальше'),
  });
  expect(plain(confirmation.text)).toContain('Цена: 1 234,57 ₽. На балансе: 1 000 ₽.');
  expect(plain(confirmation.text)).toContain('Не хватает 234,57 ₽.');
  const run = user.click('🚀 Запустить');
  expect(plain((await user.answerOf(run)).text)).toBe('Не хватает 234,57 ₽.');
});

test('Balance from a confirmation leads back to it, at the same price', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToModel(user, 'Z-Image', /step 1 of 2/);
  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
  const confirmation = await user.waitForMessage(/Check and run/, { after: user.click('1:1') });
  await user.waitForMessage(/Balance: /, { after: user.click('💰 Balance') });
  const back = await user.waitForMessage(/Check and run/, { after: user.click('◀️ Back') });
  expect(back.text).toBe(confirmation.text);
  const run = user.click('🚀 Run');
  expect((await storyOf(bot, run, 'RESULT_DELIVERED')).line('BALANCE_CHARGE')).toMatchObject({ amount: 80 });
});

/** The open confirmation was shown 16 minutes ago, at another price. The user sees it a moment before it is stored. */
async function ageQuote(bot: BotUnderTest, kopecks: number): Promise<void> {
  await waitFor('a stored quote', async () => {
    const aged = await bot.database.query(
      `update sessions
       set form = form || jsonb_build_object('quote', form->'quote' || jsonb_build_object(
         'kopecks', $1::int, 'at', to_char(now() at time zone 'UTC' - interval '16 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
       where form->'quote' is not null returning chat_id`,
      [kopecks],
    );
    return aged[0];
  });
}

/** Kind, what could be spent more, what was held more; in their order. */
async function ledger(bot: BotUnderTest): Promise<[string, number, number][]> {
  const rows = await bot.database.query<{ kind: string; available_delta: string; held_delta: string }>(
    'select kind, available_delta, held_delta from ledger order by id',
  );
  return rows.map(row => [row.kind, Number(row.available_delta), Number(row.held_delta)]);
}

async function balanceOf(bot: BotUnderTest): Promise<object | undefined> {
  const [row] = await bot.database.query<{ available: string; held: string }>(
    'select available, held from wallets',
  );
  return row && { available: Number(row.available), held: Number(row.held) };
}

async function expectBooksInOrder(bot: BotUnderTest): Promise<void> {
  const database = bot.database.connect(1);
  try {
    expect(await createReconcile({ database, telemetry: bot.app.telemetry }).run()).toEqual([]);
  } finally {
    await database.stop();
  }
}

/** Amounts are grouped and followed by spaces that do not break. */
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, ' ');
