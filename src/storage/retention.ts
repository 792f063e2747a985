// What is kept for a time only: updates as they came, which hold what users wrote, and the vendor's callbacks. They
// serve for looking into what happened, for telling repetitions, and for working a dead letter again.
import type { Queryable } from './database.ts';

export interface Retention {
  /** Deletes what has served its time; resolves to how many rows that were. */
  sweep(): Promise<number>;
}

const keptDays = 7;
/** Rows of one statement, so that none holds locks for long. */
const batchSize = 5_000;

/** Dead letters stay until somebody has looked at them. */
const sweeps = [
  `delete from updates where id in (
     select id from updates
     where finished_at < now() - interval '${keptDays} days' and outcome <> 'dead_letter' order by id limit ${batchSize})`,
  `delete from kie_callbacks where id in (
     select id from kie_callbacks where finished_at < now() - interval '${keptDays} days' order by id limit ${batchSize})`,
] as const;

export function createRetention(queryable: Queryable): Retention {
  return {
    async sweep() {
      let swept = 0;
      for (const statement of sweeps) {
        let deleted: number;
        do {
          deleted = (await queryable.query(statement)).rowCount ?? 0;
          swept += deleted;
        } while (deleted === batchSize);
      }
      return swept;
    },
  };
}
