// Talks to the Market endpoints of KIE.ai: orders a generation and asks how it is going.
// An order costs money and has no idempotency key, so it is sent once, and every failure says whether the
// order may have been executed. Asking is repeated within a deadline. Spans carry codes and statuses; the
// key, the prompt and KIE's own texts (which can quote the prompt) reach no span and no error.
import { SpanKind } from '@opentelemetry/api';
import {
  ExponentialBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { AppError, errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import { type Answer, readAnswer } from './answer.ts';
import { type CodeMeaning, meaningOf } from './codes.ts';
import { ConnectFailure, createConnections } from './connection.ts';
import { readTaskStatus, type TaskStatus, vendorTaskIdSchema } from './task-status.ts';

export interface MarketOrder {
  /** KIE's model id. */
  readonly model: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Where KIE posts the end of the task. */
  readonly callbackUrl?: string;
}

export type { TaskStatus } from './task-status.ts';

export interface MarketClient {
  /**
   * Sends the order once and resolves with KIE's task id when it was accepted (not: finished).
   * Rejects with an AppError:
   * - KIE_NOT_REACHED: no connection; certainly not executed, retryable.
   * - KIE_REFUSED: a definite no. details `{code, kind, reason, field?}`, see codes.ts; `field` is the key
   *   of `input` that KIE named. Retryable only for 429 and 455.
   * - KIE_UNKNOWN_OUTCOME: sent, and no understandable answer. It may have been executed: never resend.
   */
  createTask(order: MarketOrder): Promise<{ readonly vendorTaskId: string }>;
  /**
   * Asks for the state of a task; repeats by itself what can pass, with jitter, within `timeoutMs` in all.
   * Rejects with an AppError: KIE_NOT_REACHED (no usable answer), TIMEOUT (the deadline passed) or
   * KIE_REFUSED (details as above). None of them says anything about the task.
   */
  recordInfo(vendorTaskId: string): Promise<TaskStatus>;
  /** Ends the idle connections, after the calls that are under way. */
  close(): Promise<void>;
}

export interface MarketClientOptions {
  /** Scheme and host, for example https://api.kie.ai. */
  readonly apiUrl: string;
  readonly apiKey: Secret;
  readonly telemetry: Pick<Telemetry, 'inSpan' | 'setAttributes'>;
  /** Deadline of each call, for recordInfo with all its repetitions; 30 s by default. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 30_000;
const longestConnectMs = 10_000;
/** Repetitions of recordInfo after its first try; each try gets its share of the deadline. */
const lookupRetries = 3;
const retryDelaysMs = { first: 200, longest: 2_000 };

const createdSchema = z.object({ taskId: vendorTaskIdSchema });

interface Call {
  readonly operation: 'createTask' | 'recordInfo';
  readonly method: 'GET' | 'POST';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

export function createMarketClient(options: MarketClientOptions): MarketClient {
  const { apiKey, telemetry } = options;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const lookupTryMs = Math.ceil(timeoutMs / lookupRetries);
  const host = new URL(options.apiUrl).hostname;
  const orders = createConnections({
    connectTimeoutMs: Math.min(longestConnectMs, timeoutMs / 2),
    keepAlive: false,
  });
  const lookups = createConnections({
    connectTimeoutMs: Math.min(longestConnectMs, lookupTryMs / 2),
    keepAlive: true,
  });
  const lookupPolicy = wrap(
    timeout(timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: true }),
    retry(
      handleWhen(error => error instanceof AppError && error.retryable),
      {
        maxAttempts: lookupRetries,
        backoff: new ExponentialBackoff({
          initialDelay: retryDelaysMs.first,
          maxDelay: retryDelaysMs.longest,
        }),
      },
    ),
  );

  const inCallSpan = <T>(operation: Call['operation'], method: Call['method'], work: () => Promise<T>) =>
    telemetry.inSpan(
      `kie ${operation}`,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'http.request.method': method,
          'server.address': host,
          'url.path': pathOf(operation),
        },
      },
      work,
    );

  /** One HTTP exchange; undefined when the answer is not understandable. Rejects with undici's errors. */
  async function exchange(call: Call): Promise<Answer | undefined> {
    const response = await request(new URL(pathOf(call.operation), options.apiUrl), {
      method: call.method,
      query: { ...call.query },
      headers: { authorization: `Bearer ${apiKey.reveal()}`, 'content-type': 'application/json' },
      body: call.body ?? null,
      dispatcher: call.dispatcher,
      signal: call.signal,
    });
    telemetry.setAttributes({ 'http.response.status_code': response.statusCode });
    const answer = readAnswer(response.statusCode, await response.body.text());
    if (answer) telemetry.setAttributes({ 'kie.code': answer.code });
    return answer;
  }

  async function order(body: string, input: MarketOrder['input']): Promise<{ vendorTaskId: string }> {
    const signal = AbortSignal.timeout(timeoutMs);
    let answer: Answer | undefined;
    try {
      answer = await exchange({
        operation: 'createTask',
        method: 'POST',
        body,
        dispatcher: orders,
        signal,
      });
    } catch (cause) {
      if (cause instanceof ConnectFailure) throw notReached('createTask', cause);
      throw unknownOutcome(`no answer (${errorType(cause)})`, cause);
    }
    if (!answer) throw unknownOutcome('the answer is not an envelope of KIE.ai');
    const created = createdSchema.safeParse(answer.data);
    // A server error that names a task has made one.
    if (created.success && (answer.code === 200 || answer.code === 500))
      return { vendorTaskId: created.data.taskId };
    if (answer.code === 200) throw unknownOutcome('the answer names no task');
    const meaning = meaningOf(answer.code, answer.text);
    // An undocumented 5xx (502, 504 …) speaks for some gateway, not for what happened behind it.
    if (meaning.kind === 'undocumented' && answer.code >= 500)
      throw unknownOutcome(`code ${answer.code} is not documented`);
    throw refused('createTask', answer, meaning, { field: namedField(answer.text, input) });
  }

  async function lookUp(vendorTaskId: string, attempt: number, outer: AbortSignal): Promise<TaskStatus> {
    if (attempt > 0) telemetry.setAttributes({ 'http.request.resend_count': attempt });
    const signal = AbortSignal.any([outer, AbortSignal.timeout(lookupTryMs)]);
    let answer: Answer | undefined;
    try {
      answer = await exchange({
        operation: 'recordInfo',
        method: 'GET',
        query: { taskId: vendorTaskId },
        dispatcher: lookups,
        signal,
      });
    } catch (cause) {
      throw notReached('recordInfo', cause);
    }
    if (!answer) throw notReached('recordInfo', undefined);
    // 422 is documented here as "record is null", as well as 404.
    if (answer.code === 404 || answer.code === 422) return { state: 'not_found' };
    // Callbacks of failed tasks carry 501 around the record; the same envelope is taken here.
    const status = answer.code === 200 || answer.code === 501 ? readTaskStatus(answer.data) : undefined;
    if (status) return status;
    if (answer.code === 200) return { state: 'not_found' };
    const meaning = meaningOf(answer.code, answer.text);
    throw refused('recordInfo', answer, meaning, {
      mayPass: meaning.kind === 'server' || answer.code >= 500,
    });
  }

  return {
    createTask({ model, input, callbackUrl }) {
      // `callBackUrl` with a capital B: KIE silently ignores any other spelling.
      const body = JSON.stringify({ model, input, callBackUrl: callbackUrl });
      return inCallSpan('createTask', 'POST', () => order(body, input));
    },
    recordInfo(vendorTaskId) {
      return inCallSpan('recordInfo', 'GET', async () => {
        try {
          return await lookupPolicy.execute(({ attempt, signal }) => lookUp(vendorTaskId, attempt, signal));
        } catch (error) {
          if (!(error instanceof TaskCancelledError)) throw error;
          throw new AppError({
            code: 'TIMEOUT',
            message: `KIE.ai did not answer recordInfo within ${timeoutMs} ms`,
          });
        }
      });
    },
    async close() {
      await Promise.all([orders.close(), lookups.close()]);
    },
  };
}

function pathOf(operation: Call['operation']): string {
  return `/api/v1/jobs/${operation}`;
}

function notReached(operation: Call['operation'], cause: unknown): AppError {
  const root = cause instanceof ConnectFailure ? cause.cause : cause;
  const why = root === undefined ? 'the answer is not understandable' : errorType(root);
  return new AppError({
    code: 'KIE_NOT_REACHED',
    message: `KIE.ai was not reached for ${operation} (${why})`,
    cause,
  });
}

function unknownOutcome(why: string, cause?: unknown): AppError {
  return new AppError({
    code: 'KIE_UNKNOWN_OUTCOME',
    message: `KIE.ai may have executed createTask: ${why}; wait for the callback, do not send it again`,
    cause,
  });
}

function refused(
  operation: Call['operation'],
  answer: Answer,
  meaning: CodeMeaning,
  more: { readonly field?: string | undefined; readonly mayPass?: boolean },
): AppError {
  return new AppError({
    code: 'KIE_REFUSED',
    message: `KIE.ai refused ${operation} with code ${answer.code}: ${meaning.meaning}`,
    retryable: meaning.createMayBeRetried || (more.mayPass ?? false),
    details: {
      code: answer.code,
      kind: meaning.kind,
      reason: meaning.reason,
      ...(more.field === undefined ? {} : { field: more.field }),
    },
  });
}

/** The parameter that a refusal names. Only names that we sent ourselves: the text may quote the user. */
function namedField(text: string, input: MarketOrder['input']): string | undefined {
  const words = new Set(text.split(/\W+/));
  return Object.keys(input).find(name => words.has(name));
}
