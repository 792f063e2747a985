// The panel of the administrators: how the service is, why a click ended as it did, what one user did, and the level of
// detail. Everybody else is refused, whatever their client sends.
import { expect, test } from 'vitest';
import type { BotMessage, SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { handlers } from '../../src/handlers/index.ts';
import { decodeButton } from '../../src/ui/codec.ts';
import { type ButtonName, buttons } from '../../src/ui/registry.ts';
import { type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { type CrawlPlace, crawl } from '../support/crawl.ts';
import { failGeneration, inJournal, journaled } from '../support/journaled.ts';
import { lockJournal } from '../support/locked-journal.ts';
import { outcomeOf, storyOf } from '../support/story.ts';
import { walkToForm } from '../support/walk.ts';

const adminId = 5_000_000_501;
const withAdmin = { environment: { ADMIN_IDS: String(adminId) } };
const adminButtons = Object.values(buttons)
  .filter(button => 'admin' in button)
  .map(({ code }) => (code === 'dbg' ? 'v1:dbg:a1b2c3d4' : `v1:${code}`));

test('the panel shows how the service is and what others did, refusals first, one tap from the verdict', async () => {
  await using bot = await startBot(withAdmin);
  const [admin, user] = [bot.user({ id: adminId }), bot.user()];
  await walkToForm(user);
  const refused = user.rawCallback('v1:nonsense');
  const last = user.say('/help');
  await journaled(bot, refused);
  await journaled(bot, last);
  const own = admin.say('/balance');
  await journaled(bot, own);

  const command = admin.say('/debug');
  const panel = await admin.waitForMessage(/State/, { after: command });
  expect(panel.text).toMatch(/single, webhook · ACTIVE · epoch 1/);
  expect(panel.text).toMatch(/Heartbeat: \d+\.\d s/);
  expect(panel.text).toMatch(/queued and in progress: \d/);
  expect(panel.text).toMatch(/Last hour: 0 faults of \d+/);
  const cids = listed(panel);
  expect(cids.slice(0, 2)).toEqual([await bot.cidOf(refused.updateId), await bot.cidOf(last.updateId)]);
  expect(cids).not.toContain(await bot.cidOf(own.updateId));
  expect(panel.text).toMatch(/⚠️ [\d:]{8} [0-9a-f]{8} UNKNOWN_CALLBACK/);
  expect((await storyOf(bot, command)).line('DEBUG_COMMAND')).toMatchObject({ operation: 'debug' });

  const tap = admin.click({ data: `v1:dbg:${cids[0]}` });
  const chain = await admin.waitForMessage(/Confidence/, { after: tap });
  expect(chain.text).toMatch(/what to do: /);
  expect(chain.text).toMatch(/CALLBACK_REJECTED UNKNOWN_CALLBACK/);
  expect(copied(chain)).toEqual(cids.slice(0, 1));
  expect((await storyOf(bot, tap)).line('DEBUG_COMMAND')).toMatchObject({ operation: 'DEBUG_SHOW' });
  await admin.waitForMessage(/State/, { after: admin.click('🛠 Panel') });
});

test('a generation that failed stands among the refusals, though its tap was accepted', async () => {
  await using bot = await startBot(withAdmin);
  const [admin, user] = [bot.user({ id: adminId, languageCode: 'ru' }), bot.user()];
  const cid = await failGeneration(bot, user);
  const panel = await admin.waitForMessage(/Состояние/, { after: admin.say('/debug') });
  expect(panel.text).toMatch(
    new RegExp(`⚠️ [\\d:]{8} ${cid} DOWNSTREAM_ERROR\\n🚀 Запустить · Проверьте и запускайте`),
  );
  expect(listed(panel)[0]).toBe(cid);
  const chain = await admin.waitForMessage(/Уверенность/, { after: admin.click({ data: `v1:dbg:${cid}` }) });
  expect(chain.text).toMatch(/пользователь нажал «🚀 Запустить».*вернулись на баланс.*что делать/s);
  // The end of a long chain is what matters.
  expect(chain.text).toMatch(/TASK_FAILED DOWNSTREAM_ERROR/);
});

test('a cid is looked up as it is copied: from a text, from a log line, of a duplicate', async () => {
  await using bot = await startBot(withAdmin);
  const [admin, user] = [bot.user({ id: adminId }), bot.user()];
  bot.telegram.duplicateNextUpdate();
  const start = user.start();
  await journaled(bot, start);
  const original = await bot.cidOf(start.updateId);
  const duplicate = await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
  await inJournal(bot, duplicate.cid, 'UPDATE_DUPLICATE');
  for (const word of [original, original.toUpperCase(), `cid=${original}`]) {
    const found = await admin.waitForMessage(/Confidence/, { after: admin.say(`/debug ${word}`) });
    expect(found.text).toContain(`🔎 ${original}`);
    expect(found.text).toContain('DISPATCH_OK SUCCESS');
  }
  const followed = await admin.waitForMessage(/Confidence/, { after: admin.say(`/debug ${duplicate.cid}`) });
  expect(followed.text).toContain(String(duplicate.trace_id));
  expect(followed.text).toContain(String(bot.linesOf(original)[0]?.trace_id));
});

test('a fault is explained with what the processes met at that time', async () => {
  const help = () => Promise.reject(new Error('no help today'));
  await using bot = await startBot({
    ...withAdmin,
    overrides: { handlers: { ...handlers, commands: { ...handlers.commands, help } } },
  });
  const [admin, user, other] = [bot.user({ id: adminId }), bot.user(), bot.user()];
  await bot.database.query('alter table updates rename to updates_away');
  other.start();
  await bot.waitForLine(({ operation }) => operation === 'store update');
  await bot.database.query('alter table updates_away rename to updates');
  const { cid } = await storyOf(bot, user.say('/help'));
  await inJournal(bot, cid, 'DISPATCH_FAIL');
  await waitFor('the warning in the journal', async () => {
    const rows = await bot.database.query(`select 1 from journal where reason_code = 'DB_ERROR'`);
    return rows.length > 0 || undefined;
  });
  const chain = await admin.waitForMessage(/Confidence/, { after: admin.say(`/debug ${cid}`) });
  expect(chain.text).toMatch(/no help today.*the database failed at the same time.*store update/s);
  expect(chain.text).toMatch(/Confidence: medium/);
});

test('of a cid without any trace it is said why there may be none', async () => {
  await using bot = await startBot(withAdmin);
  const admin = bot.user({ id: adminId });
  const nothing = await admin.waitForMessage(/🔎 abcdef00/, { after: admin.say('/debug abcdef00') });
  expect(nothing.text).toMatch(/no such cid.*typo/s);
  expect(nothing.text).toMatch(/service is healthy.*did not leave the phone; what to do/s);

  // An update of somebody else that nobody picks.
  await bot.database.query(
    `insert into updates (bot_id, update_id, lane, event_type, body, traceparent, received_at)
     select bot_id, 1, 999, event_type, body, traceparent, now() - interval '5 minutes' from updates limit 1`,
  );
  await admin.waitForMessage(/queue stands still.*5 min/s, { after: admin.say('/debug abcdef00') });
});

const unread = (code: string): RegExp =>
  new RegExp(`journal cannot be read now \\(${code}\\).*what to do: .*trt explain`, 's');

test('while the journal is away, panel, cid, user and report say so and what to do', async () => {
  await using bot = await startBot(withAdmin);
  const [admin, user] = [bot.user({ id: adminId }), bot.user({ username: 'masha_k' })];
  const start = user.start();
  await journaled(bot, start);
  const cid = await bot.cidOf(start.updateId);
  await bot.database.query('alter table journal rename to journal_away');

  const ways = [
    ['/debug', /State/],
    [`/debug ${cid}`, /🔎/],
    ['/debug @masha_k', unread('42P01')],
  ] as const;
  for (const [text, shown] of ways) {
    const said = admin.say(text);
    const screen = await admin.waitForMessage(unread('42P01'), { after: said });
    expect(screen.text, text).toMatch(shown);
    expect(screen.text, text).not.toMatch(/Nobody else|no such cid|No actions/);
    expect(await outcomeOf(bot, said), text).toMatchObject([{ reason_code: 'SUCCESS' }]);
  }
  await user.waitForMessage(/looking into it/, { after: user.say('/report') });
  await admin.waitForMessage(/🆘.*Журнал сейчас не читается.*что делать/s);
  expect(bot.lines.find(({ operation }) => operation === 'read the journal')).toMatchObject({
    reason_code: 'DB_ERROR',
    error_type: '42P01',
  });
});

test('a journal that is locked does not keep an administrator waiting', async () => {
  await using bot = await startBot(withAdmin);
  const admin = bot.user({ id: adminId });
  await using _lock = await lockJournal(bot.database);
  const said = admin.say('/debug');
  await admin.waitForMessage(unread('57014'), { after: said });
  expect(await outcomeOf(bot, said)).toMatchObject([{ reason_code: 'SUCCESS' }]);
});

test('a user is found by name, by number and by a forwarded message', async () => {
  await using bot = await startBot(withAdmin);
  // As old accounts have them: as many digits as a cid.
  const [admin, user] = [bot.user({ id: adminId }), bot.user({ id: 12_345_678, username: 'Masha_K' })];
  await journaled(bot, user.start());
  const last = user.rawCallback('v1:nonsense');
  await journaled(bot, last);
  const cid = await bot.cidOf(last.updateId);
  for (const word of ['@Masha_K', 'masha_k', String(user.id)]) {
    const shown = await admin.waitForMessage(/Latest actions of/, { after: admin.say(`/debug ${word}`) });
    expect(shown.text).toContain(word);
    expect(listed(shown)[0]).toBe(cid);
    expect(listed(shown)).toHaveLength(2);
  }
  const forwarded = forward(bot, admin, { type: 'user', sender_user: person(user.id), date: 1 });
  expect(listed(await admin.waitForMessage(/Latest actions of/, { after: forwarded }))[0]).toBe(cid);
  expect((await storyOf(bot, forwarded)).line('DEBUG_COMMAND')).toMatchObject({
    operation: 'forwarded message',
  });
});

test('what cannot be looked up is answered with what can', async () => {
  await using bot = await startBot(withAdmin);
  const admin = bot.user({ id: adminId });
  await admin.waitForMessage(/never seen such a user/, { after: admin.say('/debug @nobody_here') });
  await admin.waitForMessage(/Write a cid/, { after: admin.say('/debug why, oh why?') });
  await admin.waitForMessage(/No actions found for 77/, { after: admin.say('/debug 77777') });
  const hidden = forward(bot, admin, { type: 'hidden_user', sender_user_name: 'M', date: 1 });
  await admin.waitForMessage(/Telegram hides.*cid/, { after: hidden });
  expect(await outcomeOf(bot, hidden)).toMatchObject([{ reason_code: 'VALIDATION_FAILED' }]);
});

test('the panel is drawn anew with the newest cid and a button that copies it', async () => {
  await using bot = await startBot(withAdmin);
  const [admin, user] = [bot.user({ id: adminId }), bot.user()];
  const empty = await admin.waitForMessage(/Nobody else/, { after: admin.say('/debug') });
  expect(copied(empty)).toEqual([]);
  const tap = user.start();
  await journaled(bot, tap);
  const cid = await bot.cidOf(tap.updateId);
  const shown = await admin.waitForMessage(/State/, { after: admin.click('📋 Show Last CID') });
  expect(shown.messageId).toBe(empty.messageId);
  expect(shown.text).toContain(`Newest cid: ${cid}`);
  expect(copied(shown)).toEqual([cid]);
});

test('detail is switched on for all instances, outlives a restart, and is switched off', async () => {
  await using bot = await startBot(withAdmin);
  const admin = bot.user({ id: adminId });
  const level = () =>
    bot.database.query<{ until: Date }>('select until from debug_level where until > now()');
  await admin.waitForMessage(/Logs as usual/, { after: admin.say('/debug') });
  const on = admin.click('🔴 Enable Debug (30m)');
  await admin.waitForMessage(/Detailed logs until \d\d:\d\d:\d\d UTC/, { after: on });
  expect(await level()).toHaveLength(1);
  const story = await storyOf(bot, on);
  expect(story.line('DEBUG_COMMAND')).toMatchObject({ operation: 'DEBUG_ON' });
  expect(story.line('DEBUG_ENABLED').until).toBe((await level())[0]?.until.toISOString());
  const detailed = admin.say('/balance');
  expect((await storyOf(bot, detailed)).chain).toContain('STATE_BEFORE');

  await bot.restart();
  await admin.waitForMessage(/Detailed logs until/, { after: admin.say('/debug') });
  const off = admin.click('⚪️ Disable Debug');
  await admin.waitForMessage(/Logs as usual/, { after: off });
  expect(await level()).toEqual([]);
  expect((await storyOf(bot, off)).chain).toEqual(
    expect.arrayContaining(['DEBUG_COMMAND', 'DEBUG_DISABLED']),
  );
  expect((await storyOf(bot, admin.say('/balance'))).chain).not.toContain('STATE_BEFORE');
});

test('every button of the panel, from every screen that bears it, leads on', async () => {
  await using bot = await startBot(withAdmin);
  const [admin, user] = [bot.user({ id: adminId }), bot.user({ username: 'masha_k' })];
  await journaled(bot, user.start());
  await admin.waitForMessage(/State/, { after: admin.say('/debug') });
  const seen = new Set<string>();
  const pressed = new Set<string>();

  async function look(): Promise<CrawlPlace> {
    const message = admin.messages().findLast(({ keyboard }) => keyboard.length > 0);
    if (!message) return expect.fail('There is nothing to press');
    const screen = await waitFor('the record of the screen', () => screenOf(bot, admin, message));
    seen.add(screen);
    const offered = message.keyboard.flat().flatMap(({ data }) => namedButton(data) ?? []);
    const presses = [...new Map(offered.map(button => [button.name, button]))].map(([name, { data }]) => ({
      name,
      async perform() {
        const tap = admin.click({ data }, { messageId: message.messageId });
        expect(await outcomeOf(bot, tap), `${name} of ${screen}`).toMatchObject([{ reason_code: 'SUCCESS' }]);
        const { next_screen } = (await storyOf(bot, tap)).line('CALLBACK_ACCEPTED');
        expect(buttons[name].to, `${name} of ${screen}`).toContain(next_screen);
        pressed.add(`${screen} ${name}`);
      },
    }));
    const commands = ['/debug', '/debug @masha_k'].map(text => ({
      name: text,
      perform: async () => void (await outcomeOf(bot, admin.say(text))),
    }));
    return { name: screen, sort: screen, actions: [...presses, ...commands] };
  }

  await crawl(look, 60);
  expect([...seen].toSorted()).toEqual(['DEBUG', 'DEBUG_CHAIN', 'DEBUG_USER', 'MAIN_MENU']);
  expect([...pressed].toSorted()).toEqual(
    Object.entries(buttons)
      .filter(([, button]) => 'admin' in button)
      .flatMap(([name, { from }]) => from.map(screen => `${screen} ${name}`))
      .toSorted(),
  );
});

test('Close leads to the menu', async () => {
  await using bot = await startBot(withAdmin);
  const admin = bot.user({ id: adminId });
  const panel = await admin.waitForMessage(/State/, { after: admin.say('/debug') });
  const menu = await admin.waitForMessage(/What shall we create/, { after: admin.click('❌ Close') });
  expect(menu.messageId).toBe(panel.messageId);
});

test('the command is refused to everybody else, and their forwarded messages are messages', async () => {
  await using bot = await startBot(withAdmin);
  const user = bot.user();
  for (const text of ['/debug', '/debug a1b2c3d4', `/debug ${adminId}`]) {
    const command = user.say(text);
    await user.waitForMessage(/not allowed/, { after: command });
    const story = await storyOf(bot, command);
    expect(story.line('COMMAND_REJECTED')).toMatchObject({ reason_code: 'PERMISSION_DENIED' });
    expect(story.chain).not.toContain('DEBUG_COMMAND');
    expect(await outcomeOf(bot, command)).toMatchObject([
      { outcome: 'rejected', reason_code: 'PERMISSION_DENIED' },
    ]);
  }
  const forwarded = forward(bot, user, { type: 'user', sender_user: person(adminId), date: 1 });
  expect((await storyOf(bot, forwarded)).chain).not.toContain('DEBUG_COMMAND');
});

test.for([true, false])(
  'every forged button of the panel is refused to everybody else (on a message that we know: %s)',
  async isKnown => {
    await using bot = await startBot(withAdmin);
    const user = bot.user();
    await user.waitForMessage(/What shall we create/, { after: user.start() });
    expect(adminButtons.length).toBeGreaterThan(4);
    for (const data of adminButtons) {
      const forged = user.rawCallback(data, isKnown ? {} : { messageId: 4_242 });
      const story = await storyOf(bot, forged);
      expect(story.line('CALLBACK_REJECTED'), data).toMatchObject({ reason_code: 'PERMISSION_DENIED' });
      expect(story.chain, data).not.toContain('DEBUG_COMMAND');
      expect((await user.answerOf(forged)).text, data).not.toBe('');
    }
    expect(await bot.database.query('select 1 from debug_level')).toEqual([]);
    expect(user.messages().filter(({ text }) => /State|Confidence|Latest actions/.test(text))).toEqual([]);
  },
);

test('only administrators have the command in their list', async () => {
  await using bot = await startBot(withAdmin);
  const lists = bot.telegram.calls('setMyCommands').map(({ payload }) => ({
    scope: payload.scope,
    language: payload.language_code,
    commands: JSON.stringify(payload.commands),
  }));
  const everybodys = lists.filter(({ scope }) => scope === undefined);
  expect(everybodys.map(({ language }) => language).toSorted()).toEqual(['en', 'ru', undefined]);
  for (const { commands } of everybodys) {
    expect(commands).toContain('"report"');
    expect(commands).not.toContain('"debug"');
  }
  expect(lists.filter(({ scope }) => scope !== undefined)).toEqual([
    {
      scope: { type: 'chat', chat_id: adminId },
      language: undefined,
      commands: expect.stringContaining('"debug"'),
    },
  ]);
});

test('without administrators nobody has the panel', async () => {
  await using bot = await startBot();
  const user = bot.user({ id: adminId });
  await user.waitForMessage(/not allowed/, { after: user.say('/debug') });
});

async function screenOf(
  bot: BotUnderTest,
  { chatId }: SandboxUser,
  { messageId }: BotMessage,
): Promise<string | undefined> {
  const [row] = await bot.database.query<{ screen_id: string }>(
    'select screen_id from messages where chat_id = $1 and message_id = $2',
    [chatId, messageId],
  );
  return row?.screen_id;
}

/** undefined for what is not of the administrators. */
function namedButton(data: string | undefined): { name: ButtonName; data: string } | undefined {
  const decoded = decodeButton(data ?? '');
  return data !== undefined && decoded.ok && 'admin' in buttons[decoded.button]
    ? { name: decoded.button, data }
    : undefined;
}

/** The cids that a message offers to look at, in their order. */
function listed({ keyboard }: BotMessage): string[] {
  return keyboard.flat().flatMap(({ data }) => /^v1:dbg:(\w+)$/.exec(data ?? '')?.[1] ?? []);
}

function copied({ keyboard }: BotMessage): string[] {
  return keyboard.flat().flatMap(({ copyText }) => copyText ?? []);
}

const person = (id: number) => ({ id, is_bot: false, first_name: 'Somebody' });

function forward(
  bot: BotUnderTest,
  user: SandboxUser,
  origin: Readonly<Record<string, unknown>>,
): SentUpdate {
  return bot.telegram.sendRaw({
    message: {
      message_id: 9_001,
      date: 1_780_000_000,
      chat: { id: user.chatId, type: 'private', first_name: 'Somebody' },
      from: { ...person(user.id), language_code: 'en' },
      text: 'it does not work',
      forward_origin: origin,
    },
  });
}
