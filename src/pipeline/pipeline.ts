// The life of a generation, from the confirmed form to the delivered result, as one durable state machine:
//
//   created ──claim──▶ submitting ──vendor id──▶ waiting ──▶ succeeded | failed ──late result──▶ succeeded
//      ▲                   │ a definite refusal that may be tried again
//      └───────────────────┘
//
// Rules: `submitting` is committed before the billable call and is never submitted again without a definite
// refusal, because KIE.ai knows no idempotency key; a callback (its path names the task) or the limit ends
// it. A callback only says "look now": results come from recordInfo. Every step runs as a job in the trace
// of the tap that started it, may run twice, and is idempotent. Knows nothing of Telegram and HTTP servers.
import { randomBytes } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { AppError, errorType } from '../errors.ts';
import { parseCallback } from '../kie/callback.ts';
import { refusalReason } from '../kie/codes.ts';
import type { MarketClient, TaskStatus } from '../kie/market-client.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { TaskRow, TaskState, TaskStore } from '../storage/task-store.ts';
import { type Deliverer, deliverDue } from './deliver.ts';
import { currentParameter, type Form } from './form.ts';
import { type PipelineTimings, pollDelayMs, submitRetryDelayMs } from './timings.ts';

export type Confirmation =
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false;
      readonly reason: Extract<ReasonCode, 'UNKNOWN_ACTION' | 'MODEL_DISABLED' | 'STATE_MISMATCH'>;
      readonly detail: string;
    };

export interface Pipeline {
  /** Makes the form a durable task, once per draft and revision. It does not run before `start`, or some seconds. */
  confirm(order: {
    readonly chatId: number;
    readonly form: Form;
    readonly messageId: number | undefined;
  }): Promise<Confirmation>;
  /** Lets a confirmed task run now. */
  start(taskId: string): Promise<void>;
  /** The job: brings the task as far as it can go now and schedules the next look. */
  advance(taskId: string): Promise<void>;
}

export interface PipelineOptions {
  readonly tasks: TaskStore;
  readonly catalogue: Catalogue;
  readonly market: MarketClient;
  readonly deliverer: Deliverer;
  readonly telemetry: Telemetry;
  readonly instanceId: string;
  readonly timings: PipelineTimings;
  /** The callback URL of a task, or undefined where the bot has no public address (polling). */
  callbackUrl(token: string): string | undefined;
}

const spanNames: Readonly<Record<TaskState, string>> = {
  created: 'task submit',
  submitting: 'task poll',
  waiting: 'task poll',
  succeeded: 'task deliver',
  failed: 'task deliver',
};

export function createPipeline(options: PipelineOptions): Pipeline {
  const { tasks, catalogue, market, telemetry, timings } = options;

  async function advance(taskId: string): Promise<void> {
    const task = await tasks.find(taskId);
    if (!task) return;
    await telemetry.inSpan(
      spanNames[task.state],
      {
        kind: SpanKind.CONSUMER,
        traceparent: task.traceparent,
        fields: {
          event_type: 'job',
          task_id: task.id,
          model_id: task.modelId,
          model_version: task.modelVersion,
        },
      },
      async () => {
        const current = await adoptCallbacks(task);
        if (current.state === 'created') await submit(current);
        else if (current.state === 'submitting') await awaitSubmission(current);
        else if (current.state === 'waiting') await poll(current);
        else if (current.state === 'failed' && current.vendorTaskId !== null)
          await lookForLateResult(current);
        await deliverDue(current.id, options);
      },
    );
  }

  /** Takes the vendor's id from stored callbacks, for a task whose submission got no answer. */
  async function adoptCallbacks(task: TaskRow): Promise<TaskRow> {
    const callbacks = await tasks.pendingCallbacks(task.id);
    if (callbacks.length === 0) return task;
    for (const { body } of callbacks) {
      const vendorTaskId = parseCallback(body)?.vendorTaskId;
      if (vendorTaskId !== undefined && task.vendorTaskId === null)
        await tasks.saveVendorTaskId(task.id, vendorTaskId);
    }
    await tasks.finishCallbacks(callbacks.map(({ id }) => id));
    return (await tasks.find(task.id)) ?? task;
  }

  async function submit(task: TaskRow): Promise<void> {
    if (!(await tasks.claimSubmission(task.id))) return;
    // If this process dies from here on, the next look finds `submitting` and only waits.
    await tasks.schedule(task.id, timings.unknownOutcomeLimitMs);
    const callbackUrl = options.callbackUrl(task.callbackToken);
    try {
      const { vendorTaskId } = await market.createTask({
        model: task.modelId,
        input: task.inputs,
        ...(callbackUrl === undefined ? {} : { callbackUrl }),
      });
      await tasks.saveVendorTaskId(task.id, vendorTaskId);
      progress(task, 'submitted');
      await tasks.schedule(task.id, pollDelayMs(timings, 0));
    } catch (error) {
      await submissionFailed(task, error);
    }
  }

  async function submissionFailed(task: TaskRow, error: unknown): Promise<void> {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'KIE_UNKNOWN_OUTCOME') {
      progress(task, 'outcome unknown', {
        reason_detail: 'waiting for the callback',
        error_type: errorType(error),
      });
      return;
    }
    const attempt = task.submitAttempts + 1;
    if (error.retryable && attempt < timings.submitAttempts) {
      await tasks.returnSubmission(task.id);
      progress(task, 'submit again', {
        attempt,
        error_type: errorType(error),
        reason_detail: kieCode(error),
      });
      await tasks.schedule(task.id, submitRetryDelayMs(timings, attempt));
      return;
    }
    await fail(task, refusalReason(error.details), kieCode(error), errorType(error));
  }

  /** `submitting` without an answer: a crash, or a lost answer. Only a callback or the limit ends it. */
  async function awaitSubmission(task: TaskRow): Promise<void> {
    const remainingMs = (task.submittedAt?.getTime() ?? 0) + timings.unknownOutcomeLimitMs - Date.now();
    if (remainingMs > 0) await tasks.schedule(task.id, remainingMs);
    else await fail(task, 'DOWNSTREAM_TIMEOUT', 'no answer to the submission and no callback');
  }

  async function poll(task: TaskRow): Promise<void> {
    const ageMs = Date.now() - (task.submittedAt ?? task.createdAt).getTime();
    const status = await lookUp(task);
    if (status?.state === 'succeeded') await succeed(task, status.urls);
    else if (status?.state === 'failed') await fail(task, status.reason, status.code);
    else if (status?.state === 'not_found' && ageMs > timings.notFoundLimitMs)
      await fail(task, 'DOWNSTREAM_ERROR', 'KIE.ai does not know the task');
    else if (ageMs > timings.waitLimitMs)
      await fail(task, 'DOWNSTREAM_TIMEOUT', `no result within ${Math.round(timings.waitLimitMs / 1000)} s`);
    else {
      progress(task, 'waiting', { reason_detail: status?.state ?? 'unreachable' });
      await tasks.schedule(task.id, pollDelayMs(timings, ageMs));
    }
  }

  async function lookForLateResult(task: TaskRow): Promise<void> {
    if (task.reasonCode !== 'DOWNSTREAM_TIMEOUT') return;
    const status = await lookUp(task);
    if (status?.state === 'succeeded') await succeed(task, status.urls);
  }

  /** undefined when KIE.ai could not be asked; the next look tries again. */
  async function lookUp(task: TaskRow): Promise<TaskStatus | undefined> {
    if (task.vendorTaskId === null) return undefined;
    try {
      return await market.recordInfo(task.vendorTaskId);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      progress(task, 'look again', { error_type: errorType(error), reason_detail: kieCode(error) });
      return undefined;
    }
  }

  async function succeed(task: TaskRow, urls: readonly string[]): Promise<void> {
    const change = await tasks.succeed(task.id, urls);
    if (change === 'unchanged') return;
    const ids = { task_id: task.id, model_id: task.modelId, model_version: task.modelVersion };
    if (change === 'late') telemetry.emit('TASK_LATE_RESULT', ids);
    else telemetry.emit('TASK_COMPLETED', { ...ids, duration_ms: Date.now() - task.createdAt.getTime() });
  }

  async function fail(task: TaskRow, reason: ReasonCode, detail?: string, type?: string): Promise<void> {
    if (!(await tasks.fail(task.id, reason))) return;
    telemetry.emit('TASK_FAILED', {
      task_id: task.id,
      model_id: task.modelId,
      model_version: task.modelVersion,
      reason_code: reason,
      reason_detail: detail,
      error_type: type,
      duration_ms: Date.now() - task.createdAt.getTime(),
    });
  }

  function progress(
    task: TaskRow,
    operation: string,
    details: { reason_detail?: string | undefined; attempt?: number; error_type?: string } = {},
  ): void {
    telemetry.emit('TASK_PROGRESS', { task_id: task.id, model_id: task.modelId, operation, ...details });
  }

  return {
    async confirm({ chatId, form, messageId }) {
      const model = catalogue.byKey(form.model);
      if (!model) return { ok: false, reason: 'UNKNOWN_ACTION', detail: `model ${form.model}` };
      if (!model.enabled) return { ok: false, reason: 'MODEL_DISABLED', detail: model.id };
      const missing = currentParameter(form, model);
      if (missing) return { ok: false, reason: 'STATE_MISMATCH', detail: `${missing.name} is not answered` };
      const task = await tasks.create(
        {
          id: randomBytes(9).toString('base64url'),
          chatId,
          draft: form.draft,
          revision: form.revision,
          modelId: model.id,
          modelKey: model.key,
          modelVersion: model.version,
          inputs: form.values,
          // 128 bits, in a URL path.
          callbackToken: randomBytes(16).toString('hex'),
          traceparent: telemetry.traceparent(),
          messageId,
        },
        timings.startDelayMs,
      );
      if (task.created)
        telemetry.emit('TASK_CREATED', {
          task_id: task.id,
          model_id: model.id,
          model_version: model.version,
        });
      return { ok: true, id: task.id };
    },
    start: taskId => tasks.schedule(taskId, 0),
    advance,
  };
}

function kieCode(error: AppError): string {
  return typeof error.details.code === 'number' ? `KIE.ai answered ${error.details.code}` : error.code;
}
