// What KIE.ai's answer codes mean to us: the reason that a user and an operator are given, the kind of
// trouble, and whether a refused order may be sent again. Pure look-ups. KIE's own texts are read here
// to distinguish a content refusal from a fault, and go no further, because they can quote the prompt.
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

/**
 * Whether an order that was answered so has cost us credits at KIE. It says nothing of the user's money, which
 * goes back with every task that fails.
 */
type VendorCharge = 'charged' | 'not_charged' | 'unknown';

export interface CodeMeaning {
  readonly reason: ReasonCode;
  readonly kind: RefusalKind;
  readonly charge: VendorCharge;
  /** True only where the answer promises that nothing was ordered and the trouble passes by itself. */
  readonly createMayBeRetried: boolean;
  readonly meaning: string;
}

const meaning = (reason: ReasonCode, kind: RefusalKind, charge: VendorCharge, text: string): CodeMeaning => ({
  reason,
  kind,
  charge,
  createMayBeRetried: false,
  meaning: text,
});
const refusal = (reason: ReasonCode, kind: RefusalKind, text: string): CodeMeaning =>
  meaning(reason, kind, 'not_charged', text);
const passing = (reason: ReasonCode, kind: RefusalKind, text: string): CodeMeaning => ({
  ...refusal(reason, kind, text),
  createMayBeRetried: true,
});

/**
 * The codes of docs.kie.ai. A 500 is not repeated although the documents allow it: an error inside the
 * server does not prove that no paid task exists. 401, 402 and 433 are trouble of our account: the user
 * reads that the service is paused, never that a balance is low.
 */
export const codeMeanings: ReadonlyMap<number, CodeMeaning> = new Map([
  [200, meaning('SUCCESS', 'none', 'charged', 'accepted')],
  [400, refusal('DOWNSTREAM_ERROR', 'request', 'a parameter is missing or the body is not JSON')],
  [401, refusal('SERVICE_PAUSED', 'account', 'the key is missing, invalid or has no access')],
  [402, refusal('SERVICE_PAUSED', 'account', 'the account has too few credits')],
  [404, refusal('DOWNSTREAM_ERROR', 'not_found', 'no such endpoint or task')],
  [422, refusal('VALIDATION_FAILED', 'parameters', 'a parameter failed validation')],
  [429, passing('RATE_LIMIT', 'rate_limit', 'over the request limit of the account')],
  // In no document; reported as the cap of a key.
  [433, refusal('SERVICE_PAUSED', 'account', 'the cap of the key is reached')],
  [451, refusal('FILE_UNREACHABLE', 'file', 'the given file could not be fetched')],
  [455, passing('DOWNSTREAM_ERROR', 'maintenance', 'the service is under maintenance')],
  [500, meaning('DOWNSTREAM_ERROR', 'server', 'unknown', 'unexpected server error')],
  // Final, and no document says whether the credits come back.
  [501, meaning('DOWNSTREAM_ERROR', 'generation', 'unknown', 'the generation failed')],
  [505, refusal('MODEL_DISABLED', 'switched_off', 'the feature is switched off')],
]);

const undocumented = meaning('DOWNSTREAM_ERROR', 'undocumented', 'unknown', 'undocumented code');
const contentRefused = (charge: VendorCharge): CodeMeaning =>
  meaning('CONTENT_REJECTED', 'content', charge, "refused by the model's content policy");

/**
 * The words by which KIE's free texts name a content policy; "case-sensitive" is not one of them. The last
 * three are Veo's, for pictures of known people, of children and of what it calls unsafe.
 */
const contentWords =
  /\b(?:polic(?:y|ies)|(?<!case[- ])sensitive|nsfw|flagged|prohibited|moderation|moderated|prominent people|minor upload|unsafe)\b/i;
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
  return contentKinds.has(known.kind) && namesContentPolicy(text) ? contentRefused(known.charge) : known;
}

export interface GenerationFailure {
  readonly reason: ReasonCode;
  /** KIE's code where it looks like one, else `none` or `unprintable`. */
  readonly code: string;
}

/** Classifies the code and the text of a task that failed; both are free text of whoever is behind KIE. */
export function generationFailure(
  failCode: string | number | null | undefined,
  failText: string | null | undefined,
): GenerationFailure {
  const given = String(failCode ?? '');
  const code = printableCode(given);
  if (namesContentPolicy(failText ?? '') || namesContentPolicy(given))
    return { reason: 'CONTENT_REJECTED', code };
  const known = codeMeanings.get(Number(given));
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
