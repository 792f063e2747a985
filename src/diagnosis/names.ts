// What users call what telemetry names: screens, buttons and models, in every language. Names that nobody has put down
// here are shown as they are; a test keeps the tables as complete as the map of the bot.
import models from '../catalogue/models.json' with { type: 'json' };
import type { Locale, Localized } from '../locales.ts';

const screenNames: Readonly<Record<string, Localized>> = {
  MAIN_MENU: { ru: 'Главное меню', en: 'Main menu' },
  CATEGORY_PICK: { ru: 'Список моделей', en: 'List of models' },
  BEST: { ru: 'Самые доступные модели', en: 'The most affordable models' },
  FREE: { ru: 'Бесплатные модели', en: 'Free models' },
  SEARCH: { ru: 'Поиск модели', en: 'Search for a model' },
  MODEL_PICK: { ru: 'Карточка модели', en: 'Card of a model' },
  PARAMS_FORM: { ru: 'Вопрос формы', en: 'Question of the form' },
  OPTIONS: { ru: 'Параметры', en: 'Parameters' },
  CONFIRM: { ru: 'Проверьте и запускайте', en: 'Check and run' },
  PROCESSING: { ru: 'Генерирую', en: 'Generating' },
  RESULT: { ru: 'Результат', en: 'Result' },
  RESULT_ERROR: { ru: 'Ошибка генерации', en: 'Failed generation' },
  BALANCE: { ru: 'Баланс', en: 'Balance' },
  HELP: { ru: 'Как это работает', en: 'How it works' },
  PRIVACY: { ru: 'Ваши данные', en: 'Your data' },
  PRIVACY_ERASE: { ru: 'Стереть всё?', en: 'Erase everything?' },
  UPDATING: { ru: 'Сервис обновляется', en: 'The service is being updated' },
  FAULT: { ru: 'Сообщение об ошибке', en: 'Message of a fault' },
};

/** By the beginning of button_id; what follows it stands for `{}`. */
const buttonNames: readonly (readonly [string, Localized])[] = [
  ['CAT_', { ru: 'раздел {}', en: 'section {}' }],
  ['PAGE_', { ru: 'страница {}', en: 'page {}' }],
  ['MODEL_', { ru: '{}', en: '{}' }],
  ['PARAM_', { ru: 'вариант {}', en: 'choice {}' }],
  ['EDIT_', { ru: '✏️ параметр {}', en: '✏️ parameter {}' }],
  ['MAIN_MENU', { ru: '🏠 Меню', en: '🏠 Menu' }],
  ['BEST', { ru: '💸 Дешевле всего', en: '💸 Cheapest' }],
  ['FREE', { ru: '🎁 Бесплатно', en: '🎁 Free' }],
  ['SEARCH', { ru: '🔎 Найти модель', en: '🔎 Find a model' }],
  ['BALANCE', { ru: '💰 Баланс', en: '💰 Balance' }],
  ['CREATE', { ru: '✨ Создать', en: '✨ Create' }],
  ['DONE', { ru: '▶️ Дальше', en: '▶️ Go on' }],
  ['CLEAR', { ru: '🧹 Убрать', en: '🧹 Remove' }],
  ['OPTIONS', { ru: '✏️ Изменить', en: '✏️ Change' }],
  ['PROCEED', { ru: '▶️ Дальше', en: '▶️ Go on' }],
  ['CONFIRM_RUN', { ru: '🚀 Запустить', en: '🚀 Run' }],
  ['AGAIN', { ru: '🔁 Ещё раз', en: '🔁 Once more' }],
  ['RETRY', { ru: '🔁 Повторить', en: '🔁 Try again' }],
  ['ORIGINAL', { ru: '📎 Оригинал файлом', en: '📎 Original file' }],
  ['REDELIVER', { ru: '📨 Прислать ещё раз', en: '📨 Send it again' }],
  ['BACK', { ru: '◀️ Назад', en: '◀️ Back' }],
  ['CANCEL', { ru: '✖️ Отменить', en: '✖️ Cancel' }],
  ['PRIVACY', { ru: '🔐 Мои данные', en: '🔐 My data' }],
  ['CONSENT', { ru: 'тексты в журнале: да или нет', en: 'texts in the log: yes or no' }],
  ['EXPORT', { ru: '📦 Получить копию', en: '📦 Get a copy' }],
  ['ERASE', { ru: '🗑 Стереть', en: '🗑 Erase' }],
  ['ERASE_ALL', { ru: '🗑 Да, стереть всё', en: '🗑 Yes, erase everything' }],
  ['HELP', { ru: '❓ Помощь', en: '❓ Help' }],
  ['REPORT', { ru: '🆘 Сообщить о проблеме', en: '🆘 Report a problem' }],
];

const sections: Readonly<Record<string, Localized>> = {
  image: { ru: '🎨 Картинки', en: '🎨 Pictures' },
  video: { ru: '🎬 Видео', en: '🎬 Video' },
  audio: { ru: '🗣 Озвучка', en: '🗣 Speech' },
  music: { ru: '🎵 Музыка', en: '🎵 Music' },
  enhance: { ru: '✨ Улучшить', en: '✨ Enhance' },
  avatar: { ru: '👤 Аватары', en: '👤 Avatars' },
};

const unknownScreen: Localized = { ru: 'неизвестное сообщение', en: 'a message without a record' };

/** The title of a screen by its screen_id. */
export function screenName(id: string, locale: Locale): string {
  if (id === 'NONE') return unknownScreen[locale];
  return screenNames[id]?.[locale] ?? id;
}

/** The titles of several, as expected_state names them: `CATEGORY_PICK | MODEL_PICK`. */
export function screenNamesIn(text: string, locale: Locale): string {
  return text
    .split(' | ')
    .map(id => `«${screenName(id, locale)}»`)
    .join(', ');
}

/** The words on a button by its button_id; undefined where nobody knows them. */
export function buttonName(id: string, locale: Locale): string | undefined {
  const found =
    buttonNames.find(([start]) => start === id) ??
    buttonNames.find(([start]) => start.endsWith('_') && id.startsWith(start));
  if (!found) return undefined;
  const [start, name] = found;
  return name[locale].replace('{}', restOf(start, id.slice(start.length).toLowerCase(), locale));
}

/** The title of a model by its id. */
export function modelTitle(id: string): string {
  return models.find(model => model.id === id)?.title ?? id;
}

/** People count from one. */
function restOf(start: string, rest: string, locale: Locale): string {
  if (start === 'CAT_') return sections[rest]?.[locale] ?? rest;
  if (start === 'MODEL_') return models.find(({ key }) => key === rest)?.title ?? rest;
  return /^\d+$/.test(rest) ? String(Number(rest) + 1) : rest;
}
