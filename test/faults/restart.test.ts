// The process ends in the middle of the work, politely or not, and another one takes over: nothing that was
// acknowledged is lost, nothing is ordered twice, and an update that kills whoever works it stops doing so.
import { expect, test } from 'vitest';
import type { SandboxUser, TelegramSandbox } from '../../sandbox/telegram/index.ts';
import { waitFor } from '../support/bot.ts';
import { startHeldAnswers } from '../support/held-answer.ts';
import { holdStatement } from '../support/held-statement.ts';
import { patienceMs } from '../support/patience.ts';
import { type Program, type Surroundings, startProgram, startSurroundings } from '../support/process.ts';
import { walkToConfirm } from '../support/walk.ts';

/** Above the 25 s that src/main.ts gives itself. */
const graceMs = 28_000;
/** With nothing that hangs, on a busy machine. */
const stopMs = 30_000;
const waitMs = { deadlineMs: patienceMs };
const endings = ['SIGTERM', 'SIGKILL'] as const;

test.each(endings)(
  'after %s between the 200 and the dispatch every update has one outcome, in the order of its chat',
  async ending => {
    await using surroundings = await startSurroundings();
    const { telegram, environment } = surroundings;
    const users = [surroundings.user(), surroundings.user()];
    await using first = await startProgram({ ...environment, SHUTDOWN_GRACE_SECONDS: '3' });
    for (const { chatId } of users) telegram.failNext({ kind: 'hang', method: 'sendMessage', chatId });
    const sent = users.flatMap(user => [user.start(), user.say('/help'), user.say('/start')]);
    await telegram.idle(waitMs.deadlineMs);
    await hungCalls(telegram, users.length);
    // Acknowledged, one of each chat is in the middle of its dispatch, and nothing has ended.
    expect(await outcomes(surroundings)).toEqual(sent.map(() => null));
    await endWith(first, ending, { isCut: true });

    await using second = await startProgram(environment);
    await allEnded(surroundings);
    expect(await outcomes(surroundings)).toEqual(sent.map(() => 'accepted'));
    for (const user of users) {
      await user.waitForMessage(/How it works/, waitMs);
      expect(user.messages().map(({ text }) => /How it works/.test(text))).toEqual([false, true, false]);
      expect(await orderOfEnds(surroundings, user)).toEqual(await orderOfReceipt(surroundings, user));
    }
    for (const { updateId } of sent) {
      // A line is read from the pipe a moment after the row is there.
      await second.waitForLine(line => line.update_id === updateId && line.name === 'DISPATCH_OK');
      const attempts = second.lines
        .filter(line => line.update_id === updateId && line.name === 'DISPATCH_OK')
        .map(line => line.attempt);
      const isHeld = users.some((_user, index) => sent[index * 3]?.updateId === updateId);
      expect(attempts).toEqual([isHeld ? 2 : undefined]);
      expect(first.lines.filter(line => line.update_id === updateId && line.name === 'DISPATCH_OK')).toEqual(
        [],
      );
    }
    const again = second.lines.filter(line => line.update_id === sent[0]?.updateId);
    expect(again.map(({ name }) => name)).toContain('COMMAND_RECEIVED');
    expect(again.filter(line => line.attempt !== 2)).toEqual([]);
    // The second life of an update goes on in the trace of its first.
    expect(new Set(again.map(({ cid }) => cid))).toEqual(
      new Set([await first.cidOf(Number(sent[0]?.updateId))]),
    );
  },
);

test('SIGTERM lets the dispatch in flight end, exits in time, and says so last', async () => {
  await using surroundings = await startSurroundings();
  const { telegram, environment } = surroundings;
  await using program = await startProgram(environment);
  const user = surroundings.user();
  telegram.failNext({ kind: 'delay', ms: 1_500, method: 'sendMessage', chatId: user.chatId });
  const { updateId } = user.start();
  await program.waitForEvent('DISPATCH_START');
  await endWith(program, 'SIGTERM');

  expect(program.lines.filter(line => line.update_id === updateId).map(({ name }) => name)).toContain(
    'DISPATCH_OK',
  );
  expect(user.messages()).toHaveLength(1);
  expect(await outcomes(surroundings)).toEqual(['accepted']);
});

test('SIGTERM while an update is being stored ends when that is answered, however long Telegram keeps the connection', async () => {
  await using surroundings = await startSurroundings();
  const { database, telegram, environment } = surroundings;
  await using program = await startProgram(environment);
  await using insert = await holdStatement(database, { table: 'updates', event: 'insert', when: 'true' });
  surroundings.user().start();
  await insert.reached();
  const ending = endWith(program, 'SIGTERM');
  await waitFor('a server that lets nobody in', async () => !(await answers(telegram)) || undefined);
  const releasedAt = performance.now();
  await insert.execute();
  await ending;
  expect(performance.now() - releasedAt).toBeLessThan(stopMs);
  expect(program.lines.at(-1)).not.toHaveProperty('error_type');

  await using _second = await startProgram(environment);
  await allEnded(surroundings);
  expect(await outcomes(surroundings)).toEqual(['accepted']);
});

test.each(endings)(
  'after %s between the order and its result there is one order and one picture',
  async ending => {
    await using surroundings = await startSurroundings({ kie: { stepMs: 'manual' } });
    const { kie, environment } = surroundings;
    const user = surroundings.user();
    await using first = await startProgram(environment);
    await walkToConfirm(user);
    const run = user.click('🚀 Run');
    await first.waitForLine(line => line.name === 'TASK_PROGRESS' && line.operation === 'submitted');
    await endWith(first, ending);
    // Its callback finds nobody: the next process has to ask by itself.
    await kie.advance(3);
    expect(kie.callbacks().map(({ status }) => status)).toEqual([undefined, undefined, undefined]);

    await using second = await startProgram(environment);
    const delivered = await second.waitForEvent('RESULT_DELIVERED');
    expect(delivered.cid).toBe(await first.cidOf(run.updateId));
    expect(pictures(user)).toHaveLength(1);
    expect(kie.createdCount()).toBe(1);
    expect(await taskStates(surroundings)).toEqual(['succeeded']);
  },
);

test('after SIGKILL while an order is on its way it is not sent again, and the callback settles it', async () => {
  await using surroundings = await startSurroundings({ kie: { stepMs: 'manual' } });
  const { kie, environment } = surroundings;
  await using front = await startHeldAnswers(kie.apiUrl);
  const behindFront = { ...environment, KIE_API_URL: front.url };
  const user = surroundings.user();
  await using first = await startProgram(behindFront);
  await walkToConfirm(user);
  front.hold('/createTask');
  const run = user.click('🚀 Run');
  await waitFor('the order', () => kie.createdCount() === 1 || undefined);
  await endWith(first, 'SIGKILL');
  front.letPass();
  expect(await taskStates(surroundings)).toEqual(['submitting']);

  await using second = await startProgram(behindFront);
  await kie.advance(3);
  const [order] = kie.tasks();
  const body = kie.callbackBody(order?.taskId ?? '');
  // The port is another one after the restart; behind a public address it would be the same.
  const callbackPath = new URL(order?.callBackUrl ?? '').pathname;
  const webhook = new URL(surroundings.telegram.webhookInfo.url ?? '');
  expect(
    await kie.forgeCallback(
      `${webhook.origin}${callbackPath}`,
      body,
      kie.signatureHeaders(order?.taskId ?? ''),
    ),
  ).toEqual({ status: 200 });

  const delivered = await second.waitForEvent('RESULT_DELIVERED');
  expect(delivered.cid).toBe(await first.cidOf(run.updateId));
  expect(kie.createdCount()).toBe(1);
  expect(front.count('/createTask')).toBe(1);
  expect(pictures(user)).toHaveLength(1);
  expect(await taskStates(surroundings)).toEqual(['succeeded']);
});

test('an update that ends three processes becomes a dead letter; the user is notified, the chat goes on', async () => {
  await using surroundings = await startSurroundings();
  const { telegram, database, environment } = surroundings;
  const user = surroundings.user();
  telegram.failNext({ kind: 'hang', method: 'sendMessage', chatId: user.chatId, times: 3 });
  const poison = user.start();
  const waiting = user.say('/help');
  const cids: string[] = [];
  for (const attempt of [1, 2, 3]) {
    await using program = await startProgram(environment);
    const started = await program.waitForLine(
      line => line.name === 'DISPATCH_START' && line.update_id === poison.updateId,
    );
    expect(started.attempt).toBe(attempt === 1 ? undefined : attempt);
    cids.push(started.cid);
    await hungCalls(telegram, attempt);
    await telegram.idle(waitMs.deadlineMs);
    await endWith(program, 'SIGKILL');
  }

  await using program = await startProgram(environment);
  const [cid] = cids;
  expect(new Set(cids)).toEqual(new Set([cid]));
  const letter = await program.waitForEvent('DEAD_LETTER');
  expect(letter).toMatchObject({
    cid,
    update_id: poison.updateId,
    reason_code: 'INTERNAL_ERROR',
    attempt: 4,
  });
  expect(program.chainOf(letter.cid)).not.toContain('DISPATCH_START');
  const notice = await user.waitForMessage(({ text }) => text.includes(letter.cid), waitMs);
  const help = await user.waitForMessage(/How it works/, waitMs);
  expect(user.messages().map(({ messageId }) => messageId)).toEqual([notice.messageId, help.messageId]);
  await allEnded(surroundings);
  expect(
    await database.query('select update_id::int, outcome, attempts from updates order by id'),
  ).toMatchObject([
    { update_id: poison.updateId, outcome: 'dead_letter' },
    { update_id: waiting.updateId, outcome: 'accepted', attempts: 1 },
  ]);
});

/** Ends the program by this signal and checks that it went as that signal asks. */
/** `isCut`: something is in flight that cannot end, and a stop says so by its exit code. */
async function endWith(
  program: Program,
  signal: (typeof endings)[number],
  { isCut = false } = {},
): Promise<void> {
  const startedAt = performance.now();
  program.signal(signal);
  expect(await program.exited).toEqual(
    isCut && signal === 'SIGTERM' ? { code: 1, signal: null } : { code: null, signal },
  );
  // What was left behind may still say a word.
  const last = isCut ? program.lines.findLast(({ name }) => name === 'SHUTDOWN') : program.lines.at(-1);
  if (signal === 'SIGTERM') {
    expect(performance.now() - startedAt).toBeLessThan(graceMs);
    expect(last).toMatchObject({ name: 'SHUTDOWN', operation: 'SIGTERM' });
  } else {
    expect(last?.name).not.toBe('SHUTDOWN');
  }
}

/** Whether the program that set the webhook last still takes connections. */
async function answers(telegram: TelegramSandbox): Promise<boolean> {
  const url = telegram.calls('setWebhook').at(-1)?.payload.url;
  return fetch(new URL('/livez', String(url))).then(
    () => true,
    () => false,
  );
}

/** Waits until so many calls in all have come to Telegram and hang there. */
async function hungCalls(telegram: TelegramSandbox, count: number): Promise<void> {
  await waitFor(
    `${count} hanging calls`,
    () => telegram.calls('sendMessage', { fault: 'hang' }).length === count || undefined,
    () => JSON.stringify(telegram.calls().map(({ method, fault }) => [method, fault])),
    waitMs.deadlineMs,
  );
}

async function outcomes({ database }: Surroundings): Promise<(string | null)[]> {
  const rows = await database.query<{ outcome: string | null }>('select outcome from updates order by id');
  return rows.map(({ outcome }) => outcome);
}

async function allEnded(surroundings: Surroundings): Promise<void> {
  await waitFor(
    'the end of every update',
    async () => (await outcomes(surroundings)).every(outcome => outcome !== null) || undefined,
    undefined,
    waitMs.deadlineMs,
  );
}

const orderOfReceipt = (surroundings: Surroundings, user: SandboxUser) => updatesOf(surroundings, user, 'id');
const orderOfEnds = (surroundings: Surroundings, user: SandboxUser) =>
  updatesOf(surroundings, user, 'finished_at, id');

async function updatesOf(
  { database }: Surroundings,
  { chatId }: SandboxUser,
  order: 'id' | 'finished_at, id',
): Promise<number[]> {
  const rows = await database.query<{ id: string }>(
    `select id from updates where lane = $1 order by ${order}`,
    [chatId],
  );
  return rows.map(({ id }) => Number(id));
}

async function taskStates({ database }: Surroundings): Promise<string[]> {
  return (await database.query<{ state: string }>('select state from tasks')).map(({ state }) => state);
}

function pictures(user: SandboxUser): unknown[] {
  return user.messages().filter(({ kind }) => kind === 'photo');
}
