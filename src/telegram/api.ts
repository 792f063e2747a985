// The way to the Bot API: grammY's client over an undici pool (about twice the throughput of its default
// node-fetch), one span per attempt, and retries that cannot send anything twice (repetition.ts). No call outlasts the
// deadline of the work that it belongs to (deadline.ts). The token stands in every URL, so no URL may reach a log or a
// span: spans are made here, where only the method is known.
import { SpanKind } from '@opentelemetry/api';
import { Api, HttpError, type Transformer } from 'grammy';
import { Pool } from 'undici';
import { errorType } from '../errors.ts';
import { assertLeaseOfCaller } from '../lock/lease.ts';
import type { Result } from '../otel/fields.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import { remainingMs } from './call-deadline.ts';
import { isIdempotent, repeating } from './call-repetition.ts';
import { checkedEnvelope } from './envelope.ts';
import { postJson } from './json-post.ts';

export interface TelegramApi {
  readonly api: Api;
  /** For getUpdates, whose calls last as long as the poll and must not be repeated by themselves. */
  readonly polling: Api;
  stop(): Promise<void>;
}

export interface TelegramApiOptions {
  readonly token: Secret;
  readonly apiRoot: string;
  readonly telemetry: Pick<Telemetry, 'inSpan' | 'setAttributes' | 'recordError' | 'emit'>;
}

/** Telegram answers within a second or so; uploads may take longer. */
const callTimeoutSeconds = 30;
/** What may be done twice is given up sooner, because it can be tried again. */
const idempotentTimeoutSeconds = 8;
/** Above what a poll may take: who polls has a limit of its own (polling.ts). */
const pollTimeoutSeconds = 75;
const connections = 600;
/** The longest answer to a call has some hundred kB. One that goes on is given up: others of its kind come with it. */
const longestAnswerBytes = 1024 * 1024;
/** A poll brings up to 100 updates. */
const longestPollAnswerBytes = 32 * 1024 * 1024;

export function createTelegramApi(options: TelegramApiOptions): TelegramApi {
  const root = new URL(options.apiRoot);
  // One origin; the path of a self-hosted server behind a prefix is part of every call.
  const openPool = (maxResponseSize: number): Pool =>
    new Pool(root.origin, {
      connections,
      keepAliveTimeout: 30_000,
      headersTimeout: pollTimeoutSeconds * 1_000,
      bodyTimeout: pollTimeoutSeconds * 1_000,
      maxResponseSize,
    });
  const client = (pool: Pool, timeoutSeconds: number) => ({
    apiRoot: options.apiRoot,
    timeoutSeconds,
    fetch: createFetch(pool),
  });
  const pool = openPool(longestAnswerBytes);
  const pollPool = openPool(longestPollAnswerBytes);
  const api = new Api(options.token.reveal(), client(pool, callTimeoutSeconds));
  // The last one installed runs first: repetitions, whether it is still ours to call, a span around each attempt, a look
  // at the answer, the wire.
  api.config.use(
    direct(pool, root.pathname.replace(/\/$/, ''), options.token),
    checkedEnvelope,
    tracing(options),
    fenced,
    repeating,
  );
  const polling = new Api(options.token.reveal(), client(pollPool, pollTimeoutSeconds));
  polling.config.use(checkedEnvelope);
  return {
    api,
    polling,
    async stop() {
      await Promise.all([pool.destroy(), pollPool.destroy()]);
    },
  };
}

/** What was begun under a lost lease is somebody else's: neither a call nor its repetition may overtake theirs. */
const fenced: Transformer = async (previous, method, payload, signal) => {
  assertLeaseOfCaller();
  return previous(method, payload, signal);
};

/** Calls that never carry a file; all that a tap needs. */
const plainMethods: ReadonlySet<string> = new Set([
  'answerCallbackQuery',
  'editMessageText',
  'editMessageReplyMarkup',
  'sendMessage',
  'deleteMessage',
  'sendChatAction',
]);

/**
 * Sends plain calls straight through undici. grammY's own client, which the rest goes through, makes an abort
 * controller, a timer and a race for each call, and costs about as much again as the request itself.
 */
function direct(pool: Pool, prefix: string, token: Secret): Transformer {
  return async (previous, method, payload, signal) => {
    const timeoutMs = timeoutOf(method);
    if (!plainMethods.has(method) || signal) {
      // SAFETY: grammY types signals as its polyfill's; it only listens for `abort`.
      const atDeadline = AbortSignal.timeout(Math.ceil(timeoutMs)) as unknown as typeof signal;
      return previous(method, payload, signal ?? atDeadline);
    }
    try {
      const path = `${prefix}/bot${token.reveal()}/${method}`;
      const answer = await postJson(pool, path, JSON.stringify(payload), timeoutMs);
      // SAFETY: whether it is the Bot API's envelope is looked at by the next one, checkedEnvelope.
      return answer as Awaited<ReturnType<typeof previous>>;
    } catch (error) {
      throw new HttpError(`Network request for '${method}' failed!`, error);
    }
  };
}

/** For one attempt: never longer than what is left for all. */
function timeoutOf(method: string): number {
  const seconds = isIdempotent(method) ? idempotentTimeoutSeconds : callTimeoutSeconds;
  return Math.min(seconds * 1_000, remainingMs());
}

type Fetch = NonNullable<NonNullable<ConstructorParameters<typeof Api>[1]>['fetch']>;

/** The part of fetch that grammY uses: a POST whose answer is read as JSON. */
function createFetch(pool: Pool): Fetch {
  const fetchWithUndici = async (
    url: string,
    init: { method: string; headers: Record<string, string>; body: string; signal: AbortSignal },
  ) => {
    const response = await pool.request({
      method: init.method === 'GET' ? 'GET' : 'POST',
      path: new URL(url).pathname,
      headers: init.headers,
      body: init.body,
      // grammY's signal is a polyfill; undici's request, unlike fetch, takes anything with its events.
      signal: init.signal,
    });
    return { json: () => response.body.json() };
  };
  // SAFETY: grammY types `fetch` as node-fetch's, but its client calls it as above and only reads json().
  return fetchWithUndici as unknown as Fetch;
}

function tracing({ telemetry }: Pick<TelegramApiOptions, 'telemetry'>): Transformer {
  return (previous, method, payload, signal) =>
    telemetry.inSpan(
      `telegram ${method}`,
      { kind: SpanKind.CLIENT, attributes: { 'rpc.system.name': 'telegram', 'rpc.method': method } },
      async () => {
        const startedAt = performance.now();
        const emitEnd = (result: Result, detail?: string): void =>
          telemetry.emit('TELEGRAM_CALL', {
            operation: method,
            result,
            reason_detail: detail,
            duration_ms: Math.round(performance.now() - startedAt),
          });
        let response: Awaited<ReturnType<typeof previous>>;
        try {
          response = await previous(method, payload, signal);
        } catch (error) {
          emitEnd('failed', errorType(error instanceof HttpError ? error.error : error));
          throw error;
        }
        if (response.ok) emitEnd('accepted');
        else {
          emitEnd('rejected', `${response.error_code} ${response.description}`);
          telemetry.setAttributes({
            'rpc.response.status_code': String(response.error_code),
            'telegram.description': response.description,
          });
          if (!isUnchanged(response))
            telemetry.recordError(new TelegramRefusal(response.error_code, response.description));
        }
        return response;
      },
    );
}

/** Only for the span of a refused call; grammY throws its own GrammyError to the caller. */
class TelegramRefusal extends Error {
  readonly error_code: number;

  constructor(code: number, description: string) {
    super(description);
    this.error_code = code;
  }
}

/** Telegram's way of saying that an edit had nothing to do. */
export function isUnchanged(response: {
  readonly error_code: number;
  readonly description: string;
}): boolean {
  return response.error_code === 400 && response.description.includes('message is not modified');
}
