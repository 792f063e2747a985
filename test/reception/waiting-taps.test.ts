import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPseudonyms } from '../../src/otel/pseudonyms.ts';
import { createTapToast } from '../../src/reception/tap-toast.ts';
import { createWaitingTaps } from '../../src/reception/waiting-taps.ts';
import { Secret } from '../../src/secret.ts';
import { createBackground } from '../../src/telegram/background.ts';
import { type IncomingUpdate, readIncoming } from '../../src/telegram/incoming.ts';
import { createTexts } from '../../src/ui/texts.ts';
import { recordTelemetry } from '../support/telemetry.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const texts = createTexts();

function tapOf(updateId: number): IncomingUpdate {
  const from = { id: 1_000 + updateId, language_code: 'ru' };
  const update = readIncoming({
    update_id: updateId,
    callback_query: { id: `tap-${updateId}`, from, data: 'v1:menu' },
  });
  return update ?? expect.fail('it is no update');
}

function openTaps(waitingUpdates: (updateIds: readonly number[]) => Promise<ReadonlySet<number>>) {
  const answered: [string, string | undefined][] = [];
  const asked: (readonly number[])[] = [];
  const { telemetry } = recordTelemetry();
  const background = createBackground({ capacity: 100, stopLimitMs: 1_000, telemetry });
  const toast = createTapToast({
    api: {
      async answerCallbackQuery(id, other) {
        answered.push([id, other?.text]);
        return true;
      },
    },
    texts,
    telemetry,
    pseudonyms: createPseudonyms(new Secret('a secret of a test')),
    background,
  });
  const taps = createWaitingTaps({
    waitingUpdates: {
      among(updateIds) {
        asked.push(updateIds);
        return waitingUpdates(updateIds);
      },
    },
    toast,
    telemetry,
    background,
  });
  return { taps, answered, asked };
}

test('of taps that are picked here nothing is asked, and no timer stays behind', async () => {
  const { taps, answered, asked } = openTaps(async updateIds => new Set(updateIds));
  for (let updateId = 1; updateId <= 50; updateId += 1) {
    taps.watch(tapOf(updateId), Date.now());
    taps.picked(updateId);
    expect(vi.getTimerCount()).toBe(1);
  }
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toEqual([]);
  expect(answered).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('taps that wait are looked for together, and those that nobody has picked are answered', async () => {
  const { taps, answered, asked } = openTaps(async () => new Set([1, 3]));
  for (const updateId of [1, 2, 3]) taps.watch(tapOf(updateId), Date.now());
  await vi.advanceTimersByTimeAsync(2_999);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toEqual([[1, 2, 3]]);
  const text = texts.for('ru')('tap-waiting');
  expect(answered).toEqual([
    ['tap-1', text],
    ['tap-3', text],
  ]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('a tap that has waited longer than those before it is looked for in its own time', async () => {
  const { taps, asked } = openTaps(async updateIds => new Set(updateIds));
  taps.watch(tapOf(1), Date.now());
  taps.watch(tapOf(2), Date.now() - 2_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toEqual([[2]]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked).toEqual([[2], [1]]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a steady stream of waiting taps costs at most four looks a second', async () => {
  const { taps, answered, asked } = openTaps(async updateIds => new Set(updateIds));
  for (let updateId = 1; updateId <= 200; updateId += 1) {
    taps.watch(tapOf(updateId), Date.now());
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(4_000);
  expect(answered).toHaveLength(200);
  // The taps came within 2 s.
  expect(asked.length).toBeLessThanOrEqual(10);
});

test('when the database does not answer, the spinner is ended all the same', async () => {
  const { taps, answered } = openTaps(async () => {
    throw new Error('the database is gone');
  });
  taps.watch(tapOf(1), Date.now());
  await vi.advanceTimersByTimeAsync(3_000);
  expect(answered).toHaveLength(1);
});

test('after a stop nothing is answered any more', async () => {
  const { taps, answered, asked } = openTaps(async updateIds => new Set(updateIds));
  taps.watch(tapOf(1), Date.now());
  taps.stop();
  taps.watch(tapOf(2), Date.now());
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([asked, answered]).toEqual([[], []]);
});
