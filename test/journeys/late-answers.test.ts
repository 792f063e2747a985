// Taps that have their answer before they are judged: the spinner was ended with "a few more seconds", or Telegram
// takes no answer any more. What the answer would have said is then sent as a message, once.
import { describe, expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { rejected } from '../../src/ui/outcome.ts';
import { type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { outcomeOf, storyOf } from '../support/story.ts';

const tooOld = {
  kind: 'error',
  code: 400,
  description: 'Bad Request: query is too old and response timeout expired or query ID is invalid',
  method: 'answerCallbackQuery',
} as const;
const blocked = {
  kind: 'error',
  code: 403,
  description: 'Forbidden: bot was blocked by the user',
  method: 'sendMessage',
} as const;
const disabled = {
  overrides: {
    handlers: {
      ...handlers,
      buttons: { ...handlers.buttons, category: async () => rejected('MODEL_DISABLED') },
    },
  },
};
const broken = {
  overrides: {
    handlers: {
      ...handlers,
      buttons: { ...handlers.buttons, category: () => Promise.reject(new Error('broken')) },
    },
  },
};
const notice = reasons.MODEL_DISABLED.text.en;

describe.concurrent('a refused tap', () => {
  test('that waited in a busy chat has its reason sent as a message', async () => {
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const help: typeof handlers.commands.help = async (context, argument) => {
      asked.resolve();
      await released.promise;
      return handlers.commands.help(context, argument);
    };
    const busy = { ...disabled.overrides.handlers, commands: { ...handlers.commands, help } };
    await using bot = await startBot({ overrides: { handlers: busy } });
    const user = await userAtMenu(bot);
    const { messageId } = user.lastMessage() ?? expect.fail('no menu');
    user.say('/help');
    await asked.promise;
    const tap = user.click('🎨 Pictures', { messageId });
    expect((await user.answerOf(tap)).text).toContain('⏳');
    released.resolve();

    await user.waitForMessage(({ text }) => text === notice, { after: tap });
    const story = await storyOf(bot, tap);
    expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'rejected', reason_code: 'MODEL_DISABLED' });
    expect(noticesTo(user)).toHaveLength(1);
  });

  test('whose answer Telegram refuses is answered by one message, and the event says so', async () => {
    await using bot = await startBot(disabled);
    const user = await userAtMenu(bot);
    bot.telegram.failNext(tooOld);
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);
    expect(noticesTo(user)).toHaveLength(1);
    expect(story.line('ANSWER_CALLBACK_QUERY')).toMatchObject({
      result: 'failed',
      text: notice,
      reason_detail: expect.stringMatching(/query is too old.*told by a message/),
    });
    expect(await outcomeOf(bot, tap)).toEqual([
      { outcome: 'rejected', reason_code: 'MODEL_DISABLED', attempts: 1 },
    ]);
  });

  test('that ends in a fault has its cid sent as a message', async () => {
    await using bot = await startBot(broken);
    const user = await userAtMenu(bot);
    bot.telegram.failNext(tooOld);
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);
    expect(user.messages().filter(({ text }) => text.includes(story.cid))).toHaveLength(1);
    expect(sends(bot)).toHaveLength(2);
  });

  test('that is answered as usual gets no message', async () => {
    await using bot = await startBot(disabled);
    const user = await userAtMenu(bot);
    const tap = user.click('🎨 Pictures');
    await storyOf(bot, tap);
    expect(tap.answer?.text).toBe(notice);
    expect(noticesTo(user)).toHaveLength(0);
  });

  test('whose answer was given, but never heard of, is not answered a second time', async () => {
    await using bot = await startBot(disabled);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'lost-answer', method: 'answerCallbackQuery' });
    const tap = user.click('🎨 Pictures');
    const story = await storyOf(bot, tap);
    expect(tap.answer?.text).toBe(notice);
    expect(noticesTo(user)).toHaveLength(0);
    expect(story.line('ANSWER_CALLBACK_QUERY').result).toBe('failed');
  });

  test('of a message that was sent, but never heard of, is not sent a second time', async () => {
    await using bot = await startBot(disabled);
    const user = await userAtMenu(bot);
    bot.telegram.failNext(tooOld);
    bot.telegram.failNext({ kind: 'lost-answer', method: 'sendMessage' });
    await storyOf(bot, user.click('🎨 Pictures'));
    expect(noticesTo(user)).toHaveLength(1);
    expect(user.messages()).toHaveLength(2);
  });

  test('of a user who has blocked the bot stays quiet', async () => {
    await using bot = await startBot(disabled);
    const user = await userAtMenu(bot);
    bot.telegram.failNext(tooOld);
    bot.telegram.failNext(blocked);
    const tap = user.click('🎨 Pictures');
    await storyOf(bot, tap);
    // The menu, and the one attempt.
    expect(sends(bot)).toHaveLength(2);
    expect(user.messages()).toHaveLength(1);
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'failed', reason_code: 'DOWNSTREAM_ERROR' }]);
    expect(
      await bot.database.query('select blocked_at is not null as blocked from users where chat_id = $1', [
        user.chatId,
      ]),
    ).toEqual([{ blocked: true }]);
  });
});

test('a tap that is given up after it waited has its cid sent as a message', async () => {
  let isActive = true;
  const state = { isActive: () => isActive, isAbandoned: () => false, isHolderLate: () => false };
  await using bot = await startBot({ overrides: { state } });
  const user = await userAtMenu(bot);
  isActive = false;
  const tap = user.click('🎨 Pictures');
  await waitFor('three attempts', async () => {
    const [row] = await bot.database.query(
      'update updates set attempts = 3 where update_id = $1 returning 1 as one',
      [tap.updateId],
    );
    return row;
  });
  bot.telegram.failNext(tooOld);
  isActive = true;
  user.say('/help');
  const cid = await bot.cidOf(tap.updateId);
  await bot.waitForEvent(cid, 'DEAD_LETTER');
  expect(user.messages().filter(({ text }) => text.includes(cid))).toHaveLength(1);
});

test('a double tap whose second answer comes too late says nothing: the first one has its answer', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await storyOf(bot, user.click('❓ Help'));
  const [first, second] = [user.click('🏠 Menu'), user.click('🏠 Menu')];
  bot.telegram.failNext({ ...tooOld, times: 2 });
  await storyOf(bot, first);
  const story = await storyOf(bot, second);
  expect(story.line('CALLBACK_REJECTED').reason_code).toBe('DUPLICATE_ACTION');
  expect(user.messages().some(({ text }) => text === reasons.DUPLICATE_ACTION.text.en)).toBe(false);
});

test('a refused tap that shows a fresh screen gets no message beside it', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  bot.telegram.failNext(tooOld);
  const tap = user.rawCallback('v1:nosuch', { messageId: 999_999 });
  await storyOf(bot, tap);
  expect(user.messages()).toHaveLength(2);
  expect(user.lastMessage()?.text).toContain('What shall we create');
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  return user;
}

function noticesTo(user: SandboxUser) {
  return user.messages().filter(({ text }) => text === notice);
}

function sends(bot: BotUnderTest) {
  return bot.telegram.calls('sendMessage');
}
