// What a storm of chaos excuses: only instances that a fault keeps from working. Where a way around it is the bot's to
// find, nothing is excused, or the law that nothing is healthy and idle would not see what it is for. And what it knows of
// its faults: one that hits nothing goes on for a while, and is reported as one that was none.
import { expect, test } from 'vitest';
import type { FaultName } from '../../sandbox/chaos/faults.ts';
import type { Ground } from '../../sandbox/chaos/ground.ts';
import type { PlannedFault } from '../../sandbox/chaos/plan.ts';
import { startStorm, struckFaults } from '../../sandbox/chaos/storm.ts';
import { historyOf } from '../../sandbox/history/history.ts';
import { checkHistory } from '../../sandbox/history/laws.ts';
import { waitFor } from '../support/bot.ts';

test.for([
  ['freeze', true],
  ['stdout-blocked', false],
  ['mute-third', false],
] as const)('while %s lasts, its instance is excused: %s', async ([name, isExcused]) => {
  const storm = strike(name);
  const fault = await waitFor('the fault', () => storm.done[0]);
  expect([fault.name, fault.to, storm.isStruck({ number: 1 })]).toEqual([name, undefined, isExcused]);
  expect(storm.isStruck({ number: 2 })).toBe(false);
  storm.stop();
  await storm.over;
  expect(storm.done).toMatchObject([{ name, to: expect.any(Number), failure: undefined }]);
});

test('a fault that hits nothing goes on until it does', async () => {
  let ended = 0;
  let asked = 0;
  const storm = strike('some-sessions-ended', {
    durationMs: 0,
    ask: async () => {
      asked += 1;
      if (asked === 1) throw new Error('Postgres is away');
      ended = asked > 2 ? 4 : 0;
      return Array.from({ length: ended }, () => ({}));
    },
  });
  await storm.over;
  expect(storm.done).toMatchObject([{ hits: 4, failures: 1, failure: undefined }]);
  expect(asked).toBe(3);
});

test('one that still hits nothing when its patience is over is reported with 0 hits, and breaks a law', async () => {
  const storm = strike('some-sessions-ended', { durationMs: 0, ask: async () => [], lingerMs: 100 });
  await storm.over;
  expect(storm.done).toMatchObject([{ hits: 0, failure: undefined, to: expect.any(Number) }]);
  const faults = struckFaults(storm.done);
  expect(checkHistory(historyOf({ faults }))).toEqual([
    { law: 'faults-hit', subject: 'fault some-sessions-ended', problem: 'has hit nothing, 1 times' },
  ]);
});

test('a fault that strikes the same target waits for the one that goes on beyond its time', async () => {
  let isEnded = false;
  const storm = startStorm({
    // SAFETY: the faults of this test touch nothing else.
    ground: { slots: [{ number: 1 }], ask: async () => (isEnded ? [{}] : []) } as unknown as Ground,
    plan: [planned(1, 'sessions-ended', 0), planned(2, 'sessions-ended', 50)],
    onChange: () => undefined,
  });
  await waitFor('the first fault', () => storm.done[0]);
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(storm.done.map(({ number }) => number)).toEqual([1]);
  isEnded = true;
  await storm.over;
  expect(storm.done.map(({ number, hits }) => [number, hits])).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

test('a 429 with a long wait excuses taps until the wait is over, and no instance', async () => {
  const storm = strike('telegram-429-long', { durationMs: 0 });
  await storm.over;
  const [fault] = storm.done;
  expect(storm.isStruck({ number: 1 })).toBe(false);
  expect(storm.silences()).toEqual([{ from: fault?.from, to: (fault?.to ?? 0) + 40_000 }]);
});

interface StrikeOptions {
  readonly durationMs?: number;
  readonly lingerMs?: number;
  readonly ask?: () => Promise<object[]>;
}

/** A storm whose one fault begins at once and lasts. */
function strike(name: FaultName, { durationMs = 600_000, lingerMs, ask }: StrikeOptions = {}) {
  const nothing = (): void => undefined;
  const way = { setPassage: nothing, cut: nothing, hindrances: 0 };
  let faultsStruck = 0;
  const telegram = {
    get faultsStruck() {
      return faultsStruck;
    },
    failNext() {
      faultsStruck += 1;
    },
    clearFaults: nothing,
  };
  const slot = {
    number: 1,
    isRunning: true,
    signal: nothing,
    readOutput: nothing,
    proxies: { postgres: way, lock: way },
  };
  return startStorm({
    // SAFETY: the faults of these tests touch nothing else.
    ground: { slots: [slot], ask, telegram } as unknown as Ground,
    plan: [{ ...planned(1, name, 0), durationMs }],
    onChange: nothing,
    ...(lingerMs === undefined ? {} : { lingerMs }),
  });
}

function planned(number: number, name: FaultName, atMs: number): PlannedFault {
  return { number, atMs, durationMs: 0, name, instance: 1, seed: 1 };
}
