// A value that many ask for and that costs a query. Whoever asks while it is being measured, or soon after, shares
// what comes of it, and nobody waits for it without end. A measurement that hangs is not begun again at once, so
// that no number of questions can use up the connections; but again some time later, because its own connection
// may be the only one that is dead.

export interface ReadingLimits {
  /** Nobody waits longer than this. */
  readonly waitMs: number;
  /** For so long after it came a value is given again; that there was none, as well. */
  readonly validMs: number;
  /** After so long a measurement is not expected to end any more. */
  readonly abandonMs: number;
}

/** Resolves to undefined when the value could not be measured in time. Never rejects. */
export type Reading<T> = () => Promise<T | undefined>;

export function createReading<T>(measure: () => Promise<T>, limits: ReadingLimits): Reading<T> {
  let underWay: { readonly value: Promise<T | undefined>; readonly since: number } | undefined;
  let latest: Promise<T | undefined> | undefined;
  let validUntil = Number.POSITIVE_INFINITY;

  /** Never rejects: whoever asks learns that there is no value; the part that owns the query logs why. */
  async function measureOnce(): Promise<T | undefined> {
    try {
      return await measure();
    } catch {
      return undefined;
    }
  }

  function current(): Promise<T | undefined> {
    if (underWay && performance.now() - underWay.since < limits.abandonMs) return underWay.value;
    const begun = { value: measureOnce(), since: performance.now() };
    underWay = begun;
    void begun.value.then(() => {
      if (underWay === begun) underWay = undefined;
    });
    return begun.value;
  }

  async function read(): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<undefined>(resolve => {
      timer = setTimeout(() => resolve(undefined), limits.waitMs);
    });
    const value = await Promise.race([current(), waited]);
    clearTimeout(timer);
    validUntil = performance.now() + limits.validMs;
    return value;
  }

  return () => {
    if (!latest || performance.now() >= validUntil) {
      validUntil = Number.POSITIVE_INFINITY;
      latest = read();
    }
    return latest;
  };
}
