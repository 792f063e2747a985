// Looks at one task, by the jobs that ask for them.
import { expect, test } from 'vitest';
import { createLooks } from '../../src/pipeline/looks.ts';
import { recordTelemetry } from '../support/telemetry.ts';

function openLooks(lookLimitMs = 600_000) {
  const { telemetry, lines } = recordTelemetry();
  const begun: PromiseWithResolvers<void>[] = [];
  const planned: string[] = [];
  const looks = createLooks({
    look() {
      const look = Promise.withResolvers<void>();
      begun.push(look);
      return look.promise;
    },
    schedule: async taskId => void planned.push(taskId),
    telemetry,
    timings: { lookLimitMs, lookRetryMs: 20 },
  });
  return { looks, begun, planned, lines };
}

test('one job waits for the look that is under way, and makes its own then; a further one plans another', async () => {
  const { looks, begun, planned } = openLooks();
  const first = looks.advance('task');
  const second = looks.advance('task');
  await looks.advance('task');
  expect(begun).toHaveLength(1);
  expect(planned).toEqual(['task']);

  begun[0]?.resolve();
  await first;
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.resolve();
  await second;
  expect(looks.underWay()).toEqual([]);
});

test('what asked for a look is not lost with the look that was to serve it', async () => {
  const { looks, begun, planned } = openLooks();
  const jobs = [looks.advance('task'), looks.advance('task'), looks.advance('task')];
  const ends = Promise.allSettled(jobs);
  begun[0]?.reject(new Error('the connection is lost'));
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.reject(new Error('the connection is lost'));
  // The jobs of the first two are repeated; should they have been replaced by the third, that has left one behind.
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(planned).toEqual(['task']);
});

test('a look that hangs holds up no later one, and is no work that is under way', async () => {
  const { looks, begun, planned, lines } = openLooks(50);
  const hanging = looks.advance('task');
  const second = looks.advance('task');
  expect(looks.underWay()).toEqual(['task']);
  await expect.poll(() => begun.length).toBe(2);
  expect(lines).toMatchObject([
    {
      name: 'SYSTEM_WARNING',
      operation: 'look at a task',
      error_type: 'LOOK_HANGS',
      task_id: 'task',
    },
  ]);
  begun[1]?.resolve();
  await second;
  expect(looks.underWay()).toEqual([]);

  // It ends after all: nothing is left of it.
  begun[0]?.resolve();
  await hanging;
  const last = looks.advance('task');
  expect(begun).toHaveLength(3);
  begun[2]?.resolve();
  await last;
  expect(planned).toEqual([]);
});
