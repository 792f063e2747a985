// One row of the event journal: a span with the lines that were written inside it, or one event outside of any span.
import type { ReasonCode } from './reasons.ts';

export interface JournalRow {
  /** When the span began, or the event happened. */
  readonly at: Date;
  readonly cid: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Undefined for an event outside of any span; `spanId` is then that of the span it was emitted under. */
  readonly spanName: string | undefined;
  readonly durationMs: number | undefined;
  readonly failed: boolean;
  /** 16 hex digits, of which lines and spans have the first 8; undefined where there are no lines. */
  readonly userHash: string | undefined;
  readonly instanceId: string;
  readonly release: string;
  /** The last in the lines that is neither SUCCESS nor NOOP, else the last; that of a warning only where no other is. */
  readonly reasonCode: ReasonCode | undefined;
  readonly screenId: string | undefined;
  readonly modelId: string | undefined;
  readonly modelVersion: string | undefined;
  readonly eventCount: number;
  /** What the dispatch of an update met. */
  readonly before: unknown;
  /**
   * The JSON lines as on stdout, joined by newlines; empty where there were none. On the way into the database they may
   * be in their short form (short-lines.ts).
   */
  readonly lines: string;
}

/**
 * A row on its way into the journal, which itself knows of which instance it is. Spans that have nothing but
 * their times travel in the row of the span around them, and are read as rows of their own.
 */
export interface JournalEntry extends Omit<JournalRow, 'instanceId' | 'release'> {
  /** A JSON array of `InnerSpan`; empty where there are none. */
  readonly innerSpans: string;
}

/** Its id, its name, milliseconds from the start of the span around it, milliseconds that it took, whether it failed. */
export type InnerSpan = readonly [
  id: string,
  name: string,
  startMs: number,
  durationMs: number,
  failed: boolean,
];

/** A row as it travels, in UTF-8: outside of the heap, where it costs garbage collection nothing while it waits. */
export interface EncodedRow {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly bytes: Buffer;
}
