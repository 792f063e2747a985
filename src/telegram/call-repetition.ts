// When a call to the Bot API is made again: after the time that Telegram asks for, after a connection that was never
// made, and after any failure that passes where doing it twice is the same as doing it once. A send whose answer was
// lost is not repeated here: it may have been done. For that reason none is begun that could not hear its answer. Nothing
// is repeated that does not fit into the time that is left; what is owed then is for whoever called to remember.
// (@grammyjs/auto-retry knows no such time.)
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError, type Transformer } from 'grammy';
import { AppError, errorType } from '../errors.ts';
import { remainingMs } from './call-deadline.ts';

type Response = Awaited<ReturnType<Transformer>>;
type Attempt = { readonly response: Response } | { readonly error: unknown };

const maxAttempts = 3;
const firstPauseMs = 250;
/** A longer wait demanded by Telegram is an outcome, not something to sit out: the chat would be held meanwhile. */
const longestPauseMs = 5_000;
/** What a call is given at least, so that repeating it is of use. */
const shortestCallMs = 500;

/** An answer takes longer, so a send that has less would be one that nobody hears of. */
const shortestSendMs = 200;

/** Doing it twice is the same as doing it once. */
export function isIdempotent(method: string): boolean {
  return /^(answer|edit|delete|set|get|leave)/.test(method);
}

export const repeating: Transformer = async (previous, method, payload, signal) => {
  let unheard: unknown;
  for (let number = 1; ; number += 1) {
    if (!isIdempotent(method) && remainingMs() < shortestSendMs)
      throw new HttpError(
        `'${method}' was not begun`,
        new AppError({ code: 'TELEGRAM_NOT_ASKED', message: 'There was no time left to ask Telegram' }),
      );
    const attempt: Attempt = await previous(method, payload, signal).then(
      response => ({ response }),
      (error: unknown) => ({ error }),
    );
    if ('error' in attempt && !wasNeverSent(attempt.error)) unheard = attempt.error;
    const pauseMs = number < maxAttempts ? pauseAfter(attempt, method, number) : undefined;
    if (pauseMs === undefined || pauseMs + shortestCallMs > remainingMs()) {
      if ('error' in attempt) throw attempt.error;
      // A query takes one answer: perhaps it was the one that nobody heard of. So the outcome is still unknown.
      if (unheard !== undefined && isQueryOver(attempt.response)) throw unheard;
      return attempt.response;
    }
    await sleep(pauseMs);
  }
};

/** undefined where it is not to be repeated. */
function pauseAfter(attempt: Attempt, method: string, number: number): number | undefined {
  const backoffMs = firstPauseMs * 2 ** (number - 1);
  if ('error' in attempt) {
    const { error } = attempt;
    return wasNeverSent(error) || (isIdempotent(method) && error instanceof HttpError)
      ? backoffMs
      : undefined;
  }
  const { response } = attempt;
  if (response.ok) return undefined;
  const { retry_after: seconds } = response.parameters ?? {};
  if (seconds !== undefined) return seconds * 1_000 <= longestPauseMs ? seconds * 1_000 : undefined;
  return isIdempotent(method) && response.error_code >= 500 ? backoffMs : undefined;
}

function isQueryOver(response: Response): boolean {
  return !response.ok && response.error_code === 400 && response.description.includes('query is too old');
}

/** It was not begun, or the connection was never made: nothing was done. */
export function wasNeverSent(error: unknown): boolean {
  const cause = error instanceof HttpError ? error.error : error;
  return ['TELEGRAM_NOT_ASKED', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    errorType(cause),
  );
}
