// The durable inbox: an update is acknowledged only after it is stored. Updates that arrive while an insert
// is under way go together in the next one (group commit). A batch that fails is stored row by row, so that
// one bad row never fails its neighbours.
import type { NewUpdate, UpdateStore } from '../storage/update-store.ts';

export interface Inbox {
  /** Resolves when the update is durable. Rejects when it could not be stored: then it must not be acknowledged. */
  store(update: NewUpdate): Promise<{ readonly duplicate: boolean }>;
  /**
   * Resolves once an update that this process is storing is settled, at once for every other. Its worker waits
   * for this, so that the steps of one update are told in their order.
   */
  settled(updateId: number): Promise<unknown> | undefined;
  /** Resolves when everything handed over so far is stored or has failed. */
  flush(): Promise<void>;
}

/** Rows of one statement. */
const batchSize = 200;
/** Two statements in flight keep the database busy while the next batch gathers. */
const batchesInFlight = 2;

interface Waiting {
  readonly update: NewUpdate;
  readonly resolve: (result: { readonly duplicate: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

export function createInbox(store: UpdateStore): Inbox {
  let waiting: Waiting[] = [];
  const inFlight = new Set<Promise<void>>();
  const storing = new Map<number, Promise<unknown>>();

  function startBatches(): void {
    while (waiting.length > 0 && inFlight.size < batchesInFlight) {
      const { batch, rest } = takeBatch(waiting);
      waiting = rest;
      const work = insertBatch(batch).finally(() => {
        inFlight.delete(work);
        startBatches();
      });
      inFlight.add(work);
    }
  }

  async function insertBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      settle(batch, await store.insert(batch.map(({ update }) => update)));
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else await insertSingly(batch);
    }
  }

  async function insertSingly(batch: readonly Waiting[]): Promise<void> {
    for (const entry of batch) {
      try {
        settle([entry], await store.insert([entry.update]));
      } catch (error) {
        entry.reject(error);
      }
    }
  }

  return {
    store(update) {
      const stored = new Promise<{ readonly duplicate: boolean }>((resolve, reject) => {
        waiting.push({ update, resolve, reject });
        startBatches();
      });
      storing.set(update.updateId, stored);
      const forget = (): void => {
        if (storing.get(update.updateId) === stored) storing.delete(update.updateId);
      };
      stored.then(forget, forget);
      return stored;
    },
    settled: updateId => storing.get(updateId),
    async flush() {
      while (inFlight.size > 0) await Promise.all(inFlight);
    },
  };
}

function settle(batch: readonly Waiting[], stored: ReadonlySet<number>): void {
  for (const { update, resolve } of batch) resolve({ duplicate: !stored.has(update.updateId) });
}

/** A repeated update_id waits for the next batch: within one statement the first would hide it as new. */
function takeBatch(waiting: readonly Waiting[]): { batch: Waiting[]; rest: Waiting[] } {
  const batch: Waiting[] = [];
  const rest: Waiting[] = [];
  const ids = new Set<number>();
  for (const entry of waiting) {
    if (batch.length < batchSize && !ids.has(entry.update.updateId)) {
      ids.add(entry.update.updateId);
      batch.push(entry);
    } else {
      rest.push(entry);
    }
  }
  return { batch, rest };
}
