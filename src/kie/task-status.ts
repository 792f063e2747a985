// The life of a task at KIE.ai in our words, the same for all families of its API; each family reads its own
// record into it (market.ts, veo.ts, suno.ts). A state we do not know is `unknown`, never a failure: a new
// state must make us keep polling, not refund a task that is still running.
import { z } from 'zod';
import type { ReasonCode } from '../otel/reasons.ts';

export type TaskStatus =
  | { readonly state: 'queued' | 'running' /** 0-100, from some models only. */; readonly progress?: number }
  | { readonly state: 'succeeded'; readonly urls: readonly string[]; readonly costCredits?: number }
  | { readonly state: 'failed'; readonly reason: ReasonCode; readonly code: string }
  /** A state that KIE added after this was written. */
  | { readonly state: 'unknown'; readonly raw: string }
  /** From a look-up only: KIE does not know the task (yet); right after the order this means "wait". */
  | { readonly state: 'not_found' };

/** The `code` of a task that KIE calls successful and that has nothing to deliver. */
export const emptyResultCode = 'empty_result';

/** A success with more files than this has its first ones delivered: no model gives as many. */
const mostFiles = 20;
/** Signed addresses are long; longer ones are of no use to Telegram or a user. */
const longestUrl = 4_096;
/** What the column for it takes; no order costs as much. */
const mostCredits = 999_999_999;

/** What records of all families may hold beside their state. Wrong types, and numbers out of range, count as absent. */
export const detailsSchema = z.object({
  progress: z.number().min(0).max(100).optional().catch(undefined),
  creditsConsumed: z.number().min(0).max(mostCredits).optional().catch(undefined),
});
type Details = z.infer<typeof detailsSchema>;

/** `progress` in percent, where the record has it. */
export function unfinished(state: 'queued' | 'running', { progress }: Details): TaskStatus {
  return { state, ...(progress === undefined ? {} : { progress }) };
}

/** What is no web address is left out; a success of which nothing remains is a failure. */
export function succeeded(candidates: readonly unknown[], { creditsConsumed }: Details): TaskStatus {
  const urls = candidates.filter(isWebUrl).slice(0, mostFiles);
  if (urls.length === 0) return { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: emptyResultCode };
  return {
    state: 'succeeded',
    urls,
    ...(creditsConsumed === undefined ? {} : { costCredits: creditsConsumed }),
  };
}

/** `state` is a word of KIE's, so it is kept only where it looks like one. */
export function unknownState(state: string | number | null | undefined): TaskStatus {
  const raw = String(state ?? '');
  return { state: 'unknown', raw: /^[\w.-]{0,40}$/.test(raw) ? raw : 'unprintable' };
}

/** An address of the web that the database, Telegram and a browser can take: of bounded length, without control characters. */
export function isWebUrl(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= longestUrl &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value) &&
    ['https:', 'http:'].includes(URL.parse(value)?.protocol ?? '')
  );
}
