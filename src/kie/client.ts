// The client of KIE.ai: orders generations in every family of its API, asks how they are going, stores input
// files, reads the account's credits. Only what costs nothing is repeated. All calls to the API host pass one
// circuit breaker; the file host is another machine and has none.
import type { ApiFamily } from '../catalogue/schema.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { Secret } from '../secret.ts';
import type { Answer } from './answer-envelope.ts';
import { type BreakerLimits, type BreakerState, createBreaker } from './breaker.ts';
import { notReached, refused } from './call-error.ts';
import { meaningOf } from './codes.ts';
import { createConnections } from './connection.ts';
import { type Call, createExchange, type Exchange, type Try } from './exchange.ts';
import { families } from './families.ts';
import { createSubmission, type VendorOrder } from './order-call.ts';
import { isOfAnotherOrder } from './order-of-record.ts';
import { createRepetition, type Repetition } from './repetition.ts';
import type { TaskStatus } from './task-status.ts';
import { type UploadFile, uploadedUrl, uploadForm, uploadPath } from './upload.ts';
import { namedTask } from './vendor-task-id.ts';

export type { BreakerState } from './breaker.ts';
export type { VendorOrder } from './order-call.ts';
export type { TaskStatus } from './task-status.ts';
export type { UploadFile } from './upload.ts';

export interface KieClient {
  /**
   * Sends the order once and resolves with KIE's task id when it was accepted (not: finished).
   * Rejects with an AppError:
   * - KIE_NOT_REACHED: certainly not executed, retryable. details `{circuit: 'open'}` when it was not even
   *   tried, because KIE is known to be down; `{withheld}` when `assertMayBeSent`, which is asked last of all, has thrown:
   *   the type of that error.
   * - KIE_REFUSED: a definite no. details `{code, kind, reason, charge, field?}`, see codes.ts; `field` is the
   *   key of `input` that KIE named. Retryable only for 429 and 455. Without `code`, and with the kind
   *   `callback_missing`, when the family needs a callback URL and the order has none: nothing was sent.
   * - KIE_UNKNOWN_OUTCOME: sent, and no understandable answer. It may have been executed: never resend.
   */
  submit(order: VendorOrder, assertMayBeSent?: () => void): Promise<{ readonly vendorTaskId: string }>;
  /**
   * Asks for the state of a task; repeats by itself what can pass, with jitter, within `timeoutMs` in all.
   * Rejects with an AppError: KIE_NOT_REACHED (no usable answer), TIMEOUT (the deadline passed) or
   * KIE_REFUSED (details as above). None of them says anything about the task. A record of another order of ours, which
   * `callbackToken` (of this task) shows, is `failed`: its files are another user's.
   */
  status(api: ApiFamily, vendorTaskId: string, callbackToken?: string): Promise<TaskStatus>;
  /**
   * Stores a file at KIE and resolves with its URL, which serves as an input for a day. Free of charge, and
   * repeated like `status`, within `uploadTimeoutMs`; rejects like it.
   */
  upload(file: UploadFile): Promise<{ readonly url: string }>;
  /** What the account holds. Repeats and rejects like `status`. */
  creditsLeft(): Promise<number>;
  /** Of the API host's circuit. */
  breakerState(): BreakerState;
  /** Ends the idle connections, after the calls that are under way. */
  close(): Promise<void>;
}

export interface KieClientOptions {
  /** Scheme and host of the API, for example https://api.kie.ai. */
  readonly apiUrl: string;
  /** Scheme and host that takes files, for example https://kieai.redpandaai.co. */
  readonly uploadUrl: string;
  readonly apiKey: Secret;
  readonly telemetry: Pick<Telemetry, 'inSpan' | 'setAttributes' | 'emit'>;
  /** Deadline of each call with all its repetitions; 30 s by default. */
  readonly timeoutMs?: number;
  /** The same for orders, which are not repeated; that of the other calls by default. */
  readonly submitTimeoutMs?: number;
  /** The same for uploads; 120 s by default. */
  readonly uploadTimeoutMs?: number;
  readonly breaker?: Partial<BreakerLimits>;
}

const defaultTimeoutMs = 30_000;
const defaultUploadTimeoutMs = 120_000;
const longestConnectMs = 10_000;

const creditsCall: Call = { operation: 'credits', method: 'GET', path: '/api/v1/chat/credit' };
const uploadCall: Call = { operation: 'upload', method: 'POST', path: uploadPath };

export function createKieClient(options: KieClientOptions): KieClient {
  const { apiKey, telemetry, timeoutMs = defaultTimeoutMs } = options;
  const submitTimeoutMs = options.submitTimeoutMs ?? timeoutMs;
  const lookups = createRepetition(timeoutMs);
  const uploads = createRepetition(options.uploadTimeoutMs ?? defaultUploadTimeoutMs);
  const breaker = createBreaker({ ...options.breaker, host: new URL(options.apiUrl).hostname, telemetry });
  const apiHost = createExchange({ baseUrl: options.apiUrl, apiKey, telemetry, breaker });
  const fileHost = createExchange({ baseUrl: options.uploadUrl, apiKey, telemetry });
  const orderConnections = createConnections({
    connectTimeoutMs: Math.min(longestConnectMs, submitTimeoutMs / 2),
    keepAlive: false,
  });
  const connections = createConnections({
    connectTimeoutMs: Math.min(longestConnectMs, lookups.tryMs / 2),
    keepAlive: true,
  });

  const submission = createSubmission({
    exchange: apiHost,
    dispatcher: orderConnections,
    timeoutMs: submitTimeoutMs,
    ready: () => (breaker.state() === 'closed' ? Promise.resolve() : probe()),
  });

  /** The probe of a host that failed must not be an order, whose outcome could stay unknown: a free call goes first. */
  function probe(): Promise<void> {
    return apiHost.inSpan(creditsCall, async () => {
      try {
        const signal = AbortSignal.timeout(lookups.tryMs);
        await apiHost.send(creditsCall, { dispatcher: connections, signal });
      } catch (cause) {
        throw notReached('credits', cause);
      }
      if (breaker.state() !== 'closed') throw notReached('credits', undefined);
    });
  }

  /** All tries of a free call; `read` makes its result of an answer, or throws what is wrong with it. */
  function ask<T>(
    exchange: Exchange,
    repetition: Repetition,
    call: Call,
    content: Pick<Try, 'query' | 'body'>,
    read: (answer: Answer) => T,
  ): Promise<T> {
    return exchange.inSpan(call, () =>
      repetition.run(call.operation, async (attempt, signal) => {
        if (attempt > 0) telemetry.setAttributes({ 'http.request.resend_count': attempt });
        let answer: Answer | undefined;
        try {
          answer = await exchange.send(call, { ...content, dispatcher: connections, signal });
        } catch (cause) {
          throw notReached(call.operation, cause);
        }
        if (!answer) throw notReached(call.operation, undefined);
        return read(answer);
      }),
    );
  }

  return {
    submit: (order, assertMayBeSent = () => undefined) => submission.submit(order, assertMayBeSent),
    status(api, vendorTaskId, callbackToken) {
      const { statusPath, readStatus } = families[api];
      const call: Call = { operation: 'recordInfo', method: 'GET', path: statusPath, api };
      return ask(apiHost, lookups, call, { query: { taskId: vendorTaskId } }, answer => {
        const named = namedTask(answer.data);
        // A record of another order would give somebody else's files to a user.
        if (named !== undefined && named !== vendorTaskId) throw notReached('recordInfo', undefined);
        if (callbackToken !== undefined && isOfAnotherOrder(answer.data, callbackToken)) {
          // Without the id it may be the answer to another look-up. With it, the answer to the order was another's.
          if (named === undefined) throw notReached('recordInfo', undefined);
          return { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: 'record_of_another_order' };
        }
        const status = readStatus(answer.data);
        // Records of failed tasks can come in an envelope that has their code.
        if (status && (answer.code === 200 || status.state !== 'unknown')) return status;
        // 422 is documented here as "record is null", as well as 404.
        if ([200, 404, 422].includes(answer.code)) return { state: 'not_found' };
        throw passingRefusal(call, answer);
      });
    },
    upload(file) {
      return ask(fileHost, uploads, uploadCall, { body: uploadForm(file) }, answer => {
        if (answer.code !== 200) throw passingRefusal(uploadCall, answer);
        const url = uploadedUrl(answer);
        if (url === undefined) throw notReached('upload', undefined);
        return { url };
      });
    },
    creditsLeft() {
      return ask(apiHost, lookups, creditsCall, {}, answer => {
        if (answer.code !== 200) throw passingRefusal(creditsCall, answer);
        if (typeof answer.data !== 'number') throw notReached('credits', undefined);
        return answer.data;
      });
    },
    breakerState: breaker.state,
    async close() {
      await Promise.all([orderConnections.close(), connections.close()]);
    },
  };
}

/** Of a free call: errors of the server may be tried again, too. */
function passingRefusal({ operation }: Call, answer: Answer): Error {
  const meaning = meaningOf(answer.code, answer.text);
  return refused(operation, answer, meaning, { mayPass: meaning.kind === 'server' || answer.code >= 500 });
}
