// An order costs money at the supplier. One that was held up between its claim and its sending, by a freeze of the
// process, is not sent under what may have changed meanwhile: it is put back, and made when its turn comes.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { underLease } from '../../src/lock/lease.ts';
import { holdStatement } from '../support/held-statement.ts';
import { openPipeline } from '../support/pipeline.ts';

/** Of the supplier, which answers at once. */
const timeoutMs = 15_000;
const zImage = { prompt: 'a fox', aspect_ratio: '1:1' };
const accepted = { code: 200, data: { taskId: 'one' } };
const result = {
  code: 200,
  data: { state: 'success', resultJson: JSON.stringify({ resultUrls: ['https://a.example/1'] }) },
};

test('an order that goes out too long after its claim is put back, and made once', async () => {
  const orderSendLimitMs = 400;
  await using given = await openPipeline({ timeoutMs, timings: { orderSendLimitMs } });
  given.api.next(accepted);
  given.api.otherwise(result);
  const taskId = await given.order('z-image', zImage);
  const claim = await holdStatement(given.database, {
    table: 'tasks',
    event: 'update',
    when: `new.state = 'submitting' and old.state = 'created'`,
    atCommit: true,
  });
  const look = given.workDue();
  await claim.reached();
  // The freeze.
  await sleep(orderSendLimitMs + 50);
  await claim.execute();
  await look;
  expect(given.api.received()).toEqual([]);
  expect(await given.tasks.find(taskId)).toMatchObject({ state: 'created', submitAttempts: 0 });
  expect(given.recorded.lines.filter(({ operation }) => operation === 'order not sent')).toMatchObject([
    { name: 'TASK_PROGRESS', task_id: taskId, error_type: 'TIMEOUT' },
  ]);

  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded', settlements: 1 });
  expect(given.api.received().filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test('an order whose instance has lost its lease is put back, and made by the one in charge', async () => {
  await using given = await openPipeline({ timeoutMs });
  given.api.next(accepted);
  given.api.otherwise(result);
  const taskId = await given.order('z-image', zImage);
  const lease = { name: 'test', epoch: 1 };
  await underLease(
    lease,
    () => given.workDue(),
    () => true,
  );
  expect(given.api.received()).toEqual([]);
  expect(await given.tasks.find(taskId)).toMatchObject({ state: 'created', submitAttempts: 0 });

  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded', settlements: 1 });
});

test('an order whose next look cannot be planned is put back unsent, and made once', async () => {
  await using given = await openPipeline({ timeoutMs });
  given.api.next(accepted);
  given.api.otherwise(result);
  const taskId = await given.order('z-image', zImage);
  const lost = new Error('Connection terminated unexpectedly');
  vi.spyOn(given.tasks, 'schedule').mockRejectedValueOnce(lost);
  await expect(given.workDue()).rejects.toBe(lost);
  expect(given.api.received()).toEqual([]);
  expect(await given.tasks.find(taskId)).toMatchObject({ state: 'created', submitAttempts: 0 });

  // As its job does, which is repeated.
  await given.pipeline.advance(taskId);
  await given.settle(taskId);
  expect(await given.endOf(taskId)).toMatchObject({ state: 'succeeded', settlements: 1 });
  expect(given.api.received().filter(({ method }) => method === 'POST')).toHaveLength(1);
});
