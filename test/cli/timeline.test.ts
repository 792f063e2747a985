// `trt timeline` as an operator runs it: the session of one user of a running bot, by pseudonym, name and number.
import { expect, onTestFinished, test } from 'vitest';
import { createPseudonyms } from '../../src/otel/pseudonyms.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { daysFrom, journalRow, openJournalStore } from '../support/journal.ts';
import { journalOf } from '../support/journal-of.ts';
import { storyOf } from '../support/story.ts';
import { type CommandAnswer, trt } from '../support/trt.ts';
import { prompt, walkToConfirm } from '../support/walk.ts';

const timeline = ({ database, config }: BotUnderTest, ...words: string[]): Promise<CommandAnswer> =>
  trt({ DATABASE_URL: database.url, HASH_SECRET: config.hashSecret.reveal() }, 'timeline', ...words);

const withoutSecret = ({ database }: BotUnderTest, ...words: string[]): Promise<CommandAnswer> =>
  trt({ DATABASE_URL: database.url }, 'timeline', ...words);

test('a session is told step by step, without the prompt and without the number of the user', async () => {
  await using bot = await startBot();
  const user = bot.user({ username: 'Yellow_Bird' });
  const neighbour = bot.user();
  await walkToConfirm(user);
  await storyOf(bot, neighbour.start());
  await storyOf(bot, user.rawCallback('test:unknown'));
  const { cid } = await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  await journalOf(bot, cid);
  const userHash = createPseudonyms(bot.config.hashSecret).user(user.id);

  const { code, output, complaint } = await timeline(bot, '@yellow_bird');
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
  const [head, , columns, ...steps] = output.trimEnd().split('\n');
  expect(head).toBe(`user_hash ${userHash}, 8 actions`);
  expect(columns).toMatch(/^when +cid +did +screen +reason_code +cause +latency_ms +model +money$/);
  expect(steps).toEqual(
    [
      /the user sent the command \/start +Main menu +SUCCESS +done/,
      /tapped «section 🎨 Pictures»/,
      /tapped «Z-Image»/,
      /tapped «✨ Create»/,
      /the user sent a text \(\d+ characters\)/,
      /tapped «choice 4»/,
      /tapped a button .* +UNKNOWN_CALLBACK +foreign_button/,
      new RegExp(`${cid} +the user tapped «🚀 Run» .* delivered +\\d+ +Z-Image +₽0\\.80 were charged`),
    ].map(step => expect.stringMatching(step)),
  );
  expect(output).not.toContain(prompt);
  expect(output).not.toContain(String(user.id));

  for (const who of [String(user.id), userHash, userHash.slice(0, 8).toUpperCase()])
    expect((await timeline(bot, who)).output, who).toBe(output);
  expect((await withoutSecret(bot, userHash)).output).toBe(output);

  const json = (await timeline(bot, userHash, '--json', '--locale', 'ru')).output.trimEnd().split('\n');
  expect(json).toHaveLength(8);
  expect(JSON.parse(json.at(-1) ?? '')).toEqual({
    user_hash: userHash,
    when: expect.stringMatching(/^\d{4}-.*Z$/),
    cid,
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    did: expect.stringContaining('пользователь нажал «🚀 Запустить»'),
    deliveries: 1,
    screen: expect.any(String),
    reason_code: 'SUCCESS',
    cause: 'delivered',
    latency_ms: expect.any(Number),
    model: 'Z-Image',
    money: expect.any(String),
  });
});

test('names and numbers need HASH_SECRET, and nobody is told as nobody', async () => {
  await using bot = await startBot();
  const user = bot.user({ username: 'yellow_bird' });
  const { cid } = await storyOf(bot, user.start());
  await journalOf(bot, cid);
  for (const who of ['@yellow_bird', String(user.id)]) {
    const { code, output, complaint } = await withoutSecret(bot, who);
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(complaint).toMatch(/^HASH_SECRET is not set/);
  }
  for (const who of ['@nobody', '12345', '00000000', 'a'.repeat(16)]) {
    const { code, output, complaint } = await timeline(bot, who, '--since', '7d');
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(complaint).toContain('Nothing is known of this user in the last 7d');
  }
});

test('eight digits are a number first, and the beginning of a user_hash when nobody has that number', async () => {
  const { store, environment } = await openJournal();
  const secret = { HASH_SECRET: 'canary-hash-secret-0123456789' };
  await store([journalRow({ userHash: `12345678${'a'.repeat(8)}` })]);
  expect(await trt({ ...environment, ...secret }, 'timeline', '12345678')).toMatchObject({
    code: 0,
    output: expect.stringContaining(`user_hash 12345678${'a'.repeat(8)}`),
  });
  expect(await trt(environment, 'timeline', '12345678')).toMatchObject({ code: 0 });
});

test('eight digits that two users share are refused with both', async () => {
  const { store, environment } = await openJournal();
  const twins = ['abcdef01aaaaaaaa', 'abcdef01bbbbbbbb'];
  await store(twins.map(userHash => journalRow({ userHash })));
  const { code, output, complaint } = await trt(environment, 'timeline', 'abcdef01');
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(complaint).toMatch(/^2 users have the user_hash abcdef01/);
  for (const userHash of twins) expect(complaint).toContain(userHash);
});

test('what is older than --since is left out, and of a long session only the newest is shown', async () => {
  const { store, environment } = await openJournal();
  const userHash = 'abcdef0123456789';
  await store([journalRow({ userHash, at: daysFrom(new Date(), -2) })]);
  expect(await trt(environment, 'timeline', userHash)).toMatchObject({ code: 1 });
  expect(await trt(environment, 'timeline', userHash, '--since', '3d')).toMatchObject({
    code: 0,
    complaint: '',
  });
  await store(Array.from({ length: 1_000 }, () => journalRow({ userHash })));
  const { code, complaint } = await trt(environment, 'timeline', userHash);
  expect({ code, complaint }).toEqual({
    code: 0,
    complaint: expect.stringMatching(/^The session is longer/),
  });
});

test.each([
  [[]],
  [['nobody']],
  [['abcdef0']],
  [['12345', '@somebody']],
  [['12345', '--since', 'yesterday']],
  [['12345', '--since', '0h']],
  [['12345', '--locale', 'de']],
])('%j is answered with the usage, and asks no database', async words => {
  const { code, output, complaint } = await trt({}, 'timeline', ...words);
  expect({ code, output }).toEqual({ code: 2, output: '' });
  expect(complaint).toContain('trt timeline <user_hash, @name or id>');
});

async function openJournal() {
  const database = await createTestDatabase();
  const connection = database.connect(1);
  onTestFinished(async () => {
    await connection.stop();
    await database.drop();
  });
  return { store: openJournalStore(connection).insert, environment: { DATABASE_URL: database.url } };
}
