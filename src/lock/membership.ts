// An instance of a cluster: no lock, a lease of its own. It works as long as it renews, and it renews as long as it
// can prove that it works. One that was frozen finds its lease gone (the others have ended it and taken over what it
// had picked), and joins again under a new one. While an instance of mode single works, nobody joins.
// It also looks whether another one is late.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationOf } from '../otel/events.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isReadOnly } from '../postgres/read-only.ts';
import { type InstanceState, lateAfterHeartbeats } from './instance-state.ts';
import type { CurrentLease, Lease } from './lease.ts';
import { resignPauseMs } from './resign-pause.ts';
import type { TenureTask } from './role-task.ts';
import { untilChanged } from './succession.ts';
import { createTenure, type OwnTenure } from './tenure.ts';
import type { ProofBook } from './work-proof.ts';

interface Queryable {
  query<R extends object>(
    text: string,
    values: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number | null }>;
}

export interface MembershipOptions {
  readonly database: Queryable;
  /** The lease of the one that has the lock: of an instance of mode single, or of the source of this cluster. */
  readonly lockLease: string;
  readonly instanceId: string;
  readonly release: string;
  readonly heartbeatMs: number;
  readonly staleMs: number;
  readonly telemetry: Telemetry;
  readonly proofs: ProofBook;
}

export interface Membership extends InstanceState {
  /**
   * Joins and begins `task`, or resolves to PASSIVE while an instance of mode single works; then it joins later. Rejects
   * when it cannot.
   */
  start(task: TenureTask): Promise<'ACTIVE' | 'PASSIVE'>;
  /** Stops beginning work; what is in flight may still be committed. */
  stop(): Promise<void>;
  /** Gives the lease back: nothing is committed after this. */
  leave(): Promise<void>;
  /** True once it has joined. */
  hasWorked(): boolean;
  readonly lease: CurrentLease;
  status(): { readonly state: 'ACTIVE' | 'PASSIVE'; readonly stateAgeMs: number };
}

interface FirstTenure {
  readonly joined: OwnTenure;
  /** Of the task under it. */
  readonly begun: Promise<unknown>;
}

const askAgainMs = 500;
const rejoinPauseMs = 500;
const lookIntervalMs = 1_000;

export function createMembership(options: MembershipOptions): Membership {
  const { database, telemetry, instanceId, proofs } = options;
  const name = `member:${instanceId}`;
  const stopping = new AbortController();
  let lease: Lease = { name, epoch: 0 };
  let tenure: OwnTenure | undefined;
  let changedAt = performance.now();
  let isOtherLate = false;
  let renewing: Promise<unknown> | undefined;

  /** undefined while an instance of mode single works. */
  async function join(): Promise<OwnTenure | undefined> {
    // The lock's lease is read as it is once nobody is changing it, so that this and a takeover see each other.
    // The database's clock makes each epoch another one, also after the row was deleted.
    const { rows } = await database.query<{ epoch: string }>(
      `with lock as materialized (
         select mode, heartbeat_at from leases where name = $4 for key share
       ), single as (
         select 1 from lock where mode = 'single' or mode is null
           and heartbeat_at > clock_timestamp() - $5 * interval '1 millisecond'
           and not exists (select 1 from leases where name like 'member:%')
       )
       insert into leases (name, epoch, instance_id, release, mode)
       select $1, (extract(epoch from clock_timestamp()) * 1000)::bigint, $2, $3, 'cluster'
       where not exists (select 1 from single)
       on conflict (name) do update set epoch = excluded.epoch, mode = excluded.mode, heartbeat_at = clock_timestamp()
       returning epoch`,
      [name, instanceId, options.release, options.lockLease, options.staleMs],
    );
    const [row] = rows;
    if (!row) return undefined;
    lease = { name, epoch: Number(row.epoch) };
    const joined = createTenure(lease, proofs, options.staleMs);
    // Until the task has begun the beginning itself is what has to be proved.
    joined.expect(['beginning']);
    tenure = joined;
    changedAt = performance.now();
    telemetry.emit('LOCK_ACQUIRED', { lock_epoch: lease.epoch, duration_ms: 0 });
    return joined;
  }

  function end(ended: OwnTenure): void {
    if (tenure === ended) {
      tenure = undefined;
      changedAt = performance.now();
    }
    ended.end();
  }

  /** Until the lease is lost, or this instance cannot show that it works. Resolves to why. */
  async function keep(joined: OwnTenure, begun: Promise<unknown>): Promise<OperationOf<'LOCK_LOST'>> {
    const over = new AbortController();
    const ended = Promise.race([
      renewUntilLost(joined, over.signal),
      proofs.overdue(over.signal).then((part): OperationOf<'LOCK_LOST'> => `no proof of work: ${part}`),
      begun.then(
        () => new Promise<never>(() => undefined),
        (error: unknown) => {
          telemetry.warn('join the cluster', error);
          return 'work could not begin' as const;
        },
      ),
    ]);
    const operation = await ended;
    over.abort();
    end(joined);
    return operation;
  }

  async function renewUntilLost(joined: OwnTenure, signal: AbortSignal): Promise<OperationOf<'LOCK_LOST'>> {
    let renewedAt = performance.now();
    let pauseMs = options.heartbeatMs;
    for (;;) {
      await pause(pauseMs, signal);
      if (stopping.signal.aborted || signal.aborted) return 'stop';
      const leftMs = options.staleMs - (performance.now() - renewedAt);
      if (leftMs <= 0) return 'renewal came too late';
      if (proofs.stalled() !== undefined) continue;
      const askedAt = performance.now();
      const renewed = await Promise.race([renew(), sleep(leftMs, undefined, { ref: false })]);
      if (renewed === false) return 'renewal was refused';
      if (renewed === true) {
        renewedAt = askedAt;
        joined.renewed(askedAt);
      }
      // A question that was not answered has taken a deadline of what is left already.
      pauseMs = renewed === true ? options.heartbeatMs : Math.min(options.heartbeatMs, askAgainMs);
    }
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

  /** Works until the tenure ends; resolves when it may join again. */
  async function work(joined: OwnTenure, begun: Promise<unknown>, task: TenureTask): Promise<void> {
    const operation = await keep(joined, begun);
    if (stopping.signal.aborted) {
      void loseWhenSucceeded(joined, task);
      return;
    }
    joined.lose();
    telemetry.emit('LOCK_LOST', { lock_epoch: joined.lease.epoch, operation });
    const hasResigned = operation !== 'renewal came too late' && operation !== 'renewal was refused';
    // The others take over what it has picked as soon as its lease is gone.
    if (hasResigned) await giveBack(joined.lease);
    await pause(hasResigned ? resignPauseMs(proofs.failures()) : rejoinPauseMs);
  }

  /** Nobody renews it during a stop: the others may end it, and do anew what is in flight here. */
  async function loseWhenSucceeded({ lease: { epoch }, lose }: OwnTenure, task: TenureTask): Promise<void> {
    const own = await untilChanged(async () => {
      const { rowCount } = await database.query('select from leases where name = $1 and epoch = $2', [
        name,
        epoch,
      ]);
      return rowCount === 1;
    }, task.settled());
    if (!own) lose();
  }

  async function giveBack({ epoch }: Lease): Promise<void> {
    try {
      await database.query('delete from leases where name = $1 and epoch = $2', [name, epoch]);
    } catch (error) {
      // It ends by itself when it is not renewed.
      telemetry.warn('leave the cluster', error);
    }
  }

  async function run(task: TenureTask, first: FirstTenure | undefined): Promise<void> {
    if (first) await work(first.joined, first.begun, task);
    while (!stopping.signal.aborted) {
      try {
        const joined = await join();
        if (joined) await work(joined, task.begin(joined), task);
        else await pause(rejoinPauseMs);
      } catch (error) {
        telemetry.warn('join the cluster', error);
        // A database that takes nothing comes back by a change of primary or by hand.
        await pause(isReadOnly(error) ? options.heartbeatMs : rejoinPauseMs);
      }
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

  async function pause(milliseconds: number, signal: AbortSignal = stopping.signal): Promise<void> {
    await sleep(milliseconds, undefined, { signal: AbortSignal.any([signal, stopping.signal]) }).catch(
      () => undefined,
    );
  }

  return {
    isActive: () => tenure !== undefined,
    // The other members work what this one stores.
    isAbandoned: () => false,
    isHolderLate: () => isOtherLate,
    hasWorked: () => lease.epoch !== 0,
    lease: () => lease,
    status: () => ({
      state: tenure ? 'ACTIVE' : 'PASSIVE',
      stateAgeMs: Math.round(performance.now() - changedAt),
    }),
    async start(task) {
      const joined = await join();
      if (!joined)
        telemetry.emit('SYSTEM_WARNING', {
          operation: 'join the cluster',
          error_type: 'OTHER_MODE',
          error_message:
            'An instance with INSTANCE_MODE=single works; this one joins when that one has ended',
        });
      const first = joined && { joined, begun: task.begin(joined) };
      renewing = Promise.all([run(task, first), lookAtOthers()]);
      try {
        await first?.begun;
      } catch (error) {
        stopping.abort();
        await renewing;
        throw error;
      }
      return joined ? 'ACTIVE' : 'PASSIVE';
    },
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
