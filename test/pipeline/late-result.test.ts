// A task that was given up because it took too long: where no callback comes, as to a bot without a public address, it is
// looked at all the same, later and later.
import { expect, test } from 'vitest';
import { createStages } from '../../src/pipeline/stages.ts';
import { lateLookDelayMs, productionTimings } from '../../src/pipeline/timings.ts';
import { openPipeline, type PipelineUnderTest } from '../support/pipeline.ts';

/** Of the supplier, which answers at once. */
const timeoutMs = 15_000;
const zImage = { prompt: 'a fox', aspect_ratio: '1:1' };
const accepted = { code: 200, data: { taskId: 'one' } };
const generating = { code: 200, data: { state: 'generating' } };
const result = {
  code: 200,
  data: { state: 'success', resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }) },
};
const refusal = { code: 200, data: { state: 'fail', failCode: '500', failMsg: 'Internal Error' } };
const impatient = { waitLimitMs: 50, lateLimitMs: 60_000, lateLookMs: 50 };

test('its late result is delivered free', async () => {
  await using given = await openPipeline({ timeoutMs, timings: impatient });
  given.api.next(accepted);
  given.api.otherwise(generating);
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({
    state: 'failed',
    reason_code: 'DOWNSTREAM_TIMEOUT',
    held: 0,
  });

  given.api.otherwise(result);
  await given.settleUntil(taskId, ({ state }) => state === 'succeeded');
  expect(await given.endOf(taskId)).toMatchObject({ settlements: 1, held: 0 });
  expect(given.sent(taskId)).toEqual(['failure', 'result']);
  expect(given.recorded.lines.filter(({ name }) => name === 'TASK_LATE_RESULT')).toHaveLength(1);
});

test('it is looked at no more when the supplier says that it failed', async () => {
  await using given = await openPipeline({ timeoutMs, timings: impatient });
  given.api.next(accepted);
  given.api.otherwise(generating);
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  given.api.otherwise(refusal);
  await expect
    .poll(
      async () => {
        await given.workDue();
        return given.database.query('select 1 from graphile_worker.jobs');
      },
      { timeout: 20_000 },
    )
    .toEqual([]);
  expect(given.sent(taskId)).toEqual(['failure']);
});

test('a late result that cannot be taken calls for nobody, and is tried at its next time', async () => {
  await using given = await openPipeline({ timeoutMs, timings: impatient });
  given.api.next(accepted);
  given.api.otherwise(generating);
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  await given.database.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'no late results'; end $$;
    create trigger refuse before update on tasks for each row when (new.state = 'succeeded') execute function refuse()`);
  given.api.otherwise(result);
  const warnings = () => given.recorded.lines.filter(({ name }) => name === 'SYSTEM_WARNING').length;
  await expect
    .poll(
      async () => {
        await given.workDue();
        return warnings();
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(1);
  expect(given.alarms).toEqual([]);
  await given.database.query('drop function refuse cascade');
  await given.settleUntil(taskId, ({ state }) => state === 'succeeded');
  expect(given.sent(taskId)).toEqual(['failure', 'result']);
});

test('while its notice is still owed, the supplier is not asked', async () => {
  const places = createStages();
  let isFull = true;
  const stages = {
    ...places,
    deliveries: {
      ...places.deliveries,
      enter: (key: string) => (isFull ? undefined : places.deliveries.enter(key)),
    },
  };
  await using given = await openPipeline({ timeoutMs, timings: impatient, stages });
  given.api.next(accepted);
  given.api.otherwise(generating);
  const taskId = await given.order('z-image', zImage);
  await expect
    .poll(
      async () => {
        await given.workDue();
        return (await given.endOf(taskId)).state;
      },
      { timeout: 20_000 },
    )
    .toBe('failed');
  given.api.otherwise(result);
  await endedAgo(given, taskId, impatient.lateLookMs * 3);
  const asked = given.api.received().length;
  await given.pipeline.advance(taskId);
  expect(given.sent(taskId)).toEqual([]);
  expect(given.api.received()).toHaveLength(asked);

  isFull = false;
  await given.settleUntil(taskId, ({ state }) => state === 'succeeded');
  expect(given.sent(taskId)).toEqual(['failure', 'result']);
});

test('looks at it that are made for other reasons do not ask the supplier again', async () => {
  const timings = { ...impatient, lateLimitMs: 60 * 60_000, lateLookMs: 60_000 };
  await using given = await openPipeline({ timeoutMs, timings });
  given.api.next(accepted);
  given.api.otherwise(generating);
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  const asked = given.api.received().length;
  for (const minutes of [1.1, 1.2, 1.9, 2.1, 3.9, 4.1, 4.2]) {
    await endedAgo(given, taskId, minutes * 60_000);
    await given.pipeline.advance(taskId);
  }
  expect(given.api.received()).toHaveLength(asked + 3);
});

test('a day of looks is a dozen', () => {
  let ageMs = 0;
  const ages: number[] = [];
  while (ageMs < productionTimings.lateLimitMs) {
    ageMs += lateLookDelayMs(productionTimings, ageMs);
    ages.push(ageMs / 60_000);
  }
  expect(ages.slice(0, 5)).toEqual([1, 2, 4, 8, 16]);
  expect(ages.length).toBeLessThanOrEqual(12);
});

/** As if so much time had passed since its end. */
async function endedAgo({ database }: PipelineUnderTest, taskId: string, ms: number): Promise<void> {
  await database.query(
    `update tasks set finished_at = now() - $2 * interval '1 millisecond'
     where id = $1`,
    [taskId, ms],
  );
}
