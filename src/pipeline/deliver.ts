// Delivers what a finished task owes its user, from the outbox rows in `deliveries`: each is claimed before
// it is sent and marked after. A crash in between sends it a second time once the claim has aged; that one
// window is accepted, because a result that is never delivered is worse. A result that cannot be delivered
// is told as a failure.
import { errorType } from '../errors.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import type { DeliveryRow, TaskRow, TaskStore } from '../storage/task-store.ts';
import type { PipelineTimings } from './timings.ts';

export type DeliveryResult =
  | { readonly ok: true; readonly messageId: number; readonly fileId?: string }
  /** `retry`: the same delivery may succeed later. */
  | {
      readonly ok: false;
      readonly retry: boolean;
      /** The user cannot be written to at all. */
      readonly unreachable: boolean;
      readonly reason: ReasonCode;
      readonly detail: string;
      readonly error: unknown;
    };

/** The way to the user; implemented where the messenger is known. Must not throw for refusals of the messenger. */
export interface Deliverer {
  sendResult(task: TaskRow, delivery: DeliveryRow): Promise<DeliveryResult>;
  sendFailure(task: TaskRow, delivery: DeliveryRow): Promise<DeliveryResult>;
}

export interface DeliveryOptions {
  readonly tasks: TaskStore;
  readonly deliverer: Deliverer;
  readonly telemetry: Telemetry;
  readonly instanceId: string;
  readonly timings: PipelineTimings;
}

export async function deliverDue(taskId: string, options: DeliveryOptions): Promise<void> {
  const { tasks, telemetry, timings } = options;
  for (;;) {
    // Read anew each time: a delivery that is given up changes what the next one has to tell.
    const task = await tasks.find(taskId);
    if (!task || (task.state !== 'succeeded' && task.state !== 'failed')) return;
    const delivery = await tasks.claimDelivery(taskId, options.instanceId, timings.deliveryClaimMs);
    if (!delivery) break;
    const finished = await telemetry.inSpan('deliver result', {}, () => deliver(task, delivery, options));
    if (!finished) {
      await tasks.schedule(taskId, timings.deliveryRetryMs * delivery.attempts);
      return;
    }
  }
  // What another process had claimed and never finished becomes due again when its claim has aged.
  if (await tasks.hasOpenDeliveries(taskId)) await tasks.schedule(taskId, timings.deliveryClaimMs);
}

/** False when the delivery should be tried again later. */
async function deliver(task: TaskRow, delivery: DeliveryRow, options: DeliveryOptions): Promise<boolean> {
  const { tasks, deliverer, telemetry, timings } = options;
  const result = await (delivery.kind === 'result'
    ? deliverer.sendResult(task, delivery)
    : deliverer.sendFailure(task, delivery));
  const ids = { task_id: task.id, model_id: task.modelId, model_version: task.modelVersion };
  if (result.ok) {
    await tasks.finishDelivery(delivery.id, result);
    telemetry.emit('RESULT_DELIVERED', {
      ...ids,
      operation: delivery.kind,
      message_id: result.messageId,
      latency_ms: Date.now() - task.createdAt.getTime(),
    });
    return true;
  }
  const final = !result.retry || delivery.attempts >= timings.deliveryAttempts;
  telemetry.emit('DELIVERY_FAILED', {
    ...ids,
    operation: delivery.kind,
    reason_code: result.reason,
    reason_detail: final ? result.detail : `${result.detail}; will be tried again`,
    error_type: errorType(result.error),
  });
  const tell = delivery.kind === 'result' && !result.unreachable;
  if (final) await tasks.giveUpDelivery(delivery.id, result.reason, tell);
  else await tasks.releaseDelivery(delivery.id);
  return final;
}
