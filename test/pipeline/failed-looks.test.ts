// Who hears that a task was given up: administrators, once it really was.
import { expect, test } from 'vitest';
import { leaseLost } from '../../src/lock/lease.ts';
import { createFailedLooks, type FailedLooksOptions } from '../../src/pipeline/failed-looks.ts';
import { quickTimings } from '../support/bot.ts';
import { recordTelemetry } from '../support/telemetry.ts';

test.for([
  ['ends', undefined, ['waiting: Error']],
  ['cannot be ended because of a defect', new Error('defect'), ['waiting: Error']],
  ['cannot be ended here, under a lost lease', leaseLost(), []],
] as const)('administrators are called for a task that %s: %#', async ([, failure, called]) => {
  const alarms: string[] = [];
  const failures = createFailedLooks({
    tasks: {
      countFailedLook: async () => quickTimings.lookAttempts,
      schedule: async () => undefined,
      clearFailedLooks: async () => undefined,
      find: async () => ({ id: 'task', state: 'waiting' }),
    },
    deliveries: {},
    settlement: { fail: () => (failure ? Promise.reject(failure) : Promise.resolve()) },
    alarm: { givenUp: async (detail: string) => void alarms.push(detail) },
    telemetry: recordTelemetry().telemetry,
    timings: quickTimings,
    // SAFETY: nothing else is asked for when an open task is ended.
  } as unknown as FailedLooksOptions);
  const ended = failures.add('task', new Error('the look failed')).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(await ended).toBe(failure);
  expect(alarms).toEqual(called);
});
