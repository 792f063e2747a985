// Results as users get them: one file or several, pictures, films and songs, the originals on demand, once more after
// a delivery that failed; and only to the chat that ordered them.
import { describe, expect, test } from 'vitest';
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { type BotUnderTest, quickTimings, startBot } from '../support/bot.ts';
import {
  acceptedRun,
  outcomeOf,
  paidTask,
  type Story,
  storyOf,
  tapChain,
  traceEnded,
} from '../support/story.ts';
import { buttonsOf, prompt, walkToConfirm, walkToModel } from '../support/walk.ts';

const resultButtons = ['📎 Original file', '🔁 Once more', '🏠 Menu'];
const serverError = { kind: 'error', code: 502, description: 'Bad Gateway' } as const;
/** The tap counts, and no screen follows: files do. */
const noopTap = tapChain('CALLBACK_ROUTED', 'CALLBACK_ACCEPTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK');

describe('several pictures', () => {
  test('come as one album, followed by one message with the buttons, and one event per file', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToSeveral(user, 3);
    const before = user.messages().length;
    const { cid, chain } = await finishedRun(bot, user);

    const shown = user.messages().slice(before);
    expect(shown.map(({ kind }) => kind)).toEqual(['photo', 'photo', 'photo', 'text']);
    expect(bot.telegram.calls('sendMediaGroup')).toHaveLength(1);
    expect(new Set(shown.slice(0, 3).map(({ message }) => message.media_group_id)).size).toBe(1);
    expect(shown.slice(0, 3).every(({ keyboard }) => keyboard.length === 0)).toBe(true);
    const closing = shown[3];
    expect(closing?.text).toBe('✅ Seedream 4.0 Text to Image');
    expect(buttonsOf(closing ?? { keyboard: [] })).toEqual(resultButtons);
    expect(user.messages()[before - 1]?.text).toBe('✅ Seedream 4.0 Text to Image is ready, see below.');

    expect(chain.filter(name => name !== 'TASK_PROGRESS' && name !== 'KIE_CALLBACK')).toEqual([
      ...acceptedRun,
      ...paidTask,
      ...Array.from({ length: 4 }, () => 'RESULT_DELIVERED'),
    ]);
    expect(
      delivered(bot, cid).map(({ operation, position, message_id }) => [operation, position, message_id]),
    ).toEqual([
      ...shown.slice(0, 3).map(({ messageId }, index) => ['result', index + 1, messageId]),
      ['closing', undefined, closing?.messageId],
    ]);
    expect(await deliveries(bot)).toEqual([
      ...shown.slice(0, 3).map(({ fileId }, index) => ['result', index + 1, fileId ?? null, null]),
      ['closing', 1, null, null],
    ]);
    expect(bot.linesOf(cid).find(({ name }) => name === 'BALANCE_CHARGE')).toMatchObject({ amount: 1_500 });
  });

  test('of which KIE.ai gave fewer are delivered all the same', async () => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'outcome', does: 'give-fewer-files' });
    const user = bot.user();
    await walkToSeveral(user, 3);
    const { cid } = await finishedRun(bot, user);
    expect(delivered(bot, cid).map(({ operation }) => operation)).toEqual(['result', 'result', 'closing']);
  });
});

describe('other media', () => {
  test('two songs come as an album of tracks, followed by the buttons', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToSong(user);
    const { cid } = await finishedRun(bot, user);
    const shown = user.messages().slice(-3);
    expect(shown.map(({ kind }) => kind)).toEqual(['audio', 'audio', 'text']);
    expect(shown[0]?.message.audio?.title).toBe('Suno V5');
    expect(buttonsOf(shown[2] ?? { keyboard: [] })).toEqual(resultButtons);
    expect(delivered(bot, cid)).toHaveLength(3);
  });

  test('a film comes as a video that can be watched while it loads, with the buttons below it', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'Kling 2.6 Text to Video', /step 1 of 4/);
    await user.waitForMessage(/step 2 of 4/, { after: user.say(prompt) });
    await user.waitForMessage(/step 3 of 4/, { after: user.click('16:9') });
    await user.waitForMessage(/step 4 of 4/, { after: user.click('5 s') });
    await user.waitForMessage(/Check and run/, { after: user.click('No') });
    await finishedRun(bot, user);
    const film = user.lastMessage();
    expect(film).toMatchObject({ kind: 'video', text: '✅ Kling 2.6 Text to Video' });
    expect(film && buttonsOf(film)).toEqual(resultButtons);
    expect(bot.telegram.calls('sendVideo')[0]?.payload).toMatchObject({ supports_streaming: true });
  });

  test('a voice comes as a track', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToModel(user, 'ElevenLabs Speech Turbo 2.5', /step 1 of 1/);
    await user.waitForMessage(/settings/, { after: user.say('Good evening, dear listeners.') });
    await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
    await finishedRun(bot, user);
    expect(user.lastMessage()).toMatchObject({ kind: 'audio', text: '✅ ElevenLabs Speech Turbo 2.5' });
  });
});

describe('the original', () => {
  test('comes as a file, as it was made; and again by what Telegram calls it, without a download', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToConfirm(user);
    const { cid: ordered } = await finishedRun(bot, user);
    const picture = user.lastMessage();

    const first = user.click('📎 Original file');
    const story = await sentAgain(bot, first);
    await traceEnded(bot, story.cid);
    expect(await user.answerOf(first)).toMatchObject({ text: 'Sending' });
    expect(story.cid).not.toBe(ordered);
    expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({
      button_id: 'ORIGINAL',
      result: 'noop',
      screen_id: 'RESULT',
      next_screen: 'RESULT',
    });
    expect(story.line('RESULT_DELIVERED')).toMatchObject({ operation: 'original', position: 1 });
    const file = user.lastMessage();
    expect(file).toMatchObject({ kind: 'document', keyboard: [] });
    expect(file?.message.document?.file_name).toBe('zimage.png');
    expect(file?.fileBytes?.equals(picture?.fileBytes ?? Buffer.alloc(0))).toBe(true);
    expect(user.messages()).toContainEqual(picture);

    await laterThanDoubleTap(bot);
    const second = user.click('📎 Original file');
    await sentAgain(bot, second);
    expect(
      bot.telegram.calls('sendDocument').map(({ payload, files }) => [files.size, payload.document]),
    ).toEqual([
      [1, expect.anything()],
      [0, file?.fileId],
    ]);
  });

  test('of several files is all of them, one by one', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToSeveral(user, 2);
    await finishedRun(bot, user);
    const tap = user.click('📎 Original file');
    const { cid } = await storyOf(bot, tap);
    await bot.waitForLine(line => line.cid === cid && line.operation === 'original' && line.position === 2);
    await traceEnded(bot, cid);
    expect(
      user
        .messages()
        .slice(-2)
        .map(({ kind, message }) => [kind, message.document?.file_name]),
    ).toEqual([
      ['document', 'm3-1.png'],
      ['document', 'm3-2.png'],
    ]);
  });
});

describe('a result that could not be sent', () => {
  test('is said to be ready, paid and kept, and is sent when the user asks for it', async () => {
    await using bot = await startBot();
    const user = bot.user();
    await walkToConfirm(user);
    bot.telegram.failNext({ ...serverError, method: 'sendPhoto', times: quickTimings.deliveryAttempts });
    const run = user.click('🚀 Run');
    const failed = await storyOf(bot, run, 'RESULT_DELIVERED');
    await traceEnded(bot, failed.cid);
    expect(failed.line('RESULT_DELIVERED')).toMatchObject({ operation: 'failure' });
    expect(bot.linesOf(failed.cid).filter(({ name }) => name === 'DELIVERY_FAILED')).toMatchObject([
      { operation: 'result', position: 1 },
      { attempt: 2 },
      { attempt: 3, reason_code: 'DOWNSTREAM_ERROR' },
    ]);
    const notice = user.lastMessage();
    expect(notice?.text).toBe(
      '⚠️ Z-Image\n\nThe result is ready, but it could not be sent.\n' +
        `It is paid for and saved: press “Send it again”.\nReference: ${failed.cid}`,
    );
    expect(notice && buttonsOf(notice)).toEqual([
      '📨 Send it again',
      '🏠 Menu',
      '💰 Balance',
      '❓ Help',
      '🆘 Report a problem',
    ]);
    expect(await endOf(bot)).toEqual([{ state: 'succeeded', money: 'charged' }]);

    const again = user.click('📨 Send it again');
    const story = await sentAgain(bot, again);
    expect(await user.answerOf(again)).toMatchObject({ text: 'Sending' });
    expect(story.line('RESULT_DELIVERED')).toMatchObject({ operation: 'result', position: 1 });
    expect(user.lastMessage()?.kind).toBe('photo');
    expect(bot.kie.createdCount()).toBe(1);
  });

  test('because its user has blocked the bot is tried once and stays paid; the user may come back', async () => {
    await using bot = await startBot({ kie: { stepMs: 'manual' } });
    const user = bot.user();
    await walkToConfirm(user);
    const run = user.click('🚀 Run');
    await storyOf(bot, run, 'TASK_PROGRESS');
    await storyOf(bot, user.block());
    await bot.kie.advance(3);
    const { cid } = await storyOf(bot, run, 'DELIVERY_FAILED');
    await traceEnded(bot, cid);
    expect(await bot.database.query('select blocked_at is not null as blocked from users')).toEqual([
      { blocked: true },
    ]);
    expect(bot.linesOf(cid).filter(({ name }) => name === 'DELIVERY_FAILED')).toMatchObject([
      { error_type: 'telegram_403', operation: 'result' },
    ]);
    expect(await endOf(bot)).toEqual([{ state: 'succeeded', money: 'charged' }]);
    expect(user.messages().some(({ kind }) => kind === 'photo')).toBe(false);

    await storyOf(bot, user.unblock());
    const start = user.start();
    await user.waitForMessage(/What shall we create/, { after: start });
    await storyOf(bot, start);
    expect(await bot.database.query('select blocked_at is not null as blocked from users')).toEqual([
      { blocked: false },
    ]);
  });
});

describe('a task of somebody else', () => {
  test.each([
    ['retry', 'RETRY'],
    ['send', 'REDELIVER'],
    ['orig', 'ORIGINAL'],
  ])('in the button %s is refused as unknown, and nothing is sent', async (code, buttonId) => {
    await using bot = await startBot();
    const [owner, thief] = [bot.user(), bot.user()];
    await walkToConfirm(owner);
    await finishedRun(bot, owner);
    const [row] = await bot.database.query<{ id: string }>('select id from tasks');
    if (code !== 'orig') bot.kie.failNext({ at: 'create', does: 'answer', code: 500 });
    await walkToConfirm(thief);
    await finishedRun(bot, thief);
    const before = bot.telegram.callCount('sendDocument') + bot.telegram.callCount('sendPhoto');

    const tap = thief.rawCallback(`v1:${code}:${row?.id}`);
    const story = await storyOf(bot, tap);
    // A message that is not the newest screen is followed by a fresh one.
    expect(story.chain.filter(name => name !== 'UI_RENDER')).toEqual(
      tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK'),
    );
    expect(story.line('CALLBACK_REJECTED')).toMatchObject({
      reason_code: 'UNKNOWN_ACTION',
      reason_detail: `task ${row?.id}`,
      button_id: buttonId,
    });
    expect((await thief.answerOf(tap)).text).toBe('That choice no longer exists. Open the menu: /start');
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'rejected', reason_code: 'UNKNOWN_ACTION' }]);
    expect(bot.telegram.callCount('sendDocument') + bot.telegram.callCount('sendPhoto')).toBe(before);
  });
});

async function walkToSeveral(user: SandboxUser, count: number): Promise<void> {
  await walkToModel(user, 'Seedream 4.0 Text to Image', /step 1 of 1/);
  await user.waitForMessage(/settings/, { after: user.say(prompt) });
  await user.waitForMessage(/setting \d of \d/, { after: user.click('✏️ Quantity') });
  await user.waitForMessage(/settings/, { after: user.say(String(count)) });
  await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
}

async function walkToSong(user: SandboxUser): Promise<void> {
  await walkToModel(user, 'Suno V5', /step 1 of 3/);
  await user.waitForMessage(/step 2 of 3/, { after: user.click('No') });
  await user.waitForMessage(/step 3 of 3/, { after: user.click('No') });
  await user.waitForMessage(/settings/, { after: user.say('a song about rain') });
  await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
}

/** Runs what is confirmed, up to the end of everything that it has to send. */
async function finishedRun(
  bot: BotUnderTest,
  user: SandboxUser,
): Promise<{ cid: string; chain: readonly string[] }> {
  const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  await traceEnded(bot, cid);
  return { cid, chain: bot.chainOf(cid) };
}

/** A tap that makes files come: its own end, and the file that a job sends meanwhile. */
async function sentAgain(bot: BotUnderTest, tap: SentUpdate): Promise<Story> {
  await storyOf(bot, tap, 'RESULT_DELIVERED');
  const story = await storyOf(bot, tap);
  expect(story.chain.filter(name => name !== 'RESULT_DELIVERED')).toEqual(noopTap);
  return story;
}

const delivered = (bot: BotUnderTest, cid: string) =>
  bot.linesOf(cid).filter(({ name }) => name === 'RESULT_DELIVERED');

/** How the task ended, and its money. */
const endOf = (bot: BotUnderTest) =>
  bot.database.query(
    'select tasks.state, holds.state as money from tasks join holds on holds.task_id = tasks.id',
  );

async function deliveries(bot: BotUnderTest): Promise<unknown[][]> {
  const rows = await bot.database.query<{
    kind: string;
    position: number;
    file_id: string | null;
    reason_code: string | null;
  }>('select kind, position, file_id, reason_code from deliveries order by id');
  return rows.map(({ kind, position, file_id, reason_code }) => [kind, position, file_id, reason_code]);
}

/** The same button within two seconds counts as a double tap. */
async function laterThanDoubleTap(bot: BotUnderTest): Promise<void> {
  await bot.database.query(`update messages set last_action_at = last_action_at - interval '3 seconds'`);
}
