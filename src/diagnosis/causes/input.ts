// Causes for which a value was refused: one for each thing that can be wrong with it, which detail_code names.
import type { Localized } from '../../locales.ts';
import type { DetailCodeOf } from '../../otel/events.ts';
import type { CauseDefinition } from '../cause.ts';
import { textOf } from '../chain.ts';
import type { Facts } from '../facts.ts';

type Named = DetailCodeOf<'PARAM_VALIDATION_FAILED'>;

/** After "the value was refused". */
const troubles: Readonly<Record<Named, Localized>> = {
  too_short: { ru: 'текст слишком короткий', en: 'the text is too short' },
  too_long: { ru: 'текст слишком длинный', en: 'the text is too long' },
  not_a_text: { ru: 'нужен текст', en: 'a text is needed' },
  not_a_choice: { ru: 'такого варианта нет среди кнопок', en: 'it is none of the choices on the buttons' },
  not_a_number: { ru: 'это не число', en: 'it is not a number' },
  not_whole: { ru: 'нужно целое число', en: 'it is not a whole number' },
  too_small: { ru: 'число слишком маленькое', en: 'the number is too small' },
  too_large: { ru: 'число слишком большое', en: 'the number is too large' },
  not_a_file: { ru: 'нужен файл или ссылка на него', en: 'a file or a link to one is needed' },
  wrong_media: {
    ru: 'прислано не то, что спрашивали',
    en: 'what was sent is of another kind than asked for',
  },
  wrong_type: { ru: 'такой формат файла модель не берёт', en: 'the model does not accept this file format' },
  file_too_big: { ru: 'файл слишком большой для модели', en: 'the file is too big for the model' },
  too_big_for_telegram: {
    ru: 'файл больше, чем Telegram отдаёт ботам',
    en: 'the file is bigger than Telegram lets bots download',
  },
  too_many_files: { ru: 'файлов больше, чем можно', en: 'there are more files than allowed' },
  not_a_link: { ru: 'это не ссылка', en: 'it is not a link' },
  private_link: { ru: 'ссылка ведёт в закрытую сеть', en: 'the link leads into a private network' },
  no_files: { ru: 'нет ни одного файла', en: 'there is no file yet' },
  missing: { ru: 'обязательный параметр не заполнен', en: 'a required parameter has no value' },
  one_of: {
    ru: 'не задано ни одно из нужных значений',
    en: 'at least one of several values is needed, and none was given',
  },
  not_together: { ru: 'эти параметры нельзя задать вместе', en: 'these parameters cannot be used together' },
  nothing_asked: { ru: 'сейчас ничего не спрашивали', en: 'nothing was asked for' },
  combination_not_offered: {
    ru: 'такое сочетание параметров не продаётся',
    en: 'this combination of parameters is not sold',
  },
};

type InputCause = `invalid_${Named}` | 'search_too_short' | 'invalid_value';

export const inputCauses: Readonly<Record<InputCause, CauseDefinition>> = {
  search_too_short: {
    confidence: 'high',
    events: ['DISPATCH_OK'],
    reasons: ['VALIDATION_FAILED'],
    is: facts => isInvalid(facts) && facts.code === 'too_short' && !facts.has('PARAM_VALIDATION_FAILED'),
    ru: {
      what: 'поиск не выполнен, потому что запрос слишком короткий',
      next: 'пусть напишет хотя бы две буквы; исправлять нечего',
    },
    en: {
      what: 'the search was not run, because the query is too short',
      next: 'let the user type at least two letters; there is nothing to fix',
    },
  },
  ...invalidCauses(),
  invalid_value: {
    confidence: 'medium',
    events: ['PARAM_VALIDATION_FAILED', 'CALLBACK_REJECTED', 'DISPATCH_OK'],
    reasons: ['VALIDATION_FAILED'],
    is: isInvalid,
    ru: {
      what: 'значение{parameter} не подошло{allowed}',
      next: 'пусть пришлёт то, что просит подсказка',
    },
    en: {
      what: 'the value{parameter} does not fit{allowed}',
      next: 'let the user send what the hint asks for',
    },
  },
};

function invalidCauses(): Record<`invalid_${Named}`, CauseDefinition> {
  const entries = Object.entries(troubles).map(([problem, { ru, en }]): [string, CauseDefinition] => [
    `invalid_${problem}`,
    {
      confidence: 'high',
      events: ['PARAM_INPUT', 'PARAM_VALIDATION_FAILED'],
      reasons: ['VALIDATION_FAILED'],
      is: facts => isInvalid(facts) && problemOf(facts) === problem,
      ru: {
        what: `значение{parameter} не принято: ${ru}{allowed}`,
        next: 'пусть пришлёт подходящее значение; исправлять нечего',
      },
      en: {
        what: `the value{parameter} was refused: ${en}{allowed}`,
        next: 'let the user send a value that fits; there is nothing to fix',
      },
    },
  ]);
  // SAFETY: one entry for each key of the table above.
  return Object.fromEntries(entries) as Record<`invalid_${Named}`, CauseDefinition>;
}

function isInvalid({ reason, result, task }: Facts): boolean {
  return reason === 'VALIDATION_FAILED' && result !== 'failed' && task === undefined;
}

function problemOf({ last, code }: Facts): string | undefined {
  return textOf(last('PARAM_VALIDATION_FAILED'), 'detail_code') ?? code;
}
