// One chat sends far more than it is answered, while Telegram lets nothing through to it: it gets its share of the inbox
// and no more, every update of it has an outcome or waits, and everybody else is served as if it were not there.
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { type BotUnderTest, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { patienceMs, testLimitMs } from '../support/patience.ts';

const floodUpdates = 3_000;
/** More than the share takes: the taps come afterwards, for one that is worked would hold its chat. */
const messagesFirst = 200;
const inboxMax = 400;
const chatMax = 20;
const connections = 40;
/** Group commits that do not see each other may each fill the share. */
const overshoot = 3;
const flooder = 4_040;
/** What holds a chat must not be given up while the machine is busy with other things. */
const slowly = { UPDATE_DEADLINE_SECONDS: '30' };

test(
  'a chat that floods has its share, and everybody else is served at once',
  async () => {
    const gate = Promise.withResolvers<void>();
    const help: typeof handlers.commands.help = async (context, argument) => {
      await gate.promise;
      return handlers.commands.help(context, argument);
    };
    await using bot = await startBot({
      environment: { ...slowly, INBOX_MAX: String(inboxMax), INBOX_CHAT_MAX: String(chatMax) },
      overrides: { handlers: { ...handlers, commands: { ...handlers.commands, help } } },
    });
    using _release = { [Symbol.dispose]: gate.resolve };
    const user = bot.user();
    bot.telegram.failNext({ kind: 'hang', method: 'answerCallbackQuery', times: floodUpdates });

    const statuses = await flood(bot);
    expect(statuses).toEqual(new Set([200]));
    expect(await unfinishedOf(bot, flooder)).toBeGreaterThanOrEqual(chatMax);
    expect(await unfinishedOf(bot, flooder)).toBeLessThanOrEqual(chatMax * overshoot);
    // In the middle of it: what the flooder is owed is still tried.
    await user.waitForMessage(/What shall we create/, { after: user.start(), deadlineMs: patienceMs });

    // Money is never left out.
    const update = {
      ...message(floodUpdates + 1),
      message: { ...message(0).message, successful_payment: {} },
    };
    const pool = new Pool(bot.app.url());
    expect(await post(pool, { ...update, update_id: floodUpdates + 1 })).toBe(200);
    await pool.close();
    expect(
      await bot.database.query('select outcome from updates where update_id = $1', [floodUpdates + 1]),
    ).toEqual([{ outcome: null }]);

    const outcomes = await bot.database.query<{
      outcome: string | null;
      reason_code: string | null;
      count: number;
    }>('select outcome, reason_code, count(*)::int from updates where lane = $1 group by 1, 2', [flooder]);
    const refused = outcomes.find(({ outcome }) => outcome === 'rejected');
    expect(new Set(outcomes.map(({ outcome, reason_code: reason }) => `${outcome} ${reason}`))).toEqual(
      new Set(['null null', 'rejected RATE_LIMIT']),
    );
    const emitted = (name: string) =>
      bot.lines.filter(line => line.name === name && line.reason_code === 'RATE_LIMIT');
    expect(emitted('DISPATCH_OK')).toHaveLength(refused?.count ?? 0);
    expect(emitted('CALLBACK_REJECTED').length + emitted('COMMAND_REJECTED').length).toBe(refused?.count);
    expect(emitted('FLOOD_NOTICE').length).toBeLessThanOrEqual(1);
    expect(bot.telegram.callCount('answerCallbackQuery')).toBeLessThan(floodUpdates / 10);
    expect(bot.lines.filter(({ error_type: type }) => type === 'TOO_MANY')).toEqual([]);
    // Each tap was tried, or an event says that it was not.
    await waitFor(
      'the end of every tap',
      () => answeredOf(bot).length >= emitted('CALLBACK_REJECTED').length || undefined,
      undefined,
      patienceMs,
    );
    expect(answeredOf(bot)).toHaveLength(emitted('CALLBACK_REJECTED').length);
    expect(new Set(answeredOf(bot).map(({ reason_code: reason }) => reason))).toEqual(
      new Set(['RATE_LIMIT']),
    );
    expect(answeredOf(bot).map(({ reason_detail: why }) => why)).toContain(
      'not sent: no place to answer it came free within 10 s',
    );

    gate.resolve();
    await waitFor(
      'the end of what the flooder was given',
      async () => (await unfinishedOf(bot, flooder)) === 0 || undefined,
      undefined,
      patienceMs,
    );
  },
  testLimitMs,
);

test('the user of a tap and a message above the share is notified, of the message once a minute', async () => {
  const gate = Promise.withResolvers<void>();
  const help: typeof handlers.commands.help = async (context, argument) => {
    await gate.promise;
    return handlers.commands.help(context, argument);
  };
  await using bot = await startBot({
    environment: { ...slowly, INBOX_CHAT_MAX: '3' },
    overrides: { handlers: { ...handlers, commands: { ...handlers.commands, help } } },
  });
  using _release = { [Symbol.dispose]: gate.resolve };
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  await waitFor('an empty inbox', async () => (await unfinishedOf(bot, user.chatId)) === 0 || undefined);
  for (let count = 0; count < 3; count += 1) user.say('/help');
  // Taps and messages come on ways of their own.
  await waitFor('the share', async () => (await unfinishedOf(bot, user.chatId)) === 3 || undefined);
  const tap = user.click('🎨 Pictures');
  expect(await user.answerOf(tap, patienceMs)).toMatchObject({ text: 'Too many requests. Wait a little' });
  const command = user.say('/balance');
  const words = [user.say('a bird'), user.say('a cat')];
  await user.waitForMessage(/skip some/, { after: command, deadlineMs: patienceMs });
  const chains = await Promise.all(
    [tap, command, ...words].map(async ({ updateId }) => {
      const cid = await bot.cidOf(updateId);
      await bot.waitForEvent(cid, 'DISPATCH_OK');
      return bot.chainOf(cid).slice(0, 3);
    }),
  );
  expect(chains).toEqual([
    ['UPDATE_RECEIVED', 'CALLBACK_REJECTED', 'DISPATCH_OK'],
    ['UPDATE_RECEIVED', 'COMMAND_REJECTED', 'DISPATCH_OK'],
    ['UPDATE_RECEIVED', 'DISPATCH_OK', ...[]],
    ['UPDATE_RECEIVED', 'DISPATCH_OK', ...[]],
  ]);
  expect(bot.lines.filter(({ name }) => name === 'FLOOD_NOTICE')).toHaveLength(1);

  gate.resolve();
  await waitFor('an empty inbox', async () => (await unfinishedOf(bot, user.chatId)) === 0 || undefined);
  const menu = user.say('/start');
  await user.waitForMessage(/What shall we create/, { after: menu, deadlineMs: patienceMs });
});

test('each tap of a burst above the share is answered, also when the first answers take long', async () => {
  await using bots = await startBusy();
  const { bot, user } = bots;
  bot.telegram.failNext({ kind: 'delay', ms: 1_500, method: 'answerCallbackQuery', times: 3 });
  const pool = new Pool(bot.app.url());
  const ids = Array.from({ length: 50 }, (_, index) => 1_000_000 + index);
  const sender = { ...from, id: user.chatId };
  const statuses = await Promise.all(
    ids.map(id => {
      const { callback_query: query } = tap(id);
      const message = { ...query.message, chat: { ...chat, id: user.chatId } };
      return post(pool, { update_id: id, callback_query: { ...query, from: sender, message } });
    }),
  );
  await pool.close();
  expect(new Set(statuses)).toEqual(new Set([200]));
  const answers = () =>
    bot.telegram.calls('answerCallbackQuery', ({ payload }) =>
      ids.some(id => payload.callback_query_id === `tap-${id}`),
    );
  await waitFor('all answers', () => answers().length >= ids.length || undefined, undefined, patienceMs);
  const unsent = /^not sent|^Telegram did not answer in time/;
  expect(answeredOf(bot).filter(({ reason_detail: why }) => unsent.test(String(why)))).toEqual([]);
});

test('an answer that Telegram puts off for longer than the spinner lasts is logged as put off, and holds no place', async () => {
  await using bots = await startBusy();
  const { bot, user } = bots;
  bot.telegram.failNext({
    kind: 'error',
    code: 429,
    description: 'Too Many Requests: retry after 5',
    retryAfter: 5,
    method: 'answerCallbackQuery',
  });
  user.click('🎨 Pictures');
  const [answer] = await waitFor(
    'the end of the tap',
    () => {
      const lines = answeredOf(bot).filter(({ reason_code: reason }) => reason === 'RATE_LIMIT');
      return lines.length > 0 ? lines : undefined;
    },
    undefined,
    patienceMs,
  );
  expect(answer).toMatchObject({
    result: 'failed',
    reason_detail: expect.stringMatching(/429 Too Many Requests/),
  });
});

test('the notice is tried again: at the next message, or when Telegram lets it through', async () => {
  await using bots = await startBusy();
  const { bot, user } = bots;
  bot.telegram.failNext({ kind: 'reset', method: 'sendMessage' });
  const notices = () => bot.lines.filter(({ name }) => name === 'FLOOD_NOTICE').map(({ result }) => result);
  user.say('a bird');
  await waitFor('the first notice', () => notices().length === 1 || undefined, undefined, patienceMs);
  bot.telegram.failNext({
    kind: 'error',
    code: 429,
    description: 'Too Many Requests: retry after 6',
    retryAfter: 6,
    method: 'sendMessage',
  });
  const last = user.say('a cat');
  await user.waitForMessage(/skip some/, { after: last, deadlineMs: patienceMs });
  await waitFor('the notices', () => notices().length === 3 || undefined, undefined, patienceMs);
  expect(notices()).toEqual(['failed', 'failed', 'accepted']);
});

/** A chat with its whole share of one update, which is not answered before the end. */
async function startBusy(): Promise<{ bot: BotUnderTest; user: SandboxUser } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const gate = Promise.withResolvers<void>();
  const help: typeof handlers.commands.help = async (context, argument) => {
    await gate.promise;
    return handlers.commands.help(context, argument);
  };
  const bot = stack.use(
    await startBot({
      environment: { ...slowly, INBOX_CHAT_MAX: '1' },
      overrides: { handlers: { ...handlers, commands: { ...handlers.commands, help } } },
    }),
  );
  stack.defer(gate.resolve);
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  await waitFor('an empty inbox', async () => (await unfinishedOf(bot, user.chatId)) === 0 || undefined);
  user.say('/help');
  await waitFor('the share', async () => (await unfinishedOf(bot, user.chatId)) === 1 || undefined);
  const owned = stack.move();
  return { bot, user, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** Commands, then taps and commands in turn, as fast as the bot takes them. Resolves to the answers there were. */
async function flood(bot: BotUnderTest): Promise<Set<number>> {
  const pool = new Pool(bot.app.url(), { connections });
  const statuses = new Set<number>();
  const waiting = Array.from({ length: floodUpdates }, (_, index) => index + 1).values();
  const send = async (): Promise<void> => {
    for (const id of waiting)
      statuses.add(await post(pool, id > messagesFirst && id % 2 === 0 ? tap(id) : message(id)));
  };
  try {
    await Promise.all(Array.from({ length: connections }, send));
  } finally {
    await pool.close();
  }
  return statuses;
}

const from = { id: flooder, is_bot: false, first_name: 'Flooder', language_code: 'en' };
const chat = { id: flooder, type: 'private', first_name: 'Flooder' };

function message(updateId: number) {
  return { update_id: updateId, message: { message_id: 1, date: 1, chat, from, text: '/help' } };
}

function tap(updateId: number) {
  return {
    update_id: updateId,
    callback_query: {
      id: `tap-${updateId}`,
      from,
      message: { message_id: 1, date: 1, chat },
      data: 'v1:menu',
    },
  };
}

async function post(pool: Pool, update: object): Promise<number> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/webhook',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecret },
    body: JSON.stringify(update),
  });
  await body.dump();
  return statusCode;
}

function answeredOf(bot: BotUnderTest) {
  return bot.lines.filter(({ name }) => name === 'ANSWER_CALLBACK_QUERY');
}

async function unfinishedOf(bot: BotUnderTest, lane: number): Promise<number> {
  return (await bot.database.query('select 1 from updates where lane = $1 and outcome is null', [lane]))
    .length;
}
