// Causes for which a generation gave no result: what KIE.ai answered or did not, and the files it was given.
import type { Localized } from '../../locales.ts';
import type { DetailCodeOf } from '../../otel/events.ts';
import { type CauseText, define } from '../cause.ts';
import { numberOf, textOf } from '../chain.ts';
import { type Facts, isCase, reasonOf } from '../facts.ts';

export const taskCauses = define({
  late_result: {
    confidence: 'high',
    events: ['TASK_LATE_RESULT', 'RESULT_DELIVERED'],
    reasons: ['DOWNSTREAM_TIMEOUT'],
    is: ({ task }) => task?.isLate === true && task.delivered.length > 0,
    ru: {
      what: 'модель {model} ответила слишком поздно: пользователю уже сказали о неудаче, а потом бесплатно прислали результат',
      next: 'исправлять нечего; если так часто, поставщик работает медленно',
    },
    en: {
      what: 'the model {model} was too late: the user had already been notified of a failure, and then got the result for free',
      next: 'there is nothing to fix; if it happens often, the supplier is slow',
    },
  },
  content_rejected: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['CONTENT_REJECTED'],
    is: failedWith('CONTENT_REJECTED'),
    ru: {
      what: 'модель {model} отказалась от запроса по правилам содержания',
      next: 'пусть изменит описание; если модель отказывает почти всем, смотрите на неё',
    },
    en: {
      what: 'the model {model} refused the content of the request',
      next: 'let the user change the description; if it refuses almost everybody, look at the model',
    },
  },
  submission_unknown: {
    confidence: 'high',
    events: ['TASK_PROGRESS', 'TASK_FAILED'],
    reasons: ['DOWNSTREAM_TIMEOUT'],
    is: facts => failedWith('DOWNSTREAM_TIMEOUT')(facts) && isFailure(facts, 'submission_unanswered'),
    ru: {
      what: 'KIE.ai не ответил на заказ и не прислал извещения, поэтому неизвестно, принят ли он, и заказ не повторялся',
      next: 'посмотрите задания в кабинете KIE.ai за это время; если так часто, проверьте сеть',
    },
    en: {
      what: 'KIE.ai neither answered the order nor called back, so it is unknown whether the order was accepted, and it was not repeated',
      next: 'look at the tasks of that time in the KIE.ai account; if it happens often, look at the network',
    },
  },
  vendor_timeout: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['DOWNSTREAM_TIMEOUT'],
    is: failedWith('DOWNSTREAM_TIMEOUT'),
    ru: {
      what: 'KIE.ai принял заказ, но не сделал его вовремя: результата нет {waited}',
      next: 'если результат придёт, он будет прислан бесплатно; если так часто, поставщик работает медленно',
    },
    en: {
      what: 'KIE.ai accepted the order and did not finish it in time: no result in {waited}',
      next: 'if the result comes, it will be sent for free; if it happens often, the supplier is slow',
    },
  },
  kie_key_refused: kieAnswered(401, {
    ru: {
      what: 'KIE.ai не принял ключ бота (401), поэтому заказ не сделан',
      next: 'проверьте KIE_API_KEY: он неверен, отозван или без доступа; до этого не работает ни одна модель',
    },
    en: {
      what: 'KIE.ai did not accept the key of the bot (401), so nothing was generated',
      next: 'check KIE_API_KEY: it is wrong, revoked or without access; until then no model works',
    },
  }),
  kie_credits_empty: kieAnswered(402, {
    ru: {
      what: 'на счёте бота в KIE.ai кончились кредиты (402), поэтому заказ не сделан',
      next: 'пополните счёт KIE.ai; до этого не работает ни одна платная модель',
    },
    en: {
      what: "the bot's account at KIE.ai has too few credits (402), so nothing was generated",
      next: 'top up the account at KIE.ai; until then no paid model works',
    },
  }),
  kie_key_cap: kieAnswered(433, {
    ru: {
      what: 'исчерпан предел ключа бота в KIE.ai (433), поэтому заказ не сделан',
      next: 'поднимите предел ключа в кабинете KIE.ai',
    },
    en: {
      what: "the cap of the bot's key at KIE.ai is reached (433), so nothing was generated",
      next: 'raise the cap of the key in the KIE.ai account',
    },
  }),
  kie_parameters_refused: kieAnswered(422, {
    ru: {
      what: 'KIE.ai не принял параметры заказа для модели {model} (422)',
      next: 'сверьте модель с документацией поставщика: trt catalogue drift; каталог мог устареть',
    },
    en: {
      what: 'KIE.ai refused the parameters of the order for the model {model} (422)',
      next: "compare the model with the supplier's documents: trt catalogue drift; the catalogue may be out of date",
    },
  }),
  kie_rate_limit: kieAnswered(429, {
    ru: {
      what: 'KIE.ai каждый раз отвечал, что заказов слишком много (429), и попытки кончились',
      next: 'пусть повторит позже; если так часто, попросите у KIE.ai больший предел',
    },
    en: {
      what: 'KIE.ai answered every time that there were too many orders (429), and the attempts were used up',
      next: 'let the user try again later; if it happens often, ask KIE.ai for a higher limit',
    },
  }),
  kie_file_unreachable: kieAnswered(451, {
    ru: {
      what: 'KIE.ai не смог открыть файл из заказа (451)',
      next: 'пусть пришлёт файл ещё раз или другую ссылку; если так у многих, проверьте файловый сервер поставщика',
    },
    en: {
      what: 'KIE.ai could not open a file of the order (451)',
      next: "let the user send the file again or another link; if this happens to many, look at the supplier's file host",
    },
  }),
  kie_maintenance: kieAnswered(455, {
    ru: {
      what: 'у KIE.ai идут работы (455), и попытки кончились раньше них',
      next: 'пусть повторит позже; посмотрите статус KIE.ai',
    },
    en: {
      what: 'KIE.ai is under maintenance (455), and the attempts were used up before it ended',
      next: 'let the user try again later; look at the status of KIE.ai',
    },
  }),
  kie_server_error: kieAnswered(500, {
    ru: {
      what: 'сервер KIE.ai ответил внутренней ошибкой (500), и заказ не повторялся, чтобы не заплатить дважды',
      next: 'пусть повторит; если так у многих, сбой у KIE.ai',
    },
    en: {
      what: 'the server of KIE.ai failed (500), and the order was not repeated, so that it is not paid for twice',
      next: 'let the user try again; if this happens to many, KIE.ai is in trouble',
    },
  }),
  kie_switched_off: kieAnswered(505, {
    ru: {
      what: 'KIE.ai больше не делает модель {model} (505), и бот снял её с показа',
      next: 'если поставщик её вернёт, включите её: trt catalogue',
    },
    en: {
      what: 'KIE.ai does not offer the model {model} any more (505), and the bot has taken it off the menus',
      next: 'if the supplier brings it back, switch it on: trt catalogue',
    },
  }),
  model_gone: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['MODEL_DISABLED'],
    is: failedWith('MODEL_DISABLED'),
    ru: {
      what: 'модель {model} снята с показа раньше, чем заказ ушёл поставщику',
      next: 'пусть выберет другую модель; исправлять нечего',
    },
    en: {
      what: 'the model {model} was taken off before the order went to the supplier',
      next: 'let the user choose another model; there is nothing to fix',
    },
  },
  input_file_gone: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['FILE_UNREACHABLE'],
    is: failedWith('FILE_UNREACHABLE'),
    ru: {
      what: 'файл, который прислал пользователь, не удалось передать поставщику: Telegram его не отдаёт или он слишком велик',
      next: 'пусть пришлёт файл ещё раз или ссылку на него',
    },
    en: {
      what: 'the file that the user sent could not be handed to the supplier: Telegram does not provide it, or it is too big',
      next: 'let the user send the file again, or a link to it',
    },
  },
  input_file_disk: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['INTERNAL_ERROR'],
    is: facts => isFailed(facts) && typeOf(facts) === 'SPOOL_FAILED',
    ru: {
      what: 'файл пользователя не поместился на диск бота: папка TMPDIR полна, недоступна или без прав на запись',
      next: 'освободите место или исправьте TMPDIR',
    },
    en: {
      what: "the user's file could not be written to the bot's own disk: the folder of TMPDIR is full, missing or not writable",
      next: 'free some space or correct TMPDIR',
    },
  },
  kie_unreachable: {
    confidence: 'high',
    events: ['TASK_FAILED', 'SUPPLIER_DOWN'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailed(facts) && unreached.has(typeOf(facts)),
    ru: {
      what: 'до KIE.ai не удалось достучаться, и попытки кончились',
      next: 'проверьте сеть сервера и статус KIE.ai; смотрите события SUPPLIER_DOWN',
    },
    en: {
      what: 'KIE.ai was out of reach, and the attempts were used up',
      next: 'look at the network of the server and the status of KIE.ai; see the events SUPPLIER_DOWN',
    },
  },
  kie_task_lost: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailure(facts, 'order_unknown'),
    ru: {
      what: 'KIE.ai принял заказ, а потом не узнал его',
      next: 'пусть повторит; если так часто, спросите поставщика',
    },
    en: {
      what: 'KIE.ai accepted the order and did not know it afterwards',
      next: 'let the user try again; if it happens often, ask the supplier',
    },
  },
  kie_empty_result: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailure(facts, 'empty_result'),
    ru: {
      what: 'KIE.ai назвал задание готовым, но не дал ни одного файла',
      next: 'пусть повторит; если так часто, сверьте модель {model} с документацией поставщика',
    },
    en: {
      what: 'KIE.ai called the task done and gave no file',
      next: "let the user try again; if it happens often, compare the model {model} with the supplier's documents",
    },
  },
  kie_generation_failed: {
    confidence: 'high',
    events: ['TASK_FAILED', 'KIE_CALLBACK'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailed(facts) && (codeOf(facts) === 501 || typeOf(facts) === ''),
    ru: {
      what: 'модель {model} у поставщика не справилась с заказом (код {code})',
      next: 'пусть повторит; если модель не справляется часто, выключите её',
    },
    en: {
      what: 'the model {model} failed at the supplier (code {code})',
      next: 'let the user try again; if the model fails often, switch it off',
    },
  },
  kie_refused: {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: ['DOWNSTREAM_ERROR', 'VALIDATION_FAILED'],
    is: isFailed,
    ru: {
      what: 'KIE.ai отклонил заказ модели {model} (код {code})',
      next: 'сверьте код с docs.kie.ai; если так у многих, каталог мог устареть',
    },
    en: {
      what: 'KIE.ai refused the order for the model {model} (code {code})',
      next: 'compare the code with docs.kie.ai; if this happens to many, the catalogue may be out of date',
    },
  },
});

function kieAnswered(code: number, texts: Localized<CauseText>) {
  return {
    confidence: 'high',
    events: ['TASK_FAILED'],
    reasons: [
      'SERVICE_PAUSED',
      'DOWNSTREAM_ERROR',
      'VALIDATION_FAILED',
      'FILE_UNREACHABLE',
      'MODEL_DISABLED',
    ],
    is: (facts: Facts) => isFailed(facts) && codeOf(facts) === code,
    ...texts,
  } as const;
}

function isFailed({ task }: Facts): boolean {
  return task?.failure !== undefined;
}

function failedWith(reason: string): (facts: Facts) => boolean {
  return ({ task }) => reasonOf(task?.failure) === reason;
}

function isFailure({ task }: Facts, code: DetailCodeOf<'TASK_FAILED'>): boolean {
  return isCase(task?.failure, 'TASK_FAILED', code);
}

/** Types of errors: nobody answered. */
const unreached: ReadonlySet<string> = new Set(['KIE_NOT_REACHED', 'TIMEOUT', 'INPUT_FILE_UNREACHABLE']);

/** Only what went wrong before the supplier had taken the order has a type. */
function typeOf({ task }: Facts): string {
  return textOf(task?.failure, 'error_type') ?? '';
}

/** With which the supplier refused the order, or called the generation failed. */
export function codeOf({ task }: Facts): number | undefined {
  return numberOf(task?.failure, 'supplier_code');
}
