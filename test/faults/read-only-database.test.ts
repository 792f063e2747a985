// A database that takes nothing more: a primary that was demoted, or one that an operator has made read-only. When it is
// writable again, sessions that are open stay as they are: what has begun read-only must not be used any longer.
import { expect, test } from 'vitest';
import { waitFor } from '../support/bot.ts';
import type { TestDatabase } from '../support/database.ts';
import { type Fleet, type Instance, startFleet } from '../support/fleet.ts';
import { testLimitMs } from '../support/patience.ts';

const menu = /What shall we create/;
/** Above the shortest time for a proof of work, so that a busy machine does not take the lock from itself. */
const staleMs = 6_000;

test.each([{ mode: 'single' }, { mode: 'cluster' }])(
  'after a time of read-only the bot works on over new sessions, and nobody was ended meanwhile ($mode)',
  async ({ mode }) => {
    await using fleet = await startFleet({
      environment: { INSTANCE_MODE: mode, STALE_IDLE_SECONDS: String(staleMs / 1_000) },
    });
    const instances = [await fleet.start(), await fleet.start()];
    const { database } = fleet.surroundings;
    await setReadOnly(database, true);
    await endAllSessions(database);
    const users = [1, 2, 3].map(() => fleet.surroundings.user());
    for (const user of users) user.start();
    await readinessOf(instances, 503);
    // Long enough for every part to have met it, and for a holder to count as frozen.
    await staleLeases(database);
    await waitFor(
      'what each of them says of it',
      () => instances.every(hasSaidSo) || undefined,
      () => warnings(fleet),
    );
    expect(fleet.lines().filter(({ name }) => name === 'LOCK_TAKEOVER')).toEqual([]);

    const endedAt = await setReadOnly(database, false);
    await Promise.all(users.map(user => user.waitForMessage(menu)));
    await readinessOf(instances, 200);
    await sessionsSince(database, endedAt);
    const later = fleet.surroundings.user();
    later.start();
    await later.waitForMessage(menu);
  },
  testLimitMs,
);

/** For sessions that begin from now on. Resolves to the database's time. */
async function setReadOnly({ query }: TestDatabase, isReadOnly: boolean): Promise<Date> {
  const [row] = await query<{ name: string; now: Date }>(
    'select current_database() as name, clock_timestamp() as now',
  );
  await query(
    `begin; set transaction read write;
     alter database ${row?.name} set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}; commit`,
  );
  return row?.now ?? new Date();
}

async function endAllSessions({ query }: TestDatabase): Promise<void> {
  await query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name like 'trt-%'`,
  );
}

/** Waits until no session of the bot is left that began before. */
async function sessionsSince({ query }: TestDatabase, since: Date): Promise<void> {
  await waitFor('the end of all sessions that began read-only', async () => {
    const old = await query(
      `select from pg_stat_activity
         where datname = current_database() and application_name like 'trt-%' and backend_start < $1`,
      [since],
    );
    return old.length === 0 || undefined;
  });
}

async function readinessOf(instances: readonly Instance[], wanted: number): Promise<void> {
  await waitFor(`readiness ${wanted} of all`, async () => {
    const answers = await Promise.all(instances.map(({ port }) => fetch(`http://127.0.0.1:${port}/readyz`)));
    return answers.every(({ status }) => status === wanted) || undefined;
  });
}

/** Waits until every lease is so old that others would take it. */
async function staleLeases({ query }: TestDatabase): Promise<void> {
  await waitFor('a stale lease', async () => {
    const [row] = await query<{ age_ms: number }>(
      `select (extract(epoch from clock_timestamp() - max(heartbeat_at)) * 1000)::float8 as age_ms from leases`,
    );
    return (row?.age_ms ?? 0) > staleMs + 2_000 || undefined;
  });
}

const hasSaidSo = ({ lines }: Instance): boolean => lines.some(({ error_type: type }) => type === '25006');

function warnings(fleet: Fleet): string {
  const kinds = Map.groupBy(
    fleet.lines().filter(({ level }) => level !== 'INFO'),
    line => [line.name, line.operation, line.error_type, line.error_message].join(' '),
  );
  return [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join('\n');
}
