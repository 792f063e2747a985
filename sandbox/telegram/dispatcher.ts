// Owns the way of one call from its name and arguments to its reply: planned faults, artificial latency, execution,
// the envelope, the journal; and the way of a file that is downloaded. It knows nothing of HTTP connections.
// Promises that nothing is answered in silence: an unimplemented method or parse mode and a bug of the sandbox itself
// are refused *and* remembered, so that a test can fail because of them.
import { setTimeout as wait } from 'node:timers/promises';
import { ApiError, badRequest, notFound } from './api-error.ts';
import type { CallJournal, CallOutcome } from './call-journal.ts';
import { type Fault, type Faults, FILE_DOWNLOAD } from './faults.ts';
import type { FileStore } from './file-store.ts';
import { UnsupportedParseModeError } from './formatted-text.ts';
import type { CallScope, Method } from './methods/index.ts';
import type { Parameters } from './parameters.ts';
import type { Queries } from './queries.ts';

/** What the server does with the connection; `hang`, `reset` and `close` send nothing. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string | Buffer;
      readonly contentType: 'application/json' | 'text/html' | 'application/octet-stream';
      readonly retryAfterSeconds: number | undefined;
    }
  | { readonly kind: 'hang' | 'reset' | 'close' };

export interface Dispatcher {
  /** Never rejects. */
  call(methodName: string, parameters: Parameters, scope: CallScope): Promise<Reply>;
  /** The file under a path that getFile has given. Never rejects. */
  download(path: string): Promise<Reply>;
  /** What was called and does not exist here, each once. */
  unimplemented(): readonly string[];
}

export interface DispatcherOptions {
  readonly methods: ReadonlyMap<string, Method>;
  readonly faults: Faults;
  readonly files: FileStore;
  readonly journal: CallJournal;
  readonly queries: Queries;
  /** Wait before each call is executed. */
  readonly delayMs: number;
  /** Told of an error of the sandbox itself; there should be none. */
  readonly onCrash: (error: unknown) => void;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { methods, faults, files, journal, queries, delayMs, onCrash } = options;
  const unimplemented = new Set<string>();

  async function execute(method: Method, parameters: Parameters, scope: CallScope): Promise<CallOutcome> {
    try {
      return { ok: true, result: await method.execute(parameters, scope) };
    } catch (error) {
      return refusal(toApiError(error, method.name));
    }
  }

  function toApiError(error: unknown, methodName: string): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof UnsupportedParseModeError) {
      unimplemented.add(`${methodName} with parse_mode ${error.message}`);
      return badRequest('unsupported parse_mode');
    }
    onCrash(error);
    return new ApiError(500, 'Internal Server Error: the sandbox has a bug, see assertHealthy()');
  }

  function concernedChat(parameters: Parameters): number | undefined {
    const chatId = Number.parseInt(parameters.text('chat_id'), 10);
    if (!Number.isNaN(chatId)) return chatId;
    const queryId = parameters.text('callback_query_id') || parameters.text('pre_checkout_query_id');
    return queryId === '' ? undefined : queries.find(queryId)?.chatId;
  }

  return {
    unimplemented: () => [...unimplemented],
    async download(path) {
      const fault = faults.take(FILE_DOWNLOAD, undefined);
      if (fault?.kind === 'delay') await wait(fault.ms);
      const file = files.findByPath(path);
      if (fault !== undefined && fault.kind !== 'delay') return reply(struck(fault), fault);
      if (file === undefined) return errorReply({ code: 404, description: 'Not Found' });
      return {
        kind: 'answer',
        status: 200,
        body: Buffer.concat([file.bytes, Buffer.alloc(file.size - file.bytes.length)]),
        contentType: 'application/octet-stream',
        retryAfterSeconds: undefined,
      };
    },
    async call(methodName, parameters, scope) {
      const method = methods.get(methodName.toLowerCase());
      const name = method?.name ?? methodName;
      const chatId = concernedChat(parameters);
      const fault = faults.take(name, chatId);
      const waitMs = fault?.kind === 'delay' ? fault.ms : delayMs;
      if (waitMs > 0) await wait(waitMs);
      let outcome: CallOutcome;
      if (fault !== undefined && fault.kind !== 'delay' && fault.kind !== 'lost-answer') {
        outcome = struck(fault);
      } else if (method === undefined) {
        unimplemented.add(methodName);
        outcome = refusal(notFound('method not found'));
      } else {
        outcome = await execute(method, parameters, scope);
      }
      journal.record(
        name,
        parameters,
        chatId,
        fault === undefined ? outcome : { ...outcome, fault: fault.kind },
      );
      return reply(outcome, fault);
    },
  };
}

/** The outcome of a call that a fault keeps from being executed. */
function struck(fault: Exclude<Fault, { kind: 'delay' }>): CallOutcome {
  if (fault.kind !== 'error') return { ok: false };
  return refusal(new ApiError(fault.code, fault.description, fault.retryAfter));
}

function refusal({ code, message, retryAfterSeconds }: ApiError): CallOutcome {
  const retry = retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds };
  return { ok: false, error: { code, description: message, ...retry } };
}

function reply({ result, error }: CallOutcome, fault: Fault | undefined): Reply {
  if (fault?.kind === 'hang' || fault?.kind === 'reset') return { kind: fault.kind };
  if (fault?.kind === 'lost-answer') return { kind: 'close' };
  if (fault?.kind === 'nonsense') {
    return {
      kind: 'answer',
      status: 200,
      body: fault.body,
      contentType: 'application/json',
      retryAfterSeconds: undefined,
    };
  }
  if (error === undefined) return json(200, { ok: true, result }, undefined);
  if (fault?.kind === 'error' && fault.body === 'html') {
    const title = `${error.code} ${error.description}`;
    const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body><h1>${title}</h1></body>\r\n</html>\r\n`;
    return {
      kind: 'answer',
      status: error.code,
      body,
      contentType: 'text/html',
      retryAfterSeconds: error.retryAfter,
    };
  }
  return errorReply(error);
}

/** The envelope of a refusal. */
export function errorReply(error: { code: number; description: string; retryAfter?: number }): Reply {
  const { code, description, retryAfter } = error;
  const parameters = retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } };
  return json(code, { ok: false, error_code: code, description, ...parameters }, retryAfter);
}

function json(status: number, envelope: unknown, retryAfterSeconds: number | undefined): Reply {
  return {
    kind: 'answer',
    status,
    body: JSON.stringify(envelope),
    contentType: 'application/json',
    retryAfterSeconds,
  };
}
