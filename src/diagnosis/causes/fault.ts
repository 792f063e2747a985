// Causes for which an update ended in a fault, or did not end: Telegram, the database, a lost instance, a defect.
import type { DetailCodeOf } from '../../otel/events.ts';
import { define } from '../cause.ts';
import { type ChainEvent, numberOf, textOf } from '../chain.ts';
import { type Facts, isAbout, isCase } from '../facts.ts';
import { isDatabaseTrouble, processEventsNear } from '../surroundings.ts';

/** Longer than any call of ours may take, with its repetitions. */
const runningForMs = 2 * 60_000;

export const deadLetterCauses = define({
  dead_letter: {
    confidence: 'high',
    events: ['DEAD_LETTER'],
    reasons: ['INTERNAL_ERROR'],
    is: ({ has }) => has('DEAD_LETTER'),
    ru: {
      what: 'три попытки обработать это кончились ничем, и оно отложено: каждый раз пропадал экземпляр бота или база данных{near}',
      next: 'посмотрите, что роняло обработку, и запустите его снова: trt dead-letters redrive',
    },
    en: {
      what: 'three attempts to handle it ended without an outcome, and it was set aside: each time the instance or the database was lost{near}',
      next: 'find out what brought the work down, and have it handled again: trt dead-letters redrive',
    },
  },
  silence_guard: {
    confidence: 'high',
    events: ['SILENCE_GUARD_WARNING'],
    reasons: ['INTERNAL_ERROR'],
    is: ({ all }) => all('SILENCE_GUARD_WARNING').some(event => !isSlowness(event)),
    ru: {
      what: 'обработка кончилась бы молчанием, и сторож тишины вмешался ({guard})',
      next: 'это дефект программы: передайте разработчику cid и это событие',
    },
    en: {
      what: 'the work was about to end in silence, and the silence guard stepped in ({guard})',
      next: 'it is a defect in the program: give a developer the cid and this event',
    },
  },
});

export const faultCauses = define({
  screen_came_later: {
    confidence: 'high',
    events: ['UI_RENDER', 'RENDER_OWED', 'DISPATCH_FAIL'],
    reasons: ['RATE_LIMIT', 'DOWNSTREAM_ERROR', 'DOWNSTREAM_TIMEOUT'],
    is: facts => facts.has('DISPATCH_FAIL') && isShownLater(facts),
    ru: {
      what: 'Telegram не принял ответ сразу, и бот показал его позже ({telegram})',
      next: 'исправлять нечего; если так у многих, у Telegram сбой, или бот пишет слишком часто',
    },
    en: {
      what: 'Telegram did not accept the answer at once, and the bot showed it later ({telegram})',
      next: 'there is nothing to fix; if this happens to many, Telegram is failing, or the bot writes too often',
    },
  },
  user_blocked_bot: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailure(facts, 'blocked_by_user'),
    ru: {
      what: 'ответить не удалось, потому что пользователь заблокировал бота',
      next: 'пусть разблокирует бота; исправлять нечего',
    },
    en: {
      what: 'no answer could be sent because the user has blocked the bot',
      next: 'let the user unblock the bot; there is nothing to fix',
    },
  },
  user_unreachable: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailure(facts, 'user_unreachable', 'chat_not_found'),
    ru: {
      what: 'ответить не удалось, потому что Telegram не даёт писать этому пользователю ({telegram})',
      next: 'аккаунт удалён, или пользователь не начинал чат; исправлять нечего',
    },
    en: {
      what: 'no answer could be sent because Telegram does not let the bot write to this user ({telegram})',
      next: 'the account is deleted, or the user never started the chat; there is nothing to fix',
    },
  },
  telegram_rate_limit: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['RATE_LIMIT'],
    is: facts => isFailedBy(facts, 'telegram_429'),
    ru: {
      what: 'Telegram отложил ответ бота на слишком долгое время: сообщений больше, чем он разрешает (429)',
      next: 'пусть повторит позже; если так у многих, бот пишет слишком часто',
    },
    en: {
      what: 'Telegram put the answer off for too long: the bot sends more messages than it allows (429)',
      next: 'let the user try again later; if this happens to many, the bot writes too often',
    },
  },
  telegram_failed: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: ({ last }) => /^telegram_5\d\d$/.test(textOf(last('DISPATCH_FAIL'), 'error_type') ?? ''),
    ru: {
      what: 'сервер Telegram ответил ошибкой, и экран показать не удалось ({telegram})',
      next: 'пусть повторит; если это длится, сбой у Telegram',
    },
    en: {
      what: "Telegram's server failed, and the screen could not be shown ({telegram})",
      next: 'let the user try again; if it lasts, Telegram is down',
    },
  },
  telegram_refused: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: ({ last }) => /^telegram_4\d\d$/.test(textOf(last('DISPATCH_FAIL'), 'error_type') ?? ''),
    ru: {
      what: 'Telegram не принял экран, который бот хотел показать ({telegram})',
      next: 'вероятно, это дефект экрана: передайте разработчику cid',
    },
    en: {
      what: 'Telegram refused the screen that the bot wanted to show ({telegram})',
      next: 'it is probably a defect of the screen: give a developer the cid',
    },
  },
  telegram_timeout: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_TIMEOUT'],
    is: ({ last, reason }) => last('DISPATCH_FAIL') !== undefined && reason === 'DOWNSTREAM_TIMEOUT',
    ru: {
      what: 'Telegram не ответил вовремя, и неизвестно, показан ли экран',
      next: 'пусть откроет меню заново; если это длится, проверьте сеть и статус Telegram',
    },
    en: {
      what: 'Telegram did not answer in time, and nobody knows whether the screen was shown',
      next: 'let the user open the menu again; if it lasts, look at the network and at the status of Telegram',
    },
  },
  telegram_unreachable: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailure(facts, 'telegram_unreachable'),
    ru: {
      what: 'соединение с Telegram оборвалось, и неизвестно, показан ли экран',
      next: 'пусть откроет меню заново; если это длится, проверьте сеть сервера',
    },
    en: {
      what: 'the connection to Telegram was lost, and nobody knows whether the screen was shown',
      next: 'let the user open the menu again; if it lasts, look at the network of the server',
    },
  },
  telegram_invalid_answer: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isFailure(facts, 'telegram_answer_invalid'),
    ru: {
      what: 'ответ Telegram не читается, и неизвестно, показан ли экран',
      next: 'посмотрите, что стоит между ботом и Telegram (TELEGRAM_API_ROOT, прокси): так отвечает не сам Telegram',
    },
    en: {
      what: "Telegram's answer could not be read, and nobody knows whether the screen was shown",
      next: 'check what stands between the bot and Telegram (TELEGRAM_API_ROOT, a proxy): Telegram itself does not answer like this',
    },
  },
  database_refused: {
    confidence: 'high',
    events: ['DISPATCH_FAIL'],
    reasons: ['DB_ERROR', 'INTERNAL_ERROR'],
    is: ({ last, reason }) =>
      last('DISPATCH_FAIL') !== undefined &&
      (reason === 'DB_ERROR' || isSqlState(textOf(last('DISPATCH_FAIL'), 'error_type'))),
    ru: {
      what: 'база данных отказала в запросе ({error}), и действие не выполнено',
      next: 'посмотрите ошибку в трассе по cid и состояние Postgres',
    },
    en: {
      what: 'the database refused a query ({error}), and the action was not carried out',
      next: 'look at the error in the trace of the cid and at Postgres',
    },
  },
  failed_in_outage: {
    confidence: 'medium',
    events: ['DISPATCH_FAIL', 'SYSTEM_WARNING'],
    reasons: ['DB_ERROR', 'INTERNAL_ERROR'],
    is: facts => facts.last('DISPATCH_FAIL') !== undefined && trouble(facts, isDatabaseTrouble),
    ru: {
      what: 'в программе случилась ошибка ({error}), действие не выполнено, и в это же время отказывала база данных{near}',
      next: 'проверьте Postgres; если ошибка не от него, это дефект: передайте разработчику cid',
    },
    en: {
      what: 'the program failed ({error}), the action was not carried out, and the database failed at the same time{near}',
      next: 'look at Postgres; if the error does not come from it, it is a defect: give a developer the cid',
    },
  },
  handler_failed: {
    confidence: 'high',
    events: ['DISPATCH_FAIL', 'CALLBACK_REJECTED'],
    reasons: ['INTERNAL_ERROR'],
    is: ({ last }) => last('DISPATCH_FAIL') !== undefined,
    ru: {
      what: 'в программе случилась ошибка ({error}), и действие не выполнено',
      next: 'это дефект: передайте разработчику cid, в трассе есть место ошибки',
    },
    en: {
      what: 'the program failed ({error}), and the action was not carried out',
      next: 'it is a defect: give a developer the cid; its trace holds the stack',
    },
  },
});

export const unfinishedCauses = define({
  lock_lost: {
    confidence: 'medium',
    events: ['LOCK_LOST', 'LOCK_TAKEOVER'],
    reasons: [],
    is: facts =>
      isUnended(facts) && trouble(facts, ({ name }) => name === 'LOCK_LOST' || name === 'LOCK_TAKEOVER'),
    ru: {
      what: 'обработка началась и не кончилась: экземпляр бота в это время потерял блокировку{near}',
      next: 'активный экземпляр обработает это ещё раз; посмотрите /health и почему пропала связь с базой',
    },
    en: {
      what: 'the work began and did not end: the instance lost the lock at that time{near}',
      next: 'the ACTIVE instance will handle it again; look at /health, and find out why the database was out of reach',
    },
  },
  database_lost: {
    confidence: 'medium',
    events: ['SYSTEM_WARNING'],
    reasons: ['DB_ERROR'],
    is: facts => isUnended(facts) && trouble(facts, isLostDatabase),
    ru: {
      what: 'обработка началась и не кончилась: в это время отказала база данных{near}',
      next: 'это будет обработано ещё раз, когда база ответит; проверьте её в /health',
    },
    en: {
      what: 'the work began and did not end: the database failed at that time{near}',
      next: 'it will be handled again when the database answers; look at it in /health',
    },
  },
  instance_ended: {
    confidence: 'medium',
    events: ['SHUTDOWN', 'BOOT_OK', 'LOCK_RELEASED', 'LOCK_ACQUIRED'],
    reasons: [],
    is: facts =>
      isUnended(facts) && (trouble(facts, ({ name }) => name === 'SHUTDOWN') || isSucceeded(facts)),
    ru: {
      what: 'обработка началась и не кончилась: экземпляр бота в это время остановился{near}',
      next: 'следующий экземпляр обработает это ещё раз; если нет, посмотрите /health',
    },
    en: {
      what: 'the work began and did not end: the instance stopped at that time{near}',
      next: 'the next instance will handle it again; if not, look at /health',
    },
  },
  handler_slow: {
    confidence: 'medium',
    events: ['SILENCE_GUARD_WARNING', 'DISPATCH_START'],
    reasons: [],
    is: facts => isUnended(facts) && facts.all('SILENCE_GUARD_WARNING').some(isSlowness),
    ru: {
      what: 'обработка началась и длится слишком долго; вместо неё на нажатие ответил сторож тишины',
      next: 'посмотрите в трассе, чего она ждёт: базы, Telegram или KIE.ai',
    },
    en: {
      what: 'the work began and takes too long; the silence guard answered the tap instead',
      next: 'see in the trace what it waits for: the database, Telegram or KIE.ai',
    },
  },
  still_running: {
    confidence: 'medium',
    events: ['QUEUE_PICK', 'DISPATCH_START'],
    reasons: [],
    is: facts => isUnended(facts) && isRecent(facts),
    ru: {
      what: 'обработка началась {pickedAgo} назад и ещё идёт',
      next: 'подождите и спросите ещё раз; если не кончится, посмотрите, чего она ждёт, в трассе',
    },
    en: {
      what: 'the work began {pickedAgo} ago and is still going on',
      next: 'wait and ask again; if it does not end, see in the trace what it waits for',
    },
  },
});

/** The guard only bridged the time; the end of the update says how it ended. */
function isSlowness(event: ChainEvent): boolean {
  return isCase(event, 'SILENCE_GUARD_WARNING', 'handler_slow');
}

function isFailure({ last }: Facts, ...codes: readonly DetailCodeOf<'DISPATCH_FAIL'>[]): boolean {
  return isCase(last('DISPATCH_FAIL'), 'DISPATCH_FAIL', ...codes);
}

function isFailedBy({ last }: Facts, type: string): boolean {
  return textOf(last('DISPATCH_FAIL'), 'error_type') === type;
}

/** Five characters, with a digit in each of those that we have met. */
function isSqlState(type: string | undefined): boolean {
  return type !== undefined && /^(?=.*\d)[0-9A-Z]{5}$/.test(type);
}

/** Picked, and no event says how it ended. */
export function isUnended({ has, end }: Facts): boolean {
  return has('QUEUE_PICK', 'DISPATCH_START') && end === undefined;
}

/** Of the instance that had picked it. */
function trouble({ chain, surroundings, last }: Facts, is: (event: ChainEvent) => boolean): boolean {
  const at = chain.events.at(-1)?.at;
  const instanceId = textOf(last('QUEUE_PICK') ?? last('DISPATCH_START'), 'instance_id');
  return at !== undefined && processEventsNear(surroundings, at, instanceId).some(is);
}

function isLostDatabase(event: ChainEvent): boolean {
  return isDatabaseTrouble(event) || isAbout(event, 'SYSTEM_WARNING', 'job queue');
}

/** Another instance took over while it was worked. */
function isSucceeded({ chain, surroundings, last }: Facts): boolean {
  const picked = last('QUEUE_PICK');
  const at = chain.events.at(-1)?.at;
  if (!picked || !at) return false;
  return processEventsNear(surroundings, at).some(
    event =>
      event.name === 'LOCK_ACQUIRED' &&
      event.at >= picked.at &&
      textOf(event, 'instance_id') !== textOf(picked, 'instance_id'),
  );
}

function isRecent({ surroundings, last }: Facts): boolean {
  const { now } = surroundings;
  const picked = last('QUEUE_PICK') ?? last('DISPATCH_START');
  return now !== undefined && picked !== undefined && now.getTime() - picked.at.getTime() < runningForMs;
}

/** How often it was picked. */
export function attemptsOf({ chain }: Facts): number {
  return chain.events
    .filter(isOfUpdate)
    .reduce((most, event) => Math.max(most, numberOf(event, 'attempt') ?? 1), 1);
}

function isOfUpdate({ name }: ChainEvent): boolean {
  return name === 'QUEUE_PICK' || name.startsWith('DISPATCH_');
}

/** What was owed has been shown since. */
function isShownLater({ chain }: Facts): boolean {
  const owedAt = chain.events.findLastIndex(({ name }) => name === 'RENDER_OWED');
  if (owedAt === -1) return false;
  const owed = textOf(chain.events[owedAt], 'screen_id');
  return chain.events
    .slice(owedAt)
    .some(event => event.name === 'UI_RENDER' && textOf(event, 'screen_id') === owed);
}
