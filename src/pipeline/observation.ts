// How a submitted task goes on. The supplier is asked at intervals, at once after a callback, and still after the task
// was given up, because there may be a result by then. After a state that we do not know it is asked again.
import type { Catalogue } from '../catalogue/catalogue.ts';
import { AppError, errorType } from '../errors.ts';
import { parseCallback } from '../kie/callback.ts';
import type { KieClient, TaskStatus } from '../kie/client.ts';
import { emptyResultCode } from '../kie/task-status.ts';
import type { OperationOf } from '../otel/events.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { PendingCallback } from '../storage/callback-store.ts';
import type { DeliveryStore } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { TaskStore } from '../storage/task-store.ts';
import type { ProgressBoard } from './ports.ts';
import type { FailureFields, Settlement } from './settlement.ts';
import type { Stages } from './stages.ts';
import { kieCode } from './submission.ts';
import { fieldsOf } from './task-events.ts';
import {
  fullStageDelayMs,
  jitter,
  lateDelayMs,
  lateLookDelayMs,
  lateLooksDue,
  type PipelineTimings,
  pollDelayMs,
} from './timings.ts';

export interface ObservationOptions {
  readonly tasks: TaskStore;
  readonly deliveries: Pick<DeliveryStore, 'next'>;
  readonly catalogue: Pick<Catalogue, 'byId'>;
  readonly kie: Pick<KieClient, 'status'>;
  readonly settlement: Settlement;
  readonly board: ProgressBoard;
  /** Shows the end again where the message was changed to "it runs" after the task had ended. */
  readonly showEndAgain: (taskId: string) => Promise<void>;
  readonly stages: Pick<Stages, 'looks'>;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
}

export interface Observation {
  /** Takes the supplier's id from stored callbacks, for a task whose submission got no answer. */
  adopt(task: TaskRow, callbacks: readonly PendingCallback[]): Promise<TaskRow>;
  /** For a task in `waiting`. */
  poll(task: TaskRow): Promise<void>;
  /**
   * For a task that was given up because it took too long, or because of a fault of ours: callbacks ask for it, and where
   * none comes it is looked at now and then all the same. Resolves with whether these callbacks have led to what they can
   * lead to; if not, another look is scheduled.
   */
  lookForLateResult(task: TaskRow, callbacks: readonly PendingCallback[]): Promise<boolean>;
}

/** Smaller steps are not worth a message. */
const shownStepPercent = 5;

export function createObservation(options: ObservationOptions): Observation {
  const { tasks, deliveries, catalogue, kie, settlement, board, telemetry, timings } = options;

  async function adopt(task: TaskRow, callbacks: readonly PendingCallback[]): Promise<TaskRow> {
    if (task.vendorTaskId !== null) return task;
    for (const { body } of callbacks) {
      const vendorTaskId = parseCallback(body)?.vendorTaskId;
      if (vendorTaskId === undefined) continue;
      const saved = await tasks.saveVendorTaskId(task.id, vendorTaskId);
      if (saved === 'saved') return (await tasks.find(task.id)) ?? task;
      // Not believed. The right callback may still come, until the limit.
      progress(task, 'callback ignored', { reason_detail: 'it names another order' });
    }
    return task;
  }

  async function poll(task: TaskRow): Promise<void> {
    const ageMs = task.submittedMs() ?? task.ageMs();
    const looked = await lookUp(task);
    // However full the stage is, no task waits longer than its limit.
    if (looked === 'full' && ageMs <= timings.waitLimitMs)
      return tasks.schedule(task.id, jitter(timings.fullStageMs));
    const status = looked === 'full' ? undefined : looked;
    if (status?.state === 'succeeded') return settlement.succeed(task, status);
    if (status?.state === 'failed') return settlement.fail(task, status.reason, failureFields(status));
    if (status?.state === 'not_found' && ageMs > timings.notFoundLimitMs)
      return settlement.fail(task, 'DOWNSTREAM_ERROR', {
        detail_code: 'order_unknown',
        reason_detail: 'KIE.ai does not know the task',
      });
    if (ageMs > timings.waitLimitMs) {
      const seconds = Math.round(timings.waitLimitMs / 1_000);
      await settlement.fail(task, 'DOWNSTREAM_TIMEOUT', {
        detail_code: 'no_result_in_time',
        reason_detail: `no result within ${seconds} s`,
      });
      // Should this be lost with the process: the look that delivers the notice asks for one, too.
      return tasks.schedule(task.id, lateLookDelayMs(timings, 0));
    }
    progress(task, 'waiting', { reason_detail: status?.state ?? 'unreachable' });
    await tasks.schedule(task.id, pollDelayMs(timings, ageMs));
    if (status && 'progress' in status && status.progress !== undefined) await show(task, status.progress);
  }

  async function show(task: TaskRow, percent: number): Promise<void> {
    if (percent - (task.progress ?? 0) < shownStepPercent) return;
    await tasks.saveProgress(task.id, Math.round(percent));
    const shown = await board.show(task, percent);
    if (shown === 'gone') return tasks.forgetMessage(task.id);
    if (shown === 'elsewhere') return;
    // In one process the looks at a task follow each other, but another process may have ended it during the call.
    const after = await tasks.find(task.id);
    if (after && after.state !== 'waiting') await options.showEndAgain(task.id);
  }

  async function lookForLateResult(task: TaskRow, callbacks: readonly PendingCallback[]): Promise<boolean> {
    const [first] = callbacks;
    if (task.vendorTaskId === null || !canBeLate(task)) return true;
    if (first === undefined) {
      await lookUnasked(task);
      return true;
    }
    const status = await lookUp(task);
    if (status !== 'full' && status?.state === 'succeeded') {
      await settlement.succeed(task, status);
      return true;
    }
    if (status !== 'full' && (status?.state === 'failed' || first.ageMs > timings.lateLimitMs)) return true;
    await tasks.schedule(task.id, lateDelayMs(timings, first.ageMs));
    return false;
  }

  /** No callback reaches a bot without a public address, and others may get lost. */
  async function lookUnasked(task: TaskRow): Promise<void> {
    const endedMs = task.endedMs() ?? Number.POSITIVE_INFINITY;
    if (endedMs > timings.lateLimitMs) return;
    const due = lateLooksDue(timings, endedMs);
    // Where the last look failed, nothing is asked now: the end has its event, and nobody is called again and again. Nor is
    // anything asked while a notice is owed, because that must not wait for the supplier.
    if (due > task.lateLooks && task.failedLooks === 0 && !(await isOwed(task))) {
      const status = await lookUp(task);
      if (status === 'full') return tasks.schedule(task.id, fullStageDelayMs(timings, endedMs));
      await tasks.saveLateLooks(task.id, due);
      if (status?.state === 'succeeded') return settlement.succeed(task, status);
      if (status?.state === 'failed') return;
    }
    await tasks.schedule(task.id, lateLookDelayMs(timings, endedMs));
  }

  async function isOwed(task: TaskRow): Promise<boolean> {
    return (await deliveries.next(task.id, timings.deliveryClaimMs)) !== undefined;
  }

  /** undefined when KIE.ai could not be asked; the next look tries again. `full`: it was not even tried. */
  async function lookUp(task: TaskRow): Promise<TaskStatus | 'full' | undefined> {
    const api = catalogue.byId(task.modelId)?.api;
    if (task.vendorTaskId === null || api === undefined) return undefined;
    const leave = options.stages.looks.enter(api);
    if (!leave) return 'full';
    try {
      return await kie.status(api, task.vendorTaskId, task.callbackToken);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      progress(task, 'look again', { error_type: errorType(error), reason_detail: kieCode(error) });
      return undefined;
    } finally {
      leave();
    }
  }

  function progress(
    task: TaskRow,
    operation: OperationOf<'TASK_PROGRESS'>,
    details: { reason_detail: string; error_type?: string },
  ): void {
    telemetry.emit('TASK_PROGRESS', { ...fieldsOf(task), operation, ...details });
  }

  return { adopt, poll, lookForLateResult };
}

/** The supplier's code is three digits where it is a number at all. */
function failureFields({ code }: Extract<TaskStatus, { state: 'failed' }>): FailureFields {
  if (code === emptyResultCode) return { reason_detail: code, detail_code: code };
  return { reason_detail: code, ...(/^\d{3}$/.test(code) ? { supplier_code: Number(code) } : {}) };
}

/** The supplier has not said that it failed. */
function canBeLate({ reasonCode }: TaskRow): boolean {
  return reasonCode === 'DOWNSTREAM_TIMEOUT' || reasonCode === 'INTERNAL_ERROR';
}
