// Owns the record of the calls that the bot made: what it asked, what it got, and whether it was a repetition.
// Without history it only counts, so that a load test neither fills the memory nor pays for what nobody reads.
import type { Fault } from './faults.ts';
import type { Parameters, UploadedFile } from './parameters.ts';

export interface ApiCall {
  readonly method: string;
  /** The arguments as they came; of a multipart call, objects are parsed. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The uploaded parts of a multipart call, by name. */
  readonly files: ReadonlyMap<string, UploadedFile>;
  /** The chat that the call concerns; also of an answered query. */
  readonly chatId: number | undefined;
  /** When it was decided, in milliseconds of the sandbox's clock. */
  readonly at: number;
  /** 1, or more when the same call has failed or its answer was lost right before. */
  readonly attempt: number;
  /** Whether the method was executed; an executed call can still have lost its answer. */
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly description: string; readonly retryAfter?: number };
  /** The planned fault that struck this call. */
  readonly fault?: Fault['kind'];
}

export type CallFilter =
  | Partial<Pick<ApiCall, 'ok' | 'chatId' | 'attempt' | 'fault'>>
  | ((call: ApiCall) => boolean);

export type CallOutcome = Pick<ApiCall, 'ok' | 'result' | 'error' | 'fault'>;

export interface CallJournal {
  record(method: string, parameters: Parameters, chatId: number | undefined, outcome: CallOutcome): void;
  /** The calls in the order in which they were decided. Throws without history. */
  list(method?: string, filter?: CallFilter): ApiCall[];
  count(method?: string): number;
}

/** Arguments that hold objects and come as JSON text in a multipart call. */
const OBJECT_ARGUMENTS: ReadonlySet<string> = new Set([
  'reply_markup',
  'media',
  'entities',
  'caption_entities',
  'reply_parameters',
  'link_preview_options',
  'allowed_updates',
]);

export function createCallJournal(options: {
  readonly keepHistory: boolean;
  readonly now: () => number;
}): CallJournal {
  const calls: ApiCall[] = [];
  const counts = new Map<string, number>();
  /** How often a call has failed in a row, by method and arguments. */
  const failures = new Map<string, number>();

  function attemptNumber(method: string, payload: ApiCall['payload'], isAnswered: boolean): number {
    // Most runs have no failures at all; then the arguments need not be turned into a key.
    if (isAnswered && failures.size === 0) return 1;
    const key = `${method} ${JSON.stringify(payload).replaceAll(/attach:\/\/\w+/g, 'attach://')}`;
    const failed = failures.get(key) ?? 0;
    if (isAnswered) failures.delete(key);
    else failures.set(key, failed + 1);
    return failed + 1;
  }

  return {
    record(method, parameters, chatId, outcome) {
      counts.set(method, (counts.get(method) ?? 0) + 1);
      if (!options.keepHistory) return;
      const payload = parameters.files.size === 0 ? parameters.values : withParsedObjects(parameters.values);
      const isAnswered = outcome.ok && outcome.fault !== 'lost-answer';
      const attempt = attemptNumber(method, payload, isAnswered);
      calls.push({
        method,
        payload,
        files: parameters.files,
        chatId,
        at: options.now(),
        attempt,
        ...outcome,
      });
    },
    list(method, filter) {
      if (!options.keepHistory) throw new Error('the sandbox keeps no history: only callCount() is known');
      return calls.filter(call => (method === undefined || call.method === method) && passes(call, filter));
    },
    count(method) {
      if (method !== undefined) return counts.get(method) ?? 0;
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
  };
}

function passes(call: ApiCall, filter: CallFilter | undefined): boolean {
  if (filter === undefined) return true;
  if (typeof filter === 'function') return filter(call);
  return Object.entries(filter).every(([field, value]) => Reflect.get(call, field) === value);
}

function withParsedObjects(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      OBJECT_ARGUMENTS.has(name) && typeof value === 'string' ? parsedOrText(value) : value,
    ]),
  );
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the method itself refuses it; the record shows what came
  }
}
