// What the journal counts: how updates and orders ended, and, apart from these, what the processes warned of themselves.
// A row counts as an end by the events in its lines: a warning on the way, such as a commit that was asked for again,
// is no end.
import { triedAgainBeforeCodes } from '../otel/lines-before-codes.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Queryable } from './database.ts';

/** `until` is not part of it. */
export interface CountedPeriod {
  readonly since: Date;
  readonly until: Date;
}

export interface ReasonCount {
  readonly reasonCode: ReasonCode;
  readonly screenId: string | undefined;
  readonly modelId: string | undefined;
  readonly modelVersion: string | undefined;
  readonly release: string;
  readonly count: number;
}

/** One kind of what processes warned of outside of any update. */
export interface ProcessCount {
  /** SYSTEM_WARNING, LOCK_LOST … */
  readonly event: string;
  readonly operation: string | undefined;
  readonly reasonCode: ReasonCode | undefined;
  readonly release: string;
  readonly count: number;
}

export interface JournalCounts {
  /**
   * How updates and orders ended, each trace once with the same reason; the most frequent first, at most 1 000 kinds.
   * An update whose deliveries could not be stored counts once, and not at all once one of them was.
   */
  countReasons(period: CountedPeriod): Promise<ReasonCount[]>;
  /** Warnings and errors that belong to no update; the most frequent first, at most 1 000 kinds. */
  countOfProcesses(period: CountedPeriod): Promise<ProcessCount[]>;
}

const maxKinds = 1_000;

/**
 * Of a row of the journal with a reason: it ends an update or an order. A tap that is refused at its receipt is ended by
 * that. Lines are long, so they are read only where the columns leave it open: a dispatch has its reason from its end,
 * but for the two that warnings bear too.
 */
export const isEndText = `(
  span_name = 'dispatch update' and reason_code not in ('DB_ERROR', 'INTERNAL_ERROR')
  or lines ~ '"name":"(DISPATCH_OK|DISPATCH_FAIL|DEAD_LETTER|TASK_FAILED)"'
  or span_name like 'update %' and lines like '%"name":"CALLBACK_REJECTED"%'
  or lines like '%"name":"DELIVERY_FAILED"%' and (
    lines like '%"next_attempt":"none"%'
    or lines not like '%"next_attempt":%' and lines not like '%${triedAgainBeforeCodes}%'
  )
)`;

/** Of a row of the journal: a delivery by Telegram that was refused, because it could not be stored. */
const isUnstoredText = `(span_name like 'update %' and reason_code = 'DB_ERROR' and not ${isEndText})`;

const countReasonsText = `
  with ends as (
    select trace_id, reason_code, screen_id, model_id, model_version, release from journal
    where reason_code is not null and at >= $1 and at < $2 and ${isEndText}
    union all
    select distinct on (update_id) trace_id, reason_code, screen_id, model_id, model_version, release
    from journal as delivery,
      lateral (select coalesce(substring(lines from '"update_id":(-?[0-9]+)'), trace_id) as update_id) as named
    where reason_code = 'DB_ERROR' and at >= $1 and at < $2 and ${isUnstoredText} and not exists (
      select from journal as stored
      where stored.user_hash = delivery.user_hash and stored.at >= $1
        and stored.lines ~ ('"update_id":' || named.update_id || '[,}]')
        and (stored.lines ~ '"name":"(QUEUE_ENQUEUE|UPDATE_DUPLICATE|CALLBACK_REJECTED|DISPATCH_)')
    )
  )
  select reason_code, screen_id, model_id, model_version, release, count(distinct trace_id) as count from ends
  group by reason_code, screen_id, model_id, model_version, release
  order by count desc, reason_code limit ${maxKinds}`;

const countOfProcessesText = `
  select event, operation, reason_code, release, count(*) as count from journal,
    lateral (
      select substring(lines from '"name":"([A-Z_]+)"') as event,
        substring(lines from '"operation":"([^"\\\\]+)"') as operation
    ) as named
  where span_name is null and at >= $1 and at < $2
    and lines ~ '^\\{"level":"(WARNING|ERROR|CRITICAL)"' and lines not like '%"update_id":%'
  group by event, operation, reason_code, release
  order by count desc, event limit ${maxKinds}`;

export function createJournalCounts(database: Queryable): JournalCounts {
  return {
    async countReasons({ since, until }) {
      const { rows } = await database.query<ReasonRecord>(countReasonsText, [since, until]);
      return rows.map(row => ({
        reasonCode: row.reason_code,
        screenId: row.screen_id ?? undefined,
        modelId: row.model_id ?? undefined,
        modelVersion: row.model_version ?? undefined,
        release: row.release,
        count: Number(row.count),
      }));
    },
    async countOfProcesses({ since, until }) {
      const { rows } = await database.query<ProcessRecord>(countOfProcessesText, [since, until]);
      return rows.map(row => ({
        event: row.event,
        operation: row.operation ?? undefined,
        reasonCode: row.reason_code ?? undefined,
        release: row.release,
        count: Number(row.count),
      }));
    },
  };
}

interface ReasonRecord {
  readonly reason_code: ReasonCode;
  readonly screen_id: string | null;
  readonly model_id: string | null;
  readonly model_version: string | null;
  readonly release: string;
  readonly count: string;
}

interface ProcessRecord {
  readonly event: string;
  readonly operation: string | null;
  readonly reason_code: ReasonCode | null;
  readonly release: string;
  readonly count: string;
}
