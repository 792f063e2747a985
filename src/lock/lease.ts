// What a lease is to those who write under it. Taking and keeping it is the instance lock's (one ACTIVE instance)
// or the membership's (a cluster); whether a statement may run is decided by the database (`holds_lease`).
import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '../errors.ts';

export interface Lease {
  readonly name: string;
  /** 0 before the first one was taken: no statement passes under it. */
  readonly epoch: number;
}

/** `single`: one instance works, the one with the lock. `cluster`: each member works, under a lease of its own. */
export type InstanceMode = 'single' | 'cluster';

/** The lease to commit under. This instance may have lost it; only the database knows. */
export type CurrentLease = () => Lease;

interface LeaseOfWork {
  readonly lease: Lease;
  readonly isLost: () => boolean;
}

const leaseOfWork = new AsyncLocalStorage<LeaseOfWork>();

/**
 * Runs a piece of work under the lease it began under. An instance that loses its lease and takes a new one must not
 * commit under the new one what it began under the old: in between it may have been done by somebody else. `isLost`:
 * whether this instance knows already that it has lost it.
 */
export function underLease<T>(
  lease: Lease,
  work: () => Promise<T>,
  isLost: () => boolean = () => false,
): Promise<T> {
  return leaseOfWork.run({ lease, isLost }, work);
}

/** The lease that the calling work began under; `latest`, which this instance took last, outside of any. */
export function leaseOfCaller(latest: CurrentLease): CurrentLease {
  return () => leaseOfWork.getStore()?.lease ?? latest();
}

/**
 * For calls to others, which no database fences: throws AppError LEASE_LOST where the calling work began under a lease
 * that this instance knows to be lost. Somebody else does that work then, and may have gone on to the next.
 */
export function assertLeaseOfCaller(): void {
  assertLeaseLater()();
}

/** The same, to be asked later, and wherever a library calls back. */
export function assertLeaseLater(): () => void {
  const own = leaseOfWork.getStore();
  return () => {
    if (own?.isLost()) throw leaseLost();
  };
}

/** What a statement or a job fails with that came under a lease which is no longer this instance's. */
export function leaseLost(cause?: unknown): AppError {
  return new AppError({
    code: 'LEASE_LOST',
    message: 'Another instance works now; it will do this anew',
    cause,
  });
}
