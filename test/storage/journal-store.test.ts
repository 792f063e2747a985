// What is asked of the journal: by cid, by user, by period; and what becomes of rows that cannot be stored as they came.
import { expect, onTestFinished, test } from 'vitest';
import type { InnerSpan } from '../../src/otel/journal-row.ts';
import { encodeRow } from '../../src/storage/journal-row-text.ts';
import { createJournalStore, type JournalStore } from '../../src/storage/journal-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daysFrom, journalRow, openJournalStore, type TestJournal } from '../support/journal.ts';

const now = new Date('2026-11-23T12:00:00.123Z');
const before = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);

async function openStore(): Promise<{ store: TestJournal; entries: JournalStore; database: TestDatabase }> {
  const database = await createTestDatabase();
  const connection = database.connect(2);
  onTestFinished(async () => {
    await connection.stop();
    await database.drop();
  });
  return { store: openJournalStore(connection), entries: createJournalStore(connection), database };
}

test('a row comes back as it went in', async () => {
  const { store } = await openStore();
  const full = journalRow({
    at: now,
    parentSpanId: 'f'.repeat(16),
    userHash: '0123456789abcdef',
    reasonCode: 'STATE_MISMATCH',
    screenId: 'CONFIRM',
    modelId: 'z-image',
    modelVersion: '2026-01-01',
    failed: true,
    eventCount: 2,
    before: { form: { values: { size: '1:1', quoted: 'a "quote", {braces}, \\ and \u0001' } } },
    lines: '{"text":"Выбор \\"модели\\" \\\\ \\u001e\\u001f \\u0000"}\n{"name":"DISPATCH_OK"}',
  });
  const bare = journalRow({
    at: now,
    cid: full.cid,
    parentSpanId: undefined,
    spanName: undefined,
    durationMs: undefined,
    eventCount: 0,
    lines: '',
  });
  expect(await store.insert([full, bare])).toBe(2);
  const rows = await store.byCid(full.cid);
  expect(rows).toHaveLength(2);
  expect(rows).toEqual(expect.arrayContaining([full, bare]));
});

test('spans that stand in the row of the span around them come back as rows of their own', async () => {
  const { store, entries } = await openStore();
  const outer = journalRow({ at: now, durationMs: 20, userHash: '0123456789abcdef', before: { form: {} } });
  const call: InnerSpan = ['a'.repeat(16), 'telegram sendMessage', 2, 15.5, true];
  const query: InnerSpan = ['b'.repeat(16), 'pg select', 0, 1, false];
  await entries.insert([encodeRow({ ...outer, innerSpans: JSON.stringify([call, query]) }, outer)]);
  const inner = {
    ...outer,
    parentSpanId: outer.spanId,
    userHash: undefined,
    eventCount: 0,
    before: undefined,
    lines: '',
  };
  expect(await store.byCid(outer.cid)).toEqual([
    outer,
    { ...inner, spanId: query[0], spanName: query[1], durationMs: 1, failed: false },
    {
      ...inner,
      spanId: call[0],
      spanName: call[1],
      at: new Date(now.getTime() + 2),
      durationMs: 15.5,
      failed: true,
    },
  ]);
});

test('a cid has all rows of all its traces in the order of time, and one that was written twice once', async () => {
  const { store } = await openStore();
  const cid = 'a1b2c3d4';
  const rows = [before(3), before(2), now].map(at => journalRow({ cid, at }));
  const [first, second, third] = rows;
  await store.insert([...rows, journalRow({ at: now })]);
  await store.insert(rows.slice(1));
  expect(await store.byCid(cid)).toEqual([first, second, third]);
  expect(await store.byCid('00000000')).toEqual([]);
});

test('what one user did is found by all digits of the pseudonym and by those that lines have, newest first', async () => {
  const { store } = await openStore();
  const userHash = 'abcdef0123456789';
  const mine = [before(30), before(20), before(10)].map(at => journalRow({ at, userHash }));
  const [, second, newest] = mine;
  await store.insert([
    ...mine,
    journalRow({ at: now, userHash: 'abcdef0000000000' }),
    journalRow({ at: now }),
  ]);
  expect(await store.byUser(userHash, { since: before(25), limit: 10 })).toEqual([newest, second]);
  expect(await store.byUser('abcdef01', { since: before(60), limit: 1 })).toEqual([newest]);
  expect(await store.byUser('abcde', { since: before(60), limit: 10 })).toHaveLength(4);
  expect(await store.byUser('ffff', { since: before(60), limit: 10 })).toEqual([]);
});

test('the lines of some traces come in the order of time, without spans that have none and without a twin', async () => {
  const { store } = await openStore();
  const cid = 'a1b2c3d4';
  const [traceId, twin] = [cid + 'a'.repeat(24), cid + 'b'.repeat(24)];
  const of = (at: Date, given = {}) => journalRow({ cid, traceId, at, ...given });
  const [first, second] = [of(before(3)), of(before(1))];
  const other = journalRow({ at: before(2) });
  await store.insert([second, first, other, of(before(2), { lines: '' }), of(now, { traceId: twin })]);
  await store.insert([second]);
  expect(await store.linesOf([traceId, other.traceId])).toEqual([first, other, second]);
  expect(await store.linesOf([])).toEqual([]);
});

test('what processes logged is found by time: events outside of spans, and a failing database wherever it was logged', async () => {
  const { store } = await openStore();
  const event = { spanName: undefined, durationMs: undefined } as const;
  const [lost, gained] = [journalRow({ ...event, at: before(3) }), journalRow({ ...event, at: before(2) })];
  const unstored = journalRow({ at: before(1), reasonCode: 'DB_ERROR' });
  const warned = journalRow({ ...event, at: before(1), reasonCode: 'DB_ERROR' });
  const old = journalRow({ ...event, at: before(60) });
  const rows = [lost, gained, unstored, warned, old];
  await store.insert([...rows, journalRow({ at: before(2) }), journalRow({ ...event, at: before(30) })]);
  await store.insert([gained]);
  const near = { since: before(4), until: now };
  const found = await store.ofProcesses([near, { since: before(61), until: before(59) }]);
  expect(found.slice(0, 3)).toEqual([old, lost, gained]);
  expect(found).toHaveLength(5);
  expect(found).toEqual(expect.arrayContaining([unstored, warned]));
  // Periods may overlap.
  expect(await store.ofProcesses([near, near])).toHaveLength(4);
  expect(await store.ofProcesses([])).toEqual([]);
});

test('of many rows of processes the newest are read', async () => {
  const { store } = await openStore();
  const event = { spanName: undefined, durationMs: undefined } as const;
  await store.insert(
    Array.from({ length: 150 }, (_, index) => journalRow({ ...event, at: new Date(now.getTime() - index) })),
  );
  const found = await store.ofProcesses([{ since: before(1), until: now }]);
  expect(found).toHaveLength(100);
  expect(found.at(-1)?.at).toEqual(now);
});

test('the newest outcomes leave out one user, what is older, and, where asked, what went well', async () => {
  const { store } = await openStore();
  const [admin, user] = ['a'.repeat(16), 'b'.repeat(16)];
  const accepted = journalRow({ at: before(3), userHash: user, reasonCode: 'SUCCESS' });
  const refused = journalRow({ at: before(2), userHash: user, reasonCode: 'STATE_MISMATCH' });
  const ofTask = journalRow({ at: before(1), reasonCode: 'DOWNSTREAM_TIMEOUT' });
  const ofAdmin = journalRow({ at: now, userHash: admin, reasonCode: 'NOOP' });
  const old = journalRow({ at: before(90), userHash: user, reasonCode: 'INTERNAL_ERROR' });
  await store.insert([accepted, refused, ofTask, ofAdmin, old, journalRow({ at: now, userHash: user })]);
  const since = before(60);
  expect(await store.newestOutcomes({ since, limit: 10, except: admin })).toEqual([
    ofTask,
    refused,
    accepted,
  ]);
  expect(await store.newestOutcomes({ since, limit: 10, troubleOnly: true })).toEqual([ofTask, refused]);
  expect(await store.newestOutcomes({ since, limit: 1 })).toEqual([ofAdmin]);
  expect(await store.newestCids(2)).toEqual([ofAdmin.cid, refused.cid]);
});

test('reasons are counted in a period by screen, version of the model and release', async () => {
  const { store } = await openStore();
  const mismatch = { reasonCode: 'STATE_MISMATCH', screenId: 'CONFIRM' } as const;
  const failed = { reasonCode: 'CONTENT_REJECTED', modelId: 'm', modelVersion: '2026-01-01' } as const;
  await store.insert([
    journalRow({ ...mismatch, at: before(5) }),
    journalRow({ ...mismatch, at: before(4) }),
    journalRow({ ...mismatch, at: before(3), release: '1.0.1' }),
    journalRow({ ...failed, at: before(2) }),
    journalRow({ ...mismatch, at: before(61) }),
    journalRow({ ...mismatch, at: now }),
    journalRow({ at: before(1) }),
  ]);
  const counts = await store.countReasons({ since: before(60), until: now });
  const none = { screenId: undefined, modelId: undefined, modelVersion: undefined, release: '1.0.0' };
  expect(counts[0]).toEqual({ ...none, ...mismatch, count: 2 });
  expect(counts.slice(1)).toHaveLength(2);
  expect(counts).toEqual(
    expect.arrayContaining([
      { ...none, ...mismatch, release: '1.0.1', count: 1 },
      { ...none, ...failed, count: 1 },
    ]),
  );
});

test('an end is counted once, and what happens on the way to it is none', async () => {
  const { store } = await openStore();
  const trace = { cid: 'a1b2c3d4', traceId: 'a1b2c3d4'.repeat(4) };
  const lineOf = (name: string, rest = ''): string => `{"level":"ERROR","ts":"x"${rest},"name":"${name}"}`;
  await store.insert([
    // A commit that was asked for again, and a step of a task.
    journalRow({ ...trace, at: before(9), reasonCode: 'DB_ERROR', lines: lineOf('SYSTEM_WARNING') }),
    journalRow({
      ...trace,
      at: before(9),
      spanName: 'kie callback',
      reasonCode: 'SUCCESS',
      lines: lineOf('KIE_CALLBACK'),
    }),
    journalRow({ ...trace, at: before(8), reasonCode: 'SUCCESS', lines: lineOf('DISPATCH_OK') }),
    // Two attempts, and two files that were given up; one that will be tried again.
    ...[7, 6].map(minutes =>
      journalRow({
        ...trace,
        at: before(minutes),
        spanName: 'deliver result',
        reasonCode: 'DOWNSTREAM_ERROR',
        lines: lineOf('DELIVERY_FAILED', ',"next_attempt":"none"'),
      }),
    ),
    ...[
      ',"next_attempt":"scheduled"',
      ',"next_attempt":"elsewhere"',
      // By a release that had no such field.
      ',"reason_detail":"429; will be tried again"',
    ].map(said =>
      journalRow({
        at: before(5),
        spanName: 'deliver result',
        reasonCode: 'DOWNSTREAM_TIMEOUT',
        lines: lineOf('DELIVERY_FAILED', said),
      }),
    ),
    journalRow({
      at: before(5),
      spanName: 'deliver result',
      reasonCode: 'RATE_LIMIT',
      lines: lineOf('DELIVERY_FAILED', ',"reason_detail":"429"'),
    }),
    journalRow({
      at: before(4),
      spanName: 'update callback_query',
      reasonCode: 'PASSIVE_REJECT',
      lines: lineOf('CALLBACK_REJECTED'),
    }),
  ]);
  const counts = await store.countReasons({ since: before(60), until: now });
  expect(counts.map(({ reasonCode, count }) => [reasonCode, count]).toSorted()).toEqual([
    ['DOWNSTREAM_ERROR', 1],
    ['PASSIVE_REJECT', 1],
    ['RATE_LIMIT', 1],
    ['SUCCESS', 1],
  ]);
});

test('an update that could not be stored counts once for all its deliveries, and not at all once it was', async () => {
  const { store } = await openStore();
  const userHash = '0123456789abcdef';
  const delivery = (updateId: number, at: Date, name: string, given = {}) =>
    journalRow({
      at,
      userHash,
      spanName: 'update command',
      lines: `{"level":"WARNING","ts":"x","cid":"y","update_id":${updateId},"name":"${name}"}`,
      ...given,
    });
  const refused = (updateId: number, minutes: number) =>
    delivery(updateId, before(minutes), 'SYSTEM_WARNING', { reasonCode: 'DB_ERROR' });
  await store.insert([
    ...[9, 8, 7].map(minutes => refused(71, minutes)),
    delivery(71, before(6), 'QUEUE_ENQUEUE'),
    ...[9, 8, 7].map(minutes => refused(7, minutes)),
  ]);
  expect(await store.countReasons({ since: before(60), until: now })).toMatchObject([
    { reasonCode: 'DB_ERROR', count: 1 },
  ]);
});

test('what processes warned of is counted apart, by event and operation', async () => {
  const { store } = await openStore();
  const event = { spanName: undefined, durationMs: undefined, at: before(5) } as const;
  const line = (level: string, name: string, rest = '') => ({
    ...event,
    lines: `{"level":"${level}","ts":"x"${rest},"name":"${name}","operation":"a "part""}`,
  });
  await store.insert([
    journalRow({ ...line('WARNING', 'SYSTEM_WARNING'), reasonCode: 'DB_ERROR' }),
    journalRow({ ...line('WARNING', 'SYSTEM_WARNING'), reasonCode: 'DB_ERROR' }),
    journalRow(line('ERROR', 'LOCK_LOST')),
    journalRow(line('INFO', 'LOCK_ACQUIRED')),
    // Of an update, after the end of its span.
    journalRow(line('WARNING', 'SYSTEM_WARNING', ',"update_id":7')),
    journalRow({ ...line('WARNING', 'SYSTEM_WARNING'), at: before(90) }),
  ]);
  const period = { since: before(60), until: now };
  expect(await store.countOfProcesses(period)).toEqual([
    {
      event: 'SYSTEM_WARNING',
      operation: 'a ',
      reasonCode: 'DB_ERROR',
      release: '1.0.0',
      count: 2,
    },
    { event: 'LOCK_LOST', operation: 'a ', reasonCode: undefined, release: '1.0.0', count: 1 },
  ]);
  expect(await store.countReasons(period)).toEqual([]);
  expect(await store.newestOutcomes({ since: before(60), limit: 10 })).toEqual([]);
});

test('rows of a day without a partition get one', async () => {
  const { store, database } = await openStore();
  const rows = [daysFrom(now, -5), daysFrom(now, 5)].map(at => journalRow({ at }));
  expect(await store.insert(rows)).toBe(2);
  const tables = await database.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'journal'::regclass order by 1`,
  );
  expect(tables.map(({ name }) => name)).toEqual(['journal_20261118', 'journal_20261128']);
});

test('a row that Postgres refuses does not keep its neighbours out', async () => {
  const { store, database } = await openStore();
  const rows = Array.from({ length: 7 }, () => journalRow({ at: now }));
  const unstorable = journalRow({ at: now, before: { text: '\u0000' } });
  expect(await store.insert([...rows.slice(0, 2), unstorable, ...rows.slice(2)])).toBe(7);
  const [stored] = await database.query<{ count: string }>('select count(*) from journal');
  expect(stored?.count).toBe('7');
});

test('rows that could not be taken now are all given back', async () => {
  const { store, database } = await openStore();
  await store.insert([journalRow({ at: now })]);
  await database.query('alter table journal rename to journal_away');
  await expect(store.insert([journalRow({ at: now }), journalRow({ at: now })])).rejects.toThrow('journal');
  await database.query('alter table journal_away rename to journal');
  expect(await store.insert([journalRow({ at: now }), journalRow({ at: now })])).toBe(2);
});

test('a cid is found by an index in every partition, not by reading the rows', async () => {
  const { store, database } = await openStore();
  await store.insert(
    [now, daysFrom(now, 1)].flatMap(at => Array.from({ length: 500 }, () => journalRow({ at }))),
  );
  await database.query('analyze journal');
  const plan = await database.query<{ 'QUERY PLAN': string }>(
    `explain select * from journal where cid = 'a1b2c3d4' order by at desc limit 100`,
  );
  const text = plan.map(row => row['QUERY PLAN']).join('\n');
  expect(text.match(/Index Scan/g)?.length).toBeGreaterThanOrEqual(2);
  expect(text).not.toContain('Seq Scan');
});
