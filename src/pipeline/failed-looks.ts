// What becomes of a task whose looks end in an error of ours: a row that cannot be read, an answer that the database does
// not take, a defect. Each failed look is counted on the row and tried again later. Past the limit the task is ended, its
// money goes back, its user is notified and administrators are called. So no task holds money for ever.
import { AppError, errorMessage, errorType } from '../errors.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { CallbackStore } from '../storage/callback-store.ts';
import type { DeliveryStore } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { TaskStore } from '../storage/task-store.ts';
import { abandonDeliveries } from './outbox.ts';
import type { Alarm } from './ports.ts';
import type { FailureFields, Settlement } from './settlement.ts';
import { lookRetryDelayMs, type PipelineTimings } from './timings.ts';

export interface FailedLooksOptions {
  readonly tasks: TaskStore;
  readonly callbacks: Pick<CallbackStore, 'pending' | 'finish'>;
  readonly deliveries: DeliveryStore;
  readonly settlement: Settlement;
  readonly alarm: Pick<Alarm, 'givenUp'>;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
}

export interface FailedLooks {
  /** Counts this failure and schedules the next look, or ends what cannot be worked. */
  add(taskId: string, error: unknown): Promise<void>;
}

export function createFailedLooks(options: FailedLooksOptions): FailedLooks {
  const { tasks, deliveries, settlement, alarm, telemetry, timings } = options;

  async function end(task: TaskRow, failures: number, cause: unknown): Promise<void> {
    if (isOpen(task))
      await endTask(task, {
        reason_detail: `${failures} looks in a row failed`,
        error_type: errorType(cause),
      });
    else {
      // A late result that cannot be taken, or a delivery that cannot be worked.
      const callbacks = await options.callbacks.pending(task.id);
      await options.callbacks.finish(callbacks.map(({ id }) => id));
      await abandonDeliveries(task, cause, { deliveries, telemetry });
    }
    // What follows from the end, such as its notice, has as many attempts of its own.
    await tasks.clearFailedLooks(task.id);
    await tasks.schedule(task.id, 0);
  }

  async function endTask(task: TaskRow, why: FailureFields): Promise<void> {
    try {
      await settlement.fail(task, 'INTERNAL_ERROR', why);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'WALLET_REFUSED') throw error;
      // Nothing is held for it, which the hourly comparison of the books reports.
      await settlement.failUnsettled(task, 'INTERNAL_ERROR', { ...why, error_type: errorType(error) });
    }
  }

  return {
    async add(taskId, error) {
      const failures = await tasks.countFailedLook(taskId);
      telemetry.recordError(error);
      telemetry.emit('SYSTEM_WARNING', {
        operation: 'look at a task',
        error_type: errorType(error),
        error_message: telemetry.scrub(errorMessage(error)),
        attempt: failures,
        task_id: taskId,
      });
      // Scheduled first, so that whatever goes wrong below is tried again.
      await tasks.schedule(taskId, lookRetryDelayMs(timings, failures));
      if (failures < timings.lookAttempts) return;
      const task = await tasks.find(taskId);
      if (!task) return;
      const called = (): Promise<void> =>
        alarm.givenUp(`${isOpen(task) ? task.state : 'delivery'}: ${errorType(error)}`);
      try {
        await end(task, failures, error);
      } catch (failure) {
        // With the database lost nothing was ended: that is done when it is back, or by the instance in charge now.
        if (!isConnectionLost(failure)) await called();
        throw failure;
      }
      await called();
    },
  };
}

/** Whether the task has not ended. */
export function isOpen({ state }: Pick<TaskRow, 'state'>): boolean {
  return state === 'created' || state === 'submitting' || state === 'waiting';
}
