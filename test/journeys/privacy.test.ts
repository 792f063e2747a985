// What users decide about their own data: whether texts of theirs may stand in telemetry, a copy of everything, and that
// all of it be erased.
import { expect, test } from 'vitest';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { createReconcile } from '../../src/billing/reconcile.ts';
import { type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { tablesWith } from '../support/database-search.ts';
import { holdStatement } from '../support/held-statement.ts';
import { acceptedTap, storyOf } from '../support/story.ts';
import { prompt, walkToConfirm, walkToForm } from '../support/walk.ts';

const manual = { kie: { stepMs: 'manual' } } as const;
const canaryName = 'canary_user_name';
const canaryId = 7_310_442_905;

test('nothing is allowed until the user says so, and a text is logged as its length', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  await user.waitForMessage(/Texts in the log: not allowed/, { after: user.say('/privacy') });
  await say(bot, user, prompt);
  expect(loggedTexts(bot)).toEqual([`text(${prompt.length})`]);
  expect(bot.output.join('\n')).not.toContain('canary');
});

test('with consent the beginning of a text is logged once, by PARAM_INPUT alone, until the user takes it back', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  await user.waitForMessage(/not allowed/, { after: user.say('/privacy') });
  const allowed = user.click('⚪️ Allow texts in the log');
  await user.waitForMessage(/Texts in the log: allowed/, { after: allowed });
  expect((await storyOf(bot, allowed)).chain).toEqual(acceptedTap);
  await user.waitForMessage(/step 1 of 2/, { after: user.click('◀️ Back') });

  const long = `${prompt} ${'🐤'.repeat(300)}`;
  await say(bot, user, long);
  expect(loggedTexts(bot)).toEqual([[...long].slice(0, 200).join('')]);
  const quoting = bot.lines.filter(line => JSON.stringify(line).includes('canary prompt'));
  expect(quoting.map(({ name }) => name)).toEqual(['PARAM_INPUT']);
  expect(bot.lines.find(({ name }) => name === 'PARAM_ACCEPTED')).toMatchObject({
    value: `text(${long.length})`,
  });

  await user.waitForMessage(/: allowed/, { after: user.say('/privacy') });
  await user.waitForMessage(/not allowed/, { after: user.click('🟢 Keep texts out of the log') });
  await user.waitForMessage(/step 2 of 2/, { after: user.click('◀️ Back') });
  await user.waitForMessage(/step 1 of 2/, { after: user.click('◀️ Back') });
  await say(bot, user, prompt);
  expect(loggedTexts(bot).at(-1)).toBe(`text(${prompt.length})`);
});

test('a secret that stands in an allowed text is not logged', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  await user.waitForMessage(/not allowed/, { after: user.say('/privacy') });
  await user.waitForMessage(/: allowed/, { after: user.click('⚪️ Allow texts in the log') });
  await user.waitForMessage(/step 1 of 2/, { after: user.click('◀️ Back') });
  await say(bot, user, `a bird with ${bot.telegram.token}`);
  expect(loggedTexts(bot)).toEqual(['a bird with [secret]']);
  expect(bot.output.join('\n')).not.toContain(bot.telegram.token);
});

test('a copy has all that is stored about the user and nothing of another, and is made once a minute', async () => {
  await using bot = await startBot();
  const other = bot.user({ id: canaryId, username: canaryName });
  await generate(other);
  const user = bot.user({ username: 'bird_friend' });
  await generate(user);
  // The journal is written a little behind.
  await waitFor('rows of both in the journal', async () => {
    const hashes = await bot.database.query(
      `select distinct user_hash from journal where lines like '%"CALLBACK_ACCEPTED"%'`,
    );
    return hashes.length === 2 || undefined;
  });
  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  const asked = user.click('📦 Get a copy');
  const sent = await user.waitForMessage(/Everything we keep about you/, { after: asked });
  const story = await storyOf(bot, asked, 'USER_EXPORTED');
  expect(story.line('USER_EXPORTED')).toMatchObject({ result: 'accepted', domain: 'UX' });

  const text = sent.fileBytes?.toString() ?? expect.fail('no document was sent');
  const copy: unknown = JSON.parse(text);
  expect(copy).toMatchObject({
    profile: { chat_id: String(user.chatId), username: 'bird_friend', texts_in_telemetry: false },
    form: null,
    wallet: { available: '99920', held: '0' },
    tasks: [{ model_id: 'z-image', state: 'succeeded', inputs: { prompt }, quote: { kopecks: 80 } }],
    ledger: [{ kind: 'charge' }, { kind: 'hold' }, { kind: 'welcome' }],
    telemetry: expect.arrayContaining([expect.stringContaining('"name":"CALLBACK_ACCEPTED"')]),
    cut: { tasks: false, ledger: false, telemetry: false },
  });
  for (const foreign of [String(canaryId), canaryName]) expect(text).not.toContain(foreign);

  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  const again = user.click('📦 Get a copy');
  expect((await user.answerOf(again)).text).toMatch(/the next one in a minute/);
  expect((await storyOf(bot, again)).line('CALLBACK_REJECTED')).toMatchObject({ reason_code: 'RATE_LIMIT' });
});

test('a user who has been erased is in no table any more, and the money of all adds up', async () => {
  await using bot = await startBot();
  const user = bot.user({ id: canaryId, username: canaryName });
  await generate(user);
  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  await user.waitForMessage(/You will lose your balance too: ₽999\.20/, { after: user.click('🗑 Erase') });
  const confirmed = user.click('🗑 Yes, erase everything');
  await user.waitForMessage(/everything is erased/, { after: confirmed });
  const { line } = await storyOf(bot, confirmed, 'USER_ERASED');
  expect(line('USER_ERASED')).toMatchObject({ result: 'accepted', domain: 'UX' });

  const database = bot.database.connect(1);
  try {
    for (const canary of [String(canaryId), canaryName, 'canary prompt'])
      await waitFor(`no table with ${canary}`, async () =>
        (await tablesWith(database, canary)).length === 0 ? true : undefined,
      );
    const reconcile = createReconcile({ database, telemetry: { emit: () => undefined } });
    expect(await reconcile.run()).toEqual([]);
  } finally {
    await database.stop();
  }
});

test('what arrives during the erasure is answered, and is in no table once it has ended', async () => {
  await using bot = await startBot();
  const user = bot.user({ id: canaryId, username: canaryName });
  await generate(user);
  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  await user.waitForMessage(/You will lose your balance too/, { after: user.click('🗑 Erase') });
  await using erasing = await holdStatement(bot.database, { table: 'erased', event: 'insert', when: 'true' });
  const confirmed = user.click('🗑 Yes, erase everything');
  await erasing.reached();
  const texts = ['canary of a text', '/start canary of a command', '/canary'].map(text => user.say(text));
  const tap = user.rawCallback('canary of a tap');
  for (const { updateId } of [...texts, tap])
    await bot.waitForEvent(await bot.cidOf(updateId), 'QUEUE_ENQUEUE');
  await erasing.execute();
  await user.waitForMessage(/everything is erased/, { after: confirmed });

  for (const { updateId } of [...texts, tap])
    await bot.waitForEvent(await bot.cidOf(updateId), 'DISPATCH_OK');
  const database = bot.database.connect(1);
  try {
    for (const canary of [canaryName, 'canary of a', '/canary', 'canary prompt'])
      expect(await tablesWith(database, canary), canary).toEqual([]);
  } finally {
    await database.stop();
  }
  expect(await user.answerOf(tap)).toBeDefined();
  expect(user.lastMessage()?.text).toMatch(/What shall we create/);
});

test('who comes back is a new user, without a second welcome credit, and old buttons lead to the menu', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  const menu = user.lastMessage() ?? expect.fail('no menu');
  await erase(user);
  const tap = user.click('🎨 Pictures', { messageId: menu.messageId });
  await user.waitForMessage(/What shall we create/, { after: tap });
  expect((await storyOf(bot, tap)).line('CALLBACK_REJECTED')).toMatchObject({ result: 'rejected' });

  const start = user.start();
  await user.waitForMessage(/What shall we create/, { after: start });
  await storyOf(bot, start);
  const shown = await user.waitForMessage(/Balance: /, { after: user.say('/balance') });
  expect(shown.text).toBe('Balance: ₽0\n\nNo payments yet.');
});

test('while a generation runs nothing is erased, and the user reads why', async () => {
  await using bot = await startBot(manual);
  const user = bot.user();
  await walkToConfirm(user);
  await user.waitForMessage(/Generating/, { after: user.click('🚀 Run') });
  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  await user.waitForMessage(/Erase everything/, { after: user.click('🗑 Erase') });
  const refused = user.click('🗑 Yes, erase everything');
  expect((await user.answerOf(refused)).text).toMatch(/is still in progress/);
  const { line } = await storyOf(bot, refused);
  expect(line('CALLBACK_REJECTED')).toMatchObject({ reason_detail: 'something still runs' });
  expect(await bot.database.query('select state from holds')).toEqual([{ state: 'held' }]);
});

/** Says what the open question takes, and waits until that has ended. */
async function say(bot: BotUnderTest, user: SandboxUser, text: string): Promise<void> {
  const said = user.say(text);
  await user.waitForMessage(/step 2 of 2/, { after: said });
  await storyOf(bot, said);
}

/** The values that PARAM_INPUT has of texts. */
function loggedTexts(bot: BotUnderTest): unknown[] {
  return bot.lines
    .filter(({ name, source }) => name === 'PARAM_INPUT' && source === 'text')
    .map(({ value }) => value);
}

async function generate(user: SandboxUser): Promise<void> {
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  await user.waitForMessage(({ kind }) => kind === 'photo', { after: run });
}

async function erase(user: SandboxUser): Promise<void> {
  await user.waitForMessage(/Your data/, { after: user.say('/privacy') });
  await user.waitForMessage(/Erase everything/, { after: user.click('🗑 Erase') });
  await user.waitForMessage(/everything is erased/, { after: user.click('🗑 Yes, erase everything') });
}
