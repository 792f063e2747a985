// Dead letters: updates that ended three attempts without an outcome and are parked. An operator looks at them
// here and makes them unfinished again. No body and no Telegram id leaves this module.
import { cidOf } from '../otel/cid.ts';
import type { Queryable } from './database.ts';
import { addLaneJobs } from './job-queue.ts';

export interface DeadLetter {
  readonly id: number;
  readonly cid: string;
  readonly traceId: string;
  readonly eventType: string;
  readonly reason: string;
  /** Picks that ended without an outcome, and the one that gave it up. */
  readonly attempts: number;
  readonly receivedAt: Date;
  readonly givenUpAt: Date;
}

export interface DeadLetterStore {
  /** Those whose trace id begins so, newest first: a cid may fit several, an empty text fits all. */
  find(traceIdPrefix: string): Promise<DeadLetter[]>;
  /**
   * Makes them unfinished, as if they had just been stored, with a job for each chat in the same statement.
   * Resolves to how many: one that is no dead letter any more stays as it is.
   */
  redrive(letters: readonly DeadLetter[]): Promise<number>;
}

interface DeadLetterRecord {
  id: string;
  trace_id: string;
  event_type: string;
  reason_code: string;
  attempts: number;
  received_at: Date;
  finished_at: Date;
}

const redriveText = `
  with stored as (
    update updates
    set outcome = null, reason_code = null, finished_at = null, attempts = 0, picked_by = null, picked_at = null
    where id = any($1::bigint[]) and outcome = 'dead_letter'
    returning lane
  ), jobs as (${addLaneJobs})
  select count(*) as redriven, (select count(*) from jobs) from stored`;

export function createDeadLetterStore(queryable: Queryable): DeadLetterStore {
  return {
    async find(traceIdPrefix) {
      const { rows } = await queryable.query<DeadLetterRecord>(
        `select id, split_part(traceparent, '-', 2) as trace_id, event_type, reason_code, attempts, received_at,
           finished_at
         from updates
         where outcome = 'dead_letter' and starts_with(split_part(traceparent, '-', 2), $1)
         order by id desc`,
        [traceIdPrefix],
      );
      return rows.map(toDeadLetter);
    },
    async redrive(letters) {
      const { rows } = await queryable.query<{ redriven: string }>(redriveText, [
        letters.map(({ id }) => id),
      ]);
      return Number(rows[0]?.redriven ?? 0);
    },
  };
}

function toDeadLetter(row: DeadLetterRecord): DeadLetter {
  return {
    id: Number(row.id),
    cid: cidOf(row.trace_id),
    traceId: row.trace_id,
    eventType: row.event_type,
    reason: row.reason_code,
    attempts: row.attempts,
    receivedAt: row.received_at,
    givenUpAt: row.finished_at,
  };
}
