// The order in which what was started is stopped, and that one failure keeps nothing else running.
import { expect, test } from 'vitest';
import { createLifecycle } from '../src/lifecycle.ts';

test('what was acquired last is released first, each after the one before has ended', async () => {
  const lifecycle = createLifecycle();
  const steps: string[] = [];
  for (const name of ['database', 'queue', 'server']) {
    lifecycle.onStop(name, async () => {
      steps.push(`${name} begins`);
      await new Promise(resolve => setImmediate(resolve));
      steps.push(`${name} ends`);
    });
  }
  await lifecycle.stop();
  expect(steps).toEqual([
    'server begins',
    'server ends',
    'queue begins',
    'queue ends',
    'database begins',
    'database ends',
  ]);
});

test('releases that fail keep no other from running, and all of them are told', async () => {
  const lifecycle = createLifecycle();
  const released: string[] = [];
  const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
  lifecycle.onStop('database', () => void released.push('database'));
  lifecycle.onStop('queue', () => {
    throw thrown;
  });
  lifecycle.onStop('worker', () => void released.push('worker'));
  lifecycle.onStop('server', () => Promise.reject(rejected));

  const failure = await lifecycle.stop().catch((error: unknown) => error);
  expect(released).toEqual(['worker', 'database']);
  if (!(failure instanceof AggregateError)) expect.fail('stopping did not reject with what failed');
  expect(failure.errors.map(error => [error.message, error.cause])).toEqual([
    ['Stopping server failed', rejected],
    ['Stopping queue failed', thrown],
  ]);
});

test('one that hangs keeps no other from running: the time for all has a bound, and each gets its least', async () => {
  const lifecycle = createLifecycle();
  const released: string[] = [];
  lifecycle.onStop('logger', () => void released.push('logger'));
  lifecycle.onStop(
    'journal',
    async () => {
      await new Promise(resolve => setTimeout(resolve, 50));
      released.push('journal');
    },
    { leastMs: 60_000 },
  );
  lifecycle.onStop('database', () => new Promise(() => {}), { leastMs: 1 });
  lifecycle.onStop('workers', () => new Promise(() => {}));
  const failure = await lifecycle.stop(20).catch((error: unknown) => error);
  expect(released).toEqual(['journal', 'logger']);
  if (!(failure instanceof AggregateError)) expect.fail('stopping did not reject with what failed');
  expect(failure.errors.map(({ message, cause }) => [message, cause.code])).toEqual([
    ['Stopping workers failed', 'TIMEOUT'],
    ['Stopping database failed', 'TIMEOUT'],
  ]);
  expect(lifecycle.failures).toEqual(failure.errors);
});

test('stopping again is the same stop', async () => {
  const lifecycle = createLifecycle();
  let released = 0;
  lifecycle.onStop('server', () => {
    released += 1;
  });
  const first = lifecycle.stop();
  expect(lifecycle.stop()).toBe(first);
  await first;
  expect(lifecycle.stop()).toBe(first);
  expect(released).toBe(1);
});

test('nothing acquired, nothing to release', async () => {
  await expect(createLifecycle().stop()).resolves.toBeUndefined();
});

test('what is acquired while stopping is released too', async () => {
  const lifecycle = createLifecycle();
  const released: string[] = [];
  lifecycle.onStop('server', () => {
    released.push('server');
    lifecycle.onStop('late', () => void released.push('late'));
  });
  await lifecycle.stop();
  expect(released).toEqual(['server', 'late']);
});
