// What shows that updates are stored here: none waits for it too long, and the last attempt did not fail for want of the
// database. By what really happened, because a question of its own may be answered over a connection that works while
// the updates wait for others.
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { UpdateStore } from '../storage/update-store.ts';

export interface IntakeProof {
  /** The same store, whose inserts are watched from now on. */
  watch(store: UpdateStore): UpdateStore;
  isShown(): boolean;
  /** Of the update that has waited the longest for being stored; undefined while none waits. */
  waitingMs(): number | undefined;
}

/** Storing takes milliseconds; a connection that fell silent is given up about then. */
const waitLimitMs = 5_000;
/** A failure says nothing about later, when nobody has tried since. */
const failureValidMs = 5_000;

/** `now`: milliseconds that only go forward. */
export function createIntakeProof(now: () => number = () => performance.now()): IntakeProof {
  const waiting = new Set<{ readonly since: number }>();
  let failedAt: number | undefined;

  function waitingMs(): number | undefined {
    // In the order in which they came.
    const [oldest] = waiting;
    return oldest && now() - oldest.since;
  }

  return {
    watch: store => ({
      ...store,
      async insert(update) {
        const insert = { since: now() };
        waiting.add(insert);
        try {
          const stored = await store.insert(update);
          failedAt = undefined;
          return stored;
        } catch (error) {
          // What one update is to blame for says nothing of others.
          if (isConnectionLost(error)) failedAt = now();
          throw error;
        } finally {
          waiting.delete(insert);
        }
      },
    }),
    waitingMs,
    isShown: () =>
      (waitingMs() ?? 0) < waitLimitMs && (failedAt === undefined || now() - failedAt > failureValidMs),
  };
}
