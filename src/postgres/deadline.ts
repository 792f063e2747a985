// A deadline for every statement of a connection. A peer that has vanished without a word (a lost primary, a NAT entry
// that is gone) neither answers nor refuses: without a deadline of the client's own a statement waits until the kernel
// gives the connection up, a quarter of an hour later. A connection that misses its deadline is ended at the socket,
// because `client.end()` says goodbye first and waits for the answer to that.
import type pg from 'pg';
import { AppError } from '../errors.ts';

export interface DeadlineOptions {
  /** For one statement, from the call to its answer. */
  readonly deadlineMs: number;
  /** This connection has missed its deadline and is being ended with `error`. */
  readonly onMissed?: (error: AppError) => void;
}

export interface Deadlines {
  /**
   * Another connection to the same server has missed its deadline. This one is ended with the same error, unless it
   * was heard of lately; while a statement is under way it has a moment to answer.
   */
  doubt(error: AppError): void;
  /** Ends this one with that error, unless a statement or a transaction is under way: it finds out by itself then. */
  endIfIdle(error: Error): void;
}

interface Statement {
  readonly startedAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** For a statement that is under way on a connection in doubt, and for a process that was late itself. */
const graceMs = 1_000;
/** How long the server may take to end a connection that says goodbye. */
const goodbyeMs = 1_000;

/** For a connection that is not used yet. What `client.query` rejects with at the deadline is a DATABASE_TIMEOUT. */
export function enforceDeadlines(client: pg.Client, options: DeadlineOptions): Deadlines {
  const { deadlineMs, onMissed } = options;
  const underWay = new Set<Statement>();
  let heardAt = performance.now();
  let probing: NodeJS.Timeout | undefined;
  let goodbye: NodeJS.Timeout | undefined;

  const query = client.query;
  const end = client.end;

  const destroy = (error?: Error): void => void client.connection.stream.destroy(error);

  function miss(): void {
    const error = new AppError({
      code: 'DATABASE_TIMEOUT',
      message: `Postgres did not answer within ${deadlineMs} ms: the connection is given up`,
    });
    destroy(error);
    onMissed?.(error);
  }

  function begin(): (error: unknown) => void {
    const startedAt = performance.now();
    const statement: Statement = { startedAt, timer: undefined };
    statement.timer = setTimeout(() => {
      // A process that was frozen or busy has not read what came meanwhile.
      if (performance.now() - startedAt > deadlineMs + graceMs) statement.timer = setTimeout(miss, graceMs);
      else miss();
    }, deadlineMs);
    underWay.add(statement);
    return error => {
      clearTimeout(statement.timer);
      underWay.delete(statement);
      if (!isOfClient(error)) heardAt = performance.now();
    };
  }

  /** A connection that only listens would never find out that nothing can come any more. */
  function probeWhileListening(text: string): void {
    if (/^\s*unlisten\b/i.test(text)) clearInterval(probing);
    if (!/^\s*listen\b/i.test(text)) return;
    clearInterval(probing);
    probing = setInterval(() => {
      // The connection itself emits what is wrong, to whoever listens.
      if (underWay.size === 0) client.query('select 1').catch(() => undefined);
    }, deadlineMs / 2);
  }

  // SAFETY: the same function with a clock around it: whichever way of calling it is used, arguments go in and the
  // answer comes out as they are.
  client.query = ((...call: unknown[]): unknown => {
    const ended = begin();
    probeWhileListening(textOf(call[0]));
    const callback = call.at(-1);
    if (typeof callback === 'function') {
      call[call.length - 1] = (error: unknown, result: unknown): void => {
        ended(error);
        callback(error, result);
      };
      return Reflect.apply(query, client, call);
    }
    const answer: Promise<unknown> = Reflect.apply(query, client, call);
    answer.then(() => ended(undefined), ended);
    return answer;
  }) as typeof client.query;

  // SAFETY: as above.
  client.end = ((...call: unknown[]): unknown => {
    goodbye ??= setTimeout(destroy, goodbyeMs);
    return Reflect.apply(end, client, call);
  }) as typeof client.end;

  client.once('end', () => {
    clearTimeout(goodbye);
    clearInterval(probing);
  });

  return {
    doubt(error) {
      if (performance.now() - heardAt < deadlineMs / 2) return;
      if (underWay.size === 0) destroy(error);
      for (const statement of underWay) {
        const leftMs = statement.startedAt + deadlineMs - performance.now();
        if (leftMs <= graceMs) continue;
        clearTimeout(statement.timer);
        statement.timer = setTimeout(() => destroy(error), graceMs);
      }
    },
    endIfIdle(error) {
      if (underWay.size === 0 && client.getTransactionStatus() === 'I') destroy(error);
    },
  };
}

/** Statements are texts, or objects with a text. */
function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return typeof statement === 'object' && statement !== null && 'text' in statement
    ? String(statement.text)
    : '';
}

/** What the server has answered with has a SQLSTATE of five characters; all else was made here. */
function isOfClient(error: unknown): boolean {
  return error instanceof Error && !('severity' in error);
}
