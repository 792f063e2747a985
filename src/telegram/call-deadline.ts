// The time that one piece of work has for everything it calls, inherited by all that is awaited in it. A call asks how
// much is left before it begins, waits no longer, and is not repeated where that does not fit.
import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError } from '../errors.ts';

const deadlines = new AsyncLocalStorage<number>();

/** What `work` calls ends within `ms` from now, whatever deadline is around it. */
export function withDeadline<T>(ms: number, work: () => Promise<T>): Promise<T> {
  return deadlines.run(performance.now() + ms, work);
}

/** The same, unless there is more time left. */
export function withAtLeast<T>(ms: number, work: () => Promise<T>): Promise<T> {
  return remainingMs() >= ms ? work() : withDeadline(ms, work);
}

/** Infinite where there is no deadline; never below 0. */
export function remainingMs(): number {
  const endsAt = deadlines.getStore();
  return endsAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, endsAt - performance.now());
}

/**
 * Waits for `work` for `share` of the time that is left. Then it rejects with AppError TIMEOUT; `work` goes on, and only
 * `onLateFailure` hears of its end.
 */
export async function inTime<T>(
  share: number,
  work: () => Promise<T>,
  onLateFailure: (error: unknown) => void,
): Promise<T> {
  const limitMs = Math.round(remainingMs() * share);
  if (!Number.isFinite(limitMs)) return work();
  const working = work();
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  try {
    return await Promise.race([
      working,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isLate = true;
          reject(new AppError({ code: 'TIMEOUT', message: `It did not end within ${limitMs} ms` }));
        }, limitMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (isLate) working.catch(onLateFailure);
  }
}
