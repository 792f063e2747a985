// The connections to Postgres, put together, and what has to be true of the database before anything else begins.
import type { Config } from '../config/config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { createDatabase, type Database } from '../storage/database.ts';
import { databaseAnswer } from '../storage/database-answer.ts';
import { migrate } from '../storage/migrate.ts';
import type { Observability } from './observability.ts';
import type { StartWait } from './start-wait.ts';

type DatabaseAnswer = ReturnType<typeof databaseAnswer>;

/** Where the database is. The two are one, unless a pooler stands before Postgres. */
export interface DatabaseAddresses {
  /** Only who has a pooler at DATABASE_URL says with LOCK_DATABASE_URL where Postgres itself is. */
  readonly isPooled: boolean;
  readonly main: () => DatabaseAnswer;
  /** Of Postgres itself. */
  readonly direct: () => DatabaseAnswer;
}

export function databaseAddressesOf({ databaseUrl, lockDatabaseUrl }: Config): DatabaseAddresses {
  const main = () => databaseAnswer(databaseUrl, 'DATABASE_URL');
  const isPooled = lockDatabaseUrl.reveal() !== databaseUrl.reveal();
  return {
    isPooled,
    main,
    direct: isPooled ? () => databaseAnswer(lockDatabaseUrl, 'LOCK_DATABASE_URL') : main,
  };
}

export interface Databases {
  readonly database: Database;
  /** For statements that read or delete much: they may take long, and hold up nothing else. */
  readonly archive: Database;
  /** Opens connections through which jobs are taken. Whoever opens them closes them. */
  readonly openQueue: () => Database;
}

export interface DatabasesOptions {
  readonly config: Config;
  readonly instanceId: string;
  readonly addresses: DatabaseAddresses;
  readonly observability: Pick<Observability, 'ofDatabase' | 'ofLockDatabase'>;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
}

const poolSize = 20;
/** Of each of the two runners; one of them listens. */
const queuePoolSize = 4;
const longStatements = { poolSize: 2, deadlineMs: 40_000 };

export function createDatabases(options: DatabasesOptions): Databases {
  const { config, instanceId, observability, lifecycle } = options;
  const { statementDeadlineMs: deadlineMs } = config.instance.lock;
  const shared = {
    url: config.databaseUrl,
    isPooled: options.addresses.isPooled,
    instanceId,
    telemetry: observability.ofDatabase,
  };
  const database = createDatabase({ ...shared, poolSize, deadlineMs });
  lifecycle.onStop('database', () => database.stop());
  const archive = createDatabase({ ...shared, ...longStatements });
  lifecycle.onStop('database of long statements', () => archive.stop());
  return {
    database,
    archive,
    // Of their own: through a transaction pooler nobody can LISTEN, and which job is taken need not outlive a crash of
    // the database.
    openQueue: () =>
      createDatabase({
        url: config.lockDatabaseUrl,
        instanceId,
        poolSize: queuePoolSize,
        deadlineMs,
        durableCommits: false,
        telemetry: observability.ofLockDatabase,
      }),
  };
}

export interface PrepareDatabaseOptions {
  readonly config: Config;
  readonly addresses: DatabaseAddresses;
  readonly wait: StartWait;
  readonly telemetry: Pick<Telemetry, 'emit'>;
}

/** Waits for the database and migrates it. Resolves to the number of its newest migration. Rejects as `wait` does. */
export async function prepareDatabase(options: PrepareDatabaseOptions): Promise<number> {
  const { addresses, wait } = options;
  await wait.until(addresses.direct());
  if (addresses.isPooled) await wait.until(addresses.main());
  const { schemaVersion, ahead } = await migrate(options.config.lockDatabaseUrl);
  if (ahead.length > 0)
    options.telemetry.emit('SYSTEM_WARNING', {
      operation: 'migrate',
      error_type: 'DATABASE_AHEAD',
      error_message: `The database is ahead of this release by ${ahead.join(', ')}`,
    });
  return schemaVersion;
}
