// What many askers of one value cost, and how long they wait. The clock is the test's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createReading } from '../../src/health/reading.ts';

const limits = { waitMs: 2_000, validMs: 500, abandonMs: 10_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('whoever asks while a value is measured, or soon after, shares it', async () => {
  const { read, measured, answer } = scene();
  const asked = [read(), read()];
  answer('first');
  expect(await Promise.all(asked)).toEqual(['first', 'first']);
  vi.advanceTimersByTime(limits.validMs - 1);
  expect(await read()).toBe('first');
  expect(measured()).toBe(1);
});

test('later the value is measured anew', async () => {
  const { read, measured, answer } = scene();
  const first = read();
  answer('first');
  await first;
  vi.advanceTimersByTime(limits.validMs);
  const second = read();
  answer('second');
  expect(await second).toBe('second');
  expect(measured()).toBe(2);
});

test('a failure is no value, for those who ask soon after as well', async () => {
  const { read, measured, fail } = scene();
  const first = read();
  fail();
  expect(await first).toBeUndefined();
  expect(await read()).toBeUndefined();
  expect(measured()).toBe(1);
});

test('nobody waits longer than the limit, and what hangs is not begun again', async () => {
  const { read, measured } = scene();
  for (let round = 0; round < 4; round += 1) {
    const asked = [read(), read()];
    vi.advanceTimersByTime(limits.waitMs);
    expect(await Promise.all(asked)).toEqual([undefined, undefined]);
    vi.advanceTimersByTime(limits.validMs - 1);
    expect(await read()).toBeUndefined();
    vi.advanceTimersByTime(1);
  }
  expect(measured()).toBe(1);
});

test('an answer that comes late is given to those who ask then', async () => {
  const { read, measured, answer } = scene();
  const early = read();
  vi.advanceTimersByTime(limits.waitMs);
  expect(await early).toBeUndefined();
  vi.advanceTimersByTime(limits.validMs);
  const late = read();
  answer('late');
  expect(await late).toBe('late');
  expect(measured()).toBe(1);
});

test('a measurement that hangs for very long is given up, and its end changes nothing', async () => {
  const { read, measured, answer, answerOldest } = scene();
  const hung = read();
  vi.advanceTimersByTime(limits.waitMs);
  await hung;
  vi.advanceTimersByTime(limits.abandonMs - limits.waitMs);
  const second = read();
  answerOldest('from the dead');
  answer('alive');
  expect(await second).toBe('alive');
  expect(await read()).toBe('alive');
  expect(measured()).toBe(2);
});

/** A value that is there when the test says so. */
function scene() {
  const measurements: PromiseWithResolvers<string>[] = [];
  const read = createReading(() => {
    const measurement = Promise.withResolvers<string>();
    measurements.push(measurement);
    return measurement.promise;
  }, limits);
  return {
    read,
    measured: () => measurements.length,
    answer: (value: string) => measurements.at(-1)?.resolve(value),
    answerOldest: (value: string) => measurements[0]?.resolve(value),
    fail: () => measurements.at(-1)?.reject(new Error('not measured')),
  };
}
