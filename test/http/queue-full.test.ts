// A full inbox, as Telegram and the operator see it: 429 until there is room, nothing lost, and a few lines.
import { expect, test } from 'vitest';
import type { SentUpdate } from '../../sandbox/telegram/index.ts';
import type { CommandHandler } from '../../src/bot/context.ts';
import { handlers } from '../../src/handlers/index.ts';
import { type BotUnderTest, type Line, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { outcomeOf, storyOf } from '../support/story.ts';

const inboxMax = 20;
const environment = { INBOX_MAX: String(inboxMax) };
const polling = { ...environment, BOT_MODE: 'polling' };
/** The chat of another instance, which works its updates. */
const elsewhere = 77;

test('while the inbox is full an update is answered 429 and not stored', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax);
  const answer = await post(bot, 500);
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await storedAs(bot, 500)).toEqual([]);
  expect(bot.lines.filter(({ update_id }) => update_id === 500)).toEqual([]);
});

test('the last place is given away, and only once', async () => {
  await using bot = await startSlowBot(environment);
  const user = bot.user({ started: true });
  await fill(bot, inboxMax - 1);
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => post(bot, 600 + index, user.chatId)),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(11).fill(429)]);
  expect(await unfinished(bot)).toBe(inboxMax);
  bot.release();
  await user.waitForMessage(/How it works/);
});

test('what Telegram was refused it sends again, and it is worked once there is room', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax);
  const user = bot.user();
  const sent = user.start();
  await queueFull(bot);
  expect(user.messages()).toEqual([]);
  expect(bot.telegram.webhookInfo.pending_update_count).toBe(1);

  await empty(bot);
  await user.waitForMessage(/What shall we create/);
  await bot.telegram.idle();
  expect((await storyOf(bot, sent)).chain.filter(name => name === 'UPDATE_RECEIVED')).toHaveLength(1);
  expect(await outcomeOf(bot, sent)).toEqual([{ outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 }]);
  expect(user.messages()).toHaveLength(1);
});

test('a full inbox is told outside any trace, with its depth', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax + 3);
  await post(bot, 500);
  const line = await queueFull(bot);
  expect(line).toMatchObject({
    level: 'WARNING',
    domain: 'QUEUE',
    reason_code: 'RATE_LIMIT',
    queue_depth: inboxMax + 3,
    refused_count: 1,
  });
  expect(line.msg).toContain(`cid=${line.cid} domain=QUEUE reason_code=RATE_LIMIT`);
  expect(bot.spansOf(line.cid)).toEqual([]);
});

test('many refusals make one line per second, which count every one of them', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax);
  let refused = 0;
  const lines = (): Line[] => bot.lines.filter(({ name }) => name === 'QUEUE_FULL');
  // Until the third line is there: the one at once, and two that were held back.
  while (lines().length < 3) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(bot, 500)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]));
    refused += answers.length;
  }
  await post(bot, 500);
  refused += 1;
  await bot.app.stop();
  const counts = lines().map(({ refused_count }) => Number(refused_count));
  expect(counts[0]).toBe(1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(refused);
  const [first = 0, second = 0, third = 0] = lines().map(({ ts }) => Date.parse(String(ts)));
  // Timers may be a millisecond early.
  for (const pauseMs of [second - first, third - second]) expect(pauseMs).toBeGreaterThanOrEqual(999);
});

test('strangers and broken bodies are told so, however full the inbox is', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax);
  const stranger = await fetch(bot.webhookUrl(), { method: 'POST', body: '{"update_id":1}' });
  expect(stranger.status).toBe(401);
  expect((await post(bot, 1.5)).status).toBe(400);
  expect(bot.lines.filter(({ name }) => name === 'QUEUE_FULL')).toEqual([]);
});

test('a checkout is answered and stored however full the inbox is', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax + 3);
  const checkout = sendCheckout(bot);
  await bot.waitForLine(({ name }) => name === 'PRE_CHECKOUT');
  expect(bot.telegram.calls('answerPreCheckoutQuery').map(({ ok }) => ok)).toEqual([true]);
  expect(await outcomeOf(bot, checkout)).toMatchObject([{ outcome: 'noop' }]);
  expect(bot.lines.filter(({ name }) => name === 'QUEUE_FULL')).toEqual([]);
});

test.each(['successful_payment', 'refunded_payment'])(
  'a message of a %s is taken however full the inbox is, and those around it are not',
  async kind => {
    await using bot = await startBot({ environment });
    await fill(bot, inboxMax);
    expect((await post(bot, 500)).status).toBe(429);
    const payment = { currency: 'XTR', total_amount: 5, telegram_payment_charge_id: 'charge-1' };
    expect((await post(bot, 501, elsewhere, { [kind]: payment })).status).toBe(200);
    expect(await storedAs(bot, 501)).toHaveLength(1);
    expect((await post(bot, 502)).status).toBe(429);
  },
);

test('what only looks like a payment waits like everything else', async () => {
  await using bot = await startBot({ environment });
  await fill(bot, inboxMax);
  const answers = [
    await post(bot, 500, elsewhere, { text: 'successful_payment' }),
    await post(bot, 501, elsewhere, { successful_payment: null }),
    await post(bot, 502, elsewhere, { reply_to_message: { successful_payment: { currency: 'XTR' } } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([429, 429, 429]);
});

test('a poller takes nothing but payments while the inbox is full, and goes on where it was', async () => {
  await using bot = await startSlowBot(polling);
  const [patient, late] = [bot.user({ started: true }), bot.user()];
  const taken = Array.from({ length: inboxMax }, () => patient.say('/help'));
  const left = late.start();
  expect(await queueFull(bot)).toMatchObject({ queue_depth: inboxMax, refused_count: 0 });

  const checkout = sendCheckout(bot);
  await bot.waitForLine(({ name }) => name === 'PRE_CHECKOUT');
  expect(await storedAs(bot, checkout.updateId)).toHaveLength(1);
  await waitFor('another look', () => bot.lines.filter(({ name }) => name === 'QUEUE_FULL')[1]);
  expect(await storedAs(bot, left.updateId)).toEqual([]);
  expect(bot.telegram.webhookInfo.pending_update_count).toBe(2);

  bot.release();
  await late.waitForMessage(/What shall we create/);
  await bot.telegram.idle();
  for (const update of [...taken, left])
    expect(await outcomeOf(bot, update)).toEqual([
      { outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 },
    ]);
  expect(await outcomeOf(bot, checkout)).toMatchObject([{ outcome: 'noop' }]);
  expect(
    bot.lines.filter(line => line.update_id === checkout.updateId && line.name === 'UPDATE_RECEIVED'),
  ).toHaveLength(1);
  expect(bot.lines.filter(({ name }) => name === 'UPDATE_DUPLICATE')).toEqual([]);
});

test('a poller stores no more than there is room for', async () => {
  await using bot = await startSlowBot(polling);
  const user = bot.user({ started: true });
  for (let count = 0; count < inboxMax * 2; count += 1) user.say('/help');
  await queueFull(bot);
  expect(await unfinished(bot)).toBe(inboxMax);
  bot.release();
  await bot.telegram.idle();
});

test('a checkout behind more than Telegram shows at once is answered while the inbox is full', async () => {
  const max = 120;
  await using bot = await startSlowBot({ ...polling, INBOX_MAX: String(max) });
  const users = Array.from({ length: 6 }, () => bot.user({ started: true }));
  for (let count = 0; count < 44; count += 1) for (const user of users) user.say('/help');
  sendCheckout(bot);
  await bot.waitForLine(({ name }) => name === 'PRE_CHECKOUT');
  expect(await unfinished(bot)).toBeLessThanOrEqual(2 * max + 1);
  bot.release();
  await bot.telegram.idle();
});

test('a poller that waits for room can be stopped, and confirms what it has stored', async () => {
  await using bot = await startSlowBot(polling);
  const user = bot.user({ started: true });
  for (let count = 0; count < inboxMax; count += 1) user.say('/help');
  const left = user.say('/help');
  await queueFull(bot);
  bot.release();
  await bot.app.stop();
  expect(bot.telegram.webhookInfo.pending_update_count).toBe(
    (await storedAs(bot, left.updateId)).length === 0 ? 1 : 0,
  );
});

interface SlowBot extends BotUnderTest {
  /** Every /help, waiting or to come, is answered from now on. */
  release(): void;
}

/** A bot whose /help waits until it is released, at the end of the test at the latest. */
async function startSlowBot(environment: Readonly<Record<string, string>>): Promise<SlowBot> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const help: CommandHandler<'help'> = async (context, argument) => {
    await released;
    return handlers.commands.help(context, argument);
  };
  const slow = { ...handlers, commands: { ...handlers.commands, help } };
  const bot = await startBot({ environment, overrides: { handlers: slow } });
  return {
    ...bot,
    release,
    async [Symbol.asyncDispose]() {
      release();
      await bot[Symbol.asyncDispose]();
    },
  };
}

function sendCheckout(bot: BotUnderTest): SentUpdate {
  return bot.telegram.sendRaw({
    pre_checkout_query: {
      id: 'checkout-500',
      from: { id: 500, is_bot: false, first_name: 'Ada', language_code: 'en' },
      currency: 'XTR',
      total_amount: 5,
      invoice_payload: 'order-1',
    },
  });
}

/** Another instance has stored so many updates, and is still at work on them. */
async function fill(bot: BotUnderTest, count: number): Promise<void> {
  await bot.database.query(
    `insert into updates (bot_id, update_id, lane, event_type, body, traceparent)
     select $1, -number, $2, 'message', '{}', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
     from generate_series(1, $3::int) as number`,
    [bot.config.telegram.botId, elsewhere, count],
  );
}

/** All of them have their outcome. */
async function empty(bot: BotUnderTest): Promise<void> {
  await bot.database.query(
    `update updates set outcome = 'noop', reason_code = 'NOOP', finished_at = now() where outcome is null`,
  );
}

async function unfinished(bot: BotUnderTest): Promise<number> {
  return (await bot.database.query('select 1 from updates where outcome is null')).length;
}

function storedAs(bot: BotUnderTest, updateId: number): Promise<object[]> {
  return bot.database.query('select id from updates where update_id = $1', [updateId]);
}

function queueFull(bot: BotUnderTest): Promise<Line> {
  return bot.waitForLine(({ name }) => name === 'QUEUE_FULL');
}

/** Telegram brings a message of a chat, `/help` if nothing else is given. */
function post(
  bot: BotUnderTest,
  updateId: number,
  chatId = elsewhere,
  content: object = { text: '/help' },
): Promise<Response> {
  const from = { id: chatId, is_bot: false, first_name: 'Somebody', language_code: 'en' };
  const chat = { id: chatId, type: 'private', first_name: 'Somebody' };
  return fetch(bot.webhookUrl(), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': webhookSecret,
    },
    body: JSON.stringify({
      update_id: updateId,
      message: { message_id: 1, date: 1, chat, from, ...content },
    }),
  });
}
