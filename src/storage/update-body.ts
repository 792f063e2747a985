// The body of an update in a column that Postgres reads as JSON. It does not take all that is JSON: what is nested too
// deep for its stack is refused each time, and Telegram would repeat it for ever. Such a body is kept as one JSON
// string, its text, which is read again by this program.
import pg from 'pg';
import { jsonOrUndefined } from '../json.ts';

/** The SQLSTATEs of what a value is to blame for: data exceptions, and limits of the server. */
const contentRefused = /^(22|54)/;

/** Runs `insert` with the body, a JSON text, as it is; and with the body as one string where Postgres refuses that. */
export async function insertBody<T>(body: string, insert: (body: string) => Promise<T>): Promise<T> {
  try {
    return await insert(body);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && contentRefused.test(error.code ?? ''))) throw error;
    return insert(JSON.stringify(body));
  }
}

/** The body as it arrived, from the column. */
export function bodyOf(stored: unknown): unknown {
  return typeof stored === 'string' ? jsonOrUndefined(stored) : stored;
}
