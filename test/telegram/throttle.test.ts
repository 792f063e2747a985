import { expect, test } from 'vitest';
import { createThrottle } from '../../src/telegram/throttle.ts';

function atHand(options: { intervalMs: number; capacity: number }) {
  let time = 0;
  const throttle = createThrottle({ ...options, now: () => time });
  return {
    admits: (key: number) => throttle.admits(key),
    forget: (key: number, inMs?: number) => throttle.forget(key, inMs),
    passes(ms: number) {
      time += ms;
    },
  };
}

test('a key is admitted once per interval, counted from its admission', () => {
  const throttle = atHand({ intervalMs: 60_000, capacity: 10 });
  expect(throttle.admits(1)).toBe(true);
  throttle.passes(59_999);
  expect(throttle.admits(1)).toBe(false);
  throttle.passes(1);
  expect(throttle.admits(1)).toBe(true);
  expect(throttle.admits(1)).toBe(false);
});

test('a key is admitted again at once when it did not happen after all', () => {
  const throttle = atHand({ intervalMs: 60_000, capacity: 10 });
  expect([throttle.admits(1), throttle.admits(2)]).toEqual([true, true]);
  throttle.forget(1);
  expect([throttle.admits(1), throttle.admits(2)]).toEqual([true, false]);
});

test.each([20_000, 90_000])('or %s ms later', waitMs => {
  const throttle = atHand({ intervalMs: 60_000, capacity: 10 });
  throttle.admits(1);
  throttle.forget(1, waitMs);
  throttle.passes(waitMs - 1);
  expect(throttle.admits(1)).toBe(false);
  throttle.passes(1);
  expect(throttle.admits(1)).toBe(true);
});

test('keys do not share their turn', () => {
  const throttle = atHand({ intervalMs: 60_000, capacity: 10 });
  expect([1, 2, 1, 2].map(key => throttle.admits(key))).toEqual([true, true, false, false]);
});

test('no more keys than the capacity are remembered, and the oldest is the one that is forgotten', () => {
  const throttle = atHand({ intervalMs: 60_000, capacity: 3 });
  expect([1, 2, 3, 4].map(key => throttle.admits(key))).toEqual([true, true, true, true]);
  expect([2, 3, 4].map(key => throttle.admits(key))).toEqual([false, false, false]);
  expect(throttle.admits(1)).toBe(true);
});
