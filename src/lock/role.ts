// What this instance is among the others, in both modes. `single`: the lock makes one of them work and be the source
// of updates. `cluster`: each member works, and the lock only chooses the one that is the source. Every statement
// that matters runs under `lease`, whichever of the two it is.
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import type { Duty } from './duty.ts';
import { createInstanceLock, type LockSnapshot, type LockTimings } from './instance-lock.ts';
import type { InstanceState } from './instance-state.ts';
import type { CurrentLease } from './lease.ts';
import { createMembership, type MembershipOptions } from './membership.ts';

export interface RoleOptions {
  readonly mode: 'single' | 'cluster';
  /** To Postgres itself, not to a pooler. */
  readonly url: Secret;
  readonly database: MembershipOptions['database'];
  readonly botId: number;
  readonly instanceId: string;
  readonly release: string;
  readonly timings: LockTimings;
  readonly telemetry: Telemetry;
  /** Works updates and tasks. */
  readonly work: Duty;
  /** Tells Telegram where updates go, or polls for them. */
  readonly source: Duty;
}

export interface Role {
  readonly state: InstanceState;
  readonly lease: CurrentLease;
  /** Resolves when this instance does what it has to do, or waits until it is needed. */
  start(): Promise<'ACTIVE' | 'PASSIVE'>;
  /** Lets another instance go on at once; what is in flight here ends, if nobody is quicker. */
  release(): Promise<void>;
  /** Stops working, because it cannot now, and tries again after a moment. */
  resign(operation: string): void;
  /** After the last statement. */
  leave(): Promise<void>;
  snapshot(): Promise<LockSnapshot>;
}

export function createRole(options: RoleOptions): Role {
  const { work, source, timings } = options;
  if (options.mode === 'single') {
    const lock = createInstanceLock({
      ...options,
      async activate() {
        await work.begin();
        await source.begin();
      },
      deactivate() {
        source.end();
        work.end();
      },
      settled: () => work.settled(),
    });
    return {
      state: lock,
      lease: lock.lease,
      start: () => lock.start(),
      release: () => lock.stop(),
      resign: operation => lock.resign(operation),
      leave: async () => undefined,
      snapshot: () => lock.snapshot(),
    };
  }
  const membership = createMembership({
    ...options,
    ...timings,
    activate: () => work.begin(),
    deactivate: () => work.end(),
  });
  const lock = createInstanceLock({
    ...options,
    activate: () => source.begin(),
    deactivate: () => source.end(),
    settled: () => source.settled(),
  });
  return {
    state: membership,
    lease: membership.lease,
    async start() {
      await membership.start();
      await lock.start();
      return 'ACTIVE';
    },
    async release() {
      await lock.stop();
      await membership.stop();
    },
    resign: operation => membership.resign(operation),
    leave: () => membership.leave(),
    async snapshot() {
      const { holder, takeover } = await lock.snapshot();
      const { state, stateAgeMs } = membership.status();
      return { state, stateAgeMs, epoch: membership.lease().epoch, holder, takeover };
    },
  };
}
