// A pool whose connections all have deadlines. When one of them misses its deadline the server may be gone for all of
// them: those that were not heard of lately are ended too, so that the price of a vanished server is one deadline and
// not one per connection. When one of them cannot write, those that began before it cannot either, or are of no more
// use: after a failover all of them are fresh.
import pg from 'pg';
import type { AppError } from '../errors.ts';
import { type Deadlines, enforceDeadlines } from './deadline.ts';
import { watchForReadOnly } from './read-only.ts';

export interface PoolOptions {
  readonly config: pg.PoolConfig;
  /** For one statement, from the call to its answer. */
  readonly deadlineMs: number;
  /** Whether the server is asked to end a statement shortly before its deadline; true by default. */
  readonly cancelBefore?: boolean;
  /** Hears of every connection that breaks; once of all that are ended for the same reason. */
  readonly onError: (error: Error) => void;
}

/** The server answers an ended statement within this part of the deadline, while the client still waits. */
const serverShare = 0.8;
const connectTimeoutMs = 5_000;
/** The kernel asks an idle peer after so long, and then each second, ten times. */
export const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 5_000 } as const;

export function createPool({ config, deadlineMs, cancelBefore = true, onError }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionTimeoutMillis: connectTimeoutMs,
    ...keepAlive,
    ...(cancelBefore ? { statement_timeout: Math.round(deadlineMs * serverShare) } : {}),
    ...config,
  });
  const connections = new Map<pg.PoolClient, Deadlines>();
  const reported = new WeakSet<Error>();

  function report(error: Error): void {
    if (reported.has(error)) return;
    reported.add(error);
    onError(error);
  }

  function onMissed(error: AppError): void {
    for (const deadlines of connections.values()) deadlines.doubt(error);
  }

  function onReadOnly(refused: pg.PoolClient, error: Error): void {
    // Whoever asked has it already.
    reported.add(error);
    // In the order in which they were opened.
    for (const [client, deadlines] of connections) {
      if (client === refused) break;
      deadlines.endIfIdle(error);
    }
    refused.connection.stream.destroy(error);
  }

  // Without listeners a connection that breaks would end the process: the pool hears of idle ones, too.
  pool.on('error', () => undefined);
  pool.on('connect', client => {
    // What follows on the first error of a connection says less.
    client.once('error', report);
    client.on('error', () => undefined);
    connections.set(client, enforceDeadlines(client, { deadlineMs, onMissed }));
    watchForReadOnly(client, error => onReadOnly(client, error));
  });
  pool.on('remove', client => connections.delete(client));
  return pool;
}
