// An instance of a cluster: no lock, a lease of its own. It works as long as it renews; one that was frozen finds
// its lease gone (the others have ended it and taken over what it had picked), and joins again under a new one.
// It also looks whether another one is late.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../otel/telemetry.ts';
import { type InstanceState, lateAfterHeartbeats } from './instance-state.ts';
import type { CurrentLease, Lease } from './lease.ts';

interface Queryable {
  query<R extends object>(
    text: string,
    values: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number | null }>;
}

export interface MembershipOptions {
  readonly database: Queryable;
  readonly instanceId: string;
  readonly release: string;
  readonly heartbeatMs: number;
  readonly staleMs: number;
  readonly telemetry: Telemetry;
  readonly activate: () => Promise<void>;
  readonly deactivate: () => void;
}

export interface Membership extends InstanceState {
  /** Joins and begins work. Rejects when it cannot. */
  start(): Promise<void>;
  /** Stops working, because this instance cannot now; it joins again after a moment. */
  resign(operation: string): void;
  /** Stops beginning work; what is in flight may still be committed. */
  stop(): Promise<void>;
  /** Gives the lease back: nothing is committed after this. */
  leave(): Promise<void>;
  readonly lease: CurrentLease;
  status(): { readonly state: 'ACTIVE' | 'PASSIVE'; readonly stateAgeMs: number };
}

const rejoinPauseMs = 500;
const lookIntervalMs = 1_000;

export function createMembership(options: MembershipOptions): Membership {
  const { database, telemetry, instanceId } = options;
  const name = `member:${instanceId}`;
  const stopping = new AbortController();
  let lease: Lease = { name, epoch: 0 };
  let active = false;
  let changedAt = performance.now();
  let isOtherLate = false;
  let renewing: Promise<unknown> | undefined;
  let resign: ((operation: string) => void) | undefined;

  async function join(): Promise<void> {
    // The database's clock makes each epoch another one, also after the row was deleted.
    const { rows } = await database.query<{ epoch: string }>(
      `insert into leases (name, epoch, instance_id, release)
       values ($1, (extract(epoch from clock_timestamp()) * 1000)::bigint, $2, $3)
       on conflict (name) do update set epoch = excluded.epoch, heartbeat_at = now()
       returning epoch`,
      [name, instanceId, options.release],
    );
    lease = { name, epoch: Number(rows[0]?.epoch) };
    become(true);
    telemetry.emit('LOCK_ACQUIRED', { lock_epoch: lease.epoch, duration_ms: 0 });
    await options.activate();
  }

  function become(next: boolean): void {
    active = next;
    changedAt = performance.now();
  }

  /** Until the lease is lost. */
  async function keep(): Promise<string> {
    let renewedAt = performance.now();
    const { promise: resigned, resolve } = Promise.withResolvers<string>();
    resign = resolve;
    while (!stopping.signal.aborted) {
      const operation = await Promise.race([resigned, pause(options.heartbeatMs)]);
      if (operation !== undefined) return operation;
      if (stopping.signal.aborted) break;
      const leftMs = options.staleMs - (performance.now() - renewedAt);
      if (leftMs <= 0) return 'renewal came too late';
      const askedAt = performance.now();
      const renewed = await Promise.race([renew(), sleep(leftMs, undefined, { ref: false })]);
      if (renewed === false) return 'renewal was refused';
      if (renewed === true) renewedAt = askedAt;
    }
    return 'stop';
  }

  /** undefined when the database could not be asked: there is still time to ask again. */
  async function renew(): Promise<boolean | undefined> {
    try {
      const { rowCount } = await database.query(
        'update leases set heartbeat_at = clock_timestamp() where name = $1 and epoch = $2',
        [name, lease.epoch],
      );
      return rowCount === 1;
    } catch (error) {
      telemetry.warn('renew the membership', error);
      return undefined;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const operation = await keep();
      become(false);
      options.deactivate();
      if (stopping.signal.aborted) return;
      telemetry.emit('LOCK_LOST', { lock_epoch: lease.epoch, operation });
      await pause(rejoinPauseMs);
      await rejoin();
    }
  }

  async function lookAtOthers(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { rowCount } = await database.query(
          `select from leases where name like 'member:%' and name <> $1
           and heartbeat_at < clock_timestamp() - $2 * interval '1 millisecond' limit 1`,
          [name, lateAfterHeartbeats * options.heartbeatMs],
        );
        isOtherLate = rowCount === 1;
      } catch (error) {
        telemetry.warn('look at the other members', error);
      }
      await pause(lookIntervalMs);
    }
  }

  async function rejoin(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await join();
        return;
      } catch (error) {
        become(false);
        telemetry.warn('join the cluster', error);
        await pause(rejoinPauseMs);
      }
    }
  }

  async function pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  return {
    isActive: () => active,
    // The other members work what this one stores.
    isAbandoned: () => false,
    isHolderLate: () => isOtherLate,
    lease: () => lease,
    status: () => ({
      state: active ? 'ACTIVE' : 'PASSIVE',
      stateAgeMs: Math.round(performance.now() - changedAt),
    }),
    async start() {
      await join();
      renewing = Promise.all([run(), lookAtOthers()]);
    },
    resign: operation => resign?.(operation),
    async stop() {
      stopping.abort();
      await renewing;
    },
    async leave() {
      if (lease.epoch === 0) return;
      await database.query('delete from leases where name = $1 and epoch = $2', [name, lease.epoch]);
      telemetry.emit('LOCK_RELEASED', { lock_epoch: lease.epoch, operation: 'stop' });
    },
  };
}
