// The connection pool and transactions. Every connection bears the instance id as application_name, so
// that an operator, and recovery after a crash, can see in pg_stat_activity who is alive.
import type pg from 'pg';
import type { Telemetry } from '../otel/telemetry.ts';
import { createPool } from '../postgres/pool.ts';
import type { Secret } from '../secret.ts';

export interface Queryable {
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>>;
}

export interface Database extends Queryable {
  /**
   * Runs a statement that is prepared once per connection under `name`; for the hot path. `name` must
   * always stand for the same text.
   */
  prepared<R extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<pg.QueryResult<R>>;
  /** Commits when `work` resolves, rolls back and rethrows when it rejects. */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>;
  /** For libraries that bring their own queries. */
  readonly pool: pg.Pool;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: Secret;
  readonly instanceId: string;
  readonly poolSize: number;
  /**
   * False: commits do not wait for the disk. A crash of the database may then lose the last of them, in the order in
   * which they were made; nothing else can. True by default.
   */
  readonly durableCommits?: boolean;
  /**
   * True: nothing is set for the session. A pooler refuses a login that asks for it, or lends the session to others with
   * it. False by default.
   */
  readonly isPooled?: boolean;
  /** When a statement that was not answered is given up, and its connection; the server ends it shortly before. */
  readonly deadlineMs?: number;
  readonly telemetry: Pick<Telemetry, 'warn'> & Partial<Pick<Telemetry, 'measure'>>;
}

/** An abandoned transaction must not hold locks for longer than a failover takes. */
const idleInTransactionMs = 10_000;
const defaultDeadlineMs = 10_000;

export function createDatabase(options: DatabaseOptions): Database {
  const { deadlineMs = defaultDeadlineMs, isPooled = false } = options;
  const pool = createPool({
    deadlineMs,
    cancelBefore: !isPooled,
    config: {
      connectionString: options.url.reveal(),
      max: options.poolSize,
      application_name: options.instanceId,
      ...(isPooled ? {} : { idle_in_transaction_session_timeout: Math.min(idleInTransactionMs, deadlineMs) }),
      ...(options.durableCommits === false ? { options: '-c synchronous_commit=off' } : {}),
    },
    onError: error => options.telemetry.warn('database connection', error, 'DB_ERROR'),
  });

  const { measure = (_name, work) => work() }: Partial<Pick<Telemetry, 'measure'>> = options.telemetry;
  const queryOn =
    (connection: pg.Pool | pg.PoolClient): Queryable['query'] =>
    (text, values) =>
      measure(spanNameOf(text), () => connection.query(text, values === undefined ? undefined : [...values]));

  return {
    pool,
    query: queryOn(pool),
    prepared: (name, text, values) =>
      measure(`pg ${name}`, () => pool.query({ name, text, values: [...values] })),
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('begin');
        const result = await work({ query: queryOn(client) });
        await queryOn(client)('commit');
        return result;
      } catch (error) {
        await client.query('rollback').catch((cause: Error) => {
          broken = cause;
        });
        throw error;
      } finally {
        // A connection that could not even roll back must not go back into the pool.
        client.release(broken);
      }
    },
    stop: () => pool.end(),
  };
}

/** `pg` and what the statement does: its first word. */
function spanNameOf(text: string): string {
  return `pg ${/\w+/.exec(text)?.[0].toLowerCase() ?? 'statement'}`;
}
