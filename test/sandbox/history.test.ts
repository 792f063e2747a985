// Each law of a history can be broken: a sound history keeps all of them, and each change below breaks the one law that
// it is about, and says by whom.
import { expect, test } from 'vitest';
import {
  type History,
  historyOf,
  type StoredTask,
  type StoredUpdate,
} from '../../sandbox/history/history.ts';
import { checkHistory, countQueries, type LawName, laws } from '../../sandbox/history/laws.ts';
import { createLineCheck } from '../../sandbox/history/line-check.ts';

const chatId = 61;

const sound: History = historyOf({
  acknowledged: [1, 2, 3, 4],
  updates: [update(1), update(2), update(3, { queryId: 'tap' }), update(4, { lane: 62 })],
  answers: [{ queryId: 'tap', at: 3_500, ok: true }],
  tasks: [
    task('paid'),
    task('broken', { state: 'failed', isReportedFailed: true }),
    task('free', { isSold: false }),
  ],
  orders: [{ vendorTaskId: 'v1', callBackUrl: 'http://127.0.0.1/callbacks/kie/token-paid' }],
  wallets: [{ chatId, available: 920, held: 0 }],
  moves: [
    { chatId, kind: 'welcome', available: 1_000, held: 0, taskId: null },
    { chatId, kind: 'hold', available: -80, held: 80, taskId: 'paid' },
    { chatId, kind: 'charge', available: 0, held: -80, taskId: 'paid' },
    { chatId, kind: 'hold', available: -80, held: 80, taskId: 'broken' },
    { chatId, kind: 'release', available: 80, held: -80, taskId: 'broken' },
  ],
  bursts: [{ chatId, updateIds: [1, 2], asked: ['help', 'menu'], shown: ['help', 'help', 'menu'] }],
  lastRequests: [{ chatId, updateId: 3, isAnswered: true }],
  requests: { seen: 147, unseen: 104 },
  memory: [{ process: 'instance 1', megabytes: 399, limitMegabytes: 400 }],
  faults: [{ name: 'kill', occasions: 2, hits: 1 }],
  efforts: [{ what: 'updates', count: 60, least: 60 }],
});

test('a sound history keeps every law', () => {
  expect(checkHistory(sound)).toEqual([]);
});

const broken: readonly {
  readonly law: LawName;
  readonly by: string;
  readonly history: Partial<History>;
  readonly subject: RegExp;
}[] = [
  {
    law: 'one-outcome',
    by: 'an acknowledged update that is not there',
    history: { acknowledged: [1, 2, 3, 4, 5] },
    subject: /^update 5$/,
  },
  {
    law: 'one-outcome',
    by: 'an update without an outcome',
    history: { updates: [...sound.updates.slice(0, 3), update(4, { lane: 62, outcome: null })] },
    subject: /^update 4 \(cid 0000000d\)$/,
  },
  {
    law: 'one-outcome',
    by: 'two rows for one update',
    history: { updates: [...sound.updates, update(4, { lane: 62 })] },
    subject: /^update 4 /,
  },
  {
    law: 'one-outcome',
    by: 'an update that nobody sent',
    history: { acknowledged: [1, 2, 3] },
    subject: /^update 4 /,
  },
  {
    law: 'chat-order',
    by: 'outcomes that are committed in another order than their updates came',
    history: { updates: [update(2), update(1), ...sound.updates.slice(2)] },
    subject: /^update 1 /,
  },
  {
    law: 'epoch-order',
    by: 'an outcome under a lease that had been taken over',
    history: { updates: [update(1), update(2, { epoch: 2 }), ...sound.updates.slice(2)] },
    subject: /^update 3 /,
  },
  {
    law: 'shown-order',
    by: 'a screen that comes before the one that was asked for first',
    history: { bursts: [{ chatId, updateIds: [1, 2], asked: ['help', 'menu'], shown: ['menu', 'help'] }] },
    subject: /^chat 61, updates 1, 2$/,
  },
  {
    law: 'answered',
    by: 'a tap that is not answered',
    history: { answers: [] },
    subject: /^update 3 /,
  },
  {
    law: 'answered',
    by: 'an answer that Telegram did not take',
    history: { answers: [{ queryId: 'tap', at: 3_500, ok: false }] },
    subject: /^update 3 /,
  },
  {
    law: 'answered',
    by: 'an answer that comes too late',
    history: { answers: [{ queryId: 'tap', at: 18_000, ok: true }] },
    subject: /^update 3 /,
  },
  {
    law: 'mostly-seen',
    by: 'users who waited in vain more often than not',
    history: { requests: { seen: 104, unseen: 147 } },
    subject: /^users$/,
  },
  {
    law: 'no-silence',
    by: 'a last request that led to nothing',
    history: { lastRequests: [{ chatId, updateId: 3, isAnswered: false }] },
    subject: /^chat 61, update 3$/,
  },
  {
    law: 'enough',
    by: 'a run in which next to nothing happened',
    history: { efforts: [{ what: 'updates', count: 59, least: 60 }] },
    subject: /^updates$/,
  },
  {
    law: 'books',
    by: 'a wallet that differs from its ledger',
    history: { wallets: [{ chatId, available: 921, held: 0 }] },
    subject: /^chat 61$/,
  },
  { law: 'books', by: 'a ledger without a wallet', history: { wallets: [] }, subject: /^chat 61$/ },
  {
    law: 'no-hold-left',
    by: 'something that is still held',
    history: {
      wallets: [{ chatId, available: 900, held: 20 }],
      moves: [...sound.moves, { chatId, kind: 'adjust', available: -20, held: 20, taskId: null }],
    },
    subject: /^chat 61$/,
  },
  {
    law: 'settled-once',
    by: 'a task that was paid and failed',
    history: { tasks: [task('paid', { state: 'failed' })] },
    subject: /^task paid$/,
  },
  {
    law: 'settled-once',
    by: 'a task that succeeded and was not paid, though nobody was notified of a failure',
    history: { tasks: [task('broken')] },
    subject: /^task broken$/,
  },
  {
    law: 'settled-once',
    by: 'a task that has not ended',
    history: { tasks: [...sound.tasks, task('stuck', { state: 'submitting', isSold: false })] },
    subject: /^task stuck$/,
  },
  {
    law: 'settled-once',
    by: 'a task that is settled twice',
    history: {
      wallets: [{ chatId, available: 920, held: -80 }],
      moves: [...sound.moves, { chatId, kind: 'charge', available: 0, held: -80, taskId: 'paid' }],
    },
    subject: /^task paid$/,
  },
  {
    law: 'welcomed-once',
    by: 'a second welcome',
    history: {
      wallets: [{ chatId, available: 1_920, held: 0 }],
      moves: [...sound.moves, { chatId, kind: 'welcome', available: 1_000, held: 0, taskId: null }],
    },
    subject: /^chat 61$/,
  },
  {
    law: 'ordered-once',
    by: 'a second order of one task',
    history: { orders: [...sound.orders, ...sound.orders] },
    subject: /^task paid$/,
  },
  {
    law: 'ordered-once',
    by: 'an order of no task',
    history: { orders: [{ vendorTaskId: 'v2', callBackUrl: 'http://127.0.0.1/callbacks/kie/unknown' }] },
    subject: /^order v2$/,
  },
  {
    law: 'no-leftovers',
    by: 'a job that should have run',
    history: { leftovers: [{ subject: 'job 7', problem: 'task' }] },
    subject: /^job 7$/,
  },
  {
    law: 'never-forgotten',
    by: 'an open task that no job will look at',
    history: { jobless: [{ subject: 'task 7', problem: 'is open' }] },
    subject: /^task 7$/,
  },
  {
    law: 'lines',
    by: 'a refusal without a reason',
    history: { lines: linesOf('{"name":"CALLBACK_REJECTED","cid":"0000000a"}') },
    subject: /^CALLBACK_REJECTED \(cid 0000000a\)$/,
  },
  {
    law: 'lines',
    by: 'a screen that is not shown any more for no reason',
    history: { lines: linesOf('{"name":"RENDER_DROPPED","cid":"0000000a"}') },
    subject: /^RENDER_DROPPED \(cid 0000000a\)$/,
  },
  {
    law: 'lines',
    by: 'a line that shows a secret',
    history: { lines: linesOf('{"name":"BOOT_OK","cid":"0000000a","msg":"token-4242"}') },
    subject: /^BOOT_OK /,
  },
  {
    law: 'lines',
    by: 'a line that cannot be read',
    history: { lines: linesOf('boom') },
    subject: /^stdout$/,
  },
  {
    law: 'never-idle',
    by: 'a process that said it was ready while work waited',
    history: { processes: [{ subject: 'update 1', problem: 'was owed' }] },
    subject: /^update 1$/,
  },
  {
    law: 'faults-hit',
    by: 'a kind of fault that never hit anything',
    history: { faults: [{ name: 'kill', occasions: 2, hits: 0 }] },
    subject: /^fault kill$/,
  },
  {
    law: 'memory',
    by: 'a process that has grown above its limit',
    history: { memory: [{ process: 'instance 1', megabytes: 400, limitMegabytes: 400 }] },
    subject: /^instance 1$/,
  },
];

test.each(broken)('$law is broken by $by', ({ law, history, subject }) => {
  const breaches = checkHistory({ ...sound, ...history });
  expect(breaches.map(breach => breach.law)).toContain(law);
  expect(breaches.find(breach => breach.law === law)?.subject).toMatch(subject);
});

test('every law has a history here that breaks it', () => {
  expect([...new Set(broken.map(({ law }) => law))].toSorted()).toEqual(Object.keys(laws).toSorted());
});

test('in a cluster epochs of members say nothing of each other', () => {
  const updates = [update(1, { epoch: 5 }), update(4, { lane: 62, epoch: 2 })];
  expect(checkHistory(historyOf({ isCluster: true, acknowledged: [1, 4], updates }))).toEqual([]);
});

test('of a tap and a message at the same time either may be the first', () => {
  const updates = [update(2, { eventType: 'callback_query' }), update(1)];
  expect(checkHistory(historyOf({ acknowledged: [1, 2], updates }))).toEqual([]);
});

test('what was ended at its receipt overtakes what waits', () => {
  const updates = [update(2, { epoch: null }), update(1)];
  expect(checkHistory(historyOf({ acknowledged: [1, 2], updates }))).toEqual([]);
});

test('a tap that came while no message could reach anybody is excused', () => {
  const excused = [{ from: 2_900, to: 3_100 }];
  expect(checkHistory({ ...sound, answers: [], excused })).toEqual([]);
});

test('how many taps the law asks nothing of is reported, and how many of those were late', () => {
  const excused = [{ from: 2_900, to: 3_100 }];
  expect(countQueries(sound)).toEqual({ judged: 1, excused: 0, excusedAndLate: 0 });
  expect(countQueries({ ...sound, excused })).toEqual({ judged: 0, excused: 1, excusedAndLate: 0 });
  expect(countQueries({ ...sound, excused, answers: [] })).toEqual({
    judged: 0,
    excused: 1,
    excusedAndLate: 1,
  });
});

test('screens of a burst that began before an earlier request had its end are not taken for its own', () => {
  const bursts = [{ chatId, updateIds: [2, 3], asked: ['help', 'menu'], shown: ['menu', 'help', 'menu'] }];
  const [first, ...later] = sound.updates;
  const lawsBrokenBy = (finishedAt: number | null) =>
    checkHistory({
      ...sound,
      bursts,
      updates: [{ ...(first ?? expect.fail('there are no updates')), finishedAt }, ...later],
    }).map(({ law }) => law);
  expect(lawsBrokenBy(1_999)).toEqual(['shown-order']);
  expect(lawsBrokenBy(2_500)).toEqual([]);
  expect(lawsBrokenBy(null)).toEqual([]);
});

test('a result that comes after the user was notified of a failure stays free', () => {
  const tasks = [task('broken', { isReportedFailed: true }), task('paid')];
  expect(checkHistory({ ...sound, tasks })).toEqual([]);
});

test('a result that could not be delivered is paid', () => {
  const tasks = [task('broken', { state: 'failed' }), task('paid', { isReportedFailed: true })];
  expect(checkHistory({ ...sound, tasks })).toEqual([]);
});

function update(id: number, change: Partial<StoredUpdate> = {}): StoredUpdate {
  return {
    id,
    updateId: id,
    lane: chatId,
    eventType: 'message',
    cid: (id + 9).toString(16).padStart(8, '0'),
    outcome: 'accepted',
    epoch: 1,
    receivedAt: id * 1_000,
    finishedAt: id * 1_000 + 100,
    queryId: null,
    ...change,
  };
}

function task(id: string, change: Partial<StoredTask> = {}): StoredTask {
  return {
    id,
    state: 'succeeded',
    isSold: true,
    isReportedFailed: false,
    callbackToken: `token-${id}`,
    ...change,
  };
}

function linesOf(text: string) {
  const check = createLineCheck(['token-4242']);
  check.read(text);
  return check.findings;
}
