// Keeps a claim young while the work under it goes on.
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';

/** Renews at intervals, one renewal at a time, for `limitMs` at most. Returns what stops it. */
export function renewEvery(
  everyMs: number,
  limitMs: number,
  telemetry: Pick<Telemetry, 'recordError'>,
  renew: () => Promise<void>,
): () => void {
  const beganAt = performance.now();
  let isRenewing = false;
  const timer = setInterval(async () => {
    if (performance.now() - beganAt > limitMs) return clearInterval(timer);
    if (isRenewing) return;
    isRenewing = true;
    try {
      await renew();
    } catch (error) {
      // The next renewal may succeed. If none does, the claim ages, and what is sent now may be sent twice.
      if (!isConnectionLost(error)) telemetry.recordError(error);
    } finally {
      isRenewing = false;
    }
  }, everyMs);
  return () => clearInterval(timer);
}
