// The one connection that holds the advisory lock, and the statements that run on it: waiting for the lock, taking
// the lease, renewing it. All on the same session, so that a renewal proves that this very session has the lock.
import pg from 'pg';
import { AppError } from '../errors.ts';
import { enforceDeadlines } from '../postgres/deadline.ts';
import { keepAlive } from '../postgres/pool.ts';
import type { Secret } from '../secret.ts';
import { writeNothing } from './holder.ts';
import type { InstanceMode } from './lease.ts';
import type { LockKey } from './lock-key.ts';

export interface LockConnectionOptions {
  readonly url: Secret;
  readonly instanceId: string;
  readonly key: LockKey;
  /** For each statement; a wait for the lock takes half of it at most. */
  readonly deadlineMs: number;
}

export interface LockConnection {
  /** True when the lock was free. */
  tryLock(): Promise<boolean>;
  /**
   * Waits inside Postgres, so that a lock that becomes free is had at once. False when `sliceMs` is over, or half of
   * the deadline: an endless wait would hold a snapshot all the time, and nothing that died since could be vacuumed.
   */
  waitForLock(sliceMs: number): Promise<boolean>;
  /**
   * Raises the epoch: from here on nothing commits under an older one. For `single` it ends the leases of a cluster's
   * members too, so that whoever they are, they commit nothing any more.
   */
  takeLease(lease: {
    readonly name: string;
    readonly release: string;
    readonly mode: InstanceMode;
  }): Promise<number>;
  /** False when this session has the lock no more, or the lease was taken over. */
  renewLease(name: string, epoch: number): Promise<boolean>;
  unlock(): Promise<void>;
  listen(channel: string, onMessage: (payload: string) => void): Promise<void>;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;
const connectionCheckMs = 250;
const formerSessionEndMs = 1_000;
const lockNotAvailable = '55P03';

/**
 * Throws AppError LOCK_POOLER when the URL leads to a pooler that shares sessions, and what Postgres says where this
 * session cannot write: with the lock and without the lease it would only keep others from working.
 */
export async function openLockConnection(options: LockConnectionOptions): Promise<LockConnection> {
  const client = createClient(options);
  const ended = new Promise<void>(resolve => void client.once('end', resolve));
  // Without a listener a broken connection would end the process; `ended` notifies whoever waits for it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(writeNothing);
    await refusePooler(client, options);
    await endFormerSessions(client, options);
  } catch (error) {
    await client.end();
    throw error;
  }
  // A standby that is gone must not go on waiting in Postgres, and get the lock that nobody will use.
  await client.query(`set client_connection_check_interval = ${connectionCheckMs}`);
  const { high, low } = options.key;
  const isLocked = `exists (
    select from pg_locks
    where locktype = 'advisory' and classid::int4 = $1 and objid::int4 = $2 and objsubid = 2
      and database = (select oid from pg_database where datname = current_database())
      and pid = pg_backend_pid() and granted)`;

  return {
    ended,
    async tryLock() {
      const { rows } = await client.query<{ locked: boolean }>(
        'select pg_try_advisory_lock($1::int4, $2::int4) as locked',
        [high, low],
      );
      return rows[0]?.locked === true;
    },
    async waitForLock(sliceMs) {
      const waitMs = Math.min(sliceMs, options.deadlineMs / 2);
      await client.query(`set lock_timeout = ${Math.max(1, Math.round(waitMs))}`);
      try {
        await client.query('select pg_advisory_lock($1::int4, $2::int4)', [high, low]);
        return true;
      } catch (error) {
        if (error instanceof pg.DatabaseError && error.code === lockNotAvailable) return false;
        throw error;
      } finally {
        // Taking the lease waits for commits under the old epoch, however long they take.
        await client.query('set lock_timeout = 0').catch(() => undefined);
      }
    },
    async takeLease({ name, release, mode }) {
      await client.query('begin');
      const { rows } = await client.query<{ epoch: string }>(
        `insert into leases (name, epoch, instance_id, release, mode) values ($1, 1, $2, $3, $4)
         on conflict (name) do update
         set epoch = leases.epoch + 1, instance_id = excluded.instance_id, release = excluded.release,
           mode = excluded.mode, acquired_at = now(), heartbeat_at = clock_timestamp()
         returning epoch`,
        [name, options.instanceId, release, mode],
      );
      // By a statement of its own: one that has joined while the first one waited for it must be seen.
      if (mode === 'single') await client.query(`delete from leases where name like 'member:%'`);
      await client.query('commit');
      return Number(rows[0]?.epoch);
    },
    async renewLease(name, epoch) {
      const { rowCount } = await client.query(
        `update leases set heartbeat_at = clock_timestamp() where name = $3 and epoch = $4 and ${isLocked}`,
        [high, low, name, epoch],
      );
      return rowCount === 1;
    },
    async unlock() {
      await client.query('select pg_advisory_unlock($1::int4, $2::int4)', [high, low]);
    },
    async listen(channel, onMessage) {
      client.on('notification', message => {
        if (message.channel === channel) onMessage(message.payload ?? '');
      });
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
    },
    close: () => client.end(),
  };
}

function createClient({ url, instanceId, deadlineMs }: LockConnectionOptions): pg.Client {
  const client = new pg.Client({
    connectionString: url.reveal(),
    application_name: instanceId,
    connectionTimeoutMillis: connectTimeoutMs,
    ...keepAlive,
  });
  enforceDeadlines(client, { deadlineMs });
  return client;
}

/**
 * A connection that fell silent may live on in Postgres, with the lock or waiting for it: nobody would use it, and
 * this instance would stand by for itself.
 */
async function endFormerSessions(
  client: pg.Client,
  { instanceId, key }: LockConnectionOptions,
): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid, ${formerSessionEndMs}) from pg_stat_activity
     where application_name = $3 and usename = current_user and datname = current_database()
       and pid <> pg_backend_pid() and pid in (
         select pid from pg_locks
         where locktype = 'advisory' and classid::int4 = $1 and objid::int4 = $2 and objsubid = 2
       )`,
    [key.high, key.low, instanceId],
  );
}

/**
 * Two connections that are open at the same time have two sessions in Postgres, unless a pooler in between lends
 * one session to both in turns. A session lock taken through it would belong to nobody in particular.
 */
async function refusePooler(client: pg.Client, options: LockConnectionOptions): Promise<void> {
  const probe = createClient(options);
  probe.on('error', () => undefined);
  await probe.connect();
  try {
    const sessions = new Set<number | undefined>();
    for (const connection of [client, probe, client]) {
      const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid');
      sessions.add(rows[0]?.pid);
    }
    if (sessions.size === 2) return;
  } finally {
    await probe.end();
  }
  throw new AppError({
    code: 'LOCK_POOLER',
    message:
      'The database is reached through a pooler that shares sessions between connections (transaction pooling): set LOCK_DATABASE_URL to a direct connection',
  });
}
