// Whether a database answers and can be written to, asked before anything else is; and what an operator has to correct
// where it never will.
import pg from 'pg';
import { AppError, errorMessage } from '../errors.ts';
import type { Secret } from '../secret.ts';

const connectTimeoutMs = 5_000;

/** What to wait for at the start. `variable` leads to the database. */
export function databaseAnswer(url: Secret, variable: string) {
  const { host, port } = new pg.Client({ connectionString: url.reveal() });
  const name = `the database at ${host}:${port} (${variable})`;
  return {
    name,
    async ask(): Promise<void> {
      const client = new pg.Client({
        connectionString: url.reveal(),
        connectionTimeoutMillis: connectTimeoutMs,
        query_timeout: connectTimeoutMs,
      });
      // Whoever uses the connection next warns of what breaks it.
      client.on('error', () => undefined);
      try {
        await client.connect();
        const { rows } = await client.query<{ read_only: string }>(
          `select current_setting('transaction_read_only') as read_only`,
        );
        if (rows[0]?.read_only === 'on')
          throw new AppError({ code: 'DATABASE_ERROR', message: 'it is read-only now' });
      } finally {
        void client.end().catch(() => undefined);
      }
    },
    refusal: (error: unknown): string | undefined =>
      isPassing(error) ? undefined : `Correct ${variable}: ${name} refuses it: ${errorMessage(error)}`,
  };
}

/**
 * https://www.postgresql.org/docs/current/errcodes-appendix.html: 28 the user or the password, 3D the database, 42 the
 * right to connect. A server that starts, ends or is full, and poolers that cannot reach theirs, say something else.
 */
function isPassing(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return !/^(28|3D|42)/.test(error.code ?? '');
  // A password that is asked for and missing; a server without TLS. node-postgres has no class for these.
  return !/^SASL: |does not support SSL connections/.test(errorMessage(error));
}
