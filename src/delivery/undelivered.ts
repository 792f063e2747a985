// What a failed sending means for the outbox: refused for good, to be tried later, not before a time that Telegram
// names, or the user is out of reach.
import { GrammyError } from 'grammy';
import { AppError } from '../errors.ts';
import type { Undelivered } from '../pipeline/deliverer.ts';
import { refusalOf } from '../telegram/refusal.ts';

/** undefined for defects, which are no answer of Telegram or of the host of a file. */
export function undeliveredOf(error: unknown): Undelivered | undefined {
  if (isFailedDownload(error)) {
    const { message: detail, retryable: retry } = error;
    return {
      ok: false,
      retry,
      retryAfterMs: undefined,
      unreachable: false,
      reason: error.code === 'SPOOL_FAILED' ? 'INTERNAL_ERROR' : 'DOWNSTREAM_ERROR',
      detail,
      error,
    };
  }
  const refusal = refusalOf(error);
  if (!refusal) return undefined;
  return {
    ok: false,
    retry: refusal.retry,
    retryAfterMs: refusal.retryAfterMs,
    unreachable: refusal.blocked || isChatGone(error),
    reason: refusal.reason,
    detail: refusal.detail,
    error,
  };
}

/** The host of the file failed, or our disk, or the file may not be fetched: Telegram was not asked. */
export function isFailedDownload(error: unknown): error is AppError {
  return (
    error instanceof AppError && ['DOWNLOAD_FAILED', 'DOWNLOAD_REFUSED', 'SPOOL_FAILED'].includes(error.code)
  );
}

/** Too large for us, or at an address that we do not go to: a user's browser may do better. */
export function isDownloadRefused(error: unknown): boolean {
  return isFailedDownload(error) && error.code === 'DOWNLOAD_REFUSED';
}

/** Telegram did not take this file in this way, and sent nothing; it may take it in another one. */
export function isFileRefused(error: unknown): error is GrammyError {
  return (
    error instanceof GrammyError &&
    (error.error_code === 400 || error.error_code === 413) &&
    error.parameters.retry_after === undefined &&
    !isChatGone(error)
  );
}

function isChatGone(error: unknown): boolean {
  return (
    error instanceof GrammyError &&
    error.error_code === 400 &&
    /chat not found|PEER_ID_INVALID/.test(error.description)
  );
}
