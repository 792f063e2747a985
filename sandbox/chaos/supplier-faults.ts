// What happens at Telegram, at KIE.ai and at the hosts of files, and on the way to them.
import type { KieFault } from '../kie/index.ts';
import type { Passage, TcpProxy } from '../tcp-proxy.ts';
import type { Fault } from '../telegram/index.ts';
import { defineFaults, type Occasion, risingFrom, type Strike } from './fault.ts';
import type { Ground } from './ground.ts';

/** Any other would keep the process from starting, which is a fault of its own. */
const struckMethods = ['sendMessage', 'editMessageText', 'answerCallbackQuery', 'sendPhoto'] as const;
const endless = 1_000_000;
const megabyte = 1_048_576;
const mostLargeFiles = 5;

type TelegramEffect = (occasion: Occasion) => Fault;
type Begin = (ground: Ground, occasion: Occasion) => Strike;

export const supplierFaults = defineFaults({
  'telegram-429': {
    weight: 2,
    seconds: [1, 5],
    touches: 'telegram',
    begin: telegram(({ random }) => ({
      ...struck(random.pick([...struckMethods, undefined])),
      kind: 'error',
      code: 429,
      description: 'Too Many Requests: retry later',
      retryAfter: random.between(1, 3),
    })),
  },
  /** Nothing is excused: an update may not wait for so long, and what it owes is shown when the wait is over. */
  'telegram-429-long': {
    weight: 2,
    seconds: [0, 1],
    touches: 'telegram',
    leavesAWay: true,
    recoverySeconds: 40,
    begin: telegram(({ random }) => ({
      ...struck(random.pick(['sendMessage', 'editMessageText'] as const)),
      kind: 'error',
      code: 429,
      description: 'Too Many Requests: retry later',
      retryAfter: random.between(10, 30),
      times: random.between(1, 3),
    })),
  },
  'telegram-5xx': {
    weight: 2,
    seconds: [1, 5],
    touches: 'telegram',
    begin: telegram(({ random }) => ({
      ...struck(random.pick([...struckMethods, undefined])),
      kind: 'error',
      code: random.pick([500, 502, 503]),
      description: 'Bad Gateway',
      body: random.pick(['json', 'html'] as const),
    })),
  },
  'telegram-hang': {
    weight: 2,
    seconds: [2, 8],
    touches: 'telegram',
    begin: telegram(({ random }) => ({
      ...struck(random.pick(struckMethods)),
      kind: 'hang',
      times: random.between(1, 12),
    })),
  },
  'telegram-lost-answers': {
    weight: 2,
    seconds: [1, 6],
    touches: 'telegram',
    begin: telegram(({ random }) => ({ ...struck(random.pick(struckMethods)), kind: 'lost-answer' })),
  },
  'telegram-slow': {
    weight: 1,
    seconds: [2, 8],
    touches: 'telegram',
    begin: telegram(({ random }) => ({
      ...struck(random.pick(struckMethods)),
      kind: 'delay',
      ms: random.between(500, 4_000),
    })),
  },
  'telegram-null': {
    weight: 1,
    seconds: [1, 4],
    touches: 'telegram',
    begin: telegram(({ random }) => ({
      ...struck(random.pick(struckMethods)),
      kind: 'nonsense',
      body: 'null',
    })),
  },
  'telegram-cut': {
    weight: 1,
    seconds: [1, 6],
    touches: 'telegram',
    begin(_ground, { slot, random }) {
      const proxy = slot.proxies.telegram;
      const hits = risingFrom(() => proxy.hindrances);
      if (random.chance(0.5)) proxy.setPassage({ kind: 'mute' });
      else {
        proxy.refuse();
        proxy.cut();
      }
      return { hits, end: () => proxy.setPassage({ kind: 'pass' }) };
    },
  },
  /** Of the webhook, to Telegram and to KIE.ai: what was taken is sent again. */
  'webhook-lost-answers': {
    weight: 2,
    seconds: [1, 5],
    touches: 'supplier',
    onlyIn: 'webhook',
    begin({ balancer }) {
      const hits = risingFrom(() => balancer.lostAnswers);
      balancer.loseAnswers(true);
      return { hits, end: () => balancer.loseAnswers(false) };
    },
  },
  'kie-429': {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(() => ({ at: 'create', does: 'answer', code: 429 })),
  },
  'kie-5xx': {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(({ random }) => ({
      at: random.pick(['create', 'record', 'upload'] as const),
      does: 'answer',
      code: 500,
      httpStatus: random.pick([200, 500, 503]),
    })),
  },
  'kie-hang': {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(({ random }) => ({ at: random.pick(['create', 'record', 'upload'] as const), does: 'hang' })),
  },
  'kie-lost-answers': {
    weight: 2,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(() => ({ at: 'create', does: 'lose-answer' })),
  },
  'kie-garbled': {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(({ random }) => ({
      at: random.pick(['create', 'record'] as const),
      does: 'garble-answer',
    })),
  },
  'kie-fails-tasks': {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(({ random }) => ({
      at: 'outcome',
      does: random.pick(['fail', 'reject-content', 'give-no-urls'] as const),
    })),
  },
  'kie-callbacks': {
    weight: 2,
    seconds: [3, 12],
    touches: 'supplier',
    begin: kie(({ random }) => ({
      at: 'callback',
      does: random.pick(['never', 'twice', 'early', 'forge'] as const),
    })),
  },
  'kie-files': {
    weight: 1,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(({ random }) => ({ at: 'file', does: random.pick(['miss', 'hang'] as const) })),
  },
  /** Of many megabytes, up to what a bot may send as a document; the stand-ins keep all of them in memory, so only some. */
  'kie-large-files': {
    weight: 2,
    seconds: [2, 8],
    touches: 'supplier',
    begin: kie(
      ({ random }) => ({ at: 'file', does: 'huge', bytes: random.between(2 * megabyte, 19 * megabyte) }),
      mostLargeFiles,
    ),
  },
  'kie-mute': {
    weight: 1,
    seconds: [2, 10],
    touches: 'supplier',
    begin(_ground, { slot, random }) {
      const proxy = random.pick([slot.proxies.kie, slot.proxies.upload]);
      return hinder(proxy, { kind: 'mute' });
    },
  },
  'file-host-mute': {
    weight: 2,
    seconds: [2, 10],
    touches: 'supplier',
    begin({ fileHost }) {
      return hinder(fileHost, { kind: 'mute' });
    },
  },
  'file-host-slow': {
    weight: 1,
    seconds: [3, 10],
    touches: 'supplier',
    begin({ fileHost }) {
      return hinder(fileHost, { kind: 'slow', latencyMs: 200, bytesPerSecond: 2_000 });
    },
  },
});

function telegram(effect: TelegramEffect): Begin {
  return (ground, occasion) => {
    const hits = risingFrom(() => ground.telegram.faultsStruck);
    ground.telegram.failNext({ times: endless, ...effect(occasion) });
    return { hits, end: () => ground.telegram.clearFaults() };
  };
}

function kie(effect: (occasion: Occasion) => KieFault, times = endless): Begin {
  return (ground, occasion) => {
    const hits = risingFrom(() => ground.kie.faultsStruck);
    ground.kie.failNext(effect(occasion), times);
    return { hits, end: () => ground.kie.clearFaults() };
  };
}

/** Until the end its connections pass in this way only. */
function hinder(proxy: TcpProxy, passage: Passage): Strike {
  const hits = risingFrom(() => proxy.hindrances);
  proxy.setPassage(passage);
  return { hits, end: () => proxy.setPassage({ kind: 'pass' }) };
}

/** Any method where none is named. */
function struck(method: string | undefined): { readonly method?: string } {
  return method === undefined ? {} : { method };
}
