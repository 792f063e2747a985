// The life of a market task as KIE.ai tells it, in our words. recordInfo answers and callbacks carry the
// same record, so both are read here. A state we do not know is `unknown`, never a failure: a new state
// must make us keep polling, not refund a task that is still running.
import { z } from 'zod';
import type { ReasonCode } from '../otel/reasons.ts';
import { jsonOrUndefined } from './answer.ts';
import { generationFailure } from './codes.ts';

export type TaskStatus =
  | { readonly state: 'queued' | 'running' /** 0-100, from some models only. */; readonly progress?: number }
  | { readonly state: 'succeeded'; readonly urls: readonly string[]; readonly costCredits?: number }
  | { readonly state: 'failed'; readonly reason: ReasonCode; readonly code: string }
  /** A state that KIE added after this was written. */
  | { readonly state: 'unknown'; readonly raw: string }
  /** From recordInfo only: KIE does not know the task (yet); right after the order this means "wait". */
  | { readonly state: 'not_found' };

/** The `code` of a task that KIE calls successful and that has nothing to deliver. */
const emptyResultCode = 'empty_result';

/** Printable and without spaces: it becomes part of a URL and of rows. KIE documents no format. */
export const vendorTaskIdSchema = z.string().regex(/^[\x21-\x7e]{1,128}$/);

const recordSchema = z.object({
  state: z.string().nullish().catch(undefined),
  resultJson: z.unknown().optional(),
  failCode: z.union([z.string(), z.number()]).nullish().catch(undefined),
  failMsg: z.string().nullish().catch(undefined),
  progress: z.number().min(0).max(100).nullish().catch(undefined),
  creditsConsumed: z.number().nonnegative().nullish().catch(undefined),
});
type TaskRecord = z.infer<typeof recordSchema>;

const resultSchema = z.object({ resultUrls: z.array(z.unknown()) });

/** The status in a recordInfo or callback record; undefined when `data` is no object at all. */
export function readTaskStatus(data: unknown): TaskStatus | undefined {
  const parsed = recordSchema.safeParse(data);
  return parsed.success ? toStatus(parsed.data) : undefined;
}

function toStatus(record: TaskRecord): TaskStatus {
  switch (record.state) {
    case 'waiting':
    case 'queuing':
      return { state: 'queued', ...progressOf(record) };
    case 'generating':
      return { state: 'running', ...progressOf(record) };
    case 'success':
      return succeeded(record);
    case 'fail':
      return { state: 'failed', ...generationFailure(String(record.failCode ?? ''), record.failMsg ?? '') };
    default:
      return { state: 'unknown', raw: printableState(record.state ?? '') };
  }
}

function progressOf(record: TaskRecord): { progress?: number } {
  return typeof record.progress === 'number' ? { progress: record.progress } : {};
}

function succeeded(record: TaskRecord): TaskStatus {
  const urls = resultUrls(record.resultJson);
  if (urls.length === 0) return { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: emptyResultCode };
  const cost = record.creditsConsumed;
  return { state: 'succeeded', urls, ...(typeof cost === 'number' ? { costCredits: cost } : {}) };
}

/** `resultJson` is JSON inside a string; an object in its place is taken as well. */
function resultUrls(resultJson: unknown): string[] {
  const result = resultSchema.safeParse(
    typeof resultJson === 'string' ? jsonOrUndefined(resultJson) : resultJson,
  );
  return result.success ? result.data.resultUrls.filter(isWebUrl) : [];
}

function isWebUrl(value: unknown): value is string {
  return typeof value === 'string' && ['https:', 'http:'].includes(URL.parse(value)?.protocol ?? '');
}

function printableState(state: string): string {
  return /^[\w.-]{0,40}$/.test(state) ? state : 'unprintable';
}
