// Delivers what a finished task owes its user, from the outbox: rows are claimed before they are sent and ended right
// after each call of the messenger. A crash in between sends that one call's files a second time once the claim has
// aged; the window is accepted, because a result that is never delivered is worse, and the second sending says so in
// its event. What the user asked for by a later tap (again, the originals) is told in the trace of that tap.
import { SpanKind } from '@opentelemetry/api';
import { AppError, errorType } from '../errors.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { SpanOptions, Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { DeliveryClaim, DeliveryRow, DeliveryStore, NextDelivery } from '../storage/delivery-store.ts';
import type { TaskRow, TaskStore } from '../storage/task-store.ts';
import type { Delivered, Deliverer, Undelivered } from './deliverer.ts';
import { isFile, tellDelivered, tellFailed } from './delivery-events.ts';
import type { Alarm } from './ports.ts';
import { recordKnown } from './record-known.ts';
import { renewEvery } from './renewal.ts';
import type { Stages } from './stages.ts';
import { fieldsOf } from './task-events.ts';
import { jitter, type PipelineTimings } from './timings.ts';

export interface DeliveryOptions {
  readonly tasks: Pick<TaskStore, 'find' | 'schedule'>;
  readonly deliveries: DeliveryStore;
  readonly deliverer: Deliverer;
  readonly alarm: Pick<Alarm, 'givenUp' | 'diskRefused'>;
  readonly stages: Pick<Stages, 'deliveries'>;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
}

/** There may be hundreds of tasks that wait. */
const fullStageFactor = 5;

/** Sends what is due and schedules the next look for what is not. */
export async function deliverDue(taskId: string, options: DeliveryOptions): Promise<void> {
  const { tasks, deliveries, timings } = options;
  for (;;) {
    // Read anew each time: a delivery that is given up changes what the next one has to tell.
    const task = await tasks.find(taskId);
    if (!task || (task.state !== 'succeeded' && task.state !== 'failed')) return;
    const next = await deliveries.next(taskId, timings.deliveryClaimMs);
    if (next?.dueMs !== 0) {
      if (await deliveries.isUnclosed(taskId)) await options.deliverer.close(task);
      // What another process had claimed and never ended becomes due again when its claim has aged.
      if (next) await tasks.schedule(taskId, Math.max(next.dueMs, timings.deliveryRetryMs));
      return;
    }
    // Before the claim: what only waits for a place is not claimed, and counts no attempt.
    const leave = options.stages.deliveries.enter(hostOf(next));
    if (!leave) return tasks.schedule(taskId, jitter(timings.fullStageMs * fullStageFactor));
    try {
      // Somebody else was first, or is in charge now.
      if (!(await deliverClaimed(task, options))) return tasks.schedule(taskId, timings.deliveryRetryMs);
    } finally {
      leave();
    }
  }
}

/** Resolves with whether there was something to claim. */
async function deliverClaimed(task: TaskRow, options: DeliveryOptions): Promise<boolean> {
  const { deliveries, telemetry, timings } = options;
  const claim = await deliveries.claim(task.id, timings.deliveryClaimMs);
  if (!claim) return false;
  const ids = claim.rows.map(({ id }) => id);
  // Sending may take longer than a claim lives; whoever sends for longer than a look may take hangs.
  const stopRenewing = renewEvery(timings.deliveryClaimMs / 3, timings.lookLimitMs, telemetry, () =>
    deliveries.renew(ids),
  );
  try {
    await telemetry.inSpan('deliver result', spanOf(task, claim), () => deliver(task, claim, options));
  } finally {
    stopRenewing();
  }
  return true;
}

/** By which the places of the stage are shared out: who serves the files, or the messenger alone. */
function hostOf({ url }: NextDelivery): string {
  return URL.parse(url ?? '')?.host ?? '';
}

function spanOf(task: TaskRow, { traceparent }: DeliveryClaim): SpanOptions {
  if (traceparent === undefined) return {};
  return { kind: SpanKind.CONSUMER, traceparent, fields: { event_type: 'job', ...fieldsOf(task) } };
}

async function deliver(task: TaskRow, claimed: DeliveryClaim, options: DeliveryOptions): Promise<void> {
  const { deliveries, deliverer, telemetry } = options;
  const claim = { ...claimed, rows: await withoutSpent(task, claimed.rows, options) };
  const { kind, rows } = claim;
  if (rows.length === 0) return;
  // There is nothing to close: the notice of the failure tells it all.
  if (kind === 'closing' && claim.delivered === 0)
    return giveUpSilently(rows, task.reasonCode ?? 'DOWNSTREAM_ERROR', deliveries);
  const unsettled = new Map(rows.map(row => [row.id, row]));
  const delivered: { readonly row: DeliveryRow; readonly result: Delivered }[] = [];
  try {
    for await (const settled of deliverer.send(task, claim)) {
      const sent = settled.flatMap(({ row, result }) => (result.ok ? [{ row, result }] : []));
      if (sent.length > 0)
        await recordKnown(() =>
          deliveries.finish(sent.map(({ row, result }) => ({ ...result, id: row.id }))),
        );
      for (const { row } of sent) unsettled.delete(row.id);
      delivered.push(...sent);
      for (const { row, result } of settled) {
        if (result.ok) continue;
        if (result.unreachable) return await endUnreachable(task, rows, result, options);
        if (result.retryAfterMs !== undefined) {
          const seconds = Math.ceil(result.retryAfterMs / 1_000);
          await deliveries.postpone(task.id, [...unsettled.keys()], result.retryAfterMs);
          return tellFailed(telemetry, task, row, result, `will be tried again in ${seconds} s`);
        }
        unsettled.delete(row.id);
        await endFailed(task, row, result, options);
      }
    }
    if (unsettled.size > 0) throw new Error(`${unsettled.size} deliveries ended without a result`);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    // A fault of ours counts like a refusal of the messenger: it would be the same the next time, and the time after.
    telemetry.recordError(error);
    await endFaulty(task, [...unsettled.values()], error, options);
  } finally {
    // Told last: then everything that belongs to it has been done.
    for (const { row, result } of delivered) tellDelivered(telemetry, task, row, result);
  }
}

function faultOf(error: unknown): Undelivered {
  return {
    ok: false,
    retry: true,
    retryAfterMs: undefined,
    unreachable: false,
    reason: 'INTERNAL_ERROR',
    detail: 'a fault of ours',
    error,
  };
}

/**
 * Ends what has been tried as often as it may be, each time without an end: a process that dies, or loses its lease, while
 * it sends records nothing. It would be so the next time, too. Resolves with what may be sent.
 */
async function withoutSpent(
  task: TaskRow,
  rows: readonly DeliveryRow[],
  options: DeliveryOptions,
): Promise<readonly DeliveryRow[]> {
  const { deliveryAttempts } = options.timings;
  const spent = rows.filter(({ attempts }) => attempts > deliveryAttempts);
  if (spent.length === 0) return rows;
  const error = new AppError({
    code: 'ATTEMPTS_SPENT',
    message: 'No attempt to send it has had an end; it may have arrived',
  });
  await endFaulty(task, spent, error, options);
  return rows.filter(row => !spent.includes(row));
}

/** Administrators are called where something was given up because of a fault of ours. */
async function endFaulty(
  task: TaskRow,
  rows: readonly DeliveryRow[],
  error: unknown,
  options: DeliveryOptions,
): Promise<void> {
  let isGivenUp = false;
  for (const row of rows) isGivenUp = (await endFailed(task, row, faultOf(error), options)) || isGivenUp;
  if (isGivenUp) await options.alarm.givenUp(`delivery: ${errorType(error)}`);
}

/**
 * Tells of it when it is recorded: what another instance has taken over is not ours to give up. Resolves with whether it
 * was given up.
 */
async function endFailed(
  task: TaskRow,
  row: DeliveryRow,
  result: Undelivered,
  options: DeliveryOptions,
): Promise<boolean> {
  const { deliveries, telemetry, timings } = options;
  const { error } = result;
  if (error instanceof AppError && error.code === 'SPOOL_FAILED')
    await options.alarm.diskRefused(error.message);
  if (result.retry && row.attempts < timings.deliveryAttempts) {
    await deliveries.release([row.id], timings.deliveryRetryMs * row.attempts);
    tellFailed(telemetry, task, row, result, 'will be tried again');
    return false;
  }
  const isGivenUp = await deliveries.giveUp(row.id, result.reason, isFile(row));
  // By "will be tried again" the diagnosis and the counts know what is not given up.
  const next = isGivenUp ? undefined : 'was sent or will be tried again elsewhere';
  tellFailed(telemetry, task, row, result, next);
  return isGivenUp;
}

/** Nothing reaches this user: what else the task owes is not even tried. */
async function endUnreachable(
  task: TaskRow,
  claimed: readonly DeliveryRow[],
  result: Undelivered,
  options: DeliveryOptions,
): Promise<void> {
  const given = await options.deliveries.giveUpAll(task.id, result.reason);
  for (const row of given) {
    const own = claimed.find(({ kind, position }) => kind === row.kind && position === row.position);
    if (own || isFile(row))
      tellFailed(options.telemetry, task, own ?? { ...row, attempts: 0, isRepeated: false }, result);
  }
}

/** Ends what the task still owes, because looking at it fails every time. */
export async function abandonDeliveries(
  task: TaskRow,
  error: unknown,
  { deliveries, telemetry }: Pick<DeliveryOptions, 'deliveries' | 'telemetry'>,
): Promise<void> {
  const result = { ...faultOf(error), retry: false };
  for (const row of await deliveries.abandon(task.id, result.reason))
    tellFailed(telemetry, task, { ...row, attempts: 0, isRepeated: false }, result);
}

async function giveUpSilently(
  rows: readonly DeliveryRow[],
  reason: ReasonCode,
  deliveries: DeliveryStore,
): Promise<void> {
  for (const { id } of rows) await deliveries.giveUp(id, reason, false);
}
