// What this instance is among the others, in both modes. `single`: the lock makes one of them work and be the source
// of updates. `cluster`: each member works, and the lock only chooses the one that is the source. Every statement
// that matters runs under `lease`, whichever of the two it is. The mode is recorded with the lock's lease: instances of
// the two modes do not work at the same time.
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import { createInstanceLock, type LockSnapshot, type LockTimings } from './instance-lock.ts';
import type { InstanceState } from './instance-state.ts';
import { type CurrentLease, type InstanceMode, leaseOfCaller } from './lease.ts';
import { lockLeaseOf } from './lock-key.ts';
import { createMembership, type MembershipOptions } from './membership.ts';
import type { TenureTask } from './role-task.ts';
import { createProofBook, type WorkProof } from './work-proof.ts';

export interface RoleOptions {
  readonly mode: InstanceMode;
  /** To Postgres itself, not to a pooler. */
  readonly url: Secret;
  readonly database: MembershipOptions['database'];
  readonly botId: number;
  readonly instanceId: string;
  readonly release: string;
  readonly timings: LockTimings;
  readonly telemetry: Telemetry;
  /** For what is asked by `url`. */
  readonly lockTelemetry: Telemetry;
}

/** What an instance does in its role. */
export interface RoleTasks {
  /** Works updates and tasks. Shows by its tenure that it does. */
  readonly work: TenureTask;
  /** Registers at Telegram where updates go, or polls for them. */
  readonly source: TenureTask;
}

export interface Role {
  readonly state: InstanceState;
  /** That of the work that asks, see lease.ts; outside of any, the one this instance took last. */
  readonly lease: CurrentLease;
  /** Of the work; see work-proof.ts. */
  readonly proof: WorkProof;
  /** Resolves when this instance does what it has to do, or waits until it is needed. */
  start(tasks: RoleTasks): Promise<'ACTIVE' | 'PASSIVE'>;
  /** Lets another instance go on at once; what is in flight here ends, if nobody is quicker. */
  release(): Promise<void>;
  /** After the last statement. */
  leave(): Promise<void>;
  snapshot(): Promise<LockSnapshot>;
}

/** A proof is some statements and a turn of the event loop: on a busy machine that may take some seconds. */
const shortestProofLimitMs = 5_000;

/** For so long an instance may go without a proof that it works. */
export function proofLimitOf({ staleMs }: Pick<LockTimings, 'staleMs'>): number {
  return Math.max(staleMs, shortestProofLimitMs);
}

export function createRole(options: RoleOptions): Role {
  const { timings } = options;
  const proof = createProofBook(proofLimitOf(timings));
  if (options.mode === 'single') {
    const lock = createInstanceLock({
      ...options,
      telemetry: options.lockTelemetry,
      proofs: proof,
      hasWorked: () => false,
    });
    return {
      state: lock,
      lease: leaseOfCaller(lock.lease),
      proof,
      start: tasks => lock.start(workThenSource(tasks)),
      release: () => lock.stop(),
      leave: async () => undefined,
      snapshot: () => lock.snapshot(),
    };
  }
  const membership = createMembership({
    ...options,
    ...timings,
    lockLease: lockLeaseOf(options.botId),
    proofs: proof,
  });
  const lock = createInstanceLock({
    ...options,
    telemetry: options.lockTelemetry,
    // Being the source is no work that has to be proved.
    proofs: createProofBook(Number.POSITIVE_INFINITY),
    hasWorked: () => membership.hasWorked(),
  });
  return {
    state: membership,
    lease: leaseOfCaller(membership.lease),
    proof,
    // The lock first: whoever has it says whether a cluster may work at all.
    async start({ work, source }) {
      await lock.start(source);
      return membership.start(work);
    },
    async release() {
      await lock.stop();
      await membership.stop();
    },
    leave: () => membership.leave(),
    async snapshot() {
      const { holder, takeover } = await lock.snapshot();
      const { state, stateAgeMs } = membership.status();
      return { state, stateAgeMs, epoch: membership.lease().epoch, holder, takeover };
    },
  };
}

/** Nothing is fetched that nobody would work. */
function workThenSource({ work, source }: RoleTasks): TenureTask {
  return {
    async begin(tenure) {
      tenure.expect(['beginning']);
      await work.begin(tenure);
      await source.begin(tenure);
    },
    async settled() {
      await Promise.all([work.settled(), source.settled()]);
    },
  };
}
