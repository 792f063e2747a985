// What KIE.ai's answer codes mean to us: the reason that a user and an operator are given, the kind of
// trouble, and whether a refused order may be sent again. Pure look-ups. KIE's own texts are read here
// to tell a content refusal from a fault, and go no further: they can quote the prompt.
import { type ReasonCode, reasons } from '../otel/reasons.ts';

/** What is wrong, for the code that has to do something about it. */
type RefusalKind =
  | 'none'
  | 'request'
  | 'account'
  | 'not_found'
  | 'parameters'
  | 'rate_limit'
  | 'file'
  | 'maintenance'
  | 'server'
  | 'generation'
  | 'switched_off'
  | 'content'
  | 'undocumented';

export interface CodeMeaning {
  readonly reason: ReasonCode;
  readonly kind: RefusalKind;
  /** True only where the answer promises that nothing was ordered and the trouble passes by itself. */
  readonly createMayBeRetried: boolean;
  readonly meaning: string;
}

const refusal = (reason: ReasonCode, kind: RefusalKind, meaning: string): CodeMeaning => ({
  reason,
  kind,
  createMayBeRetried: false,
  meaning,
});
const passing = (kind: RefusalKind, meaning: string): CodeMeaning => ({
  reason: 'DOWNSTREAM_ERROR',
  kind,
  createMayBeRetried: true,
  meaning,
});

/**
 * The codes of docs.kie.ai. A 500 is not repeated although the documents allow it: an error inside the
 * server does not prove that no paid task exists. 429 is our account's limit, not the user's tapping.
 */
export const codeMeanings: ReadonlyMap<number, CodeMeaning> = new Map([
  [200, refusal('SUCCESS', 'none', 'accepted')],
  [400, refusal('DOWNSTREAM_ERROR', 'request', 'a parameter is missing or the body is not JSON')],
  [401, refusal('DOWNSTREAM_ERROR', 'account', 'the key is missing, invalid or has no access')],
  [402, refusal('DOWNSTREAM_ERROR', 'account', 'the account has too few credits')],
  [404, refusal('DOWNSTREAM_ERROR', 'not_found', 'no such endpoint or task')],
  [422, refusal('VALIDATION_FAILED', 'parameters', 'a parameter failed validation')],
  [429, passing('rate_limit', 'over the request limit of the account')],
  // In no document; reported as the cap of a key.
  [433, refusal('DOWNSTREAM_ERROR', 'account', 'the cap of the key is reached')],
  [451, refusal('DOWNSTREAM_ERROR', 'file', 'the given file could not be fetched')],
  [455, passing('maintenance', 'the service is under maintenance')],
  [500, refusal('DOWNSTREAM_ERROR', 'server', 'unexpected server error')],
  [501, refusal('DOWNSTREAM_ERROR', 'generation', 'the generation failed')],
  [505, refusal('MODEL_DISABLED', 'switched_off', 'the feature is switched off')],
]);

const undocumented = refusal('DOWNSTREAM_ERROR', 'undocumented', 'undocumented code');
const contentRefused = refusal('CONTENT_REJECTED', 'content', "refused by the model's content policy");

/** The words by which KIE's free texts name a content policy; "case-sensitive" is not one of them. */
const contentWords =
  /\b(?:polic(?:y|ies)|(?<!case[- ])sensitive|nsfw|flagged|prohibited|moderation|moderated)\b/i;
/** Elsewhere those words mean something else, as in "rate limit policy". */
const contentKinds: ReadonlySet<RefusalKind> = new Set([
  'request',
  'parameters',
  'server',
  'generation',
  'undocumented',
]);

/** The meaning of a code; `text` is what KIE wrote beside it. Any number gets an answer. */
export function meaningOf(code: number, text = ''): CodeMeaning {
  const known = codeMeanings.get(code) ?? undocumented;
  return contentKinds.has(known.kind) && namesContentPolicy(text) ? contentRefused : known;
}

export interface GenerationFailure {
  readonly reason: ReasonCode;
  /** KIE's failCode where it looks like a code, else `none` or `unprintable`. */
  readonly code: string;
}

/** Classifies the `failCode` and `failMsg` of a task that ended in `fail`; both are free text upstream. */
export function generationFailure(failCode: string, failMsg: string): GenerationFailure {
  const code = printableCode(failCode);
  if (namesContentPolicy(failMsg) || namesContentPolicy(failCode))
    return { reason: 'CONTENT_REJECTED', code };
  const known = codeMeanings.get(Number(failCode));
  return { reason: known && known.kind !== 'none' ? known.reason : 'DOWNSTREAM_ERROR', code };
}

/** The reason of a KIE_REFUSED error, from its details. */
export function refusalReason(details: Readonly<Record<string, unknown>>): ReasonCode {
  return isReasonCode(details.reason) ? details.reason : 'DOWNSTREAM_ERROR';
}

function isReasonCode(value: unknown): value is ReasonCode {
  return typeof value === 'string' && Object.hasOwn(reasons, value);
}

function namesContentPolicy(text: string): boolean {
  // An underscore is a word character: content_policy_violation would hide its words.
  return contentWords.test(text.replaceAll('_', ' '));
}

function printableCode(failCode: string): string {
  if (failCode === '') return 'none';
  return /^[\w.-]{1,40}$/.test(failCode) ? failCode : 'unprintable';
}
