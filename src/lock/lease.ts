// What a lease is to those who write under it. Taking and keeping it is the instance lock's (one ACTIVE instance)
// or the membership's (a cluster); whether a statement may run is decided by the database (`holds_lease`).

import { AppError } from '../errors.ts';

export interface Lease {
  readonly name: string;
  /** 0 before the first one was taken: no statement passes under it. */
  readonly epoch: number;
}

/** The lease this instance took last. It may have lost it since; only the database knows. */
export type CurrentLease = () => Lease;

/** What a statement or a job fails with that came under a lease which is no longer this instance's. */
export function leaseLost(cause?: unknown): AppError {
  return new AppError({
    code: 'LEASE_LOST',
    message: 'Another instance works now; it will do this anew',
    cause,
  });
}
