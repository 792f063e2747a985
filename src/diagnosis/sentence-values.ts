// The words that stand for the braces in the texts of causes, each taken from the facts. A fact that is not there gives
// the word for "unknown", or nothing where the sentence does without it.
import { formatMoney } from '../billing/money-text.ts';
import type { Locale, Localized } from '../locales.ts';
import { reasons } from '../otel/reasons.ts';
import { attemptsOf } from './causes/fault.ts';
import { codeOf } from './causes/task.ts';
import { beginOf, type ChainEvent, numberOf, textOf } from './chain.ts';
import type { Facts } from './facts.ts';
import { gapsOf } from './gaps.ts';
import { modelTitle, screenName, screenNamesIn } from './names.ts';
import { isDatabaseTrouble, isReplacement, processEventsAround } from './surroundings.ts';
import { charactersText, durationText } from './words.ts';

const unknown: Localized = { ru: 'неизвестно', en: 'unknown' };

/** Replaces `{name}`; a name that nobody knows is a defect of the text and throws. */
export function filled(text: string, facts: Facts, locale: Locale): string {
  return text.replace(/\{(\w+)\}/g, (_brace, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (!value) throw new Error(`No text of a cause can hold {${name}}`);
    return value(facts, locale) ?? unknown[locale];
  });
}

type Value = (facts: Facts, locale: Locale) => string | undefined;

const values: Readonly<Record<string, Value>> = {
  actual: ({ last }, locale) => onText(textOf(last('CALLBACK_REJECTED'), 'actual_state'), screenName, locale),
  expected: ({ last }, locale) =>
    onText(textOf(last('CALLBACK_REJECTED'), 'expected_state'), screenNamesIn, locale),
  model: facts => onText(facts.task?.modelId ?? modelOfRefusal(facts), modelTitle),
  parameter: ({ last }) =>
    beside(textOf(last('PARAM_VALIDATION_FAILED'), 'param_name'), name => ` «${name}»`),
  allowed: ({ last }, locale) =>
    beside(
      textOf(last('PARAM_VALIDATION_FAILED'), 'allowed'),
      allowed => ({ ru: ` (можно: ${allowed})`, en: ` (allowed: ${allowed})` })[locale],
    ),
  payload: ({ last }, locale) => {
    const payload = textOf(last('CALLBACK_RECEIVED'), 'payload_sanitized') ?? '';
    const length = /^text\((\d+)\)$/.exec(payload)?.[1];
    if (length === undefined) return payload;
    return charactersText(length, locale);
  },
  detail: ({ detail, last }) =>
    detail || textOf(last('KIE_CALLBACK') ?? last('REQUEST_REFUSED'), 'reason_detail'),
  missing: ({ end, last }, locale) =>
    onNumber(numberOf(end ?? last('CALLBACK_REJECTED'), 'amount'), formatMoney, locale),
  original: ({ last }) => textOf(last('UPDATE_DUPLICATE'), 'original_cid'),
  depth: ({ last }) => numberText(last('QUEUE_FULL'), 'queue_depth'),
  refused: ({ last }) => numberText(last('QUEUE_FULL'), 'refused_count'),
  followUp: ({ last }) => {
    const failure = last('SYSTEM_WARNING');
    const what = textOf(failure, 'operation')?.replace(/^follow up /, '');
    return joined([what, textOf(failure, 'error_type')], ': ');
  },
  guard: ({ last }) => textOf(last('SILENCE_GUARD_WARNING'), 'reason_detail'),
  telegram: ({ detail, last }) => detail || textOf(last('DISPATCH_FAIL'), 'error_type'),
  error: ({ last }) => {
    const failure = last('DISPATCH_FAIL');
    return joined([textOf(failure, 'error_type'), textOf(failure, 'error_message')], ': ');
  },
  code: facts => String(codeOf(facts) ?? (textOf(facts.task?.failure, 'reason_detail') || 'none')),
  progress: ({ task }) => textOf(task?.progress, 'reason_detail') ?? textOf(task?.progress, 'operation'),
  delivery: ({ task }) => {
    const failure = task?.lost.at(-1) ?? task?.postponed;
    return textOf(failure, 'reason_detail') ?? textOf(failure, 'error_type');
  },
  waited: ({ task }, locale) => durationOf(task?.failure, 'duration_ms', locale),
  delivery_time: ({ task }, locale) => durationOf(task?.delivered.at(-1), 'latency_ms', locale),
  age: ({ all, surroundings, chain }, locale) => {
    const begin = all('TASK_CREATED')[0]?.at ?? beginOf(chain);
    return durationText((surroundings.now ?? lastOf(chain.events)).getTime() - begin.getTime(), locale);
  },
  wait: ({ last }, locale) => durationOf(last('QUEUE_PICK'), 'latency_ms', locale),
  toastWait: ({ all }, locale) =>
    durationOf(
      all('ANSWER_CALLBACK_QUERY').find(({ fields }) => fields.latency_ms !== undefined),
      'latency_ms',
      locale,
    ),
  pickedAgo: ({ last, surroundings }, locale) => {
    const picked = last('QUEUE_PICK') ?? last('DISPATCH_START');
    if (!picked || !surroundings.now) return undefined;
    return durationText(surroundings.now.getTime() - picked.at.getTime(), locale);
  },
  work: ({ end }, locale) => durationOf(end, 'duration_ms', locale),
  latency: ({ end }, locale) => durationOf(end, 'latency_ms', locale),
  oldest: ({ surroundings }, locale) => onNumber(surroundings.oldestUnpickedMs, durationText, locale),
  attempts: facts => String(attemptsOf(facts)),
  boot: ({ last }) => textOf(last('BOOT_FAIL'), 'error_message'),
  books: ({ last }) => textOf(last('WALLET_MISMATCH'), 'reason_detail'),
  warnings: ({ all }) =>
    joined([...new Set(all('SYSTEM_WARNING').flatMap(event => textOf(event, 'operation') ?? []))], ', '),
  reason: ({ reason }) => onText(reason, code => reasons[code].meaning.replace(/\.$/, '').toLowerCase()),
  code_of_reason: ({ reason }) => reason,
  gaps: (facts, locale) => joined(gapsOf(facts, locale), '; '),
  near: ({ chain, surroundings }, locale) => {
    const near = processEventsAround(surroundings, chain)
      .filter(event => isReplacement(event) || isDatabaseTrouble(event) || event.name === 'QUEUE_FULL')
      .map(event => joined([event.name, textOf(event, 'operation')], ' ') ?? event.name);
    const once = joined([...new Set(near)].slice(-shownNear), ', ');
    return beside(
      once,
      text => ({ ru: ` (рядом по времени: ${text})`, en: ` (near in time: ${text})` })[locale],
    );
  },
};

const shownNear = 4;

function modelOfRefusal({ end, last }: Facts): string | undefined {
  return textOf(last('MODEL_SWITCHED_OFF') ?? end ?? last('CALLBACK_REJECTED'), 'model_id');
}

function onText<T extends string>(
  value: T | undefined,
  say: (value: T, locale: Locale) => string,
  locale: Locale = 'en',
): string | undefined {
  return value === undefined ? undefined : say(value, locale);
}

function onNumber(
  value: number | string | undefined,
  say: (value: number, locale: Locale) => string,
  locale: Locale,
): string | undefined {
  return value === undefined ? undefined : say(Number(value), locale);
}

/** Nothing, where the sentence does without it. */
function beside(value: string | undefined, say: (value: string) => string): string {
  return value === undefined ? '' : say(value);
}

function durationOf(event: ChainEvent | undefined, field: string, locale: Locale): string | undefined {
  return onNumber(numberOf(event, field), durationText, locale);
}

function numberText(event: ChainEvent | undefined, field: string): string | undefined {
  const value = numberOf(event, field);
  return value === undefined ? undefined : String(value);
}

function joined(parts: readonly (string | undefined)[], separator: string): string | undefined {
  return parts.filter(part => part !== undefined).join(separator) || undefined;
}

function lastOf(events: readonly ChainEvent[]): Date {
  return events.at(-1)?.at ?? new Date(0);
}
