// What users see when nobody works their updates: not for a moment, because their chat is busy; not at all,
// because no instance is ACTIVE; or not here, because another instance is. Nobody is left with a spinner or in
// silence, and nothing is worked that was refused.
import { describe, expect, test } from 'vitest';
import type { CallbackClick, SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import type { InstanceState } from '../../src/lock/instance-state.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { type BotOptions, type BotUnderTest, type Line, startBot, waitFor } from '../support/bot.ts';
import { acceptedTap, outcomeOf, storyOf, traceEnded } from '../support/story.ts';
import { prompt, walkToForm } from '../support/walk.ts';

const blocked = { kind: 'error', code: 403, description: 'Forbidden: bot was blocked by the user' } as const;
const tooOld = {
  kind: 'error',
  code: 400,
  description: 'Bad Request: query is too old and response timeout expired or query ID is invalid',
} as const;
/** Telegram shows a spinner for so long. */
const spinnerMs = 15_000;
const updating = /The service is being updated…\s+Your tap had no effect/;
const updatingMessage = /The service is being updated… Your message is saved/;
const refusedTap = ['UPDATE_RECEIVED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'PASSIVE_NOTICE'];

describe.concurrent('a checkout', () => {
  test.each([
    { instance: 'an ACTIVE instance', role: 'active', language: 'en', text: /not been charged/ },
    { instance: 'a PASSIVE instance', role: 'passive', language: 'ru', text: /Деньги не списаны/ },
    { instance: 'an abandoned instance', role: 'abandoned', language: 'en', text: /not been charged/ },
  ] as const)('is declined by $instance, in the language $language', async ({ role, language, text }) => {
    const state = switchableState(role);
    await using bot = await startBot({ overrides: { state } });
    const checkout = sendCheckout(bot, bot.user(), language);
    const cid = await bot.cidOf(checkout.updateId);
    const line = await bot.waitForEvent(cid, 'PRE_CHECKOUT');

    const calls = bot.telegram.calls('answerPreCheckoutQuery');
    expect(calls.map(({ ok, payload }) => [ok, payload.ok])).toEqual([[true, false]]);
    expect(calls[0]?.payload.error_message).toMatch(text);
    expect(line).toMatchObject({
      domain: 'BILLING',
      result: 'rejected',
      reason_code: 'UNKNOWN_ACTION',
      event_type: 'pre_checkout_query',
      update_id: checkout.updateId,
      user_hash: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
    await traceEnded(bot, cid);
    expect(bot.chainOf(cid)).not.toContain('PASSIVE_NOTICE');
    if (role !== 'active') expect(await unfinished(bot)).toEqual([checkout.updateId]);
  });

  test('ends in one outcome when it is worked, and is not answered again', async () => {
    await using bot = await startBot();
    const checkout = sendCheckout(bot, bot.user());
    expect(await outcomeOf(bot, checkout)).toEqual([{ outcome: 'noop', reason_code: 'NOOP', attempts: 1 }]);
    const cid = await bot.cidOf(checkout.updateId);
    await bot.waitForEvent(cid, 'PRE_CHECKOUT');
    // The line follows the outcome.
    await bot.waitForEvent(cid, 'DISPATCH_OK');
    expect(bot.chainOf(cid).toSorted()).toEqual([
      'DISPATCH_OK',
      'DISPATCH_START',
      'PRE_CHECKOUT',
      'QUEUE_ENQUEUE',
      'QUEUE_PICK',
      'UPDATE_RECEIVED',
    ]);
    expect(bot.telegram.callCount('answerPreCheckoutQuery')).toBe(1);
  });

  test('that Telegram sends twice is answered once', async () => {
    await using bot = await startBot();
    bot.telegram.duplicateNextUpdate();
    const checkout = sendCheckout(bot, bot.user());
    await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
    await outcomeOf(bot, checkout);
    await bot.waitForLine(({ name }) => name === 'PRE_CHECKOUT');
    expect(bot.telegram.callCount('answerPreCheckoutQuery')).toBe(1);
    expect(bot.lines.filter(({ name }) => name === 'PRE_CHECKOUT')).toHaveLength(1);
  });

  test('whose answer Telegram refuses is logged, acknowledged and ended all the same', async () => {
    await using bot = await startBot();
    bot.telegram.failNext({ ...tooOld, method: 'answerPreCheckoutQuery' });
    const checkout = sendCheckout(bot, bot.user());
    const line = await bot.waitForLine(({ name }) => name === 'PRE_CHECKOUT');
    expect(line).toMatchObject({
      result: 'failed',
      reason_code: 'DOWNSTREAM_ERROR',
      reason_detail: expect.stringContaining('query is too old'),
    });
    await outcomeOf(bot, checkout);
    await expectAcknowledged(bot);
  });

  test('does not wait for the chat, which is busy', async () => {
    const help = hangingHelp();
    await using bot = await startBot({ overrides: { handlers: help.handlers } });
    const user = bot.user();
    const question = user.say('/help');
    await help.asked;
    sendCheckout(bot, user);
    await bot.waitForLine(({ name }) => name === 'PRE_CHECKOUT');
    help.answer();
    await storyOf(bot, question);
  });
});

describe.concurrent('a tap in a chat that is busy', () => {
  test('is answered after 3 s, once, and worked later; taps that were worked are left alone', async () => {
    const help = hangingHelp();
    await using bot = await startBot({ overrides: { handlers: help.handlers } });
    const user = await userAtMenu(bot);
    const quick = user.click('🎨 Pictures');
    await storyOf(bot, quick);
    user.say('/help');
    await help.asked;
    const startedAt = Date.now();
    const tap = user.click({ text: /^Z-Image/ });
    const answer = await user.answerOf(tap, spinnerMs);
    expect(answer).toMatchObject({ text: '⏳ Got it, a few more seconds', showAlert: false });
    expect(answer.at - startedAt).toBeGreaterThanOrEqual(2_950);
    const cid = await bot.cidOf(tap.updateId);
    expect(await bot.waitForEvent(cid, 'ANSWER_CALLBACK_QUERY')).toMatchObject({
      result: 'accepted',
      text: '⏳ Got it, a few more seconds',
      latency_ms: expect.any(Number),
      update_id: tap.updateId,
      event_type: 'callback_query',
      user_hash: expect.stringMatching(/^[0-9a-f]{8}$/),
      chat_hash: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
    expect(bot.chainOf(cid)).toEqual(['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'ANSWER_CALLBACK_QUERY']);

    help.answer();
    const story = await storyOf(bot, tap);
    expect(story.chain).toEqual([
      'UPDATE_RECEIVED',
      'QUEUE_ENQUEUE',
      'ANSWER_CALLBACK_QUERY',
      ...acceptedTap.slice(2),
    ]);
    expect(bot.linesOf(cid).some(line => line.reason_code === 'PASSIVE_REJECT')).toBe(false);
    expect(await outcomeOf(bot, tap)).toEqual([{ outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 }]);
    await user.waitForMessage(/photorealistic/);
    await traceEnded(bot, cid);
    const root = bot.spansOf(cid).find(({ name }) => name === 'update callback_query');
    const waiting = bot.spansOf(cid).find(({ name }) => name === 'answer waiting tap');
    expect(waiting?.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
    // It was due long before this one.
    expect(answersTo(bot, quick)).toHaveLength(1);
  });

  test('is not answered when another instance has picked it', async () => {
    const help = hangingHelp();
    await using bot = await startBot({ overrides: { handlers: help.handlers } });
    const user = await userAtMenu(bot);
    user.say('/help');
    await help.asked;
    const elsewhere = user.click('🎨 Pictures');
    const here = user.click('❓ Help');
    await waitFor('both taps in the inbox', async () =>
      (await unfinished(bot)).length === 3 ? true : undefined,
    );
    await bot.database.query(`update updates set picked_by = 'trt-elsewhere' where update_id = $1`, [
      elsewhere.updateId,
    ]);

    expect((await user.answerOf(here, spinnerMs)).text).toBe('⏳ Got it, a few more seconds');
    expect(answersTo(bot, elsewhere)).toHaveLength(0);
    await bot.database.query('update updates set picked_by = null where update_id = $1', [
      elsewhere.updateId,
    ]);
    help.answer();
    await storyOf(bot, elsewhere);
    await storyOf(bot, here);
  });

  test('is answered by a PASSIVE instance too, when the ACTIVE one is late', async () => {
    const state = switchableState('active');
    await using bot = await startBot({ overrides: { state } });
    const user = await userAtMenu(bot);
    state.become('passive');
    const tap = user.click('🎨 Pictures');
    expect((await user.answerOf(tap, spinnerMs)).text).toBe('⏳ Got it, a few more seconds');
    state.become('active');
    await storyOf(bot, user.say('/start'));
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'accepted' }]);
  });
});

describe.concurrent('while no instance is ACTIVE', () => {
  test('a tap is refused at once, with a notice and a button, and is never worked', async () => {
    let presses = 0;
    const category: typeof handlers.buttons.category = (context, args) => {
      presses += 1;
      return handlers.buttons.category(context, args);
    };
    const { bot, state, user } = await abandonedBot({
      overrides: { handlers: { ...handlers, buttons: { ...handlers.buttons, category } } },
    });
    await using _ = bot;
    const tap = user.click('🎨 Pictures');

    expect(await user.answerOf(tap)).toMatchObject({
      text: reasons.PASSIVE_REJECT.text.en,
      showAlert: false,
    });
    const notice = await user.waitForMessage(updating);
    expect(notice.keyboard.flat().map(({ text }) => text)).toEqual(['🔄 Refresh']);
    const cid = await bot.cidOf(tap.updateId);
    await bot.waitForEvent(cid, 'PASSIVE_NOTICE');
    expect(bot.chainOf(cid)).toEqual(refusedTap);
    expect(lineOf(bot, cid, 'CALLBACK_REJECTED')).toMatchObject({
      level: 'WARNING',
      bot_state: 'PASSIVE',
      result: 'rejected',
      reason_code: 'PASSIVE_REJECT',
      button_id: 'CAT_IMAGE',
      update_id: tap.updateId,
    });
    expect(lineOf(bot, cid, 'ANSWER_CALLBACK_QUERY')).toMatchObject({ result: 'accepted' });
    expect(lineOf(bot, cid, 'PASSIVE_NOTICE')).toMatchObject({
      result: 'accepted',
      reason_code: 'PASSIVE_REJECT',
      operation: 'send',
      message_id: notice.messageId,
    });
    expect(lineOf(bot, cid, 'PASSIVE_NOTICE').msg).toContain('reason_code=PASSIVE_REJECT');
    await traceEnded(bot, cid);
    expect(bot.spansOf(cid).find(({ name }) => name === 'update callback_query')?.attributes).toMatchObject({
      result: 'rejected',
      reason_code: 'PASSIVE_REJECT',
    });
    expect(await outcomeOf(bot, tap)).toEqual([
      { outcome: 'rejected', reason_code: 'PASSIVE_REJECT', attempts: 0 },
    ]);

    state.become('active');
    await storyOf(bot, user.say('/start'));
    expect(bot.chainOf(cid)).toEqual(refusedTap);
    expect(presses).toBe(0);
  });

  test('the refresh button brings the menu back, in the place of the notice, once somebody works', async () => {
    const { bot, state, user } = await abandonedBot();
    await using _ = bot;
    user.click('🎨 Pictures');
    const notice = await user.waitForMessage(updating);
    await recorded(bot, notice.messageId);
    state.become('active');
    const story = await storyOf(bot, user.click('🔄 Refresh'));
    expect(story.chain).toEqual(acceptedTap);
    expect(story.line('CALLBACK_ACCEPTED')).toMatchObject({
      screen_id: 'UPDATING',
      next_screen: 'MAIN_MENU',
    });
    expect(user.lastMessage()).toMatchObject({
      messageId: notice.messageId,
      text: expect.stringContaining('What shall we create'),
    });
  });

  test('the refresh button leads back to the question that was open', async () => {
    const state = switchableState('active');
    await using bot = await startBot({ overrides: { state } });
    const user = bot.user();
    await walkToForm(user);
    await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
    state.become('abandoned');
    user.click('16:9');
    const notice = await user.waitForMessage(updating);
    await recorded(bot, notice.messageId);
    state.become('active');
    const story = await storyOf(bot, user.click('🔄 Refresh'));
    expect(story.line('CALLBACK_ACCEPTED').next_screen).toBe('PARAMS_FORM');
    expect(user.lastMessage()?.text).toContain('step 2 of 2');
    await user.waitForMessage(/Check and run/, { after: user.click('16:9') });
  });

  test('every tap is answered, but a chat gets one message', async () => {
    const { bot, user } = await abandonedBot();
    await using _ = bot;
    const first = user.click('🎨 Pictures');
    const notice = await user.waitForMessage(updating);
    const second = user.click('🔄 Refresh');
    const cid = await bot.cidOf(second.updateId);
    await bot.waitForEvent(cid, 'PASSIVE_NOTICE');
    expect(bot.chainOf(cid)).toEqual(refusedTap);
    expect(lineOf(bot, cid, 'PASSIVE_NOTICE').operation).toBe('answer');
    for (const tap of [first, second])
      expect((await user.answerOf(tap)).text).toBe(reasons.PASSIVE_REJECT.text.en);
    expect(user.lastMessage()?.messageId).toBe(notice.messageId);
    expect(user.messages()).toHaveLength(2);
  });

  test('messages are kept, a chat is notified once a minute, and they are worked afterwards', async () => {
    const { bot, state, user } = await abandonedBot();
    await using _ = bot;
    const neighbour = bot.user({ languageCode: 'ru' });
    const first = user.say('/help');
    await user.waitForMessage(updatingMessage);
    const second = user.say('a few words');
    neighbour.say('привет');
    await neighbour.waitForMessage(/Сообщение сохранено/);
    await waitFor('three updates in the inbox', async () =>
      (await unfinished(bot)).length === 3 ? true : undefined,
    );
    const cid = await bot.cidOf(first.updateId);
    await bot.waitForEvent(cid, 'PASSIVE_NOTICE');
    expect(bot.chainOf(cid)).toEqual(['UPDATE_RECEIVED', 'QUEUE_ENQUEUE', 'PASSIVE_NOTICE']);
    expect(lineOf(bot, cid, 'PASSIVE_NOTICE')).toMatchObject({
      result: 'accepted',
      reason_code: 'PASSIVE_REJECT',
      operation: 'send',
      event_type: 'command',
      chat_hash: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
    expect(bot.chainOf(await bot.cidOf(second.updateId))).not.toContain('PASSIVE_NOTICE');
    expect(user.messages().filter(({ text }) => updatingMessage.test(text))).toHaveLength(1);
    expect(bot.output.join('')).not.toContain('a few words');

    state.become('active');
    const third = user.say('/start');
    await bot.waitForEvent(await bot.cidOf(third.updateId), 'DISPATCH_OK');
    expect(await outcomeOf(bot, first)).toEqual([
      { outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 },
    ]);
    // Words without a form are looked for among the models.
    expect(await outcomeOf(bot, second)).toEqual([
      { outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 },
    ]);
    for (const shown of ['How it works', 'Nothing found'])
      expect(user.messages().some(({ text }) => text.includes(shown))).toBe(true);
  });

  test('nothing is said in a group', async () => {
    const { bot, user } = await abandonedBot();
    await using _ = bot;
    const from = { id: user.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
    const chat = { id: -100_123, type: 'supergroup', title: 'Friends' };
    const message = { message_id: 7, date: 1, chat, from, text: 'hello' };
    const said = bot.telegram.sendRaw({ message });
    await bot.waitForEvent(await bot.cidOf(said.updateId), 'QUEUE_ENQUEUE');
    const tap = bot.telegram.sendRaw({
      callback_query: { id: 'in-a-group', from, message, data: 'v1:menu', chat_instance: '1' },
    });
    const cid = await bot.cidOf(tap.updateId);
    await bot.waitForEvent(cid, 'PASSIVE_NOTICE');
    expect(bot.chainOf(cid)).toEqual(refusedTap);
    expect(bot.telegram.calls('sendMessage', ({ chatId }) => chatId === chat.id)).toHaveLength(0);
  });

  test('a tap that Telegram sends twice is answered once', async () => {
    const { bot, user } = await abandonedBot();
    await using _ = bot;
    bot.telegram.duplicateNextUpdate();
    const tap = user.click('🎨 Pictures');
    const duplicate = await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
    const rejected = bot.lines.find(({ name }) => name === 'CALLBACK_REJECTED');
    expect(duplicate.original_cid).toBe(rejected?.cid);
    await bot.waitForLine(({ name }) => name === 'PASSIVE_NOTICE');
    expect(answersTo(bot, tap)).toHaveLength(1);
    expect(await outcomeOf(bot, tap)).toHaveLength(1);
  });

  test('the webhook is acknowledged before Telegram has taken the answer', async () => {
    const { bot, user } = await abandonedBot();
    await using _ = bot;
    bot.telegram.failNext({ kind: 'delay', ms: 1_000, method: 'answerCallbackQuery' });
    const tap = user.click('🎨 Pictures');
    await bot.telegram.idle();
    expect(tap.answer).toBeUndefined();
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'rejected' }]);
    await user.answerOf(tap);
  });

  test('a refusal of Telegram is logged, and the tap is refused and acknowledged all the same', async () => {
    const { bot, user } = await abandonedBot();
    await using _ = bot;
    bot.telegram.failNext({ ...tooOld, method: 'answerCallbackQuery' });
    bot.telegram.failNext({ ...blocked, method: 'sendMessage' });
    const tap = user.click('🎨 Pictures');
    const cid = await bot.cidOf(tap.updateId);
    const notice = await bot.waitForEvent(cid, 'PASSIVE_NOTICE');
    expect(notice).toMatchObject({
      result: 'failed',
      reason_detail: expect.stringContaining('blocked by the user'),
    });
    expect(lineOf(bot, cid, 'ANSWER_CALLBACK_QUERY')).toMatchObject({
      result: 'failed',
      reason_detail: expect.stringContaining('query is too old'),
    });
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'rejected', reason_code: 'PASSIVE_REJECT' }]);
    await expectAcknowledged(bot);
  });

  test('a stop waits for the answers under way', async () => {
    const { bot, user } = await abandonedBot();
    await using _ = bot;
    bot.telegram.failNext({ kind: 'delay', ms: 300, method: 'answerCallbackQuery' });
    const tap = user.click('🎨 Pictures');
    await bot.telegram.idle();
    await bot.app.stop();
    expect(tap.answer?.text).toBe(reasons.PASSIVE_REJECT.text.en);
    expect(bot.chainOf(await bot.cidOf(tap.updateId))).toEqual(refusedTap);
  });
});

describe.concurrent('PASSIVE_MODE', () => {
  const reject = { PASSIVE_MODE: 'reject' };

  test('queue keeps taps for the ACTIVE instance', async () => {
    const state = switchableState('active');
    await using bot = await startBot({ overrides: { state } });
    const user = await userAtMenu(bot);
    state.become('passive');
    const tap = user.click('🎨 Pictures');
    await waitFor('the tap in the inbox', async () =>
      (await unfinished(bot)).includes(tap.updateId) ? true : undefined,
    );
    state.become('active');
    await storyOf(bot, user.say('/help'));
    expect(await outcomeOf(bot, tap)).toMatchObject([{ outcome: 'accepted' }]);
    expect(bot.lines.some(({ name }) => name === 'PASSIVE_NOTICE')).toBe(false);
  });

  test('reject refuses taps although an instance is ACTIVE, and notifies who writes', async () => {
    const state = switchableState('active');
    await using bot = await startBot({ environment: reject, overrides: { state } });
    const user = await userAtMenu(bot);
    state.become('passive');
    const tap = user.click('🎨 Pictures');
    expect((await user.answerOf(tap)).text).toBe(reasons.PASSIVE_REJECT.text.en);
    await user.waitForMessage(updating);
    expect(await outcomeOf(bot, tap)).toEqual([
      { outcome: 'rejected', reason_code: 'PASSIVE_REJECT', attempts: 0 },
    ]);
    const message = user.say('/help');
    await user.waitForMessage(updatingMessage);
    state.become('active');
    await storyOf(bot, user.say('/start'));
    expect(await outcomeOf(bot, message)).toMatchObject([{ outcome: 'accepted' }]);
  });

  test.each(['queue', 'reject'])('%s changes nothing for an ACTIVE instance', async mode => {
    const state: InstanceState = { isActive: () => true, isAbandoned: () => true, isHolderLate: () => false };
    await using bot = await startBot({ environment: { PASSIVE_MODE: mode }, overrides: { state } });
    const user = await userAtMenu(bot);
    expect((await storyOf(bot, user.click('🎨 Pictures'))).chain).toEqual(acceptedTap);
    expect(bot.lines.some(({ name }) => name === 'PASSIVE_NOTICE')).toBe(false);
  });
});

type Situation = 'active' | 'passive' | 'abandoned';

interface SwitchableState extends InstanceState {
  become(situation: Situation): void;
}

function switchableState(initial: Situation): SwitchableState {
  let now = initial;
  return {
    isActive: () => now === 'active',
    isAbandoned: () => now === 'abandoned',
    isHolderLate: () => false,
    become(situation) {
      now = situation;
    },
  };
}

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  return user;
}

/** A user at the menu, and then no instance is ACTIVE any more. */
async function abandonedBot(
  options: BotOptions = {},
): Promise<{ bot: BotUnderTest; state: SwitchableState; user: SandboxUser }> {
  const state = switchableState('active');
  const bot = await startBot({ ...options, overrides: { ...options.overrides, state } });
  const user = await userAtMenu(bot);
  state.become('abandoned');
  return { bot, state, user };
}

/** /help is asked and not answered until it may be. */
function hangingHelp() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const help: typeof handlers.commands.help = async (context, argument) => {
    asked.resolve();
    await answer.promise;
    return handlers.commands.help(context, argument);
  };
  return {
    handlers: { ...handlers, commands: { ...handlers.commands, help } },
    asked: asked.promise,
    answer: answer.resolve,
  };
}

function sendCheckout(bot: BotUnderTest, user: SandboxUser, languageCode = 'en'): SentUpdate {
  return bot.telegram.sendRaw({
    pre_checkout_query: {
      id: `checkout-${user.id}`,
      from: { id: user.id, is_bot: false, first_name: 'Ada', language_code: languageCode },
      currency: 'XTR',
      total_amount: 5,
      invoice_payload: 'order-1',
    },
  });
}

function answersTo(bot: BotUnderTest, { callbackId }: CallbackClick) {
  return bot.telegram.calls('answerCallbackQuery', ({ payload }) => payload.callback_query_id === callbackId);
}

function lineOf(bot: BotUnderTest, cid: string, name: string): Line {
  const [line] = bot.linesOf(cid).filter(candidate => candidate.name === name);
  return line ?? expect.fail(`No ${name} in ${bot.chainOf(cid).join(', ')}`);
}

async function unfinished(bot: BotUnderTest): Promise<number[]> {
  const rows = await bot.database.query<{ update_id: string }>(
    'select update_id from updates where outcome is null order by id',
  );
  return rows.map(row => Number(row.update_id));
}

/** A moment after the message is there, its record is too. */
function recorded(bot: BotUnderTest, messageId: number): Promise<true> {
  return waitFor(`the record of message ${messageId}`, async () => {
    const rows = await bot.database.query('select 1 from messages where message_id = $1', [messageId]);
    return rows.length > 0 || undefined;
  });
}

async function expectAcknowledged(bot: BotUnderTest): Promise<void> {
  await bot.telegram.idle();
  expect(bot.telegram.webhookInfo.last_error_message).toBeUndefined();
}
