// Why: the one cause of a chain, and one sentence about it for an administrator. It says what the user did, what
// happened and why, what the user saw, where the money is and what to do next. It never claims more than the events
// show: a chain that is not complete makes it less sure, and where they show nothing it says what is missing.
import type { Locale, Localized } from '../locales.ts';
import type { CauseDefinition, Confidence } from './cause.ts';
import { type Cause, causes } from './causes.ts';
import { beginOf, type Chain, textOf } from './chain.ts';
import { type Facts, factsOf } from './facts.ts';
import { gapsOf, hasGapThatMatters } from './gaps.ts';
import { didOf, moneyOf, owedOf, sawOf } from './sentence-parts.ts';
import { filled } from './sentence-values.ts';
import { quietAfterMinutes, type Surroundings, stuckAfterMs } from './surroundings.ts';
import { durationText, timeText } from './words.ts';

export interface Verdict {
  readonly cause: Cause | NothingCause;
  readonly confidence: Confidence;
  /** One sentence. */
  readonly sentence: string;
  /** What was looked for in vain, in words. */
  readonly missing: readonly string[];
}

/** Why the chain ended as it did, in a sentence: the one cause that fits best. `surroundings`: what is known beside it. */
export function verdictOf(chain: Chain, locale: Locale, surroundings: Surroundings = {}): Verdict {
  const facts = factsOf(chain, surroundings);
  const cause = causeOf(facts);
  return {
    cause,
    confidence: confidenceOf(causes[cause], facts),
    sentence: sentenceOf(facts, causes[cause], locale),
    missing: gapsOf(facts, locale),
  };
}

/** The cid of the update that a duplicate repeats: what became of it stands there. */
export function originalCidOf(chain: Chain): string | undefined {
  const cid = textOf(
    chain.events.findLast(({ name }) => name === 'UPDATE_DUPLICATE'),
    'original_cid',
  );
  return cid === 'unknown' || cid === chain.cid ? undefined : cid;
}

function causeOf(facts: Facts): Cause {
  // SAFETY: the entries are those of the table, in its order.
  const entries = Object.entries(causes) as [Cause, CauseDefinition][];
  const [cause] = entries.find(([, { is }]) => is(facts)) ?? ['cannot_tell' as const];
  return cause;
}

function confidenceOf({ confidence }: CauseDefinition, facts: Facts): Confidence {
  return confidence === 'high' && hasGapThatMatters(facts) ? 'medium' : confidence;
}

function sentenceOf(facts: Facts, cause: CauseDefinition, locale: Locale): string {
  const { what, next } = cause[locale];
  const { and, saw: sawWord, next: nextWord } = joints[locale];
  const did = didOf(facts, locale);
  const happened = filled(what, facts, locale);
  const saw = sawOf(facts, locale);
  const parts = [
    `${timeText(beginOf(facts.chain))}: ${did === undefined ? happened : `${did}, ${and} ${happened}`}`,
    saw && `${sawWord} ${saw}`,
    owedOf(facts, locale),
    moneyOf(facts, locale),
    `${nextWord} ${filled(next, facts, locale)}`,
  ];
  return `${parts.filter(part => part !== undefined).join('; ')}.`;
}

const joints: Localized<Readonly<Record<'and' | 'saw' | 'next', string>>> = {
  ru: { and: 'и', saw: 'пользователь увидел', next: 'что делать:' },
  en: { and: 'and', saw: 'the user saw', next: 'what to do:' },
};

type NothingCause =
  | 'database_down'
  | 'journal_unreadable'
  | 'no_active_instance'
  | 'webhook_failing'
  | 'queue_stuck'
  | 'nothing_received'
  | 'click_never_arrived'
  | 'cannot_tell';

/** Why there is no trace of a click at all, from the surroundings alone. */
export function verdictOfNothing(surroundings: Surroundings, locale: Locale): Verdict {
  const found = nothings.find(({ is }) => is(surroundings)) ?? nothing;
  return {
    cause: found.cause,
    confidence: found.confidence,
    sentence: found[locale](surroundings),
    missing: unknownOf(surroundings, locale),
  };
}

interface Nothing extends Localized<(surroundings: Surroundings) => string> {
  readonly cause: NothingCause;
  readonly confidence: Confidence;
  readonly is: (surroundings: Surroundings) => boolean;
}

const nothing: Nothing = {
  cause: 'cannot_tell',
  confidence: 'low',
  is: () => true,
  ru: () =>
    'Следов этого нажатия нет, и почему, сказать нельзя: о состоянии сервиса слишком мало известно; что делать: спросите /health и getWebhookInfo.',
  en: () =>
    'There is no trace of this click, and the reason is unknown, because too little is known about the service; what to do: ask /health and getWebhookInfo.',
};

const nothings: readonly Nothing[] = [
  {
    cause: 'database_down',
    confidence: 'high',
    is: ({ isDatabaseUp }) => isDatabaseUp === false,
    ru: () =>
      'Нажатие не сохранено: база данных недоступна, и бот не принимает обновления; что делать: поднимите Postgres, Telegram пришлёт их снова.',
    en: () =>
      'The click was not stored: the database is down, and the bot accepts no updates; what to do: bring Postgres up; Telegram will send the updates again.',
  },
  {
    cause: 'journal_unreadable',
    confidence: 'high',
    is: ({ journalError }) => journalError !== undefined,
    ru: ({ journalError }) =>
      `Журнал сейчас не читается (${journalError}), и причину по нему не узнать; что делать: найдите cid в логах и передайте их в trt explain, журнал восстанавливайте по docs/operations.md.`,
    en: ({ journalError }) =>
      `The journal cannot be read now (${journalError}), so it cannot say why; what to do: find the cid in the logs and give them to trt explain, and restore the journal as docs/operations.md says.`,
  },
  {
    cause: 'webhook_failing',
    confidence: 'high',
    is: ({ webhookError, webhookPending = 0 }) => webhookError !== undefined && webhookPending > 0,
    ru: ({ webhookError, webhookPending }) =>
      `Нажатие не дошло до бота: Telegram не может доставить обновления на вебхук («${webhookError}»), у него их ждёт ${webhookPending}; что делать: проверьте адрес, сертификат и секрет вебхука.`,
    en: ({ webhookError, webhookPending }) =>
      `The click did not reach the bot: Telegram cannot deliver to the webhook («${webhookError}») and holds ${webhookPending} updates; what to do: check its address, certificate and secret.`,
  },
  {
    cause: 'no_active_instance',
    confidence: 'high',
    is: ({ hasActiveInstance }) => hasActiveInstance === false,
    ru: () =>
      'Нажатия никто не обрабатывает: ни один экземпляр бота не активен; что делать: посмотрите /health всех экземпляров, кто держит блокировку.',
    en: () =>
      'No click is being handled, because no instance of the bot is ACTIVE; what to do: look at /health of all instances to see who holds the lock.',
  },
  {
    cause: 'queue_stuck',
    confidence: 'high',
    is: ({ oldestUnpickedMs = 0 }) => oldestUnpickedMs > stuckAfterMs,
    ru: ({ oldestUnpickedMs = 0 }) =>
      `Очередь стоит: самое старое обновление ждёт ${durationText(oldestUnpickedMs, 'ru')}; что делать: посмотрите, на чём висит обработка, и состояние базы.`,
    en: ({ oldestUnpickedMs = 0 }) =>
      `The queue stands still: the oldest update has waited for ${durationText(oldestUnpickedMs, 'en')}; what to do: find out what the work is stuck on, and look at the database.`,
  },
  {
    cause: 'nothing_received',
    confidence: 'medium',
    is: ({ minutesWithoutUpdate = 0 }) => minutesWithoutUpdate >= quietAfterMinutes,
    ru: ({ minutesWithoutUpdate }) =>
      `До бота ничего не доходит уже ${minutesWithoutUpdate} мин, ни от кого; что делать: проверьте getWebhookInfo и сеть, возможно, адрес вебхука занят другим ботом.`,
    en: ({ minutesWithoutUpdate }) =>
      `Nothing has reached the bot for ${minutesWithoutUpdate} min, from anybody; what to do: check getWebhookInfo and the network, perhaps the webhook points somewhere else.`,
  },
  {
    cause: 'click_never_arrived',
    confidence: 'medium',
    is: ({ minutesWithoutUpdate, webhookError, webhookPending, hasActiveInstance }) =>
      minutesWithoutUpdate !== undefined &&
      hasActiveInstance === true &&
      // An error of the past is none of this click's when nothing waits any more.
      (webhookError === undefined ? webhookPending !== undefined : webhookPending === 0),
    ru: () =>
      'Сервис здоров и получает обновления других, а этого нажатия не получал: вероятно, оно не ушло с телефона; что делать: пусть проверит связь и нажмёт ещё раз.',
    en: () =>
      'The service is healthy and receives updates of others, but it never received this click, which probably did not leave the phone; what to do: let the user check the connection and tap again.',
  },
];

const wanted: readonly (Localized & { readonly field: keyof Surroundings })[] = [
  {
    field: 'minutesWithoutUpdate',
    ru: 'когда пришло последнее обновление',
    en: 'when the last update arrived',
  },
  { field: 'webhookPending', ru: 'ответ getWebhookInfo', en: 'the answer of getWebhookInfo' },
  { field: 'hasActiveInstance', ru: 'есть ли активный экземпляр', en: 'whether an instance is ACTIVE' },
  {
    field: 'oldestUnpickedMs',
    ru: 'возраст самого старого в очереди',
    en: 'the age of the oldest in the queue',
  },
];

function unknownOf(surroundings: Surroundings, locale: Locale): string[] {
  // Then what is missing is the journal, whatever else is not known.
  if (surroundings.journalError !== undefined) return [];
  return wanted.filter(({ field }) => surroundings[field] === undefined).map(entry => entry[locale]);
}
