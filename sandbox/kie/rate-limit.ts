// The limit of new orders per account: over it a request is dropped, not queued. A window that slides by the
// stand-in's clock; requests that were dropped do not count.

export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** What KIE gives an account that asked for nothing else. */
export const vendorRateLimit: RateLimit = { requests: 20, windowMs: 10_000 };

/** Tells of each request whether it is within the limit; without one all are. */
export function createRateLimiter(limit: RateLimit | undefined, now: () => number): () => boolean {
  const taken: number[] = [];
  return () => {
    if (limit === undefined) return true;
    const oldest = now() - limit.windowMs;
    while (taken[0] !== undefined && taken[0] <= oldest) taken.shift();
    if (taken.length >= limit.requests) return false;
    taken.push(now());
    return true;
  };
}
