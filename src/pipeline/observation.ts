// How a submitted task goes on: asked for at intervals, at once after a callback, and still after it was given up,
// when the supplier says that there is something. A state that we do not know keeps us asking.
import type { Catalogue } from '../catalogue/catalogue.ts';
import { AppError, errorType } from '../errors.ts';
import { parseCallback } from '../kie/callback.ts';
import type { KieClient, TaskStatus } from '../kie/client.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { TaskRow, TaskStore } from '../storage/task-store.ts';
import type { ProgressBoard } from './ports.ts';
import type { Settlement } from './settlement.ts';
import { kieCode } from './submission.ts';
import { fieldsOf } from './task-events.ts';
import { type PipelineTimings, pollDelayMs } from './timings.ts';

export interface ObservationOptions {
  readonly tasks: TaskStore;
  readonly catalogue: Pick<Catalogue, 'byId'>;
  readonly kie: Pick<KieClient, 'status'>;
  readonly settlement: Settlement;
  readonly board: ProgressBoard;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
}

export interface Observation {
  /** Takes the supplier's id from stored callbacks, for a task whose submission got no answer. */
  adoptCallbacks(task: TaskRow): Promise<TaskRow>;
  /** For a task in `waiting`. */
  poll(task: TaskRow): Promise<void>;
  /** For a task that was given up because it took too long. */
  lookForLateResult(task: TaskRow): Promise<void>;
}

/** Smaller steps are not worth a message. */
const shownStepPercent = 5;

export function createObservation(options: ObservationOptions): Observation {
  const { tasks, catalogue, kie, settlement, board, telemetry, timings } = options;

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

  async function poll(task: TaskRow): Promise<void> {
    const ageMs = Date.now() - (task.submittedAt ?? task.createdAt).getTime();
    const status = await lookUp(task);
    if (status?.state === 'succeeded') return settlement.succeed(task, status);
    if (status?.state === 'failed') return settlement.fail(task, status.reason, status.code);
    if (status?.state === 'not_found' && ageMs > timings.notFoundLimitMs)
      return settlement.fail(task, 'DOWNSTREAM_ERROR', 'KIE.ai does not know the task');
    if (ageMs > timings.waitLimitMs) {
      const seconds = Math.round(timings.waitLimitMs / 1_000);
      return settlement.fail(task, 'DOWNSTREAM_TIMEOUT', `no result within ${seconds} s`);
    }
    progress(task, 'waiting', { reason_detail: status?.state ?? 'unreachable' });
    if (status && 'progress' in status && status.progress !== undefined) await show(task, status.progress);
    await tasks.schedule(task.id, pollDelayMs(timings, ageMs));
  }

  async function show(task: TaskRow, percent: number): Promise<void> {
    if (percent - (task.progress ?? 0) < shownStepPercent) return;
    await tasks.saveProgress(task.id, Math.round(percent));
    await board.show(task, percent);
  }

  async function lookForLateResult(task: TaskRow): Promise<void> {
    if (task.vendorTaskId === null || task.reasonCode !== 'DOWNSTREAM_TIMEOUT') return;
    const status = await lookUp(task);
    if (status?.state === 'succeeded') await settlement.succeed(task, status);
  }

  /** undefined when KIE.ai could not be asked; the next look tries again. */
  async function lookUp(task: TaskRow): Promise<TaskStatus | undefined> {
    const api = catalogue.byId(task.modelId)?.api;
    if (task.vendorTaskId === null || api === undefined) return undefined;
    try {
      return await kie.status(api, task.vendorTaskId);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      progress(task, 'look again', { error_type: errorType(error), reason_detail: kieCode(error) });
      return undefined;
    }
  }

  function progress(
    task: TaskRow,
    operation: string,
    details: { reason_detail: string; error_type?: string },
  ): void {
    telemetry.emit('TASK_PROGRESS', { ...fieldsOf(task), operation, ...details });
  }

  return { adoptCallbacks, poll, lookForLateResult };
}
