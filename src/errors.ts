// The one error class of the project and the catalogue of its codes.
// Code branches on `code` and `retryable`, never on message text. A message names what is wrong and
// what to do; it must never hold a secret, a prompt or a raw Telegram id, because messages reach log
// lines and spans. Raw third-party errors travel as `cause`, which the telemetry does not print.

/** Code → whether running the same work again, unchanged, can succeed. Codes are never reused. */
const catalogue = {
  CONFIG_INVALID: { retryable: false },
  MIGRATION_FAILED: { retryable: false },
  DATABASE_ERROR: { retryable: true },
  /** No answer within the deadline: whether the statement was executed is not known. */
  DATABASE_TIMEOUT: { retryable: true },
  LEASE_LOST: { retryable: true },
  LOCK_POOLER: { retryable: false },
  WALLET_REFUSED: { retryable: false },
  CALLBACK_DATA_TOO_LONG: { retryable: false },
  CATALOGUE_INVALID: { retryable: false },
  TELEGRAM_UNREACHABLE: { retryable: true },
  /** There was no time left, or no connection in time: nothing was sent. */
  TELEGRAM_NOT_ASKED: { retryable: true },
  TELEGRAM_ANSWER_INVALID: { retryable: true },
  KIE_NOT_REACHED: { retryable: true },
  KIE_UNKNOWN_OUTCOME: { retryable: false },
  KIE_REFUSED: { retryable: false },
  DOWNLOAD_REFUSED: { retryable: false },
  DOWNLOAD_FAILED: { retryable: true },
  /** Our own disk: full, away, or not ours to write to. */
  SPOOL_FAILED: { retryable: true },
  SANDBOX_REFUSED: { retryable: false },
  REPLAY_IMPOSSIBLE: { retryable: false },
  ATTEMPTS_SPENT: { retryable: false },
  INPUT_FILE_TOO_BIG: { retryable: false },
  INPUT_FILE_GONE: { retryable: false },
  INPUT_FILE_UNREACHABLE: { retryable: true },
  LINES_LOST: { retryable: false },
  TIMEOUT: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof catalogue;

export interface AppErrorOptions {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause?: unknown;
  /** Overrides the catalogue where this one occurrence is known better. */
  readonly retryable?: boolean;
  /** Small, printable facts: a status code, a field name. Never secrets or user text. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = options.code;
    this.retryable = options.retryable ?? catalogue[options.code].retryable;
    this.details = options.details ?? {};
  }
}

/** The text of anything that can be thrown. It may quote a secret: scrub it before it is shown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The low-cardinality name of an error, for `error.type` and the `error_type` field: our code, the
 * error_code of a Bot API refusal (`telegram_403`), a SQLSTATE or errno, else the class name.
 */
export function errorType(error: unknown): string {
  if (error instanceof AppError) return error.code;
  if (!(error instanceof Error)) return typeof error;
  if ('error_code' in error && typeof error.error_code === 'number') return `telegram_${error.error_code}`;
  if ('code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{2,40}$/.test(error.code))
    return error.code;
  return error.name;
}
