// Causes for which a result that exists did not reach its user, or has not yet, and what a running task waits for.
import type { OperationOf } from '../../otel/events.ts';
import { define } from '../cause.ts';
import { textOf } from '../chain.ts';
import { type Facts, isAbout, isCase } from '../facts.ts';

export const deliveryCauses = define({
  delivery_user_blocked: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isLost(facts) && typeOfLoss(facts) === 'telegram_403',
    ru: {
      what: 'результат готов, но отдать его нельзя: пользователь заблокировал бота или удалён',
      next: 'пусть разблокирует бота и нажмёт «Прислать ещё раз»; результат хранится',
    },
    en: {
      what: 'the result is ready but cannot be sent: the user has blocked the bot, or is deleted',
      next: 'let the user unblock the bot and tap «Send it again»; the result is kept',
    },
  },
  delivery_chat_gone: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isCase(facts.task?.lost.at(-1), 'DELIVERY_FAILED', 'chat_not_found'),
    ru: {
      what: 'результат готов, но чата с пользователем больше нет',
      next: 'исправлять нечего; результат хранится',
    },
    en: {
      what: 'the result is ready, but the chat with the user is gone',
      next: 'there is nothing to fix; the result is kept',
    },
  },
  delivery_disk: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['INTERNAL_ERROR'],
    is: facts => isLost(facts) && typeOfLoss(facts) === 'SPOOL_FAILED',
    ru: {
      what: 'результат готов, но файл не поместился на диск бота: папка TMPDIR полна, недоступна или без прав на запись',
      next: 'освободите место или исправьте TMPDIR; потом пусть нажмёт «Прислать ещё раз»',
    },
    en: {
      what: "the result is ready, but the file could not be written to the bot's own disk: the folder of TMPDIR is full, missing or not writable",
      next: 'free some space or correct TMPDIR; then let the user tap «Send it again»',
    },
  },
  delivery_file_missing: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isLost(facts) && typeOfLoss(facts) === 'DOWNLOAD_FAILED',
    ru: {
      what: 'результат готов, но файловый сервер поставщика его не отдал',
      next: 'пусть нажмёт «Прислать ещё раз»; если не поможет, файл у KIE.ai пропал, верните деньги',
    },
    en: {
      what: "the result is ready, but the supplier's file host did not serve it",
      next: 'let the user tap «Send it again»; if that does not help, KIE.ai no longer has the file: give the money back',
    },
  },
  delivery_file_refused: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isLost(facts) && typeOfLoss(facts) === 'DOWNLOAD_REFUSED',
    ru: {
      what: 'результат готов, но скачивать его нельзя: файл слишком велик или лежит по запрещённому адресу',
      next: 'посмотрите адрес результата в трассе по cid',
    },
    en: {
      what: 'the result is ready but may not be downloaded: it is too big, or at an address that the bot does not use',
      next: 'look at the address of the result in the trace of the cid',
    },
  },
  delivery_rate_limit: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['RATE_LIMIT'],
    is: facts => isLost(facts) && typeOfLoss(facts) === 'telegram_429',
    ru: {
      what: 'результат готов, но Telegram раз за разом откладывал его отправку (429), и попытки кончились',
      next: 'пусть нажмёт «Прислать ещё раз» позже',
    },
    en: {
      what: 'the result is ready, but Telegram put it off again and again (429), and the attempts were used up',
      next: 'let the user tap «Send it again» later',
    },
  },
  delivery_telegram_refused: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isLost(facts) && /^telegram_4/.test(typeOfLoss(facts)),
    ru: {
      what: 'результат готов, но Telegram не принял его ни в одном виде ({delivery})',
      next: 'пусть нажмёт «Прислать ещё раз»; если не поможет, передайте разработчику cid',
    },
    en: {
      what: 'the result is ready, but Telegram did not accept it in any form ({delivery})',
      next: 'let the user tap «Send it again»; if that does not help, give a developer the cid',
    },
  },
  delivery_attempts_without_end: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['INTERNAL_ERROR'],
    is: facts => isLost(facts) && typeOfLoss(facts) === 'ATTEMPTS_SPENT',
    ru: {
      what: 'результат готов, но каждая попытка его отправить обрывалась вместе с экземпляром или его арендой',
      next: 'посмотрите, почему экземпляры завершались или теряли аренду, затем пусть нажмёт «Прислать ещё раз»',
    },
    en: {
      what: 'the result is ready, but every attempt to send it was cut off when its instance ended or lost its lease',
      next: 'find out why instances ended or lost their lease, then let the user tap «Send it again»',
    },
  },
  delivery_telegram_failed: {
    confidence: 'high',
    events: ['DELIVERY_FAILED'],
    reasons: ['DOWNSTREAM_ERROR', 'DOWNSTREAM_TIMEOUT'],
    is: isLost,
    ru: {
      what: 'результат готов, но Telegram не ответил или ответил ошибкой, и попытки кончились ({delivery})',
      next: 'пусть нажмёт «Прислать ещё раз»; если это длится, сбой у Telegram',
    },
    en: {
      what: 'the result is ready, but Telegram failed or did not answer, and the attempts were used up ({delivery})',
      next: 'let the user tap «Send it again»; if it lasts, Telegram is down',
    },
  },
});

export const pendingCauses = define({
  generation_failed: {
    confidence: 'low',
    events: ['BALANCE_RELEASE', 'RESULT_DELIVERED'],
    reasons: [],
    is: facts => isOpen(facts) && (facts.has('BALANCE_RELEASE') || isFailureNotified(facts)),
    ru: {
      what: 'генерация не удалась, но строки с причиной среди этих нет',
      next: 'найдите TASK_FAILED этого cid в журнале или в логах другого экземпляра',
    },
    en: {
      what: 'the generation failed, but the line with the reason is not among these',
      next: 'look for TASK_FAILED of this cid in the journal, or in the logs of another instance',
    },
  },
  delivery_postponed: {
    confidence: 'medium',
    events: ['DELIVERY_FAILED'],
    reasons: ['RATE_LIMIT', 'DOWNSTREAM_ERROR', 'DOWNSTREAM_TIMEOUT', 'INTERNAL_ERROR'],
    is: ({ task }) => task?.postponed !== undefined,
    ru: {
      what: 'результат готов, но отправить его пока не удалось, и попытка повторится ({delivery})',
      next: 'подождите и спросите ещё раз',
    },
    en: {
      what: 'the result is ready but could not be sent yet, and the bot will try again ({delivery})',
      next: 'wait and ask again',
    },
  },
  result_undelivered_yet: {
    confidence: 'medium',
    events: ['TASK_COMPLETED', 'TASK_LATE_RESULT', 'BALANCE_CHARGE'],
    reasons: [],
    is: ({ task }) => task?.isMade === true && task.delivered.length === 0,
    ru: {
      what: 'результат готов, а об отправке файла записи ещё нет',
      next: 'подождите и спросите ещё раз; если не придёт, посмотрите доставки в трассе по cid',
    },
    en: {
      what: 'the result is ready, and no event says yet that it was sent',
      next: 'wait and ask again; if it does not come, look at the deliveries in the trace of the cid',
    },
  },
  awaiting_callback: {
    confidence: 'medium',
    events: ['TASK_PROGRESS'],
    reasons: [],
    is: isAt('outcome unknown'),
    ru: {
      what: 'заказ отправлен, но ответ KIE.ai потерян: бот ждёт извещения и не повторяет заказ, чтобы не заплатить дважды',
      next: 'подождите: либо придёт результат, либо деньги вернутся сами',
    },
    en: {
      what: 'the order was sent, but the answer of KIE.ai was lost: the bot waits for the callback and does not repeat the order, so that it is not paid for twice',
      next: 'wait: either the result comes, or the money goes back automatically',
    },
  },
  submission_repeated: {
    confidence: 'medium',
    events: ['TASK_PROGRESS'],
    reasons: [],
    is: isAt('submit again'),
    ru: {
      what: 'KIE.ai пока не берёт заказ, и бот предложит его снова ({progress})',
      next: 'подождите и спросите ещё раз',
    },
    en: {
      what: 'KIE.ai does not accept the order yet, and the bot will send it again ({progress})',
      next: 'wait and ask again',
    },
  },
  files_being_stored: {
    confidence: 'medium',
    events: ['TASK_PROGRESS'],
    reasons: [],
    is: isAt('store files again', 'files stored'),
    ru: {
      what: 'бот передаёт файлы пользователя поставщику ({progress})',
      next: 'подождите и спросите ещё раз',
    },
    en: {
      what: 'the bot is sending the files of the user to the supplier ({progress})',
      next: 'wait and ask again',
    },
  },
  waiting_for_place: {
    confidence: 'medium',
    events: ['TASK_PROGRESS'],
    reasons: [],
    is: isAt('wait for a place'),
    ru: {
      what: 'заказ ждёт места: KIE.ai принимает не больше 20 заказов за 10 секунд',
      next: 'подождите; если так часто, попросите у KIE.ai больший предел',
    },
    en: {
      what: 'the order waits for its turn: KIE.ai accepts no more than 20 orders in 10 seconds',
      next: 'wait; if it happens often, ask KIE.ai for a higher limit',
    },
  },
  lookups_failing: {
    confidence: 'medium',
    events: ['TASK_PROGRESS'],
    reasons: [],
    is: isAt('look again'),
    ru: {
      what: 'заказ у KIE.ai, но узнать о нём пока не удаётся ({progress}), и бот спросит снова',
      next: 'подождите; если это длится, проверьте статус KIE.ai и ключ',
    },
    en: {
      what: 'KIE.ai has the order, but its status cannot be read ({progress}), and the bot will ask again',
      next: 'wait; if it lasts, look at the status of KIE.ai and at the key',
    },
  },
  generation_running: {
    confidence: 'medium',
    events: ['TASK_PROGRESS', 'KIE_CALLBACK'],
    reasons: [],
    is: isAt('submitted', 'waiting'),
    ru: {
      what: 'модель {model} ещё работает, заказу {age}',
      next: 'подождите и спросите ещё раз',
    },
    en: {
      what: 'the model {model} is still at work, the order is {age} old',
      next: 'wait and ask again',
    },
  },
  generation_not_begun: {
    confidence: 'medium',
    events: ['TASK_CREATED', 'BALANCE_HOLD'],
    reasons: [],
    is: facts => isOpen(facts) && facts.has('TASK_CREATED'),
    ru: {
      what: 'заказ принят, но записи о том, что он ушёл поставщику, ещё нет',
      next: 'подождите и спросите ещё раз; если не начнётся, посмотрите очередь в /health',
    },
    en: {
      what: 'the order is stored, and no event says yet that it went to the supplier',
      next: 'wait and ask again; if it does not begin, look at the queue in /health',
    },
  },
});

function isLost({ task }: Facts): boolean {
  return (task?.lost.length ?? 0) > 0;
}

function typeOfLoss({ task }: Facts): string {
  return textOf(task?.lost.at(-1), 'error_type') ?? '';
}

function isOpen({ task }: Facts): boolean {
  return task !== undefined && !task.isMade && task.failure === undefined;
}

function isFailureNotified({ all }: Facts): boolean {
  return all('RESULT_DELIVERED').some(event => isAbout(event, 'RESULT_DELIVERED', 'failure'));
}

/** The last step of a task, while it has no end. */
function isAt(...operations: readonly OperationOf<'TASK_PROGRESS'>[]): (facts: Facts) => boolean {
  return facts => isOpen(facts) && isAbout(facts.task?.progress, 'TASK_PROGRESS', ...operations);
}
