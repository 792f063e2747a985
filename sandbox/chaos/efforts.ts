// How much has to happen in a run for it to prove anything. An idle machine of two cores makes a thousand updates and
// seventy tasks of six users in a minute; one that is loaded many times over, a twentieth of that.
import type { Effort } from '../history/history.ts';

/** By six users, each in a minute of faults. */
const leastPerMinute = { updates: 60, tasks: 2, 'samples of the processes': 30 } as const;
const usualUsers = 6;

type Counts = Readonly<Record<keyof typeof leastPerMinute, number>>;

/** Fewer users do less; more of them are not asked for more, because they share the machine. */
export function effortsOf(
  { durationMs, users }: { readonly durationMs: number; readonly users: number },
  counts: Counts,
): Effort[] {
  const share = Math.min(users, usualUsers) / usualUsers;
  const leastOf = (what: keyof Counts): number =>
    Math.floor(
      (leastPerMinute[what] * durationMs * (what === 'samples of the processes' ? 1 : share)) / 60_000,
    );
  // SAFETY: the object has its own keys.
  return (Object.keys(leastPerMinute) as (keyof Counts)[]).map(what => ({
    what,
    count: counts[what],
    least: leastOf(what),
  }));
}
