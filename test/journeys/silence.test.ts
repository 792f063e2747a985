// Whatever a handler does or leaves undone, its user is not left in silence: taps that hang, messages without an
// answer, errors that nobody waits for.
import { describe, expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import type { HandlerContext } from '../../src/bot/context.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { type Outcome, rejected, show } from '../../src/ui/outcome.ts';
import { type BotOptions, type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { startProgram, startSurroundings } from '../support/process.ts';
import { acceptedTap, storyOf } from '../support/story.ts';

const notice = reasons.MODEL_DISABLED.text.en;
const slowAnswer = /longer than usual.* [0-9a-f]{8}$/;
const tooOld = {
  kind: 'error',
  code: 400,
  description: 'Bad Request: query is too old and response timeout expired or query ID is invalid',
  method: 'answerCallbackQuery',
} as const;
/** When the guard answers, and what a busy machine adds. */
const answerDeadlineMs = 25_000;

describe.concurrent('a tap whose handler hangs', () => {
  test('is answered with its cid within 5 s, once, and shows its screen in the end', async () => {
    const hang = hangingCategory(() => show('CATEGORY_PICK', { category: 'image' }));
    await using bot = await startBot(hang.options);
    const user = await userAtMenu(bot);
    const tap = user.click('🎨 Pictures');
    const { text } = await user.answerOf(tap, answerDeadlineMs);
    hang.end();

    const story = await storyOf(bot, tap);
    expect(text).toMatch(slowAnswer);
    expect(text).toContain(story.cid);
    expect(story.line('SILENCE_GUARD_WARNING')).toMatchObject({ level: 'WARNING', handler: 'category' });
    expect(Number(story.line('SILENCE_GUARD_WARNING').latency_ms)).toBeLessThan(answerDeadlineMs);
    expect(answersOf(bot, story.cid)).toMatchObject([
      { result: 'accepted', text },
      { result: 'noop', text: '', reason_detail: 'the silence guard had answered' },
    ]);
    expect(story.chain.filter(name => !/SILENCE|ANSWER/.test(name))).toEqual(
      acceptedTap.filter(name => !/ANSWER/.test(name)),
    );
    expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
    await user.waitForMessage(/Choose a model/);
  });

  test('and is refused then has its reason sent as a message, once', async () => {
    const hang = hangingCategory(() => rejected('MODEL_DISABLED'));
    await using bot = await startBot(hang.options);
    const user = await userAtMenu(bot);
    const tap = user.click('🎨 Pictures');
    await user.answerOf(tap, answerDeadlineMs);
    hang.end();
    const story = await storyOf(bot, tap);
    expect(user.messages().filter(({ text }) => text === notice)).toHaveLength(1);
    expect(answersOf(bot, story.cid)[1]).toMatchObject({
      result: 'noop',
      text: notice,
      reason_detail: expect.stringContaining('told by a message instead'),
    });
    expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
  });

  test('and fails then has its cid sent as a message', async () => {
    const hang = hangingCategory(() => {
      throw new Error('broken');
    });
    await using bot = await startBot(hang.options);
    const user = await userAtMenu(bot);
    const tap = user.click('🎨 Pictures');
    await user.answerOf(tap, answerDeadlineMs);
    hang.end();
    const story = await storyOf(bot, tap);
    expect(story.chain.at(-1)).toBe('DISPATCH_FAIL');
    expect(user.messages().filter(({ text }) => text.includes(story.cid))).toHaveLength(1);
    expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
  });

  test('gets its own answer where Telegram did not take that of the guard', async () => {
    const hang = hangingCategory(() => rejected('MODEL_DISABLED'));
    await using bot = await startBot(hang.options);
    const user = await userAtMenu(bot);
    bot.telegram.failNext(tooOld);
    const tap = user.click('🎨 Pictures');
    const cid = await bot.cidOf(tap.updateId);
    await bot.waitForEvent(cid, 'ANSWER_CALLBACK_QUERY');
    hang.end();
    await storyOf(bot, tap);
    expect(tap.answer?.text).toBe(notice);
    expect(answersOf(bot, cid).map(({ result }) => result)).toEqual(['failed', 'accepted']);
    expect(user.messages().some(({ text }) => text === notice)).toBe(false);
  });

  test('and ends while the guard is answering waits for that, and is not answered twice', async () => {
    const hang = hangingCategory(() => rejected('MODEL_DISABLED'));
    await using bot = await startBot(hang.options);
    const user = await userAtMenu(bot);
    bot.telegram.failNext({ kind: 'delay', ms: 500, method: 'answerCallbackQuery' });
    const tap = user.click('🎨 Pictures');
    await bot.waitForEvent(await bot.cidOf(tap.updateId), 'SILENCE_GUARD_WARNING');
    hang.end();
    await storyOf(bot, tap);
    expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(1);
    expect(user.messages().filter(({ text }) => text === notice)).toHaveLength(1);
  });

  test('waits for its handler where the guard is switched off', async () => {
    const hang = hangingCategory(() => rejected('MODEL_DISABLED'));
    await using guarded = await startBot(hang.options);
    await using bot = await startBot({ ...hang.options, environment: { SILENCE_GUARD: 'false' } });
    const [user, other] = [await userAtMenu(bot), await userAtMenu(guarded)];
    const tap = user.click('🎨 Pictures');
    // Tapped later, so when it has its answer, this one would have had its own.
    await other.answerOf(other.click('🎨 Pictures'), answerDeadlineMs);
    expect(tap.answer).toBeUndefined();
    hang.end();
    const story = await storyOf(bot, tap);
    expect(tap.answer?.text).toBe(notice);
    expect(story.chain).not.toContain('SILENCE_GUARD_WARNING');
    await storyOf(bot, user.start());
  });
});

test('a message for which a handler has no word is answered, and the operator warned', async () => {
  const text: typeof handlers.text = async () => ({ kind: 'noop' });
  await using bot = await startBot({ overrides: { handlers: { ...handlers, text } } });
  const user = await userAtMenu(bot);
  const story = await storyOf(bot, user.say('hello'));
  expect(story.line('SILENCE_GUARD_WARNING').reason_detail).toMatch(/says nothing/);
  expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
  expect(user.lastMessage()?.text).toBe(`${reasons.NOOP.text.en} (${story.cid})`);
});

test('a message for which a handler has only a hint is answered with that', async () => {
  const text: typeof handlers.text = async () => ({ kind: 'noop', hint: { key: 'hint-sending' } });
  await using bot = await startBot({ overrides: { handlers: { ...handlers, text } } });
  const user = await userAtMenu(bot);
  const before = user.messages().length;
  const story = await storyOf(bot, user.say('hello'));
  expect(story.chain).not.toContain('SILENCE_GUARD_WARNING');
  expect(user.messages()).toHaveLength(before + 1);
});

test('an error that nobody waits for is logged in the trace of the tap that caused it, and the process ends', async () => {
  await using surroundings = await startSurroundings();
  const preload = new URL('../support/forgotten-error.ts', import.meta.url).href;
  await using program = await startProgram({
    ...surroundings.environment,
    NODE_OPTIONS: `--import ${preload}`,
  });
  const user = surroundings.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
  const tap = user.click('🎨 Pictures');
  const cid = await program.cidOf(tap.updateId);
  expect(await program.exited).toMatchObject({ code: 1 });
  const last = program.lines.slice(-2);
  expect(last).toMatchObject([
    { name: 'SILENCE_GUARD_WARNING', cid, error_type: 'TypeError', update_id: tap.updateId },
    { name: 'SHUTDOWN', cid, operation: 'unhandledRejection' },
  ]);
});

interface Hang {
  readonly options: BotOptions;
  end(): void;
}

/** The button of a category does nothing until `end`, then what `outcome` gives. */
function hangingCategory(outcome: () => Outcome<'CATEGORY_PICK'>): Hang {
  const { promise, resolve } = Promise.withResolvers<void>();
  const category = async (_context: HandlerContext): Promise<Outcome<'CATEGORY_PICK'>> => {
    await promise;
    return outcome();
  };
  return {
    options: { overrides: { handlers: { ...handlers, buttons: { ...handlers.buttons, category } } } },
    end: resolve,
  };
}

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  await waitFor('the menu', () => user.lastMessage());
  return user;
}

function answersOf(bot: BotUnderTest, cid: string) {
  return bot.linesOf(cid).filter(({ name }) => name === 'ANSWER_CALLBACK_QUERY');
}
