// A database that takes nothing more: a primary that was demoted, or one that was made read-only. Sessions that began so
// may stay so when it is writable again, or when another server is the primary: they must not be used any longer.
import pg from 'pg';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const readOnlyTransaction = '25006';

/** True where a session cannot write, whatever it is asked for. */
export function isReadOnly(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.code === readOnlyTransaction;
}

/** Calls `onRefused` right after whoever asked has heard that this session cannot write. */
export function watchForReadOnly(client: pg.Client, onRefused: (error: pg.DatabaseError) => void): void {
  client.connection.on('errorMessage', (error: unknown) => {
    if (isReadOnly(error)) onRefused(error);
  });
}
