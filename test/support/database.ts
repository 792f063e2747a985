// A database of its own for each test: a copy of the migrated template, or an empty one; dropped afterwards.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { createDatabase, type Database } from '../../src/storage/database.ts';

export interface TestDatabase {
  readonly url: string;
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>;
  /** As the bot connects; to be stopped by the caller. A connection that breaks says nothing. */
  connect(poolSize: number): Database;
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Without any table, as an operator's database before the first start. */
  readonly empty?: boolean;
}

export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const templateUrl = inject('templateUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = options.empty ? 'template0' : databaseName(templateUrl);
  // Copies files, and writes nothing of them to the log.
  await administrate(templateUrl, `create database ${name} template ${template} strategy file_copy`);
  const url = withDatabase(templateUrl, name);
  const database = openDatabase(url);
  return {
    ...database,
    async drop() {
      await database.drop();
      await administrate(templateUrl, `drop database ${name} with (force)`);
    },
  };
}

/** A database somewhere else, which goes with its server: `drop` only closes the connections. */
export function openDatabase(url: string): TestDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // The server ends idle connections when the database is dropped, or when it is restarted.
  pool.on('error', () => undefined);
  return {
    url,
    query: async (text, values) => (await pool.query(text, values)).rows,
    connect: poolSize =>
      createDatabase({
        url: new Secret(url),
        instanceId: 'test',
        poolSize,
        telemetry: { warn: () => undefined },
      }),
    drop: () => pool.end(),
  };
}

async function administrate(templateUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: withDatabase(templateUrl, 'postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

// WHATWG URLs cannot hold `user@/database` of a Unix socket, hence text.
function databaseName(url: string): string {
  return /\/([a-z0-9_]+)\?/.exec(url)?.[1] ?? '';
}

function withDatabase(url: string, name: string): string {
  return url.replace(`/${databaseName(url)}?`, `/${name}?`);
}
