// The way of rows into the journal: in batches, within bounds, tried again while the database is away, and never in the
// way of whoever adds them; and what telemetry hands over at the end of each span.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { expect, onTestFinished, test } from 'vitest';
import { createJournal, type Journal, type JournalLimits } from '../../src/otel/journal.ts';
import type { EncodedRow, InnerSpan, JournalEntry } from '../../src/otel/journal-row.ts';
import { expandLines } from '../../src/otel/short-lines.ts';
import { waitFor } from '../support/bot.ts';
import { journalRow } from '../support/journal.ts';
import { type RecordedTelemetry, type RecordingOptions, recordTelemetry } from '../support/telemetry.ts';

interface ScriptedStore {
  insert(rows: readonly EncodedRow[]): Promise<number>;
  readonly stored: EncodedRow[];
  /** Sizes of the batches as they came, also those that failed. */
  readonly batches: number[];
  /** What the next inserts do; afterwards they succeed. */
  readonly next: ('fail' | 'refuse one' | Promise<void>)[];
}

function scriptedStore(): ScriptedStore {
  let inFlight = 0;
  const store: ScriptedStore = {
    stored: [],
    batches: [],
    next: [],
    async insert(rows) {
      inFlight += 1;
      expect(inFlight, 'one batch in flight').toBe(1);
      store.batches.push(rows.length);
      try {
        const step = store.next.shift();
        if (step === 'fail') throw new Error('the database is away');
        if (step instanceof Promise) await step;
        const kept = step === 'refuse one' ? rows.slice(1) : rows;
        store.stored.push(...kept);
        return kept.length;
      } finally {
        inFlight -= 1;
      }
    },
  };
  return store;
}

function openJournal(limits?: JournalLimits) {
  const store = scriptedStore();
  const warnings: string[] = [];
  const journal = createJournal({
    encode: ({ at, spanId, lines }) => ({ at: at.getTime(), bytes: Buffer.from(spanId + lines) }),
    ...(limits ? { limits } : {}),
  });
  onTestFinished(() => journal.stop(0));
  const spanIds = (): string[] => store.stored.map(({ bytes }) => bytes.toString('utf8', 0, 16));
  const start = (): void => journal.start({ store, warn: error => void warnings.push(error.message) });
  return { store, warnings, journal: { ...journal, start }, spanIds };
}

function add(journal: Pick<Journal, 'add'>, count: number, given: Partial<JournalEntry> = {}): string[] {
  const entries = Array.from({ length: count }, () => ({ ...journalRow(), innerSpans: '', ...given }));
  for (const entry of entries) journal.add(entry);
  return entries.map(({ spanId }) => spanId);
}

const roomy: JournalLimits = { rows: 100_000, bytes: 1_000_000_000 };

/** A promise that is settled by hand. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

test('what is added is stored in its order, also what was added before the start', async () => {
  const { journal, store, spanIds } = openJournal();
  const early = add(journal, 3);
  expect(store.batches).toEqual([]);
  journal.start();
  const late = add(journal, 2);
  await waitFor('all rows', () => store.stored.length === 5 || undefined);
  expect(spanIds()).toEqual([...early, ...late]);
  expect(store.batches).toEqual([5]);
});

test('many rows go at once and in batches, one at a time, never within the call that adds them', async () => {
  const { journal, store, spanIds } = openJournal(roomy);
  journal.start();
  const added = add(journal, 1_050);
  expect(store.batches).toEqual([]);
  for (let turns = 0; turns < 10; turns += 1) await nextTurn();
  expect(store.stored).toHaveLength(1_000);
  await waitFor('the rest', () => store.stored.length === 1_050 || undefined);
  expect(store.batches).toEqual([200, 200, 200, 200, 200, 50]);
  expect(spanIds()).toEqual(added);
});

test('a batch that failed is tried again, before anything newer, and nothing is lost or doubled', async () => {
  const { journal, store, spanIds, warnings } = openJournal();
  store.next.push('fail', 'fail');
  const added = add(journal, 3);
  journal.start();
  await waitFor('the first attempt', () => store.batches.length > 0 || undefined);
  added.push(...add(journal, 4));
  await waitFor('all rows', () => store.stored.length === 7 || undefined);
  expect(store.batches).toEqual([3, 3, 3, 4]);
  expect(spanIds()).toEqual(added);
  await waitFor('the end of the trouble', () => warnings.length > 1 || undefined);
  expect(warnings).toEqual([
    expect.stringMatching(/^0 rows .* dropped, \d wait .*: the database is away$/),
    expect.stringMatching(/^0 rows .* dropped, \d wait .*; the journal is written again$/),
  ]);
});

test.each([
  ['rows', { rows: 10, bytes: 1_000_000 }, {}],
  ['bytes', { rows: 1_000, bytes: 12_000 }, { lines: 'x'.repeat(1_000) }],
] as const)(
  'above its bound of %s it drops what is new, counts it and says so once',
  async (_what, limits, given) => {
    const { journal, store, spanIds, warnings } = openJournal(limits);
    const held = gate();
    store.next.push(held.opened);
    const kept = add(journal, 10, given);
    journal.start();
    await waitFor('the batch in flight', () => store.batches.length > 0 || undefined);
    // The batch in flight still counts.
    add(journal, 5, given);
    await waitFor('the warning', () => warnings.length > 0 || undefined);
    held.open();
    await waitFor('the rows', () => store.stored.length === 10 || undefined);
    const later = add(journal, 10, given);
    add(journal, 2, given);
    await waitFor('the later rows', () => store.stored.length === 20 || undefined);
    expect(spanIds()).toEqual([...kept, ...later]);
    await journal.stop(1_000);
    expect(warnings).toEqual([
      '5 rows of the journal were dropped, 10 wait to be written',
      '2 rows of the journal were dropped, 0 wait to be written',
    ]);
  },
);

test('what was added is written once the flush resolves, and the flush keeps its deadline', async () => {
  const { journal, store } = openJournal(roomy);
  add(journal, 1);
  await journal.flush(60_000);
  expect(store.stored).toHaveLength(0);
  journal.start();
  store.next.push('fail');
  add(journal, 450);
  await journal.flush(60_000);
  expect(store.stored).toHaveLength(451);
  const held = gate();
  store.next.push(held.opened);
  add(journal, 1);
  await journal.flush(50);
  expect(store.stored).toHaveLength(451);
  held.open();
});

test('what the store refuses counts as dropped', async () => {
  const { journal, store, warnings } = openJournal();
  store.next.push('refuse one');
  add(journal, 3);
  journal.start();
  await waitFor('the warning', () => warnings.length > 0 || undefined);
  expect(store.stored).toHaveLength(2);
  expect(warnings).toEqual([expect.stringMatching(/^1 rows/)]);
});

test('the stop writes what is left, also what fails at first', async () => {
  const { journal, store, spanIds, warnings } = openJournal(roomy);
  journal.start();
  store.next.push('fail', 'fail');
  const added = add(journal, 450);
  await journal.stop(5_000);
  expect(spanIds()).toEqual(added);
  expect(warnings).toEqual([]);
  add(journal, 1);
  await journal.stop(5_000);
  expect(store.stored).toHaveLength(450);
});

test('the stop keeps its deadline where the database does not answer, and says what was lost', async () => {
  const { journal, store, warnings } = openJournal();
  const held = gate();
  store.next.push(held.opened);
  journal.start();
  add(journal, 3);
  const startedAt = performance.now();
  await journal.stop(200);
  // It ends at all, though the batch never does.
  expect(performance.now() - startedAt).toBeGreaterThan(150);
  expect(warnings).toEqual(['3 rows of the journal were dropped, 0 wait to be written']);
  held.open();
});

test('a journal that never began has nothing to end', async () => {
  const { journal, store, warnings } = openJournal();
  add(journal, 3);
  await journal.stop(5_000);
  expect([store.batches, warnings]).toEqual([[], []]);
});

interface JournaledTelemetry extends RecordedTelemetry {
  readonly rows: JournalEntry[];
}

function recordJournal(options: RecordingOptions = {}): JournaledTelemetry {
  const rows: JournalEntry[] = [];
  const recorded = recordTelemetry({
    scrub: text => text.replaceAll('canary', '[secret]'),
    journal: { add: row => void rows.push({ ...row, lines: expandLines(row.lines) }) },
    ...options,
  });
  return { ...recorded, rows };
}

const userHash = '0123456789abcdef';
const times = { latency_ms: 5, duration_ms: 4 };

test('a span is one row with the lines as they were on stdout, in their order', async () => {
  const { telemetry, rows, output } = recordJournal();
  const startTime = Date.now() - 1_000;
  await telemetry.inSpan(
    'dispatch update',
    {
      kind: SpanKind.CONSUMER,
      startTime,
      fields: { user_hash: userHash },
      before: () => ({ form: { revision: 3 } }),
    },
    async () => {
      telemetry.emit('QUEUE_PICK', { worker_id: 'w', latency_ms: 1 });
      telemetry.annotate({ screen_id: 'CONFIRM', button_id: 'generate' });
      telemetry.emit('DISPATCH_OK', { result: 'accepted', reason_code: 'SUCCESS', ...times });
    },
  );
  const [row] = rows;
  expect(rows).toHaveLength(1);
  expect(row?.lines).toBe(output.join('').trimEnd());
  const [first] = output.map(line => JSON.parse(line));
  expect(first).toMatchObject({ name: 'QUEUE_PICK', user_hash: '01234567' });
  expect(row).toMatchObject({
    at: new Date(startTime),
    cid: first.cid,
    traceId: first.trace_id,
    spanId: first.span_id,
    parentSpanId: undefined,
    spanName: 'dispatch update',
    failed: false,
    userHash,
    reasonCode: 'SUCCESS',
    screenId: 'CONFIRM',
    eventCount: 2,
    before: { form: { revision: 3 } },
  });
  expect(row?.durationMs).toBeGreaterThanOrEqual(1_000);
  expect(row?.durationMs).toBeLessThan(50_000);
});

const innerSpansOf = (row: JournalEntry | undefined): InnerSpan[] => JSON.parse(row?.innerSpans || '[]');

test('a span inside it is a row of its own that names it as its parent, where it has events', async () => {
  const { telemetry, rows } = recordJournal();
  await telemetry.inSpan('outer', { fields: { user_hash: userHash } }, async () => {
    await telemetry.inSpan('emitting', {}, async () =>
      telemetry.emit('TASK_CREATED', { task_id: 't', model_id: 'm', model_version: '2026-01-01' }),
    );
    await telemetry.inSpan('meeting', { before: () => ({}) }, async () => {});
    await telemetry.inSpan('around', {}, async () => telemetry.measure('pg select', async () => {}));
  });
  expect(rows.map(({ spanName, eventCount }) => [spanName, eventCount])).toEqual([
    ['emitting', 1],
    ['meeting', 0],
    ['around', 0],
    ['outer', 0],
  ]);
  const [emitting, meeting, around, outer] = rows;
  expect(new Set(rows.map(({ traceId }) => traceId)).size).toBe(1);
  expect(new Set(rows.map(({ spanId }) => spanId)).size).toBe(4);
  for (const row of [emitting, meeting, around]) expect(row?.parentSpanId).toBe(outer?.spanId);
  expect(emitting).toMatchObject({ userHash, modelId: 'm', modelVersion: '2026-01-01' });
  expect(innerSpansOf(around).map(([, name]) => name)).toEqual(['pg select']);
  expect(innerSpansOf(outer)).toEqual([]);
});

test('a span that has only its times stands in the row of the span around it', async () => {
  const { telemetry, rows } = recordJournal();
  const startTime = Date.now() - 1_000;
  await telemetry.inSpan('outer', { startTime }, async () => {
    await telemetry.inSpan('inner', { kind: SpanKind.CLIENT }, async () => {});
    await telemetry
      .measure('pg select', () => Promise.reject(new Error('the database is away')))
      .catch(() => undefined);
  });
  const [outer] = rows;
  expect(rows).toHaveLength(1);
  const id = expect.stringMatching(/^[0-9a-f]{16}$/);
  expect(innerSpansOf(outer)).toEqual([
    [id, 'inner', expect.any(Number), expect.any(Number), false],
    [id, 'pg select', expect.any(Number), expect.any(Number), true],
  ]);
  const [[innerId, , startMs, durationMs] = [], [measuredId] = []] = innerSpansOf(outer);
  expect(new Set([innerId, measuredId, outer?.spanId]).size).toBe(3);
  expect(startMs).toBeGreaterThanOrEqual(1_000);
  expect((startMs ?? 0) + (durationMs ?? 0)).toBeLessThanOrEqual((outer?.durationMs ?? 0) + 5);
});

test('a span that ends after the one around it is a row of its own', async () => {
  const { telemetry, rows } = recordJournal();
  const late = Promise.withResolvers<void>();
  const inner = await telemetry.inSpan('outer', {}, async () => ({
    ended: telemetry.inSpan('inner', {}, () => late.promise),
  }));
  late.resolve();
  await inner.ended;
  expect(rows.map(({ spanName }) => spanName)).toEqual(['outer', 'inner']);
});

test('the reason of a row is the last one that is neither success nor nothing to do', async () => {
  const { telemetry, rows } = recordJournal();
  await telemetry.inSpan('work', {}, async () => {
    telemetry.emit('DISPATCH_OK', { result: 'accepted', reason_code: 'SUCCESS', ...times });
    telemetry.emit('DISPATCH_OK', { result: 'noop', reason_code: 'NOOP', ...times });
  });
  await telemetry.inSpan('work', {}, async () => {
    for (const reason of ['SUCCESS', 'STATE_MISMATCH', 'RATE_LIMIT', 'NOOP'] as const)
      telemetry.emit('DISPATCH_OK', { result: 'rejected', reason_code: reason, ...times });
  });
  expect(rows.map(({ reasonCode }) => reasonCode)).toEqual(['NOOP', 'RATE_LIMIT']);
});

test('a span that failed, and one whose error was handled, say so', async () => {
  const { telemetry, rows } = recordJournal();
  const thrown = telemetry.inSpan('thrown', {}, () => Promise.reject(new Error('canary')));
  await expect(thrown).rejects.toThrow();
  await telemetry.inSpan('handled', {}, async () => telemetry.recordError(new Error('canary')));
  expect(rows.map(({ spanName, failed }) => [spanName, failed])).toEqual([
    ['thrown', true],
    ['handled', true],
  ]);
});

test('an event outside of any span, and one that comes after its span, is a row of its own', async () => {
  const { telemetry, rows, output } = recordJournal();
  const warned = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  telemetry.emit('BOOT_OK', { operation: 'webhook', duration_ms: 1 });
  telemetry.outsideTrace(() => telemetry.warn('http request', new Error('canary'), 'RATE_LIMIT'));
  await telemetry.inSpan('work', {}, async () => {
    void late.promise.then(() => telemetry.warn('job queue', new Error('late'))).then(warned.resolve);
  });
  late.resolve();
  await warned.promise;
  const lines = output.map(line => line.trimEnd());
  const none = { spanName: undefined, durationMs: undefined, parentSpanId: undefined, eventCount: 1 };
  const [boot, stranger, work, after] = rows;
  expect(boot).toMatchObject({ ...none, lines: lines[0] });
  expect(stranger).toMatchObject({ ...none, lines: lines[1], reasonCode: 'RATE_LIMIT' });
  expect(work).toMatchObject({ spanName: 'work', lines: '' });
  expect(after).toMatchObject({ ...none, lines: lines[2], spanId: work?.spanId, cid: work?.cid });
  expect(stranger?.lines).toContain('[secret]');
});

test.each([
  ['LOG_FORMAT=kv has JSON in the journal', { format: 'kv' }, 2],
  ['LOG_LEVEL=ERROR keeps lines from stdout and not from the journal', { level: 'ERROR' }, 1],
] as const)('%s', async (_case, options, shown) => {
  const { telemetry, rows, output } = recordJournal(options);
  await telemetry.inSpan('work', {}, async () => {
    telemetry.emit('QUEUE_PICK', { worker_id: 'w', latency_ms: 1 });
    telemetry.emit('DISPATCH_FAIL', {
      reason_code: 'INTERNAL_ERROR',
      error_type: 'Error',
      error_message: 'a message',
      ...times,
    });
  });
  expect(output).toHaveLength(shown);
  const lines = rows[0]?.lines.split('\n').map(line => JSON.parse(line));
  expect(lines).toMatchObject([
    { name: 'QUEUE_PICK', level: 'INFO' },
    { name: 'DISPATCH_FAIL', level: 'ERROR', reason_code: 'INTERNAL_ERROR' },
  ]);
});

test('a description of what was before that fails is warned of, and the work has its result', async () => {
  const { telemetry, rows, output } = recordJournal();
  const before = (): object => {
    throw new Error('broken');
  };
  expect(await telemetry.inSpan('work', { before }, async () => 42)).toBe(42);
  expect(rows.at(-1)).toMatchObject({ spanName: 'work', before: undefined });
  expect(output.join('')).toContain('SYSTEM_WARNING');
});
