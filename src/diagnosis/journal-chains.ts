// Chains from rows of the journal: the lines of a row are its events, and the row itself is the span that they stood in.
import type { JournalRow } from '../otel/journal-row.ts';
import type { JournalReader } from '../storage/journal-store.ts';
import { type Chain, type ChainEvent, chainsOf, type TracedSpan } from './chain.ts';
import { parseLines } from './lines.ts';
import { isProcessEvent, periodsAround } from './surroundings.ts';

/** Where the chains of a cid are looked up. Newest first; several traces may share a cid. */
export interface ChainSource {
  byCid(cid: string): Promise<readonly Chain[]>;
  /** The events that processes emitted around the time of the chain. */
  processEvents(chain: Chain): Promise<readonly ChainEvent[]>;
}

export function createJournalChains(journal: Pick<JournalReader, 'byCid' | 'ofProcesses'>): ChainSource {
  return {
    byCid: async cid => chainsOfRows(await journal.byCid(cid)),
    async processEvents(chain) {
      const rows = await journal.ofProcesses(periodsAround(chain));
      return rows.flatMap(({ lines }) => parseLines(lines).events).filter(isProcessEvent);
    },
  };
}

/** Rows in any order. A row may be stored twice: its lines and its span count once. */
export function chainsOfRows(rows: readonly JournalRow[]): Chain[] {
  const once = new Map(
    rows.map(row => [`${row.traceId} ${row.spanId} ${row.at.getTime()} ${row.lines}`, row]),
  );
  const unique = [...once.values()];
  return chainsOf(
    unique.flatMap(({ lines }) => parseLines(lines).events),
    unique.flatMap(row => spanOf(row) ?? []),
  );
}

/** undefined for an event outside of any span. */
function spanOf(row: JournalRow): TracedSpan | undefined {
  const { traceId, spanId, parentSpanId, spanName, durationMs, failed } = row;
  if (spanName === undefined || durationMs === undefined) return undefined;
  return { traceId, spanId, parentSpanId, name: spanName, startedAt: row.at, durationMs, failed };
}
