// Key and prompt are canaries here: they travel through every way a call can end and must be found nowhere.
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createMarketClient, type MarketClient, type MarketOrder } from '../../src/kie/market-client.ts';
import { type KieFault, type KieSandbox, startKieSandbox } from '../../src/sandbox/kie/index.ts';
import { Secret } from '../../src/secret.ts';
import { closedUrl, type LoopbackServer, startLoopbackServer } from './loopback-server.ts';
import { recordTelemetry } from './recorded-telemetry.ts';
import { rejectionOf } from './rejection.ts';

const key = 'canary-key-5f1c';
const prompt = 'canary-prompt-9a27';
const callbackSecret = 'canary-callback-77d0';
const canary = /canary-(?:key|prompt|callback)/;

let order: MarketOrder;

const recorded = recordTelemetry();
let kie: KieSandbox;
/** Answers with whatever was sent, as broken gateways do: not JSON, and full of canaries. */
let echo: LoopbackServer;

beforeAll(async () => {
  kie = await startKieSandbox({ apiKey: key, stepMs: 'manual', callbackRetryDelayMs: 1 });
  order = {
    model: 'z-image',
    input: { prompt, aspect_ratio: '1:1' },
    callbackUrl: `${await closedUrl()}/${callbackSecret}`,
  };
  echo = await startLoopbackServer((request, response) => {
    response.write(`${request.headers.authorization} `);
    request.pipe(response);
  });
});

afterAll(async () => {
  await kie.stop();
  await echo.stop();
});

async function withClient<T>(
  apiUrl: string,
  work: (client: MarketClient) => Promise<T>,
  timeoutMs = 5_000,
): Promise<T> {
  const client = createMarketClient({
    apiUrl,
    apiKey: new Secret(key),
    telemetry: recorded.telemetry,
    timeoutMs,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Everything that a reader of logs, traces or a debugger could see of what happened. */
function visible(error?: unknown): string {
  const spans = recorded
    .spans()
    .map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links }));
  return inspect(
    { error, spans, lines: recorded.lines() },
    { depth: Number.POSITIVE_INFINITY, showHidden: true },
  );
}

const quoting = `the prompt "${prompt}" of ${key} has sensitive words: ${callbackSecret}`;
const faults: readonly [string, KieFault][] = [
  ['a refusal', { at: 'create', does: 'answer', code: 402, text: quoting }],
  ['a refused parameter', { at: 'create', does: 'answer', code: 422, text: quoting }],
  ['an undocumented code', { at: 'create', does: 'answer', code: 504, text: quoting }],
  ['a reset', { at: 'create', does: 'refuse' }],
  ['a timeout', { at: 'create', does: 'hang' }],
  ['a lost answer', { at: 'create', does: 'lose-answer' }],
  ['an answer of a gateway', { at: 'create', does: 'garble-answer' }],
];

test.each(faults)('an order that ends in %s leaks nothing', async (_name, fault) => {
  recorded.reset();
  kie.failNext(fault);
  const error = await withClient(kie.apiUrl, client => rejectionOf(client.createTask(order)), 1_000);
  expect(recorded.spans()).toHaveLength(1);
  expect(visible(error)).not.toMatch(canary);
});

test('an order that reaches nobody, or an echo, leaks nothing', async () => {
  recorded.reset();
  const refused = await withClient(await closedUrl(), client => rejectionOf(client.createTask(order)));
  const garbled = await withClient(echo.url, client => rejectionOf(client.createTask(order)));
  expect([refused.code, garbled.code]).toEqual(['KIE_NOT_REACHED', 'KIE_UNKNOWN_OUTCOME']);
  expect(visible([refused, garbled])).not.toMatch(canary);
});

test('a task that succeeds or fails with a text that quotes the prompt leaks nothing', async () => {
  recorded.reset();
  kie.failNext({ at: 'outcome', does: 'fail', failCode: `E ${prompt}`, failMsg: quoting });
  const statuses = await withClient(kie.apiUrl, async client => {
    const failing = await client.createTask(order);
    const succeeding = await client.createTask(order);
    await kie.advance(3);
    return [await client.recordInfo(failing.vendorTaskId), await client.recordInfo(succeeding.vendorTaskId)];
  });
  expect(statuses).toMatchObject([
    { state: 'failed', reason: 'CONTENT_REJECTED', code: 'unprintable' },
    { state: 'succeeded' },
  ]);
  expect(recorded.spans()).toHaveLength(4);
  expect(visible(statuses)).not.toMatch(canary);
});

test('the search itself finds a canary where there is one', async () => {
  recorded.reset();
  await rejectionOf(
    recorded.telemetry.inSpan('leak', {}, async () => {
      throw new AppError({ code: 'TIMEOUT', message: prompt });
    }),
  );
  expect(visible()).toMatch(canary);
});
