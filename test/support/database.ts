// A database of its own for each test: a copy of the migrated template, dropped afterwards.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>;
  drop(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const templateUrl = inject('templateUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administrate(templateUrl, `create database ${name} template ${databaseName(templateUrl)}`);
  const url = withDatabase(templateUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // The server ends idle connections when the database is dropped.
  pool.on('error', () => undefined);
  return {
    url,
    query: async (text, values) => (await pool.query(text, values)).rows,
    async drop() {
      await pool.end();
      await administrate(templateUrl, `drop database ${name} with (force)`);
    },
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
