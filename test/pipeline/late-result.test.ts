// A task that was given up because it took too long: where no callback comes, as to a bot without a public address, it is
// looked at all the same, later and later.
import { expect, test } from 'vitest';
import { lateLookDelayMs, productionTimings } from '../../src/pipeline/timings.ts';
import { openPipeline } from '../support/pipeline.ts';

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
