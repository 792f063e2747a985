// Causes of chains that are no update's: a callback that was refused, and what a process reports of itself.
import type { Localized } from '../../locales.ts';
import type { EventName } from '../../otel/events.ts';
import { type CauseText, define } from '../cause.ts';
import { textOf } from '../chain.ts';
import { type Facts, isCase, reasonOf } from '../facts.ts';

export const callbackCauses = define({
  callback_late: callback(
    ({ last }) => isCase(last('KIE_CALLBACK'), 'KIE_CALLBACK', 'timestamp_off', 'timestamp_invalid'),
    {
      ru: {
        what: 'извещение KIE.ai отклонено: его подпись слишком старая или из будущего, возможно, это повтор чужого',
        next: 'результат бот узнает и сам, опросом; если так всегда, проверьте часы сервера',
      },
      en: {
        what: 'a callback of KIE.ai was refused: its signature is too old or from the future; perhaps it is a replay',
        next: 'the bot finds the result by itself, by polling; if it always happens, check the clock of the server',
      },
    },
  ),
  callback_forged: callback(() => true, {
    ru: {
      what: 'извещение для KIE.ai отклонено: его подпись не сходится, оно подделано ({detail})',
      next: 'результат бот узнает и сам, опросом; если так со всеми извещениями, проверьте KIE_WEBHOOK_HMAC_KEY',
    },
    en: {
      what: 'a callback was refused: its signature is not that of KIE.ai, it is forged ({detail})',
      next: 'the bot finds the result by itself, by polling; if all callbacks are refused like this, check KIE_WEBHOOK_HMAC_KEY',
    },
  }),
  callback_unknown_task: {
    confidence: 'high',
    events: ['KIE_CALLBACK'],
    reasons: ['UNKNOWN_ACTION'],
    is: isRefusedCallback('UNKNOWN_ACTION'),
    ru: {
      what: 'извещение отклонено: задания с таким адресом нет',
      next: 'исправлять нечего; если их много, кто-то подбирает адреса',
    },
    en: {
      what: 'a callback was refused: no task has its address',
      next: 'there is nothing to fix; if there are many, somebody is guessing addresses',
    },
  },
  callback_unreadable: {
    confidence: 'high',
    events: ['KIE_CALLBACK'],
    reasons: ['VALIDATION_FAILED'],
    is: isRefusedCallback('VALIDATION_FAILED'),
    ru: {
      what: 'извещение отклонено: в нём не назван номер задания',
      next: 'результат бот узнает и сам, опросом; сверьте формат извещений с docs.kie.ai',
    },
    en: {
      what: 'a callback was refused: it names no task',
      next: 'the bot finds the result by itself, by polling; compare the format with docs.kie.ai',
    },
  },
});

export const processCauses = define({
  boot_failed: {
    confidence: 'high',
    events: ['BOOT_FAIL'],
    reasons: [],
    is: facts => isProcess(facts) && facts.has('BOOT_FAIL'),
    ru: {
      what: 'экземпляр бота не запустился ({boot})',
      next: 'исправьте то, что названо в BOOT_FAIL, и запустите его снова',
    },
    en: {
      what: 'the instance of the bot did not start ({boot})',
      next: 'fix what BOOT_FAIL names, and start it again',
    },
  },
  books_differ: {
    confidence: 'high',
    events: ['WALLET_MISMATCH'],
    reasons: ['INTERNAL_ERROR'],
    is: ({ has }) => has('WALLET_MISMATCH'),
    ru: {
      what: 'сверка нашла расхождение в деньгах пользователей ({books})',
      next: 'остановите выплаты и разберите названные расхождения',
    },
    en: {
      what: 'the audit found that the money of users does not add up ({books})',
      next: 'stop payouts, and look into the differences that are named',
    },
  },
  supplier_switched_off: {
    confidence: 'high',
    events: ['MODEL_SWITCHED_OFF', 'ADMIN_ALARM'],
    reasons: ['MODEL_DISABLED'],
    is: facts => isProcess(facts) && facts.has('MODEL_SWITCHED_OFF'),
    ru: {
      what: 'поставщик больше не делает модель {model}, и бот снял её с показа',
      next: 'если поставщик её вернёт, включите её: trt catalogue',
    },
    en: {
      what: 'the supplier does not make the model {model} any more, and the bot has taken it off the menus',
      next: 'if the supplier brings it back, switch it on: trt catalogue',
    },
  },
  supplier_down: {
    confidence: 'high',
    events: ['SUPPLIER_DOWN'],
    reasons: ['DOWNSTREAM_ERROR'],
    is: facts => isProcess(facts) && lastOf(facts, 'SUPPLIER_DOWN', 'SUPPLIER_UP') === 'SUPPLIER_DOWN',
    ru: {
      what: 'поставщик не отвечает, и бот его пока не вызывает',
      next: 'посмотрите статус KIE.ai; бот сам пробует снова',
    },
    en: {
      what: 'the supplier does not answer, and the bot does not call it for now',
      next: 'look at the status of KIE.ai; the bot probes by itself',
    },
  },
  lock_lost_by_process: {
    confidence: 'high',
    events: ['LOCK_LOST'],
    reasons: [],
    is: facts => isProcess(facts) && lastOf(facts, 'LOCK_LOST', 'LOCK_ACQUIRED') === 'LOCK_LOST',
    ru: {
      what: 'экземпляр бота потерял блокировку и больше не работает с обновлениями',
      next: 'посмотрите /health остальных: один должен стать активным; проверьте связь с базой',
    },
    en: {
      what: 'the instance lost the lock and does not handle updates any more',
      next: 'look at /health of the others: one should be ACTIVE; look at the connection to the database',
    },
  },
  database_failing: {
    confidence: 'medium',
    events: ['SYSTEM_WARNING'],
    reasons: ['DB_ERROR'],
    is: facts =>
      isProcess(facts) && facts.all('SYSTEM_WARNING').some(event => reasonOf(event) === 'DB_ERROR'),
    ru: {
      what: 'этому экземпляру отказывала база данных ({warnings})',
      next: 'проверьте Postgres и /health',
    },
    en: { what: 'the database failed this instance ({warnings})', next: 'look at Postgres and at /health' },
  },
  process_troubled: {
    confidence: 'medium',
    events: ['SYSTEM_WARNING', 'LOCK_TAKEOVER'],
    reasons: [],
    is: facts => isProcess(facts) && facts.has('SYSTEM_WARNING', 'LOCK_TAKEOVER'),
    ru: {
      what: 'у этого экземпляра были сбои вне обновлений ({warnings})',
      next: 'посмотрите строки SYSTEM_WARNING этого cid',
    },
    en: {
      what: 'this instance had trouble outside of any update ({warnings})',
      next: 'look at the lines SYSTEM_WARNING of this cid',
    },
  },
  process_well: {
    confidence: 'high',
    events: ['BOOT_OK', 'SHUTDOWN', 'LOCK_ACQUIRED', 'LOCK_RELEASED', 'SUPPLIER_UP'],
    reasons: [],
    is: isProcess,
    ru: { what: 'это жизнь самого процесса, сбоев в ней не видно', next: 'исправлять нечего' },
    en: {
      what: 'this is the life of the process itself, and it shows no trouble',
      next: 'there is nothing to fix',
    },
  },
});

function callback(is: (facts: Facts) => boolean, texts: Localized<CauseText>) {
  return {
    confidence: 'high',
    events: ['KIE_CALLBACK'],
    reasons: ['PERMISSION_DENIED'],
    is: (facts: Facts) => isRefusedCallback('PERMISSION_DENIED')(facts) && is(facts),
    ...texts,
  } as const;
}

/** A refused callback stands under a cid of its own. */
function isRefusedCallback(reason: string): (facts: Facts) => boolean {
  return ({ last, eventType }) => eventType === undefined && reasonOf(last('KIE_CALLBACK')) === reason;
}

const processEvents: ReadonlySet<string> = new Set(['SYSTEM', 'LOCK', 'MODEL', 'BILLING']);

/** Nothing in it is of an update or a job. */
function isProcess({ chain, eventType }: Facts): boolean {
  return (
    eventType === undefined &&
    chain.events.length > 0 &&
    chain.events.every(event => processEvents.has(textOf(event, 'domain') ?? ''))
  );
}

function lastOf({ last }: Facts, ...names: readonly EventName[]): string | undefined {
  return names
    .flatMap(name => last(name) ?? [])
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .at(-1)?.name;
}
