// Taps and messages that the bot does not do: each ends with a reason code, an answer and a way on.
import { expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { rejected } from '../../src/ui/outcome.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import {
  acceptedRun,
  acceptedTap,
  messageChain,
  outcomeOf,
  type Story,
  storyOf,
  tapChain,
} from '../support/story.ts';
import { prompt, walkToConfirm, walkToForm } from '../support/walk.ts';

const refusedTap = tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK');
/** Refused, and the screen that is valid now is shown below. */
const recoveredTap = tapChain(
  'CALLBACK_ROUTED',
  'CALLBACK_REJECTED',
  'ANSWER_CALLBACK_QUERY',
  'UI_RENDER',
  'DISPATCH_OK',
);
/** The data did not lead to a handler. */
const undecodedTap = tapChain('CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'DISPATCH_OK');
const recoveredUndecodedTap = tapChain(
  'CALLBACK_REJECTED',
  'ANSWER_CALLBACK_QUERY',
  'UI_RENDER',
  'DISPATCH_OK',
);

test('a second button tapped before the edit is seen is refused with STATE_MISMATCH', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
  await user.waitForMessage(/photorealistic/, { after: user.click({ text: /^Z-Image/ }) });
  const create = user.click('✨ Create');
  const back = user.click('◀️ Back');

  const answer = await user.answerOf(back);
  expect(answer).toMatchObject({ text: reasons.STATE_MISMATCH.text.en, showAlert: false });
  expect((await storyOf(bot, create)).chain).toEqual(acceptedTap);
  const refused = await storyOf(bot, back);
  expect(refused.chain).toEqual(refusedTap);
  expectRefusal(refused, 'STATE_MISMATCH');
  expect(refused.line('CALLBACK_REJECTED')).toMatchObject({
    button_id: 'BACK',
    screen_id: 'PARAMS_FORM',
    expected_state: 'CATEGORY_PICK | MODEL_PICK | BALANCE | HELP | PRIVACY | UPDATING',
    actual_state: 'PARAMS_FORM',
  });
  await expectOutcome(bot, back, 'rejected', 'STATE_MISMATCH');
  expect(user.lastMessage()?.text).toContain('step 1 of 2');
});

test("a stale draft's button on an old message leads back to the current form", async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const [oldMessage, currentMessage] = user.messages();
  const tap = user.click('✖️ Cancel', { messageId: oldMessage?.messageId ?? 0 });

  expect((await user.answerOf(tap)).text).toBe(reasons.STATE_MISMATCH.text.en);
  const shown = await user.waitForMessage(/Check and run/, { after: tap });
  expect(shown.messageId).toBeGreaterThan(currentMessage?.messageId ?? 0);
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(recoveredTap);
  expectRefusal(story, 'STATE_MISMATCH');
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({
    expected_state: expect.stringMatching(/^draft \S+ revision 1$/),
    actual_state: expect.stringMatching(/^draft \S+ revision 3$/),
  });
  expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'CONFIRM', operation: 'send' });

  const run = user.click('🚀 Run');
  expect((await storyOf(bot, run)).chain.slice(0, acceptedRun.length)).toEqual(acceptedRun);
});

test('a button of a form that was closed leads to the menu', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const [oldMessage] = user.messages();
  await storyOf(bot, user.click('✖️ Cancel'));
  const tap = user.click('◀️ Back', { messageId: oldMessage?.messageId ?? 0 });

  await user.waitForMessage(/What shall we create/, { after: tap });
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(recoveredTap);
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({
    reason_code: 'STATE_MISMATCH',
    actual_state: 'no open form',
  });
});

test('a double tap on Run makes one task and one order', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const first = user.click('🚀 Run');
  const second = user.click('🚀 Run');

  expect((await user.answerOf(second)).text).toBe(reasons.DUPLICATE_ACTION.text.en);
  const run = await storyOf(bot, first, 'RESULT_DELIVERED');
  expect(run.chain.slice(0, acceptedRun.length)).toEqual(acceptedRun);
  const story = await storyOf(bot, second);
  expect(story.chain).toEqual(refusedTap);
  expectRefusal(story, 'DUPLICATE_ACTION');
  await expectOutcome(bot, second, 'rejected', 'DUPLICATE_ACTION');
  expect(await bot.database.query('select count(*)::int as count from tasks')).toEqual([{ count: 1 }]);
  expect(bot.kie.createdCount()).toBe(1);
  expect(user.messages().filter(({ kind }) => kind === 'photo')).toHaveLength(1);
});

test('a double tap counts as one where the button would still be valid, too', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await user.waitForMessage(/How it works/, { after: user.click('❓ Help') });
  const [first, second] = [user.click('🏠 Menu'), user.click('🏠 Menu')];
  expect((await storyOf(bot, first)).chain).toEqual(acceptedTap);
  const story = await storyOf(bot, second);
  expect(story.chain).toEqual(refusedTap);
  expectRefusal(story, 'DUPLICATE_ACTION');
});

test.each(['test:unknown', 'v1:nosuch', 'v1', ''])('the data %j is an UNKNOWN_CALLBACK', async data => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const tap = user.rawCallback(data);
  expect((await user.answerOf(tap)).text).toBe(reasons.UNKNOWN_CALLBACK.text.en);
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(undecodedTap);
  expect(story.line('CALLBACK_RECEIVED')).toMatchObject({
    callback_id: tap.callbackId,
    button_id: 'UNKNOWN',
    payload_sanitized: `text(${data.length})`,
  });
  expectRefusal(story, 'UNKNOWN_CALLBACK');
  await expectOutcome(bot, tap, 'rejected', 'UNKNOWN_CALLBACK');
});

test.each(['v1:mod', 'v1:gen:draft:not-a-number', 'v1:cat:image:more'])(
  'the data %j does not decode',
  async data => {
    await using bot = await startBot();
    const user = await userAtMenu(bot);
    const tap = user.rawCallback(data);
    expect((await user.answerOf(tap)).text).toBe(reasons.CALLBACK_PARSE_ERROR.text.en);
    const story = await storyOf(bot, tap);
    expect(story.chain).toEqual(undecodedTap);
    expectRefusal(story, 'CALLBACK_PARSE_ERROR');
  },
);

test('a button of an older version of the bot brings a fresh menu', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const tap = user.rawCallback('v0:menu');
  expect((await user.answerOf(tap)).text).toBe(reasons.EXPIRED_MESSAGE.text.en);
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(recoveredUndecodedTap);
  expectRefusal(story, 'EXPIRED_MESSAGE');
  expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'MAIN_MENU', operation: 'send' });
  expect(user.messages()).toHaveLength(2);
});

test('a screen rendered 49 hours ago brings a fresh menu that works', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await bot.database.query(`update messages set rendered_at = rendered_at - interval '49 hours'`);
  const tap = user.click('🎨 Pictures');
  expect((await user.answerOf(tap)).text).toBe(reasons.EXPIRED_MESSAGE.text.en);
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(recoveredTap);
  expectRefusal(story, 'EXPIRED_MESSAGE');
  expect(story.line('CALLBACK_REJECTED').reason_detail).toBe('rendered over 48 hours ago');
  await expectOutcome(bot, tap, 'rejected', 'EXPIRED_MESSAGE');
  expect((await storyOf(bot, user.click('🎨 Pictures'))).chain).toEqual(acceptedTap);
});

test('a screen rendered 47 hours ago still works', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await bot.database.query(`update messages set rendered_at = rendered_at - interval '47 hours'`);
  expect((await storyOf(bot, user.click('🎨 Pictures'))).chain).toEqual(acceptedTap);
});

test('a message that the bot has no record of brings a fresh menu', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const tap = user.rawCallback('v1:menu', { messageId: 4242 });
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(recoveredTap);
  expectRefusal(story, 'EXPIRED_MESSAGE');
  expect(story.line('CALLBACK_REJECTED').reason_detail).toBe('no record of this message');
  expect(user.lastMessage()?.text).toContain('What shall we create');
  expect(user.messages()).toHaveLength(2);
});

test.each(['v1:cat:nosuch', 'v1:cat:video', 'v1:cat:constructor'])(
  'where only one model is offered, the choice of %j is an UNKNOWN_ACTION',
  async data => {
    await using bot = await startBot({ environment: { SINGLE_MODEL_ONLY: 'z-image' } });
    const user = await userAtMenu(bot);
    const tap = user.rawCallback(data);
    expect((await user.answerOf(tap)).text).toBe(reasons.UNKNOWN_ACTION.text.en);
    const story = await storyOf(bot, tap);
    expect(story.chain).toEqual(refusedTap);
    expectRefusal(story, 'UNKNOWN_ACTION');
    await expectOutcome(bot, tap, 'rejected', 'UNKNOWN_ACTION');
  },
);

test('a model that the catalogue does not have is an UNKNOWN_ACTION, and the shelf stays', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await storyOf(bot, user.click('🎨 Pictures'));
  const story = await storyOf(bot, user.rawCallback('v1:mod:nosuch'));
  expect(story.chain).toEqual(refusedTap);
  expectRefusal(story, 'UNKNOWN_ACTION');
  expect(story.line('CALLBACK_REJECTED').reason_detail).toBe('model nosuch');
  expect((await storyOf(bot, user.click({ text: /^Z-Image/ }))).chain).toEqual(acceptedTap);
});

test('a model that is switched off is refused with MODEL_DISABLED, and the shelf stays', async () => {
  const model = async () => rejected('MODEL_DISABLED', { detail: 'z-image' });
  await using bot = await startBot({
    overrides: { handlers: { ...handlers, buttons: { ...handlers.buttons, model } } },
  });
  const user = await userAtMenu(bot);
  await storyOf(bot, user.click('🎨 Pictures'));
  const tap = user.click({ text: /^Z-Image/ });
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(refusedTap);
  expectRefusal(story, 'MODEL_DISABLED');
  expect(await user.answerOf(tap)).toMatchObject({ showAlert: false });
  expect(user.lastMessage()?.text).toContain('Choose a model');
});

test('a choice that the question does not offer is an UNKNOWN_ACTION, and the form stays', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  user.say(prompt);
  const question = await user.waitForMessage(/step 2 of 2/);
  const data = question.keyboard.flat().find(({ text }) => text === '16:9')?.data;
  const tap = user.rawCallback(String(data).replace(/:3$/, ':99'));
  const story = await storyOf(bot, tap);
  expect(story.chain).toEqual(refusedTap);
  expectRefusal(story, 'UNKNOWN_ACTION');
  expect(story.line('CALLBACK_REJECTED').reason_detail).toBe('choice 99');
  await user.waitForMessage(/Check and run/, { after: user.click('16:9') });
});

test('a handler that throws is shown once with the cid, is not run again, and the chat goes on', async () => {
  let calls = 0;
  await using bot = await startBot({
    overrides: {
      handlers: {
        ...handlers,
        buttons: {
          ...handlers.buttons,
          category: async () => {
            calls += 1;
            throw new Error('the shelf is broken');
          },
        },
      },
    },
  });
  const user = await userAtMenu(bot);
  const tap = user.click('🎨 Pictures');
  const story = await storyOf(bot, tap);

  expect(await user.answerOf(tap)).toMatchObject({
    text: `${reasons.INTERNAL_ERROR.text.en} (${story.cid})`,
    showAlert: true,
  });
  expect(story.chain).toEqual(
    tapChain('CALLBACK_ROUTED', 'CALLBACK_REJECTED', 'ANSWER_CALLBACK_QUERY', 'UI_RENDER', 'DISPATCH_FAIL'),
  );
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({
    result: 'failed',
    reason_code: 'INTERNAL_ERROR',
    error_type: 'Error',
  });
  expect(story.line('DISPATCH_FAIL')).toMatchObject({
    level: 'ERROR',
    result: 'failed',
    reason_code: 'INTERNAL_ERROR',
    error_type: 'Error',
    error_message: 'the shelf is broken',
  });
  expect(await outcomeOf(bot, tap)).toEqual([
    { outcome: 'failed', reason_code: 'INTERNAL_ERROR', attempts: 1 },
  ]);
  const dispatch = bot.spansOf(story.cid).find(({ name }) => name === 'dispatch update');
  expect(dispatch).toMatchObject({
    status: { code: 2, message: 'the shelf is broken' },
    attributes: { 'error.type': 'Error', result: 'failed', reason_code: 'INTERNAL_ERROR' },
  });

  const [menu, notice] = user.messages();
  expect(notice?.text).toBe(`${reasons.INTERNAL_ERROR.text.en} (${story.cid})`);
  const help = user.click('❓ Help', { messageId: menu?.messageId ?? 0 });
  expect((await storyOf(bot, help)).chain).toEqual(acceptedTap);
  expect(calls).toBe(1);
  expect(bot.telegram.calls('answerCallbackQuery')).toHaveLength(2);
  expect(user.messages()).toHaveLength(2);
});

test('a command whose handler throws is answered with one message that bears the cid', async () => {
  await using bot = await startBot({
    overrides: {
      handlers: {
        ...handlers,
        commands: { ...handlers.commands, help: () => Promise.reject(new Error('no help today')) },
      },
    },
  });
  const user = await userAtMenu(bot);
  const command = user.say('/help');
  const story = await storyOf(bot, command);
  expect(story.chain).toEqual(
    messageChain('COMMAND_RECEIVED', 'COMMAND_START', 'UI_RENDER', 'DISPATCH_FAIL'),
  );
  expect(user.messages().filter(({ text }) => text.includes(story.cid))).toHaveLength(1);
  await expectOutcome(bot, command, 'failed', 'INTERNAL_ERROR');
});

test.each([
  { said: 'жы', answer: 'Too short: 3–1000 characters are needed.', allowed: '3–1000' },
  { said: 'overlong '.repeat(112), answer: 'Too long: 3–1000 characters are allowed.', allowed: '3–1000' },
])('a text of $said.length characters is refused with a hint: $answer', async ({ said, answer, allowed }) => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const message = user.say(said);
  await user.waitForMessage(({ text }) => text === answer);
  const story = await storyOf(bot, message);
  expect(story.chain).toEqual(
    messageChain('MESSAGE_RECEIVED', 'PARAM_INPUT', 'PARAM_VALIDATION_FAILED', 'DISPATCH_OK'),
  );
  expect(story.line('PARAM_VALIDATION_FAILED')).toMatchObject({
    param_name: 'prompt',
    value: `text(${said.length})`,
    reason_code: 'VALIDATION_FAILED',
    hint_to_user: answer,
    allowed,
  });
  expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'rejected', reason_code: 'VALIDATION_FAILED' });
  await expectOutcome(bot, message, 'rejected', 'VALIDATION_FAILED');
  expect(bot.output.join('')).not.toContain(said.slice(0, 8));

  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
});

test('a text where a button is asked for is refused with a hint and stands in no line', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
  const message = user.say('wide as the sea');
  await user.waitForMessage(/Choose one of the buttons/, { after: message });
  const story = await storyOf(bot, message);
  expect(story.chain).toEqual(
    messageChain('MESSAGE_RECEIVED', 'PARAM_INPUT', 'PARAM_VALIDATION_FAILED', 'DISPATCH_OK'),
  );
  expect(story.line('PARAM_VALIDATION_FAILED')).toMatchObject({
    param_name: 'aspect_ratio',
    value: 'text(15)',
    allowed: '1:1, 4:3, 3:4, 16:9, 9:16',
  });
  expect(bot.output.join('')).not.toContain('wide as the sea');
});

test('a text after the last question is refused as a step already passed', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const message = user.say('one more wish');
  await user.waitForMessage(/^There is nothing to send now\. Use the buttons above\.$/, { after: message });
  const story = await storyOf(bot, message);
  expect(story.chain).toEqual(messageChain('MESSAGE_RECEIVED', 'DISPATCH_OK'));
  await expectOutcome(bot, message, 'rejected', 'STATE_MISMATCH');
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
});

test('an unknown command is refused and brings the menu', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const command = user.say('/nosuch and some words');
  const shown = await user.waitForMessage(/There is no such command\. Here is the menu\./);
  expect(shown.text).toContain('What shall we create?');
  const story = await storyOf(bot, command);
  expect(story.chain).toEqual(
    messageChain('COMMAND_RECEIVED', 'COMMAND_REJECTED', 'UI_RENDER', 'DISPATCH_OK'),
  );
  expect(story.line('COMMAND_RECEIVED').payload_sanitized).toBe('/text(6)');
  expect(story.line('COMMAND_REJECTED')).toMatchObject({
    reason_code: 'UNKNOWN_ACTION',
    reason_text: reasons.UNKNOWN_ACTION.meaning,
  });
  await expectOutcome(bot, command, 'rejected', 'UNKNOWN_ACTION');
  expect(bot.output.join('')).not.toContain('some words');
});

test('a photo that nobody asked for brings the menu', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const photo = user.sendPhoto(undefined, { caption: 'a private caption' });
  await user.waitForMessage(/To begin, choose a section\.[\s\S]*What shall we create/);
  const story = await storyOf(bot, photo);
  expect(story.chain).toEqual(messageChain('MESSAGE_RECEIVED', 'UI_RENDER', 'DISPATCH_OK'));
  expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'noop', reason_code: 'NOOP' });
  await expectOutcome(bot, photo, 'noop', 'NOOP');
  expect(bot.output.join('')).not.toContain('private caption');
});

test('a photo where a text is asked for is refused with a hint, and the question stays', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const photo = user.sendPhoto(undefined, { caption: 'a private caption' });
  const hint = 'A text is needed: 3–1000 characters.';
  await user.waitForMessage(({ text }) => text === hint, { after: photo });
  const story = await storyOf(bot, photo);
  expect(story.chain).toEqual(
    messageChain('MESSAGE_RECEIVED', 'PARAM_INPUT', 'PARAM_VALIDATION_FAILED', 'DISPATCH_OK'),
  );
  expect(story.line('MESSAGE_RECEIVED').payload_sanitized).toBe('file(image)');
  expect(story.line('PARAM_VALIDATION_FAILED')).toMatchObject({
    param_name: 'prompt',
    value: 'file(image)',
    hint_to_user: hint,
    allowed: '3–1000',
  });
  await expectOutcome(bot, photo, 'rejected', 'VALIDATION_FAILED');
  expect(bot.output.join('')).not.toContain('private caption');
  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
});

test('a photo after the last question is refused as a step already passed', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const photo = user.sendPhoto();
  await user.waitForMessage(/^There is nothing to send now/, { after: photo });
  expect((await storyOf(bot, photo)).chain).toEqual(messageChain('MESSAGE_RECEIVED', 'DISPATCH_OK'));
  await expectOutcome(bot, photo, 'rejected', 'STATE_MISMATCH');
});

test('a message without text and file in the middle of a form brings the question back', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const from = { id: user.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
  const dice = bot.telegram.sendRaw({
    message: {
      message_id: 900,
      date: 1,
      chat: { id: user.chatId, type: 'private' },
      from,
      dice: { value: 3 },
    },
  });
  await user.waitForMessage(/Let us continue from here:[\s\S]*step 1 of 2/, { after: dice });
  const story = await storyOf(bot, dice);
  expect(story.line('UI_RENDER')).toMatchObject({ screen_id: 'PARAMS_FORM' });
  await expectOutcome(bot, dice, 'noop', 'NOOP');
});

test('one letter is too little to look for; more shows what was found, and it can be opened', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const short = user.say('z');
  await user.waitForMessage(({ text }) => text === 'Write at least two letters.', { after: short });
  const refused = await storyOf(bot, short);
  expect(refused.chain).toEqual(messageChain('MESSAGE_RECEIVED', 'DISPATCH_OK'));
  await expectOutcome(bot, short, 'rejected', 'VALIDATION_FAILED');

  const words = user.say('z-image');
  await user.waitForMessage(/Found/, { after: words });
  const found = await storyOf(bot, words);
  expect(found.chain).toEqual(messageChain('MESSAGE_RECEIVED', 'UI_RENDER', 'DISPATCH_OK'));
  expect(found.line('UI_RENDER')).toMatchObject({ screen_id: 'SEARCH', operation: 'send' });
  expect((await storyOf(bot, user.click({ text: /^Z-Image/ }))).chain).toEqual(acceptedTap);

  await user.waitForMessage(/Nothing found/, { after: user.say('a canary wish') });
  expect(bot.output.join('')).not.toContain('canary wish');
});

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await storyOf(bot, user.start());
  return user;
}

/** What a refused tap emits, whatever the reason. */
function expectRefusal(story: Story, reason: keyof typeof reasons): void {
  expect(story.line('CALLBACK_REJECTED')).toMatchObject({
    level: 'WARNING',
    result: 'rejected',
    reason_code: reason,
    reason_text: reasons[reason].meaning,
    button_id: story.line('CALLBACK_RECEIVED').button_id,
  });
  expect(story.line('CALLBACK_REJECTED').msg).toContain(`reason_code=${reason}`);
  expect(story.line('ANSWER_CALLBACK_QUERY')).toMatchObject({
    result: 'accepted',
    text: reasons[reason].text.en,
  });
  expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'rejected', reason_code: reason });
}

async function expectOutcome(
  bot: BotUnderTest,
  sent: Parameters<typeof outcomeOf>[1],
  outcome: string,
  reason: keyof typeof reasons,
): Promise<void> {
  expect(await outcomeOf(bot, sent)).toEqual([{ outcome, reason_code: reason, attempts: 1 }]);
}
