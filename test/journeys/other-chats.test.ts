// Taps outside of private chats: the bot works none of them, and answers each, because a spinner turns all the same.
import { expect, test } from 'vitest';
import { startBot } from '../support/bot.ts';
import { outcomeOf, storyOf } from '../support/story.ts';

const hint = 'I work in private chats only: write to me there.';

test.each(['group', 'supergroup', 'channel'] as const)(
  'a tap in a %s is answered, and the bot leaves',
  async type => {
    await using bot = await startBot();
    const user = bot.user();
    const chat = { id: -1_000_000_004_242, type, title: 'Friends' };
    const from = { id: user.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
    const message = { message_id: 7, date: 1, chat, text: 'Menu' };
    const tap = bot.telegram.sendRaw({
      callback_query: { id: '77', from, message, chat_instance: '1', data: 'v1:menu' },
    });
    const cid = await bot.cidOf(tap.updateId);
    await bot.waitForEvent(cid, 'DISPATCH_OK');
    expect(bot.chainOf(cid)).toEqual(
      expect.arrayContaining([
        'CALLBACK_RECEIVED',
        'CALLBACK_REJECTED',
        'ANSWER_CALLBACK_QUERY',
        'DISPATCH_OK',
      ]),
    );
    const answer = bot.linesOf(cid).find(({ name }) => name === 'ANSWER_CALLBACK_QUERY');
    expect(answer).toMatchObject({ result: 'accepted', text: hint });
    const answers = bot.telegram.calls('answerCallbackQuery');
    expect(answers.map(({ payload }) => payload)).toEqual([{ callback_query_id: '77', text: hint }]);
    expect(bot.telegram.calls('leaveChat')).toHaveLength(1);
    expect(await outcomeOf(bot, tap)).toMatchObject([
      { outcome: 'rejected', reason_code: 'PERMISSION_DENIED' },
    ]);
    expect(await bot.database.query('select 1 from users')).toEqual([]);
  },
);

test.each([
  ['a message without a chat', { inline_message_id: 'AgAAAI' }],
  ['a message that Telegram does not show any more', { message: 'inaccessible' }],
  ['nothing at all', {}],
])('a tap on %s is answered, and its user gets a screen', async (_what, place) => {
  await using bot = await startBot();
  const user = bot.user({ started: true });
  const from = { id: user.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
  const chat = { id: user.chatId, type: 'private', first_name: 'Ada' };
  const given = 'message' in place ? { message: { message_id: 99, date: 0, chat } } : place;
  const tap = bot.telegram.sendRaw({
    callback_query: { id: '78', from, chat_instance: '1', data: 'v1:menu', ...given },
  });
  const { line } = await storyOf(bot, tap);
  expect(line('ANSWER_CALLBACK_QUERY')).toMatchObject({ result: 'accepted' });
  expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
  await user.waitForMessage(/What shall we create/);
});

test('a game button without data is answered', async () => {
  await using bot = await startBot();
  const user = bot.user({ started: true });
  const from = { id: user.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
  const tap = bot.telegram.sendRaw({
    callback_query: { id: '79', from, chat_instance: '1', game_short_name: 'tetris', inline_message_id: 'A' },
  });
  const { line } = await storyOf(bot, tap);
  expect(line('CALLBACK_REJECTED')).toMatchObject({ reason_code: 'UNKNOWN_CALLBACK' });
  expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
});
