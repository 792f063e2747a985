// The durable inbox: an update is acknowledged only after it is stored.
import type { NewUpdate, Stored, UpdateStore } from '../storage/update-store.ts';

export interface Inbox {
  /**
   * Resolves when the update is durable and `tell` has said so, to whether it takes a place: somebody has to work it.
   * Rejects when it could not be stored: then it must not be acknowledged.
   */
  store(update: NewUpdate, tell: (stored: Stored) => Promise<void>): Promise<boolean>;
  /**
   * Resolves, never rejects, once nothing is left to tell about the storing of an update; undefined for updates
   * that are not being stored here. Workers wait for it, so that the steps of one update are told in order.
   */
  settled(updateId: number): Promise<void> | undefined;
}

export function createInbox(store: UpdateStore): Inbox {
  const storing = new Map<number, Promise<void>>();
  return {
    store(update, tell) {
      // One that comes again while the first is being stored waits until that is told: then it is known what was.
      const inserted = storing.get(update.updateId)?.then(() => store.insert(update)) ?? store.insert(update);
      const stored = inserted.then(async result => {
        await tell(result);
        return result.isNew && result.refusal === undefined;
      });
      const forget = (): void => {
        if (storing.get(update.updateId) === settled) storing.delete(update.updateId);
      };
      const settled = stored.then(forget, forget);
      storing.set(update.updateId, settled);
      return stored;
    },
    settled: updateId => storing.get(updateId),
  };
}
