// Reads that Postgres ends by itself after a time: for what somebody waits for, and may do without.
import type { Database, Queryable } from './database.ts';

/** Each query has `timeoutMs`; then it rejects with SQLSTATE 57014. */
export function createBoundedReads(database: Pick<Database, 'transaction'>, timeoutMs: number): Queryable {
  return {
    query: (text, values) =>
      database.transaction(async transaction => {
        await transaction.query(`set local statement_timeout = ${timeoutMs}`);
        return transaction.query(text, values);
      }),
  };
}
