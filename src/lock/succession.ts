// What an instance that stops has to know while its last work is in flight: whether somebody else does that by now.
import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 100;

/**
 * Looks until `settled`: true then. False as soon as the lease is not this instance's any more, or cannot be looked at:
 * who cannot ask the database cannot commit either. Never rejects.
 */
export async function untilChanged(isOwn: () => Promise<boolean>, settled: Promise<void>): Promise<boolean> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  void settled.then(end, end);
  while (!ended.signal.aborted) {
    try {
      if (!(await isOwn())) return ended.signal.aborted;
    } catch {
      return ended.signal.aborted;
    }
    await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
  }
  return true;
}
