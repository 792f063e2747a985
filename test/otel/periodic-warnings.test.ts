// What is tried again and again by itself: its failures are lines now and then, and none is uncounted.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPeriodicWarnings } from '../../src/otel/periodic-warnings.ts';
import { recordTelemetry } from '../support/telemetry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function create() {
  const recorded = recordTelemetry({ checked: true });
  const periodic = createPeriodicWarnings(recorded.telemetry);
  const counts = () => recorded.lines.map(({ operation, repeat_count: count }) => [operation, count]);
  return { recorded, periodic, counts };
}

test('the first is emitted at once, then one every 10 s with the number since the last, as long as it goes on', () => {
  const { periodic, counts } = create();
  const fail = (): void => periodic.telemetry.warn('hold the lock', new Error('read ECONNRESET'));
  fail();
  expect(counts()).toEqual([['hold the lock', undefined]]);
  for (let second = 0; second < 9; second += 1) {
    fail();
    vi.advanceTimersByTime(1_000);
  }
  expect(counts()).toHaveLength(1);
  vi.advanceTimersByTime(1_000);
  expect(counts().slice(1)).toEqual([['hold the lock', 9]]);
  vi.advanceTimersByTime(60_000);
  fail();
  expect(counts().slice(2)).toEqual([['hold the lock', undefined]]);
});

test('another operation or another failure is emitted at once; other numbers in it make no other failure', () => {
  const { periodic, counts } = create();
  periodic.telemetry.warn('hold the lock', new Error('No answer within 1200 ms'));
  periodic.telemetry.warn('hold the lock', new Error('No answer within 1300 ms'));
  periodic.telemetry.warn('hold the lock', new Error('read ECONNRESET'));
  periodic.telemetry.warn('count the inbox', new Error('read ECONNRESET'));
  expect(counts().map(([operation]) => operation)).toEqual([
    'hold the lock',
    'hold the lock',
    'count the inbox',
  ]);
});

test('a repeat that is emitted later belongs to no update, and at the end none still waits', async () => {
  const { recorded, periodic } = create();
  const warn = (): void => periodic.telemetry.warn('count the inbox', new Error('read ECONNRESET'));
  await recorded.telemetry.inSpan('update', { root: true }, async () => {
    warn();
    warn();
  });
  vi.advanceTimersByTime(10_000);
  const [first, second] = recorded.lines;
  expect(second).toMatchObject({ cid: recorded.telemetry.cid() });
  expect(first?.cid).not.toBe(second?.cid);
  warn();
  warn();
  periodic.stop();
  expect(recorded.lines).toHaveLength(3);
  expect(recorded.lines.at(-1)).toMatchObject({ repeat_count: 2 });
});
