// Every reason a click, a command or a task can be refused or fail: its meaning, whether it is normal
// operation or a fault, what the user reads, and what an operator does. The list is closed; a new
// reason is one entry. Codes are never reused. Texts are plain: no markup, at most 200 characters with
// the cid appended, because Telegram cuts the answer to a callback there.
import type { Locale, Localized } from '../locales.ts';

interface ReasonDefinition {
  readonly meaning: string;
  /** A fault is ours or a supplier's; everything else is the product working as designed. */
  readonly fault: boolean;
  readonly text: Localized;
  readonly operator: string;
}

const define = <const R extends Record<string, ReasonDefinition>>(definitions: R): Readonly<R> => definitions;

export const reasons = define({
  SUCCESS: {
    meaning: 'It worked.',
    fault: false,
    text: { ru: 'Готово', en: 'Done' },
    operator: 'Nothing.',
  },
  NOOP: {
    meaning: 'Nothing had to be done, on purpose.',
    fault: false,
    text: { ru: 'Ничего делать не нужно', en: 'Nothing to do' },
    operator: 'Nothing.',
  },
  PASSIVE_REJECT: {
    meaning: 'No active instance was there to work the click.',
    fault: false,
    text: {
      ru: '⏳ Сервис обновляется. Попробуйте через минуту',
      en: '⏳ The service is being updated. Try again in a minute',
    },
    operator: 'Look at /health of all instances: none is ACTIVE, or the deploy has not finished.',
  },
  UNKNOWN_CALLBACK: {
    meaning: 'The button data is not of this bot, or leads to no known action.',
    fault: false,
    text: {
      ru: 'Эта кнопка мне незнакома. Откройте меню: /start',
      en: 'I do not know this button. Open the menu: /start',
    },
    operator:
      'Rare: old or foreign clients. Many at once: a release dropped a button that is still on screens.',
  },
  CALLBACK_PARSE_ERROR: {
    meaning: 'The button data is ours but does not decode.',
    fault: false,
    text: {
      ru: 'Кнопка повреждена. Откройте меню: /start',
      en: 'This button is damaged. Open the menu: /start',
    },
    operator: 'A modified client, or the codec changed without a new version.',
  },
  UNKNOWN_ACTION: {
    meaning: 'The button or command is known, what it refers to is not.',
    fault: false,
    text: {
      ru: 'Такого выбора больше нет. Откройте меню: /start',
      en: 'That choice no longer exists. Open the menu: /start',
    },
    operator: 'Look whether a catalogue entry was removed recently.',
  },
  STATE_MISMATCH: {
    meaning: 'The message no longer shows the screen the button belongs to, or the form has moved on.',
    fault: false,
    text: {
      ru: 'Этот шаг уже пройден. Продолжайте на текущем экране',
      en: 'You have already passed this step. Go on from the current screen',
    },
    operator: 'Normal when users tap fast. Many on one screen: renders of that screen are slow or fail.',
  },
  EXPIRED_MESSAGE: {
    meaning: 'The button is of an older version of the bot, or its screen was rendered over 48 hours ago.',
    fault: false,
    text: {
      ru: 'Кнопка устарела. Вот свежий экран',
      en: 'This button is out of date. Here is a fresh screen',
    },
    operator: 'Nothing.',
  },
  PERMISSION_DENIED: {
    meaning: 'The sender may not do this: wrong secret, not an admin, or not the owner.',
    fault: false,
    text: { ru: 'Это действие вам недоступно', en: 'You are not allowed to do this' },
    operator: 'From the webhook: compare WEBHOOK_SECRET_TOKEN with what setWebhook was called with.',
  },
  VALIDATION_FAILED: {
    meaning: 'A value is outside what the model or the protocol accepts.',
    fault: false,
    text: {
      ru: 'Модель не приняла такие параметры. Измените их и попробуйте снова',
      en: 'The model did not accept these settings. Change them and try again',
    },
    operator: 'See param_name, value and allowed in the same line.',
  },
  RATE_LIMIT: {
    meaning: 'Too many requests.',
    fault: false,
    text: { ru: 'Слишком часто. Подождите немного', en: 'Too many requests. Wait a little' },
    operator: 'One user: nothing. Many: raise the limit, or look for an attack.',
  },
  DUPLICATE_ACTION: {
    meaning: 'The same button was tapped again while its first tap counted.',
    fault: false,
    text: { ru: 'Уже выполняется', en: 'Already on it' },
    operator: 'Nothing.',
  },
  BALANCE_INSUFFICIENT: {
    meaning: 'The wallet does not cover the price.',
    fault: false,
    text: { ru: 'Недостаточно средств', en: 'Your balance is too low' },
    operator: 'Nothing.',
  },
  MODEL_DISABLED: {
    meaning: 'The model is switched off here or at the supplier.',
    fault: false,
    text: {
      ru: 'Модель сейчас недоступна. Выберите другую',
      en: 'This model is unavailable now. Choose another one',
    },
    operator: 'See reason_detail: switched off by an admin, no price, or refused by the supplier (505).',
  },
  CONTENT_REJECTED: {
    meaning: "The supplier's content policy refused the request.",
    fault: false,
    text: {
      ru: 'Запрос отклонён правилами модели. Измените описание',
      en: 'The model refused this content. Change the description',
    },
    operator: 'Nothing, unless one model refuses nearly everything.',
  },
  FILE_UNREACHABLE: {
    meaning: 'The supplier could not fetch a file of the request: a link that does not open, or has expired.',
    fault: false,
    text: {
      ru: 'Ваш файл не открылся. Нажмите «Повторить», потом «Изменить» и пришлите его заново',
      en: 'Your file could not be opened. Press “Try again”, then “Change”, and send it again',
    },
    operator: 'Links of users: nothing. Many files that were uploaded: look at the supplier’s file host.',
  },
  SERVICE_PAUSED: {
    meaning: 'The supplier refuses our account: no credits, a bad key, or the cap of a key.',
    fault: true,
    text: {
      ru: 'Генерация приостановлена на нашей стороне, мы уже занимаемся этим. Попробуйте позже',
      en: 'Generation is paused on our side, and we are working on it. Try again later',
    },
    operator: 'Look at credits, key and caps at kie.ai. Administrators are notified, at most once an hour.',
  },
  DOWNSTREAM_TIMEOUT: {
    meaning: 'A supplier or Telegram did not answer in time.',
    fault: true,
    text: {
      ru: 'Сервис генерации не ответил вовремя. Попробуйте ещё раз',
      en: 'The generation service did not answer in time. Try again',
    },
    operator: 'Look at the client spans of the trace and at the supplier’s status.',
  },
  DOWNSTREAM_ERROR: {
    meaning: 'A supplier or Telegram refused or failed.',
    fault: true,
    text: {
      ru: 'Сервис генерации вернул ошибку. Попробуйте ещё раз',
      en: 'The generation service failed. Try again',
    },
    operator: 'See error_type and reason_detail: they name the supplier and its code.',
  },
  DB_ERROR: {
    meaning: 'The database failed or was unreachable.',
    fault: true,
    text: { ru: 'Внутренняя ошибка. Попробуйте через минуту', en: 'Internal error. Try again in a minute' },
    operator: 'Look at /health, connections and disk of Postgres.',
  },
  INTERNAL_ERROR: {
    meaning: 'A defect of this program.',
    fault: true,
    text: { ru: 'Внутренняя ошибка, мы уже видим её', en: 'Internal error, we can see it' },
    operator: 'Open the trace by its cid: the exception event holds the stack.',
  },
});

export type ReasonCode = keyof typeof reasons;

/** What the user reads. Faults carry the cid, so that a complaint leads straight to the trace. */
export function reasonText(code: ReasonCode, locale: Locale, cid: string): string {
  const reason = reasons[code];
  return reason.fault ? `${reason.text[locale]} (${cid})` : reason.text[locale];
}
