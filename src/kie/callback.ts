// Reads and verifies the callbacks that KIE.ai posts when a task ends. Verification follows KIE's webhook
// guide to the letter; what the signature does not cover is the body, so a verified callback proves that
// KIE spoke of this task, not what it said: results that cost money are confirmed by recordInfo.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../secret.ts';
import { readTaskStatus, type TaskStatus, vendorTaskIdSchema } from './task-status.ts';

export type CallbackVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: 'header_missing' | 'timestamp_invalid' | 'timestamp_off' | 'signature_wrong';
    };

export interface CallbackProof {
  /** The webhookHmacKey of the KIE account. */
  readonly key: Secret;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** From the body, see parseCallback. */
  readonly taskId: string;
  readonly nowSeconds: number;
}

/** Our choice: KIE names replay as a danger and gives no window. */
const toleranceSeconds = 300;

/**
 * Checks X-Webhook-Signature = Base64(HMAC-SHA256(key, taskId + "." + X-Webhook-Timestamp)) in constant
 * time, and that the timestamp is at most five minutes off in either direction. A header that is given
 * twice counts as missing.
 */
export function verifyCallback(proof: CallbackProof): CallbackVerdict {
  const timestamp = header(proof.headers, 'x-webhook-timestamp');
  const signature = header(proof.headers, 'x-webhook-signature');
  if (timestamp === undefined || signature === undefined) return { ok: false, reason: 'header_missing' };
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: 'timestamp_invalid' };
  const expected = createHmac('sha256', proof.key.reveal())
    .update(`${proof.taskId}.${timestamp}`)
    .digest('base64');
  if (!equalInConstantTime(expected, signature)) return { ok: false, reason: 'signature_wrong' };
  if (Math.abs(proof.nowSeconds - Number(timestamp)) > toleranceSeconds)
    return { ok: false, reason: 'timestamp_off' };
  return { ok: true };
}

function header(headers: CallbackProof['headers'], name: string): string | undefined {
  const values = Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
  const [value] = values;
  return values.length === 1 && typeof value === 'string' ? value : undefined;
}

function equalInConstantTime(expected: string, given: string): boolean {
  const left = Buffer.from(expected);
  const right = Buffer.from(given);
  return left.length === right.length && timingSafeEqual(left, right);
}

export interface Callback {
  readonly vendorTaskId: string;
  readonly status: TaskStatus;
}

const idOrNothing = vendorTaskIdSchema.optional().catch(undefined);
const callbackSchema = z.object({
  taskId: idOrNothing,
  data: z.looseObject({ taskId: idOrNothing, task_id: idOrNothing }).optional().catch(undefined),
});

/**
 * The task and its status in a callback's parsed JSON; undefined when no task is named. The id is read
 * from `data.taskId`, `data.task_id` or `taskId`, the record from `data` or, without it, from the top.
 * A body without a state gives `unknown`: then recordInfo has to be asked.
 */
export function parseCallback(body: unknown): Callback | undefined {
  const parsed = callbackSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { taskId, data } = parsed.data;
  const vendorTaskId = data?.taskId ?? data?.task_id ?? taskId;
  const status = readTaskStatus(data ?? body);
  return vendorTaskId && status ? { vendorTaskId, status } : undefined;
}
