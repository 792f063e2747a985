// `trt dead-letters` as an operator runs it: the real command beside a real Postgres and a running bot.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { compiledCode } from '../../sandbox/program.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storyOf } from '../support/story.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const canary = 'canary prompt about a yellow bird';
const columns = ['when', 'cid', 'event_type', 'reason_code', 'attempts'];

/** Two traces with one cid, and another. */
const twins = ['0af76519aaaaaaaaaaaaaaaaaaaaaaaa', '0af76519bbbbbbbbbbbbbbbbbbbbbbbb'] as const;
const single = 'c0ffee00cccccccccccccccccccccccc';
const lane = 6_100_004_242;

interface Answer {
  readonly code: number;
  readonly output: string;
  readonly complaint: string;
}

/** Runs `trt` with nothing in its environment but what is given. */
function trt(environment: Readonly<Record<string, string>>, ...words: string[]): Promise<Answer> {
  return new Promise(resolve => {
    const options = { cwd: root, env: { PATH: process.env.PATH, ...compiledCode, ...environment } };
    execFile(process.execPath, ['src/cli/main.ts', ...words], options, (error, output, complaint) =>
      resolve({ code: error ? Number(error.code) : 0, output, complaint }),
    );
  });
}

const at = ({ url }: TestDatabase): { readonly DATABASE_URL: string } => ({ DATABASE_URL: url });

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

/** Stores ended updates, oldest first, all of one chat. */
async function store(
  database: TestDatabase,
  traceIds: readonly string[],
  outcome = 'dead_letter',
): Promise<void> {
  for (const traceId of traceIds)
    await database.query(
      `insert into updates (bot_id, update_id, lane, event_type, body, traceparent, attempts, picked_by, picked_at,
         outcome, reason_code, finished_at)
       select 1, count(*), $1, 'text_input', $2, $3, 4, 'trt-dead', now(), $4, 'INTERNAL_ERROR', now()
       from updates`,
      [lane, JSON.stringify({ text: canary }), `00-${traceId}-b7ad6b7169203331-01`, outcome],
    );
}

function states(database: TestDatabase): Promise<{ outcome: string | null; attempts: number }[]> {
  return database.query(
    'select outcome, reason_code, attempts, picked_by, picked_at, finished_at from updates order by id',
  );
}

async function jobs(database: TestDatabase): Promise<unknown[]> {
  const rows = await database.query<{ payload: unknown }>(
    'select payload from graphile_worker._private_jobs where locked_at is null',
  );
  return rows.map(({ payload }) => payload);
}

const unfinished = {
  outcome: null,
  reason_code: null,
  attempts: 0,
  picked_by: null,
  picked_at: null,
  finished_at: null,
};

/** The bot gives the next update up at its first pick, as it does after three processes died of it. */
async function giveUpNext(bot: BotUnderTest, send: () => { readonly updateId: number }): Promise<string> {
  await bot.database.query('alter table updates alter column attempts set default 3');
  const { updateId } = send();
  const cid = await bot.cidOf(updateId);
  await bot.waitForEvent(cid, 'DEAD_LETTER');
  await bot.database.query('alter table updates alter column attempts set default 0');
  return cid;
}

test('an update that was given up is listed, redriven, worked, and the user gets the answer', async () => {
  await using bot = await startBot();
  const user = bot.user({ started: true });
  const sent = { updateId: 0 };
  const cid = await giveUpNext(bot, () => Object.assign(sent, user.say('/help')));
  await user.waitForMessage(({ text }) => text.includes(cid));

  const listed = await trt(at(bot.database), 'dead-letters', 'list');
  expect(listed).toMatchObject({ code: 0, complaint: '' });
  const [head = '', row = '', ...more] = listed.output.trimEnd().split('\n');
  expect(head.split(/ +/)).toEqual(columns);
  expect(row.split(/ +/)).toEqual([
    expect.stringMatching(/^\d{4}-.*Z$/),
    cid,
    'command',
    'INTERNAL_ERROR',
    '4',
  ]);
  expect(more).toEqual([]);

  const redriven = await trt(at(bot.database), 'dead-letters', 'redrive', cid);
  expect(redriven).toMatchObject({ code: 0, complaint: '' });
  expect(redriven.output).toContain(cid);
  await user.waitForMessage(/How it works/);
  // In the trace it was received in, and with its attempts from the beginning.
  const end = await bot.waitForEvent(cid, 'DISPATCH_OK');
  expect(end).toMatchObject({ update_id: sent.updateId, result: 'accepted' });
  expect(end.attempt).toBeUndefined();
  expect(await outcomesOf(bot, sent)).toEqual([{ outcome: 'accepted', attempts: 1 }]);
  expect(await trt(at(bot.database), 'dead-letters', 'list')).toEqual({
    code: 0,
    output: 'No dead letters.\n',
    complaint: '',
  });
});

test('a redriven update comes late: what it meets is the state of now', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await storyOf(bot, user.start());
  await user.waitForMessage(/What shall we create/);
  const click = { updateId: 0 };
  const cid = await giveUpNext(bot, () => Object.assign(click, user.click('🎨 Pictures')));
  // The user went on meanwhile, on the same message.
  const [menu] = user.messages();
  user.click('❓ Help', { messageId: menu?.messageId ?? 0 });
  await user.waitForMessage(/How it works/);
  expect(await trt(at(bot.database), 'dead-letters', 'redrive', cid)).toMatchObject({ code: 0 });
  const end = await bot.waitForEvent(cid, 'DISPATCH_OK');
  expect(end).toMatchObject({ result: 'rejected', reason_code: 'STATE_MISMATCH' });
  // The screen stays. The tap had its one answer when it was given up, so a message says why nothing happened.
  expect(user.messages().map(({ text }) => text)).toEqual([
    expect.stringMatching(/How it works/),
    expect.stringContaining(cid),
    expect.stringMatching(/already passed this step/),
  ]);
});

test('neither bodies nor ids of Telegram are shown', async () => {
  const database = await emptyDatabase();
  await store(database, [...twins, single]);
  const answers = [
    await trt(at(database), 'dead-letters', 'list'),
    await trt(at(database), 'dead-letters', 'list', '--json'),
    await trt(at(database), 'dead-letters', 'redrive', '0af76519'),
    await trt(at(database), 'dead-letters', 'redrive', '--all'),
  ];
  for (const { output, complaint } of answers) {
    expect(output + complaint).toContain('0af76519');
    expect(output + complaint).not.toContain(canary);
    expect(output + complaint).not.toContain(String(lane));
  }
});

test('a machine gets one JSON object per dead letter, newest first', async () => {
  const database = await emptyDatabase();
  expect(await trt(at(database), 'dead-letters', 'list', '--json')).toEqual({
    code: 0,
    output: '',
    complaint: '',
  });
  await store(database, [twins[0], single]);
  await store(database, [twins[1]], 'accepted');
  const { output } = await trt(at(database), 'dead-letters', 'list', '--json');
  const letters = output
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  const time = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(letters).toEqual(
    [single, twins[0]].map(traceId => ({
      when: time,
      cid: traceId.slice(0, 8),
      event_type: 'text_input',
      reason_code: 'INTERNAL_ERROR',
      attempts: 4,
      received_at: time,
      trace_id: traceId,
    })),
  );
});

test('one redriven update is unfinished again, with a job for its chat; the others stay', async () => {
  const database = await emptyDatabase();
  await store(database, [single, twins[0]]);
  expect(await trt(at(database), 'dead-letters', 'redrive', 'C0FFEE00')).toMatchObject({ code: 0 });
  expect(await states(database)).toEqual([
    unfinished,
    expect.objectContaining({ outcome: 'dead_letter', attempts: 4 }),
  ]);
  expect(await jobs(database)).toEqual([{ lane }]);
});

test('all are redriven at once, with one job per chat', async () => {
  const database = await emptyDatabase();
  await store(database, [...twins, single]);
  const { code, output } = await trt(at(database), 'dead-letters', 'redrive', '--all');
  expect(code).toBe(0);
  for (const traceId of [...twins, single]) expect(output).toContain(traceId);
  expect(await states(database)).toEqual([unfinished, unfinished, unfinished]);
  expect(await jobs(database)).toEqual([{ lane }]);
});

test('when a job cannot be added nothing is redriven', async () => {
  const database = await emptyDatabase();
  await store(database, [single]);
  await database.query('alter table graphile_worker._private_jobs rename to jobs_away');
  const { code, complaint } = await trt(at(database), 'dead-letters', 'redrive', '--all');
  expect(code).toBe(1);
  expect(complaint).not.toBe('');
  expect(await states(database)).toMatchObject([{ outcome: 'dead_letter', attempts: 4 }]);
});

test('a cid that two dead letters have is refused with both, and a trace id decides', async () => {
  const database = await emptyDatabase();
  await store(database, twins);
  const before = await states(database);
  const { code, output, complaint } = await trt(at(database), 'dead-letters', 'redrive', '0af76519');
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(complaint).toMatch(/^2 dead letters have the id 0af76519/);
  for (const traceId of twins) expect(complaint).toContain(traceId);
  expect(await states(database)).toEqual(before);
  expect(await jobs(database)).toEqual([]);

  expect(await trt(at(database), 'dead-letters', 'redrive', twins[1])).toMatchObject({ code: 0 });
  expect(await states(database)).toEqual([before[0], unfinished]);
});

test('what is no dead letter is not redriven', async () => {
  const database = await emptyDatabase();
  await store(database, [single], 'accepted');
  const before = await states(database);
  expect(await trt(at(database), 'dead-letters', 'redrive', 'c0ffee00')).toEqual({
    code: 1,
    output: '',
    complaint: 'No dead letter has the id c0ffee00.\n',
  });
  expect(await trt(at(database), 'dead-letters', 'redrive', '--all')).toEqual({
    code: 1,
    output: '',
    complaint: 'There are no dead letters.\n',
  });
  expect(await states(database)).toEqual(before);
});

test.each([
  { what: 'none', url: undefined, expected: /^DATABASE_URL is not set/ },
  { what: 'an empty one', url: '', expected: /^DATABASE_URL is not set/ },
  { what: 'another kind', url: 'mysql://trt:canary-password@db/trt', expected: /not usable/ },
  { what: 'a broken one', url: 'postgres://trt:canary-password@127.0.0.1:port/trt', expected: /not usable/ },
  // Port 1 is reserved; nothing listens there.
  {
    what: 'one that nobody answers',
    url: 'postgres://trt:canary-password@127.0.0.1:1/trt',
    expected: /ECONNREFUSED/,
  },
])('of DATABASE_URL, $what is told without showing it', async ({ url, expected }) => {
  const { code, output, complaint } = await trt(
    url === undefined ? {} : { DATABASE_URL: url },
    'dead-letters',
    'list',
  );
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(complaint).toMatch(expected);
  expect(complaint).not.toMatch(/canary-password|127\.0\.0\.1|\n\s+at /);
});

test('a login that is refused, a database that is missing or empty is told without its name', async () => {
  const database = await emptyDatabase();
  const [, name = ''] = /\/(test_\w+)\?/.exec(database.url) ?? [];
  const urls = {
    'refused the login': database.url.replace(/:\/\/([^:]+):[^@]+@/, '://$1:canary-password@'),
    'does not exist': database.url.replace(name, `${name}_missing`),
    'no tables of the bot': database.url.replace(name, 'postgres'),
  };
  for (const [sentence, url] of Object.entries(urls)) {
    const { code, complaint } = await trt({ DATABASE_URL: url }, 'dead-letters', 'list');
    expect(code).toBe(1);
    expect(complaint).toContain(sentence);
    expect(complaint).not.toMatch(/canary-password|test_|\n\s+at /);
  }
});

test.each([
  [['dead-letters']],
  [['dead-letters', 'bury']],
  [['dead-letters', 'list', 'everything']],
  [['dead-letters', 'list', '--yaml']],
  [['dead-letters', 'redrive']],
  [['dead-letters', 'redrive', 'c0ffee']],
  [['dead-letters', 'redrive', '%']],
  [['dead-letters', 'redrive', 'c0ffee00', '0af76519']],
  [['dead-letters', 'redrive', 'c0ffee00', '--all']],
  [['letters']],
])('%j is answered with the usage, and asks no database', async words => {
  const { code, output, complaint } = await trt({}, ...words);
  expect({ code, output }).toEqual({ code: 2, output: '' });
  expect(complaint).toContain('Usage:');
  expect(complaint).toContain('trt dead-letters redrive --all');
});

test('help is no mistake', async () => {
  for (const words of [
    [],
    ['help'],
    ['--help'],
    ['dead-letters', '--help'],
    ['dead-letters', 'list', '-h'],
  ]) {
    const { code, output, complaint } = await trt({}, ...words);
    expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
    expect(output).toContain('trt dead-letters list');
    expect(output.includes('trt timeline')).toBe(words[0] !== 'dead-letters');
  }
});

async function outcomesOf(
  bot: BotUnderTest,
  sent: { readonly updateId: number },
): Promise<{ outcome: string; attempts: number }[]> {
  await bot.waitForLine(line => line.name === 'DISPATCH_OK' && line.update_id === sent.updateId);
  return bot.database.query('select outcome, attempts from updates where update_id = $1', [sent.updateId]);
}
