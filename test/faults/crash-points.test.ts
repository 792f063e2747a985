// The process is killed after each step of a generation, from the order to the last message, and started again. The
// world is stopped at that step (a statement, a call of a supplier or of Telegram that is not answered), never the
// code. Whatever the step: one task, one order, one settlement, and everything the user is owed, once.
import { describe, expect, test } from 'vitest';
import { type ReasonCode, reasons } from '../../src/otel/reasons.ts';
import { productionTimings } from '../../src/pipeline/timings.ts';
import type { DeliveryKind } from '../../src/storage/delivery-store.ts';
import { type Line, waitFor } from '../support/bot.ts';
import { type HeldAnswers, startHeldAnswers } from '../support/held-answer.ts';
import type { StatementPoint } from '../support/held-statement.ts';
import { expectOneOfEach, openAtConfirm, openTwoLives, type TwoLives, waitMs } from '../support/two-lives.ts';
import { prompt, walkToConfirm, walkToModel } from '../support/walk.ts';

/** 0.8 credits of Z-Image, at 100 roubles for a dollar and a multiplier of 2. */
const zImage = 80;
/** 0.5 credits. */
const upscale = 50;
/** 4 credits for six pictures. */
const several = 400;
const paid = { kopecks: zImage, money: 'charged', state: 'succeeded' } as const;
const unpaid = { kopecks: zImage, money: 'released', state: 'failed' } as const;
const maybeDouble = 'sent again after a crash, may be double';

const jobs = 'graphile_worker._private_jobs';

describe('killed on the way from the tap to the task', () => {
  test.concurrent('in the middle of the order, nothing of it is left, and the tap orders anew', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({ table: 'ledger', event: 'insert', when: `new.kind = 'hold'` });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await lives.database.query('select 1 from tasks')).toEqual([]);
    expect(await lives.database.query('select 1 from holds')).toEqual([]);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });

  test.concurrent('after the order and before the outcome of the tap, the tap joins the task it had started', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({ table: 'updates', event: 'update', when: 'new.outcome is not null' });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['created']);
    const [task] = await lives.database.query('select id from tasks');

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
    expect(await lives.database.query('select id from tasks')).toEqual([task]);
    const ended = await lives.emitted(
      1,
      line => line.name === 'DISPATCH_OK' && line.update_id === run.updateId,
    );
    expect(ended).toMatchObject([{ attempt: 2 }]);
  });

  test.concurrent('after the outcome of the tap and before the task is let run, it runs', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({ table: jobs, event: 'update', when: rescheduled('created') });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['created']);
    expect(await openUpdates(lives)).toBe(0);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });
});

describe('killed on the way from the task to the order', () => {
  test.concurrent('while an input file is being stored, it is stored anew and ordered once', async () => {
    await using lives = await openTwoLives();
    await using front = await startHeldAnswers(lives.kie.uploadUrl);
    const environment = { KIE_UPLOAD_URL: front.url };
    await lives.start(environment);
    await walkToUpscale(lives);
    front.hold('/api/file-stream-upload');
    const run = lives.chat.click('🚀 Run');
    await came(front, '/api/file-stream-upload');
    await lives.kill();
    front.letPass();
    expect(await taskStates(lives)).toEqual(['created']);

    await lives.start(environment);
    await expectOneOfEach(lives, { ...paid, kopecks: upscale, run });
    await expectDelivered(lives, 1);
    // It costs nothing there, and is forgotten after a day.
    expect(lives.kie.uploads()).toHaveLength(2);
  });

  test.concurrent('amid the claim, it is claimed anew', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({ table: 'tasks', event: 'update', when: becomes('submitting') });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['created']);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });

  test.concurrent('after the claim and before anything is sent, nothing is ever sent, and the money comes back', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({ table: jobs, event: 'insert', when: taskOfJobIs('submitting') });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['submitting']);
    expect(lives.kie.createdCount()).toBe(0);

    await lives.start();
    await lives.quiet();
    expect(await taskStates(lives)).toEqual(['submitting']);
    await lives.kill();
    await lives.passTime('tasks', 'submitted_at', productionTimings.unknownOutcomeLimitMs);
    await lives.start();
    await expectOneOfEach(lives, { ...unpaid, run, orders: 0 });
    expectFailureNotice(lives, 'DOWNSTREAM_TIMEOUT');
    expect(lives.pictures()).toBe(0);
  });
});

describe('killed while the order is at the supplier', () => {
  test.concurrent('whose answer is lost, it is not sent again, and its callback settles it', async () => {
    await using lives = await openTwoLives({ kie: { stepMs: 'manual' } });
    await using front = await startHeldAnswers(lives.kie.apiUrl);
    const environment = { KIE_API_URL: front.url };
    await lives.start(environment);
    await walkToConfirm(lives.chat, waitMs);
    front.hold('/createTask');
    const run = lives.chat.click('🚀 Run');
    await came(front, '/createTask');
    await lives.kill();
    front.letPass();
    expect(await taskStates(lives)).toEqual(['submitting']);

    await lives.start(environment);
    await lives.quiet();
    expect(await taskStates(lives)).toEqual(['submitting']);
    await lives.kie.advance(3);
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
    expect(front.count('/createTask')).toBe(1);
  });

  test.concurrent('whose answer is not yet saved, it is not sent again, and its callback settles it', async () => {
    await using lives = await openAtConfirm({ kie: { stepMs: 'manual' } });
    const point = await lives.stopAt({
      table: 'tasks',
      event: 'update',
      when: 'old.vendor_task_id is null and new.vendor_task_id is not null',
    });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['submitting']);

    await lives.start();
    await lives.quiet();
    await lives.kie.advance(3);
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });

  test.concurrent('and nobody hears of it within the limit, the money comes back, and what comes later is free', async () => {
    await using lives = await openAtConfirm({ kie: { stepMs: 'manual' } });
    lives.kie.failNext({ at: 'create', does: 'lose-answer' });
    const run = lives.chat.click('🚀 Run');
    await lives.program.waitForLine(({ operation }) => operation === 'outcome unknown');
    await lives.kill();
    await lives.passTime('tasks', 'submitted_at', productionTimings.unknownOutcomeLimitMs);

    await lives.start();
    await expectOneOfEach(lives, { ...unpaid, run });
    expectFailureNotice(lives, 'DOWNSTREAM_TIMEOUT');
    await lives.kie.advance(3);
    await lives.program.waitForLine(({ operation }) => operation === 'result');
    await expectOneOfEach(lives, { ...unpaid, state: 'succeeded', run });
    await expectDelivered(lives, 1);
    expect(await lives.emitted(1, ({ name }) => name === 'TASK_LATE_RESULT')).toHaveLength(1);
    // The message about the failure shows the result now.
    expect(await lives.emitted(1, isNotice)).toHaveLength(1);
    expect(lives.chat.messages().some(({ text }) => text.includes('Reference: '))).toBe(false);
  });
});

describe('killed while the result is waited for', () => {
  test.concurrent('right after the number of the order is saved, it is asked for', async () => {
    await using lives = await openAtConfirm();
    lives.kie.failNext({ at: 'callback', does: 'never' });
    const point = await lives.stopAt({ table: jobs, event: 'insert', when: taskOfJobIs('waiting') });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['waiting']);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });

  test.concurrent('with a callback that is stored and not worked, it is worked, though the order was never answered', async () => {
    await using lives = await openAtConfirm();
    lives.kie.failNext({ at: 'callback', does: 'early' });
    const point = await lives.stopAt({ table: jobs, event: 'insert', when: `new.key like 'callback:%'` });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['submitting']);
    await lives.kie.callbacksSettled();
    expect(lives.kie.callbacks().map(({ status }) => status)).toEqual([undefined, undefined, undefined]);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
    expect(await lives.database.query('select 1 from kie_callbacks where finished_at is null')).toEqual([]);
  });

  test.concurrent('while it is being read, it is read again', async () => {
    await using lives = await openTwoLives();
    await using front = await startHeldAnswers(lives.kie.apiUrl);
    const environment = { KIE_API_URL: front.url };
    await lives.start(environment);
    await walkToConfirm(lives.chat, waitMs);
    front.hold('/recordInfo');
    const run = lives.chat.click('🚀 Run');
    await came(front, '/recordInfo');
    await lives.kill();
    front.letPass();

    await lives.start(environment);
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
    expect(front.count('/createTask')).toBe(1);
  });
});

describe('killed while a result is settled', () => {
  const charge = { table: 'ledger', event: 'insert', when: `new.kind = 'charge'` } as const;

  test.concurrent('in mid-transaction, nothing of it is left, and it is settled anew', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt(charge);
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['waiting']);
    expect(await lives.database.query('select state from holds')).toEqual([{ state: 'held' }]);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });

  test.concurrent('by a commit that nobody hears of, it is delivered and not settled again', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({ ...charge, atCommit: true });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.execute();
    expect(await taskStates(lives)).toEqual(['succeeded']);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });

  test.concurrent('and not yet delivered, it is delivered', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt(claimOf('result'));
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['succeeded']);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    await expectDelivered(lives, 1);
  });
});

describe('killed while a result is sent', () => {
  test.concurrent('that Telegram has and has not answered for, it is sent once more later, and the event says so', async () => {
    await using lives = await openTwoLives();
    await using front = await startHeldAnswers(lives.telegram.apiRoot);
    const environment = { TELEGRAM_API_ROOT: front.url };
    await lives.start(environment);
    await walkToConfirm(lives.chat, waitMs);
    front.hold('/sendPhoto');
    const run = lives.chat.click('🚀 Run');
    await came(front, '/sendPhoto');
    await lives.kill();
    front.letPass();

    // Whoever had it may still be sending it.
    await lives.start(environment);
    await lives.quiet();
    expect(front.count('/sendPhoto')).toBe(1);
    await lives.kill();
    await lives.passTime('deliveries', 'claimed_at', productionTimings.deliveryClaimMs);
    await lives.start(environment);
    await expectOneOfEach(lives, { ...paid, run });
    expect(lives.pictures()).toBe(2);
    expect(await lives.emitted(1, isDelivery)).toMatchObject([{ attempt: 2, reason_detail: maybeDouble }]);
  });

  test.concurrent('that was sent and is not recorded, it is sent once more later, and the event says so', async () => {
    await using lives = await openAtConfirm();
    const point = await lives.stopAt({
      table: 'deliveries',
      event: 'update',
      when: 'new.finished_at is not null',
    });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(lives.pictures()).toBe(1);

    await lives.passTime('deliveries', 'claimed_at', productionTimings.deliveryClaimMs);
    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    expect(lives.pictures()).toBe(2);
    expect(await lives.emitted(1, isDelivery)).toMatchObject([{ attempt: 2, reason_detail: maybeDouble }]);
  });

  test.concurrent('that Telegram never got, it comes once', async () => {
    await using lives = await openAtConfirm();
    lives.telegram.failNext({ kind: 'hang', method: 'sendPhoto' });
    const run = lives.chat.click('🚀 Run');
    await called(lives, 'sendPhoto');
    await lives.kill();
    expect(lives.pictures()).toBe(0);

    await lives.passTime('deliveries', 'claimed_at', productionTimings.deliveryClaimMs);
    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    expect(lives.pictures()).toBe(1);
    // Nobody can know.
    expect(await lives.emitted(1, isDelivery)).toMatchObject([{ attempt: 2, reason_detail: maybeDouble }]);
  });

  test.concurrent('and the message about the work is not yet closed, nothing is sent again', async () => {
    await using lives = await openAtConfirm({ kie: { stepMs: 'manual' } });
    const run = lives.chat.click('🚀 Run');
    await lives.program.waitForLine(({ operation }) => operation === 'submitted');
    await lives.chat.waitForMessage(/Generating/, waitMs);
    lives.telegram.failNext({ kind: 'hang', method: 'editMessageText' });
    await lives.kie.advance(3);
    await called(lives, 'editMessageText');
    await lives.kill();

    await lives.start();
    await expectOneOfEach(lives, { ...paid, run });
    expect(lives.pictures()).toBe(1);
    expect(lives.telegram.callCount('sendPhoto')).toBe(1);
    expect(lives.chat.messages().filter(({ text }) => /Generating/.test(text))).toEqual([]);
  });
});

describe('killed while several files are sent', () => {
  test.concurrent('as an album, between it and its closing text, only the text follows', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    await walkToSeveral(lives);
    const point = await lives.stopAt(claimOf('closing'));
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(lives.pictures()).toBe(6);

    await lives.start();
    await expectOneOfEach(lives, { ...paid, kopecks: several, run });
    await expectDelivered(lives, 6);
    expect(lives.telegram.callCount('sendMediaGroup')).toBe(1);
    expect(closings(lives)).toBe(1);
  });

  test.concurrent('one by one, only those follow that were not sent, and the one that was under way', async () => {
    await using lives = await openTwoLives();
    await lives.start();
    await walkToSeveral(lives);
    lives.telegram.failNext({
      kind: 'error',
      method: 'sendMediaGroup',
      code: 400,
      description: 'Bad Request: wrong file identifier/HTTP URL specified',
      times: 2,
    });
    const point = await lives.stopAt({
      table: 'deliveries',
      event: 'update',
      when: 'new.finished_at is not null and new.position = 3',
    });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(lives.pictures()).toBe(3);

    await lives.passTime('deliveries', 'claimed_at', productionTimings.deliveryClaimMs);
    await lives.start();
    await expectOneOfEach(lives, { ...paid, kopecks: several, run });
    expect(lives.pictures()).toBe(7);
    expect(closings(lives)).toBe(1);
    const again = await lives.emitted(4, line => isDelivery(line) && line.reason_detail === maybeDouble);
    expect(again.map(({ position }) => position)).toEqual([3, 4, 5, 6]);
  });
});

describe('killed while a failure is settled', () => {
  test.concurrent('in mid-transaction, nothing of it is left, and it is settled anew and its user notified once', async () => {
    await using lives = await openAtConfirm();
    lives.kie.failNext({ at: 'outcome', does: 'fail' });
    const point = await lives.stopAt({ table: 'ledger', event: 'insert', when: `new.kind = 'release'` });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['waiting']);

    await lives.start();
    await expectOneOfEach(lives, { ...unpaid, run });
    expectFailureNotice(lives, 'DOWNSTREAM_ERROR');
  });

  test.concurrent('and its user not yet notified, they are notified once', async () => {
    await using lives = await openAtConfirm();
    lives.kie.failNext({ at: 'outcome', does: 'fail' });
    const point = await lives.stopAt(claimOf('failure'));
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expect(await taskStates(lives)).toEqual(['failed']);

    await lives.start();
    await expectOneOfEach(lives, { ...unpaid, run });
    expectFailureNotice(lives, 'DOWNSTREAM_ERROR');
  });

  test.concurrent('and its user notified, but that not recorded, they are notified again in the same message', async () => {
    await using lives = await openAtConfirm();
    lives.kie.failNext({ at: 'outcome', does: 'fail' });
    const point = await lives.stopAt({
      table: 'deliveries',
      event: 'update',
      when: 'new.finished_at is not null',
    });
    const run = lives.chat.click('🚀 Run');
    await point.reached();
    await lives.kill();
    await point.takeBack();
    expectFailureNotice(lives, 'DOWNSTREAM_ERROR');

    await lives.passTime('deliveries', 'claimed_at', productionTimings.deliveryClaimMs);
    await lives.start();
    await expectOneOfEach(lives, { ...unpaid, run });
    expectFailureNotice(lives, 'DOWNSTREAM_ERROR');
  });
});

/** A look at a task in this state is planned anew. */
function rescheduled(state: string): string {
  return `new.revision > old.revision and ${taskOfJobIs(state)}`;
}

function taskOfJobIs(state: string): string {
  return `exists (select 1 from tasks where 'task:' || id = new.key and state = '${state}')`;
}

const becomes = (state: string): string => `old.state <> new.state and new.state = '${state}'`;

function claimOf(kind: DeliveryKind): StatementPoint {
  return {
    table: 'deliveries',
    event: 'update',
    when: `old.claimed_at is null and new.claimed_at is not null and new.kind = '${kind}'`,
  };
}

const came = (front: HeldAnswers, pathEnding: string): Promise<true> =>
  waitFor(`a request to ${pathEnding}`, () => front.count(pathEnding) > 0 || undefined, undefined, waitMs);

/** A call hangs at Telegram. */
const called = ({ telegram }: TwoLives, method: string): Promise<true> =>
  waitFor(
    `a hanging ${method}`,
    () => telegram.calls(method, { fault: 'hang' }).length > 0 || undefined,
    undefined,
    waitMs,
  );

async function walkToUpscale({ chat }: TwoLives): Promise<void> {
  await walkToModel(chat, 'Recraft Crisp Upscale', /step 1 of 1/);
  chat.sendPhoto();
  await chat.waitForMessage(/Check and run/, waitMs);
}

async function walkToSeveral({ chat }: TwoLives): Promise<void> {
  await walkToModel(chat, 'Grok Imagine Text to Image', /step 1 of 1/);
  chat.say(prompt);
  await chat.waitForMessage(/· settings/, waitMs);
  chat.click('▶️ Go on');
  await chat.waitForMessage(/Check and run/, waitMs);
}

const isDelivery = ({ name, operation }: Line): boolean =>
  name === 'RESULT_DELIVERED' && operation === 'result';
const isNotice = ({ name, operation }: Line): boolean =>
  name === 'RESULT_DELIVERED' && operation === 'failure';

/** So many pictures, in the chat and by the events, none of which says that it may be double. */
async function expectDelivered(lives: TwoLives, pictures: number): Promise<void> {
  expect(lives.pictures()).toBe(pictures);
  const deliveries = await lives.emitted(pictures, isDelivery);
  expect(deliveries.map(({ reason_detail }) => reason_detail)).toEqual(
    Array.from({ length: pictures }, () => undefined),
  );
}

/** In one message, which says that the money is back. */
function expectFailureNotice({ chat }: TwoLives, reason: ReasonCode): void {
  const notices = chat.messages().filter(({ text }) => text.includes('Reference: '));
  expect(notices).toMatchObject([{ text: expect.stringContaining(reasons[reason].text.en) }]);
  expect(notices).toMatchObject([{ text: expect.stringContaining('Your money is back') }]);
}

/** Texts with the buttons of the result, below an album. */
function closings({ chat }: TwoLives): number {
  return chat
    .messages()
    .filter(
      ({ kind, keyboard }) => kind === 'text' && keyboard.flat().some(({ text }) => /Original/.test(text)),
    ).length;
}

async function taskStates({ database }: TwoLives): Promise<string[]> {
  return (await database.query<{ state: string }>('select state from tasks')).map(({ state }) => state);
}

async function openUpdates({ database }: TwoLives): Promise<number> {
  return (await database.query('select 1 from updates where outcome is null')).length;
}
