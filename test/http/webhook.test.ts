// What the webhook does with every request that could reach it: strangers, broken bodies, repetitions, a database
// that is away.
import { expect, test } from 'vitest';
import type { SentUpdate } from '../../sandbox/telegram/index.ts';
import { reasons } from '../../src/otel/reasons.ts';
import { type BotUnderTest, type Line, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { messageChain, outcomeOf, storyOf } from '../support/story.ts';
import { trtWith } from '../support/trt.ts';
import { walkToForm } from '../support/walk.ts';

const bodyLimitBytes = 1_048_576;
test.each([
  { sender: 'without a secret', headers: {} },
  { sender: 'with a wrong secret', headers: secretHeader('not-the-secret') },
  { sender: 'with a part of the secret', headers: secretHeader(webhookSecret.slice(0, -1)) },
  { sender: 'with an empty secret', headers: secretHeader('') },
])('a sender $sender is refused, and nothing is stored', async ({ headers }) => {
  await using bot = await startBot();
  const response = await post(bot, JSON.stringify(helpFrom(4242)), headers);
  expect(response.status).toBe(401);
  expect(refusalsOf(bot)).toEqual([
    expect.objectContaining({
      reason_code: 'PERMISSION_DENIED',
      cid: expect.stringMatching(/^[0-9a-f]+$/),
    }),
  ]);
  expect(await storedUpdates(bot)).toEqual([]);
});

test('a refused sender opens no span', async () => {
  await using bot = await startBot();
  await post(bot, '{}', {});
  expect(bot.spansOf(refusalsOf(bot)[0]?.cid ?? '')).toEqual([]);
});

test('the previous secret is accepted while the secret is being rotated, others are not', async () => {
  await using bot = await startBot({ environment: { WEBHOOK_SECRET_TOKEN_PREVIOUS: 'the-secret-before' } });
  const user = bot.user({ started: true });
  const body = JSON.stringify(helpFrom(user.id));
  expect((await post(bot, body, secretHeader('the-secret-before-that'))).status).toBe(401);
  expect((await post(bot, body, secretHeader('the-secret-before'))).status).toBe(200);
  await user.waitForMessage(/How it works/);
  const menu = user.start();
  await storyOf(bot, menu);
  expect(bot.output.join('')).not.toContain('the-secret-before');
});

test('a former secret is not accepted once the rotation is over', async () => {
  await using bot = await startBot();
  expect((await post(bot, '{"update_id":1}', secretHeader('the-secret-before'))).status).toBe(401);
});

test.each([
  { what: 'nothing', body: '' },
  { what: 'malformed JSON', body: '{"update_id": 5,' },
  { what: 'an array', body: '[{"update_id": 5}]' },
  { what: 'a number', body: '5' },
  { what: 'null', body: 'null' },
  { what: 'an object without update_id', body: '{"message": {"message_id": 1}}' },
  { what: 'an update_id that is a string', body: '{"update_id": "5"}' },
  { what: 'an update_id that is a fraction', body: '{"update_id": 5.5}' },
  { what: 'an update_id that is null', body: '{"update_id": null}' },
  { what: 'an update_id beyond all integers', body: '{"update_id": 1e300}' },
])('$what is no update', async ({ body }) => {
  await using bot = await startBot();
  expect((await post(bot, body)).status).toBe(400);
  expect(refusalsOf(bot)).toEqual([expect.objectContaining({ reason_code: 'VALIDATION_FAILED' })]);
  expect(await storedUpdates(bot)).toEqual([]);
});

test('a body of 1 MiB is taken, one more byte is too much', async () => {
  await using bot = await startBot();
  const frame = JSON.stringify({ update_id: 77, filler: '' });
  const fitting = JSON.stringify({ update_id: 77, filler: 'x'.repeat(bodyLimitBytes - frame.length) });
  expect((await post(bot, fitting)).status).toBe(200);
  expect((await post(bot, `${fitting} `)).status).toBe(413);
  expect(refusalsOf(bot)).toEqual([expect.objectContaining({ reason_code: 'VALIDATION_FAILED' })]);
  await expectNoop(bot, 77);
});

test.each([
  { what: 'a NUL character', wish: 'a bird\u0000 on a wire', stored: 'a bird on a wire' },
  { what: 'a lone surrogate', wish: 'a bird \ud83d on a wire', stored: 'a bird  on a wire' },
  { what: 'a surrogate at its end', wish: 'a bird on a wire \udc00', stored: 'a bird on a wire' },
])('a prompt with $what is stored and worked', async ({ wish, stored }) => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const said = user.say(wish);
  await user.waitForMessage(/step 2 of 2/, { after: said });
  expect((await storyOf(bot, said)).line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
  expect((await sessionForm(bot, user.chatId))?.values).toEqual({ prompt: stored });
  await user.waitForMessage(/Check and run/, { after: user.click('16:9') });
  const run = user.click('🚀 Run');
  await storyOf(bot, run, 'RESULT_DELIVERED');
});

test('NUL and lone surrogates anywhere in an update do not keep it from being worked', async () => {
  await using bot = await startBot();
  const user = bot.user({ started: true });
  const odd = 'o\u0000d\ud800d';
  const sent = bot.telegram.sendRaw({
    [odd]: odd,
    message: {
      message_id: 1,
      date: 1,
      chat: { id: user.chatId, type: 'private', first_name: odd },
      from: { id: user.id, is_bot: false, first_name: odd, language_code: odd },
      text: odd,
    },
  });
  // Words without a form are looked for among the models.
  expect((await storyOf(bot, sent)).line('DISPATCH_OK')).toMatchObject({ result: 'accepted' });
  const tap = user.rawCallback(odd, { messageId: 1 });
  expect((await storyOf(bot, tap)).line('DISPATCH_OK')).toMatchObject({ reason_code: 'UNKNOWN_CALLBACK' });
});

test.each([
  { what: 'an update of no kind', content: {} },
  { what: 'a kind of the future', content: { time_machine: { from: { id: 1 } } } },
  { what: 'a poll answer', content: { poll_answer: { poll_id: '1', option_ids: [0] } } },
  {
    what: 'an edited message',
    content: { edited_message: { message_id: 1, date: 1, chat: { id: 9, type: 'private' }, text: 'hello' } },
  },
])('$what is stored, and ends as NOOP', async ({ content }) => {
  await using bot = await startBot();
  const { updateId } = bot.telegram.sendRaw(content);
  await expectNoop(bot, updateId);
  await bot.telegram.idle();
  expect(bot.telegram.callCount('sendMessage')).toBe(0);
});

test.each([
  { what: 'a message that is a string', content: { message: 'hello' } },
  { what: 'a message that is null', content: { message: null } },
  { what: 'a message whose text is a number', content: { message: { message_id: 1, text: 5 } } },
  { what: 'a tap that is empty', content: { callback_query: {} } },
  { what: 'a membership that is empty', content: { my_chat_member: {} } },
])('$what is stored, ends, and holds up nobody', async ({ content }) => {
  await using bot = await startBot();
  const { updateId } = bot.telegram.sendRaw(content);
  await waitFor(`the end of update ${updateId}`, async () => {
    const [row] = await bot.database.query('select outcome from updates where update_id = $1', [updateId]);
    return row?.outcome ?? undefined;
  });
  const user = bot.user();
  user.start();
  await user.waitForMessage(/What shall we create/);
});

test('an update that comes twice is accepted twice and worked once', async () => {
  await using bot = await startBot();
  const user = bot.user();
  bot.telegram.duplicateNextUpdate();
  const sent = user.start();
  const duplicate = await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
  await bot.telegram.idle();
  const first = bot.lines.find(line => line.name === 'UPDATE_RECEIVED' && line.update_id === sent.updateId);
  expect(duplicate).toMatchObject({ update_id: sent.updateId, original_cid: first?.cid });
  expect(duplicate.cid).not.toBe(first?.cid);
  expect(bot.chainOf(duplicate.cid)).toEqual(['UPDATE_RECEIVED', 'UPDATE_DUPLICATE']);
  await bot.waitForEvent(String(first?.cid), 'DISPATCH_OK');
  expect(await outcomeOf(bot, sent)).toEqual([{ outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 }]);
  expect(user.messages()).toHaveLength(1);
});

test('twenty copies of an update at once are all accepted and worked once', async () => {
  await using bot = await startBot();
  const user = bot.user({ started: true });
  const update = helpFrom(user.id);
  const body = JSON.stringify(update);
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(bot, body)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const duplicates = bot.lines.filter(({ name }) => name === 'UPDATE_DUPLICATE');
  expect(duplicates).toHaveLength(19);
  const [originalCid, another] = new Set(duplicates.map(line => String(line.original_cid)));
  expect(another).toBeUndefined();
  await bot.waitForEvent(String(originalCid), 'DISPATCH_OK');
  expect(bot.lines.filter(({ name }) => name === 'DISPATCH_OK')).toHaveLength(1);
  expect(user.messages()).toHaveLength(1);
});

test('the trace of a client is not continued', async () => {
  await using bot = await startBot();
  const user = bot.user({ started: true });
  const foreign = 'f0e1d2c3b4a5968778695a4b3c2d1e0f';
  const update = helpFrom(user.id);
  await post(bot, JSON.stringify(update), {
    ...secretHeader(webhookSecret),
    traceparent: `00-${foreign}-00f067aa0ba902b7-01`,
    tracestate: 'stranger=1',
    baggage: 'cid=stranger',
  });
  const cid = await bot.cidOf(update.update_id);
  const end = await bot.waitForEvent(cid, 'DISPATCH_OK');
  expect(end.trace_id).not.toBe(foreign);
  const root = await waitFor('the root span', () =>
    bot.spansOf(cid).find(({ name }) => name.startsWith('update ')),
  );
  expect(root.parentSpanContext).toBeUndefined();
  expect(bot.output.join('')).not.toContain(foreign);
});

test('while the table is gone updates are asked for again, and stored when it is back', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await bot.database.query('alter table updates rename to updates_away');
  const sent = user.start();
  const warning = await bot.waitForLine(
    line => line.name === 'SYSTEM_WARNING' && line.operation === 'store update',
  );
  expect(warning.reason_code).toBe('DB_ERROR');
  // Whoever has the cid finds why Telegram was refused.
  expect(warning.update_id).toBe(sent.updateId);
  expect(bot.chainOf(warning.cid)).toEqual(['UPDATE_RECEIVED', 'SYSTEM_WARNING']);
  const { output } = await trtWith({ input: bot.output.join('\n') }, 'explain', '--cid', warning.cid);
  expect(output).toContain('could not be stored in the database, so Telegram was refused');
  const answer = await post(bot, JSON.stringify(helpFrom(4242)));
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await fetch(`${bot.app.url()}/livez`)).status).toBe(200);

  await bot.database.query('alter table updates_away rename to updates');
  await user.waitForMessage(/What shall we create/);
  await bot.telegram.idle();
  const cid = await bot.cidOf(sent.updateId);
  await bot.waitForEvent(cid, 'DISPATCH_OK');
  expect(bot.chainOf(cid).slice(0, 4)).toEqual(messageChain());
  expect(await outcomeOf(bot, sent)).toEqual([{ outcome: 'accepted', reason_code: 'SUCCESS', attempts: 1 }]);
  expect(user.messages()).toHaveLength(1);
});

test('a group is told in one line that the bot is for private chats, and is left', async () => {
  await using bot = await startBot();
  const group = { id: -1_000_000_004_242, type: 'supergroup', title: 'A group' };
  const sent = bot.telegram.sendRaw({
    message: {
      message_id: 7,
      date: 1,
      chat: group,
      from: { id: 4242, is_bot: false, first_name: 'Somebody' },
      text: '/start',
    },
  });
  const story = await storyOf(bot, sent);
  expect(story.chain).toEqual(messageChain('DISPATCH_OK'));
  expect(story.line('DISPATCH_OK')).toMatchObject({ result: 'rejected', reason_code: 'PERMISSION_DENIED' });
  const [said, another] = bot.telegram.calls('sendMessage');
  expect(said).toMatchObject({ ok: true, payload: { chat_id: group.id } });
  expect(String(said?.payload.text)).not.toContain('\n');
  expect(another).toBeUndefined();
  expect(bot.telegram.calls('leaveChat')).toMatchObject([{ payload: { chat_id: group.id } }]);
});

let nextUpdateId = 900_000_001;

function helpFrom(userId: number): { readonly update_id: number; readonly message: object } {
  nextUpdateId += 1;
  return {
    update_id: nextUpdateId,
    message: {
      message_id: 1,
      date: 1,
      chat: { id: userId, type: 'private', first_name: 'Somebody' },
      from: { id: userId, is_bot: false, first_name: 'Somebody', language_code: 'en' },
      text: '/help',
    },
  };
}

function secretHeader(secret: string): Record<string, string> {
  return { 'x-telegram-bot-api-secret-token': secret };
}

function post(
  bot: BotUnderTest,
  body: string,
  headers: Readonly<Record<string, string>> = secretHeader(webhookSecret),
): Promise<Response> {
  return fetch(bot.webhookUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

function refusalsOf(bot: BotUnderTest): Line[] {
  return bot.lines.filter(({ name }) => name === 'UPDATE_REFUSED');
}

function storedUpdates(bot: BotUnderTest): Promise<object[]> {
  return bot.database.query('select update_id from updates');
}

async function sessionForm(
  bot: BotUnderTest,
  chatId: number,
): Promise<{ readonly values: unknown } | undefined> {
  const [session] = await bot.database.query<{ form: { values: unknown } }>(
    'select form from sessions where chat_id = $1',
    [chatId],
  );
  return session?.form;
}

async function expectNoop(bot: BotUnderTest, updateId: SentUpdate['updateId']): Promise<void> {
  const end = await bot.waitForEvent(await bot.cidOf(updateId), 'DISPATCH_OK', 'DISPATCH_FAIL');
  expect(end).toMatchObject({ name: 'DISPATCH_OK', result: 'noop', reason_code: 'NOOP' });
  expect(reasons.NOOP.fault).toBe(false);
  expect(
    await bot.database.query('select outcome, reason_code from updates where update_id = $1', [updateId]),
  ).toEqual([{ outcome: 'noop', reason_code: 'NOOP' }]);
}
