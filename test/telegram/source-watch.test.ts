// A look takes a while, and the instance may not be the source any more when it ends: then it concludes nothing. Nor is
// what was seen before the state of a Telegram that does not answer any more.
import { GrammyError, HttpError } from 'grammy';
import type { WebhookInfo } from 'grammy/types';
import { expect, test } from 'vitest';
import { allowedUpdates } from '../../src/telegram/registration.ts';
import { createSourceWatch } from '../../src/telegram/source-watch.ts';
import { waitFor } from '../support/bot.ts';
import { recordTelemetry } from '../support/telemetry.ts';

const ours = 'https://bot.example/webhook';
const theirs: WebhookInfo = {
  url: 'https://successor.example/webhook',
  has_custom_certificate: false,
  pending_update_count: 0,
  allowed_updates: [...allowedUpdates],
};
const tenure = { lease: { name: 'bot', epoch: 1 }, isLost: () => false };

/** A watch whose looks are answered by the test, and which can be made to look at any time. */
function openWatch() {
  const { telemetry, lines } = recordTelemetry();
  const asked: ((info: WebhookInfo | Promise<WebhookInfo>) => void)[] = [];
  const restorations: PromiseWithResolvers<void>[] = [];
  const watch = createSourceWatch({
    api: { getWebhookInfo: () => new Promise(resolve => asked.push(resolve)) },
    address: () => ours,
    restore() {
      const restoration = Promise.withResolvers<void>();
      restorations.push(restoration);
      return restoration.promise;
    },
    telemetry,
    lookEveryMs: 1,
  });
  return {
    watch,
    lines,
    restorations,
    /** The next question that is not answered yet. */
    question: () => waitFor('a look', () => asked.shift()),
  };
}

test('a look that its instance has outlived as the source concludes nothing', async () => {
  const { watch, lines, restorations, question } = openWatch();
  const watching = watch.start(tenure);
  const answer = await question();
  watching.stop();
  answer(theirs);
  await watching.settled();
  expect({ lines, restorations, status: watch.status() }).toEqual({
    lines: [],
    restorations: [],
    status: undefined,
  });
});

test('and neither does it under a later tenure of the same instance', async () => {
  const { watch, lines, restorations, question } = openWatch();
  const former = watch.start(tenure);
  const answer = await question();
  former.stop();
  const later = watch.start({ ...tenure, lease: { name: 'bot', epoch: 3 } });
  answer(theirs);
  await former.settled();
  expect({ lines, restorations, status: watch.status() }).toEqual({
    lines: [],
    restorations: [],
    status: undefined,
  });
  (await question())({ ...theirs, url: ours });
  await waitFor('the state', () => watch.status());
  expect(watch.status()).toMatchObject({ state: 'ok' });
  later.stop();
});

test('an instance that was frozen, and was succeeded meanwhile, does not take the webhook back', async () => {
  const { watch, lines, restorations, question } = openWatch();
  let isLost = false;
  const watching = watch.start({ ...tenure, isLost: () => isLost });
  const answer = await question();
  isLost = true;
  answer(theirs);
  await watching.settled();
  expect({ lines, restorations }).toEqual({ lines: [], restorations: [] });
  watching.stop();
});

test('a webhook that is just being set right is waited for at the end', async () => {
  const { watch, restorations, question } = openWatch();
  const watching = watch.start(tenure);
  (await question())(theirs);
  const restoration = await waitFor('the restoration', () => restorations[0]);
  watching.stop();
  let isSettled = false;
  const settled = watching.settled().then(() => {
    isSettled = true;
  });
  await new Promise(setImmediate);
  expect(isSettled).toBe(false);
  restoration.resolve();
  await settled;
});

const away = () =>
  Promise.reject(new HttpError('Network request for getWebhookInfo failed!', new Error('ECONNREFUSED')));
const refused = (code: number, description: string) =>
  Promise.reject(
    new GrammyError('refused', { ok: false, error_code: code, description }, 'getWebhookInfo', {}),
  );
const fine = { ...theirs, url: ours, pending_update_count: 3 };

test('a Telegram that does not answer twice in a row is unreachable, which has one event and ends by itself', async () => {
  const { watch, lines, question } = openWatch();
  const watching = watch.start(tenure);
  const warnings = () => lines.map(({ operation, error_type: type }) => [operation, type]);
  (await question())(fine);
  (await question())(away());
  (await question())(fine);
  (await question())(away());
  expect(watch.status()).toMatchObject({ state: 'ok', pendingUpdates: 3 });
  const checkedAt = watch.status()?.checkedAt;
  for (let look = 0; look < 3; look += 1) (await question())(away());
  const last = await question();
  expect(watch.status()).toMatchObject({ state: 'unreachable', pendingUpdates: 3, checkedAt });
  expect(warnings()).toEqual([
    ['look where updates go', 'HttpError'],
    ['look where updates go', 'HttpError'],
    ['source of updates', 'UNREACHABLE'],
  ]);
  last(fine);
  await question();
  expect(watch.status()).toMatchObject({ state: 'ok' });
  expect(warnings()).toHaveLength(3);
  watching.stop();
});

test('a token that was revoked is no Telegram that is away, and one that asks to wait is neither', async () => {
  const { watch, lines, question } = openWatch();
  const watching = watch.start(tenure);
  for (let look = 0; look < 3; look += 1) (await question())(refused(401, 'Unauthorized'));
  const next = await question();
  expect(watch.status()).toEqual({ state: 'token_refused' });
  expect(lines.at(-1)?.error_message).toContain('401 Unauthorized, 2 times in a row');
  next(fine);
  for (let look = 0; look < 3; look += 1) (await question())(refused(429, 'Too Many Requests'));
  await question();
  expect(watch.status()).toMatchObject({ state: 'ok' });
  watching.stop();
});
