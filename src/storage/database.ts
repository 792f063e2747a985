// The connection pool and transactions. Every connection bears the instance id as application_name, so
// that an operator, and recovery after a crash, can tell in pg_stat_activity who is alive.
import pg from 'pg';
import { AppError } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
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
  /** When the server ends a statement; 30 s by default. */
  readonly statementTimeoutMs?: number;
  readonly telemetry: Pick<Telemetry, 'warn'> & Partial<Pick<Telemetry, 'measure'>>;
}

/** An abandoned transaction must not hold locks for longer than a failover takes. */
const idleInTransactionMs = 10_000;
const defaultStatementTimeoutMs = 30_000;
const connectTimeoutMs = 5_000;

export function createDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url.reveal(),
    max: options.poolSize,
    application_name: options.instanceId,
    connectionTimeoutMillis: connectTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    statement_timeout: options.statementTimeoutMs ?? defaultStatementTimeoutMs,
    keepAlive: true,
    ...(options.durableCommits === false ? { options: '-c synchronous_commit=off' } : {}),
  });
  const onError = (error: Error): void => {
    options.telemetry.warn('database connection', error, 'DB_ERROR');
  };
  // Without a listener a connection that breaks would end the process: idle ones tell the pool, borrowed
  // ones only themselves.
  pool.on('error', onError);
  pool.on('connect', client => void client.on('error', onError));

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

/**
 * True when the database could not be asked or did not finish, or this instance lost its right to ask: the same work
 * may succeed once it is back, or elsewhere.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html: class 08 connection, 57P0x shut down, 53
 * resources, 40 rolled back by a conflict.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P0|53|40)/.test(error.code ?? '');
  if (error instanceof AppError) return error.code === 'DATABASE_ERROR' || error.code === 'LEASE_LOST';
  if (!(error instanceof Error)) return false;
  // node-postgres has no class for these.
  if (
    /^Connection terminated|^Client has encountered a connection error|timeout exceeded when trying to connect/.test(
      error.message,
    )
  )
    return true;
  return (
    'syscall' in error &&
    'code' in error &&
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(String(error.code))
  );
}
