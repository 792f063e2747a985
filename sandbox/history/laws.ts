// The laws that every history must keep, whatever broke meanwhile. Pure: a history in, the breaches out.
import type { Finding, History, Move, StoredUpdate } from './history.ts';

export interface Breach extends Finding {
  readonly law: LawName;
}

type Law = (history: History) => Iterable<Finding>;

const define = <const L extends Record<string, { readonly says: string; readonly check: Law }>>(laws: L): L =>
  laws;

export const laws = define({
  'one-outcome': {
    says: 'every update that was acknowledged has exactly one row with an outcome, and nothing else has one',
    check: checkOutcomes,
  },
  'chat-order': { says: 'outcomes are committed in the order of their chat', check: checkChatOrder },
  'epoch-order': { says: 'no outcome is committed under an epoch that was over', check: checkEpochOrder },
  'shown-order': { says: 'users see the answers in the order of their requests', check: checkShownOrder },
  answered: { says: 'every tap and every checkout is answered in time', check: checkAnswers },
  'no-silence': {
    says: 'the last request of every user has led to something that the user sees',
    check: checkSilence,
  },
  'mostly-seen': {
    says: 'most requests are seen in time: a run in which they are not proves nothing else',
    check: checkRequests,
  },
  enough: {
    says: 'enough has happened: a run in which little does proves nothing else',
    check: checkEfforts,
  },
  books: { says: 'the ledger adds up to the wallets', check: checkBooks },
  'no-hold-left': { says: 'nothing is held any more, and nobody owes', check: checkHolds },
  'settled-once': {
    says: 'every sold task has one hold, and one end of it as the task ended',
    check: checkSettlements,
  },
  'welcomed-once': { says: 'nobody is welcomed twice', check: checkWelcomes },
  'ordered-once': { says: 'no task is given to KIE.ai twice', check: checkOrders },
  'no-leftovers': { says: 'nothing is left that should have been done', check: history => history.leftovers },
  'never-forgotten': {
    says: 'whatever is open has a job that will look at it, without anything being started again',
    check: history => history.jobless,
  },
  lines: {
    says: 'every line can be read, says why when something failed, and shows no secret',
    check: history => history.lines,
  },
  'never-idle': {
    says: 'no process says that it is ready while work waits, and none ends unasked',
    check: history => history.processes,
  },
  'faults-hit': {
    says: 'every kind of fault has hit something: one that hits nothing tries nothing',
    check: checkFaults,
  },
  memory: { says: 'no process grows above its limit', check: checkMemory },
});

export type LawName = keyof typeof laws;

/** What Telegram sends one after the other for one chat. */
const inOrder: ReadonlySet<string> = new Set(['message', 'callback_query', 'my_chat_member']);

/** All breaches of all laws, in the order of the laws; empty for a sound history. */
export function checkHistory(history: History): Breach[] {
  // SAFETY: the object has its own keys.
  return (Object.keys(laws) as LawName[]).flatMap(law =>
    [...laws[law].check(history)].map(finding => ({ law, ...finding })),
  );
}

function* checkOutcomes({ acknowledged, updates }: History): Iterable<Finding> {
  const rows = Map.groupBy(updates, ({ updateId }) => updateId);
  const known = new Set(acknowledged);
  for (const updateId of known) {
    const found = rows.get(updateId) ?? [];
    if (found.length === 0)
      yield { subject: `update ${updateId}`, problem: 'was acknowledged and is not there' };
    if (found.length > 1) yield { subject: nameOf(found[0]), problem: `has ${found.length} rows` };
  }
  for (const update of updates) {
    if (update.outcome === null) yield { subject: nameOf(update), problem: 'has no outcome' };
    if (!known.has(update.updateId)) yield { subject: nameOf(update), problem: 'was never sent' };
  }
}

/** Of what came at the same time by two ways, a message and a tap, either may be the first. */
function* checkChatOrder({ updates }: History): Iterable<Finding> {
  const worked = updates.filter(update => isWorked(update) && inOrder.has(update.eventType));
  for (const ofChat of Map.groupBy(worked, ({ lane, eventType }) => `${lane} ${eventType}`).values()) {
    let newest: StoredUpdate | undefined;
    for (const update of ofChat) {
      if (newest !== undefined && update.updateId < newest.updateId)
        yield { subject: nameOf(update), problem: `ended after ${nameOf(newest)}, which came later` };
      else newest = update;
    }
  }
}

function* checkEpochOrder({ isCluster, updates }: History): Iterable<Finding> {
  if (isCluster) return;
  let newest = 0;
  for (const update of updates.filter(isWorked)) {
    if ((update.epoch ?? 0) < newest)
      yield { subject: nameOf(update), problem: `ended under epoch ${update.epoch}, after one of ${newest}` };
    newest = Math.max(newest, update.epoch ?? 0);
  }
}

function* checkShownOrder({ bursts, updates }: History): Iterable<Finding> {
  for (const { chatId, updateIds, asked, shown } of bursts) {
    if (isMixed(updateIds, updates)) continue;
    const inOrder = asked.filter(screen => shown.includes(screen));
    const seen = inOrder.toSorted((a, b) => shown.indexOf(a) - shown.indexOf(b));
    if (seen.some((screen, index) => screen !== inOrder[index]))
      yield {
        subject: `chat ${chatId}, updates ${updateIds.join(', ')}`,
        problem: `asked for ${asked.join(', ')} and was shown ${shown.join(', ')}`,
      };
  }
}

function* checkRequests({ requests: { seen, unseen } }: History): Iterable<Finding> {
  if (unseen > seen)
    yield { subject: 'users', problem: `saw ${seen} of their requests in time, and ${unseen} not` };
}

function* checkEfforts({ efforts }: History): Iterable<Finding> {
  for (const { what, count, least } of efforts)
    if (count < least) yield { subject: what, problem: `were ${count}, at least ${least} are asked for` };
}

/**
 * An earlier request of the chat had its end only after the burst had begun: its screen, which the user had given up
 * waiting for, cannot be distinguished from those of the burst.
 */
function isMixed(updateIds: readonly number[], updates: readonly StoredUpdate[]): boolean {
  const burst = updates.filter(({ updateId }) => updateIds.includes(updateId));
  const beganAt = Math.min(...burst.map(({ receivedAt }) => receivedAt));
  return updates.some(
    ({ lane, updateId, finishedAt }) =>
      lane === burst[0]?.lane &&
      updateId < Math.min(...updateIds) &&
      (finishedAt === null || finishedAt >= beganAt),
  );
}

function* checkAnswers(history: History): Iterable<Finding> {
  for (const { update, problem, isExcused } of queriesOf(history))
    if (problem !== undefined && !isExcused) yield { subject: nameOf(update), problem };
}

/** How many taps and checkouts there were, and of how many the law asks nothing: what a green run does not say. */
export function countQueries(history: History): { judged: number; excused: number; excusedAndLate: number } {
  const queries = [...queriesOf(history)];
  const excused = queries.filter(({ isExcused }) => isExcused);
  return {
    judged: queries.length - excused.length,
    excused: excused.length,
    excusedAndLate: excused.filter(({ problem }) => problem !== undefined).length,
  };
}

function* queriesOf({ updates, answers, answerLimitMs, excused }: History): Iterable<{
  readonly update: StoredUpdate;
  /** Undefined where it was answered in time. */
  readonly problem: string | undefined;
  readonly isExcused: boolean;
}> {
  const byQuery = Map.groupBy(answers, ({ queryId }) => queryId);
  for (const update of updates) {
    if (update.queryId === null) continue;
    const tried = byQuery.get(update.queryId);
    const first = tried?.find(({ ok }) => ok);
    const limit = update.receivedAt + answerLimitMs;
    const isExcused = excused.some(({ from, to }) => from <= limit && to >= update.receivedAt);
    if (first !== undefined && first.at < limit) yield { update, problem: undefined, isExcused };
    else if (first)
      yield { update, problem: `was answered after ${first.at - update.receivedAt} ms`, isExcused };
    else yield { update, problem: tried ? 'was answered in vain' : 'was never answered', isExcused };
  }
}

function* checkSilence({ lastRequests }: History): Iterable<Finding> {
  for (const { chatId, updateId, isAnswered } of lastRequests)
    if (!isAnswered)
      yield { subject: `chat ${chatId}, update ${updateId}`, problem: 'led to nothing that the user sees' };
}

function* checkBooks({ wallets, moves }: History): Iterable<Finding> {
  const byChat = Map.groupBy(moves, ({ chatId }) => chatId);
  const balances = new Map(wallets.map(wallet => [wallet.chatId, wallet]));
  for (const chatId of new Set([...byChat.keys(), ...balances.keys()])) {
    const made = byChat.get(chatId) ?? [];
    const available = sum(made, move => move.available);
    const held = sum(made, move => move.held);
    const wallet = balances.get(chatId);
    if (wallet?.available !== available || wallet.held !== held)
      yield {
        subject: `chat ${chatId}`,
        problem: `has ${wallet?.available ?? 'no wallet'} and ${wallet?.held ?? 'no'} held, its ledger says ${available} and ${held}`,
      };
  }
}

function* checkHolds({ wallets }: History): Iterable<Finding> {
  for (const { chatId, available, held } of wallets) {
    if (held !== 0) yield { subject: `chat ${chatId}`, problem: `still has ${held} held` };
    if (available < 0) yield { subject: `chat ${chatId}`, problem: `has ${available}` };
  }
}

function* checkSettlements({ tasks, moves }: History): Iterable<Finding> {
  const byTask = Map.groupBy(moves, ({ taskId }) => taskId);
  for (const { id, state, isSold, isReportedFailed } of tasks) {
    const made = (byTask.get(id) ?? []).map(({ kind }) => kind).toSorted();
    if (state !== 'failed' && state !== 'succeeded')
      yield { subject: `task ${id}`, problem: `is still ${state}` };
    else if (!settlementsOf(state, isReportedFailed, isSold).some(due => due === made.join()))
      yield { subject: `task ${id}`, problem: `is ${state} and has ${made.join(', ') || 'no moves'}` };
  }
}

/** The moves that such a task may have, by name. */
function settlementsOf(state: 'succeeded' | 'failed', isReportedFailed: boolean, isSold: boolean): string[] {
  if (!isSold) return [''];
  if (state === 'failed') return ['hold,release'];
  // A result that comes after the failure stays free; one that could not be delivered is paid, and can be sent again.
  return isReportedFailed ? ['charge,hold', 'hold,release'] : ['charge,hold'];
}

function* checkWelcomes({ moves }: History): Iterable<Finding> {
  const welcomes = Map.groupBy(
    moves.filter(({ kind }) => kind === 'welcome'),
    ({ chatId }) => chatId,
  );
  for (const [chatId, { length }] of welcomes)
    if (length > 1) yield { subject: `chat ${chatId}`, problem: `was welcomed ${length} times` };
}

function* checkOrders({ tasks, orders }: History): Iterable<Finding> {
  if (orders.length > tasks.length)
    yield { subject: 'KIE.ai', problem: `has ${orders.length} orders for ${tasks.length} tasks` };
  for (const [url, same] of Map.groupBy(orders, ({ callBackUrl }) => callBackUrl)) {
    const task = tasks.find(({ callbackToken }) => url?.includes(callbackToken));
    const subject = task ? `task ${task.id}` : `order ${same[0]?.vendorTaskId}`;
    if (url !== undefined && same.length > 1) yield { subject, problem: `was ordered ${same.length} times` };
    if (url !== undefined && !task) yield { subject, problem: 'is of no task' };
  }
}

function* checkFaults({ faults }: History): Iterable<Finding> {
  for (const { name, occasions, hits } of faults)
    if (hits === 0) yield { subject: `fault ${name}`, problem: `has hit nothing, ${occasions} times` };
}

function* checkMemory({ memory }: History): Iterable<Finding> {
  for (const { process, megabytes, limitMegabytes } of memory)
    if (megabytes >= limitMegabytes)
      yield { subject: process, problem: `took ${Math.round(megabytes)} MB, of ${limitMegabytes}` };
}

function isWorked({ epoch, outcome }: StoredUpdate): boolean {
  return epoch !== null && outcome !== null;
}

function nameOf(update: StoredUpdate | undefined): string {
  return update ? `update ${update.updateId} (cid ${update.cid})` : 'an update';
}

function sum(moves: readonly Move[], value: (move: Move) => number): number {
  return moves.reduce((total, move) => total + value(move), 0);
}
