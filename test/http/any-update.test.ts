// Whatever JSON comes with an integer update_id is answered 200 and ends with one outcome and its line: what is odd in
// it holds up neither its chat nor Telegram, which repeats what is refused and keeps everything behind it.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BotUnderTest, startBot, waitFor, webhookSecret } from '../support/bot.ts';

let bot: BotUnderTest;
beforeAll(async () => {
  bot = await startBot();
});
afterAll(() => bot.stop());

/** Deeper than Postgres reads JSON, while JavaScript takes it. */
const depth = 100_000;
const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;

const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfff',
    '',
    ' ',
    'x'.repeat(5_000),
    '/start\u0000',
    '/\ud800',
  ),
);
const oddNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 2 ** 53, -(2 ** 53), 2 ** 63, 1e308, 0.5, -1),
);
const odd: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.constantFrom(null, true, false, [], {}),
  fc.array(oddText, { maxLength: 3 }),
  fc.dictionary(oddText, oddText, { maxKeys: 3 }),
);
/** Now and then what Telegram would send, else anything. */
const mostly = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: odd, weight: 1 });
const record = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.record(fields, { requiredKeys: [] });

const id = mostly(fc.integer({ min: 7_000_000_000, max: 7_000_000_020 }));
const user = mostly(
  record({
    id,
    is_bot: mostly(fc.constant(false)),
    first_name: mostly(oddText),
    username: mostly(oddText),
    language_code: mostly(fc.constantFrom('en', 'ru', 'de')),
  }),
);
const chat = mostly(record({ id, type: mostly(fc.constant('private')), username: mostly(oddText) }));
const message = mostly(
  record({
    message_id: mostly(fc.integer({ min: 1, max: 50 })),
    date: mostly(fc.constant(1)),
    chat,
    from: user,
    text: mostly(fc.constantFrom('/start', '/help', '/balance', 'a bird')),
    entities: mostly(fc.constant([{ type: 'bot_command', offset: 0, length: 6 }])),
    photo: odd,
    document: odd,
    successful_payment: odd,
    reply_markup: odd,
  }),
);
const update = record({
  message,
  callback_query: mostly(
    record({ id: mostly(oddText), from: user, message, data: mostly(fc.constantFrom('v1:help', 'v1:bal')) }),
  ),
  pre_checkout_query: mostly(record({ id: mostly(oddText), from: user, currency: odd, total_amount: odd })),
  my_chat_member: mostly(record({ chat, from: user, new_chat_member: odd, old_chat_member: odd })),
  edited_message: message,
  anything: odd,
});

let lastId = 500_000_000;
function newId(): number {
  lastId += 1;
  return lastId;
}

test('any JSON with an integer update_id is taken and ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(update, { minLength: 8, maxLength: 8 }), async contents => {
      const bodies = contents.map(content => ({ ...Object(content), update_id: newId() }));
      await Promise.all(bodies.map(body => expectTaken(JSON.stringify(body))));
      await expectEnded(bodies.map(({ update_id: updateId }) => updateId));
    }),
    { numRuns: 25, endOnFailure: true },
  );
  // What is odd is refused with a reason; a defect would be another thing.
  expect(
    bot.lines.filter(
      ({ name, reason_code: reason }) => name === 'DISPATCH_FAIL' && reason === 'INTERNAL_ERROR',
    ),
  ).toEqual([]);
}, 180_000);

test.each([
  { where: 'beside', body: `"deep":${deep}` },
  {
    where: 'in the place of the text of',
    body: `"message":{"message_id":1,"chat":{"id":7000000001,"type":"private"},"text":${deep}}`,
  },
  {
    where: 'in the place of the sender of',
    body: `"message":{"message_id":1,"from":${deep},"text":"/help"}`,
  },
])('what is nested too deep $where a message is stored and ended', async ({ body }) => {
  lastId += 1;
  await expectTaken(`{"update_id":${lastId},${body}}`);
  await expectEnded([lastId]);
});

test('a command with something beside it that Postgres cannot read is answered', async () => {
  const sender = bot.user({ started: true });
  lastId += 1;
  const from = { id: sender.id, is_bot: false, first_name: 'Ada', language_code: 'en' };
  const said = { message_id: 1, date: 1, chat: { id: sender.chatId, type: 'private' }, from, text: '/help' };
  await expectTaken(`{"update_id":${lastId},"message":${JSON.stringify(said)},"deep":${deep}}`);
  await sender.waitForMessage(/How it works/);
});

test.each([{ username: 'o\u0000dd' }, { username: 'x'.repeat(5_000) }, { username: { odd: true } }])(
  'a username that is none keeps nobody waiting',
  async ({ username }) => {
    const sender = bot.user({ started: true });
    lastId += 1;
    const from = { id: sender.id, is_bot: false, first_name: 'Ada', username, language_code: 'en' };
    const said = {
      message_id: 1,
      date: 1,
      chat: { id: sender.chatId, type: 'private' },
      from,
      text: '/start',
    };
    await expectTaken(JSON.stringify({ update_id: lastId, message: said }));
    await sender.waitForMessage(/What shall we create/);
    await expectEnded([lastId]);
    expect(
      await bot.database.query('select outcome, attempts from updates where update_id = $1', [lastId]),
    ).toEqual([{ outcome: 'accepted', attempts: 1 }]);
    expect(
      await bot.database.query('select username from users where chat_id = $1', [sender.chatId]),
    ).toEqual([{ username: null }]);
  },
);

async function expectTaken(body: string): Promise<void> {
  const answer = await fetch(bot.webhookUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecret },
    body,
  });
  expect(answer.status).toBe(200);
}

async function expectEnded(updateIds: readonly number[]): Promise<void> {
  await waitFor(
    `the end of ${updateIds.join(', ')}`,
    async () => {
      const [row] = await bot.database.query<{ open: string }>(
        'select count(*) filter (where outcome is null) as open, count(*) from updates where update_id = any($1)',
        [updateIds],
      );
      return row?.open === '0' ? true : undefined;
    },
    () =>
      bot.lines
        .filter(({ update_id }) => updateIds.includes(Number(update_id)))
        .map(({ msg, error_message }) => `${msg} ${error_message ?? ''}`)
        .join('\n'),
    60_000,
  );
  await waitFor('the lines of their ends', () =>
    updateIds.every(updateId =>
      bot.lines.some(({ name, update_id }) => /^DISPATCH_(OK|FAIL)$/.test(name) && update_id === updateId),
    )
      ? true
      : undefined,
  );
}
