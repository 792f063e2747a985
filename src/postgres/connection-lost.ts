// Which failures of a statement are the database's trouble, so that the same work may succeed later or elsewhere, and
// which are the statement's own.
import pg from 'pg';
import { AppError } from '../errors.ts';

/**
 * Classes and codes after which the same statement may succeed:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const passing: readonly string[] = [
  '08', // connection exceptions
  '25006', // read-only transaction: a primary that was demoted
  '25P03', // idle in a transaction for too long: the session was ended
  '40', // rolled back: serialization failure, deadlock
  '53', // no resources: connections, memory, disk
  '55P03', // a lock could not be had in time
  '57014', // cancelled: statement_timeout, or an operator
  '57P0', // shutting down, starting up, sessions ended
  '58', // the system below: input and output
];

/**
 * True when the database could not be asked or did not finish, or this instance lost its right to ask: the same work
 * may succeed once it is back, or elsewhere. Whether a commit that failed so has happened is not known.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return passing.some(code => error.code?.startsWith(code));
  if (error instanceof AppError)
    return (
      error.code === 'DATABASE_ERROR' || error.code === 'DATABASE_TIMEOUT' || error.code === 'LEASE_LOST'
    );
  if (!(error instanceof Error)) return false;
  // node-postgres has no class for these. The pool is ended at a stop only, which leaves the work to another instance.
  if (
    /^Cannot use a pool after calling end on the pool|^Connection terminated|^Client (has encountered a connection error|was closed)|^timeout exceeded when trying to connect|^timeout expired/.test(
      error.message,
    )
  )
    return true;
  return (
    'syscall' in error &&
    'code' in error &&
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)$/.test(
      String(error.code),
    )
  );
}
