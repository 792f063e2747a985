// What a full stage holds up, and what it must not.
import { expect, test } from 'vitest';
import { createStages } from '../../src/pipeline/stages.ts';
import { openPipeline } from '../support/pipeline.ts';

const zImage = { prompt: 'a fox', aspect_ratio: '1:1' };
const accepted = { code: 200, data: { taskId: 'one' } };

test('a task ends at its limit, however full the stage of looks is', async () => {
  await using given = await openPipeline({
    timeoutMs: 15_000,
    timings: { waitLimitMs: 200 },
    stages: createStages({ looks: 0 }),
  });
  given.api.next(accepted);
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({
    state: 'failed',
    reason_code: 'DOWNSTREAM_TIMEOUT',
    held: 0,
  });
});

test('an order whose sending hangs keeps its place only: the next one waits outside, and is not claimed', async () => {
  await using given = await openPipeline({ submitTimeoutMs: 60_000, stages: createStages({ orders: 1 }) });
  const first = await given.order('z-image', zImage);
  const look = given.workDue();
  await expect.poll(() => given.api.received().length).toBe(1);
  const second = await given.order('z-image', zImage);
  await given.pipeline.advance(second);
  expect(await given.tasks.find(second)).toMatchObject({ state: 'created', submitAttempts: 0 });
  const [planned] = await given.database.query(
    `select 1 from graphile_worker.jobs where key = 'task:' || $1`,
    [second],
  );
  expect(planned).toBeDefined();
  expect(await given.tasks.find(first)).toMatchObject({ state: 'submitting' });
  // Ends the call that hangs.
  await given.api.stop();
  await look;
});
