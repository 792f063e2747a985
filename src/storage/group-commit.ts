// Group commit: calls that arrive in one turn of the event loop, or while statements are under way, go together in
// the next one. It turns one round trip, one wake-up of Postgres and one fsync per call into one per batch, and needs
// no timer: under no load a call goes at the end of its turn. A batch that fails for what is in it is run again call by
// call, so that one bad row never fails its neighbours; where the database was not there they all fail at once, because
// one after the other they would wait for it two hundred times.
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { isConnectionLost } from '../postgres/connection-lost.ts';

export interface GroupCommitOptions<Item, Result> {
  /** One statement for all items; results in the order of the items. Must be safe to run again after it failed. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items with the same key never share a statement. */
  readonly keyOf: (item: Item) => number;
}

/** Resolves or rejects with the outcome of this one item. */
export type GroupCommit<Item, Result> = (item: Item) => Promise<Result>;

/** Rows of one statement. */
const batchSize = 200;
/** Two statements in flight keep the database busy while the next batch gathers. */
const batchesInFlight = 2;

interface Call<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export function createGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): GroupCommit<Item, Result> {
  let waiting: Call<Item, Result>[] = [];
  let inFlight = 0;
  let isPlanned = false;

  /** What arrives in one turn of the event loop goes together. */
  function plan(): void {
    if (isPlanned || waiting.length === 0 || inFlight >= batchesInFlight) return;
    isPlanned = true;
    // A batch serves many traces and belongs to none of them.
    context.with(ROOT_CONTEXT, () => setImmediate(startBatches));
  }

  function startBatches(): void {
    isPlanned = false;
    while (waiting.length > 0 && inFlight < batchesInFlight) {
      const batch = takeBatch();
      inFlight += 1;
      void runBatch(batch).finally(() => {
        inFlight -= 1;
        plan();
      });
    }
  }

  function takeBatch(): readonly Call<Item, Result>[] {
    const batch: Call<Item, Result>[] = [];
    const rest: Call<Item, Result>[] = [];
    const keys = new Set<number>();
    for (const call of waiting) {
      const key = options.keyOf(call.item);
      if (batch.length < batchSize && !keys.has(key)) {
        keys.add(key);
        batch.push(call);
      } else {
        rest.push(call);
      }
    }
    waiting = rest;
    return batch;
  }

  /** Never rejects: every call of the batch gets its own outcome. */
  async function runBatch(batch: readonly Call<Item, Result>[]): Promise<void> {
    try {
      const results = await options.run(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) {
        // SAFETY: `run` promises one result per item.
        resolve(results[index] as Result);
      }
    } catch (error) {
      if (batch.length === 1 || isConnectionLost(error)) for (const { reject } of batch) reject(error);
      else for (const call of batch) await runBatch([call]);
    }
  }

  return item =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      plan();
    });
}
