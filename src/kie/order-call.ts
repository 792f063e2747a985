// Sends an order to KIE.ai and reads what came of it. An order costs money and has no idempotency key, so it is sent
// once, and it always ends as exactly one of "has this task id", "refused", "not reached" and "may have been executed".
import type { Dispatcher } from 'undici';
import type { ApiFamily } from '../catalogue/schema.ts';
import { errorType } from '../errors.ts';
import type { Answer } from './answer-envelope.ts';
import { CircuitOpen } from './breaker.ts';
import { callbackMissing, notReached, refused, unknownOutcome } from './call-error.ts';
import { meaningOf } from './codes.ts';
import { askedBeforeSending, ConnectFailure, Withheld } from './connection.ts';
import type { Call, Exchange } from './exchange.ts';
import { families } from './families.ts';
import { namedTask } from './vendor-task-id.ts';

export interface VendorOrder {
  readonly api: ApiFamily;
  /** What KIE calls the model. */
  readonly vendorModel: string;
  /** The parameters by the names of the model's page. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Where KIE posts the end of the task. */
  readonly callbackUrl?: string;
}

export interface SubmissionOptions {
  readonly exchange: Exchange;
  /** Must open a fresh connection for each order, see connection.ts. */
  readonly dispatcher: Dispatcher;
  readonly timeoutMs: number;
  /** Resolves when orders may be sent now; its rejection is that of the order. */
  ready(): Promise<void>;
}

export interface Submission {
  submit(order: VendorOrder, assertMayBeSent: () => void): Promise<{ readonly vendorTaskId: string }>;
}

export function createSubmission({ exchange, dispatcher, timeoutMs, ready }: SubmissionOptions): Submission {
  async function send(call: Call, body: string, assertMayBeSent: () => void): Promise<Answer> {
    let answer: Answer | undefined;
    try {
      answer = await exchange.send(call, {
        body,
        dispatcher: askedBeforeSending(dispatcher, assertMayBeSent),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      if (cause instanceof ConnectFailure || cause instanceof CircuitOpen || cause instanceof Withheld)
        throw notReached('createTask', cause);
      throw unknownOutcome(`no answer (${errorType(cause)})`, cause);
    }
    if (!answer) throw unknownOutcome('the answer is not an envelope of KIE.ai');
    return answer;
  }

  return {
    async submit({ api, vendorModel, input, callbackUrl }, assertMayBeSent) {
      const family = families[api];
      if (family.needsCallback && callbackUrl === undefined) throw callbackMissing(api);
      const body = JSON.stringify(family.orderBody({ vendorModel, input, callbackUrl }));
      const call: Call = { operation: 'createTask', method: 'POST', path: family.orderPath, api };
      return exchange.inSpan(call, async () => {
        await ready();
        return { vendorTaskId: taskOf(await send(call, body, assertMayBeSent), input) };
      });
    },
  };
}

/** The id of the task that an answer names. */
function taskOf(answer: Answer, input: VendorOrder['input']): string {
  const vendorTaskId = namedTask(answer.data);
  // A server error that names a task has made one.
  if (vendorTaskId !== undefined && (answer.code === 200 || answer.code === 500)) return vendorTaskId;
  if (answer.code === 200) throw unknownOutcome('the answer names no task');
  const meaning = meaningOf(answer.code, answer.text);
  // An undocumented 5xx (502, 504 …) speaks for some gateway, not for what happened behind it.
  if (meaning.kind === 'undocumented' && answer.code >= 500)
    throw unknownOutcome(`code ${answer.code} is not documented`);
  throw refused('createTask', answer, meaning, { field: namedField(answer.text, input) });
}

/** The parameter that a refusal names. Only names that we sent ourselves: the text may quote the user. */
function namedField(text: string, input: VendorOrder['input']): string | undefined {
  const words = new Set(text.split(/\W+/));
  return Object.keys(input).find(name => words.has(name));
}
