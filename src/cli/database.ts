// One connection for the time of a command. Its failures are reported in sentences of ours: DATABASE_URL is never
// printed, and neither are messages of the server and the driver, which repeat parts of it.
import pg from 'pg';
import { AppError, errorType } from '../errors.ts';
import { enforceDeadlines } from '../postgres/deadline.ts';
import type { Queryable } from '../storage/database.ts';
import type { Terminal } from './command.ts';

const connectTimeoutMs = 10_000;
/** The journal of weeks is read at once. A database that has vanished without a word says nothing for hours. */
const statementDeadlineMs = 120_000;

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const sentences: Readonly<Record<string, string>> = {
  '28000': 'The database refused the login in DATABASE_URL.',
  '28P01': 'The database refused the login in DATABASE_URL.',
  '3D000': 'The database that DATABASE_URL names does not exist.',
  '42P01': 'The database has no tables of the bot yet: the first start of the bot makes them.',
  DATABASE_TIMEOUT: 'The database of DATABASE_URL does not answer any more.',
};

/**
 * Throws AppError CONFIG_INVALID or DATABASE_ERROR, and what `work` throws by itself. `deadlineMs`: for each statement.
 */
export async function withDatabase<T>(
  { environment }: Pick<Terminal, 'environment'>,
  work: (database: Queryable) => Promise<T>,
  deadlineMs = statementDeadlineMs,
): Promise<T> {
  const client = createClient(environment.DATABASE_URL);
  enforceDeadlines(client, { deadlineMs });
  // A connection that breaks fails the query; without a listener it would end the process first.
  client.on('error', () => undefined);
  try {
    await asked(client.connect());
    return await work({
      query: (text, values) => asked(client.query(text, values === undefined ? undefined : [...values])),
    });
  } finally {
    // What breaks at the end takes nothing from what was read.
    await client.end().catch(() => undefined);
  }
}

/** As `withDatabase`, and the database refuses every change; what `work` reads is of one moment. */
export function withReadOnlyDatabase<T>(
  terminal: Terminal,
  work: (database: Queryable) => Promise<T>,
): Promise<T> {
  return withDatabase(terminal, async database => {
    await database.query('begin transaction isolation level repeatable read, read only');
    const result = await work(database);
    await database.query('commit');
    return result;
  });
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const code = errorType(cause);
    const message = sentences[code] ?? `The database of DATABASE_URL could not be asked (${code}).`;
    throw new AppError({ code: 'DATABASE_ERROR', message, cause });
  }
}

function createClient(url: string | undefined): pg.Client {
  if (!url) {
    throw new AppError({
      code: 'CONFIG_INVALID',
      message: 'DATABASE_URL is not set: give the one that the bot runs with.',
    });
  }
  const unusable = 'DATABASE_URL is not usable: it must be postgres://user:password@host:port/database';
  if (!/^postgres(ql)?:\/\//.test(url)) throw new AppError({ code: 'CONFIG_INVALID', message: unusable });
  try {
    return new pg.Client({
      connectionString: url,
      application_name: 'trt-cli',
      connectionTimeoutMillis: connectTimeoutMs,
    });
  } catch (cause) {
    throw new AppError({ code: 'CONFIG_INVALID', message: unusable, cause });
  }
}
