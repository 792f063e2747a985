// Brings the database up to the schema of this release: our own migrations (plain SQL, consecutive numbers,
// checksummed, one transaction each, under an advisory lock) and those of graphile-worker. Forward only; safe
// when several instances start at once.
// `3_contract_<what>.sql` ends what the release before it lives on; every other name is `expand`, which leaves that
// release working. A database that is ahead of this release by `expand` alone is accepted, so that a rollback
// starts; one that is ahead by a `contract` is refused. See docs/decisions/2026-11-23-migrations-ahead.md.
// postgres-migrations runs; migration-history.ts looks before it and after it, because the runner ignores what
// the database has beyond the folder, skips files of other kinds, and names the wrong file at a gap.
import { fileURLToPath } from 'node:url';
import { Logger, makeWorkerUtils } from 'graphile-worker';
import type pg from 'pg';
import { loadMigrationFiles, migrate as runMigrations } from 'postgres-migrations';
import { AppError, errorMessage } from '../errors.ts';
import { createPool } from '../postgres/pool.ts';
import type { Secret } from '../secret.ts';
import { fileNameOf, type Migration, refusal } from './migration-folder.ts';
import { compareWithHistory } from './migration-history.ts';

export interface MigrationResult {
  /** How many of our own migrations ran now. */
  readonly applied: number;
  /** The number of the newest of our own migrations in the database, also where that is ahead of this release. */
  readonly schemaVersion: number;
  /** What the database has beyond this release: file names of ours, `graphile-worker revision <number>`. */
  readonly ahead: readonly string[];
}

const ownDirectory = fileURLToPath(new URL('./migrations', import.meta.url));
const connectTimeoutMs = 10_000;
/** A large table may be rewritten, by this instance or by one it waits for. */
const deadlineMs = 15 * 60_000;

/**
 * Resolves when the database has at least the schema of this release. Waits for other instances that are
 * migrating it. `url` must lead to Postgres itself or to a session pooler, because the lock belongs to a session.
 * Throws AppError MIGRATION_FAILED naming the file and what to do about it; a file that fails is rolled back.
 */
export async function migrate(url: Secret, directory = ownDirectory): Promise<MigrationResult> {
  const pool = createPool({
    deadlineMs,
    // Waiting for another instance that migrates is not the fault of a statement.
    cancelBefore: false,
    config: { connectionString: url.reveal(), max: 1, connectionTimeoutMillis: connectTimeoutMs },
    // The next query rejects, which is enough.
    onError: () => undefined,
  });
  try {
    const ours = await migrateOurs(pool, directory);
    const queueAhead = await migrateQueue(pool);
    return { ...ours, ahead: [...ours.ahead, ...queueAhead] };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw refusal(`The database could not be prepared. ${errorMessage(cause)}`, cause);
  } finally {
    await pool.end();
  }
}

async function migrateOurs(pool: pg.Pool, directory: string): Promise<MigrationResult> {
  const client = await pool.connect();
  try {
    let state = await compareWithHistory(client, directory);
    let applied = 0;
    // Only who has something to run takes the lock, so that no other start is held up by one that has.
    if (state.pending.length > 0) {
      applied = await run(client, directory, state.pending);
      // A newer release may have gone further while this one waited for the lock.
      state = await compareWithHistory(client, directory);
    }
    return { applied, schemaVersion: state.schemaVersion, ahead: state.ahead.map(fileNameOf) };
  } finally {
    client.release();
  }
}

/** Resolves to how many ran; none where another instance was quicker. */
async function run(client: pg.PoolClient, directory: string, pending: readonly Migration[]): Promise<number> {
  try {
    if (pending.some(({ number }) => number === 0)) await createHistory(client, directory);
    const ran = await runMigrations({ client }, directory);
    // Number 0 is the runner's own table.
    return ran.filter(({ id }) => id > 0).length;
  } catch (cause) {
    const reason = errorMessage(cause);
    // The runner gives the name alone, and only in its text.
    const failed = pending.find(({ name }) => reason.includes(`'${name}'`));
    throw failed
      ? refusal(`Migration ${fileNameOf(failed)} failed. Correct the file and start again. ${reason}`, cause)
      : cause;
  }
}

/**
 * The runner takes a table `migrations` in any schema (Supabase has one in `storage`) for its own and then fails to
 * read it; so its own must be there before it looks. The lock is there because `if not exists` does not keep two
 * that create from colliding.
 */
async function createHistory(client: pg.PoolClient, directory: string): Promise<void> {
  const [history] = await loadMigrationFiles(directory);
  if (history)
    await client.query(`select pg_advisory_xact_lock(hashtext('create migrations')); ${history.sql}`);
}

/**
 * graphile-worker applies the rule of expand and contract by itself: it warns of a database that is ahead of it,
 * and throws when one of the unknown migrations is marked as breaking. On our pool, because it does not wait for the
 * end of one that it makes, nor listens to it until then.
 */
async function migrateQueue(pool: pg.Pool): Promise<readonly string[]> {
  const exitCode = process.exitCode;
  let isAhead = false;
  const logger = new Logger(() => level => {
    if (level === 'warning') isAhead = true;
  });
  try {
    const utils = await makeWorkerUtils({ pgPool: pool, logger });
    try {
      await utils.migrate();
      return isAhead ? [`graphile-worker revision ${await utils.withPgClient(readQueueRevision)}`] : [];
    } finally {
      await utils.release();
    }
  } finally {
    // It sets the exit code when it throws; how the process ends is decided by main.ts.
    process.exitCode = exitCode;
  }
}

async function readQueueRevision(client: Pick<pg.ClientBase, 'query'>): Promise<number | undefined> {
  const { rows } = await client.query<{ revision: number }>(
    'select max(id) as revision from graphile_worker.migrations',
  );
  return rows[0]?.revision;
}
