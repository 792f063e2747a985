// What a user reads, and what a generation costs, when KIE.ai refuses, fails, falls silent or is imitated.
import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import type { KieFault } from '../../sandbox/kie/index.ts';
import type { CallbackClick, SandboxUser } from '../../sandbox/telegram/index.ts';
import { type ReasonCode, reasons } from '../../src/otel/reasons.ts';
import { type BotOptions, type BotUnderTest, quickTimings, startBot, waitFor } from '../support/bot.ts';
import { acceptedRun, paidTask, type Story, storyOf, traceEnded, unpaidTask } from '../support/story.ts';
import { prompt, walkToConfirm } from '../support/walk.ts';

const never = 60_000;
const onlyLookWhenCalledBack = [{ untilMs: Number.POSITIVE_INFINITY, everyMs: never }];

/** KIE.ai moves only when asked to, and only a callback makes the bot look. */
const calledBackOnly: BotOptions = {
  kie: { stepMs: 'manual' },
  overrides: {
    timings: {
      ...quickTimings,
      unknownOutcomeLimitMs: never,
      waitLimitMs: never,
      poll: onlyLookWhenCalledBack,
    },
  },
};

/** Limits that are reached within a test. */
const impatient: BotOptions = {
  kie: { stepMs: 'manual' },
  overrides: { timings: { ...quickTimings, unknownOutcomeLimitMs: 300, waitLimitMs: 300 } },
};

describe.concurrent('an order that is refused', () => {
  test.each<{ code: number; reason: ReasonCode }>([
    { code: 402, reason: 'SERVICE_PAUSED' },
    { code: 422, reason: 'VALIDATION_FAILED' },
    { code: 451, reason: 'FILE_UNREACHABLE' },
    { code: 500, reason: 'DOWNSTREAM_ERROR' },
    { code: 501, reason: 'DOWNSTREAM_ERROR' },
    { code: 505, reason: 'MODEL_DISABLED' },
  ])('with $code is not repeated and ends in $reason', async ({ code, reason }) => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'create', does: 'answer', code });
    const { user, story } = await failedRun(bot);

    const followUp = reason === 'MODEL_DISABLED' ? ['MODEL_SWITCHED_OFF'] : [];
    expect(story.chain).toEqual([...acceptedRun, ...unpaidTask, ...followUp, 'RESULT_DELIVERED']);
    expectFailure(user, story, reason);
    expect(await walletOf(bot)).toEqual(untouchedWallet);
    expect(story.line('TASK_FAILED')).toMatchObject({
      error_type: 'KIE_REFUSED',
      reason_detail: `KIE.ai answered ${code}`,
    });
    expect(orders(bot, story.cid)).toBe(1);
    expect(bot.kie.createdCount()).toBe(0);
    expect(await taskRows(bot)).toEqual([{ state: 'failed', reason_code: reason, submit_attempts: 1 }]);
    expect(bot.spansOf(story.cid).find(({ name }) => name === 'kie createTask')).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'kie.code': code, 'error.type': 'KIE_REFUSED' },
    });
  });

  test.each([429, 455])('with %i is repeated, and then accepted', async code => {
    await using bot = await startBot(calledBackOnly);
    bot.kie.failNext({ at: 'create', does: 'answer', code });
    const { run } = await startRun(bot);
    await untilOrdered(bot, run);
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');

    expect(story.chain).toEqual([
      ...acceptedRun,
      'TASK_PROGRESS',
      'TASK_PROGRESS',
      'KIE_CALLBACK',
      ...paidTask,
      'RESULT_DELIVERED',
    ]);
    expect(progressOf(bot, story.cid)).toMatchObject([
      { operation: 'submit again', attempt: 1, reason_detail: `KIE.ai answered ${code}` },
      { operation: 'submitted' },
    ]);
    expect(orders(bot, story.cid)).toBe(2);
    expect(bot.kie.createdCount()).toBe(1);
  });

  test.each([429, 455])('with %i every time ends after the last attempt', async code => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'create', does: 'answer', code }, quickTimings.submitAttempts);
    const { user, story } = await failedRun(bot);

    expect(story.chain).toEqual([
      ...acceptedRun,
      'TASK_PROGRESS',
      'TASK_PROGRESS',
      ...unpaidTask,
      'RESULT_DELIVERED',
    ]);
    expectFailure(user, story, 'DOWNSTREAM_ERROR');
    expect(orders(bot, story.cid)).toBe(quickTimings.submitAttempts);
    expect(bot.kie.createdCount()).toBe(0);
  });

  test('has taken the place of Run, and a second tap on that is still a double tap', async () => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'outcome', does: 'fail', failCode: '500', failMsg: 'Internal error' });
    const { user, run } = await failedRun(bot);
    const late = user.rawCallback(run.data);
    expect((await user.answerOf(late)).text).toBe(reasons.DUPLICATE_ACTION.text.en);
    expect((await storyOf(bot, late)).line('CALLBACK_REJECTED').reason_code).toBe('DUPLICATE_ACTION');
    expect(bot.kie.createdCount()).toBe(1);
  });

  test('can be given again with the same inputs from the message about the failure', async () => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'create', does: 'answer', code: 402 });
    const { user } = await failedRun(bot);
    const again = user.click('🔁 Try again');
    const confirmation = await user.waitForMessage(/Check and run/, { after: again });
    expect(confirmation.text).toContain(`Description: ${prompt}\nFormat: 16:9`);
    expect((await storyOf(bot, again)).line('CALLBACK_ACCEPTED')).toMatchObject({
      screen_id: 'RESULT_ERROR',
      button_id: 'RETRY',
      next_screen: 'CONFIRM',
    });
    await storyOf(bot, user.click('🚀 Run'), 'RESULT_DELIVERED');
    expect(pictures(user)).toBe(1);
    expect(bot.kie.tasks()).toMatchObject([{ input: { prompt, aspect_ratio: '16:9' } }]);
    expect(await walletOf(bot)).toEqual(chargedWallet);
    const quotes = await bot.database.query<{ id: string }>(`select quote ->> 'id' as id from tasks`);
    expect(new Set(quotes.map(({ id }) => id)).size).toBe(2);
  });
});

describe.concurrent('an order whose answer is lost', () => {
  test.each(['lose-answer', 'garble-answer'] as const)(
    '(%s) is never given again; the callback settles it',
    async does => {
      await using bot = await startBot(calledBackOnly);
      bot.kie.failNext({ at: 'create', does });
      const { user, run } = await startRun(bot);
      await untilOrdered(bot, run);
      await bot.kie.advance(3);
      const story = await storyOf(bot, run, 'RESULT_DELIVERED');

      expect(story.chain).toEqual([
        ...acceptedRun,
        'TASK_PROGRESS',
        'KIE_CALLBACK',
        ...paidTask,
        'RESULT_DELIVERED',
      ]);
      expect(story.line('TASK_PROGRESS')).toMatchObject({
        operation: 'outcome unknown',
        error_type: 'KIE_UNKNOWN_OUTCOME',
      });
      expect(pictures(user)).toBe(1);
      expect(orders(bot, story.cid)).toBe(1);
      expect(bot.kie.createdCount()).toBe(1);
    },
  );

  test('and whose callback stays away, too, ends in DOWNSTREAM_TIMEOUT', async () => {
    await using bot = await startBot(impatient);
    bot.kie.failNext({ at: 'create', does: 'lose-answer' });
    bot.kie.failNext({ at: 'callback', does: 'never' });
    const { user, story } = await failedRun(bot);

    expect(story.chain).toEqual([...acceptedRun, 'TASK_PROGRESS', ...unpaidTask, 'RESULT_DELIVERED']);
    expectFailure(user, story, 'DOWNSTREAM_TIMEOUT');
    expect(orders(bot, story.cid)).toBe(1);
    expect(bot.kie.createdCount()).toBe(1);
  });

  test('and that was given up is delivered all the same when its callback comes late', async () => {
    await using bot = await startBot(impatient);
    bot.kie.failNext({ at: 'create', does: 'lose-answer' });
    const { user, run } = await failedRun(bot);
    await bot.kie.advance(3);
    const late = await lateStory(bot, run);

    expect(late.chain.slice(-3)).toEqual(['KIE_CALLBACK', 'TASK_LATE_RESULT', 'RESULT_DELIVERED']);
    expect(pictures(user)).toBe(1);
    expect(orders(bot, late.cid)).toBe(1);
  });
});

describe.concurrent('a generation that was accepted', () => {
  test.each<{ fault: KieFault; reason: ReasonCode; detail: string }>([
    { fault: { at: 'outcome', does: 'fail' }, reason: 'DOWNSTREAM_ERROR', detail: '500' },
    {
      fault: { at: 'outcome', does: 'fail', failCode: '501', failMsg: 'Task failed' },
      reason: 'DOWNSTREAM_ERROR',
      detail: '501',
    },
    { fault: { at: 'outcome', does: 'reject-content' }, reason: 'CONTENT_REJECTED', detail: '422' },
    { fault: { at: 'outcome', does: 'give-no-urls' }, reason: 'DOWNSTREAM_ERROR', detail: 'empty_result' },
  ])('and fails ($fault.does) ends in $reason', async ({ fault, reason, detail }) => {
    await using bot = await startBot(calledBackOnly);
    bot.kie.failNext(fault);
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');

    expect(story.chain).toEqual([
      ...acceptedRun,
      'TASK_PROGRESS',
      'KIE_CALLBACK',
      ...unpaidTask,
      'RESULT_DELIVERED',
    ]);
    expectFailure(user, story, reason);
    expect(story.line('TASK_FAILED').reason_detail).toBe(detail);
    expect(await taskRows(bot)).toEqual([{ state: 'failed', reason_code: reason, submit_attempts: 1 }]);
  });

  test.each(['never-finish', 'unknown-state'] as const)(
    'and does not end (%s) ends in DOWNSTREAM_TIMEOUT',
    async does => {
      await using bot = await startBot({ ...impatient, kie: { stepMs: 20 } });
      bot.kie.failNext({ at: 'outcome', does });
      const { user, story } = await failedRun(bot);

      expect(withoutProgress(story)).toEqual([...acceptedRun, ...unpaidTask, 'RESULT_DELIVERED']);
      expectFailure(user, story, 'DOWNSTREAM_TIMEOUT');
      expect(progressOf(bot, story.cid).map(({ operation }) => operation)).toEqual([
        'submitted',
        ...Array.from(progressOf(bot, story.cid).slice(1), () => 'waiting'),
      ]);
    },
  );

  test('and given up is delivered all the same when its result comes late', async () => {
    await using bot = await startBot(impatient);
    const { user, run, story } = await failedRun(bot);
    expectFailure(user, story, 'DOWNSTREAM_TIMEOUT');
    await bot.kie.advance(3);
    const late = await lateStory(bot, run);

    expect(late.chain.slice(-3)).toEqual(['KIE_CALLBACK', 'TASK_LATE_RESULT', 'RESULT_DELIVERED']);
    expect(late.line('TASK_LATE_RESULT')).toMatchObject({ level: 'WARNING', model_id: 'z-image' });
    expect(pictures(user)).toBe(1);
    expect(await taskRows(bot)).toEqual([{ state: 'succeeded', reason_code: null, submit_attempts: 1 }]);
    // The money was back already, so the late picture is free.
    expect(await walletOf(bot)).toEqual(untouchedWallet);
    expect(await deliveryRows(bot)).toEqual([
      { kind: 'failure', reason_code: null, finished: true },
      { kind: 'result', reason_code: null, finished: true },
    ]);
  });

  test('survives look-ups that fail', async () => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'callback', does: 'never' });
    bot.kie.failNext({ at: 'record', does: 'answer', code: 401 });
    const { user, run } = await startRun(bot);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');
    expect(withoutProgress(story)).toEqual([...acceptedRun, ...paidTask, 'RESULT_DELIVERED']);
    expect(progressOf(bot, story.cid)).toContainEqual(
      expect.objectContaining({ operation: 'look again', reason_detail: 'KIE.ai answered 401' }),
    );
    expect(pictures(user)).toBe(1);
  });
});

describe.concurrent('a callback', () => {
  test('that comes before the answer to the order leads to one delivery', async () => {
    await using bot = await startBot(calledBackOnly);
    bot.kie.failNext({ at: 'callback', does: 'early' });
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
    await traceEnded(bot, cid);

    // The answer to the order and the look that the callback asks for are two jobs side by side.
    const chain = bot.chainOf(cid);
    expect(chain.slice(0, acceptedRun.length + 1)).toEqual([...acceptedRun, 'KIE_CALLBACK']);
    expect(chain.filter(name => name !== 'TASK_PROGRESS').slice(acceptedRun.length)).toEqual([
      'KIE_CALLBACK',
      ...paidTask,
      'RESULT_DELIVERED',
    ]);
    expect(pictures(user)).toBe(1);
    expect(orders(bot, cid)).toBe(1);
  });

  test('that comes twice leads to one delivery', async () => {
    await using bot = await startBot(calledBackOnly);
    bot.kie.failNext({ at: 'callback', does: 'twice' });
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    await bot.kie.advance(3);
    const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
    await waitFor('both callbacks to be worked', async () => {
      const worked = await bot.database.query('select 1 from kie_callbacks where finished_at is not null');
      return worked.length === 2 || undefined;
    });
    await traceEnded(bot, cid);

    const count = (name: string): number => bot.chainOf(cid).filter(other => other === name).length;
    expect(count('KIE_CALLBACK')).toBe(2);
    expect(count('TASK_COMPLETED')).toBe(1);
    expect(count('RESULT_DELIVERED')).toBe(1);
    expect(pictures(user)).toBe(1);
    expect(bot.kie.callbacks().map(({ status }) => status)).toEqual([200, 200]);
  });

  test('that is forged is refused with 401 under a cid of its own, and the poll finds the result', async () => {
    await using bot = await startBot();
    bot.kie.failNext({ at: 'callback', does: 'forge' });
    const { user, run } = await startRun(bot);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');
    await bot.kie.callbacksSettled();

    expect(bot.kie.callbacks().map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(withoutProgress(story)).toEqual([...acceptedRun, ...paidTask, 'RESULT_DELIVERED']);
    expect(pictures(user)).toBe(1);
    await bot.app.stop();
    const refusals = bot.lines.filter(({ name }) => name === 'KIE_CALLBACK');
    expect(refusals.reduce((sum, { refused_count }) => sum + Number(refused_count), 0)).toBe(3);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        result: 'rejected',
        reason_code: 'PERMISSION_DENIED',
        reason_detail: 'signature_wrong',
      });
      expect(refusal.cid).not.toBe(story.cid);
    }
    expect(await bot.database.query('select 1 from kie_callbacks')).toEqual([]);
  });

  test('for a path that no task has is answered with 404 and logged under a cid of its own', async () => {
    await using bot = await startBot();
    const url = `${bot.app.url()}/callbacks/kie/${'0'.repeat(32)}`;
    const body = { code: 200, data: { taskId: 'somebody-elses', state: 'success' } };
    expect(await bot.kie.forgeCallback(url, body)).toEqual({ status: 404 });
    expect(await bot.waitForLine(({ name }) => name === 'KIE_CALLBACK')).toMatchObject({
      result: 'rejected',
      reason_code: 'UNKNOWN_ACTION',
    });
  });

  test('that names another task than its path is refused although it is signed', async () => {
    await using bot = await startBot(calledBackOnly);
    const { run } = await startRun(bot);
    await untilOrdered(bot, run);
    const url = String(bot.kie.tasks()[0]?.callBackUrl);
    const answer = await bot.kie.forgeCallback(
      url,
      { code: 200, data: { taskId: 'another', state: 'success' } },
      bot.kie.signatureHeaders('another'),
    );
    expect(answer).toEqual({ status: 401 });
    expect(await bot.database.query('select 1 from kie_callbacks')).toEqual([]);
  });
});

describe.concurrent('a result', () => {
  test('whose file cannot be had is reported to the user once, with the cid', async () => {
    await using bot = await startBot(calledBackOnly);
    bot.kie.failNext({ at: 'file', does: 'miss' });
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');

    expect(story.chain).toEqual([
      ...acceptedRun,
      'TASK_PROGRESS',
      'KIE_CALLBACK',
      ...paidTask,
      ...Array.from({ length: quickTimings.deliveryAttempts }, () => 'DELIVERY_FAILED'),
      'RESULT_DELIVERED',
    ]);
    expect(bot.linesOf(story.cid).filter(({ name }) => name === 'DELIVERY_FAILED')).toEqual(
      Array.from({ length: quickTimings.deliveryAttempts }, () =>
        expect.objectContaining({
          operation: 'result',
          reason_code: 'DOWNSTREAM_ERROR',
          error_type: 'DOWNLOAD_FAILED',
        }),
      ),
    );
    expectFailureNotice(user, story, 'DOWNSTREAM_ERROR', true);
    expect(await walletOf(bot)).toEqual(chargedWallet);
    expect(pictures(user)).toBe(0);
    expect(await taskRows(bot)).toEqual([
      { state: 'succeeded', reason_code: 'DOWNSTREAM_ERROR', submit_attempts: 1 },
    ]);
    expect(await deliveryRows(bot)).toEqual([
      { kind: 'result', reason_code: 'DOWNSTREAM_ERROR', finished: true },
      { kind: 'failure', reason_code: null, finished: true },
    ]);
  });

  test('for a user who has blocked the bot is given up without a second try', async () => {
    await using bot = await startBot(calledBackOnly);
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    await storyOf(bot, user.block());
    await bot.kie.advance(3);
    const { cid } = await storyOf(bot, run, 'DELIVERY_FAILED');
    await traceEnded(bot, cid);

    expect(bot.linesOf(cid).filter(({ name }) => name === 'DELIVERY_FAILED')).toMatchObject([
      { operation: 'result', reason_code: 'DOWNSTREAM_ERROR', error_type: 'telegram_403' },
    ]);
    expect(await deliveryRows(bot)).toEqual([
      { kind: 'result', reason_code: 'DOWNSTREAM_ERROR', finished: true },
    ]);
    expect(await bot.database.query('select blocked_at is not null as blocked from users')).toEqual([
      { blocked: true },
    ]);
  });

  test('leaves alone what the user has opened in the meantime', async () => {
    await using bot = await startBot(calledBackOnly);
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    const menu = user.click('🏠 Menu');
    await user.waitForMessage(/What shall we create/, { after: menu });
    await storyOf(bot, menu);
    await bot.kie.advance(3);
    const { cid } = await storyOf(bot, run, 'RESULT_DELIVERED');
    await traceEnded(bot, cid);

    expect(pictures(user)).toBe(1);
    expect(user.messages().at(-2)?.text).toContain('What shall we create');
    const tap = user.click('🎨 Pictures', { messageId: user.messages().at(-2)?.messageId ?? 0 });
    expect((await storyOf(bot, tap)).line('DISPATCH_OK')).toMatchObject({ reason_code: 'SUCCESS' });
  });

  test('that fails leaves alone what the user has opened in the meantime, and is shown below', async () => {
    await using bot = await startBot(calledBackOnly);
    bot.kie.failNext({ at: 'outcome', does: 'fail' });
    const { user, run } = await startRun(bot);
    await untilOrdered(bot, run);
    const menu = user.click('🏠 Menu');
    await user.waitForMessage(/What shall we create/, { after: menu });
    await storyOf(bot, menu);
    await bot.kie.advance(3);
    const story = await storyOf(bot, run, 'RESULT_DELIVERED');

    expectFailure(user, story, 'DOWNSTREAM_ERROR');
    expect(user.messages().at(-2)?.text).toContain('What shall we create');
  });
});

async function startRun(bot: BotUnderTest): Promise<{ user: SandboxUser; run: CallbackClick }> {
  const user = bot.user();
  await walkToConfirm(user);
  return { user, run: user.click('🚀 Run') };
}

/** A run up to the notice of its failure. */
async function failedRun(bot: BotUnderTest) {
  const { user, run } = await startRun(bot);
  const story = await storyOf(bot, run, 'RESULT_DELIVERED');
  await traceEnded(bot, story.cid);
  return { user, run, story };
}

/** Resolves when the order has been given and what is known of it is stored. */
async function untilOrdered(bot: BotUnderTest, run: CallbackClick): Promise<void> {
  const cid = await bot.cidOf(run.updateId);
  await bot.waitForLine(
    line => line.cid === cid && line.name === 'TASK_PROGRESS' && line.operation !== 'submit again',
  );
}

/** The story up to the delivery that follows the notice of the failure. */
async function lateStory(bot: BotUnderTest, run: CallbackClick): Promise<Story> {
  const cid = await bot.cidOf(run.updateId);
  await bot.waitForLine(
    line => line.cid === cid && line.name === 'RESULT_DELIVERED' && line.operation === 'result',
  );
  return storyOf(bot, run);
}

function expectFailure(user: SandboxUser, story: Story, reason: ReasonCode): void {
  expect(story.line('TASK_FAILED')).toMatchObject({
    level: 'ERROR',
    reason_code: reason,
    model_id: 'z-image',
    duration_ms: expect.any(Number),
  });
  expectFailureNotice(user, story, reason);
}

/** One message gives the reason in the user's words, where the money is, and the cid; its buttons lead on. */
function expectFailureNotice(user: SandboxUser, story: Story, reason: ReasonCode, hasResult = false): void {
  const notices = user.messages().filter(({ text }) => text.includes(story.cid));
  const words = hasResult
    ? 'The result is ready, but it could not be sent.\nIt is paid for and saved: press “Send it again”.'
    : `${reasons[reason].text.en}\nYour money is back on your balance.`;
  expect(notices.map(({ text }) => text)).toEqual([`⚠️ Z-Image\n\n${words}\nReference: ${story.cid}`]);
  expect(notices[0]?.keyboard.flat().map(({ text }) => text)).toEqual([
    hasResult ? '📨 Send it again' : '🔁 Try again',
    '🏠 Menu',
    '💰 Balance',
    '❓ Help',
    '🆘 Report a problem',
  ]);
  expect(story.line('RESULT_DELIVERED')).toMatchObject({
    operation: 'failure',
    message_id: notices[0]?.messageId,
  });
}

/** How often createTask was called. */
function orders(bot: BotUnderTest, cid: string): number {
  return bot.spansOf(cid).filter(({ name }) => name === 'kie createTask').length;
}

const pictures = (user: SandboxUser): number => user.messages().filter(({ kind }) => kind === 'photo').length;

const withoutProgress = (story: Story): string[] => story.chain.filter(name => name !== 'TASK_PROGRESS');

const progressOf = (bot: BotUnderTest, cid: string) =>
  bot.linesOf(cid).filter(({ name }) => name === 'TASK_PROGRESS');

/** In kopecks; the welcome credit, and what one picture leaves of it. */
const untouchedWallet = [{ available: 100_000, held: 0 }];
const chargedWallet = [{ available: 99_920, held: 0 }];
const walletOf = (bot: BotUnderTest) => bot.database.query('select available::int, held::int from wallets');

const taskRows = (bot: BotUnderTest) =>
  bot.database.query('select state, reason_code, submit_attempts from tasks');

const deliveryRows = (bot: BotUnderTest) =>
  bot.database.query(
    'select kind, reason_code, finished_at is not null as finished from deliveries order by id',
  );
