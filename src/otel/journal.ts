// The way of rows into the event journal: gathered in memory within bounds, written in batches, one at a time, while the
// program goes on. A journal whose database is slow or away never slows or fails the work it is about: what finds no room
// is dropped and counted, and a warning says how many were. Rows that were not written when the process ends at once
// (kill -9, an uncaught error) are lost; their lines are on stdout.
import { setTimeout as sleep } from 'node:timers/promises';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { AppError } from '../errors.ts';
import type { EncodedRow, JournalEntry } from './journal-row.ts';

export interface Journal {
  /** Never throws and never waits. What comes after `stop` is on stdout alone. */
  add(entry: JournalEntry): void;
  /** Begins to write what was added; the tables must be there. */
  start(outlet: JournalOutlet): void;
  /** Resolves when what was added so far is written, or after `deadlineMs`. Never rejects. */
  flush(deadlineMs: number): Promise<void>;
  /** Writes what is left, waiting at most `deadlineMs`. Never rejects. */
  stop(deadlineMs: number): Promise<void>;
}

export interface JournalOptions {
  /** At once, for every entry: bytes are less to keep than what they were made of. */
  readonly encode: (entry: JournalEntry) => EncodedRow;
  readonly limits?: JournalLimits;
}

/** Where rows go. */
export interface JournalOutlet {
  readonly store: {
    /** Resolves to how many of the rows were stored; rejects when all of them may be tried again. */
    insert(rows: readonly EncodedRow[]): Promise<number>;
  };
  readonly warn: (error: Error) => void;
}

export interface JournalLimits {
  readonly rows: number;
  /** Of memory, nearly. */
  readonly bytes: number;
}

/** About ten seconds of a thousand updates a second. */
const defaultLimits: JournalLimits = { rows: 40_000, bytes: 64 * 1_048_576 };
/** Turning so many into text takes about a millisecond. */
const batchRows = 200;
const writeEveryMs = 250;
const retryMs = 1_000;
const lastRetryMs = 100;
const warnEveryMs = 60_000;
/** Beside its own bytes. */
const bytesPerRow = 100;

export function createJournal(options: JournalOptions): Journal {
  const { encode, limits = defaultLimits } = options;
  let waiting: EncodedRow[] = [];
  /** Also of the batch in flight. */
  let rows = 0;
  let bytes = 0;
  /** Of all rows that were ever added, and of those that are out of here. */
  let added = 0;
  let ended = 0;
  let batch: readonly EncodedRow[] = [];
  let writing: Promise<void> | undefined;
  let isPlanned = false;
  /** From `start` to `stop`. */
  let started: { readonly outlet: JournalOutlet; readonly timer: NodeJS.Timeout } | undefined;
  let isStopped = false;
  let notBefore = 0;
  let dropped = 0;
  let trouble: unknown;
  /** A warning about trouble was emitted; a batch was written since then, about which none was yet. */
  let isAway = false;
  let isBack = false;
  let warnedAt = Number.NEGATIVE_INFINITY;

  function write(store: JournalOutlet['store']): void {
    isPlanned = false;
    if (writing || rows === 0 || performance.now() < notBefore) return;
    writing = writeBatch(store).finally(() => {
      writing = undefined;
      if (waiting.length >= batchRows) write(store);
    });
  }

  /** Never rejects. */
  async function writeBatch(store: JournalOutlet['store']): Promise<void> {
    if (batch.length === 0) batch = waiting.splice(0, batchRows);
    try {
      const stored = await store.insert(batch);
      if (isStopped) return;
      dropped += batch.length - stored;
      rows -= batch.length;
      ended += batch.length;
      for (const row of batch) bytes -= row.bytes.length + bytesPerRow;
      batch = [];
      trouble = undefined;
      isBack = isAway;
    } catch (error) {
      trouble = error;
      notBefore = performance.now() + retryMs;
    }
  }

  function warn(outlet: JournalOutlet): void {
    const isDue = performance.now() - warnedAt >= warnEveryMs;
    if (!isBack && ((dropped === 0 && trouble === undefined) || !isDue)) return;
    const reason = trouble instanceof Error ? `: ${trouble.message}` : '';
    const end = isBack ? '; the journal is written again' : reason;
    const message = `${dropped} rows of the journal were dropped, ${rows} wait to be written${end}`;
    isAway = trouble !== undefined;
    isBack = false;
    warnedAt = performance.now();
    dropped = 0;
    trouble = undefined;
    outlet.warn(new AppError({ code: 'DATABASE_ERROR', message }));
  }

  /** Goes on writing, and trying again, until what was added by now is written or the time is over. */
  async function writeAll(store: JournalOutlet['store'], deadlineMs: number): Promise<void> {
    const last = added;
    const deadline = AbortSignal.timeout(deadlineMs);
    const over = new Promise<void>(resolve => deadline.addEventListener('abort', () => resolve()));
    while (ended < last && !deadline.aborted) {
      notBefore = 0;
      trouble = undefined;
      write(store);
      await Promise.race([writing, over]);
      if (trouble !== undefined) await Promise.race([sleep(lastRetryMs), over]);
    }
  }

  return {
    add(entry) {
      if (isStopped) return;
      const row = encode(entry);
      const size = row.bytes.length + bytesPerRow;
      if (rows >= limits.rows || bytes + size > limits.bytes) {
        dropped += 1;
        return;
      }
      waiting.push(row);
      added += 1;
      rows += 1;
      bytes += size;
      if (waiting.length < batchRows || isPlanned || writing || !started) return;
      const { store } = started.outlet;
      isPlanned = true;
      // A batch serves many traces and belongs to none of them.
      context.with(ROOT_CONTEXT, () => setImmediate(write, store));
    },
    start(outlet) {
      if (started) return;
      const timer = setInterval(() => {
        write(outlet.store);
        warn(outlet);
      }, writeEveryMs);
      started = { outlet, timer };
    },
    async flush(deadlineMs) {
      if (started) await writeAll(started.outlet.store, deadlineMs);
    },
    async stop(deadlineMs) {
      if (!started) return;
      const { outlet, timer } = started;
      clearInterval(timer);
      started = undefined;
      await writeAll(outlet.store, deadlineMs);
      isStopped = true;
      dropped += rows;
      rows = 0;
      waiting = [];
      warnedAt = Number.NEGATIVE_INFINITY;
      warn(outlet);
    },
  };
}
