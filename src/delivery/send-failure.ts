// What a failed call means for the outbox: it was refused for good, may be tried later, may not be tried before a time
// that Telegram names, or the user cannot be reached at all.
import { GrammyError } from 'grammy';
import { AppError } from '../errors.ts';
import type { SendFailure } from '../pipeline/sender.ts';
import { refusalOf } from '../telegram/refusal.ts';

/** undefined for a defect: neither Telegram nor the host of a file has answered like this. */
export function sendFailureOf(error: unknown): SendFailure | undefined {
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
    unreachable: refusal.blocked || refusal.code === 'chat_not_found',
    reason: refusal.reason,
    detail: refusal.detail,
    code: refusal.code,
    error,
  };
}

/** Telegram was not asked: the host of the file or our disk failed, or we may not fetch the file. */
export function isFailedDownload(error: unknown): error is AppError {
  return (
    error instanceof AppError && ['DOWNLOAD_FAILED', 'DOWNLOAD_REFUSED', 'SPOOL_FAILED'].includes(error.code)
  );
}

/** The file is too large for us, or its address is not allowed to us. The user's browser may still open it. */
export function isDownloadRefused(error: unknown): boolean {
  return isFailedDownload(error) && error.code === 'DOWNLOAD_REFUSED';
}

/** Telegram did not take the file in this way and sent nothing. It may take it in another way. */
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
