// The outbox works the deliveries, which are the files and notices that a finished task owes its user. It claims them,
// has the sender send them, and ends each one right after the call of the messenger that sent it. A crash between the
// call and its record sends the files of that one call a second time, once the claim has aged. This is accepted because
// a result that never arrives is worse, and the event of the second sending says so. What the user asked for with a
// later tap (once more, or the originals) has its events in the trace of that tap.
import { SpanKind } from '@opentelemetry/api';
import { AppError, errorType } from '../errors.ts';
import type { ReasonCode } from '../otel/reasons.ts';
import type { SpanOptions } from '../otel/span-seam.ts';
import type { Telemetry } from '../otel/telemetry.ts';
import { isConnectionLost } from '../postgres/connection-lost.ts';
import type { Delivery, DeliveryClaim, DeliveryStore, NextDelivery } from '../storage/delivery-store.ts';
import type { TaskRow } from '../storage/task-row.ts';
import type { TaskStore } from '../storage/task-store.ts';
import { emitDelivered, emitFailed, isFile, type Next } from './delivery-events.ts';
import type { Alarm } from './ports.ts';
import { recordKnown } from './record-known.ts';
import { renewEvery } from './renewal.ts';
import type { Sender, SendFailure, Sent } from './sender.ts';
import type { Stages } from './stages.ts';
import { fieldsOf } from './task-events.ts';
import { jitter, type PipelineTimings } from './timings.ts';

export interface OutboxOptions {
  readonly tasks: Pick<TaskStore, 'find' | 'schedule'>;
  readonly deliveries: DeliveryStore;
  readonly sender: Sender;
  readonly alarm: Pick<Alarm, 'givenUp' | 'diskRefused'>;
  readonly stages: Pick<Stages, 'deliveries'>;
  readonly telemetry: Telemetry;
  readonly timings: PipelineTimings;
}

/** Hundreds of tasks may wait for a place. */
const fullStageFactor = 5;

const givenUp: Next = { attempt: 'none' };
const leftToOthers: Next = { attempt: 'elsewhere', text: 'was sent or will be tried again elsewhere' };

/** Sends what is due and schedules the next look for what is not. */
export async function workOutbox(taskId: string, options: OutboxOptions): Promise<void> {
  const { tasks, deliveries, timings } = options;
  for (;;) {
    // Read anew each time: a delivery that is given up changes what the next notice has to say.
    const task = await tasks.find(taskId);
    if (!task || (task.state !== 'succeeded' && task.state !== 'failed')) return;
    const next = await deliveries.next(taskId, timings.deliveryClaimMs);
    if (next?.dueMs !== 0) {
      if (await deliveries.isUnclosed(taskId)) await options.sender.close(task);
      // A delivery that another process claimed and never ended becomes due again when its claim has aged.
      if (next) await tasks.schedule(taskId, Math.max(next.dueMs, timings.deliveryRetryMs));
      return;
    }
    // The place comes before the claim: waiting for a place counts no attempt.
    const leave = options.stages.deliveries.enter(hostOf(next));
    if (!leave) return tasks.schedule(taskId, jitter(timings.fullStageMs * fullStageFactor));
    try {
      // Another worker was first, or another instance is in charge now.
      if (!(await workNextClaim(task, options))) return tasks.schedule(taskId, timings.deliveryRetryMs);
    } finally {
      leave();
    }
  }
}

/** Resolves with whether there was something to claim. */
async function workNextClaim(task: TaskRow, options: OutboxOptions): Promise<boolean> {
  const { deliveries, telemetry, timings } = options;
  const claim = await deliveries.claim(task.id, timings.deliveryClaimMs);
  if (!claim) return false;
  const ids = claim.rows.map(({ id }) => id);
  // Sending may take longer than a claim lives. A sender that needs longer than a whole look may take hangs.
  const stopRenewing = renewEvery(timings.deliveryClaimMs / 3, timings.lookLimitMs, telemetry, () =>
    deliveries.renew(ids),
  );
  try {
    await telemetry.inSpan('deliver result', spanOf(task, claim), () => sendClaim(task, claim, options));
  } finally {
    stopRenewing();
  }
  return true;
}

/** The places of the stage are shared out by the host that serves the files; '' for a notice, which has none. */
function hostOf({ url }: NextDelivery): string {
  return URL.parse(url ?? '')?.host ?? '';
}

function spanOf(task: TaskRow, { traceparent }: DeliveryClaim): SpanOptions {
  if (traceparent === undefined) return {};
  return { kind: SpanKind.CONSUMER, traceparent, fields: { event_type: 'job', ...fieldsOf(task) } };
}

async function sendClaim(task: TaskRow, claimed: DeliveryClaim, options: OutboxOptions): Promise<void> {
  const { deliveries, sender, telemetry } = options;
  const claim = { ...claimed, rows: await withoutSpent(task, claimed.rows, options) };
  const { kind, rows } = claim;
  if (rows.length === 0) return;
  // No file arrived, so there is nothing to close: the notice of the failure says everything.
  if (kind === 'closing' && claim.sentFiles === 0)
    return giveUpSilently(rows, task.reasonCode ?? 'DOWNSTREAM_ERROR', deliveries);
  const unsettled = new Map(rows.map(row => [row.id, row]));
  const allSent: { readonly row: Delivery; readonly result: Sent }[] = [];
  try {
    for await (const settled of sender.send(task, claim)) {
      const sent = settled.flatMap(({ row, result }) => (result.ok ? [{ row, result }] : []));
      if (sent.length > 0)
        await recordKnown(() =>
          deliveries.finish(sent.map(({ row, result }) => ({ ...result, id: row.id }))),
        );
      for (const { row } of sent) unsettled.delete(row.id);
      allSent.push(...sent);
      for (const { row, result } of settled) {
        if (result.ok) continue;
        if (result.unreachable) return await endUnreachable(task, rows, result, options);
        if (result.retryAfterMs !== undefined) {
          const seconds = Math.ceil(result.retryAfterMs / 1_000);
          await deliveries.postpone(task.id, [...unsettled.keys()], result.retryAfterMs);
          return emitFailed(telemetry, task, row, result, {
            attempt: 'scheduled',
            text: `will be tried again in ${seconds} s`,
          });
        }
        unsettled.delete(row.id);
        await endFailed(task, row, result, options);
      }
    }
    if (unsettled.size > 0) throw new Error(`${unsettled.size} deliveries ended without a result`);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    // A fault of ours counts as an attempt, as a refusal by the messenger does: it may happen again every time.
    telemetry.recordError(error);
    await endFaulty(task, [...unsettled.values()], error, options);
  } finally {
    // Emitted last: whoever reads the event finds that everything that belongs to it has been done.
    for (const { row, result } of allSent) emitDelivered(telemetry, task, row, result);
  }
}

function faultOf(error: unknown): SendFailure {
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
 * Gives up the deliveries whose attempts are used up although none of them was ever ended. A process that dies, or loses
 * its lease, while it sends records nothing, and the next attempt might end in the same way. Resolves with the rest.
 */
async function withoutSpent(
  task: TaskRow,
  rows: readonly Delivery[],
  options: OutboxOptions,
): Promise<readonly Delivery[]> {
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

/** Calls the administrators where a fault of ours is why something was given up. */
async function endFaulty(
  task: TaskRow,
  rows: readonly Delivery[],
  error: unknown,
  options: OutboxOptions,
): Promise<void> {
  let isGivenUp = false;
  for (const row of rows) isGivenUp = (await endFailed(task, row, faultOf(error), options)) || isGivenUp;
  if (isGivenUp) await options.alarm.givenUp(`delivery: ${errorType(error)}`);
}

/**
 * Puts a failed delivery off, or gives it up when its attempts are used up. The event follows the record, because a
 * delivery that another instance has taken over is not ours to give up. Resolves with whether it was given up.
 */
async function endFailed(
  task: TaskRow,
  row: Delivery,
  result: SendFailure,
  options: OutboxOptions,
): Promise<boolean> {
  const { deliveries, telemetry, timings } = options;
  const { error } = result;
  if (error instanceof AppError && error.code === 'SPOOL_FAILED')
    await options.alarm.diskRefused(error.message);
  if (result.retry && row.attempts < timings.deliveryAttempts) {
    await deliveries.release([row.id], timings.deliveryRetryMs * row.attempts);
    emitFailed(telemetry, task, row, result, { attempt: 'scheduled', text: 'will be tried again' });
    return false;
  }
  const isGivenUp = await deliveries.giveUp(row.id, result.reason, isFile(row));
  emitFailed(telemetry, task, row, result, isGivenUp ? givenUp : leftToOthers);
  return isGivenUp;
}

/** Nothing reaches this user, so whatever else the task owes is given up untried. */
async function endUnreachable(
  task: TaskRow,
  claimed: readonly Delivery[],
  result: SendFailure,
  options: OutboxOptions,
): Promise<void> {
  const given = await options.deliveries.giveUpAll(task.id, result.reason);
  for (const row of given) {
    const own = claimed.find(({ kind, position }) => kind === row.kind && position === row.position);
    if (own || isFile(row))
      emitFailed(options.telemetry, task, own ?? { ...row, attempts: 0, isRepeated: false }, result, givenUp);
  }
}

/** Gives up all that the task still owes, because every look at it fails. */
export async function abandonDeliveries(
  task: TaskRow,
  error: unknown,
  { deliveries, telemetry }: Pick<OutboxOptions, 'deliveries' | 'telemetry'>,
): Promise<void> {
  const result = { ...faultOf(error), retry: false };
  for (const row of await deliveries.abandon(task.id, result.reason))
    emitFailed(telemetry, task, { ...row, attempts: 0, isRepeated: false }, result, givenUp);
}

async function giveUpSilently(
  rows: readonly Delivery[],
  reason: ReasonCode,
  deliveries: DeliveryStore,
): Promise<void> {
  for (const { id } of rows) await deliveries.giveUp(id, reason, false);
}
