// What the bot does when the Bot API refuses, fails, or loses its answer: nothing is sent twice, what may be
// repeated is, and the rest is told.
import { expect, test } from 'vitest';
import type { SandboxUser } from '../../src/sandbox/telegram/index.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { acceptedTap, messageChain, outcomeOf, storyOf, tapChain } from '../support/story.ts';
import { walkToConfirm } from '../support/walk.ts';

const blocked = { kind: 'error', code: 403, description: 'Forbidden: bot was blocked by the user' } as const;

test('a render that Telegram wants later is repeated after the wait that it asked for', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  bot.telegram.failNext({
    method: 'editMessageText',
    kind: 'error',
    code: 429,
    description: 'Too Many Requests: retry after 1',
    retryAfter: 1,
  });
  const tap = user.click('🎨 Pictures');
  await user.waitForMessage(/Choose a model/, { after: tap });
  expect((await storyOf(bot, tap)).chain).toEqual(acceptedTap);
  const [refused, repeated] = bot.telegram.calls('editMessageText');
  expect(refused?.ok).toBe(false);
  expect(repeated?.ok).toBe(true);
  expect((repeated?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(990);
  expect(user.messages()).toHaveLength(1);
});

test.each([
  { fault: { kind: 'error', code: 500, description: 'Internal Server Error' } as const },
  { fault: { kind: 'error', code: 502, description: 'Bad Gateway', body: 'html' } as const },
  { fault: { kind: 'reset' } as const },
  { fault: { kind: 'lost-answer' } as const },
])('an edit that ends with $fault.kind $fault.code is repeated', async ({ fault }) => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  bot.telegram.failNext({ method: 'editMessageText', ...fault });
  const tap = user.click('🎨 Pictures');
  expect((await storyOf(bot, tap)).chain).toEqual(acceptedTap);
  expect(bot.telegram.calls('editMessageText')).toHaveLength(2);
  expect(user.messages()).toHaveLength(1);
  expect(user.lastMessage()?.text).toContain('Choose a model');
  await user.waitForMessage(/photorealistic/, { after: user.click('Z-Image') });
});

test('an edit that goes on failing is told as DOWNSTREAM_ERROR, and the old screen stays usable', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  bot.telegram.failNext({
    method: 'editMessageText',
    kind: 'error',
    code: 500,
    description: 'Internal Server Error',
    times: 3,
  });
  const tap = user.click('🎨 Pictures');
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(
    tapChain('CALLBACK_ROUTED', 'CALLBACK_ACCEPTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_FAIL'),
  );
  expect(story.line('DISPATCH_FAIL')).toMatchObject({
    result: 'failed',
    reason_code: 'DOWNSTREAM_ERROR',
    reason_detail: expect.stringContaining('500'),
  });
  await expectFailed(bot, tap);
  await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
});

test('a user who has blocked the bot is remembered as such until the unblocking', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  bot.telegram.failNext({ method: 'sendMessage', ...blocked });
  const command = user.say('/help');
  const story = await storyOf(bot, command);
  expect(story.chain).toEqual(messageChain('COMMAND_RECEIVED', 'COMMAND_START', 'DISPATCH_FAIL'));
  expect(story.line('DISPATCH_FAIL')).toMatchObject({
    result: 'failed',
    reason_code: 'DOWNSTREAM_ERROR',
    reason_detail: expect.stringContaining('bot was blocked by the user'),
  });
  await expectFailed(bot, command);
  expect(bot.telegram.calls('sendMessage', { fault: 'error' })).toHaveLength(1);
  expect(await isBlocked(bot, user)).toBe(true);

  await storyOf(bot, user.unblock());
  expect(await isBlocked(bot, user)).toBe(false);
});

test('blocking and unblocking are remembered from what Telegram says, and nothing is sent', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const calls = bot.telegram.callCount('sendMessage');
  expect((await storyOf(bot, user.block())).chain).toEqual(messageChain('DISPATCH_OK'));
  expect(await isBlocked(bot, user)).toBe(true);
  expect((await storyOf(bot, user.unblock())).chain).toEqual(messageChain('DISPATCH_OK'));
  expect(await isBlocked(bot, user)).toBe(false);
  expect(bot.telegram.callCount('sendMessage')).toBe(calls);
});

test('a tap whose answer comes too late still shows its screen', async () => {
  await using bot = await startBot({ telegram: { callbackLifetimeMs: -1 } });
  const user = await userAtMenu(bot);
  const tap = user.click('🎨 Pictures');
  await user.waitForMessage(/Choose a model/, { after: tap });
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(acceptedTap);
  expect(story.line('ANSWER_CALLBACK_QUERY')).toMatchObject({
    result: 'failed',
    reason_detail: expect.stringContaining('query is too old'),
  });
  expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
});

test('a message whose answer was lost is not sent a second time', async () => {
  await using bot = await startBot();
  const user = bot.user();
  bot.telegram.failNext({ method: 'sendMessage', kind: 'lost-answer' });
  const start = user.start();
  const story = await storyOf(bot, start);
  expect(story.chain).toEqual(messageChain('COMMAND_RECEIVED', 'COMMAND_START', 'DISPATCH_FAIL'));
  expect(story.line('DISPATCH_FAIL').reason_code).toBe('DOWNSTREAM_ERROR');
  await expectFailed(bot, start);
  expect(bot.telegram.calls('sendMessage')).toHaveLength(1);
  expect(user.messages()).toHaveLength(1);

  const again = user.start();
  expect((await storyOf(bot, again)).line('DISPATCH_OK').result).toBe('accepted');
});

test('the buttons of a message whose answer was lost lead to a fresh menu', async () => {
  await using bot = await startBot();
  const user = bot.user();
  bot.telegram.failNext({ method: 'sendMessage', kind: 'lost-answer' });
  await storyOf(bot, user.start());
  const tap = user.click('🎨 Pictures');
  await user.waitForMessage(/What shall we create/, { after: tap });
  expect((await storyOf(bot, tap)).line('CALLBACK_REJECTED').reason_code).toBe('EXPIRED_MESSAGE');
});

test('a picture for a user who has blocked the bot is given up at once', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  bot.telegram.failNext({ method: 'sendPhoto', ...blocked });
  const story = await storyOf(bot, user.click('🚀 Run'), 'DELIVERY_FAILED');
  expect(story.line('DELIVERY_FAILED')).toMatchObject({
    reason_code: 'DOWNSTREAM_ERROR',
    reason_detail: expect.stringMatching(/bot was blocked by the user$/),
  });
  expect(bot.telegram.calls('sendPhoto')).toHaveLength(1);
  expect(await isBlocked(bot, user)).toBe(true);
  await expect
    .poll(() => bot.database.query('select kind, attempts, reason_code from deliveries'))
    .toEqual([{ kind: 'result', attempts: 1, reason_code: 'DOWNSTREAM_ERROR' }]);

  await storyOf(bot, user.start());
  expect(await isBlocked(bot, user)).toBe(false);
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  return user;
}

async function isBlocked(bot: BotUnderTest, user: SandboxUser): Promise<boolean | undefined> {
  const [row] = await bot.database.query<{ blocked: boolean }>(
    'select blocked_at is not null as blocked from users where chat_id = $1',
    [user.chatId],
  );
  return row?.blocked;
}

async function expectFailed(bot: BotUnderTest, sent: Parameters<typeof outcomeOf>[1]): Promise<void> {
  expect(await outcomeOf(bot, sent)).toEqual([
    { outcome: 'failed', reason_code: 'DOWNSTREAM_ERROR', attempts: 1 },
  ]);
}
