// Lines that were written before there were detail codes: what their words stand for, for as long as the journal keeps
// them and while a release that writes them runs beside this one. The only place that reads `reason_detail`. To be
// deleted after 2027-03-01, with its test and its uses in diagnosis/facts.ts, diagnosis/difference.ts and
// storage/journal-counts.ts; see docs/decisions/2026-12-01-detail-codes.md.
import { type DetailCode, detailCodes } from './detail-codes.ts';

type Fields = Readonly<Record<string, unknown>>;

/** By which a DELIVERY_FAILED said that it was not the last. */
export const triedAgainBeforeCodes = 'will be tried again';

/** The first that fits is the one. */
const words: Readonly<Record<string, readonly (readonly [RegExp, DetailCode])[]>> = {
  CALLBACK_REJECTED: [
    [/got no open form$/, 'form_closed'],
    [/got draft /, 'form_changed'],
    [/^expected .*, got /, 'screen_changed'],
    [/^no record of this message$/, 'message_unknown'],
    [/^rendered over 48 hours ago$/, 'message_expired'],
    [/^the quote$/, 'quote_expired'],
    [/: price unknown$/, 'price_unknown'],
    [/: needs public address$/, 'needs_public_address'],
    [/: not this model$/, 'not_this_model'],
    [/: disabled$/, 'disabled'],
    [/^\d+ kopecks$/, 'balance_short'],
    [/^something still runs$/, 'user_busy'],
    [/^a (group|supergroup|channel)$/, 'not_private'],
    [/^the user blocked the bot$/, 'bot_blocked'],
    [/^the user can be written to$/, 'bot_unblocked'],
  ],
  DISPATCH_FAIL: [
    [/: 403 .*blocked/, 'blocked_by_user'],
    [/: 403 /, 'user_unreachable'],
    [/chat not found|PEER_ID_INVALID/, 'chat_not_found'],
    [/^Telegram could not be reached/, 'telegram_unreachable'],
    [/^Telegram did not answer as the Bot API does/, 'telegram_answer_invalid'],
    [/^Telegram did not answer in time/, 'telegram_silent'],
  ],
  SILENCE_GUARD_WARNING: [
    [/it goes on$/, 'handler_slow'],
    [/without a conclusion$/, 'no_conclusion'],
    [/says nothing/, 'says_nothing'],
    [/nobody waits for this error/, 'error_lost'],
  ],
  KIE_CALLBACK: [
    [/^the body names another task than the path$/, 'other_task'],
    [/^no task has this path$/, 'no_such_task'],
    [/^the body names no task$/, 'no_task_named'],
  ],
  TASK_FAILED: [
    [/^no answer to the submission/, 'submission_unanswered'],
    [/^no result within /, 'no_result_in_time'],
    [/does not know the task$/, 'order_unknown'],
  ],
};

const sameWords: Readonly<Record<string, string>> = {
  DISPATCH_OK: 'CALLBACK_REJECTED',
  PARAM_VALIDATION_FAILED: 'CALLBACK_REJECTED',
  DELIVERY_FAILED: 'DISPATCH_FAIL',
};

/** The same fields, with what their words stand for where they have no codes; the very same object where nothing is to add. */
export function withCodes(name: string, fields: Fields): Fields {
  const { reason_detail: detail, detail_code: code, next_attempt: next } = fields;
  const said = typeof detail === 'string' ? detail : '';
  if (name === 'DELIVERY_FAILED' && next === undefined)
    return { ...fields, ...codeOf(name, said), next_attempt: nextAttemptOf(said) };
  if (code !== undefined || said === '' || !isCoded(name)) return fields;
  return { ...codeOf(name, said), ...besides(name, said), ...fields };
}

function isCoded(name: string): boolean {
  return Object.hasOwn(words, name) || Object.hasOwn(sameWords, name);
}

function nextAttemptOf(said: string): string {
  if (!said.includes(triedAgainBeforeCodes)) return 'none';
  return said.includes('elsewhere') ? 'elsewhere' : 'scheduled';
}

function codeOf(name: string, said: string): { readonly detail_code?: DetailCode } {
  const found = (words[sameWords[name] ?? name] ?? []).find(([pattern]) => pattern.test(said));
  if (found) return { detail_code: found[1] };
  // Problems with values, and what is wrong with a callback, were said by their names.
  const [word = ''] = said.split(':');
  // SAFETY: checked to be a key of the table.
  return Object.hasOwn(detailCodes, word) ? { detail_code: word as DetailCode } : {};
}

/** The numbers and the model in the words. */
function besides(name: string, said: string): Fields {
  const kopecks = /^(\d+) kopecks$/.exec(said)?.[1];
  if (kopecks !== undefined) return { amount: Number(kopecks) };
  const model = /^(.+): (price unknown|needs public address|not this model|disabled)$/.exec(said)?.[1];
  if (model !== undefined) return { model_id: model };
  const answered = name === 'TASK_FAILED' && /^(?:KIE\.ai answered )?(\d{3})$/.exec(said)?.[1];
  return answered ? { supplier_code: Number(answered) } : {};
}
