// One HTTP call to one host of KIE.ai: its span, its key, its envelope. A span has codes and statuses only: the key, the
// body, the query and KIE's own texts are in no span and in no error.
import { SpanKind } from '@opentelemetry/api';
import { type Dispatcher, type FormData, request } from 'undici';
import type { ApiFamily } from '../catalogue/schema.ts';
import { errorType } from '../errors.ts';
import type { Result } from '../otel/fields.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import { type Answer, readAnswer } from './answer-envelope.ts';
import type { Breaker } from './breaker.ts';
import type { Operation } from './call-error.ts';

export interface Call {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Where the same operation has several endpoints. */
  readonly api?: ApiFamily;
}

export interface Try {
  readonly query?: Readonly<Record<string, string>>;
  /** JSON, or a form with files. */
  readonly body?: string | FormData;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

export interface Exchange {
  /** Runs all tries of a call in its one client span. */
  inSpan<T>(call: Call, work: () => Promise<T>): Promise<T>;
  /**
   * One try. Resolves with undefined when the answer is not understandable; rejects with CircuitOpen or
   * ConnectFailure, when certainly nothing was sent, or with an error of undici, when that is not certain.
   */
  send(call: Call, attempt: Try): Promise<Answer | undefined>;
}

export interface ExchangeOptions {
  /** Scheme and host. */
  readonly baseUrl: string;
  readonly apiKey: Secret;
  readonly telemetry: Pick<Telemetry, 'inSpan' | 'setAttributes' | 'emit'>;
  readonly breaker?: Pick<Breaker, 'guard'>;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { baseUrl, apiKey, telemetry, breaker } = options;
  const { hostname } = new URL(baseUrl);

  async function exchange(call: Call, { query, body, dispatcher, signal }: Try): Promise<Answer | undefined> {
    const response = await request(new URL(call.path, baseUrl), {
      method: call.method,
      query: { ...query },
      headers: {
        authorization: `Bearer ${apiKey.reveal()}`,
        // A form brings its own type, with the boundary between its parts.
        ...(body === undefined || typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      },
      body: body ?? null,
      dispatcher,
      signal,
    });
    telemetry.setAttributes({ 'http.response.status_code': response.statusCode });
    const answer = readAnswer(response.statusCode, await response.body.text());
    if (answer) telemetry.setAttributes({ 'kie.code': answer.code });
    return answer;
  }

  /** `exchange`, with its KIE_CALL event. */
  async function exchangeWithEvent(call: Call, attempt: Try): Promise<Answer | undefined> {
    const startedAt = performance.now();
    const emitEnd = (result: Result, detail: string): void =>
      telemetry.emit('KIE_CALL', {
        operation: call.operation,
        result,
        reason_detail: detail,
        duration_ms: Math.round(performance.now() - startedAt),
      });
    try {
      const answer = await exchange(call, attempt);
      emitEnd(
        answer?.code === 200 ? 'accepted' : 'rejected',
        answer ? `code ${answer.code}` : 'not understandable',
      );
      return answer;
    } catch (error) {
      emitEnd('failed', errorType(error));
      throw error;
    }
  }

  return {
    inSpan: ({ operation, method, path, api }, work) =>
      telemetry.inSpan(
        `kie ${operation}`,
        {
          kind: SpanKind.CLIENT,
          attributes: {
            'http.request.method': method,
            'server.address': hostname,
            'url.path': path,
            ...(api === undefined ? {} : { 'kie.api': api }),
          },
        },
        work,
      ),
    send: (call, attempt) =>
      breaker ? breaker.guard(() => exchangeWithEvent(call, attempt)) : exchangeWithEvent(call, attempt),
  };
}
