// What a failed Bot API call means for the user and for the telemetry: one classification, used by the
// frame, by deliveries and by notices.
import { GrammyError, HttpError } from 'grammy';
import { AppError, errorType } from '../errors.ts';
import type { DetailCodeOf } from '../otel/events.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import { wasNeverSent } from './call-repetition.ts';

export interface Refusal {
  readonly reason: Extract<ReasonCode, 'DOWNSTREAM_ERROR' | 'DOWNSTREAM_TIMEOUT' | 'RATE_LIMIT'>;
  readonly detail: string;
  /** Where it is one of the cases that the diagnosis tells apart. */
  readonly code: DetailCodeOf<'DELIVERY_FAILED'> | undefined;
  /** The user cannot be written to any more: blocked the bot, deactivated, or never started it. */
  readonly blocked: boolean;
  /** Telegram did answer, and may be asked something else. */
  readonly answered: boolean;
  /** The same call may succeed later. */
  readonly retry: boolean;
  /** It may have been done: it was sent, and nobody knows what became of it. */
  readonly unheard: boolean;
  /** Before that time Telegram takes nothing for this chat. */
  readonly retryAfterMs: number | undefined;
}

/** What refused the call; undefined when it was done. Rejects with what did not come from the Bot API. */
export async function refusedBy(call: Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return refusal;
  }
}

/** undefined for errors that did not come from a Bot API call. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof GrammyError) {
    const detail = `Telegram ${error.method}: ${error.error_code} ${error.description}`;
    const { retry_after: seconds } = error.parameters;
    const retryAfterMs = seconds === undefined ? undefined : seconds * 1_000;
    const code = codeOf(error);
    const answered = { detail, code, answered: true, unheard: false, retryAfterMs } as const;
    if (error.error_code === 403)
      return { ...answered, reason: 'DOWNSTREAM_ERROR', blocked: true, retry: false };
    if (error.error_code === 429) return { ...answered, reason: 'RATE_LIMIT', blocked: false, retry: true };
    return { ...answered, reason: 'DOWNSTREAM_ERROR', blocked: false, retry: error.error_code >= 500 };
  }
  if (error instanceof HttpError) {
    const cause = error.error;
    return {
      reason: isTimeout(cause) ? 'DOWNSTREAM_TIMEOUT' : 'DOWNSTREAM_ERROR',
      ...unansweredBy(cause),
      blocked: false,
      answered: false,
      retry: true,
      unheard: !wasNeverSent(error),
      retryAfterMs: undefined,
    };
  }
  return undefined;
}

/** Telegram has no codes of its own for these: its words are read here, and nowhere else. */
function codeOf({ error_code: status, description }: GrammyError): Refusal['code'] {
  if (status === 403) return /blocked/.test(description) ? 'blocked_by_user' : 'user_unreachable';
  if (status === 400 && /chat not found|PEER_ID_INVALID/.test(description)) return 'chat_not_found';
  return undefined;
}

function unansweredBy(cause: unknown): Pick<Refusal, 'code' | 'detail'> {
  if (errorType(cause) === 'TELEGRAM_NOT_ASKED')
    return {
      code: 'telegram_not_asked',
      detail: 'there was no time or no connection left to ask Telegram',
    };
  if (isInvalid(cause))
    return { code: 'telegram_answer_invalid', detail: 'Telegram did not answer as the Bot API does' };
  return isTimeout(cause) && !wasNeverSent(cause)
    ? { code: 'telegram_silent', detail: 'Telegram did not answer in time' }
    : { code: 'telegram_unreachable', detail: 'Telegram could not be reached' };
}

/** Ours, grammY's, and undici's, which have no class in common. */
function isTimeout(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'TIMEOUT' || error.code === 'TELEGRAM_NOT_ASKED';
  if (!(error instanceof Error)) return false;
  return (
    /timed out|aborted/i.test(error.message) ||
    /^(AbortError|TimeoutError)$/.test(error.name) ||
    /^(ETIMEDOUT|UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT)$/.test(errorType(error))
  );
}

function isInvalid(error: unknown): boolean {
  return (
    error instanceof SyntaxError || (error instanceof AppError && error.code === 'TELEGRAM_ANSWER_INVALID')
  );
}

/** Whether a message may still get through. A call without an answer may have been done: then it would be a second. */
export function canBeWrittenTo({ answered, blocked, reason }: Refusal): boolean {
  return answered && !blocked && reason !== 'RATE_LIMIT';
}
