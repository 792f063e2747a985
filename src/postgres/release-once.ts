// graphile-worker gives the connection on which it listens back twice when that breaks while the runner stops. The pool
// answers the second time by throwing, where nobody catches it, and that would end the process.
import type pg from 'pg';

type Release = (error?: Error | boolean) => void;
type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: Release | undefined,
) => void;

/** From now on whoever takes a connection with a callback may give it back more than once: only the first time counts. */
export function releaseOnce(pool: pg.Pool): void {
  const connect = pool.connect.bind(pool);
  function connectOnce(callback?: Callback): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) return connect();
    // A pool that is ending has nothing to give back, whatever its types say.
    connect((error, client, release: Release | undefined) => {
      if (release === undefined) {
        callback(error, client, release);
        return;
      }
      let isReleased = false;
      callback(error, client, cause => {
        if (isReleased) return;
        isReleased = true;
        release(cause);
      });
    });
    return undefined;
  }
  // SAFETY: it takes what the two overloads take, and gives back what each of them gives.
  pool.connect = connectOnce as typeof pool.connect;
}
