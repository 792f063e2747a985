// The durable inbox: an update is acknowledged only after it is stored.
import type { NewUpdate, Stored } from '../storage/update-insert.ts';
import type { UpdateStore } from '../storage/update-store.ts';

export interface Inbox {
  /**
   * Resolves when the update is durable and `emit` has reported it, to whether it takes a place: somebody has to work it.
   * Rejects when it could not be stored: then it must not be acknowledged.
   */
  store(update: NewUpdate, emit: (stored: Stored) => Promise<void>): Promise<boolean>;
  /**
   * Resolves, never rejects, once nothing is left to emit about the storing of an update; undefined for updates
   * that are not being stored here. Workers wait for it, so that the events of one update are emitted in order.
   */
  settled(updateId: number): Promise<void> | undefined;
}

export function createInbox(store: UpdateStore): Inbox {
  const storing = new Map<number, Promise<void>>();
  return {
    store(update, emit) {
      // One that comes again while the first is being stored waits until that is reported: then it is known whether it was stored.
      const inserted = storing.get(update.updateId)?.then(() => store.insert(update)) ?? store.insert(update);
      const stored = inserted.then(async result => {
        await emit(result);
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
