// Key, prompt and URLs are canaries here: they travel through every way a call can end and must be found nowhere.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { KieClientOptions, VendorOrder } from '../../src/kie/client.ts';
import { createDownloader } from '../../src/kie/download.ts';
import { createSpool } from '../../src/kie/spool.ts';
import { Secret } from '../../src/secret.ts';
import { useClient } from './client-fixture.ts';
import { closedUrl, startLoopbackServer } from './loopback-server.ts';
import { rejectionOf } from './rejection.ts';
import type { Reply } from './scripted-host.ts';

const key = 'canary-key-5f1c';
const prompt = 'canary-prompt-9a27';
const callbackUrl = 'https://bot.example/callbacks/kie/canary-callback-77d0';
const inputUrl = 'https://files.example/canary-input-31be.png?signature=canary-input-signature';
const resultUrl = 'https://files.example/canary-result-c4e8.png';
const canary = /canary-(?:key|prompt|callback|input|result|file)/;

const kie = useClient();
const orderOf = (api: VendorOrder['api']): VendorOrder => ({
  api,
  vendorModel: 'some-model',
  input: { prompt, image_url: inputUrl },
  callbackUrl,
});
const file = { content: Buffer.from('canary-file-content'), mimeType: 'image/png' };

const clientOf = (changes: Partial<KieClientOptions> = {}) =>
  kie.clientOf({ apiKey: new Secret(key), timeoutMs: 1_000, uploadTimeoutMs: 1_000, ...changes });

/** Everything that a reader of logs, traces or a debugger could see of what happened. */
function visible(more?: unknown): string {
  const spans = kie
    .spans()
    .map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links }));
  return inspect(
    { more, spans, lines: kie.recorded.output },
    { depth: Number.POSITIVE_INFINITY, showHidden: true },
  );
}

const msg = `the prompt "${prompt}" of ${key} has sensitive words: ${callbackUrl} ${inputUrl}`;
const replies: readonly (readonly [string, Reply])[] = [
  ['a refusal', { code: 402, msg }],
  ['a refused parameter', { code: 422, msg, data: { prompt, url: inputUrl } }],
  ['an undocumented code', { code: 504, msg }],
  [
    'ids and URLs that are none',
    { code: 200, msg, data: { taskId: `${prompt} ${key}`, downloadUrl: prompt } },
  ],
  ['other data than promised', { code: 200, msg, data: prompt }],
  ['a reset', 'reset'],
  ['silence', 'hang'],
  ['a gateway', 'garble'],
  ['half an answer', 'break-off'],
];

test.each(replies)('calls that end in %s leak nothing', async (_name, reply) => {
  kie.api.otherwise(reply);
  kie.files.otherwise(reply);
  const client = clientOf({ breaker: { failuresToOpen: 2 } });
  const outcomes = await Promise.allSettled([
    client.submit(orderOf('market')),
    client.submit(orderOf('veo')),
    client.submit(orderOf('suno')),
    client.status('market', 'abc'),
    client.creditsLeft(),
    client.upload(file),
  ]);
  expect(kie.spans().length).toBeGreaterThanOrEqual(outcomes.length);
  expect(visible(outcomes)).not.toMatch(canary);
});

test('a host that cannot be reached, and one that echoes what it was sent, leak nothing', async () => {
  const echo = await startLoopbackServer((request, response) => {
    response.write(`${request.headers.authorization} `);
    request.pipe(response);
  });
  try {
    const away = await closedUrl();
    const patience = { timeoutMs: 10_000, uploadTimeoutMs: 10_000 };
    const unreached = clientOf({ apiUrl: away, uploadUrl: away, ...patience });
    const echoing = clientOf({ apiUrl: echo.url, uploadUrl: echo.url, ...patience });
    const errors = await Promise.all([
      rejectionOf(unreached.submit(orderOf('market'))),
      rejectionOf(unreached.upload(file)),
      rejectionOf(echoing.submit(orderOf('market'))),
      rejectionOf(echoing.upload(file)),
    ]);
    expect(errors.map(({ code }) => code)).toEqual([
      'KIE_NOT_REACHED',
      'KIE_NOT_REACHED',
      'KIE_UNKNOWN_OUTCOME',
      'KIE_NOT_REACHED',
    ]);
    expect(visible(errors)).not.toMatch(canary);
  } finally {
    await echo.stop();
  }
});

test('an order of suno without a callback URL leaks nothing', async () => {
  const { callbackUrl: _, ...order } = orderOf('suno');
  expect(visible(await rejectionOf(clientOf().submit(order)))).not.toMatch(canary);
});

test.each([
  ['market', { state: 'fail', failCode: `E ${prompt}`, failMsg: msg }],
  ['market', { state: `${prompt} ${key}`, param: JSON.stringify({ prompt }) }],
  ['veo', { successFlag: 2, errorCode: `E ${prompt}`, errorMessage: msg, paramJson: prompt }],
  ['veo', { successFlag: `E ${prompt}` }],
  ['suno', { status: 'GENERATE_AUDIO_FAILED', errorCode: `E ${prompt}`, errorMessage: msg }],
  ['suno', { status: `E ${prompt}`, response: { sunoData: [{ prompt }] } }],
] as const)('record %# of %s, which quotes the prompt, leaks nothing', async (api, data) => {
  kie.api.otherwise({ code: 200, data });
  const status = await clientOf().status(api, 'abc');
  expect(['failed', 'unknown']).toContain(status.state);
  expect(visible(status)).not.toMatch(canary);
});

test('result URLs reach the caller and nobody else', async () => {
  const data = { state: 'success', resultJson: JSON.stringify({ resultUrls: [resultUrl] }) };
  kie.api.otherwise({ code: 200, data });
  kie.files.otherwise({ code: 200, data: { downloadUrl: inputUrl } });
  expect(await clientOf().status('market', 'abc')).toMatchObject({ urls: [resultUrl] });
  expect(await clientOf().upload(file)).toEqual({ url: inputUrl });
  expect(kie.spans()).toHaveLength(2);
  expect(visible()).not.toMatch(canary);
});

test('a download that fails leaks no URL', async () => {
  const downloader = createDownloader({ allowLoopback: true, timeoutMs: 1_000, spool: createSpool() });
  const paths = ['/canary-result?signature=canary-result', '/canary-result.png'];
  kie.api.next({ code: 500, httpStatus: 500 }, 'reset');
  for (const path of paths) {
    const error = await rejectionOf(downloader.download(kie.api.url + path, { maxBytes: 10 }));
    expect(visible(error)).not.toMatch(canary);
  }
  await downloader.close();
});

test('the search itself finds a canary where there is one', async () => {
  await rejectionOf(
    kie.recorded.telemetry.inSpan('kie leak', {}, async () => {
      throw new AppError({ code: 'TIMEOUT', message: prompt });
    }),
  );
  expect(visible()).toMatch(canary);
});
