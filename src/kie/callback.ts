// Reads and verifies the callbacks that KIE.ai posts when a task ends. Verification follows KIE's webhook
// guide to the letter; what the signature does not cover is the body, so a verified callback proves that
// KIE spoke of this task, not what it said: results that cost money are confirmed by recordInfo.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../secret.ts';
import { namedTask } from './vendor-task-id.ts';

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
  /** False for news on the way: a text or a first track of suno, a state that still changes. */
  readonly isFinal: boolean;
}

const callbackSchema = z.object({ data: z.looseObject({}).optional().catch(undefined) });
const newsSchema = z.object({
  state: z.string().optional().catch(undefined),
  callbackType: z.string().optional().catch(undefined),
});
const unfinishedStates: ReadonlySet<string | undefined> = new Set(['waiting', 'queuing', 'generating']);
const unfinishedTypes: ReadonlySet<string | undefined> = new Set(['text', 'first']);

/**
 * Which task a callback's parsed JSON speaks of, in all families; undefined when none is named. The id is
 * read from `data.taskId`, `data.task_id` or `taskId`. More is not read: a callback says "look now", and
 * what does not say that it is unfinished counts as final, because a look too many costs nothing.
 */
export function parseCallback(body: unknown): Callback | undefined {
  const parsed = callbackSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { data } = parsed.data;
  const vendorTaskId = namedTask(data) ?? namedTask(body);
  if (vendorTaskId === undefined) return undefined;
  const news = newsSchema.safeParse(data ?? body).data;
  return {
    vendorTaskId,
    isFinal: !unfinishedStates.has(news?.state) && !unfinishedTypes.has(news?.callbackType),
  };
}
