// How updates end that nothing was wrong with, and what is said where nothing is known.
import { define } from '../cause.ts';
import { type ChainEvent, numberOf, textOf } from '../chain.ts';
import type { Facts } from '../facts.ts';
import { isDatabaseTrouble } from '../surroundings.ts';
import { attemptsOf } from './fault.ts';

/** A tap that waits so long is answered "a few more seconds". */
const longWaitMs = 3_000;

export const endingCauses = define({
  checkout_failed: {
    confidence: 'high',
    events: ['PRE_CHECKOUT'],
    reasons: ['DOWNSTREAM_ERROR', 'DOWNSTREAM_TIMEOUT', 'RATE_LIMIT'],
    is: ({ last }) => textOf(last('PRE_CHECKOUT'), 'result') === 'failed',
    ru: {
      what: 'ответить Telegram на вопрос об оплате не удалось, и платёж не прошёл',
      next: 'пусть попробует ещё раз; деньги не списаны',
    },
    en: {
      what: "Telegram's question about a payment could not be answered, and the payment did not go through",
      next: 'let the user try again; no money was taken',
    },
  },
  checkout_declined: {
    confidence: 'high',
    events: ['PRE_CHECKOUT'],
    reasons: ['UNKNOWN_ACTION'],
    is: ({ last }) => textOf(last('PRE_CHECKOUT'), 'result') === 'rejected',
    ru: {
      what: 'платёж отклонён: бот не знает такого заказа',
      next: 'деньги не списаны; исправлять нечего',
    },
    en: {
      what: 'the payment was declined: the bot knows no such order',
      next: 'no money was taken; there is nothing to fix',
    },
  },
  bot_blocked: {
    confidence: 'high',
    events: ['DISPATCH_OK'],
    reasons: ['SUCCESS'],
    is: ({ eventType, code }) => eventType === 'my_chat_member' && code === 'bot_blocked',
    ru: {
      what: 'пользователь заблокировал бота, и бот ему больше не пишет',
      next: 'исправлять нечего',
    },
    en: {
      what: 'the user has blocked the bot, which does not write to them any more',
      next: 'there is nothing to fix',
    },
  },
  membership_changed: {
    confidence: 'high',
    events: ['DISPATCH_OK'],
    reasons: ['SUCCESS', 'NOOP'],
    is: ({ eventType, end }) => eventType === 'my_chat_member' && end !== undefined,
    ru: { what: 'изменилось участие бота в чате', next: 'исправлять нечего' },
    en: { what: 'the membership of the bot in the chat has changed', next: 'there is nothing to fix' },
  },
  delivered_partly: {
    confidence: 'high',
    events: ['RESULT_DELIVERED', 'TASK_COMPLETED'],
    reasons: [],
    is: ({ task }) => task !== undefined && task.delivered.length > 0 && task.postponed !== undefined,
    ru: {
      what: 'модель {model} справилась, часть файлов у пользователя, остальные отправляются ещё раз',
      next: 'подождите и спросите ещё раз',
    },
    en: {
      what: 'the model {model} made the result, the user has some of the files, and the others will be sent again',
      next: 'wait and ask again',
    },
  },
  delivered_free: {
    confidence: 'high',
    events: ['TASK_CREATED', 'TASK_COMPLETED', 'RESULT_DELIVERED'],
    reasons: ['SUCCESS'],
    is: facts => isDelivered(facts) && facts.task?.money.amount === 0,
    ru: {
      what: 'модель {model} справилась за {delivery_time}, файл отправлен и ничего не стоил',
      next: 'исправлять нечего',
    },
    en: {
      what: 'the model {model} took {delivery_time}, and the file was sent and cost nothing',
      next: 'there is nothing to fix',
    },
  },
  delivered: {
    confidence: 'high',
    events: ['TASK_CREATED', 'TASK_COMPLETED', 'RESULT_DELIVERED', 'BALANCE_CHARGE', 'BALANCE_REFUND'],
    reasons: ['SUCCESS'],
    is: isDelivered,
    ru: {
      what: 'модель {model} справилась, файл отправлен через {delivery_time} после заказа',
      next: 'исправлять нечего; если пользователь его не видит, пусть нажмёт «Оригинал файлом»',
    },
    en: {
      what: 'the model {model} made the result, and the file was sent {delivery_time} after the order',
      next: 'there is nothing to fix; if the user does not see it, let them tap «Original file»',
    },
  },
  answered_too_late: {
    confidence: 'high',
    events: ['ANSWER_CALLBACK_QUERY', 'CALLBACK_ACCEPTED'],
    reasons: ['SUCCESS', 'NOOP'],
    is: facts =>
      isDone(facts) &&
      facts.all('ANSWER_CALLBACK_QUERY').length > 0 &&
      facts.all('ANSWER_CALLBACK_QUERY').every(event => textOf(event, 'result') === 'failed'),
    ru: {
      what: 'нажатие выполнено, но Telegram уже не принял ответ на него, и кнопка могла долго крутиться',
      next: 'если так у многих, обработка отстаёт: посмотрите очередь в /health',
    },
    en: {
      what: 'the tap was carried out, but Telegram no longer accepted an answer to it, and the button may have shown a spinner for a long time',
      next: 'if this happens to many, the work lags behind: look at the queue in /health',
    },
  },
  worked_again: {
    confidence: 'high',
    events: ['QUEUE_PICK', 'DISPATCH_START', 'DISPATCH_OK'],
    reasons: ['SUCCESS', 'NOOP'],
    is: facts => isDone(facts) && attemptsOf(facts) > 1,
    ru: {
      what: 'действие выполнено только с попытки № {attempts}: до этого пропадал экземпляр бота или база данных{near}',
      next: 'посмотрите, что случилось с экземпляром в это время: LOCK_LOST, SHUTDOWN, SYSTEM_WARNING',
    },
    en: {
      what: 'the action was carried out only at attempt {attempts}: before that, the instance or the database was lost{near}',
      next: 'find out what happened to the instance at that time: LOCK_LOST, SHUTDOWN, SYSTEM_WARNING',
    },
  },
  waited_for_active: {
    confidence: 'high',
    events: ['PASSIVE_NOTICE', 'DISPATCH_OK'],
    reasons: ['PASSIVE_REJECT'],
    is: facts => isDone(facts) && facts.has('PASSIVE_NOTICE'),
    ru: {
      what: 'сообщение обработано, но ждало {wait}, пока ни один экземпляр бота не был активен',
      next: 'если это повторяется, посмотрите /health всех экземпляров',
    },
    en: {
      what: 'the message was handled, but it waited for {wait} while no instance of the bot was ACTIVE',
      next: 'if it happens again, look at /health of all instances',
    },
  },
  waited_for_replacement: {
    confidence: 'medium',
    events: ['QUEUE_PICK', 'LOCK_ACQUIRED', 'DISPATCH_OK'],
    reasons: ['SUCCESS', 'NOOP'],
    is: facts => isDone(facts) && isLateBy(facts, isBegun),
    ru: {
      what: 'действие выполнено, но ждало {wait}: экземпляр бота, который его взял, в это время только стал активным{near}',
      next: 'если это повторяется, посмотрите, почему экземпляры сменяются так долго: /health и события LOCK_',
    },
    en: {
      what: 'the action was carried out, but it waited for {wait}: the instance that picked it had only just become ACTIVE{near}',
      next: 'if it happens again, find out why instances take so long to replace each other: /health and the events LOCK_',
    },
  },
  waited_for_database: {
    confidence: 'medium',
    events: ['QUEUE_PICK', 'SYSTEM_WARNING', 'DISPATCH_OK'],
    reasons: ['SUCCESS', 'NOOP'],
    is: facts => isDone(facts) && isLateBy(facts, isDatabaseTrouble),
    ru: {
      what: 'действие выполнено, но ждало {wait}, и в это время отказывала база данных{near}',
      next: 'посмотрите, что было с Postgres в это время',
    },
    en: {
      what: 'the action was carried out, but it waited for {wait}, and the database was failing during that time{near}',
      next: 'find out what happened to Postgres at that time',
    },
  },
  waited_in_queue: {
    confidence: 'high',
    events: ['QUEUE_PICK', 'DISPATCH_OK'],
    reasons: ['SUCCESS', 'NOOP'],
    is: facts => isDone(facts) && waitOf(facts) >= longWaitMs,
    ru: {
      what: 'действие выполнено, но ждало в очереди {wait}: чат был занят или обработка не успевала{near}',
      next: 'посмотрите предыдущее действие этого пользователя и глубину очереди в это время',
    },
    en: {
      what: 'the action was carried out, but it waited in the queue for {wait}: its chat was busy, or the work did not keep up{near}',
      next: "look at this user's previous action, and at the queue depth at that time",
    },
  },
  slow_work: {
    confidence: 'high',
    events: ['DISPATCH_OK'],
    reasons: ['SUCCESS', 'NOOP'],
    is: facts => isDone(facts) && (numberOf(facts.end, 'duration_ms') ?? 0) >= longWaitMs,
    ru: {
      what: 'действие выполнено, но на него ушло {work}',
      next: 'посмотрите в трассе, что длилось так долго: база, Telegram или KIE.ai',
    },
    en: {
      what: 'the action was carried out, but it took {work}',
      next: 'see in the trace what took so long: the database, Telegram or KIE.ai',
    },
  },
  nothing_to_do: {
    confidence: 'high',
    events: ['MESSAGE_RECEIVED', 'DISPATCH_OK', 'CALLBACK_ACCEPTED'],
    reasons: ['NOOP'],
    is: ({ result, reason }) => result === 'noop' || (result === 'accepted' && reason === 'NOOP'),
    ru: {
      what: 'делать было нечего, и бот показал, как продолжить, если было что показать',
      next: 'исправлять нечего',
    },
    en: {
      what: 'there was nothing to do, and the bot showed how to continue, if there was anything to show',
      next: 'there is nothing to fix',
    },
  },
  done: {
    confidence: 'high',
    events: [
      'DISPATCH_OK',
      'COMMAND_START',
      'CALLBACK_ACCEPTED',
      'PARAM_ACCEPTED',
      'UI_RENDER',
      'BALANCE_TOPUP',
      'BALANCE_ADJUST',
    ],
    reasons: ['SUCCESS'],
    is: isDone,
    ru: {
      what: 'всё выполнено за {latency} с момента получения',
      next: 'исправлять нечего; если пользователь этого не видит, пусть откроет меню заново',
    },
    en: {
      what: 'it was carried out within {latency} of its receipt',
      next: 'there is nothing to fix; if the user does not see it, let them open the menu again',
    },
  },
  refused: {
    confidence: 'medium',
    events: ['DISPATCH_OK', 'CALLBACK_REJECTED', 'COMMAND_REJECTED'],
    reasons: [],
    is: ({ reason, result }) => reason !== undefined && result === 'rejected',
    ru: {
      what: 'действие отклонено: {reason}',
      next: 'посмотрите строку с reason_code {code_of_reason}',
    },
    en: {
      what: 'the action was refused: {reason}',
      next: 'look at the line with reason_code {code_of_reason}',
    },
  },
});

export const lastCauses = define({
  cannot_tell: {
    confidence: 'low',
    events: [],
    reasons: [],
    is: () => true,
    ru: {
      what: 'сказать, что случилось, нельзя: не хватает данных ({gaps})',
      next: 'возьмите журнал или логи всех экземпляров за это время и спросите ещё раз',
    },
    en: {
      what: 'what happened is unknown: evidence is missing ({gaps})',
      next: 'take the journal, or the logs of all instances for this time, and ask again',
    },
  },
});

function isDone({ result }: Facts): boolean {
  return result === 'accepted' || result === 'noop';
}

/** From the receipt to the pick. */
function waitOf({ last }: Facts): number {
  return numberOf(last('QUEUE_PICK'), 'latency_ms') ?? 0;
}

/** It waited for long, and in that time this happened to the instance that picked it in the end. */
function isLateBy(facts: Facts, is: (event: ChainEvent) => boolean): boolean {
  const picked = facts.last('QUEUE_PICK');
  const waitedMs = waitOf(facts);
  if (!picked || waitedMs < longWaitMs) return false;
  const instanceId = textOf(picked, 'instance_id');
  const receivedAt = picked.at.getTime() - waitedMs;
  return (facts.surroundings.processEvents ?? []).some(
    event =>
      is(event) &&
      textOf(event, 'instance_id') === instanceId &&
      event.at.getTime() >= receivedAt &&
      event.at <= picked.at,
  );
}

function isBegun({ name }: ChainEvent): boolean {
  return name === 'LOCK_ACQUIRED';
}

function isDelivered({ task }: Facts): boolean {
  return task !== undefined && task.delivered.length > 0;
}
