// How many updates this process has stored, ended and turned away since it started. In memory only: it counts what
// passes through the parts it wraps, and asks nobody. What other instances do is not in it.
import type { UpdateOutcome } from '../storage/update-finish.ts';
import type { UpdateStore } from '../storage/update-store.ts';
import type { InboxDepth } from './inbox-depth.ts';

export interface Totals {
  /** Stored here, each update once, however often it was sent. */
  readonly received: number;
  /** Ended here, whoever had stored them. */
  readonly finished: Readonly<Record<UpdateOutcome, number>>;
  /** Turned away because the inbox was full; one that is sent again and again counts each time. */
  readonly refusedQueueFull: number;
}

/** Each `count…` returns the same part, which from then on is counted. */
export interface InboxTotals {
  /** Those that are refused when they arrive are received, and have ended as rejected. */
  countUpdates(store: UpdateStore): UpdateStore;
  countAdmissions(depth: InboxDepth): InboxDepth;
  read(): Totals;
}

export function createInboxTotals(): InboxTotals {
  let received = 0;
  let refusedQueueFull = 0;
  const finished: Record<UpdateOutcome, number> = {
    accepted: 0,
    rejected: 0,
    noop: 0,
    failed: 0,
    dead_letter: 0,
  };

  return {
    countUpdates: store => ({
      ...store,
      async insert(update) {
        const stored = await store.insert(update);
        if (stored.isNew) received += 1;
        if (stored.refusal) finished.rejected += 1;
        return stored;
      },
      async finish(ending) {
        const end = await store.finish(ending);
        if (end.committed) finished[ending.outcome] += 1;
        return end;
      },
    }),
    countAdmissions: depth => ({
      ...depth,
      async admit(store) {
        const isAdmitted = await depth.admit(store);
        if (!isAdmitted) refusedQueueFull += 1;
        return isAdmitted;
      },
    }),
    read: () => ({ received, finished: { ...finished }, refusedQueueFull }),
  };
}
