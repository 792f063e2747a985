// The limit of new orders per account, which all families share.
import { expect, test } from 'vitest';
import { vendorRateLimit } from '../../../sandbox/kie/rate-limit.ts';
import { create, goodOrder, start } from './support.ts';

const veoOrder = { prompt: 'a red fox', model: 'veo3' };

test('the twenty-first order within ten seconds is dropped with 429', async () => {
  let now = 1_000_000;
  const kie = await start({ rateLimit: vendorRateLimit, now: () => now, credits: 100_000 });
  for (let count = 0; count < 10; count++) {
    expect((await create(kie)).code).toBe(200);
    expect((await create(kie, veoOrder, 'veo')).code).toBe(200);
  }
  now += 9_999;
  expect(await create(kie)).toMatchObject({ status: 429, code: 429 });
  expect(await create(kie, veoOrder, 'veo')).toMatchObject({ status: 429, code: 429 });
  expect(kie.createdCount()).toBe(20);
  now += 1;
  expect((await create(kie)).code).toBe(200);
});

test('orders that were dropped do not count', async () => {
  let now = 0;
  const kie = await start({ rateLimit: { requests: 1, windowMs: 100 }, now: () => now });
  const codes = [];
  for (; now < 250; now += 50) codes.push((await create(kie, goodOrder)).code);
  expect(codes).toEqual([200, 429, 200, 429, 200]);
});

test('there is no limit by default', async () => {
  const kie = await start();
  const answers = await Promise.all(Array.from({ length: 40 }, () => create(kie)));
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200]));
});
