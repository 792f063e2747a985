// Whatever the supplier says of a task, the task ends within its limits, its money is settled exactly once, and nothing
// stays reserved. The answers are any JSON, and those that look like a result and hold what no database takes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openPipeline, type PipelineUnderTest } from '../support/pipeline.ts';

const limits = { waitLimitMs: 150, notFoundLimitMs: 60, poll: [{ untilMs: Infinity, everyMs: 20 }] };
const accepted = (taskId: string) => ({ code: 200, data: { taskId } });
const zImage = { prompt: 'a fox', aspect_ratio: '1:1' };

/** Of every kind that a column or an index of the database refuses, and some that are well. */
const address = fc.oneof(
  fc.constant('https://files.example/a.png'),
  fc.string({ unit: 'binary' }).map(text => `https://files.example/${text}`),
  fc.constantFrom(
    'https://files.example/\u0000.png',
    'https://files.example/\ud800.png',
    `https://files.example/${'a'.repeat(20_000)}`,
    'javascript:alert(1)',
    '',
  ),
  fc.jsonValue(),
);
const credits = fc.oneof(
  fc.double(),
  fc.constantFrom(1e9, 999_999_999.9999, 1e308, -1, 0.8, '12', null),
  fc.jsonValue(),
);
const record = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      state: fc.oneof(fc.constantFrom('success', 'fail', 'generating'), fc.jsonValue()),
      resultJson: fc.oneof(
        fc.array(address).map(resultUrls => JSON.stringify({ resultUrls })),
        fc.jsonValue(),
      ),
      creditsConsumed: credits,
      progress: credits,
      failCode: fc.jsonValue(),
      failMsg: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  ),
);

async function expectSettled(given: PipelineUnderTest, taskId: string): Promise<void> {
  const { state, settlements, held } = await given.endOf(taskId);
  expect({ state: ['succeeded', 'failed'].includes(state), settlements, held }).toEqual({
    state: true,
    settlements: 1,
    held: 0,
  });
}

let number = 0;
async function orderAnswered(given: PipelineUnderTest, data: unknown): Promise<string> {
  number += 1;
  given.api.next(accepted(`task-${number}`));
  given.api.otherwise({ code: 200, data });
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  return taskId;
}

test('any answer of the supplier ends the task and its money', async () => {
  await using given = await openPipeline({ timings: limits });
  await fc.assert(
    fc.asyncProperty(record, async data => {
      const taskId = await orderAnswered(given, data);
      await expectSettled(given, taskId);
      // Nothing of it was a fault of ours.
      expect(given.alarms).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 120_000);

test.for([
  ['an address with a NUL', { resultUrls: ['https://files.example/\u0000.png'] }, 0.8, 'failed'],
  ['an address with half a character', { resultUrls: ['https://files.example/\ud800.png'] }, 0.8, 'failed'],
  [
    'a good address beside a bad one',
    { resultUrls: ['https://a.example/1', 'https://a.example/\0'] },
    0.8,
    'succeeded',
  ],
  ['forty thousand addresses', { resultUrls: Array(40_000).fill('https://a.example/1') }, 0.8, 'succeeded'],
  ['more credits than a column holds', { resultUrls: ['https://a.example/1'] }, 1e9, 'succeeded'],
  [
    'credits that round to more than it holds',
    { resultUrls: ['https://a.example/1'] },
    999_999_999.9999,
    'succeeded',
  ],
] as const)('a result with %s is settled once', async ([, result, creditsConsumed, state]) => {
  await using given = await openPipeline({ timings: limits, timeoutMs: 10_000 });
  const taskId = await orderAnswered(given, {
    state: 'success',
    resultJson: JSON.stringify(result),
    creditsConsumed,
  });
  expect(await given.endOf(taskId)).toMatchObject({ state, settlements: 1, held: 0 });
  expect(given.sent(taskId).filter(kind => kind === 'result').length).toBeLessThanOrEqual(20);
  expect(given.alarms).toEqual([]);
});

test('an id that the supplier gives to two orders ends the second as a fault, and never settles both', async () => {
  await using given = await openPipeline({
    // So that no question about the first takes the answer to the second.
    timings: { ...limits, waitLimitMs: 60_000, poll: [{ untilMs: Infinity, everyMs: 600_000 }] },
    timeoutMs: 10_000,
  });
  given.api.next(accepted('one'));
  given.api.otherwise({ code: 200, data: { state: 'generating' } });
  const first = await given.order('z-image', zImage);
  await given.workDue();
  // The next look at the first one must not take the answer that is meant for the second.
  await given.database.query(`update graphile_worker._private_jobs set run_at = now() + interval '1 hour'`);
  given.api.next(accepted('one'));
  const second = await given.order('z-image', zImage);
  await given.settle(second);
  expect(await given.endOf(second)).toMatchObject({
    state: 'failed',
    reason_code: 'DOWNSTREAM_ERROR',
    settlements: 1,
  });

  given.api.otherwise({
    code: 200,
    data: { state: 'success', resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }) },
  });
  await given.tasks.schedule(first, 0);
  await given.settle(first);
  expect(await given.endOf(first)).toMatchObject({ state: 'succeeded', settlements: 1, held: 0 });
  expect(given.sent(second)).toEqual(['failure']);
});

test('an order that was refused, and that a callback says is made all the same, is not given again', async () => {
  await using given = await openPipeline({
    timings: { ...limits, submitRetryMs: 60_000, waitLimitMs: 30_000 },
    timeoutMs: 10_000,
  });
  given.api.next({ code: 429, httpStatus: 429 });
  given.api.otherwise({
    code: 200,
    data: { state: 'success', resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }) },
  });
  const taskId = await given.order('z-image', zImage);
  await given.workDue();
  await given.callbacks.save(taskId, { vendorTaskId: 'one', isFinal: true });
  await given.callbacks.wake(taskId);
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded', settlements: 1, held: 0 });
  expect(given.api.received().filter(({ url }) => url.pathname.endsWith('createTask'))).toHaveLength(1);
});

test('an order that was answered with another order’s task gives its user no files of the other, and the money back', async () => {
  await using given = await openPipeline({ timings: limits, timeoutMs: 10_000 });
  given.api.next(accepted('of-another'));
  given.api.otherwise({
    code: 200,
    data: {
      taskId: 'of-another',
      state: 'success',
      param: JSON.stringify({ callBackUrl: `https://bot.example/callbacks/kie/${'0'.repeat(32)}` }),
      resultJson: JSON.stringify({ resultUrls: ['https://a.example/of-another'] }),
    },
  });
  const taskId = await given.order('z-image', zImage);
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({
    state: 'failed',
    reason_code: 'DOWNSTREAM_ERROR',
    settlements: 1,
    held: 0,
  });
  expect(given.sent(taskId)).toEqual(['failure']);
});

test('a callback that names another order is not believed', async () => {
  await using given = await openPipeline({
    timings: { ...limits, unknownOutcomeLimitMs: 300 },
    timeoutMs: 10_000,
  });
  given.api.next(accepted('one'));
  given.api.otherwise({ code: 200, data: { state: 'generating' } });
  const first = await given.order('z-image', zImage);
  await given.workDue();
  given.api.next('break-off');
  const second = await given.order('z-image', zImage);
  await given.workDue();
  await given.callbacks.save(second, { vendorTaskId: 'one', isFinal: true });
  await given.callbacks.wake(second);
  await given.settle(second);
  expect(await given.endOf(second)).toMatchObject({
    state: 'failed',
    reason_code: 'DOWNSTREAM_TIMEOUT',
    settlements: 1,
  });
  await given.settle(first);
  await expectSettled(given, first);
});

test.for([
  ['inputs', `'[1]'`],
  ['quote', `'{"kopecks":"much"}'`],
  ['file_urls', `'{"image":1}'`],
])(
  'a task whose %s cannot be read is ended, and its user and administrators are notified',
  async ([column, value]) => {
    await using given = await openPipeline({ timings: limits });
    given.api.next(accepted('one'));
    given.api.otherwise({ code: 200, data: { state: 'generating' } });
    const taskId = await given.order('z-image', zImage);
    await given.database.query(`update tasks set ${column} = ${value}`);
    await given.settle(taskId);
    expect(await given.endOf(taskId)).toEqual({
      state: 'failed',
      reason_code: 'INTERNAL_ERROR',
      settlements: 1,
      held: 0,
    });
    expect(given.sent(taskId)).toEqual(['failure']);
    expect(given.alarms).toHaveLength(1);
  },
);

test('a settlement that the database refuses again and again ends the task, and its hold is released', async () => {
  await using given = await openPipeline({ timings: { ...limits, waitLimitMs: 30_000 }, timeoutMs: 10_000 });
  await given.database.query(`alter table deliveries add constraint no_results check (kind <> 'result')`);
  const taskId = await orderAnswered(given, {
    state: 'success',
    resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }),
  });
  expect(await given.endOf(taskId)).toEqual({
    state: 'failed',
    reason_code: 'INTERNAL_ERROR',
    settlements: 1,
    held: 0,
  });
  expect(given.sent(taskId)).toEqual(['failure']);
  expect(given.alarms).toEqual(['waiting: 23514']);
  expect(given.recorded.lines.filter(({ name }) => name === 'TASK_FAILED')).toHaveLength(1);
});

test('what the supplier answered is recorded when the database is back, and nothing is ordered twice', async () => {
  await using given = await openPipeline({ timings: { ...limits, waitLimitMs: 30_000 }, timeoutMs: 10_000 });
  // The database is shut down under the statement that records it, three times.
  await given.database.query('create sequence tries');
  await given.database.query(`
    create function shut_down() returns trigger language plpgsql as $$
    begin
      if new.vendor_task_id is not null and old.vendor_task_id is null and nextval('tries') <= 3 then
        raise exception 'terminating connection due to administrator command' using errcode = '57P01';
      end if;
      return new;
    end $$`);
  await given.database.query(
    'create trigger shut_down before update on tasks for each row execute function shut_down()',
  );
  const taskId = await orderAnswered(given, {
    state: 'success',
    resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }),
  });
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded', settlements: 1, held: 0 });
  expect(await given.database.query('select last_value::int from tries')).toEqual([{ last_value: 4 }]);
  expect(given.api.received().filter(({ method }) => method === 'POST')).toHaveLength(1);
});
