// Calls that one statement serves, although each came under the lease that its caller had then.
import type { Lease } from '../lock/lease.ts';

/** A call that waits for its statement, with the lease that it was made under. */
export interface Leased<Item> {
  readonly item: Item;
  readonly lease: Lease;
}

/**
 * Runs what came under one lease together. Nearly always that is all of it; what an instance began under a lease that
 * it has lost since goes under that one, and is refused.
 */
export async function byLease<Item, Result>(
  calls: readonly Leased<Item>[],
  run: (items: readonly Item[], lease: Lease) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const results = new Map<Leased<Item>, Result>();
  for (const [, group] of Map.groupBy(calls, ({ lease: { name, epoch } }) => `${name} ${epoch}`)) {
    const [first] = group;
    if (!first) continue;
    const items = group.map(({ item }) => item);
    for (const [index, result] of (await run(items, first.lease)).entries()) {
      const call = group[index];
      if (call) results.set(call, result);
    }
  }
  // SAFETY: `run` promises one result per item.
  return calls.map(call => results.get(call) as Result);
}
