// What becomes of an update and of a result when the Bot API is slow, refuses, or does not say what it did.
import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { reasons, reasonText } from '../../src/otel/reasons.ts';
import { type BotOptions, type BotUnderTest, quickTimings, startBot } from '../support/bot.ts';
import {
  acceptedRun,
  acceptedTap,
  messageChain,
  outcomeOf,
  paidTask,
  storyOf,
  tapChain,
  traceEnded,
} from '../support/story.ts';
import { walkToConfirm } from '../support/walk.ts';

const blocked = { kind: 'error', code: 403, description: 'Forbidden: bot was blocked by the user' } as const;
const tooMany = { kind: 'error', code: 429, description: 'Too Many Requests: retry after 1' } as const;
const overloaded = { kind: 'error', code: 502, description: 'Bad Gateway' } as const;

/** A tap whose screen could not be shown. */
const failedTap = tapChain('CALLBACK_ROUTED', 'CALLBACK_ACCEPTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_FAIL');
/** The same, and the user is notified of it. */
const notifiedTap = [...failedTap.slice(0, -1), 'UI_RENDER', 'DISPATCH_FAIL'];
/** The same, and the screen comes later. */
const owedTap = [...failedTap.slice(0, -1), 'RENDER_OWED', 'DISPATCH_FAIL'];
const failedCommand = messageChain('COMMAND_RECEIVED', 'COMMAND_START', 'DISPATCH_FAIL');
/** The menu comes later, and the welcome credit is given all the same. */
const owedStart = [...failedCommand.slice(0, -1), 'RENDER_OWED', 'DISPATCH_FAIL', 'BALANCE_TOPUP'];

describe.concurrent('a screen', () => {
  test('that Telegram puts off with 429 is shown after the time it asked for', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...tooMany, method: 'editMessageText', retryAfter: 1 });
    const story = await storyOf(bot, user.click('🎨 Pictures'));

    expect(story.chain).toEqual(acceptedTap);
    expect(user.lastMessage()?.text).toContain('Choose a model');
    const [refused, repeated] = bot.telegram.calls('editMessageText');
    expect((repeated?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(
      bot
        .spansOf(story.cid)
        .filter(({ name }) => name === 'telegram editMessageText')
        .map(({ status, attributes }) => [status.code, attributes['error.type']]),
    ).toEqual([
      [SpanStatusCode.ERROR, 'telegram_429'],
      [SpanStatusCode.UNSET, undefined],
    ]);
  });

  test('that Telegram puts off for longer than a turn may take ends in RATE_LIMIT, and is owed', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...tooMany, method: 'editMessageText', retryAfter: 600 });
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);

    expect(story.chain).toEqual(owedTap);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      reason_code: 'RATE_LIMIT',
      error_type: 'telegram_429',
    });
    expect(bot.telegram.callCount('editMessageText')).toBe(1);
  });

  test.each([
    ['fails with 502', overloaded],
    ['fails with 502 of a proxy, in HTML', { ...overloaded, body: 'html' }],
    ['loses its connection', { kind: 'reset' }],
  ] as const)('is edited again when the edit %s', async (_what, fault) => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...fault, method: 'editMessageText' });
    expect((await storyOf(bot, user.click('🎨 Pictures'))).chain).toEqual(acceptedTap);
    expect(user.lastMessage()?.text).toContain('Choose a model');
    expect(bot.telegram.callCount('editMessageText')).toBe(2);
  });

  test('whose edit was done but never answered is not taken for a failure', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'lost-answer', method: 'editMessageText' });
    const story = await storyOf(bot, user.click('🎨 Pictures'));

    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'CATEGORY_PICK', operation: 'unchanged' });
    expect((await storyOf(bot, user.click({ text: /^Z-Image/ }))).chain).toEqual(acceptedTap);
  });

  test('that shows the same already is a success', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({
      method: 'editMessageText',
      kind: 'error',
      code: 400,
      description: 'Bad Request: message is not modified: specified new message content is the same',
    });
    const story = await storyOf(bot, user.click('🎨 Pictures'));

    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'CATEGORY_PICK', operation: 'unchanged' });
    expect(bot.spansOf(story.cid).filter(({ status }) => status.code !== SpanStatusCode.UNSET)).toEqual([]);
  });

  test('whose message the user has deleted is sent anew', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({
      method: 'editMessageText',
      kind: 'error',
      code: 400,
      description: 'Bad Request: message to edit not found',
    });
    const story = await storyOf(bot, user.click('🎨 Pictures'));
    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'CATEGORY_PICK', operation: 'send' });
    expect((await storyOf(bot, user.click({ text: /^Z-Image/ }))).chain).toEqual(acceptedTap);
  });

  test('that Telegram refuses for good is replaced by a notice with the cid, and the old one goes on working', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const description = "Bad Request: can't parse entities";
    bot.telegram.failNext({ kind: 'error', code: 400, description, method: 'editMessageText' });
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);

    expect(story.chain).toEqual(notifiedTap);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      result: 'failed',
      reason_code: 'DOWNSTREAM_ERROR',
      reason_detail: `Telegram editMessageText: 400 ${description}`,
      error_type: 'telegram_400',
    });
    expect(await outcomeOf(bot, tap)).toEqual([
      { outcome: 'failed', reason_code: 'DOWNSTREAM_ERROR', attempts: 1 },
    ]);
    expect(noticesOf(user, story.cid)).toEqual([reasonText('INTERNAL_ERROR', 'en', story.cid)]);
    const [menu] = user.messages();
    const again = user.click('🎨 Pictures', { messageId: menu?.messageId ?? 0 });
    expect((await storyOf(bot, again)).chain).toEqual(acceptedTap);
  });

  test('that Telegram fails to show again and again comes a moment later', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...overloaded, times: 3, method: 'editMessageText' });
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap, 'DISPATCH_FAIL');
    expect(story.chain).toEqual(owedTap);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      result: 'failed',
      reason_code: 'DOWNSTREAM_ERROR',
      reason_detail: 'Telegram editMessageText: 502 Bad Gateway',
      error_type: 'telegram_502',
    });
    await user.waitForMessage(/Choose a model/, { after: tap });
    expect(noticesOf(user, story.cid)).toEqual([]);
  });

  test('that was sent but never answered for is sent once more, and the buttons of the first lead on', async () => {
    await using bot = await startBot();
    const user = bot.user();
    bot.telegram.failNext({ kind: 'lost-answer', method: 'sendMessage' });
    const story = await storyOf(bot, user.start(), 'UI_RENDER');

    expect(story.chain).toEqual([...owedStart, 'UI_RENDER']);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      reason_code: 'DOWNSTREAM_ERROR',
      reason_detail: 'Telegram could not be reached',
    });
    expect(bot.telegram.callCount('sendMessage')).toBe(2);
    const [first, second] = user.messages();
    const tap = user.click('🎨 Pictures', { messageId: first?.messageId ?? 0 });
    expect((await user.answerOf(tap)).text).toBe(reasons.EXPIRED_MESSAGE.text.en);
    expect((await storyOf(bot, tap)).line('UI_RENDER')).toMatchObject({
      screen_id: 'MAIN_MENU',
      operation: 'send',
    });
    const other = user.click('🎨 Pictures', { messageId: second?.messageId ?? 0 });
    expect((await storyOf(bot, other)).chain).toEqual(acceptedTap);
  });

  test('that fails to be sent with 502 comes a moment later', async () => {
    await using bot = await startBot();
    const user = bot.user({ started: true });
    bot.telegram.failNext({ ...overloaded, method: 'sendMessage' });
    const start = user.start();
    const story = await storyOf(bot, start, 'UI_RENDER');
    expect(story.chain).toEqual([...owedStart, 'UI_RENDER']);
    expect(await outcomeOf(bot, start)).toEqual([
      { outcome: 'failed', reason_code: 'DOWNSTREAM_ERROR', attempts: 1 },
    ]);
    expect(user.messages()).toHaveLength(1);
    expect((await storyOf(bot, user.click('🎨 Pictures'))).chain).toEqual(acceptedTap);
  });
});

describe.concurrent('the answer to a tap', () => {
  test('that comes too late is no failure of the tap', async () => {
    await using bot = await startBot({ telegram: { callbackLifetimeMs: -1 } });
    const user = await userAtMenu(bot);
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);

    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('ANSWER_CALLBACK_QUERY')).toMatchObject({
      result: 'failed',
      reason_detail: expect.stringContaining('query is too old'),
    });
    expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'accepted', reason_code: 'SUCCESS' });
    expect(user.lastMessage()?.text).toContain('Choose a model');
    expect(await outcomeOf(bot, tap)).toEqual([{ outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 }]);
  });

  test('is given again when Telegram fails with 502', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...overloaded, method: 'answerCallbackQuery' });
    const tap = user.click('🎨 Pictures');
    expect((await storyOf(bot, tap)).chain).toEqual(acceptedTap);
    expect(await user.answerOf(tap)).toMatchObject({ text: '' });
  });
});

describe.concurrent('a user', () => {
  test('who has blocked the bot ends the update as a fault and is remembered until seen again', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...blocked, method: 'sendMessage' });
    const help = user.say('/help');
    const story = await storyOf(bot, help);

    expect(story.chain).toEqual(failedCommand);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      reason_code: 'DOWNSTREAM_ERROR',
      error_type: 'telegram_403',
      reason_detail: 'Telegram sendMessage: 403 Forbidden: bot was blocked by the user',
    });
    expect(await outcomeOf(bot, help)).toEqual([
      { outcome: 'failed', reason_code: 'DOWNSTREAM_ERROR', attempts: 1 },
    ]);
    expect(await isBlocked(bot)).toEqual([true]);
    expect(bot.telegram.callCount('sendMessage')).toBe(2);

    expect((await storyOf(bot, user.say('/help'))).line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
    expect(await isBlocked(bot)).toEqual([false]);
  });

  test('who blocks and unblocks the bot is known to have done so', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    for (const [act, expected] of [
      [() => user.block(), true],
      [() => user.unblock(), false],
    ] as const) {
      const story = await storyOf(bot, act());
      expect(story.chain).toEqual(messageChain('DISPATCH_OK'));
      expect(story.line('DISPATCH_OK')).toMatchObject({ event_type: 'my_chat_member', result: 'accepted' });
      expect(await isBlocked(bot)).toEqual([expected]);
    }
    expect(bot.telegram.callCount('sendMessage')).toBe(1);
  });

  test('who blocks the bot right after a tap costs one failed update and no more', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const tap = user.click('🎨 Pictures');
    const block = user.block();
    const story = await storyOf(bot, tap);
    await storyOf(bot, block);

    expect(story.line('DISPATCH_FAIL')).toMatchObject({ error_type: 'telegram_403' });
    expect(await isBlocked(bot)).toEqual([true]);
    await storyOf(bot, user.unblock());
    expect((await storyOf(bot, user.start())).line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
  });
});

describe.concurrent('the picture', () => {
  const calledBackOnly: BotOptions = {
    kie: { stepMs: 'manual' },
    overrides: {
      timings: { ...quickTimings, poll: [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 60_000 }] },
    },
  };

  async function orderedRun(bot: BotUnderTest) {
    const user = bot.user();
    await walkToConfirm(user);
    const run = user.click('🚀 Run');
    await storyOf(bot, run, 'TASK_PROGRESS');
    return { user, run };
  }

  test('for a user who has blocked the bot is tried once', async () => {
    await using bot = await startBot(calledBackOnly);
    const { user, run } = await orderedRun(bot);
    await storyOf(bot, user.block());
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'DELIVERY_FAILED');

    expect(story.chain).toEqual([
      ...acceptedRun,
      'TASK_PROGRESS',
      'KIE_CALLBACK',
      ...paidTask,
      'DELIVERY_FAILED',
    ]);
    expect(story.line('DELIVERY_FAILED')).toMatchObject({
      operation: 'result',
      reason_code: 'DOWNSTREAM_ERROR',
      error_type: 'telegram_403',
      reason_detail: 'Telegram sendPhoto: 403 Forbidden: bot was blocked by the user',
    });
    expect(bot.telegram.callCount('sendPhoto')).toBe(1);
    await traceEnded(bot, story.cid);
    expect(await isBlocked(bot)).toEqual([true]);
    expect(await bot.database.query('select kind, attempts, reason_code from deliveries')).toEqual([
      { kind: 'result', attempts: 1, reason_code: 'DOWNSTREAM_ERROR' },
    ]);
    expect(await bot.database.query('select state from tasks')).toEqual([{ state: 'succeeded' }]);
  });

  test.each([
    ['fails with 502', overloaded, 1],
    // Delivered twice is a nuisance; never delivered, after it was paid for, is worse.
    ['is never answered for', { kind: 'lost-answer' }, 2],
  ] as const)('is sent again when the upload %s', async (_what, fault, pictures) => {
    await using bot = await startBot(calledBackOnly);
    const { user, run } = await orderedRun(bot);
    bot.telegram.failNext({ ...fault, method: 'sendPhoto' });
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');

    expect(story.chain.slice(-2)).toEqual(['DELIVERY_FAILED', 'RESULT_DELIVERED']);
    expect(story.line('DELIVERY_FAILED').reason_detail).toContain('will be tried again');
    expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(pictures);
    expect(bot.kie.createdCount()).toBe(1);
  });

  test('is delivered although the message above it cannot be edited', async () => {
    await using bot = await startBot(calledBackOnly);
    const { user, run } = await orderedRun(bot);
    bot.telegram.failNext({
      method: 'editMessageText',
      kind: 'error',
      code: 400,
      description: 'Bad Request: message to edit not found',
    });
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');
    expect(story.line('RESULT_DELIVERED')).toMatchObject({ operation: 'result' });
    expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(1);
  });
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  return user;
}

const noticesOf = (user: SandboxUser, cid: string): string[] =>
  user
    .messages()
    .map(({ text }) => text)
    .filter(text => text.includes(cid));

async function isBlocked(bot: BotUnderTest): Promise<boolean[]> {
  const rows = await bot.database.query<{ blocked: boolean }>(
    'select blocked_at is not null as blocked from users',
  );
  return rows.map(({ blocked: isSet }) => isSet);
}
