// What a turn could not show comes when Telegram takes it again: once, in the same trace, whatever dies meanwhile, and
// only if the user has not gone on.
import { describe, expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasonText } from '../../src/otel/reasons.ts';
import { type BotOptions, type BotUnderTest, type Line, startBot, waitFor } from '../support/bot.ts';
import { acceptedTap, outcomeOf, type Story, storyOf } from '../support/story.ts';
import { openTwoLives, waitMs } from '../support/two-lives.ts';
import { walkToConfirm } from '../support/walk.ts';

/** Enough for a turn on a busy machine; the waits of Telegram do not fit into it. */
const deadline = { UPDATE_DEADLINE_SECONDS: '8' };
const quickly: BotOptions = { environment: deadline };
const retryAfter = 9;
const later = {
  kind: 'error',
  code: 429,
  description: `Too Many Requests: retry after ${retryAfter}`,
  retryAfter,
} as const;

describe.concurrent('a screen that could not be shown', () => {
  test('because of 429 comes when the wait is over, in the same trace, and its buttons lead on', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...later, method: 'editMessageText' });
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({ reason_code: 'RATE_LIMIT' });
    expect(story.line('RENDER_OWED')).toMatchObject({
      screen_id: 'CATEGORY_PICK',
      reason_code: 'RATE_LIMIT',
      reason_detail: expect.stringMatching(/it is due in 9 s$/),
    });
    const shown = await eventOf(bot, story, 'UI_RENDER');
    expect(shown).toMatchObject({ screen_id: 'CATEGORY_PICK', operation: 'edit', event_type: 'job' });
    await nothingOwed(bot);
    const [refused, done] = bot.telegram.calls('editMessageText');
    expect((done?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(retryAfter * 1_000);
    expect(bot.telegram.callCount('editMessageText')).toBe(2);
    expect((await storyOf(bot, user.click({ text: /^Z-Image/ }))).chain).toEqual(acceptedTap);
    expect(await outcomeOf(bot, tap)).toEqual([
      { outcome: 'failed', reason_code: 'RATE_LIMIT', attempts: 1 },
    ]);
  });

  test('keeps the form that was filled in, where it shows one', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
    await user.waitForMessage(/Z-Image/, { after: user.click({ text: /^Z-Image/ }) });
    bot.telegram.failNext({ ...later, method: 'editMessageText' });
    const tap = user.click('✨ Create');
    await user.waitForMessage(/step 1 of 2/, { after: tap, deadlineMs: waitMs });
    await nothingOwed(bot);
    await user.waitForMessage(/step 2 of 2/, { after: user.say('a bird'), deadlineMs: waitMs });
  });

  test('is not shown any more once the user has gone on', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...later, method: 'editMessageText' });
    const story = await storyOf(bot, user.click('🎨 Pictures'));
    await user.waitForMessage(/Balance:/, { after: user.say('/balance') });
    expect(await eventOf(bot, story, 'RENDER_DROPPED')).toMatchObject({
      screen_id: 'CATEGORY_PICK',
      reason_code: 'STATE_MISMATCH',
      reason_detail: 'user has gone on',
    });
    await nothingOwed(bot);
    expect(user.messages().some(({ text }) => text.includes('Choose a model'))).toBe(false);
  });

  test('gives way to the next one that could not be shown', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...later, method: 'editMessageText' });
    const first = await storyOf(bot, user.click('🎨 Pictures'));
    bot.telegram.failNext({ ...later, method: 'sendMessage' });
    const second = await storyOf(bot, user.say('/balance'));
    expect(await eventOf(bot, first, 'RENDER_DROPPED')).toMatchObject({ reason_detail: 'user has gone on' });
    expect(await eventOf(bot, second, 'UI_RENDER')).toMatchObject({ screen_id: 'BALANCE' });
    await nothingOwed(bot);
  });

  test('of a generation is not shown after its picture', async () => {
    await using bot = await startBot(quickly);
    const user = bot.user();
    await walkToConfirm(user);
    bot.telegram.failNext({ ...later, method: 'editMessageText' });
    const run = user.click('🚀 Run');
    const story = await storyOf(bot, run);
    expect(story.line('RENDER_OWED')).toMatchObject({ screen_id: 'PROCESSING' });
    await user.waitForMessage(({ kind }) => kind === 'photo', { after: run, deadlineMs: waitMs });
    expect(await eventOf(bot, story, 'RENDER_DROPPED')).toMatchObject({
      screen_id: 'PROCESSING',
      reason_code: 'STATE_MISMATCH',
      reason_detail: 'generation has ended',
    });
    await nothingOwed(bot);
  });

  test('and may have been sent is sent once more, after Telegram has answered for something harmless', async () => {
    await using bot = await startBot();
    const user = bot.user();
    bot.telegram.failNext({ kind: 'lost-answer', method: 'sendMessage' });
    bot.telegram.failNext({ kind: 'reset', method: 'sendChatAction' });
    const story = await storyOf(bot, user.start());
    expect(story.line('DISPATCH_FAIL')).toMatchObject({ reason_code: 'DOWNSTREAM_ERROR' });
    expect(await eventOf(bot, story, 'UI_RENDER')).toMatchObject({
      screen_id: 'MAIN_MENU',
      operation: 'send',
    });
    await nothingOwed(bot);
    expect(user.messages()).toHaveLength(2);
    expect(bot.telegram.callCount('sendChatAction')).toBe(2);
    expect((await storyOf(bot, user.click('🎨 Pictures'))).chain).toEqual(acceptedTap);
  });

  test('and may have been sent twice is not sent a third time', async () => {
    await using bot = await startBot();
    const user = bot.user();
    bot.telegram.failNext({ kind: 'lost-answer', method: 'sendMessage', times: 2 });
    const story = await storyOf(bot, user.start());
    expect(await eventOf(bot, story, 'RENDER_DROPPED')).toMatchObject({
      screen_id: 'MAIN_MENU',
      reason_detail: expect.stringContaining('sent twice'),
    });
    await nothingOwed(bot);
    expect(user.messages()).toHaveLength(2);
  });

  test('because Telegram hung comes later', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'hang', method: 'sendMessage' });
    const said = user.say('/help');
    const story = await storyOf(bot, said);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({ reason_code: 'DOWNSTREAM_TIMEOUT' });
    expect(await eventOf(bot, story, 'UI_RENDER')).toMatchObject({ screen_id: 'HELP' });
    await nothingOwed(bot);
  });

  test('is not owed to somebody who has blocked the bot, nor where the wait is longer than anybody cares', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...later, retryAfter: 3_600, method: 'sendMessage' });
    const tooLong = await storyOf(bot, user.say('/help'));
    expect(tooLong.line('RENDER_DROPPED')).toMatchObject({ screen_id: 'HELP', reason_code: 'RATE_LIMIT' });
    bot.telegram.failNext({
      kind: 'error',
      code: 403,
      description: 'Forbidden: bot was blocked by the user',
      method: 'sendMessage',
    });
    const blocked = await storyOf(bot, user.say('/help'));
    expect(blocked.chain).not.toContain('RENDER_OWED');
    await nothingOwed(bot);
  });
});

describe.concurrent('words that could not be said', () => {
  const broken: BotOptions = {
    ...quickly,
    overrides: {
      handlers: {
        ...handlers,
        buttons: { ...handlers.buttons, search: () => Promise.reject(new TypeError('broken')) },
      },
    },
  };

  test('on a fault come later, with the cid and the button that reports it', async () => {
    await using bot = await startBot(broken);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ ...later, method: 'sendMessage' });
    const tap = user.click('🔎 Find a model');
    const cid = await bot.cidOf(tap.updateId);
    expect(await bot.waitForEvent(cid, 'DISPATCH_FAIL')).toMatchObject({ reason_code: 'INTERNAL_ERROR' });
    expect(bot.linesOf(cid)).toContainEqual(
      expect.objectContaining({ name: 'RENDER_OWED', screen_id: 'FAULT', reason_code: 'RATE_LIMIT' }),
    );
    const notice = await user.waitForMessage(({ text }) => text === reasonText('INTERNAL_ERROR', 'en', cid), {
      after: tap,
      deadlineMs: waitMs,
    });
    expect(notice.messageId).toBeGreaterThan(0);
    await nothingOwed(bot);
  });

  test('in the answer to a tap come as a message', async () => {
    await using bot = await startBot(quickly);
    const user = await userAtMenu(bot);
    await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
    await user.waitForMessage(/Everything we keep/, {
      after: user.click('📦 Get a copy'),
      deadlineMs: waitMs,
    });
    await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
    bot.telegram.failNext({ ...later, method: 'answerCallbackQuery' });
    const again = user.click('📦 Get a copy');
    const story = await storyOf(bot, again);
    expect(story.line('RENDER_OWED')).toMatchObject({ screen_id: 'NONE', reason_code: 'RATE_LIMIT' });
    await user.waitForMessage(/the next one in a minute/, { after: again, deadlineMs: waitMs });
    await nothingOwed(bot);
  });
});

test('what is owed outlives the process', async () => {
  await using lives = await openTwoLives();
  await lives.start(deadline);
  const { chat, telegram } = lives;
  await chat.waitForMessage(/What shall we create/, { after: chat.start(), deadlineMs: waitMs });
  telegram.failNext({ ...later, method: 'editMessageText' });
  const tap = chat.click('🎨 Pictures');
  await lives.emitted(1, ({ name }) => name === 'RENDER_OWED');
  await waitFor(
    'the outcome',
    async () =>
      (await lives.database.query('select 1 from updates where outcome = $1', ['failed'])).length > 0 ||
      undefined,
    undefined,
    waitMs,
  );
  await lives.kill();
  expect(telegram.callCount('editMessageText')).toBe(1);

  await lives.start(deadline);
  await chat.waitForMessage(/Choose a model/, { after: tap, deadlineMs: waitMs });
  const [owed] = lives.lines('RENDER_OWED');
  const shown = await lives.emitted(
    1,
    line => line.name === 'UI_RENDER' && line.screen_id === 'CATEGORY_PICK',
  );
  expect(shown.map(({ cid }) => cid)).toEqual([owed?.cid]);
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start(), 'BALANCE_TOPUP');
  return user;
}

function eventOf(bot: BotUnderTest, { cid }: Story, name: string): Promise<Line> {
  return waitFor(
    `${name} of ${cid}`,
    () => bot.linesOf(cid).find(line => line.name === name),
    () => bot.chainOf(cid).join(', '),
    waitMs,
  );
}

function nothingOwed({ database }: BotUnderTest): Promise<true> {
  return waitFor(
    'nothing owed',
    async () => (await database.query('select 1 from follow_ups')).length === 0 || undefined,
    undefined,
    waitMs,
  );
}
