// What a list of durations comes to.
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds in any order; of none, NaN. */
export function latencyOf(milliseconds: readonly number[]): Latency {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
