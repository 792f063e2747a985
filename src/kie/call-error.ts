// The errors of calls to KIE.ai: one for each way a call can end badly, saying whether it may have been
// executed. KIE's own texts can quote the prompt, so of them nothing is kept but a name that we sent ourselves.
import { AppError, errorType } from '../errors.ts';
import type { Answer } from './answer-envelope.ts';
import { CircuitOpen } from './breaker.ts';
import type { CodeMeaning } from './codes.ts';
import { ConnectFailure, Withheld } from './connection.ts';

export type Operation = 'createTask' | 'recordInfo' | 'upload' | 'credits';

/**
 * No usable answer; for an order also: certainly not executed. `cause` is undefined when something answered
 * that is not KIE. details `{circuit: 'open'}` when nothing was tried, because the host is known to be down, and
 * `{withheld}`, the type of the caller's error, when the caller did not want it sent any more.
 */
export function notReached(operation: Operation, cause: unknown): AppError {
  const root = cause instanceof ConnectFailure || cause instanceof Withheld ? cause.cause : cause;
  const why = root === undefined ? 'the answer is not understandable' : errorType(root);
  return new AppError({
    code: 'KIE_NOT_REACHED',
    message: `KIE.ai was not reached for ${operation} (${why})`,
    cause,
    ...(cause instanceof CircuitOpen ? { details: { circuit: 'open' } } : {}),
    ...(cause instanceof Withheld ? { details: { withheld: errorType(cause.cause) } } : {}),
  });
}

/** Sent, and no understandable answer. */
export function unknownOutcome(why: string, cause?: unknown): AppError {
  return new AppError({
    code: 'KIE_UNKNOWN_OUTCOME',
    message: `KIE.ai may have executed createTask: ${why}; wait for the callback, do not send it again`,
    cause,
  });
}

/** A definite no. */
export function refused(
  operation: Operation,
  answer: Answer,
  meaning: CodeMeaning,
  more: { readonly field?: string | undefined; readonly mayPass?: boolean } = {},
): AppError {
  const { kind, reason, charge } = meaning;
  return new AppError({
    code: 'KIE_REFUSED',
    message: `KIE.ai refused ${operation} with code ${answer.code}: ${meaning.meaning}`,
    retryable: meaning.createMayBeRetried || (more.mayPass ?? false),
    details: {
      code: answer.code,
      kind,
      reason,
      charge,
      ...(more.field === undefined ? {} : { field: more.field }),
    },
  });
}

/** An order that KIE would refuse, so it was not sent. */
export function callbackMissing(api: string): AppError {
  return new AppError({
    code: 'KIE_REFUSED',
    message: `Nothing was sent: an order of the family ${api} needs a callback URL, and the bot has no public address`,
    details: { kind: 'callback_missing', reason: 'MODEL_DISABLED', charge: 'not_charged' },
  });
}
