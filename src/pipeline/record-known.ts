// Records what only this process knows: what the supplier answered to an order, and what the messenger took. While the
// database is away it tries again, because nobody can be asked for it a second time.
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { isConnectionLost } from '../postgres/connection-lost.ts';

/** With these pauses, about a minute and a half: longer than a fail-over of Postgres takes. */
const policy = retry(handleWhen(isConnectionLost), {
  maxAttempts: 20,
  backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 5_000 }),
});

/** Rejects with the last error. `record` must be repeatable. */
export function recordKnown<T>(record: () => Promise<T>): Promise<T> {
  return policy.execute(record);
}
