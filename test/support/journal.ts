// Rows of the journal for tests, the days they belong to, and the journal that takes them as they are read.
import type { JournalRow } from '../../src/otel/journal-row.ts';
import type { Database } from '../../src/storage/database.ts';
import { encodeRow } from '../../src/storage/journal-row-text.ts';
import { createJournalStore, type JournalReader } from '../../src/storage/journal-store.ts';

export interface TestJournal extends JournalReader {
  insert(rows: readonly JournalRow[]): Promise<number>;
}

export function openJournalStore(database: Database): TestJournal {
  const store = createJournalStore(database);
  return {
    ...store,
    insert: rows => store.insert(rows.map(row => encodeRow({ ...row, innerSpans: '' }, row))),
  };
}

let rows = 0;

/** A row that no other is like: a span of its own, in a trace of its own. */
export function journalRow(given: Partial<JournalRow> = {}): JournalRow {
  rows += 1;
  const traceId = rows.toString(16).padStart(8, '0').repeat(4);
  return {
    at: new Date(),
    cid: traceId.slice(0, 8),
    traceId,
    spanId: traceId.slice(0, 16),
    parentSpanId: undefined,
    spanName: 'dispatch update',
    durationMs: 12.5,
    failed: false,
    userHash: undefined,
    instanceId: 'instance-1',
    release: '1.0.0',
    reasonCode: undefined,
    screenId: undefined,
    modelId: undefined,
    modelVersion: undefined,
    eventCount: 1,
    before: undefined,
    // What has a reason is an end.
    lines: given.reasonCode === undefined ? '{"name":"QUEUE_PICK"}' : '{"name":"DISPATCH_OK"}',
    ...given,
  };
}

const dayMs = 24 * 60 * 60_000;

export function daysFrom(date: Date, days: number): Date {
  return new Date(date.getTime() + days * dayMs);
}
