// Lets something happen at most once per key and interval. Memory is bounded: beyond `capacity` the oldest key is
// forgotten, and may then happen again too early.

export interface Throttle {
  /** Whether it may happen for this key now; then it has happened. */
  admits(key: number): boolean;
  /** It did not happen after all, and may now, or in so many milliseconds. */
  forget(key: number, inMs?: number): void;
  /** The keys for which it happened lately, oldest first. */
  admitted(): readonly number[];
}

export interface ThrottleOptions {
  readonly intervalMs: number;
  readonly capacity: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

export function createThrottle(options: ThrottleOptions): Throttle {
  const { intervalMs, capacity, now = () => performance.now() } = options;
  /** Oldest first: a key is put in anew only after it was taken out. */
  const admittedAt = new Map<number, number>();

  function forgetOld(time: number): void {
    for (const [key, at] of admittedAt) {
      if (time - at < intervalMs && admittedAt.size < capacity) return;
      admittedAt.delete(key);
    }
  }

  return {
    admits(key) {
      const time = now();
      const last = admittedAt.get(key);
      if (last !== undefined && time - last < intervalMs) return false;
      admittedAt.delete(key);
      forgetOld(time);
      admittedAt.set(key, time);
      return true;
    },
    forget(key, inMs = 0) {
      admittedAt.delete(key);
      if (inMs > 0) admittedAt.set(key, now() - intervalMs + inMs);
    },
    admitted: () => [...admittedAt.keys()],
  };
}
