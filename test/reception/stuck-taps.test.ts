// Which taps are answered while an instance is late, against a real database; only the interval is held in hand.
import { GrammyError } from 'grammy';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPseudonyms } from '../../src/otel/pseudonyms.ts';
import { startStuckTaps } from '../../src/reception/stuck-taps.ts';
import { createTapToast } from '../../src/reception/tap-toast.ts';
import { Secret } from '../../src/secret.ts';
import { createDatabase } from '../../src/storage/database.ts';
import { createWaitingUpdates } from '../../src/storage/waiting-updates.ts';
import { createBackground } from '../../src/telegram/background.ts';
import { readIncoming } from '../../src/telegram/incoming.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { recordTelemetry } from '../support/telemetry.ts';

const botId = 42;
const stuck = { ageMs: 9_000 };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const tooOld = { ok: false, error_code: 400, description: 'Bad Request: query is too old' } as const;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

test('taps that do not end are answered, whoever stored or picked them, and nothing else is', async () => {
  await using harness = await openStuckTaps();
  await harness.store([1], stuck);
  await harness.store([2], { ...stuck, pickedBy: 'trt-frozen' });
  await harness.store([3], { ageMs: 59_000 });
  await harness.store([4], { ageMs: 7_000 });
  await harness.store([5], { ageMs: 61_000 });
  await harness.store([6], { ...stuck, outcome: 'accepted' });
  await harness.store([7], { ...stuck, eventType: 'text_input' });
  await harness.store([8], { ...stuck, botId: botId + 1 });
  await harness.look();
  expect(harness.answered).toEqual(['tap-1', 'tap-2', 'tap-3']);
});

test('each is answered once, also when Telegram refused it or it was answered for waiting', async () => {
  await using harness = await openStuckTaps({ refuse: 'tap-2' });
  await harness.store([1, 2, 3], stuck);
  harness.answerAsWaiting(1);
  await harness.look();
  await harness.store([4], stuck);
  await harness.look();
  expect(harness.answered).toEqual(['tap-1', 'tap-2', 'tap-3', 'tap-4']);
});

test('a look brings a bounded number, and the next one those that are left', async () => {
  await using harness = await openStuckTaps();
  await harness.store(
    Array.from({ length: 1_100 }, (_, index) => index + 1),
    stuck,
  );
  await harness.look();
  expect(harness.answered).toHaveLength(1_000);
  await harness.look();
  expect(new Set(harness.answered).size).toBe(1_100);
  expect(harness.answered).toHaveLength(1_100);
});

test('while nobody is late, and after a stop, nothing is asked', async () => {
  await using harness = await openStuckTaps({ isHolderLate: () => false });
  await harness.store([1], stuck);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(harness.looks()).toBe(0);

  await using late = await openStuckTaps();
  late.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(late.looks()).toBe(0);
});

interface Row {
  readonly ageMs: number;
  readonly pickedBy?: string;
  readonly outcome?: string;
  readonly eventType?: string;
  readonly botId?: number;
}

interface Options {
  readonly isHolderLate?: () => boolean;
  /** The callback query that Telegram takes no answer for. */
  readonly refuse?: string;
}

async function openStuckTaps({ isHolderLate = () => true, refuse }: Options = {}) {
  const testDatabase = await createTestDatabase();
  const { telemetry } = recordTelemetry();
  const database = createDatabase({
    url: new Secret(testDatabase.url),
    instanceId: 'trt-test',
    poolSize: 1,
    telemetry,
  });
  const background = createBackground({ capacity: 5_000, stopLimitMs: 1_000, telemetry });
  const answered: string[] = [];
  const toast = createTapToast({
    api: {
      async answerCallbackQuery(id) {
        answered.push(id);
        if (id === refuse) throw new GrammyError('refused', tooOld, 'answerCallbackQuery', {});
        return true;
      },
    },
    texts: createTexts(),
    telemetry,
    pseudonyms: createPseudonyms(new Secret('a secret of a test')),
    background,
  });
  const waitingUpdates = createWaitingUpdates(database, botId);
  let looks = 0;
  const stuckTaps = startStuckTaps({
    state: { isHolderLate },
    waitingUpdates: {
      tapsInWaiting(wanted) {
        looks += 1;
        return waitingUpdates.tapsInWaiting(wanted);
      },
    },
    toast,
    background,
  });

  async function store(updateIds: readonly number[], row: Row): Promise<void> {
    await testDatabase.query(
      `insert into updates (bot_id, update_id, lane, event_type, traceparent, body, received_at, picked_by, outcome,
         reason_code, finished_at)
       select $1::bigint, update_id, 1, $2, '${traceparent}',
         json_build_object('update_id', update_id, 'callback_query', json_build_object('id', 'tap-' || update_id)),
         now() - $3 * interval '1 millisecond', $4, $5::text, $5, case when $5::text is not null then now() end
       from unnest($6::bigint[]) as update_id`,
      [
        row.botId ?? botId,
        row.eventType ?? 'callback_query',
        row.ageMs,
        row.pickedBy ?? null,
        row.outcome ?? null,
        updateIds,
      ],
    );
  }

  return {
    answered,
    looks: () => looks,
    store,
    stop: () => stuckTaps.stop(),
    /** Answered here before, because nobody had picked it. */
    answerAsWaiting(updateId: number): void {
      const update = readIncoming({ update_id: updateId, callback_query: { id: `tap-${updateId}` } });
      toast.give(
        { update: update ?? expect.fail('it is no update'), receivedAt: Date.now(), traceparent },
        'it waits',
      );
    },
    /** One more look, with all the answers it leads to. */
    async look(): Promise<void> {
      const before = looks;
      await waitFor('a look', () => {
        if (looks === before) vi.advanceTimersToNextTimer();
        return looks > before || undefined;
      });
      await background.stop();
    },
    async [Symbol.asyncDispose]() {
      stuckTaps.stop();
      await database.stop();
      await testDatabase.drop();
    },
  };
}
