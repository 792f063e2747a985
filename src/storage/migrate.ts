// Brings the database up to the schema of this release: our own migrations (plain SQL, consecutive
// numbers, checksummed, under an advisory lock) and those of graphile-worker. Forward only; safe when
// several instances start at once.
import { fileURLToPath } from 'node:url';
import { makeWorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { migrate as runMigrations } from 'postgres-migrations';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';

const directory = fileURLToPath(new URL('./migrations', import.meta.url));

/** Returns the number of our own migrations that ran now. Throws AppError MIGRATION_FAILED naming the file. */
export async function migrate(url: Secret): Promise<number> {
  const client = new pg.Client({ connectionString: url.reveal(), connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const applied = await runMigrations({ client }, directory);
    const utils = await makeWorkerUtils({ connectionString: url.reveal() });
    try {
      await utils.migrate();
    } finally {
      await utils.release();
    }
    return applied.length;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError({
      code: 'MIGRATION_FAILED',
      message: `The database could not be prepared. ${reason}`,
      cause,
    });
  } finally {
    await client.end();
  }
}
