// No secret and nobody's words or identity may leave: every way through the bot is walked with values that are
// easy to find, then all that came out is searched for them – lines in both formats, every text of every span,
// every row of the journal, the bodies of HTTP errors. A control proves that the search finds what gets past the scrubber.
import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createPng } from '../../sandbox/png.ts';
import type { SandboxUser } from '../../sandbox/telegram/index.ts';
import { buildApp } from '../../src/app/app.ts';
import { handlers } from '../../src/handlers/index.ts';
import type { LogFormat } from '../../src/otel/logger.ts';
import { Secret } from '../../src/secret.ts';
import { type BotUnderTest, startBot, waitFor, webhookSecret } from '../support/bot.ts';
import { hashSecret, kieHmacKey, runProgram, startSurroundings } from '../support/process.ts';
import { spanExporter } from '../support/record-spans.ts';
import { prompt, walkToConfirm, walkToForm, walkToModel } from '../support/walk.ts';

const person = { firstName: 'Canarina', username: 'canary_bird_4242', languageCode: 'en' };
/** All users here are the same person by name; their ids begin alike. */
const idStart = '614242424';
const caption = 'a canary caption of a holiday';
const fileName = 'canary-holiday-4242.png';
/** What people paste may open their private albums. */
const publicLink = 'https://album-canary.example/private-album-4242.jpg?key=canary-album-key';
const privateLink = 'http://192.168.42.42/canary-router-4242.jpg';
const slashed = 'canary_confession_4242';
const foreignData = 'canary-payload-4242';
const tooLong = 'overlong canary song '.repeat(60);
const withPassword = (url: string): string => url.replace(/:[^:@]+@/, ':canary-password-4242@');
const formats: readonly LogFormat[] = ['json', 'kv'];

test.each(formats)('in %s nothing leaks on any way through the bot', async format => {
  const secrets: string[] = [];
  await using bot = await startBot({
    environment: { LOG_FORMAT: format, LOG_LEVEL: 'DEBUG', SILENCE_GUARD: 'true' },
    overrides: {
      handlers: {
        ...handlers,
        commands: { ...handlers.commands, help: async () => Promise.reject(quoting(secrets)) },
      },
    },
  });
  const canaries = canariesOf(bot);
  const { 'half of the token': _half, ...quoted } = canaries.secrets;
  secrets.push(...Object.values(quoted), bot.database.url);
  let users = 0;
  // A walk through the screens waits for texts that a chat must not have shown before.
  const newUser = (): SandboxUser => bot.telegram.user({ ...person, id: Number(`${idStart}${users++}`) });
  const spansBefore = spanExporter.getFinishedSpans().length;

  await generate(bot, newUser());
  await generateFromFile(bot, newUser());
  await pasteLinks(bot, newUser(), newUser());
  await failValidation(bot, newUser());
  await actUntil(bot, 'DISPATCH_FAIL', () => newUser().say('/help'));
  await failAtKie(bot, newUser(), newUser());
  const bodies = await provokeHttpErrors(bot);
  await loseTelegram(bot, newUser());
  await bot.app.stop();

  const spans = spanExporter.getFinishedSpans().slice(spansBefore);
  const journal = (await bot.database.query<{ row: string }>('select journal::text as row from journal')).map(
    ({ row }) => row,
  );
  // Otherwise an empty output would pass, too.
  expect(bot.output.length).toBeGreaterThan(100);
  expect(spans.length).toBeGreaterThan(100);
  expect(journal.length).toBeGreaterThan(100);
  expect(journal.join('')).toContain(`text(${prompt.length})`);
  expect(bot.output.join('')).toMatch(/PARAM_VALIDATION_FAILED[\s\S]*TASK_FAILED/);
  expect(spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['kie createTask', 'telegram sendPhoto', 'deliver result', 'dispatch update']),
  );
  const all = { ...canaries.secrets, ...canaries.people, ...filesOf(bot) };
  expect(leaksIn(bot.output, all)).toEqual([]);
  expect(leaksIn(spans.flatMap(textsOf), all)).toEqual([]);
  expect(leaksIn(journal, all)).toEqual([]);
  expect(leaksIn(bodies, all)).toEqual([]);
});

test('a start that fails because Telegram is gone says why, without the token', async () => {
  const bot = await startBot();
  const { secrets } = canariesOf(bot);
  await bot.stop();
  await using surroundings = await startSurroundings();
  const output: string[] = [];
  const app = buildApp(
    {
      ...bot.config,
      databaseUrl: new Secret(surroundings.database.url),
      instance: { ...bot.config.instance, bootTimeoutMs: 500 },
    },
    { logDestination: { write: line => void output.push(line) } },
  );
  await expect(app.start()).rejects.toThrow();
  expect(output.join('')).toContain('"name":"BOOT_FAIL"');
  expect(leaksIn(output, secrets)).toEqual([]);
});

test.each([
  ['the database refuses the password', { DATABASE_URL: withPassword }],
  [
    'the database cannot be reached',
    { DATABASE_URL: () => 'postgres://trt:canary-password-4242@127.0.0.1:1/trt' },
  ],
  [
    'the settings are unusable',
    { TELEGRAM_BOT_TOKEN: () => 'canary token 4242', WEBHOOK_SECRET_TOKEN: () => 'canary secret 4242!' },
  ],
] as const)('BOOT_FAIL says no secret when %s', async (_case, replaced) => {
  await using surroundings = await startSurroundings();
  const environment: Record<string, string> = { ...surroundings.environment, BOOT_TIMEOUT_SECONDS: '1' };
  for (const [name, value] of Object.entries(replaced)) environment[name] = value(environment[name] ?? '');
  await using program = runProgram(environment);
  const { code } = await program.exited;

  expect(code).toBe(1);
  expect(program.lines.map(({ name }) => name)).toContain('BOOT_FAIL');
  const secrets = {
    ...secretsOf(surroundings.telegram.token, surroundings.kie.apiKey, surroundings.database.url),
    'database password given': 'canary-password-4242',
    'token given': 'canary token 4242',
    'webhook secret given': 'canary secret 4242',
  };
  expect(leaksIn([...program.output, program.stderr], secrets)).toEqual([]);
});

test('the search finds what gets past the scrubber, wherever it stands', async () => {
  await using bot = await startBot();
  const { secrets, people } = canariesOf(bot);
  const all = { ...secrets, ...people };
  for (const [name, canary] of Object.entries(all)) {
    const before = spanExporter.getFinishedSpans().length;
    const tracer = trace.getTracer('canary');
    const places = [
      tracer.startSpan(`telegram ${canary}`),
      tracer.startSpan('attribute', { attributes: { url: `/bot${canary}/getMe` } }),
      tracer.startSpan('list', { attributes: { list: ['fine', canary] } }),
      tracer.startSpan('event').addEvent('exception', { 'exception.message': canary }),
      tracer.startSpan('event name').addEvent(canary),
      tracer.startSpan('status').setStatus({ code: 2, message: canary }),
      tracer.startSpan('encoded', { attributes: { url: encodeURIComponent(canary) } }),
    ];
    for (const span of places) span.end();
    const spans = spanExporter.getFinishedSpans().slice(before);
    expect(spans.map(span => leaksIn(textsOf(span), all).length > 0)).toEqual(places.map(() => true));
    // The seam itself passes on what its caller did not scrub.
    bot.app.telemetry.emit('SYSTEM_WARNING', {
      operation: 'job queue',
      error_type: 'none',
      error_message: canary,
    });
    expect(leaksIn(bot.output, all).map(({ what }) => what)).toContain(name);
  }
});

interface Canaries {
  readonly secrets: Readonly<Record<string, string>>;
  readonly people: Readonly<Record<string, string>>;
}

function canariesOf(bot: BotUnderTest): Canaries {
  return {
    secrets: secretsOf(bot.telegram.token, bot.kie.apiKey, bot.database.url),
    people: {
      prompt,
      'long text': 'overlong canary song',
      'user and chat id': idStart,
      'first name': person.firstName,
      username: person.username,
      caption,
      'file name': fileName.replace('.png', ''),
      'host of a link': 'album-canary.example',
      'path of a link': 'private-album-4242',
      'key of a link': 'canary-album-key',
      'private link': 'canary-router-4242',
      'what is typed after a slash': slashed,
      'data of a foreign button': foreignData,
    },
  };
}

/** What opens the files of users and the results of tasks: known only when all is done. */
function filesOf(bot: BotUnderTest): Record<string, string> {
  const asked = bot.telegram.calls('getFile');
  const orders = bot.kie.tasks().filter(({ callBackUrl }) => callBackUrl !== undefined);
  expect(asked.length).toBeGreaterThan(0);
  expect(orders.length).toBeGreaterThan(0);
  return {
    ...Object.fromEntries(
      asked.flatMap(({ payload, result }, index) => [
        [`file id ${index}`, String(payload.file_id)],
        [`path of file ${index}`, z.object({ file_path: z.string() }).parse(result).file_path],
      ]),
    ),
    ...Object.fromEntries(bot.kie.uploads().map((upload, index) => [`upload ${index}`, upload.filePath])),
    ...Object.fromEntries(
      orders.map(({ callBackUrl = '' }, index) => [
        `secret path of callback ${index}`,
        callBackUrl.split('/').at(-1) ?? '',
      ]),
    ),
  };
}

function secretsOf(token: string, kieKey: string, databaseUrl: string): Record<string, string> {
  return {
    token,
    'half of the token': token.split(':')[1] ?? '',
    'KIE key': kieKey,
    'hash secret': hashSecret,
    'webhook secret': webhookSecret,
    'HMAC key': kieHmacKey,
    'database password': /:\/\/[^:]+:([^@]+)@/.exec(databaseUrl)?.[1] ?? expect.fail('No password'),
  };
}

/** An error as a library would make it: its text quotes what it was called with. */
function quoting(secrets: readonly string[]): Error {
  return new Error(`request to http://127.0.0.1/bot${secrets.join(' ')} failed`, {
    cause: new Error(secrets.join(' ')),
  });
}

interface Leak {
  readonly what: string;
  readonly where: string;
}

/** Every text in which one of the canaries stands, as it is or as a part of a URL. */
function leaksIn(texts: readonly string[], canaries: Readonly<Record<string, string>>): Leak[] {
  return texts.flatMap(where =>
    Object.entries(canaries)
      .filter(([, canary]) => where.includes(canary) || where.includes(encodeURIComponent(canary)))
      .map(([what]) => ({ what, where })),
  );
}

/** Everything of a span that an exporter sends. */
function textsOf(span: ReadableSpan): string[] {
  return [
    span.name,
    JSON.stringify(span.attributes),
    JSON.stringify(span.events),
    JSON.stringify(span.links),
    JSON.stringify(span.status),
    JSON.stringify(span.resource.attributes),
  ];
}

async function generate(bot: BotUnderTest, user: SandboxUser): Promise<void> {
  await walkToConfirm(user);
  await actUntil(bot, 'RESULT_DELIVERED', () => user.click('🚀 Run'));
}

const filmModel = 'Hailuo 2.3 Standard Image to Video';

/** The file goes from Telegram to the supplier under addresses that hold the token or open it for anybody. */
async function generateFromFile(bot: BotUnderTest, user: SandboxUser): Promise<void> {
  await walkToFile(user);
  const picture = createPng(400, 400, [20, 40, 60]);
  const sent = user.sendDocument(picture, { caption, fileName, mimeType: 'image/png' });
  await user.waitForMessage(/settings/, { after: sent });
  await user.waitForMessage(/Check and run/, { after: user.click('▶️ Go on') });
  await actUntil(bot, 'TASK_COMPLETED', () => user.click('🚀 Run'));
}

/** One link is refused, the other is ordered and cannot be fetched. */
async function pasteLinks(bot: BotUnderTest, refused: SandboxUser, taken: SandboxUser): Promise<void> {
  await walkToFile(refused);
  await actUntil(bot, 'PARAM_VALIDATION_FAILED', () => refused.say(privateLink));
  await walkToFile(taken);
  await taken.waitForMessage(/settings/, { after: taken.say(publicLink) });
  await taken.waitForMessage(/Check and run/, { after: taken.click('▶️ Go on') });
  await actUntil(bot, 'TASK_FAILED', () => taken.click('🚀 Run'));
}

async function walkToFile(user: SandboxUser): Promise<void> {
  await walkToModel(user, filmModel, /step 1 of 2/);
  await user.waitForMessage(/step 2 of 2/, { after: user.say(prompt) });
}

async function failValidation(bot: BotUnderTest, user: SandboxUser): Promise<void> {
  await walkToForm(user);
  await actUntil(bot, 'PARAM_VALIDATION_FAILED', () => user.say(tooLong));
  for (const data of [foreignData, `v1:${foreignData}`, `v0:menu:${foreignData}`, `v1:cat:${foreignData}`])
    await actUntil(bot, 'CALLBACK_REJECTED', () => user.rawCallback(data));
  for (const text of [
    `/${slashed} ${prompt}`,
    `/start@${slashed}`,
    `/start ${slashed}`,
    `/${slashed.toUpperCase()}`,
  ])
    await actUntil(bot, 'COMMAND_RECEIVED', () => user.say(text));
}

/** The supplier refuses an order, and lets another one fail; both texts quote the prompt and the key. */
async function failAtKie(bot: BotUnderTest, refused: SandboxUser, failed: SandboxUser): Promise<void> {
  const text = `Bad prompt "${prompt}" for key ${bot.kie.apiKey}`;
  await walkToConfirm(refused);
  bot.kie.failNext({ at: 'create', does: 'answer', code: 422, text });
  await actUntil(bot, 'TASK_FAILED', () => refused.click('🚀 Run'));
  await walkToConfirm(failed);
  bot.kie.failNext({ at: 'outcome', does: 'fail', failCode: '400', failMsg: text });
  await actUntil(bot, 'TASK_FAILED', () => failed.click('🚀 Run'));
}

/** The bodies of every kind of HTTP error that a stranger or a broken sender can cause. */
async function provokeHttpErrors(bot: BotUnderTest): Promise<string[]> {
  const secret = { 'x-telegram-bot-api-secret-token': webhookSecret };
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${bot.app.url()}${path}`, { method: 'POST', body, headers });
  const answers = await Promise.all([
    post('/webhook', `{"update_id": "${prompt}"}`, secret),
    post('/webhook', `not JSON: ${prompt}`, secret),
    post('/webhook', '{}', { 'x-telegram-bot-api-secret-token': `${webhookSecret}-wrong` }),
    post('/webhook', prompt.repeat(40_000), secret),
    post(`/callbacks/kie/${'0'.repeat(32)}`, JSON.stringify({ prompt })),
    post(`/nowhere/${encodeURIComponent(person.username)}`, prompt),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 401, 413, 404, 404]);
  // The framework's own 404 repeats the path that the client asked for; what is ours must not.
  return Promise.all(answers.slice(0, -1).map(answer => answer.text()));
}

/** A send whose connection is reset, then a Telegram that is gone: grammY's errors quote the URL with the token. */
async function loseTelegram(bot: BotUnderTest, user: SandboxUser): Promise<void> {
  bot.telegram.failNext({ kind: 'reset', method: 'sendMessage', chatId: user.chatId });
  await actUntil(bot, 'DISPATCH_FAIL', () => user.start());
  await bot.telegram.stop();
  const message = {
    message_id: 4_242,
    date: 1_700_000_000,
    chat: { id: user.id, type: 'private', first_name: person.firstName, username: person.username },
    from: { id: user.id, is_bot: false, first_name: person.firstName, username: person.username },
    text: '/start',
  };
  await actUntil(bot, 'DISPATCH_FAIL', () =>
    fetch(bot.webhookUrl(), {
      method: 'POST',
      headers: { 'x-telegram-bot-api-secret-token': webhookSecret },
      body: JSON.stringify({ update_id: 900_000_001, message }),
    }),
  );
}

/** Does something and waits for one more event of that name, in whichever format. */
async function actUntil(bot: BotUnderTest, name: string, act: () => unknown): Promise<void> {
  const count = (): number => bot.output.filter(line => line.includes(`${name} cid=`)).length;
  const before = count();
  await act();
  await waitFor(
    name,
    () => count() > before || undefined,
    () => bot.output.slice(-20).join(''),
  );
}
