// The parts of a verdict's sentence that every cause shares: what the user did, what the user saw, where the money is.
// Each is read from the events alone; what they do not hold is said to be unknown.
import { formatMoney } from '../billing/money-text.ts';
import type { Locale, Localized } from '../locales.ts';
import { type ChainEvent, textOf } from './chain.ts';
import { type Facts, isAbout } from './facts.ts';
import { buttonName, screenName } from './names.ts';
import { charactersText } from './words.ts';

/** `the user tapped «✨ Create» on the screen «Card of a model»`; undefined where no user did anything. */
export function didOf(facts: Facts, locale: Locale): string | undefined {
  const { last, has, eventType } = facts;
  const payload = (name: 'COMMAND_RECEIVED' | 'MESSAGE_RECEIVED'): string =>
    textOf(last(name), 'payload_sanitized') ?? '';
  const words = didWords[locale];
  if (eventType === 'callback_query') return tapOf(facts, locale);
  if (has('COMMAND_RECEIVED')) return words.command(payload('COMMAND_RECEIVED'));
  if (eventType === 'command') return words.someCommand;
  if (eventType === 'text_input') {
    const length = /^text\((\d+)\)$/.exec(payload('MESSAGE_RECEIVED'))?.[1];
    return length === undefined ? words.text : `${words.text} (${charactersText(length, locale)})`;
  }
  if (eventType === 'message') {
    const media = /^file\((\w+)\)$/.exec(payload('MESSAGE_RECEIVED'))?.[1];
    return media === undefined ? words.textless : words.file(media);
  }
  if (eventType === undefined) return undefined;
  return otherActions[eventType]?.[locale];
}

const didWords: Localized<{
  readonly command: (command: string) => string;
  readonly someCommand: string;
  readonly text: string;
  readonly textless: string;
  readonly file: (media: string) => string;
}> = {
  ru: {
    command: command => `пользователь отправил команду ${command}`,
    someCommand: 'пользователь отправил команду',
    text: 'пользователь прислал текст',
    textless: 'пользователь прислал сообщение без текста',
    file: media => `пользователь прислал файл (${media})`,
  },
  en: {
    command: command => `the user sent the command ${command}`,
    someCommand: 'the user sent a command',
    text: 'the user sent a text',
    textless: 'the user sent a message without text',
    file: media => `the user sent a file (${media})`,
  },
};

const otherActions: Readonly<Partial<Record<string, Localized>>> = {
  pre_checkout_query: { ru: 'пользователь подтвердил платёж', en: 'the user confirmed a payment' },
  my_chat_member: {
    ru: 'пользователь изменил участие бота в чате',
    en: 'the user changed the membership of the bot',
  },
  unknown: { ru: 'пришло обновление неизвестного вида', en: 'an update of an unknown kind arrived' },
};

function tapOf({ chain, last }: Facts, locale: Locale): string {
  const received = last('CALLBACK_RECEIVED');
  const buttons = chain.events.flatMap(event => textOf(event, 'button_id') ?? []);
  const button = buttons.at(-1);
  const screen = textOf(received, 'screen_id') ?? textOf(last('CALLBACK_ACCEPTED'), 'screen_id');
  const name =
    button === undefined || button === 'UNKNOWN' ? undefined : (buttonName(button, locale) ?? button);
  const what =
    name === undefined
      ? { ru: 'пользователь нажал кнопку', en: 'the user tapped a button' }[locale]
      : { ru: `пользователь нажал «${name}»`, en: `the user tapped «${name}»` }[locale];
  if (screen === undefined) return what;
  const place = screenName(screen, locale);
  return `${what} ${{ ru: 'на экране', en: 'on the screen' }[locale]} «${place}»`;
}

/** What appeared in the chat, in its order; undefined where no event shows it. */
export function sawOf(facts: Facts, locale: Locale): string | undefined {
  const { chain, result, end, last } = facts;
  const seen = chain.events.flatMap(event => sights[event.name]?.(event, locale) ?? []);
  // Where something is owed, no message of the fault was tried.
  const isUnseen = seen.length === 0 && !last('RENDER_OWED');
  if (result === 'failed' && !last('CALLBACK_REJECTED') && isUnseen && end) {
    seen.push(
      {
        ru: 'сообщение об ошибке с cid, если Telegram его принял',
        en: 'an error message with the cid, if Telegram accepted it',
      }[locale],
    );
  }
  const unique = seen.filter((sight, index) => seen.indexOf(sight) === index);
  return unique.length === 0 ? undefined : unique.join({ ru: ', потом ', en: ', then ' }[locale]);
}

type Sight = (event: ChainEvent, locale: Locale) => string | undefined;

const sights: Readonly<Partial<Record<string, Sight>>> = {
  ANSWER_CALLBACK_QUERY: (event, locale) => {
    if (textOf(event, 'result') !== 'accepted') return undefined;
    const text = textOf(event, 'text');
    return text && { ru: `ответ «${flat(text)}»`, en: `the answer «${flat(text)}»` }[locale];
  },
  PARAM_VALIDATION_FAILED: (event, locale) => {
    const hint = textOf(event, 'hint_to_user');
    return hint && { ru: `подсказку «${flat(hint)}»`, en: `the hint «${flat(hint)}»` }[locale];
  },
  UI_RENDER: (event, locale) => {
    const id = textOf(event, 'screen_id') ?? '';
    if (id === 'NONE') return { ru: 'сообщение', en: 'a message' }[locale];
    const screen = screenName(id, locale);
    return { ru: `экран «${screen}»`, en: `the screen «${screen}»` }[locale];
  },
  PASSIVE_NOTICE: (event, locale) => {
    if (textOf(event, 'result') === 'failed' || !isAbout(event, 'PASSIVE_NOTICE', 'send')) return undefined;
    return { ru: 'сообщение, что сервис обновляется', en: 'a notice that the service is being updated' }[
      locale
    ];
  },
  RESULT_DELIVERED: (event, locale) => deliveries[textOf(event, 'operation') ?? '']?.[locale],
};

const deliveries: Readonly<Partial<Record<string, Localized>>> = {
  result: { ru: 'результат', en: 'the result' },
  original: { ru: 'оригинал файлом', en: 'the original file' },
  failure: { ru: 'сообщение о неудаче с кодом обращения', en: 'the notice of the failure, with its cid' },
};

/** What becomes of a screen that Telegram did not take at once; undefined where none is owed, or it was shown since. */
export function owedOf({ chain }: Facts, locale: Locale): string | undefined {
  const later = chain.events.slice(chain.events.findLastIndex(({ name }) => name === 'RENDER_OWED'));
  const [owed] = later;
  if (owed?.name !== 'RENDER_OWED') return undefined;
  const screenId = textOf(owed, 'screen_id');
  if (later.some(event => event.name === 'UI_RENDER' && textOf(event, 'screen_id') === screenId))
    return undefined;
  const dropped = later.findLast(({ name }) => name === 'RENDER_DROPPED');
  if (!dropped)
    return {
      ru: 'бот показывает экран, как только Telegram его примет, в течение четверти часа',
      en: 'the bot will show the screen as soon as Telegram accepts it, within a quarter of an hour',
    }[locale];
  const why = flat(textOf(dropped, 'reason_detail') ?? '');
  return {
    ru: `позже бот экран не показал (${why})`,
    en: `the bot did not show the screen later either (${why})`,
  }[locale];
}

/** Where the price of the task is; undefined where no event has one. */
export function moneyOf({ task }: Facts, locale: Locale): string | undefined {
  const { state, amount } = task?.money ?? {};
  if (state === undefined || amount === undefined) return undefined;
  if (amount === 0) return { ru: 'денег это не стоило', en: 'it cost no money' }[locale];
  return `${formatMoney(amount, locale)} ${moneyStates[state][locale]}`;
}

const moneyStates: Readonly<Record<'held' | 'charged' | 'released' | 'refunded', Localized>> = {
  held: { ru: 'зарезервированы', en: 'are held' },
  charged: { ru: 'списаны', en: 'were charged' },
  released: { ru: 'вернулись на баланс', en: 'went back to the balance' },
  refunded: { ru: 'возвращены', en: 'were refunded' },
};

/** One line, and no end of a sentence inside the sentence. */
function flat(text: string): string {
  return text.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
}
