// Who this bot is: the first thing that Telegram is asked, and the proof that the token is right.
import { type Api, GrammyError, HttpError } from 'grammy';
import type { UserFromGetMe } from 'grammy/types';
import { AppError, errorType } from '../errors.ts';
import { withDeadline } from './call-deadline.ts';
import { refusalOf } from './refusal.ts';

/** What to wait for at the start. */
export function botIdentity(api: Api, apiRoot: string) {
  const name = `Telegram at ${new URL(apiRoot).host}`;
  return {
    name,
    async ask(limitMs: number): Promise<UserFromGetMe> {
      try {
        return await withDeadline(limitMs, () => api.getMe());
      } catch (cause) {
        // grammY's own message says less, and the one inside it holds the token.
        const refusal = refusalOf(cause);
        if (!refusal || cause instanceof GrammyError) throw cause;
        const why = systemErrorOf(cause);
        const message = why === undefined ? refusal.detail : `${refusal.detail} (${why})`;
        throw new AppError({ code: 'TELEGRAM_UNREACHABLE', message, cause });
      }
    },
    /** 401: nobody's token any more; 404: it never was one, or no Bot API is there. */
    refusal: (error: unknown): string | undefined =>
      error instanceof GrammyError && (error.error_code === 401 || error.error_code === 404)
        ? `Correct TELEGRAM_BOT_TOKEN: ${name} answers ${error.error_code} ${error.description}`
        : undefined,
  };
}

/** The name of what the system, TLS or the resolver said, such as ECONNREFUSED or CERT_HAS_EXPIRED. */
function systemErrorOf(error: unknown): string | undefined {
  const inner = error instanceof HttpError ? error.error : error instanceof Error ? error.cause : undefined;
  if (inner !== undefined) return systemErrorOf(inner);
  return error instanceof AppError || !/^[A-Z][A-Z0-9_]+$/.test(errorType(error))
    ? undefined
    : errorType(error);
}
