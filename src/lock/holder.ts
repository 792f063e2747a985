// What a standby sees of the instance that has the lock, and what it can do about it: look, ask it to yield, and
// end one that is frozen. By a connection of the pool: its own lock connection is busy waiting.
import type { InstanceMode } from './lease.ts';
import type { LockKey } from './lock-key.ts';

/** The part of a database this needs. */
interface Queryable {
  query<R extends object>(text: string, values: readonly unknown[]): Promise<{ rows: R[] }>;
}

export interface Holder {
  /** Of the lease: who took it last. */
  readonly instanceId: string;
  readonly release: string;
  /** undefined where a release took it that does not write it down. */
  readonly mode: InstanceMode | undefined;
  readonly epoch: number;
  /** Since the last renewal, by the database's clock. */
  readonly heartbeatAgeMs: number;
  /** The session that has the lock now; undefined when it is free. */
  readonly pid: number | undefined;
  /** Whose session that is. Another name than `instanceId` while a lock has changed hands and the lease not yet. */
  readonly sessionOf: string | undefined;
}

export interface YieldRequest {
  readonly lease: string;
  readonly release: string;
  readonly mode: InstanceMode;
  readonly instanceId: string;
}

export const yieldChannel = 'trt_yield';

/** SQL that changes nothing, and fails where nothing can be changed. */
export const writeNothing = 'update leases set name = name where false';

/** undefined while nobody has ever held the lease. */
export async function readHolder(
  database: Queryable,
  lease: string,
  { high, low }: LockKey,
): Promise<Holder | undefined> {
  const { rows } = await database.query<{
    instance_id: string;
    release: string;
    mode: InstanceMode | null;
    epoch: string;
    age_ms: number;
    pid: number | null;
    session_of: string | null;
  }>(
    // classid and objid are unsigned; the cast gives them the sign of the numbers that were locked.
    `select leases.instance_id, leases.release, leases.mode, leases.epoch,
       (extract(epoch from clock_timestamp() - leases.heartbeat_at) * 1000)::float8 as age_ms,
       held.pid, pg_stat_activity.application_name as session_of
     from leases
     left join pg_locks as held on held.locktype = 'advisory' and held.classid::int4 = $2::int4
       and held.objid::int4 = $3::int4 and held.objsubid = 2 and held.granted
       and held.database = (select oid from pg_database where datname = current_database())
     left join pg_stat_activity on pg_stat_activity.pid = held.pid
     where leases.name = $1`,
    [lease, high, low],
  );
  const row = rows[0];
  return (
    row && {
      instanceId: row.instance_id,
      release: row.release,
      mode: row.mode ?? undefined,
      epoch: Number(row.epoch),
      heartbeatAgeMs: row.age_ms,
      pid: row.pid ?? undefined,
      sessionOf: row.session_of ?? undefined,
    }
  );
}

/** Asks whoever holds the lock to give it to another release or mode; it may be that nobody listens. */
export async function askToYield(database: Queryable, request: YieldRequest): Promise<void> {
  await database.query('select pg_notify($1, $2)', [yieldChannel, JSON.stringify(request)]);
}

/** Whether a message on the channel asks for this lease, in the name of another release or mode than the holder's. */
export function isYieldRequest(payload: string, holder: Omit<YieldRequest, 'instanceId'>): boolean {
  try {
    // SAFETY: anybody with access to the database can notify; a wrong shape has no such field and is ignored.
    const request = JSON.parse(payload) as Partial<YieldRequest> | null;
    if (request?.lease !== holder.lease || typeof request.release !== 'string') return false;
    // A request without a mode is made for the sake of its release only.
    return request.release !== holder.release || (request.mode ?? holder.mode) !== holder.mode;
  } catch {
    // Somebody else's message on our channel asks for nothing.
    return false;
  }
}

/**
 * Ends every session of a holder that has stopped renewing; its lock is free when the last one is gone. Rejects where
 * nobody can write by this database, and ends nobody then: that one is not at fault, and could not be succeeded.
 */
export async function terminate(database: Queryable, holder: Holder): Promise<number> {
  await database.query(writeNothing, []);
  const { rows } = await database.query<{ ended: boolean }>(
    `select pg_terminate_backend(pid) as ended from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and (application_name = $1 or pid = $2)`,
    [holder.instanceId, holder.pid ?? 0],
  );
  return rows.filter(({ ended }) => ended).length;
}
