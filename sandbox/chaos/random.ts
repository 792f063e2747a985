// Numbers that a seed decides, so that what was tried can be tried again (mulberry32).

export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  /** Throws for an empty list. */
  pick<T>(from: readonly T[]): T;
  /** As `pick`, each as likely as its weight says. */
  weighted<T extends { readonly weight: number }>(from: readonly T[]): T;
  chance(probability: number): boolean;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  function pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('there is nothing to pick from');
    // SAFETY: the index is within the list.
    return from[Math.floor(next() * from.length)] as T;
  }

  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick,
    weighted(from) {
      let left = next() * from.reduce((total, { weight }) => total + weight, 0);
      for (const candidate of from) {
        left -= candidate.weight;
        if (left < 0) return candidate;
      }
      return pick(from);
    },
    chance: probability => next() < probability,
  };
}
