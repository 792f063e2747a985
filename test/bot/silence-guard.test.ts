// The silence guard around a frame or a plugin that fails it in one way each; only the clock is held in hand.
import { Api, type Middleware } from 'grammy';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBot } from '../../src/bot/bot.ts';
import type { BotContext } from '../../src/bot/bot-context.ts';
import type { Frame } from '../../src/bot/frame.ts';
import type { TurnConclusion } from '../../src/bot/turn-conclusion.ts';
import { createPseudonyms } from '../../src/otel/pseudonyms.ts';
import { Secret } from '../../src/secret.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { recordTelemetry } from '../support/telemetry.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const from = { id: 1_001, is_bot: false, first_name: 'A', language_code: 'en' };
const chat = { id: from.id, type: 'private' };
const concluded = { result: 'accepted', reason: 'SUCCESS' } as const;

interface Call {
  readonly method: string;
  readonly text: string;
}

interface Circumstances {
  readonly silenceGuard?: boolean;
  readonly plugins?: readonly Middleware<BotContext>[];
}

/** A bot whose frame does `work` with every tap and text. */
function openBot(
  work: (context: BotContext) => Promise<TurnConclusion>,
  { silenceGuard = true, plugins = [] }: Circumstances = {},
) {
  const calls: Call[] = [];
  const { telemetry, lines } = recordTelemetry({ checked: true });
  const api = new Api('1:token');
  api.config.use(async (_previous, method, payload) => {
    calls.push({ method, text: 'text' in payload ? String(payload.text) : '' });
    // SAFETY: nobody here reads what a call gives.
    return { ok: true, result: true } as never;
  });
  const never: Frame['command'] = async () => expect.fail('nobody sends this');
  const handler = createBot({
    api,
    me: {} as never,
    frame: {
      callback: work,
      text: work,
      command: never,
      forward: never as never,
      file: never as never,
      message: never as never,
    },
    deadlineMs: 60_000,
    catalogue: { byKey: () => undefined },
    texts: createTexts(),
    telemetry,
    pseudonyms: createPseudonyms(new Secret('a secret of a test')),
    silenceGuard,
    adminIds: [],
    plugins,
  });
  const handle = (eventType: 'callback_query' | 'text_input', waitedMs: number) => {
    const message = { message_id: 5, date: 1, chat, from, text: 'words' };
    const subject =
      eventType === 'text_input' ? { message } : { callback_query: { id: 'tap', from, message, data: 'x' } };
    const opened = handler.open({
      id: 1,
      updateId: 1,
      lane: chat.id,
      eventType,
      body: { update_id: 1, ...subject },
      traceparent: '',
      receivedAt: new Date(Date.now() - waitedMs),
      attempt: 1,
      user: undefined,
      session: undefined,
      message: undefined,
    });
    return telemetry.inSpan('dispatch update', {}, async () => ({
      cid: telemetry.cid(),
      ...(await opened.handle()),
    }));
  };
  return {
    tap: (waitedMs = 0) => handle('callback_query', waitedMs),
    text: () => handle('text_input', 0),
    calls,
    warnings: () => lines.filter(({ name }) => name === 'SILENCE_GUARD_WARNING'),
  };
}

/** Work that ends when the test says so. */
function hanging(): {
  readonly work: (context: BotContext) => Promise<TurnConclusion>;
  readonly end: () => void;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    end: resolve,
    async work() {
      await promise;
      return concluded;
    },
  };
}

test('an update that a plugin keeps for itself ends in a fault, and its user gets the cid', async () => {
  const bot = openBot(async () => concluded, { plugins: [async () => undefined] });
  for (const [sent, methods] of [
    [bot.tap(), ['answerCallbackQuery', 'sendMessage']],
    [bot.text(), ['sendMessage']],
  ] as const) {
    const { cid, ...conclusion } = await sent;
    expect(conclusion).toMatchObject({ result: 'failed', reason: 'INTERNAL_ERROR' });
    for (const method of methods)
      expect(bot.calls).toContainEqual({ method, text: expect.stringContaining(cid) });
    expect(bot.warnings()).toContainEqual(
      expect.objectContaining({ cid, reason_detail: expect.stringContaining('without a conclusion') }),
    );
  }
  expect(bot.calls).toHaveLength(3);
});

test('a tap whose handler hangs is answered 5 s after its receipt, with a cid, and goes on', async () => {
  const { work, end } = hanging();
  const bot = openBot(work);
  const tap = bot.tap();
  await vi.advanceTimersByTimeAsync(4_999);
  expect(bot.calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(bot.calls).toEqual([
    { method: 'answerCallbackQuery', text: expect.stringMatching(/longer than usual.* [0-9a-f]{8}$/) },
  ]);
  expect(bot.warnings()).toMatchObject([{ latency_ms: 5_000, level: 'WARNING' }]);
  end();
  expect(await tap).toMatchObject(concluded);
  expect(bot.calls).toHaveLength(1);
});

test.each([
  ['2 s is answered 3 s after its pick', 2_000, 3_000],
  ['4 s, and was answered that it waits, is answered 5 s after its pick', 4_000, 5_000],
  ['no time, by the clock of another machine, is answered 5 s after its pick', -4_000, 5_000],
])('a tap that had waited %s', async (_case, waitedMs, dueMs) => {
  const { work, end } = hanging();
  const bot = openBot(work);
  const tap = bot.tap(waitedMs);
  await vi.advanceTimersByTimeAsync(dueMs - 1);
  expect(bot.calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(bot.calls).toHaveLength(1);
  end();
  await tap;
});

test('a tap that ends in time is left alone, also later', async () => {
  const bot = openBot(async () => concluded);
  await bot.tap();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(bot.calls).toEqual([]);
  expect(bot.warnings()).toEqual([]);
});

test('a tap whose answer is under way gets no other one', async () => {
  const { work, end } = hanging();
  const bot = openBot(async context => {
    await context.tapAnswer?.give({ text: 'here it is' });
    return work(context);
  });
  const tap = bot.tap();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(bot.calls).toEqual([{ method: 'answerCallbackQuery', text: 'here it is' }]);
  end();
  await tap;
});

test('a message that takes long is nobody’s spinner', async () => {
  const { work, end } = hanging();
  const bot = openBot(work);
  const sent = bot.text();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(bot.calls).toEqual([]);
  end();
  await sent;
});

test('a message whose turn says nothing is answered with just that and the cid, and keeps its conclusion', async () => {
  const bot = openBot(async () => ({ result: 'noop', reason: 'NOOP', isSilent: true }));
  const { cid, result } = await bot.text();
  expect(result).toBe('noop');
  expect(bot.calls).toEqual([{ method: 'sendMessage', text: `Nothing to do (${cid})` }]);
  expect(bot.warnings()).toMatchObject([
    { cid, reason_detail: expect.stringMatching(/says nothing.*told so/) },
  ]);
});

test('with the guard switched off nothing is watched, answered or warned of', async () => {
  const { work, end } = hanging();
  const hangs = openBot(work, { silenceGuard: false });
  const tap = hangs.tap();
  expect(vi.getTimerCount()).toBe(0);
  end();
  await tap;
  const silent = openBot(async () => ({ ...concluded, isSilent: true }), { silenceGuard: false });
  expect(await silent.text()).toMatchObject(concluded);
  for (const bot of [hangs, silent]) expect([bot.calls, bot.warnings()]).toEqual([[], []]);
});

test('plugins of grammY are used around the turn, in their order', async () => {
  const seen: string[] = [];
  const plugin =
    (name: string): Middleware<BotContext> =>
    async (context, next) => {
      seen.push(`${name} before ${context.from?.id}`);
      await next();
      seen.push(`${name} after`);
    };
  const bot = openBot(
    async () => {
      seen.push('the turn');
      return concluded;
    },
    { plugins: [plugin('first'), plugin('second')] },
  );
  expect(await bot.text()).toMatchObject(concluded);
  expect(seen).toEqual([
    `first before ${from.id}`,
    `second before ${from.id}`,
    'the turn',
    'second after',
    'first after',
  ]);
});

test('a tap has one answer, whoever gives it: what comes after one that was taken is not sent', async () => {
  const bot = openBot(async context => {
    await context.tapAnswer?.give({ text: 'here it is' });
    throw new Error('a defect behind the answer');
  });
  expect(await bot.tap()).toMatchObject({ result: 'failed', reason: 'INTERNAL_ERROR' });
  expect(bot.calls.map(({ method }) => method)).toEqual(['answerCallbackQuery', 'sendMessage']);
});
