// From a created task to the supplier's id of it. Input files are stored at the supplier first, which is free and may
// be repeated. The order itself costs money and knows no idempotency key: `submitting` is committed before it is
// sent, and only a definite refusal ever leads to another attempt.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Model } from '../catalogue/schema.ts';
import { AppError, errorType } from '../errors.ts';
import type { KieClient, VendorOrder } from '../kie/client.ts';
import { refusalReason } from '../kie/codes.ts';
import { assertLeaseLater } from '../lock/lease.ts';
import type { OperationOf } from '../otel/events.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { SubmissionClaim, TaskStore } from '../storage/task-store.ts';
import type { InputFiles } from './input-files.ts';
import { buildInput, filesOf } from './payload.ts';
import type { Alarm, Offer } from './ports.ts';
import { recordKnown } from './record-known.ts';
import type { FailureFields, Settlement } from './settlement.ts';
import type { Stages } from './stages.ts';
import { fieldsOf } from './task-events.ts';
import {
  fullStageDelayMs,
  jitter,
  type PipelineTimings,
  pollDelayMs,
  submitRetryDelayMs,
} from './timings.ts';

export interface SubmissionOptions {
  readonly tasks: TaskStore;
  readonly catalogue: Pick<Catalogue, 'byId'>;
  readonly kie: Pick<KieClient, 'submit' | 'upload'>;
  readonly inputFiles: InputFiles;
  readonly settlement: Settlement;
  readonly alarm: Alarm;
  readonly offer: Offer;
  readonly stages: Pick<Stages, 'files' | 'orders'>;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
  /** The callback URL of a task, or undefined where the bot has no public address (polling). */
  callbackUrl(token: string): string | undefined;
}

export interface Submission {
  /** For a task in `created`. */
  submit(task: TaskRow): Promise<void>;
  /** For a task in `submitting`: a crash, or a lost answer. Only a callback or the limit ends it. */
  awaitAnswer(task: TaskRow): Promise<void>;
}

const fullPauseMs = 1_000;

export function createSubmission(options: SubmissionOptions): Submission {
  const { tasks, catalogue, kie, settlement, alarm, offer, telemetry, timings } = options;

  async function submit(task: TaskRow): Promise<void> {
    const model = catalogue.byId(task.modelId);
    if (!model)
      return settlement.fail(task, 'MODEL_DISABLED', { reason_detail: 'the model has left the catalogue' });
    const fileUrls = await storeFiles(task, model);
    if (!fileUrls) return;
    const callbackUrl = options.callbackUrl(task.callbackToken);
    // Built before the claim: if that fails, nothing was sent.
    const order = {
      api: model.api,
      vendorModel: model.vendorModel,
      input: buildInput(model, task.values, parameter => fileUrls[parameter] ?? []),
      ...(callbackUrl === undefined ? {} : { callbackUrl }),
    };
    const leave = options.stages.orders.enter(model.api);
    if (!leave) return tasks.schedule(task.id, fullStageDelayMs(timings, task.ageMs()));
    try {
      await sendOrder(task, order);
    } finally {
      leave();
    }
  }

  async function sendOrder(task: TaskRow, order: VendorOrder): Promise<void> {
    const assertMayBeSent = mayBeSentFromNow();
    const claim = await tasks.claimSubmission(task.id, timings.submissionLimit);
    if (claim === 'full') {
      progress(task, 'wait for a place', { reason_detail: 'the supplier’s limit of submissions' });
      await tasks.schedule(task.id, jitter(fullPauseMs));
      return;
    }
    if (claim === 'taken') return;
    // If this process dies from here on, the next look finds `submitting` and only waits.
    try {
      await tasks.schedule(task.id, timings.unknownOutcomeLimitMs);
    } catch (error) {
      // Nothing was sent, and nobody else knows that.
      await recordKnown(() => tasks.returnSubmission(task.id, claim, false));
      throw error;
    }
    let vendorTaskId: string;
    try {
      ({ vendorTaskId } = await kie.submit(order, assertMayBeSent));
    } catch (error) {
      return orderFailed(task, claim, error);
    }
    // Outside of the try: once the order is accepted, no error may lead to a second one.
    await submitted(task, vendorTaskId);
  }

  /**
   * For an order that is about to be claimed, asked right before it goes out. A process that was frozen in between must not
   * send it: the user may have the money back, or others may have used up what the supplier takes in that time.
   */
  function mayBeSentFromNow(): () => void {
    const since = performance.now();
    const assertLease = assertLeaseLater();
    return () => {
      assertLease();
      if (performance.now() - since > timings.orderSendLimitMs)
        throw new AppError({ code: 'TIMEOUT', message: 'The order was held up before it was sent' });
    };
  }

  /** Nobody else knows the answer, so it is kept here while the database is away. */
  async function submitted(task: TaskRow, vendorTaskId: string): Promise<void> {
    const saved = await recordKnown(() => tasks.saveVendorTaskId(task.id, vendorTaskId));
    if (saved === 'of another task')
      return settlement.fail(task, 'DOWNSTREAM_ERROR', {
        reason_detail: 'KIE.ai gave it the id of another order',
        error_type: 'VENDOR_TASK_ID_TAKEN',
      });
    progress(task, 'submitted');
    await tasks.schedule(task.id, pollDelayMs(timings, 0));
  }

  /** Addresses by parameter; undefined when the task cannot go on now. */
  async function storeFiles(
    task: TaskRow,
    model: Model,
  ): Promise<Readonly<Record<string, readonly string[]>> | undefined> {
    if (task.fileUrls) return task.fileUrls;
    const files = filesOf(model, task.values);
    if (files.length === 0) return {};
    const leave = options.stages.files.enter(String(task.chatId));
    if (!leave) {
      await waitForFiles(task);
      return undefined;
    }
    const urls: Record<string, string[]> = {};
    try {
      for (const { parameter, file } of files) {
        // Each transfer has a deadline, and so have all of them together. The first one is made in any case, because its
        // error says more than that it is late.
        if (Object.keys(urls).length > 0 && !isYoung(task)) throw tooLate();
        const url = file.from === 'link' ? file.url : await store(file.fileId);
        urls[parameter] = [...(urls[parameter] ?? []), url];
      }
    } catch (error) {
      await filesFailed(task, error);
      return undefined;
    } finally {
      leave();
    }
    await tasks.saveFileUrls(task.id, urls);
    progress(task, 'files stored', { reason_detail: `${files.length} files` });
    return urls;
  }

  async function waitForFiles(task: TaskRow): Promise<void> {
    if (isYoung(task)) await tasks.schedule(task.id, fullStageDelayMs(timings, task.ageMs()));
    else await filesFailed(task, tooLate());
  }

  async function store(fileId: string): Promise<string> {
    await using file = await options.inputFiles.open(fileId);
    return (await kie.upload(file)).url;
  }

  async function filesFailed(task: TaskRow, error: unknown): Promise<void> {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'SPOOL_FAILED') await alarm.diskRefused(error.message);
    if (error.retryable && isYoung(task)) {
      progress(task, 'store files again', failure(error));
      await tasks.schedule(task.id, submitRetryDelayMs(timings, 1));
      return;
    }
    const isInputs = error.code === 'INPUT_FILE_GONE' || error.code === 'INPUT_FILE_TOO_BIG';
    const reason = isInputs ? 'FILE_UNREACHABLE' : filesReason(error);
    await settlement.fail(task, reason, taskFailure(error));
  }

  async function orderFailed(task: TaskRow, claim: SubmissionClaim, error: unknown): Promise<void> {
    if (!(error instanceof AppError)) throw error;
    const { withheld } = error.details;
    if (typeof withheld === 'string') {
      await recordKnown(() => tasks.returnSubmission(task.id, claim, false));
      progress(task, 'order not sent', { reason_detail: 'it was held up', error_type: withheld });
      await tasks.schedule(task.id, 0);
      return;
    }
    if (error.code === 'KIE_UNKNOWN_OUTCOME') {
      progress(task, 'outcome unknown', {
        reason_detail: 'waiting for the callback',
        error_type: errorType(error),
      });
      return;
    }
    // An order that was not even tried, because the supplier is known to be down, is no attempt.
    const spent = error.details.circuit !== 'open';
    const attempt = task.submitAttempts + 1;
    if (error.retryable && (spent ? attempt < timings.submitAttempts : isYoung(task))) {
      await recordKnown(() => tasks.returnSubmission(task.id, claim, spent));
      progress(task, 'submit again', { ...failure(error), attempt });
      await tasks.schedule(task.id, submitRetryDelayMs(timings, attempt));
      return;
    }
    await settlement.fail(task, failureReason(error), taskFailure(error));
    if (error.details.kind === 'account') await alarm.accountRefused(kieCode(error));
    if (error.details.kind === 'switched_off') {
      await offer.switchOff(task.modelId, 'the supplier has switched it off');
      await alarm.modelSwitchedOff(task.modelId);
    }
  }

  async function awaitAnswer(task: TaskRow): Promise<void> {
    const remainingMs = timings.unknownOutcomeLimitMs - (task.submittedMs() ?? Number.POSITIVE_INFINITY);
    if (remainingMs > 0) await tasks.schedule(task.id, remainingMs);
    else
      await settlement.fail(task, 'DOWNSTREAM_TIMEOUT', {
        detail_code: 'submission_unanswered',
        reason_detail: 'no answer to the submission and no callback',
      });
  }

  function isYoung(task: TaskRow): boolean {
    return task.ageMs() < timings.submitWindowMs;
  }

  function progress(
    task: TaskRow,
    operation: OperationOf<'TASK_PROGRESS'>,
    details: { reason_detail?: string; attempt?: number; error_type?: string } = {},
  ): void {
    telemetry.emit('TASK_PROGRESS', { ...fieldsOf(task), operation, ...details });
  }

  return { submit, awaitAnswer };
}

function failure(error: AppError): { error_type: string; reason_detail: string } {
  return { error_type: errorType(error), reason_detail: kieCode(error) };
}

function taskFailure(error: AppError): FailureFields {
  const { code } = error.details;
  return { ...failure(error), ...(typeof code === 'number' ? { supplier_code: code } : {}) };
}

function tooLate(): AppError {
  return new AppError({ code: 'TIMEOUT', message: 'The input files could not be stored in time' });
}

function filesReason(error: AppError): ReasonCode {
  if (error.code === 'SPOOL_FAILED') return 'INTERNAL_ERROR';
  return error.code === 'TIMEOUT' ? 'DOWNSTREAM_TIMEOUT' : refusalReason(error.details);
}

/** We reached the supplier's limit; the user was not too fast. */
function failureReason(error: AppError): ReasonCode {
  const reason = refusalReason(error.details);
  return reason === 'RATE_LIMIT' ? 'DOWNSTREAM_ERROR' : reason;
}

/** What the supplier answered, in words that hold nothing of the order. */
export function kieCode(error: AppError): string {
  return typeof error.details.code === 'number' ? `KIE.ai answered ${error.details.code}` : error.code;
}
