// The journal of a running bot: the same lines as on stdout, the spans for a waterfall, what a tap met – and a database
// that is slow, locked or gone without the bot being any slower for it.
import { expect, test } from 'vitest';
import { dispatchSnapshotSchema } from '../../src/bot/dispatch-snapshot.ts';
import type { JournalRow } from '../../src/otel/journal-row.ts';
import { expandLines } from '../../src/otel/short-lines.ts';
import { type BotUnderTest, startBot } from '../support/bot.ts';
import { journalOf, linesIn } from '../support/journal-of.ts';
import { lockJournal } from '../support/locked-journal.ts';
import { prompt, walkToConfirm, walkToForm } from '../support/walk.ts';

/** The lines of a cid as stdout had them, span by span. */
function outputOf(bot: BotUnderTest, rows: readonly JournalRow[], cid: string): string[] {
  const written = bot.output.filter(line => line.includes(`"cid":"${cid}"`)).map(line => line.trimEnd());
  return rows.flatMap(({ spanId }) => written.filter(line => line.includes(`"span_id":"${spanId}"`)));
}

function rowOf(rows: readonly JournalRow[], name: string): JournalRow {
  return rows.find(({ spanName }) => spanName === name) ?? expect.fail(`no ${name}`);
}

test('a tap is in the journal as its lines were on stdout, with the calls it made', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const tap = user.rawCallback('test:unknown');
  const cid = await bot.cidOf(tap.updateId);
  await bot.waitForEvent(cid, 'DISPATCH_OK');
  const rows = await journalOf(bot, cid);

  expect(linesIn(rows)).toEqual(outputOf(bot, rows, cid));
  const [root, dispatch] = [rowOf(rows, 'update callback_query'), rowOf(rows, 'dispatch update')];
  expect(root).toMatchObject({ parentSpanId: undefined, failed: false, eventCount: 2 });
  expect(dispatch).toMatchObject({
    parentSpanId: root.spanId,
    reasonCode: 'UNKNOWN_CALLBACK',
    instanceId: bot.lines[0]?.instance_id,
    release: bot.config.instance.release,
  });
  expect(dispatch.userHash).toMatch(/^[0-9a-f]{16}$/);
  expect(dispatch.userHash).toBe(root.userHash);
  expect(bot.linesOf(cid).map(line => line.user_hash)).toContain(dispatch.userHash?.slice(0, 8));
  const answer = rowOf(rows, 'telegram answerCallbackQuery');
  expect(answer).toMatchObject({ parentSpanId: dispatch.spanId, lines: '', userHash: undefined });
  expect(answer.durationMs).toBeGreaterThan(0);
  expect(answer.durationMs).toBeLessThanOrEqual(dispatch.durationMs ?? 0);
  // The same spans as an exporter would get, so that one leads to the other.
  const exported = bot.spansOf(cid).map(span => [span.name, span.spanContext().spanId]);
  for (const row of rows) expect(exported).toContainEqual([row.spanName, row.spanId]);
});

test('before a dispatch the screen, the revision and the choices are kept, and of texts the length', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  const cid = await bot.cidOf(run.updateId);
  await bot.waitForEvent(cid, 'DISPATCH_OK');
  const { before } = rowOf(await journalOf(bot, cid), 'dispatch update');
  expect(before).toMatchObject({
    user: { language: 'en', blocked: false },
    shown: {
      screen: 'CONFIRM',
      isCurrent: true,
      media: false,
      record: { revision: expect.any(Number) },
      lastAction: expect.stringContaining('opt:'),
      lastActionAt: expect.any(String),
    },
    hasScreen: true,
    form: {
      stage: 'confirm',
      revision: expect.any(Number),
      values: { prompt: `text(${prompt.length})` },
      quote: { kopecks: 80, rate: '100' },
    },
  });
  // What is written can be read again, to the last field.
  expect(dispatchSnapshotSchema.parse(before)).toEqual(before);
  expect(JSON.stringify(before)).not.toContain(String(user.id));
});

test('a generation is in the journal from the tap to the picture, with the queries of its task', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToConfirm(user);
  const run = user.click('🚀 Run');
  const cid = await bot.cidOf(run.updateId);
  await bot.waitForEvent(cid, 'RESULT_DELIVERED');
  await bot.app.stop();
  const rows = await journalOf(bot, cid);
  const names = rows.map(({ spanName }) => spanName);
  expect(names).toEqual(
    expect.arrayContaining([
      'kie createTask',
      'deliver result',
      'telegram sendPhoto',
      'pg select',
      'pg update',
    ]),
  );
  const ids = new Set(rows.map(({ spanId }) => spanId));
  const [root] = rows;
  expect(root?.parentSpanId).toBeUndefined();
  for (const row of rows.slice(1)) expect(ids).toContain(row.parentSpanId);
  expect(rowOf(rows, 'deliver result')).toMatchObject({ modelId: expect.any(String), failed: false });
});

test('every line of a life is in the journal, but for the end of the process', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  await bot.app.stop();
  const stored = await bot.database.query<{ lines: string }>(`select lines from journal where lines <> ''`);
  const journaled = stored.flatMap(({ lines }) => expandLines(lines).split('\n'));
  expect(journaled.toSorted()).toEqual(bot.output.map(line => line.trimEnd()).toSorted());
});

test('while the journal is locked the bot answers as before, and afterwards nothing is missing', async () => {
  await using bot = await startBot();
  const user = bot.user();
  await walkToForm(user);
  const tapsMs = async (): Promise<number> => {
    const startedAt = performance.now();
    for (let taps = 0; taps < 20; taps += 1) await user.answerOf(user.rawCallback('test:unknown'));
    return performance.now() - startedAt;
  };
  const freeMs = await tapsMs();
  await using lock = await lockJournal(bot.database);
  const lockedMs = await tapsMs();
  expect(await lock.reached()).toBe(1);
  // Taps that waited for the lock would each take the three seconds that an insert has, together a minute.
  expect(lockedMs).toBeLessThan(30_000 + freeMs);
  await lock.release();
  await bot.app.stop();
  const stored = await bot.database.query<{ lines: string }>(`select lines from journal where lines <> ''`);
  // On a slow machine the insert may have been given up once, and then a warning stands with whoever is there.
  const withoutTrouble = (lines: readonly string[]): number =>
    lines.filter(line => !line.includes('"write the journal"')).length;
  expect(withoutTrouble(stored.flatMap(({ lines }) => expandLines(lines).split('\n')))).toBe(
    withoutTrouble(bot.output),
  );
});

test('without a journal the bot works as before and writes none', async () => {
  await using bot = await startBot({ environment: { JOURNAL: 'false', LOG_LEVEL: 'WARNING' } });
  const user = bot.user();
  await walkToForm(user);
  await bot.app.stop();
  const [row] = await bot.database.query<{ count: string }>('select count(*) from journal');
  expect(row?.count).toBe('0');
  expect(bot.lines.filter(line => line.level === 'INFO')).toEqual([]);
});
