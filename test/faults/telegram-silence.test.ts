// Telegram that hangs, puts off or answers nonsense: every update has one deadline for all its calls, ends in an outcome
// with a reason, and its chat goes on.
import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasonText } from '../../src/otel/reasons.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { outcomeOf, storyOf } from '../support/story.ts';

/** Enough for a turn on a busy machine that meets nothing that hangs. */
const quickly = { UPDATE_DEADLINE_SECONDS: '6' } as const;
/** Three tries of 75 s each, or three waits of 30 s, as it was. */
const farTooLongMs = 30_000;

describe.concurrent('one deadline for all calls of an update', () => {
  test('a send that hangs ends the update as a timeout, and the chat goes on', async () => {
    await using bot = await startBot({ environment: quickly });
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'hang', method: 'sendMessage' });
    const hung = user.say('/help');
    const next = user.say('/balance');
    const story = await storyOf(bot, hung);

    const end = story.line('DISPATCH_FAIL');
    expect(end).toMatchObject({
      reason_code: 'DOWNSTREAM_TIMEOUT',
      reason_detail: 'Telegram did not answer in time',
      error_type: 'HttpError',
    });
    expect(end.duration_ms).toBeLessThan(farTooLongMs);
    const [call] = bot.spansOf(story.cid).filter(({ name }) => name === 'telegram sendMessage');
    expect(call?.status.code).toBe(SpanStatusCode.ERROR);
    expect(bot.linesOf(story.cid).find(({ name }) => name === 'TELEGRAM_CALL')).toBeUndefined();
    await user.waitForMessage(/Balance:/, { after: next });
    expect(await outcomeOf(bot, hung)).toEqual([
      { outcome: 'failed', reason_code: 'DOWNSTREAM_TIMEOUT', attempts: 1 },
    ]);
  });

  test('an edit that hangs each time is tried again as long as that fits, and no longer', async () => {
    await using bot = await startBot({ environment: quickly });
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'hang', method: 'editMessageText', times: 1 });
    const story = await storyOf(bot, user.click('🎨 Pictures'));
    expect(story.line('DISPATCH_FAIL')).toMatchObject({ reason_code: 'DOWNSTREAM_TIMEOUT' });
    expect(story.line('DISPATCH_FAIL').duration_ms).toBeLessThan(farTooLongMs);
  });

  test('an answer to a tap that hangs does not fail the tap', async () => {
    await using bot = await startBot({ environment: quickly });
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'hang', method: 'answerCallbackQuery' });
    const story = await storyOf(bot, user.click('🎨 Pictures'));
    expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
    expect(story.line('ANSWER_CALLBACK_QUERY')).toMatchObject({
      result: 'failed',
      reason_detail: 'Telegram did not answer in time',
    });
    expect(user.lastMessage()?.text).toContain('Choose a model');
  });

  test('a wait of 30 s that Telegram asks for does not hold the chat', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    bot.telegram.failNext({
      kind: 'error',
      code: 429,
      description: 'Too Many Requests: retry after 30',
      retryAfter: 30,
      method: 'editMessageText',
    });
    const tap = user.click('🎨 Pictures');
    const next = user.say('/balance');
    const story = await storyOf(bot, tap);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({ reason_code: 'RATE_LIMIT' });
    expect(story.line('DISPATCH_FAIL').duration_ms).toBeLessThan(farTooLongMs);
    await user.waitForMessage(/Balance:/, { after: next });
  });

  test('a handler that does not end is given up, its user is notified, and the chat goes on', async () => {
    await using bot = await startBot({
      environment: quickly,
      overrides: {
        handlers: {
          ...handlers,
          buttons: { ...handlers.buttons, search: () => new Promise<never>(() => undefined) },
        },
      },
    });
    const user = await userAtMenu(bot);
    const tap = user.click('🔎 Find a model');
    const story = await storyOf(bot, tap);
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      reason_code: 'INTERNAL_ERROR',
      error_type: 'TIMEOUT',
    });
    expect((await user.answerOf(tap)).text).toBe(reasonText('INTERNAL_ERROR', 'en', story.cid));
    await user.waitForMessage(/Balance:/, { after: user.say('/balance') });
  });
});

describe.concurrent('what is no answer of the Bot API', () => {
  const nonsense = [
    'null',
    '[]',
    '5',
    '"ok"',
    '',
    '<html>502 Bad Gateway</html>',
    '{"ok":tr',
    '{}',
    '{"ok":true}',
    '{"ok":true,"result":null}',
    '{"ok":true,"result":true}',
    '{"ok":true,"result":{"message_id":"five"}}',
    '{"ok":false}',
    '{"ok":false,"error_code":"429","description":"later"}',
  ] as const;

  test('ends a message as a failure of Telegram, whatever it is', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    for (const body of nonsense) {
      bot.telegram.failNext({ kind: 'nonsense', body, method: 'sendMessage' });
      const said = user.say('/help');
      const story = await storyOf(bot, said);
      expect(story.line('DISPATCH_FAIL'), body).toMatchObject({
        reason_code: 'DOWNSTREAM_ERROR',
        reason_detail: 'Telegram did not answer as the Bot API does',
        error_type: 'HttpError',
      });
      expect(await outcomeOf(bot, said), body).toEqual([
        { outcome: 'failed', reason_code: 'DOWNSTREAM_ERROR', attempts: 1 },
      ]);
    }
    await user.waitForMessage(/Balance:/, { after: user.say('/balance') });
  });

  test('is given up where it is longer than any answer', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const endless = `${' '.repeat(2 * 1024 * 1024)}{"ok":true,"result":{"message_id":1,"date":0,"chat":{"id":1}}}`;
    bot.telegram.failNext({ kind: 'nonsense', body: endless, method: 'sendMessage' });
    const story = await storyOf(bot, user.say('/help'));
    expect(story.line('DISPATCH_FAIL')).toMatchObject({
      reason_code: 'DOWNSTREAM_ERROR',
      error_type: 'HttpError',
    });
    await user.waitForMessage(/Balance:/, { after: user.say('/balance') });
  });

  test('leaves no tap unfinished, and what may be done twice is done again', async () => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    for (const body of ['null', '{"ok":true}'] as const) {
      bot.telegram.failNext({ kind: 'nonsense', body, method: 'answerCallbackQuery' });
      bot.telegram.failNext({ kind: 'nonsense', body, method: 'editMessageText' });
      await storyOf(bot, user.start());
      const tap = user.click('🎨 Pictures');
      const story = await storyOf(bot, tap);
      expect(story.line('DISPATCH_OK'), body).toMatchObject({ result: 'accepted' });
      expect(await user.answerOf(tap)).toMatchObject({ text: '' });
    }
  });
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  return user;
}
