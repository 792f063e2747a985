// A moment in which Postgres ends the sessions of the bot, as a pooler, a failover or somebody's script does it.
import type { TestDatabase } from './database.ts';

/**
 * Ends the sessions of these instances, or of all, but those that hold the instance lock.
 */
export async function endSessions(database: TestDatabase, instanceIds?: readonly string[]): Promise<void> {
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name like 'trt-%'
       and ($1::text[] is null or application_name = any($1))
       and pid not in (select pid from pg_locks where locktype = 'advisory' and objsubid = 2 and granted)`,
    [instanceIds ?? null],
  );
}
