// Rows of the event journal: written many at a time, read by cid, by user, by period. Every read is bounded. Rows may be
// written twice when the answer to a statement was lost; reading a cid returns such a pair once.
import pg from 'pg';
import { cidOf } from '../otel/cid.ts';
import type { EncodedRow, InnerSpan, JournalRow } from '../otel/journal-row.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import { expandLines } from '../otel/short-lines.ts';
import type { Database, Queryable } from './database.ts';
import { createJournalCounts, isEndText, type JournalCounts } from './journal-counts.ts';
import { makePartitions } from './journal-partitions.ts';
import { insertRowsText, joinRows } from './journal-row-text.ts';

export interface JournalReader extends JournalCounts {
  /** All rows of a cid in the order of time, of all its traces; the newest 5 000. */
  byCid(cid: string): Promise<JournalRow[]>;
  /** The rows with lines of these traces, in the order of time; the newest 5 000. */
  linesOf(traceIds: readonly string[]): Promise<JournalRow[]>;
  /**
   * The rows of what processes logged about themselves in these periods, in the order of time: events outside of any span,
   * and every row that reports a failing database. The newest 100 of each kind in each of at most 10 periods.
   */
  ofProcesses(periods: readonly Period[]): Promise<JournalRow[]>;
  /** What one user did, newest first. `userHash` may be the 8 digits that lines have, or all 16; at most 1 000 rows. */
  byUser(userHash: string, period: { readonly since: Date; readonly limit: number }): Promise<JournalRow[]>;
  /** The newest rows that say how something ended, newest first; at most 1 000. */
  newestOutcomes(choice: NewestOutcomes): Promise<JournalRow[]>;
  /** The cids of the newest outcomes, newest first, each once. */
  newestCids(limit: number): Promise<string[]>;
}

export interface JournalStore extends JournalReader {
  /**
   * Resolves to how many of the rows were stored: those that Postgres refuses for what is in them are left out.
   * Rejects when it could not be asked, or had no time; then none is stored, or the answer was lost.
   */
  insert(rows: readonly EncodedRow[]): Promise<number>;
}

export interface NewestOutcomes {
  readonly since: Date;
  readonly limit: number;
  /** Whose outcomes are left out: 16 digits. */
  readonly except?: string;
  /** Without SUCCESS and NOOP. */
  readonly troubleOnly?: boolean;
}

/** Both ends are part of it. */
export interface Period {
  readonly since: Date;
  readonly until: Date;
}

const maxRowsOfChains = 5_000;
const maxRows = 1_000;
const maxPeriods = 10;
const maxRowsOfProcesses = 100;

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const checkViolation = '23514';

/** For the bot itself, which writes. */
export function createJournalStore(database: Database): JournalStore {
  async function insertAll(rows: readonly EncodedRow[]): Promise<number> {
    const { rowCount } = await database.prepared('journal_insert', insertRowsText, [joinRows(rows)]);
    return rowCount ?? 0;
  }

  async function insertEach(rows: readonly EncodedRow[]): Promise<number> {
    try {
      return await insertAll(rows);
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (rows.length === 1) return 0;
      const middle = Math.ceil(rows.length / 2);
      return (await insertEach(rows.slice(0, middle))) + (await insertEach(rows.slice(middle)));
    }
  }

  return {
    ...createJournalReader(database),
    async insert(rows) {
      try {
        return await insertAll(rows);
      } catch (error) {
        if (!isRefused(error)) throw error;
        // Nobody made partitions for these days, or only in time for others.
        if (error.code === checkViolation)
          await makePartitions(
            database,
            rows.map(({ at }) => new Date(at)),
          );
        return insertEach(rows);
      }
    },
  };
}

/** For those who only look. */
export function createJournalReader(database: Queryable): JournalReader {
  async function read(text: string, values: readonly unknown[]): Promise<JournalRow[]> {
    const { rows } = await database.query<JournalRecord>(text, values);
    return rows.map(toRow);
  }

  return {
    newestOutcomes: ({ since, limit, except = '', troubleOnly = false }) =>
      read(
        `select * from journal
         where reason_code is not null and at >= $1 and user_hash is distinct from $2 and ${isEndText}
           and not ($3 and reason_code in ('SUCCESS', 'NOOP'))
         order by at desc limit $4`,
        [since, except, troubleOnly, Math.min(limit, maxRows)],
      ),
    async byCid(cid) {
      const { rows } = await database.query<JournalRecord>(
        `select distinct * from (select * from journal where cid = $1 order by at desc limit ${maxRowsOfChains}) as newest`,
        [cid],
      );
      return rows.flatMap(record => [toRow(record), ...innerRows(record)]).toSorted(byTime);
    },
    linesOf: traceIds =>
      read(
        `select distinct * from (
           select * from journal where cid = any($1) and trace_id = any($2) and lines <> ''
           order by at desc limit ${maxRowsOfChains}
         ) as newest order by at, duration_ms desc nulls last`,
        [[...new Set(traceIds.map(cidOf))], traceIds],
      ),
    ofProcesses: periods => {
      const bounded = periods.slice(0, maxPeriods);
      return read(
        `select distinct near.* from unnest($1::timestamptz[], $2::timestamptz[]) as period (since, until),
           lateral (
             (select * from journal where span_name is null and at between since and until
              order by at desc limit ${maxRowsOfProcesses})
             union all
             (select * from journal where reason_code = 'DB_ERROR' and at between since and until
              order by at desc limit ${maxRowsOfProcesses})
           ) as near
         order by at`,
        [bounded.map(({ since }) => since), bounded.map(({ until }) => until)],
      );
    },
    byUser: (userHash, { since, limit }) =>
      read(
        `select * from journal where user_hash >= $1 and user_hash < $1 || 'g' and at >= $2
         order by at desc limit $3`,
        [userHash, since, Math.min(limit, maxRows)],
      ),
    async newestCids(limit) {
      const { rows } = await database.query<{ cid: string }>(
        `select cid from (
           select cid, at from journal where reason_code is not null and user_hash is not null
           order by at desc limit $1
         ) as newest group by cid order by max(at) desc`,
        [Math.min(limit, maxRows)],
      );
      return rows.map(({ cid }) => cid);
    },
    ...createJournalCounts(database),
  };
}

interface JournalRecord {
  readonly at: Date;
  readonly cid: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly span_name: string | null;
  readonly duration_ms: number | null;
  readonly failed: boolean;
  readonly user_hash: string | null;
  readonly instance_id: string;
  readonly release: string;
  readonly reason_code: ReasonCode | null;
  readonly screen_id: string | null;
  readonly model_id: string | null;
  readonly model_version: string | null;
  readonly event_count: number;
  readonly before: unknown;
  readonly inner_spans: readonly InnerSpan[] | null;
  readonly lines: string;
}

/** What contains others comes before them. */
function byTime(a: JournalRow, b: JournalRow): number {
  return a.at.getTime() - b.at.getTime() || (b.durationMs ?? 0) - (a.durationMs ?? 0);
}

function innerRows(record: JournalRecord): JournalRow[] {
  return (record.inner_spans ?? []).map(([id, name, startMs, durationMs, failed]) => ({
    ...toRow({ ...record, lines: '' }),
    at: new Date(record.at.getTime() + startMs),
    spanId: id,
    parentSpanId: record.span_id,
    spanName: name,
    durationMs,
    failed,
    userHash: undefined,
    reasonCode: undefined,
    screenId: undefined,
    modelId: undefined,
    modelVersion: undefined,
    eventCount: 0,
    before: undefined,
  }));
}

function toRow(record: JournalRecord): JournalRow {
  return {
    at: record.at,
    cid: record.cid,
    traceId: record.trace_id,
    spanId: record.span_id,
    parentSpanId: record.parent_span_id ?? undefined,
    spanName: record.span_name ?? undefined,
    durationMs: record.duration_ms ?? undefined,
    failed: record.failed,
    userHash: record.user_hash ?? undefined,
    instanceId: record.instance_id,
    release: record.release,
    reasonCode: record.reason_code ?? undefined,
    screenId: record.screen_id ?? undefined,
    modelId: record.model_id ?? undefined,
    modelVersion: record.model_version ?? undefined,
    eventCount: record.event_count,
    before: record.before ?? undefined,
    lines: expandLines(record.lines),
  };
}

/** Class 22: what is in it; class 23: a rule of the table, such as a partition that is not there. */
function isRefused(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '');
}
