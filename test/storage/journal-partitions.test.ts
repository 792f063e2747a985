// The days of the journal: made ahead, dropped when they are too old or too much, by several instances at once.
import { expect, onTestFinished, test } from 'vitest';
import { createJournalPartitions, makePartitions } from '../../src/storage/journal-partitions.ts';
import { createTestDatabase } from '../support/database.ts';
import { daysFrom, journalRow, openJournalStore } from '../support/journal.ts';

const now = new Date('2026-03-01T23:59:59.999Z');

async function openJournal() {
  const database = await createTestDatabase();
  const connection = database.connect(4);
  onTestFinished(async () => {
    await connection.stop();
    await database.drop();
  });
  const partitions = (options: { retentionDays?: number; maxMegabytes?: number; now?: Date } = {}) =>
    createJournalPartitions({
      database: connection,
      retentionDays: options.retentionDays ?? 30,
      maxMegabytes: options.maxMegabytes ?? 2_000,
      now: () => options.now ?? now,
    });
  return {
    connection,
    partitions,
    store: openJournalStore(connection),
    async names(): Promise<string[]> {
      const tables = await database.query<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'journal'::regclass order by 1`,
      );
      return tables.map(({ name }) => name);
    },
    /** Lets a day hold some hundred kilobytes. */
    async fill(day: Date): Promise<void> {
      const lines = Array.from({ length: 400 }, () => Math.random().toString(36)).join('');
      await openJournalStore(connection).insert(
        Array.from({ length: 60 }, () => journalRow({ at: day, lines })),
      );
    },
    lock: async (work: () => Promise<void>): Promise<void> =>
      connection.transaction(async transaction => {
        await transaction.query('lock table journal');
        await work();
      }),
  };
}

const nextDays = ['journal_20260301', 'journal_20260302', 'journal_20260303'];

test('today, tomorrow and the day after have a partition, by UTC, and a second look changes nothing', async () => {
  const journal = await openJournal();
  expect(await journal.partitions().keep()).toEqual({ made: nextDays, dropped: [] });
  expect(await journal.partitions().keep()).toEqual({ made: [], dropped: [] });
  expect(await journal.names()).toEqual(nextDays);
  const tomorrow = journal.partitions({ now: new Date(now.getTime() + 1) });
  expect(await tomorrow.keep()).toEqual({ made: ['journal_20260304'], dropped: [] });
});

test('a partition takes what begins with its day and not what ends it', async () => {
  const journal = await openJournal();
  await journal.partitions().keep();
  const [last, first] = [journalRow({ at: now }), journalRow({ at: new Date(now.getTime() + 1) })];
  await journal.store.insert([last, first]);
  const { rows } = await journal.connection.query<{ span_id: string; name: string }>(
    'select span_id, tableoid::regclass::text as name from journal order by at',
  );
  expect(rows).toEqual([
    { span_id: last.spanId, name: 'journal_20260301' },
    { span_id: first.spanId, name: 'journal_20260302' },
  ]);
});

test('a day is dropped when all of it is older than it is to be kept', async () => {
  const journal = await openJournal();
  await makePartitions(
    journal.connection,
    [-9, -8, -7, -6].map(days => daysFrom(now, days)),
  );
  const { dropped } = await journal.partitions({ retentionDays: 7 }).keep();
  expect(dropped).toEqual(['journal_20260220', 'journal_20260221']);
  expect(await journal.names()).toEqual(['journal_20260222', 'journal_20260223', ...nextDays]);
});

test('above its size the journal loses its oldest days, until it is small enough', async () => {
  const journal = await openJournal();
  for (const days of [-3, -2, -1, 0]) await journal.fill(daysFrom(now, days));
  const { rows } = await journal.connection.query<{ bytes: string }>(
    `select pg_total_relation_size('journal_20260228') as bytes`,
  );
  const twoDays = (2.5 * Number(rows[0]?.bytes)) / 1_000_000;
  const { dropped } = await journal.partitions({ maxMegabytes: twoDays }).keep();
  expect(dropped).toEqual(['journal_20260226', 'journal_20260227']);
});

test('today stays however large it is', async () => {
  const journal = await openJournal();
  for (const days of [-1, 0]) await journal.fill(daysFrom(now, days));
  const { dropped } = await journal.partitions({ maxMegabytes: 0.001 }).keep();
  expect(dropped).toEqual(['journal_20260228']);
  expect(await journal.names()).toEqual(nextDays);
});

test('instances that do it at the same time agree', async () => {
  const journal = await openJournal();
  await makePartitions(journal.connection, [daysFrom(now, -40), daysFrom(now, -41)]);
  const kept = await Promise.all(Array.from({ length: 4 }, () => journal.partitions().keep()));
  expect(kept.flatMap(({ made }) => made).toSorted()).toEqual(nextDays);
  expect(kept.flatMap(({ dropped }) => dropped)).toHaveLength(2);
  expect(await journal.names()).toEqual(nextDays);
});

test('a journal that is locked is left as it is, and the next look finds what is due', async () => {
  const journal = await openJournal();
  await journal.lock(async () => {
    await expect(journal.partitions().keep()).rejects.toMatchObject({ code: '55P03' });
  });
  expect(await journal.names()).toEqual([]);
  expect((await journal.partitions().keep()).made).toEqual(nextDays);
});

test('a day whose partition was taken out is put back, with what it held, by the next rows', async () => {
  const journal = await openJournal();
  const early = journalRow({ at: now });
  await journal.store.insert([early]);
  await journal.connection.query('alter table journal detach partition journal_20260301');
  const late = journalRow({ at: now, cid: early.cid });
  expect(await journal.store.insert([late])).toBe(1);
  expect((await journal.store.byCid(early.cid)).map(({ spanId }) => spanId).toSorted()).toEqual(
    [early.spanId, late.spanId].toSorted(),
  );
  expect(await journal.names()).toEqual(['journal_20260301']);
});

test.each([
  ['has another shape', 'alter table journal_20260301 add column own text'],
  ['holds rows of other days', `update journal_20260301 set at = at - interval '3 days'`],
])(
  'a day whose partition was taken out and %s gets another one, which is dropped in its time',
  async (_what, change) => {
    const journal = await openJournal();
    await journal.store.insert([journalRow({ at: now })]);
    await journal.connection.query('alter table journal detach partition journal_20260301');
    await journal.connection.query(change);
    expect(await journal.store.insert([journalRow({ at: now })])).toBe(1);
    expect(await journal.names()).toEqual(['journal_20260301_2']);
    expect((await journal.partitions().keep()).made).toEqual(nextDays.slice(1));
    const { dropped } = await journal.partitions({ now: daysFrom(now, 40) }).keep();
    expect(dropped).toEqual(['journal_20260301_2', ...nextDays.slice(1)]);
  },
);

test('a day whose partition was dropped gets a new one, and one that is half detached is put back', async () => {
  const journal = await openJournal();
  await journal.partitions().keep();
  await journal.connection.query('drop table journal_20260301');
  expect(await journal.store.insert([journalRow({ at: now })])).toBe(1);
  // As DETACH CONCURRENTLY leaves it when it is cancelled while it waits.
  await journal.connection.query(
    `update pg_inherits set inhdetachpending = true where inhrelid = 'journal_20260301'::regclass`,
  );
  expect(await journal.store.insert([journalRow({ at: now })])).toBe(1);
  const { rows } = await journal.connection.query('select count(*)::int as count from journal');
  expect(rows).toEqual([{ count: 2 }]);
});

test('a table that somebody made in the place of a partition at that moment is taken in', async () => {
  const journal = await openJournal();
  await journal.connection.query('create table journal_20260301 (like journal including all)');
  expect(await journal.store.insert([journalRow({ at: now })])).toBe(1);
  expect(await journal.names()).toEqual(['journal_20260301']);
});
