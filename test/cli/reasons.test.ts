// `trt reasons` as an operator runs it: what a running bot has counted, and the comparison with the period before.
import { expect, onTestFinished, test } from 'vitest';
import type { JournalRow } from '../../src/otel/journal-row.ts';
import { startBot, waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { journalRow, openJournalStore } from '../support/journal.ts';
import { journalOf } from '../support/journal-of.ts';
import { storyOf } from '../support/story.ts';
import { type CommandAnswer, trt } from '../support/trt.ts';

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

const mismatch = { reasonCode: 'STATE_MISMATCH', screenId: 'CONFIRM' } as const;
const rejected = { reasonCode: 'CONTENT_REJECTED', modelId: 'z-image', modelVersion: '2026-01-01' } as const;
const success = { reasonCode: 'SUCCESS', screenId: 'MAIN_MENU' } as const;

/** So many rows, some minutes old. */
const times = (count: number, minutes: number, given: Partial<JournalRow>): JournalRow[] =>
  Array.from({ length: count }, () => journalRow({ ...given, at: minutesAgo(minutes) }));

/** A deploy half an hour ago: refusals of the new release, a model that does better, and more of what is well. */
const deploy = [
  ...times(9, 10, success),
  ...times(6, 90, success),
  ...times(3, 10, { ...mismatch, release: '1.0.1' }),
  ...times(1, 10, mismatch),
  ...times(2, 90, mismatch),
  ...times(2, 90, rejected),
  ...times(50, 130, mismatch),
];

async function reasonsOf(rows: readonly JournalRow[], ...words: string[]): Promise<CommandAnswer> {
  const database = await createTestDatabase();
  const connection = database.connect(1);
  onTestFinished(async () => {
    await connection.stop();
    await database.drop();
  });
  await openJournalStore(connection).insert(rows);
  return trt({ DATABASE_URL: database.url }, 'reasons', ...words);
}

const tableOf = ({ output }: CommandAnswer): string[] =>
  output
    .trimEnd()
    .split('\n')
    .slice(2)
    .map(line => line.replaceAll(/ {2,}/g, ' | '));

test('each kind stands beside what it was in the hour before, trouble first', async () => {
  const answer = await reasonsOf(deploy);
  expect(answer).toMatchObject({ code: 0, complaint: '' });
  expect(answer.output).toMatch(/^From \d{4}-.*Z to \d{4}-.*Z, beside the same time before it\.$/m);
  expect(tableOf(answer)).toEqual([
    'reason_code | screen_id | model_id | model_version | release | count | before | change',
    'STATE_MISMATCH | CONFIRM | 1.0.1 | 3 | 0 | +3 (new)',
    'STATE_MISMATCH | CONFIRM | 1.0.0 | 1 | 2 | -1 (-50 %)',
    'CONTENT_REJECTED | z-image | 2026-01-01 | 1.0.0 | 0 | 2 | -2 (gone)',
    'SUCCESS | MAIN_MENU | 1.0.0 | 9 | 6 | +3 (+50 %)',
  ]);
});

test('kinds are added up where less is told apart', async () => {
  expect(tableOf(await reasonsOf(deploy, '--by', 'reason'))).toEqual([
    'reason_code | count | before | change',
    'STATE_MISMATCH | 4 | 2 | +2 (+100 %)',
    'CONTENT_REJECTED | 0 | 2 | -2 (gone)',
    'SUCCESS | 9 | 6 | +3 (+50 %)',
  ]);
  expect(tableOf(await reasonsOf(deploy, '--by', 'release,screen'))[0]).toBe(
    'reason_code | screen_id | release | count | before | change',
  );
});

test('--since is the length of both periods', async () => {
  const rows = tableOf(await reasonsOf(deploy, '--since', '70m', '--by', 'reason'));
  expect(rows[1]).toBe('STATE_MISMATCH | 4 | 52 | -48 (-92 %)');
});

test('a machine gets one JSON object for each kind, with null for what there is none of', async () => {
  const { output } = await reasonsOf(deploy, '--json');
  const kinds = output
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(kinds).toHaveLength(4);
  expect(kinds[2]).toEqual({
    reason_code: 'CONTENT_REJECTED',
    screen_id: null,
    model_id: 'z-image',
    model_version: '2026-01-01',
    release: '1.0.0',
    count: 0,
    before: 2,
    change: -2,
  });
});

test('more kinds than are counted at once are told to be cut off', async () => {
  const rows = Array.from({ length: 1_001 }, (_none, index) =>
    journalRow({ ...mismatch, screenId: `SCREEN_${index}`, at: minutesAgo(1) }),
  );
  const { code, complaint } = await reasonsOf(rows, '--by', 'reason');
  expect({ code, complaint }).toEqual({ code: 0, complaint: expect.stringMatching(/^Only the 1000/) });
});

test('an empty journal is no failure', async () => {
  expect(await reasonsOf([])).toMatchObject({
    code: 0,
    output: expect.stringContaining('Nothing ended in either.'),
    complaint: '',
  });
  expect(await reasonsOf([], '--json')).toEqual({ code: 0, output: '', complaint: '' });
});

test('each update of a running bot is counted once, on its screen', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await storyOf(bot, user.start());
  await storyOf(bot, user.click('❓ Help'));
  const { cid } = await storyOf(bot, user.rawCallback('test:unknown'));
  await journalOf(bot, cid);
  const { output } = await trt({ DATABASE_URL: bot.database.url }, 'reasons', '--by', 'reason', '--json');
  expect(
    output
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toMatchObject([
    { reason_code: 'UNKNOWN_CALLBACK', count: 1, before: 0 },
    { reason_code: 'SUCCESS', count: 2, before: 0 },
  ]);
});

test('an update that Telegram brought until it was stored is one end and one line, and its user met no fault', async () => {
  await using bot = await startBot({ environment: { ADMIN_IDS: '5000000501' } });
  const [admin, user] = [bot.user({ id: 5_000_000_501 }), bot.user()];
  await bot.database.query(`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'cannot execute INSERT in a read-only transaction' using errcode = '25006'; end $$;
    create trigger refuse before insert on updates for each statement execute function refuse()`);
  const sent = user.say('/balance');
  const refusals = () => bot.lines.filter(({ operation }) => operation === 'store update');
  await waitFor('three refused deliveries', () => refusals().length >= 3 || undefined);
  await bot.database.query('drop function refuse cascade');
  await waitFor('its end', () =>
    bot.lines.find(({ name, update_id }) => name === 'DISPATCH_OK' && update_id === sent.updateId),
  );
  const end = bot.lines.find(({ name }) => name === 'DISPATCH_OK');
  await journalOf(bot, end?.cid ?? '');
  const environment = { DATABASE_URL: bot.database.url, HASH_SECRET: bot.config.hashSecret.reveal() };

  const { output } = await trt(environment, 'reasons', '--by', 'reason', '--json');
  expect(output.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(output)).toMatchObject({ reason_code: 'SUCCESS', count: 1 });
  const timeline = await trt(environment, 'timeline', String(user.id));
  expect(timeline.output).toContain(', 1 actions');
  expect(timeline.output).toMatch(
    new RegExp(
      `${end?.cid} +the user sent the command /balance \\(${refusals().length + 1} deliveries\\) .*SUCCESS +done`,
    ),
  );
  const panel = await admin.waitForMessage(/State/, { after: admin.say('/debug') });
  expect(panel.text).toContain('Last hour: 0 faults of 1 outcomes');
});

test('what the service warned of itself stands apart from how things ended', async () => {
  const warning = {
    spanName: undefined,
    durationMs: undefined,
    reasonCode: 'DB_ERROR',
    lines: '{"level":"WARNING","ts":"x","name":"SYSTEM_WARNING","operation":"database connection"}',
  } as const;
  const { output } = await reasonsOf([...times(2, 10, success), ...times(3, 10, warning)]);
  expect(output.replaceAll(/ {2,}/g, ' | ')).toMatch(
    /SUCCESS \| .*\n\nThe service itself, outside of any update:\n\nevent \| operation \| reason_code \| .*\nSYSTEM_WARNING \| database connection \| DB_ERROR \| 1\.0\.0 \| 3 \| 0 \| \+3 \(new\)\n$/,
  );
  const json = (await reasonsOf(times(3, 10, warning), '--json')).output;
  expect(JSON.parse(json)).toEqual({
    event: 'SYSTEM_WARNING',
    operation: 'database connection',
    reason_code: 'DB_ERROR',
    release: '1.0.0',
    count: 3,
    before: 0,
    change: 3,
  });
});

test.each([[['--since', '1w']], [['--by', 'weather']], [['everything']]])(
  '%j is answered with the usage, and asks no database',
  async words => {
    const { code, output, complaint } = await trt({}, 'reasons', ...words);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(complaint).toContain('trt reasons [--since 1h]');
  },
);
