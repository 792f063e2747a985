// What the frame emits for each kind of tap, command and message: which events, in which order, and every field of them.
import type { Message } from 'grammy/types';
import { expect, test } from 'vitest';
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { noop, rejected } from '../../src/ui/outcome.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { storyOf } from '../support/story.ts';
import { prompt, walkToForm } from '../support/walk.ts';

type Emitted = readonly [name: string, fields: Readonly<Record<string, unknown>>];

const adminId = 5_000_000_601;
const ofFrame = /^(CALLBACK|COMMAND|MESSAGE|PARAM|STATE|DEBUG)_/;
const ofEveryLine =
  /^(level|ts|cid|trace_id|span_id|trace_flags|bot_state|instance_id|event_type|update_id|user_hash|chat_hash|name|domain|msg)$/;

/** A bot that emits everything; three buttons of its menu lead to no screen, each in its own way. */
function openBot(): Promise<BotUnderTest> {
  const broken = {
    menu: async () => {
      throw new TypeError('broken');
    },
    help: async () => noop({ key: 'hint-sending' }),
    search: async () =>
      rejected('VALIDATION_FAILED', {
        detail: 'too_wide',
        hint: { key: 'hint-sending' },
        parameter: {
          name: 'aspect_ratio',
          value: '99:1',
          source: 'button',
          allowed: '16:9, 1:1',
          problem: 'not_a_choice',
        },
      }),
  };
  return startBot({
    environment: { LOG_LEVEL: 'DEBUG', ADMIN_IDS: String(adminId) },
    overrides: { handlers: { ...handlers, buttons: { ...handlers.buttons, ...broken } } },
  });
}

/** What the frame emitted for an update, without what every line has. */
async function emittedOf(bot: BotUnderTest, sent: SentUpdate): Promise<Emitted[]> {
  const { cid } = await storyOf(bot, sent);
  return bot
    .linesOf(cid)
    .filter(({ name }) => ofFrame.test(name))
    .map(line => [
      line.name,
      Object.fromEntries(Object.entries(line).filter(([key]) => !ofEveryLine.test(key))),
    ]);
}

const draft = expect.stringMatching(/^[\w-]{8}$/);
const atPrompt = { flow_id: draft, step_id: 'prompt' };
const model = { model_id: 'z-image', model_version: expect.any(String) };
const empty = { ...model, revision: 1, form_values: '{}' };
const nowhere = { screen_id: 'NONE' };

/** A message of a kind that no user of the stand-in sends. */
function send(bot: BotUnderTest, user: SandboxUser, content: Partial<Message>): SentUpdate {
  const person = { id: user.id, is_bot: false, first_name: 'Somebody', language_code: 'en' };
  const chat = { id: user.chatId, type: 'private', first_name: 'Somebody' };
  return bot.telegram.sendRaw({ message: { message_id: 9_001, date: 1, chat, from: person, ...content } });
}

test('a tap that leads nowhere', async () => {
  await using bot = await openBot();
  const user = bot.user();
  await walkToForm(user);
  const tap = user.rawCallback('test:unknown');
  const around = { ...atPrompt, screen_id: 'PARAMS_FORM', button_id: 'UNKNOWN' };
  expect(await emittedOf(bot, tap)).toEqual([
    [
      'CALLBACK_RECEIVED',
      {
        ...around,
        callback_id: tap.callbackId,
        message_id: user.lastMessage()?.messageId,
        payload_sanitized: 'text(12)',
      },
    ],
    [
      'CALLBACK_REJECTED',
      {
        ...around,
        result: 'rejected',
        reason_code: 'UNKNOWN_CALLBACK',
        reason_text: reasons.UNKNOWN_CALLBACK.meaning,
      },
    ],
  ]);
});

test('a tap that gives a value, one that gives a wrong one, and one that came too late', async () => {
  await using bot = await openBot();
  const user = bot.user();
  await walkToForm(user);
  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
  const wide = String(
    user
      .lastMessage()
      ?.keyboard.flat()
      .find(({ text }) => text === '16:9')?.data,
  );
  const wrongData = wide.replace(/\d+$/, '99');
  const at = { flow_id: draft, step_id: 'aspect_ratio', screen_id: 'PARAMS_FORM' };
  const routed = { handler: 'choose', action_id: 'choose' };
  const before = { ...model, revision: 2, form_values: JSON.stringify({ prompt: `text(${prompt.length})` }) };

  const wrong = { ...at, button_id: 'PARAM_99' };
  const wrongTap = user.rawCallback(wrongData);
  expect(await emittedOf(bot, wrongTap)).toEqual([
    [
      'CALLBACK_RECEIVED',
      {
        ...wrong,
        callback_id: wrongTap.callbackId,
        message_id: expect.any(Number),
        payload_sanitized: wrongData,
      },
    ],
    ['CALLBACK_ROUTED', { ...wrong, ...routed }],
    ['STATE_BEFORE', { ...wrong, ...routed, ...before }],
    [
      'CALLBACK_REJECTED',
      {
        ...wrong,
        ...routed,
        result: 'rejected',
        reason_code: 'UNKNOWN_ACTION',
        reason_text: reasons.UNKNOWN_ACTION.meaning,
        reason_detail: expect.any(String),
      },
    ],
  ]);

  const right = { ...at, button_id: expect.stringMatching(/^PARAM_\d$/) };
  const value = { param_name: 'aspect_ratio', value: '16:9' };
  const tap = user.click('16:9');
  expect(await emittedOf(bot, tap)).toEqual([
    [
      'CALLBACK_RECEIVED',
      { ...right, callback_id: tap.callbackId, message_id: expect.any(Number), payload_sanitized: wide },
    ],
    ['CALLBACK_ROUTED', { ...right, ...routed }],
    ['STATE_BEFORE', { ...right, ...routed, ...before }],
    ['PARAM_INPUT', { ...right, ...routed, ...value, source: 'button' }],
    ['PARAM_ACCEPTED', { ...right, ...routed, ...value }],
    [
      'CALLBACK_ACCEPTED',
      { ...right, ...routed, result: 'accepted', reason_code: 'SUCCESS', next_screen: 'CONFIRM' },
    ],
  ]);

  const late = (await emittedOf(bot, user.rawCallback(wrongData))).find(
    ([name]) => name === 'CALLBACK_REJECTED',
  );
  expect(late?.[1]).toMatchObject({
    screen_id: 'CONFIRM',
    reason_code: 'STATE_MISMATCH',
    expected_state: 'PARAMS_FORM',
    actual_state: 'CONFIRM',
    reason_detail: 'expected PARAMS_FORM, got CONFIRM',
  });
});

test('a tap whose handler has nothing to show, and one whose handler throws', async () => {
  await using bot = await openBot();
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  const idle = user.click('❓ Help');
  expect((await emittedOf(bot, idle)).at(-1)).toEqual([
    'CALLBACK_ACCEPTED',
    {
      screen_id: 'MAIN_MENU',
      button_id: 'HELP',
      handler: 'help',
      action_id: 'help',
      result: 'noop',
      reason_code: 'NOOP',
      next_screen: 'MAIN_MENU',
    },
  ]);
  expect(idle.answer?.text).toBe('Sending');
  await user.waitForMessage(/How it works/, { after: user.say('/help') });
  const around = { screen_id: 'HELP', button_id: 'MAIN_MENU', handler: 'menu', action_id: 'menu' };
  const [, routed, before, rejected, another] = await emittedOf(bot, user.click('🏠 Menu'));
  expect([routed, before, rejected, another]).toEqual([
    ['CALLBACK_ROUTED', around],
    ['STATE_BEFORE', around],
    [
      'CALLBACK_REJECTED',
      {
        ...around,
        result: 'failed',
        reason_code: 'INTERNAL_ERROR',
        reason_text: reasons.INTERNAL_ERROR.meaning,
        error_type: 'TypeError',
      },
    ],
    undefined,
  ]);
});

test('a tap whose value is refused by its handler', async () => {
  await using bot = await openBot();
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  const tap = user.click('🔎 Find a model');
  const around = { screen_id: 'MAIN_MENU', button_id: 'SEARCH', handler: 'search', action_id: 'search' };
  const value = { param_name: 'aspect_ratio', value: '99:1' };
  expect((await emittedOf(bot, tap)).slice(-3)).toEqual([
    ['PARAM_INPUT', { ...around, ...value, source: 'button' }],
    [
      'PARAM_VALIDATION_FAILED',
      {
        ...around,
        ...value,
        reason_code: 'VALIDATION_FAILED',
        reason_detail: 'too_wide',
        detail_code: 'not_a_choice',
        hint_to_user: 'Sending',
        allowed: '16:9, 1:1',
      },
    ],
    [
      'CALLBACK_REJECTED',
      {
        ...around,
        result: 'rejected',
        reason_code: 'VALIDATION_FAILED',
        reason_text: reasons.VALIDATION_FAILED.meaning,
        reason_detail: 'too_wide',
      },
    ],
  ]);
  expect(tap.answer).toMatchObject({ text: 'Sending', showAlert: false });
});

test('commands that are there, that are not, and that are not for everybody', async () => {
  await using bot = await openBot();
  const user = bot.user();
  await walkToForm(user);
  const nonsense = '/nonsense';
  expect(await emittedOf(bot, user.say(nonsense))).toEqual([
    ['COMMAND_RECEIVED', { ...atPrompt, payload_sanitized: '/text(8)' }],
    [
      'COMMAND_REJECTED',
      {
        ...atPrompt,
        reason_code: 'UNKNOWN_ACTION',
        reason_text: reasons.UNKNOWN_ACTION.meaning,
      },
    ],
  ]);
  expect(user.lastMessage()?.text).toMatch(/^There is no such command\. Let us continue from here:/);
  expect(await emittedOf(bot, user.say('/debug'))).toEqual([
    ['COMMAND_RECEIVED', { ...atPrompt, payload_sanitized: '/debug' }],
    [
      'COMMAND_REJECTED',
      {
        ...atPrompt,
        handler: 'debug',
        action_id: 'debug',
        reason_code: 'PERMISSION_DENIED',
        reason_text: reasons.PERMISSION_DENIED.meaning,
      },
    ],
  ]);
  expect(user.lastMessage()?.text).toMatch(/^You are not allowed to use this command\./);
  const help = { ...atPrompt, handler: 'help', action_id: 'help' };
  expect(await emittedOf(bot, user.say('/help'))).toEqual([
    ['COMMAND_RECEIVED', { ...atPrompt, payload_sanitized: '/help' }],
    ['COMMAND_START', help],
    ['STATE_BEFORE', { ...help, ...nowhere, ...empty }],
  ]);
});

test('a command, a tap and a forwarded message of an administrator', async () => {
  await using bot = await openBot();
  const admin = bot.user({ id: adminId });
  const command = { handler: 'debug', action_id: 'debug' };
  expect(await emittedOf(bot, admin.say('/debug'))).toEqual([
    ['COMMAND_RECEIVED', { payload_sanitized: '/debug' }],
    ['COMMAND_START', command],
    ['STATE_BEFORE', { ...command, ...nowhere }],
    ['DEBUG_COMMAND', { ...command, operation: 'debug' }],
  ]);
  const tap = await emittedOf(bot, admin.rawCallback('v1:dbg:a1b2c3d4'));
  expect(tap.map(([name]) => name)).toEqual([
    'CALLBACK_RECEIVED',
    'CALLBACK_ROUTED',
    'STATE_BEFORE',
    'DEBUG_COMMAND',
    'CALLBACK_ACCEPTED',
  ]);
  expect(tap[3]?.[1]).toMatchObject({ operation: 'DEBUG_SHOW', button_id: 'DEBUG_SHOW' });
  // What everybody may tap is no command of administrators.
  await admin.waitForMessage(/What shall we create/, { after: admin.start() });
  expect((await emittedOf(bot, admin.click('❓ Help'))).map(([name]) => name)).not.toContain('DEBUG_COMMAND');
  const hidden = { type: 'hidden_user', sender_user_name: 'M', date: 1 } as const;
  expect(await emittedOf(bot, send(bot, admin, { text: 'it hangs', forward_origin: hidden }))).toEqual([
    ['MESSAGE_RECEIVED', { payload_sanitized: 'forward' }],
    ['DEBUG_COMMAND', { handler: 'forwarded', operation: 'forwarded message' }],
  ]);
});

test('words, files and whatever else answers a question or does not', async () => {
  await using bot = await openBot();
  const user = bot.user();
  await walkToForm(user);
  const words = { ...atPrompt, handler: 'text' };
  const short = { param_name: 'prompt', value: 'text(1)' };
  expect(await emittedOf(bot, user.say('x'))).toEqual([
    ['MESSAGE_RECEIVED', { ...words, payload_sanitized: 'text(1)' }],
    ['STATE_BEFORE', { ...words, ...nowhere, ...empty }],
    ['PARAM_INPUT', { ...words, ...short, source: 'text' }],
    [
      'PARAM_VALIDATION_FAILED',
      {
        ...words,
        ...short,
        reason_code: 'VALIDATION_FAILED',
        reason_detail: 'too_short',
        detail_code: 'too_short',
        hint_to_user: 'Too short: 3–1000 characters are needed.',
        allowed: '3–1000',
      },
    ],
  ]);
  const file = { ...atPrompt, handler: 'file' };
  expect(await emittedOf(bot, user.sendPhoto())).toMatchObject([
    ['MESSAGE_RECEIVED', { ...file, payload_sanitized: 'file(image)' }],
    ['STATE_BEFORE', { ...file, ...nowhere, ...empty }],
    ['PARAM_INPUT', { ...file, value: 'file(image)', source: 'upload' }],
    [
      'PARAM_VALIDATION_FAILED',
      { ...file, value: 'file(image)', reason_detail: 'not_a_text', detail_code: 'not_a_text' },
    ],
  ]);
  const other = { ...atPrompt, handler: 'fallback' };
  expect(await emittedOf(bot, send(bot, user, { dice: { emoji: '🎲', value: 6 } }))).toEqual([
    ['MESSAGE_RECEIVED', { ...other, payload_sanitized: 'message' }],
    ['STATE_BEFORE', { ...other, ...nowhere, ...empty }],
  ]);
  const long = { ...words, param_name: 'prompt', value: `text(${prompt.length})` };
  expect((await emittedOf(bot, user.say(prompt))).slice(2)).toEqual([
    ['PARAM_INPUT', { ...long, source: 'text' }],
    ['PARAM_ACCEPTED', long],
  ]);
});
