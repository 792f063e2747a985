// Owns the one way in which a method refuses: an ApiError becomes the envelope `{ok: false, error_code, description,
// parameters?}` with the HTTP status of the same number.
// The descriptions are Telegram's own words, because clients are known to match on them. Where they come from is said
// in docs of the Bot API server (tdlib/telegram-bot-api) and of TDLib, or, marked "reported", in public bug reports.
// It does not decide when to refuse: that is done by the modules that own the rule.

/** A refusal as Telegram sends it. `retryAfterSeconds` fills `parameters.retry_after` and the Retry-After header. */
export class ApiError extends Error {
  readonly code: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: number, description: string, retryAfterSeconds?: number) {
    super(description);
    this.name = 'ApiError';
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** 400. The server adds the prefix itself, as it does here. */
export function badRequest(description: string): ApiError {
  return new ApiError(400, `Bad Request: ${description}`);
}

/** 403: the bot may not write to this chat. */
export function forbidden(description: string): ApiError {
  return new ApiError(403, `Forbidden: ${description}`);
}

/** 409: two consumers of updates at once. */
export function conflict(description: string): ApiError {
  return new ApiError(409, `Conflict: ${description}`);
}

/** 429 with the number of seconds to wait. */
export function tooManyRequests(retryAfterSeconds: number): ApiError {
  return new ApiError(429, `Too Many Requests: retry after ${retryAfterSeconds}`, retryAfterSeconds);
}

/** 404 for a path or a method that does not exist. */
export function notFound(what?: string): ApiError {
  return new ApiError(404, what === undefined ? 'Not Found' : `Not Found: ${what}`);
}
