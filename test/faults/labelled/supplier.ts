// Faults of KIE.ai: orders that are refused, generations that fail or do not end, callbacks that are not of KIE.ai.
import type { KieFault } from '../../../sandbox/kie/index.ts';
import type { Cause } from '../../../src/diagnosis/causes.ts';
import { type BotUnderTest, quickTimings } from '../../support/bot.ts';
import { cidAfter, cidAtEnd, type Group, runOf, type Scenario, userAtMenu } from './scenario.ts';

/** Limits that are reached within a test. */
const impatient = { ...quickTimings, submitWindowMs: 400, unknownOutcomeLimitMs: 300, waitLimitMs: 600 };

export const supplierFaults: Group = {
  name: 'KIE.ai',
  options: { overrides: { timings: impatient } },
  scenarios: [
    refusedOrder(401, 'kie_key_refused'),
    refusedOrder(402, 'kie_credits_empty'),
    refusedOrder(422, 'kie_parameters_refused'),
    refusedOrder(429, 'kie_rate_limit', quickTimings.submitAttempts),
    refusedOrder(433, 'kie_key_cap'),
    refusedOrder(451, 'kie_file_unreachable'),
    refusedOrder(455, 'kie_maintenance', quickTimings.submitAttempts),
    refusedOrder(500, 'kie_server_error'),
    refusedOrder(501, 'kie_generation_failed'),
    refusedOrder(400, 'kie_refused'),
    failure('an order whose answer and callback are lost', 'submission_unknown', {
      fault: { at: 'create', does: 'lose-answer' },
      also: { at: 'callback', does: 'never' },
    }),
    failure('a generation that fails', 'kie_generation_failed', {
      fault: { at: 'outcome', does: 'fail', failCode: '501', failMsg: 'Task failed' },
    }),
    failure('a generation that KIE.ai fails by itself', 'kie_server_error', {
      fault: { at: 'outcome', does: 'fail' },
    }),
    failure('a content that the model refuses', 'content_rejected', {
      fault: { at: 'outcome', does: 'reject-content' },
    }),
    failure('a generation without files', 'kie_empty_result', {
      fault: { at: 'outcome', does: 'give-no-urls' },
    }),
    failure('a generation that never ends', 'vendor_timeout', {
      fault: { at: 'outcome', does: 'never-finish' },
    }),
    {
      name: 'a callback that is forged',
      cause: 'callback_forged',
      async provoke(bot) {
        bot.kie.failNext({ at: 'callback', does: 'forge' });
        const { run } = await runOf(bot);
        await cidAtEnd(bot, run, 'RESULT_DELIVERED');
        return refusedCallback(bot, 'signature_wrong');
      },
    },
    {
      name: 'a callback for a task that nobody has',
      cause: 'callback_unknown_task',
      async provoke(bot) {
        const url = `${bot.app.url()}/callbacks/kie/${'0'.repeat(32)}`;
        await bot.kie.forgeCallback(url, { code: 200, data: { taskId: 'x', state: 'success' } });
        return refusedCallback(bot, 'no task has this path');
      },
    },
    {
      name: 'a callback that names no task',
      cause: 'callback_unreadable',
      async provoke(bot) {
        await bot.kie.forgeCallback(String(bot.kie.tasks().at(-1)?.callBackUrl), { nothing: true });
        return refusedCallback(bot, 'the body names no task');
      },
    },
    {
      name: 'a result that comes in time',
      cause: 'delivered',
      provoke: async bot => cidAtEnd(bot, (await runOf(bot)).run, 'RESULT_DELIVERED'),
    },
    {
      name: 'a result whose file is gone',
      cause: 'delivery_file_missing',
      async provoke(bot) {
        bot.kie.failNext({ at: 'file', does: 'miss' });
        return cidAtEnd(bot, (await runOf(bot)).run, 'RESULT_DELIVERED');
      },
    },
    // The last two of this bot: they take the model off its menus.
    refusedOrder(505, 'kie_switched_off'),
    {
      name: 'a model that was switched off',
      cause: 'model_disabled',
      async provoke(bot) {
        const user = await userAtMenu(bot);
        await user.waitForMessage(/Choose a model/, { after: user.click('🎨 Pictures') });
        return cidAtEnd(bot, user.rawCallback('v1:mod:zimage'));
      },
    },
  ],
};

const manual = { ...quickTimings, poll: [{ untilMs: Number.POSITIVE_INFINITY, everyMs: 60_000 }] };

export const deliveryFaults: Group = {
  name: 'KIE.ai in steps, and deliveries',
  options: {
    kie: { stepMs: 'manual' },
    overrides: { timings: { ...manual, unknownOutcomeLimitMs: 60_000, waitLimitMs: 60_000 } },
  },
  scenarios: [
    {
      name: 'a generation that runs',
      cause: 'generation_running',
      async provoke(bot) {
        const { run } = await runOf(bot);
        return cidAfter(bot, run, 'TASK_PROGRESS');
      },
    },
    {
      name: 'an order whose answer was lost a moment ago',
      cause: 'awaiting_callback',
      async provoke(bot) {
        bot.kie.failNext({ at: 'create', does: 'lose-answer' });
        const { run } = await runOf(bot);
        return cidAfter(bot, run, 'TASK_PROGRESS');
      },
    },
    {
      name: 'a result for a user who has blocked the bot',
      cause: 'delivery_user_blocked',
      async provoke(bot) {
        const { user, run } = await runOf(bot);
        await cidAfter(bot, run, 'TASK_PROGRESS');
        await cidAtEnd(bot, user.block());
        await bot.kie.advance(3);
        return cidAtEnd(bot, run, 'DELIVERY_FAILED');
      },
    },
    {
      name: 'a result that Telegram takes in no form',
      cause: 'delivery_telegram_refused',
      async provoke(bot) {
        const { user, run } = await runOf(bot);
        await cidAfter(bot, run, 'TASK_PROGRESS');
        const refused = {
          kind: 'error',
          code: 400,
          description: 'Bad Request: wrong file',
          chatId: user.chatId,
        } as const;
        bot.telegram.failNext({ ...refused, method: 'sendPhoto', times: 2 });
        for (const method of ['sendDocument', 'sendMessage']) bot.telegram.failNext({ ...refused, method });
        await bot.kie.advance(3);
        return cidAtEnd(bot, run, 'DELIVERY_FAILED');
      },
    },
    {
      name: 'a result that Telegram fails to take three times',
      cause: 'delivery_telegram_failed',
      async provoke(bot) {
        const { user, run } = await runOf(bot);
        await cidAfter(bot, run, 'TASK_PROGRESS');
        const failing = {
          kind: 'error',
          code: 502,
          description: 'Bad Gateway',
          chatId: user.chatId,
        } as const;
        bot.telegram.failNext({ ...failing, method: 'sendPhoto', times: quickTimings.deliveryAttempts });
        await bot.kie.advance(3);
        return cidAtEnd(bot, run, 'RESULT_DELIVERED');
      },
    },
    {
      name: 'a result that Telegram puts off',
      cause: 'delivery_postponed',
      async provoke(bot) {
        const { user, run } = await runOf(bot);
        await cidAfter(bot, run, 'TASK_PROGRESS');
        const later = {
          kind: 'error',
          code: 429,
          description: 'Too Many Requests',
          chatId: user.chatId,
        } as const;
        bot.telegram.failNext({ ...later, method: 'sendPhoto', retryAfter: 600 });
        await bot.kie.advance(3);
        return cidAtEnd(bot, run, 'DELIVERY_FAILED');
      },
    },
  ],
};

export const lateFaults: Group = {
  name: 'KIE.ai too late',
  options: { kie: { stepMs: 'manual' }, overrides: { timings: impatient } },
  scenarios: [
    {
      name: 'a result that comes after it was given up',
      cause: 'late_result',
      async provoke(bot) {
        const { run } = await runOf(bot);
        const cid = await cidAtEnd(bot, run, 'RESULT_DELIVERED');
        await bot.kie.advance(3);
        await bot.waitForLine(line => line.cid === cid && line.operation === 'result');
        return cidAtEnd(bot, run);
      },
    },
  ],
};

/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:1';

export const unreachableFaults: Group = {
  name: 'KIE.ai out of reach',
  options: { environment: { KIE_API_URL: nowhere }, overrides: { timings: impatient } },
  scenarios: [
    {
      name: 'an order that never reaches KIE.ai',
      cause: 'kie_unreachable',
      provoke: async bot => cidAtEnd(bot, (await runOf(bot)).run, 'RESULT_DELIVERED'),
    },
  ],
};

export const freeFaults: Group = {
  name: 'a free model',
  options: { prices: { 'z-image': 0 } },
  scenarios: [
    {
      name: 'a result that costs nothing',
      cause: 'delivered_free',
      provoke: async bot => cidAtEnd(bot, (await runOf(bot)).run, 'RESULT_DELIVERED'),
    },
  ],
};

function refusedOrder(code: number, cause: Cause, times = 1): Scenario {
  return failure(`an order that KIE.ai answers with ${code}`, cause, {
    fault: { at: 'create', does: 'answer', code },
    times,
  });
}

interface Failure {
  readonly fault: KieFault;
  readonly times?: number;
  readonly also?: KieFault;
}

/** A run up to the notice of its failure. */
function failure(name: string, cause: Cause, { fault, times = 1, also }: Failure): Scenario {
  return {
    name,
    cause,
    async provoke(bot) {
      bot.kie.failNext(fault, times);
      if (also) bot.kie.failNext(also);
      return cidAtEnd(bot, (await runOf(bot)).run, 'RESULT_DELIVERED');
    },
  };
}

async function refusedCallback(bot: BotUnderTest, detail: string): Promise<string> {
  const line = await bot.waitForLine(
    ({ name, result, reason_detail }) =>
      name === 'KIE_CALLBACK' && result === 'rejected' && reason_detail === detail,
  );
  return line.cid;
}
