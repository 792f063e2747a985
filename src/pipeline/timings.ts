// How long the pipeline waits for what, in milliseconds. It is one object, so that tests can pass shorter times.
import type { SubmissionLimit } from '../storage/task-store.ts';

export interface PipelineTimings {
  /** Until a confirmed task runs by itself, where its screen was never committed. */
  readonly startDelayMs: number;
  /** How many orders may begin in which time. */
  readonly submissionLimit: SubmissionLimit;
  /** How many times a submission that was definitely refused may be tried in all. */
  readonly submitAttempts: number;
  readonly submitRetryMs: number;
  /** How long after its claim an order may still go out; one that is later, as after a freeze, is put back. */
  readonly orderSendLimitMs: number;
  /** How long what is free (storing files, waiting for a supplier that is down) is tried before an order is sent. */
  readonly submitWindowMs: number;
  /** How long a submission without an answer may still be settled by a callback. */
  readonly unknownOutcomeLimitMs: number;
  /** How long KIE.ai may not know a task that it has accepted. */
  readonly notFoundLimitMs: number;
  /** After this long the user is notified that it failed. A later result is sent all the same. */
  readonly waitLimitMs: number;
  /** Intervals between looks while the task is younger than `untilMs`; the last one holds from then on. */
  readonly poll: readonly { readonly untilMs: number; readonly everyMs: number }[];
  /** How many looks at a task in a row may end in an error of ours before the task is ended. */
  readonly lookAttempts: number;
  /** Until the look after the first of them; doubles with each. */
  readonly lookRetryMs: number;
  /** A look that has not ended by then hangs: everything that it waits for has a shorter limit. */
  readonly lookLimitMs: number;
  /** How long a task that was given up, or its callback, is followed while the supplier does not say how it ended. */
  readonly lateLimitMs: number;
  /** Until the first look at a task that was given up, where no callback asks for one. Each later one is twice as late. */
  readonly lateLookMs: number;
  /** Until a task that found a stage full looks again; longer for those that have waited long. */
  readonly fullStageMs: number;
  readonly deliveryAttempts: number;
  readonly deliveryRetryMs: number;
  /** A claim on a delivery older than this belongs to a process that died while sending. */
  readonly deliveryClaimMs: number;
}

/**
 * KIE.ai drops what is over 20 orders in 10 s of one account; a tenth is kept in reserve. The intervals follow its
 * advice for get-task-detail: 2–3 s at first, then 5–10 s, then 15–30 s.
 */
export const productionTimings: PipelineTimings = {
  startDelayMs: 10_000,
  submissionLimit: { submissions: 18, windowMs: 10_000 },
  submitAttempts: 5,
  submitRetryMs: 2_000,
  orderSendLimitMs: 60_000,
  submitWindowMs: 5 * 60_000,
  unknownOutcomeLimitMs: 15 * 60_000,
  notFoundLimitMs: 60_000,
  waitLimitMs: 15 * 60_000,
  poll: [
    { untilMs: 30_000, everyMs: 2_500 },
    { untilMs: 120_000, everyMs: 7_000 },
    { untilMs: Number.POSITIVE_INFINITY, everyMs: 20_000 },
  ],
  lookAttempts: 5,
  lookRetryMs: 2_000,
  lookLimitMs: 10 * 60_000,
  lateLimitMs: 24 * 60 * 60_000,
  lateLookMs: 60_000,
  fullStageMs: 1_000,
  deliveryAttempts: 5,
  deliveryRetryMs: 3_000,
  deliveryClaimMs: 120_000,
};

/** ±20 %, so that tasks that began together do not ask together. */
export function jitter(delayMs: number): number {
  return delayMs * (0.8 + Math.random() * 0.4);
}

/** Until the supplier is asked again, for a task that is `ageMs` old. */
export function pollDelayMs(timings: PipelineTimings, ageMs: number): number {
  const step = timings.poll.find(({ untilMs }) => ageMs < untilMs) ?? timings.poll.at(-1);
  return jitter(step?.everyMs ?? 0);
}

const longestFullStageMs = 15_000;

/** `waitedMs`: since when the task might have gone on. */
export function fullStageDelayMs(timings: PipelineTimings, waitedMs: number): number {
  return jitter(Math.max(timings.fullStageMs, Math.min(waitedMs / 4, longestFullStageMs)));
}

/** Longer and longer, as what is late already becomes less likely to come. */
export function lateDelayMs(timings: PipelineTimings, waitedMs: number): number {
  return Math.max(pollDelayMs(timings, Number.POSITIVE_INFINITY), waitedMs / 4);
}

/** How many of the times of late looks have come; `endedMs`: since the task was given up. */
export function lateLooksDue({ lateLookMs }: PipelineTimings, endedMs: number): number {
  return Math.max(0, Math.floor(Math.log2(endedMs / lateLookMs)) + 1);
}

/** Until the first of them that is still to come. */
export function lateLookDelayMs(timings: PipelineTimings, endedMs: number): number {
  return timings.lateLookMs * 2 ** lateLooksDue(timings, endedMs) - endedMs;
}

const longestLookRetryMs = 10 * 60_000;

/** Doubles with each failed look, up to ten minutes. */
export function lookRetryDelayMs(timings: PipelineTimings, failures: number): number {
  return jitter(Math.min(timings.lookRetryMs * 2 ** (failures - 1), longestLookRetryMs));
}

/** Doubles with each attempt. */
export function submitRetryDelayMs(timings: PipelineTimings, attempt: number): number {
  return jitter(timings.submitRetryMs * 2 ** (attempt - 1));
}
