// Causes on the way in: what never became an update of ours, what was stored before, and what nobody has worked.
import { define } from '../cause.ts';
import { type ChainEvent, textOf } from '../chain.ts';
import { type Facts, isAbout } from '../facts.ts';
import { isDatabaseTrouble, processEventsNear, stuckAfterMs } from '../surroundings.ts';

export const receiptCauses = define({
  webhook_secret_wrong: {
    confidence: 'high',
    events: ['UPDATE_REFUSED'],
    reasons: ['PERMISSION_DENIED'],
    is: ({ last }) => textOf(last('UPDATE_REFUSED'), 'reason_code') === 'PERMISSION_DENIED',
    ru: {
      what: 'запрос к вебхуку отклонён: в нём нет секрета Telegram или он другой',
      next: 'если так отклоняется всё, сравните WEBHOOK_SECRET_TOKEN с тем, что передан в setWebhook; одиночный запрос – от постороннего',
    },
    en: {
      what: "a request to the webhook was refused: it lacks Telegram's secret or has a different one",
      next: 'if every request is refused like this, compare WEBHOOK_SECRET_TOKEN with what setWebhook was given; a single request comes from a stranger',
    },
  },
  webhook_not_an_update: {
    confidence: 'high',
    events: ['UPDATE_REFUSED'],
    reasons: ['VALIDATION_FAILED'],
    is: ({ has }) => has('UPDATE_REFUSED'),
    ru: {
      what: 'запрос к вебхуку отклонён: это не обновление Telegram',
      next: 'посмотрите, кто ещё шлёт запросы на этот адрес; нажатия пользователей это не затрагивает',
    },
    en: {
      what: 'a request to the webhook was refused: it is not a Telegram update',
      next: 'find out who else sends requests to this address; taps of users are not affected',
    },
  },
  request_to_nowhere: {
    confidence: 'high',
    events: ['REQUEST_REFUSED'],
    reasons: ['UNKNOWN_ACTION', 'VALIDATION_FAILED'],
    is: ({ has }) => has('REQUEST_REFUSED'),
    ru: {
      what: 'отклонены запросы посторонних: такого адреса у бота нет, или запрос не читается или слишком медленный ({detail})',
      next: 'исправлять нечего; нажатия пользователей это не затрагивает',
    },
    en: {
      what: 'requests of strangers were refused: the bot has no such address, or they could not be read or were too slow ({detail})',
      next: 'there is nothing to fix; taps of users are not affected',
    },
  },
  inbox_full: {
    confidence: 'high',
    events: ['QUEUE_FULL'],
    reasons: ['RATE_LIMIT'],
    is: ({ has }) => has('QUEUE_FULL'),
    ru: {
      what: 'очередь переполнена ({depth} необработанных), новые обновления не принимались: {refused}',
      next: 'Telegram пришлёт их снова; выясните, почему обработка не успевает, или поднимите QUEUE_MAX',
    },
    en: {
      what: 'the inbox was full ({depth} updates without an outcome), and new updates were turned away: {refused}',
      next: 'Telegram will send them again; find out why the work does not keep up, or raise QUEUE_MAX',
    },
  },
  chat_flood: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'COMMAND_REJECTED', 'DISPATCH_OK', 'FLOOD_NOTICE'],
    reasons: ['RATE_LIMIT'],
    is: ({ has, reason, result }) => reason === 'RATE_LIMIT' && result === 'rejected' && !has('QUEUE_PICK'),
    ru: {
      what: 'не принято: из этого чата ждёт обработки столько обновлений, сколько ему положено (INBOX_CHAT_MAX)',
      next: 'пусть подождёт, пока бот ответит на прежние; если чат не разбирается, посмотрите, на чём он стоит',
    },
    en: {
      what: 'it was turned away: this chat already has as many waiting updates as one chat may have (INBOX_CHAT_MAX)',
      next: 'let the user wait until the earlier ones are answered; if they never are, look at what holds this chat',
    },
  },
  duplicate_update: {
    confidence: 'high',
    events: ['UPDATE_DUPLICATE'],
    reasons: [],
    is: ({ has, end }) => has('UPDATE_DUPLICATE') && end === undefined && !has('QUEUE_PICK'),
    ru: {
      what: 'Telegram прислал это же обновление второй раз, и оно не обрабатывалось повторно',
      next: 'что с ним стало, видно по cid {original}',
    },
    en: {
      what: 'Telegram sent the same update a second time, and it was not handled again',
      next: 'the cid {original} shows what became of it',
    },
  },
  not_stored: {
    confidence: 'high',
    events: ['UPDATE_RECEIVED', 'SYSTEM_WARNING'],
    reasons: ['DB_ERROR'],
    is: isKnownUnstored,
    ru: {
      what: 'обновление принято, но записать его в базу не удалось, поэтому Telegram получил отказ',
      next: 'Telegram пришлёт его ещё раз под новым cid; проверьте базу данных в /health',
    },
    en: {
      what: 'the update arrived but could not be stored in the database, so Telegram was refused',
      next: 'Telegram will send it again under a new cid; look at the database in /health',
    },
  },
  not_stored_presumably: {
    confidence: 'medium',
    events: ['UPDATE_RECEIVED', 'SYSTEM_WARNING'],
    reasons: ['DB_ERROR'],
    is: facts => isUnstored(facts) && isDatabaseTroubled(facts),
    ru: {
      what: 'обновление принято, а записи о сохранении нет, и база данных в это время отказывала{near}',
      next: 'если оно не сохранено, Telegram пришлёт его ещё раз; проверьте базу данных в /health',
    },
    en: {
      what: 'the update arrived, no event says that it was stored, and the database was failing at that time{near}',
      next: 'if it was not stored, Telegram will send it again; look at the database in /health',
    },
  },
  no_active_instance: {
    confidence: 'high',
    events: ['CALLBACK_REJECTED', 'PASSIVE_NOTICE'],
    reasons: ['PASSIVE_REJECT'],
    is: ({ last, end }) =>
      end === undefined && textOf(last('CALLBACK_REJECTED'), 'reason_code') === 'PASSIVE_REJECT',
    ru: {
      what: 'нажатие не выполнено, потому что ни один экземпляр бота не был активен: шло обновление или замена сервера',
      next: 'пусть нажмёт ещё раз через минуту; если это повторяется, посмотрите /health всех экземпляров',
    },
    en: {
      what: 'the tap was not carried out because no instance of the bot was ACTIVE: a deploy or a change of servers was under way',
      next: 'let the user tap again in a minute; if it repeats, look at /health of all instances',
    },
  },
  waiting_for_active: {
    confidence: 'high',
    events: ['PASSIVE_NOTICE'],
    reasons: ['PASSIVE_REJECT'],
    is: facts => isUnpicked(facts) && facts.has('PASSIVE_NOTICE'),
    ru: {
      what: 'сообщение сохранено, но работать с ним некому: ни один экземпляр бота не активен',
      next: 'ответ придёт, как только экземпляр станет активным; посмотрите /health всех экземпляров',
    },
    en: {
      what: 'the message is stored, but nobody can handle it: no instance of the bot is ACTIVE',
      next: 'the answer will come as soon as one is; look at /health of all instances',
    },
  },
  queue_without_active: {
    confidence: 'high',
    events: ['QUEUE_ENQUEUE', 'LOCK_RELEASED', 'LOCK_LOST'],
    reasons: [],
    is: facts => isUnpicked(facts) && facts.surroundings.hasActiveInstance === false,
    ru: {
      what: 'обновление сохранено и ждёт, потому что ни один экземпляр бота не активен',
      next: 'посмотрите /health всех экземпляров: кто держит блокировку и когда он последний раз отозвался',
    },
    en: {
      what: 'the update is stored and waits, because no instance of the bot is ACTIVE',
      next: 'look at /health of all instances: who holds the lock, and when it was last heard of',
    },
  },
  unpicked_in_replacement: {
    confidence: 'medium',
    events: ['QUEUE_ENQUEUE', 'SHUTDOWN', 'LOCK_LOST', 'LOCK_RELEASED'],
    reasons: [],
    is: facts => isUnpicked(facts) && isLeftAlone(facts),
    ru: {
      what: 'обновление сохранено, и его ещё никто не взял: в это время экземпляр бота заменяли или он пропал{near}',
      next: 'его возьмёт следующий активный экземпляр; посмотрите /health всех экземпляров',
    },
    en: {
      what: 'the update is stored, and nobody has picked it yet: at that time the instance was being replaced or was lost{near}',
      next: 'the next ACTIVE instance will pick it; look at /health of all instances',
    },
  },
  unpicked_in_outage: {
    confidence: 'medium',
    events: ['QUEUE_ENQUEUE', 'SYSTEM_WARNING'],
    reasons: ['DB_ERROR'],
    is: facts => isUnpicked(facts) && isDatabaseTroubled(facts),
    ru: {
      what: 'обновление сохранено, и его ещё никто не взял: в это время отказывала база данных{near}',
      next: 'его возьмут, когда база ответит; проверьте её в /health',
    },
    en: {
      what: 'the update is stored, and nobody has picked it yet: the database failed at that time{near}',
      next: 'it will be picked when the database answers; look at it in /health',
    },
  },
  queue_stuck: {
    confidence: 'medium',
    events: ['QUEUE_ENQUEUE'],
    reasons: [],
    is: facts => isUnpicked(facts) && (facts.surroundings.oldestUnpickedMs ?? 0) > stuckAfterMs,
    ru: {
      what: 'обновление сохранено, но очередь стоит: самое старое ждёт уже {oldest}',
      next: 'посмотрите события DISPATCH_START без конца и состояние базы: обработка зависла',
    },
    en: {
      what: 'the update is stored, but the queue stands still: the oldest one has waited for {oldest}',
      next: 'look for DISPATCH_START without an end, and at the database: the work is stuck',
    },
  },
  waiting_in_queue: {
    confidence: 'medium',
    events: ['QUEUE_ENQUEUE', 'ANSWER_CALLBACK_QUERY'],
    reasons: [],
    is: facts => isUnpicked(facts) && isAskedToWait(facts),
    ru: {
      what: 'нажатие сохранено, но за {toastWait} никто не взял его в работу: чат занят предыдущим действием или обработка не успевает{near}',
      next: 'посмотрите предыдущее действие этого пользователя и глубину очереди в /health',
    },
    en: {
      what: 'the tap is stored, but nobody had picked it after {toastWait}: its chat is busy with the previous action, or the work does not keep up{near}',
      next: "look at this user's previous action and at the queue depth in /health",
    },
  },
});

/** The events say that it could not be stored; nothing is missing then. */
export function isKnownUnstored(facts: Facts): boolean {
  return isUnstored(facts) && (saysWhy(facts) || hasFailedRoot(facts));
}

function isUnstored({ has, end }: Facts): boolean {
  return (
    has('UPDATE_RECEIVED') &&
    end === undefined &&
    !has('QUEUE_ENQUEUE', 'QUEUE_PICK', 'UPDATE_DUPLICATE', 'CALLBACK_REJECTED', 'DISPATCH_START')
  );
}

function saysWhy({ all }: Facts): boolean {
  return all('SYSTEM_WARNING').some(event => isAbout(event, 'SYSTEM_WARNING', 'store update'));
}

function hasFailedRoot({ chain }: Facts): boolean {
  return chain.spans.some(({ name, failed }) => failed && name.startsWith('update '));
}

function isDatabaseTroubled({ chain, surroundings, last }: Facts): boolean {
  const received = last('UPDATE_RECEIVED');
  const at = received?.at ?? chain.events[0]?.at;
  return (
    at !== undefined &&
    processEventsNear(surroundings, at, textOf(received, 'instance_id')).some(isDatabaseTrouble)
  );
}

/** The one that worked went, and so far nobody came in its place. */
function isLeftAlone({ chain, surroundings, last }: Facts): boolean {
  const at = (last('QUEUE_ENQUEUE') ?? chain.events[0])?.at;
  if (!at) return false;
  const near = processEventsNear(surroundings, at);
  const lastWent = near
    .filter(hasLeftWork)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .at(-1);
  return (
    lastWent !== undefined && !near.some(event => event.name === 'LOCK_ACQUIRED' && event.at >= lastWent.at)
  );
}

/** A PASSIVE instance that stops changes nothing for anybody. */
function hasLeftWork(event: ChainEvent): boolean {
  if (event.name === 'SHUTDOWN') return textOf(event, 'bot_state') === 'ACTIVE';
  return event.name === 'LOCK_LOST' || event.name === 'LOCK_RELEASED';
}

/** Stored, and no event says that anybody began with it. */
export function isUnpicked({ has, end }: Facts): boolean {
  return has('QUEUE_ENQUEUE') && end === undefined && !has('QUEUE_PICK', 'DISPATCH_START');
}

function isAskedToWait({ all }: Facts): boolean {
  return all('ANSWER_CALLBACK_QUERY').some(({ fields }) => fields.latency_ms !== undefined);
}
