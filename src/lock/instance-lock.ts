// Exactly one instance works at a time: the one with the advisory lock. A state machine around one connection:
//
//   PASSIVE ──lock had──▶ ACTIVE ──asked to yield, no proof of work, stopping──▶ PASSIVE (lock given back)
//                            └─────connection or lease lost──▶ PASSIVE (at once)
//
// The lock says who may begin work; the epoch of the lease says whose work may still be committed, and that is
// checked by every statement that matters, because the two instances may overlap for a moment. A standby waits
// inside Postgres, so that a holder that dies or yields is succeeded at once. Unless it has been ACTIVE itself, it asks
// a holder of another release or mode to yield, and it ends a holder that has not renewed. A holder that cannot prove
// that it works gives the lock back by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationOf } from '../otel/events.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isReadOnly } from '../postgres/read-only.ts';
import type { Secret } from '../secret.ts';
import { askToYield, type Holder, isYieldRequest, readHolder, terminate, yieldChannel } from './holder.ts';
import { type InstanceState, lateAfterHeartbeats } from './instance-state.ts';
import type { CurrentLease, InstanceMode, Lease } from './lease.ts';
import { type LockConnection, openLockConnection } from './lock-connection.ts';
import { lockKeyOf, lockLeaseOf } from './lock-key.ts';
import { resignPauseMs } from './resign-pause.ts';
import type { TenureTask } from './role-task.ts';
import { untilChanged } from './succession.ts';
import { createTenure, type OwnTenure } from './tenure.ts';
import type { ProofBook } from './work-proof.ts';

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
  /** What the one with the lock is: all that works, or the source of updates for a cluster. */
  readonly mode: InstanceMode;
  readonly timings: LockTimings;
  readonly telemetry: Telemetry;
  /** The lock is kept only while nothing is missing there. */
  readonly proofs: ProofBook;
  /** True once this instance has worked without the lock: then it does not ask another mode to yield. */
  readonly hasWorked: () => boolean;
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
  /**
   * Begins `task` under each tenure; when that rejects, the lock is given back, and had again after a moment. Resolves
   * when it is known whether this instance is the one; ACTIVE only when the task has begun.
   */
  start(task: TenureTask): Promise<'ACTIVE' | 'PASSIVE'>;
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

/** Why it ended, as the events say it. */
type Ended = OperationOf<'LOCK_LOST'>;

type Ending = 'yielded' | 'resigned' | 'lost' | 'stopped';

/** What `start` was given, and its answer to whether this instance is the one; only the first one counts. */
interface Start {
  readonly task: TenureTask;
  readonly isOpen: boolean;
  resolve(state: 'ACTIVE' | 'PASSIVE'): void;
  reject(error: unknown): void;
}

export function createInstanceLock(options: InstanceLockOptions): InstanceLock {
  const { telemetry, timings, database, instanceId, release } = options;
  const name = lockLeaseOf(options.botId);
  const key = lockKeyOf(options.botId);
  const stopping = new AbortController();
  let state: 'ACTIVE' | 'PASSIVE' = 'PASSIVE';
  let changedAt = performance.now();
  let lease: Lease = { name, epoch: 0 };
  let wasActive = false;
  let seen: Holder | undefined;
  let seenAt = 0;
  let unseenSince = changedAt;
  let takeover: LockSnapshot['takeover'];
  let endHolding: ((ending: Ending, operation: Ended) => void) | undefined;
  let running: Promise<void> | undefined;

  function become(next: 'ACTIVE' | 'PASSIVE'): void {
    state = next;
    changedAt = performance.now();
    // What it saw of the holder was of a former one, or of itself; it says nothing about who works from now on.
    seen = undefined;
    unseenSince = changedAt;
  }

  /** Connects, waits for the lock, holds it, and again, until stopped. */
  async function run(begun: Start): Promise<void> {
    while (!stopping.signal.aborted) {
      let connection: LockConnection | undefined;
      try {
        connection = await openLockConnection({
          url: options.url,
          instanceId,
          key,
          deadlineMs: timings.statementDeadlineMs,
        });
        const ending = await contend(connection, begun);
        if (ending === 'yielded') await pause(pauseAfterYieldMs);
        if (ending === 'resigned') await standAside(resignPauseMs(options.proofs.failures()));
      } catch (error) {
        if (stopping.signal.aborted) return;
        // Before the first decision the error is the caller's: it keeps the process from starting.
        if (begun.isOpen) return begun.reject(error);
        telemetry.warn('hold the lock', error);
        // Nothing else shows, while the lock is out of reach, whether anybody works. Where the database cannot be asked
        // at all, updates cannot be stored either, and that is logged.
        await look().catch(() => undefined);
        // A database that takes nothing comes back by a change of primary or by hand.
        await pause(isReadOnly(error) ? timings.heartbeatMs : reconnectPauseMs);
      } finally {
        await connection?.close().catch(() => undefined);
      }
    }
  }

  async function contend(connection: LockConnection, begun: Start): Promise<Ending> {
    if (stopping.signal.aborted) return 'stopped';
    // A wait inside Postgres ends with its connection only.
    const onStop = (): void => void connection.close().catch(() => undefined);
    stopping.signal.addEventListener('abort', onStop);
    const waitingSince = performance.now();
    try {
      if (!(await connection.tryLock())) {
        begun.resolve('PASSIVE');
        await waitAsStandby(connection);
        if (stopping.signal.aborted) return 'stopped';
      }
      lease = { name, epoch: await takeLease(connection) };
    } finally {
      stopping.signal.removeEventListener('abort', onStop);
    }
    return hold(connection, begun, Math.round(performance.now() - waitingSince));
  }

  /**
   * Waits for what its former holder is committing, but not for long: that one has lost or left the lock, and while
   * nobody has the lease nobody works.
   */
  async function takeLease(connection: LockConnection): Promise<number> {
    const former = await look();
    const taken = new AbortController();
    const ended = sleep(timings.releaseWaitMs, undefined, { signal: taken.signal }).then(
      async () => {
        if (former && former.instanceId !== instanceId)
          await terminate(database, { ...former, pid: undefined });
      },
      () => undefined,
    );
    try {
      return await connection.takeLease({ name, release, mode: options.mode });
    } finally {
      taken.abort();
      await ended.catch((error: unknown) => telemetry.warn('end the former holder of the lock', error));
    }
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
    let workedSince: number | undefined;
    while (!signal.aborted) {
      try {
        const holder = await look();
        // One that renews has proved that it works. That this one once could not is over then: it stands by.
        const isWorked = holder?.pid !== undefined && holder.instanceId !== instanceId && !isStale(holder);
        workedSince = isWorked ? (workedSince ?? performance.now()) : undefined;
        if (workedSince !== undefined && performance.now() - workedSince >= timings.staleMs)
          options.proofs.forgive();
        if (holder?.pid !== undefined && !signal.aborted) {
          const isFrozen = isStale(holder) && performance.now() - endedAt > timings.releaseWaitMs;
          if (isFrozen) {
            endedAt = performance.now();
            await takeOver(holder);
          } else if (isToYield(holder) && holder.sessionOf === holder.instanceId) {
            await askToYield(database, { lease: name, release, mode: options.mode, instanceId });
          }
        }
      } catch (error) {
        workedSince = undefined;
        if (!signal.aborted) telemetry.warn('look at the holder of the lock', error);
      }
      await sleep(lookIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Who has worked before does not ask: two of different kinds would take the lock from each other for ever. */
  function isToYield(holder: Holder): boolean {
    if (wasActive) return false;
    if (holder.release !== release) return true;
    return holder.mode !== undefined && holder.mode !== options.mode && !options.hasWorked();
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
  async function hold(connection: LockConnection, begun: Start, waitedMs: number): Promise<Ending> {
    const { promise, resolve } = Promise.withResolvers<{ ending: Ending; operation: Ended }>();
    const lost = (operation: Ended): void => resolve({ ending: 'lost', operation });
    const tenure = createTenure(lease, options.proofs, timings.staleMs);
    endHolding = (ending, operation) => resolve({ ending, operation });
    void connection.ended.then(() => lost('connection ended'));
    void renew(connection, tenure).then(lost);
    void options.proofs
      .overdue(tenure.signal)
      .then(part => resolve({ ending: 'resigned', operation: `no proof of work: ${part}` }));
    connection
      .listen(yieldChannel, payload => {
        if (isYieldRequest(payload, { lease: name, release, mode: options.mode }))
          resolve({ ending: 'yielded', operation: 'hand-over' });
      })
      .catch(() => lost('connection failed'));
    wasActive = true;
    become('ACTIVE');
    telemetry.emit('LOCK_ACQUIRED', { lock_epoch: lease.epoch, duration_ms: waitedMs });
    let failure: unknown;
    activate(tenure, begun).catch((error: unknown) => {
      failure = error;
      lost('work could not begin');
    });
    const { ending, operation } = await promise;
    endHolding = undefined;
    become('PASSIVE');
    tenure.end();
    if (ending === 'lost') {
      tenure.lose();
      telemetry.emit('LOCK_LOST', { lock_epoch: lease.epoch, operation });
      if (failure !== undefined) throw failure;
      return ending;
    }
    await Promise.race([begun.task.settled(), sleep(yieldDeadlineMs)]);
    // Whoever has asked for it takes it at once. At a stop there may be nobody, and what is in flight can end.
    if (ending !== 'stopped') tenure.lose();
    try {
      await connection.unlock();
    } catch (error) {
      // There was nothing left to release: work ended because the sessions did, and its end was heard of first.
      telemetry.emit('LOCK_LOST', { lock_epoch: lease.epoch, operation });
      throw error;
    }
    telemetry.emit('LOCK_RELEASED', { lock_epoch: lease.epoch, operation });
    if (ending === 'stopped') void loseWhenSucceeded(tenure, begun.task);
    return ending;
  }

  /** Whoever waited for the lock has the lease at once, and does anew what is in flight here. */
  async function loseWhenSucceeded({ lease: { epoch }, lose }: OwnTenure, task: TenureTask): Promise<void> {
    if (!(await untilChanged(async () => (await look())?.epoch === epoch, task.settled()))) lose();
  }

  async function activate(tenure: OwnTenure, begun: Start): Promise<void> {
    try {
      await begun.task.begin(tenure);
      if (!tenure.signal.aborted) begun.resolve('ACTIVE');
    } catch (error) {
      if (!tenure.signal.aborted) throw error;
      // Nobody waits for it any more.
      telemetry.warn('begin work', error);
    }
  }

  /** Resolves when the lease could not be renewed in time, saying how. Never rejects. */
  async function renew(connection: LockConnection, tenure: OwnTenure): Promise<Ended> {
    const { signal } = tenure;
    let renewedAt = performance.now();
    for (;;) {
      await sleep(timings.heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return 'renewal ended';
      // A process that was frozen finds its own lease too old, before it hears of that from anybody else.
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
      tenure.renewed(askedAt);
    }
  }

  /** Sees meanwhile whether somebody else works: whoever knows of nobody refuses taps. */
  async function standAside(milliseconds: number): Promise<void> {
    const endsAt = performance.now() + milliseconds;
    while (!stopping.signal.aborted && performance.now() < endsAt) {
      await look().catch((error: unknown) => telemetry.warn('look at the holder of the lock', error));
      await pause(Math.min(lookIntervalMs, Math.max(0, endsAt - performance.now())));
    }
  }

  async function pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  return {
    isActive: () => state === 'ACTIVE',
    // Who has seen nobody for so long, because nothing that it asks is answered, does not know of anybody who works.
    isAbandoned: () =>
      state === 'PASSIVE' &&
      (seen === undefined
        ? running !== undefined && performance.now() - unseenSince > timings.staleMs
        : seen.heartbeatAgeMs + performance.now() - seenAt > timings.staleMs),
    // By what was seen, not by how long ago that is: the look itself may take longer than two heartbeats.
    isHolderLate: () =>
      state === 'PASSIVE' &&
      seen !== undefined &&
      seen.heartbeatAgeMs > lateAfterHeartbeats * timings.heartbeatMs,
    lease: () => lease,
    start(task) {
      const { promise, resolve, reject } = Promise.withResolvers<'ACTIVE' | 'PASSIVE'>();
      unseenSince = performance.now();
      let isOpen = true;
      running = run({
        task,
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
    async stop() {
      endHolding?.('stopped', 'stop');
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
