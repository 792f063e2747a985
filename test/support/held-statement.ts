// Stops a program in the middle of one statement, so that it can be killed right there. A trigger in the test's own
// database makes the statement wait for a lock that the test has; the program knows nothing of it. Afterwards the
// statement is taken back, as if it had never reached the database, or is executed for nobody, as if only its
// answer had been lost. Amid a transaction both come to the same, since nobody is left to commit it: hold the commit.
import { randomInt } from 'node:crypto';
import pg from 'pg';
import { waitFor } from './bot.ts';
import type { TestDatabase } from './database.ts';
import { patienceMs } from './patience.ts';

export interface StatementPoint {
  readonly table: string;
  readonly event: 'insert' | 'update';
  /** SQL about the rows `new` and, at an update, `old`. */
  readonly when: string;
  /** Stops at the commit of the transaction that holds the statement, instead of before the statement. */
  readonly atCommit?: boolean;
}

export interface HeldStatement extends AsyncDisposable {
  /** Resolves when somebody waits there. */
  reached(): Promise<void>;
  /** Ends the connections that wait there, and lets all later ones pass. */
  takeBack(): Promise<void>;
  /** Lets those pass that wait there, and all later ones. */
  execute(): Promise<void>;
}

const endDeadlineMs = 30_000;

export async function holdStatement(
  { url, query }: Pick<TestDatabase, 'url' | 'query'>,
  { table, event, when, atCommit = false }: StatementPoint,
): Promise<HeldStatement> {
  const key = randomInt(1, 2 ** 31);
  const name = `hold_${key}`;
  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  await holder.query('select pg_advisory_lock($1)', [key]);
  await query(`
    create function ${name}() returns trigger language plpgsql as $$
    begin
      if ${when} then perform pg_advisory_xact_lock_shared(${key}); end if;
      return new;
    end $$`);
  await query(
    atCommit
      ? `create constraint trigger ${name} after ${event} on ${table} initially deferred
         for each row execute function ${name}()`
      : `create trigger ${name} before ${event} on ${table} for each row execute function ${name}()`,
  );

  const waiting = (): Promise<{ pid: number }[]> =>
    query<{ pid: number }>(
      `select pid from pg_locks
       where locktype = 'advisory' and not granted and classid = 0 and objid = $1
         and database = (select oid from pg_database where datname = current_database())`,
      [key],
    );

  let released: Promise<void> | undefined;
  async function release(): Promise<void> {
    await holder.end();
    // Waits for whoever has passed to end the transaction.
    await query(`drop function ${name} cascade`);
  }

  return {
    async reached() {
      await waitFor(
        `somebody at ${event} of ${table}`,
        async () => (await waiting()).length > 0 || undefined,
        undefined,
        patienceMs,
      );
    },
    async takeBack() {
      for (const { pid } of await waiting())
        await query('select pg_terminate_backend($1, $2)', [pid, endDeadlineMs]);
      released ??= release();
      await released;
    },
    async execute() {
      released ??= release();
      await released;
    },
    async [Symbol.asyncDispose]() {
      released ??= release();
      await released;
    },
  };
}
