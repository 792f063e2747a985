// Keeps everybody from the journal of a bot, as a database does that is busy with something else.
import pg from 'pg';
import { waitFor } from './bot.ts';
import type { TestDatabase } from './database.ts';

export interface LockedJournal extends AsyncDisposable {
  /** Resolves when somebody waits to write there, to how many do. */
  reached(): Promise<number>;
  release(): Promise<void>;
}

/** Holds the lock in a session of its own. */
export async function lockJournal({ url, query }: TestDatabase): Promise<LockedJournal> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  await client.query('lock table journal in access exclusive mode');
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= client.end();
    return released;
  };
  return {
    reached: () =>
      waitFor('an insert that waits', async () => {
        const waiting = await query(
          `select 1 from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into journal%'`,
        );
        return waiting.length || undefined;
      }),
    release,
    [Symbol.asyncDispose]: release,
  };
}
