// Exactly one instance works at a time: the one with the advisory lock. A state machine around one connection:
//
//   PASSIVE ──lock had──▶ ACTIVE ──asked to yield, stopping──▶ PASSIVE (lock given back)
//                            └─────connection or lease lost──▶ PASSIVE (at once)
//
// The lock says who may begin work; the epoch of the lease says whose work may still be committed, and that is
// checked by every statement that matters, because the two instances may overlap for a moment. A standby waits
// inside Postgres, so that a holder that dies or yields is succeeded at once. Unless it has been ACTIVE itself, it asks
// a holder of another release to yield, and it ends a holder that has not renewed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import { askToYield, type Holder, isYieldRequest, readHolder, terminate, yieldChannel } from './holder.ts';
import { type InstanceState, lateAfterHeartbeats } from './instance-state.ts';
import type { CurrentLease, Lease } from './lease.ts';
import { type LockConnection, openLockConnection } from './lock-connection.ts';
import { lockKeyOf } from './lock-key.ts';

export interface LockTimings {
  readonly heartbeatMs: number;
  /** A holder that has not renewed for so long is succeeded by force, and demotes itself. */
  readonly staleMs: number;
  /** How long the sessions of such a holder are given to end before they are ended again. */
  readonly releaseWaitMs: number;
  /** When a statement that Postgres does not answer is given up, and its connection. */
  readonly statementDeadlineMs: number;
}

export interface InstanceLockOptions {
  /** To Postgres itself, not to a pooler. */
  readonly url: Secret;
  /** For looking at the holder while the lock connection waits. */
  readonly database: Parameters<typeof readHolder>[0];
  readonly botId: number;
  readonly instanceId: string;
  /** A standby of another release asks the holder to yield; one of the same release waits. */
  readonly release: string;
  readonly timings: LockTimings;
  readonly telemetry: Telemetry;
  /** Begins work. When it rejects, the lock is given back, and had again after a moment. */
  readonly activate: () => Promise<void>;
  /** Stops beginning work at once; what is in flight goes on. */
  readonly deactivate: () => void;
  /** Resolves when nothing is in flight. */
  readonly settled: () => Promise<void>;
}

export interface LockSnapshot {
  readonly state: 'ACTIVE' | 'PASSIVE';
  /** Since the last change of state. */
  readonly stateAgeMs: number;
  readonly epoch: number;
  readonly holder: Holder | undefined;
  readonly takeover:
    | { readonly instanceId: string; readonly reason: string; readonly at: string }
    | undefined;
}

export interface InstanceLock extends InstanceState {
  /** Resolves when it is known whether this instance is the one; ACTIVE only when `activate` has resolved. */
  start(): Promise<'ACTIVE' | 'PASSIVE'>;
  /** Gives the lock back, because this instance cannot work now; it stands by and may have it again. */
  resign(operation: string): void;
  stop(): Promise<void>;
  readonly lease: CurrentLease;
  snapshot(): Promise<LockSnapshot>;
}

/** A wait inside Postgres holds a snapshot; in between, what died can be vacuumed. */
const waitSliceMs = 5_000;
const lookIntervalMs = 1_000;
/** What is in flight when the lock is asked for may end under it, for so long. */
const yieldDeadlineMs = 200;
/** Whoever has yielded queues up again behind the one that asked. */
const pauseAfterYieldMs = 2_000;
const reconnectPauseMs = 250;

type Ending = 'yielded' | 'lost' | 'stopped';

/** The first answer to whether this instance is the one; later ones change nothing. */
interface Decide {
  readonly isOpen: boolean;
  resolve(state: 'ACTIVE' | 'PASSIVE'): void;
  reject(error: unknown): void;
}

export function createInstanceLock(options: InstanceLockOptions): InstanceLock {
  const { telemetry, timings, database, instanceId, release } = options;
  const name = `active:${options.botId}`;
  const key = lockKeyOf(options.botId);
  const stopping = new AbortController();
  let state: 'ACTIVE' | 'PASSIVE' = 'PASSIVE';
  let changedAt = performance.now();
  let lease: Lease = { name, epoch: 0 };
  let wasActive = false;
  let seen: Holder | undefined;
  let seenAt = 0;
  let takeover: LockSnapshot['takeover'];
  let endTenure: ((ending: Ending, operation: string) => void) | undefined;
  let running: Promise<void> | undefined;

  function become(next: 'ACTIVE' | 'PASSIVE'): void {
    state = next;
    changedAt = performance.now();
    // What it saw of the holder was of a former one, or of itself; it says nothing about who works from now on.
    seen = undefined;
  }

  /** Connects, waits for the lock, holds it, and again, until stopped. */
  async function run(decide: Decide): Promise<void> {
    while (!stopping.signal.aborted) {
      let connection: LockConnection | undefined;
      try {
        connection = await openLockConnection({
          url: options.url,
          instanceId,
          key,
          deadlineMs: timings.statementDeadlineMs,
        });
        const ending = await contend(connection, decide);
        if (ending === 'yielded') await pause(pauseAfterYieldMs);
      } catch (error) {
        if (stopping.signal.aborted) return;
        // Before the first decision the error is the caller's: it keeps the process from starting.
        if (decide.isOpen) return decide.reject(error);
        telemetry.warn('hold the lock', error);
        await pause(reconnectPauseMs);
      } finally {
        await connection?.close().catch(() => undefined);
      }
    }
  }

  async function contend(connection: LockConnection, decide: Decide): Promise<Ending> {
    if (stopping.signal.aborted) return 'stopped';
    // A wait inside Postgres ends with its connection only.
    const onStop = (): void => void connection.close().catch(() => undefined);
    stopping.signal.addEventListener('abort', onStop);
    const waitingSince = performance.now();
    try {
      if (!(await connection.tryLock())) {
        decide.resolve('PASSIVE');
        await waitAsStandby(connection);
        if (stopping.signal.aborted) return 'stopped';
      }
      lease = { name, epoch: await connection.takeLease(name, release) };
    } finally {
      stopping.signal.removeEventListener('abort', onStop);
    }
    return hold(connection, decide, Math.round(performance.now() - waitingSince));
  }

  /** Resolves with the lock held, or when stopping. Looks at the holder meanwhile, asks it, ends it when it is frozen. */
  async function waitAsStandby(connection: LockConnection): Promise<void> {
    const waiting = new AbortController();
    const looking = lookAtHolder(waiting.signal);
    try {
      while (!(await connection.waitForLock(waitSliceMs))) if (stopping.signal.aborted) return;
    } finally {
      waiting.abort();
      await looking;
    }
  }

  async function look(): Promise<Holder | undefined> {
    seen = await readHolder(database, name, key);
    seenAt = performance.now();
    return seen;
  }

  async function lookAtHolder(signal: AbortSignal): Promise<void> {
    let endedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        const holder = await look();
        if (holder?.pid !== undefined && !signal.aborted) {
          const isFrozen = isStale(holder) && performance.now() - endedAt > timings.releaseWaitMs;
          if (isFrozen) {
            endedAt = performance.now();
            await takeOver(holder);
          } else if (!wasActive && holder.release !== release && holder.sessionOf === holder.instanceId) {
            await askToYield(database, { lease: name, release, instanceId });
          }
        }
      } catch (error) {
        if (!signal.aborted) telemetry.warn('look at the holder of the lock', error);
      }
      await sleep(lookIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A holder that has the lock but not yet the lease is given the time to take it. */
  function isStale(holder: Holder): boolean {
    const grace = holder.sessionOf === holder.instanceId ? 0 : timings.releaseWaitMs;
    return holder.heartbeatAgeMs > timings.staleMs + grace;
  }

  async function takeOver(holder: Holder): Promise<void> {
    const reason = `${holder.instanceId} had not renewed its lease for ${Math.round(holder.heartbeatAgeMs / 1_000)} s`;
    const sessions = await terminate(database, holder);
    takeover = { instanceId: holder.instanceId, reason, at: new Date().toISOString() };
    telemetry.emit('LOCK_TAKEOVER', {
      lock_epoch: holder.epoch,
      reason_detail: `${reason}; ${sessions} sessions ended`,
    });
  }

  /** From the lock to its end. */
  async function hold(connection: LockConnection, decide: Decide, waitedMs: number): Promise<Ending> {
    const { promise, resolve } = Promise.withResolvers<{ ending: Ending; operation: string }>();
    const lost = (operation: string): void => resolve({ ending: 'lost', operation });
    const renewing = new AbortController();
    endTenure = (ending, operation) => resolve({ ending, operation });
    void connection.ended.then(() => lost('connection ended'));
    void renew(connection, renewing.signal).then(lost);
    connection
      .listen(yieldChannel, payload => {
        if (isYieldRequest(payload, name, release)) resolve({ ending: 'yielded', operation: 'hand-over' });
      })
      .catch(() => lost('connection failed'));
    wasActive = true;
    become('ACTIVE');
    telemetry.emit('LOCK_ACQUIRED', { lock_epoch: lease.epoch, duration_ms: waitedMs });
    let failure: unknown;
    options.activate().then(
      () => decide.resolve('ACTIVE'),
      (error: unknown) => {
        failure = error;
        lost('work could not begin');
      },
    );
    const { ending, operation } = await promise;
    endTenure = undefined;
    renewing.abort();
    become('PASSIVE');
    options.deactivate();
    if (ending === 'lost') {
      telemetry.emit('LOCK_LOST', { lock_epoch: lease.epoch, operation });
      if (failure !== undefined) throw failure;
      return ending;
    }
    await Promise.race([options.settled(), sleep(yieldDeadlineMs)]);
    try {
      await connection.unlock();
    } catch (error) {
      // There was nothing left to release: work ended because the sessions did, and its end was heard of first.
      telemetry.emit('LOCK_LOST', { lock_epoch: lease.epoch, operation });
      throw error;
    }
    telemetry.emit('LOCK_RELEASED', { lock_epoch: lease.epoch, operation });
    return ending;
  }

  /** Resolves when the lease could not be renewed in time, saying how. Never rejects. */
  async function renew(connection: LockConnection, signal: AbortSignal): Promise<string> {
    let renewedAt = performance.now();
    for (;;) {
      await sleep(timings.heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return 'renewal ended';
      // A process that was frozen finds its own lease too old, before anybody else tells it.
      const leftMs = timings.staleMs - (performance.now() - renewedAt);
      if (leftMs <= 0) return 'renewal came too late';
      const askedAt = performance.now();
      const expired = sleep(leftMs, 'expired' as const, { signal }).catch(() => 'expired' as const);
      const renewed = await Promise.race([
        connection.renewLease(name, lease.epoch).catch(() => false),
        expired,
      ]);
      if (renewed !== true) return renewed === 'expired' ? 'renewal timed out' : 'renewal was refused';
      renewedAt = askedAt;
    }
  }

  async function pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  return {
    isActive: () => state === 'ACTIVE',
    isAbandoned: () =>
      state === 'PASSIVE' &&
      seen !== undefined &&
      seen.heartbeatAgeMs + performance.now() - seenAt > timings.staleMs,
    // By what was seen, not by how long ago that is: the look itself may take longer than two heartbeats.
    isHolderLate: () =>
      state === 'PASSIVE' &&
      seen !== undefined &&
      seen.heartbeatAgeMs > lateAfterHeartbeats * timings.heartbeatMs,
    lease: () => lease,
    start() {
      const { promise, resolve, reject } = Promise.withResolvers<'ACTIVE' | 'PASSIVE'>();
      let isOpen = true;
      running = run({
        get isOpen() {
          return isOpen;
        },
        resolve(decision) {
          isOpen = false;
          resolve(decision);
        },
        reject,
      });
      return promise;
    },
    resign(operation) {
      endTenure?.('yielded', operation);
    },
    async stop() {
      endTenure?.('stopped', 'stop');
      stopping.abort();
      await running;
    },
    async snapshot() {
      const holder = await look();
      return {
        state,
        stateAgeMs: Math.round(performance.now() - changedAt),
        epoch: lease.epoch,
        holder,
        takeover,
      };
    },
  };
}
