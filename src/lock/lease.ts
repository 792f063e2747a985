// What a lease is to those who write under it. Taking and keeping it is the instance lock's (one ACTIVE instance)
// or the membership's (a cluster); whether a statement may run is decided by the database (`holds_lease`).

export interface Lease {
  readonly name: string;
  /** 0 before the first one was taken: no statement passes under it. */
  readonly epoch: number;
}

/** The lease this instance took last. It may have lost it since; only the database knows. */
export type CurrentLease = () => Lease;
