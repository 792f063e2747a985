// What a list of durations comes to.
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds in any order; of none, NaN. */
export function latencyOf(milliseconds: readonly number[]): Latency {
  return { p50: quantileOf(milliseconds, 0.5), p99: quantileOf(milliseconds, 0.99) };
}

/** The value below which this share of the values lies; of none, NaN. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}
