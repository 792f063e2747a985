import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMarketClient, type MarketClient, type MarketOrder } from '../../src/kie/market-client.ts';
import { type KieSandbox, startKieSandbox } from '../../src/sandbox/kie/index.ts';
import { Secret } from '../../src/secret.ts';
import { closedUrl, type LoopbackServer, startLoopbackServer } from './loopback-server.ts';
import { recordTelemetry } from './recorded-telemetry.ts';
import { rejectionOf } from './rejection.ts';

const recorded = recordTelemetry();
const order: MarketOrder = { model: 'z-image', input: { prompt: 'a red fox', aspect_ratio: '16:9' } };

const releases: (() => Promise<void>)[] = [];
let kie: KieSandbox;
let client: MarketClient;

function clientOf(apiUrl: string, options: { apiKey?: string; timeoutMs?: number } = {}): MarketClient {
  const created = createMarketClient({
    apiUrl,
    apiKey: new Secret(options.apiKey ?? kie.apiKey),
    telemetry: recorded.telemetry,
    timeoutMs: options.timeoutMs ?? 5_000,
  });
  releases.push(() => created.close());
  return created;
}

async function serverOf(...parameters: Parameters<typeof startLoopbackServer>): Promise<LoopbackServer> {
  const server = await startLoopbackServer(...parameters);
  releases.push(() => server.stop());
  return server;
}

beforeEach(async () => {
  kie = await startKieSandbox({ stepMs: 'manual' });
  releases.push(() => kie.stop());
  client = clientOf(kie.apiUrl);
  recorded.reset();
});

afterEach(async () => {
  for (let release = releases.pop(); release; release = releases.pop()) await release();
});

describe('createTask', () => {
  test('orders once and gives the task id of KIE', async () => {
    const { vendorTaskId } = await client.createTask(order);
    expect(kie.tasks()).toMatchObject([{ taskId: vendorTaskId, model: 'z-image', input: order.input }]);
  });

  test('sends the callback address under the one spelling that KIE reads', async () => {
    await client.createTask({ ...order, callbackUrl: 'http://127.0.0.1:9/kie/secret' });
    expect(kie.tasks()[0]?.callBackUrl).toBe('http://127.0.0.1:9/kie/secret');
  });

  test.each([
    [400, 'request', 'DOWNSTREAM_ERROR', false],
    [401, 'account', 'DOWNSTREAM_ERROR', false],
    [402, 'account', 'DOWNSTREAM_ERROR', false],
    [422, 'parameters', 'VALIDATION_FAILED', false],
    [429, 'rate_limit', 'DOWNSTREAM_ERROR', true],
    [433, 'account', 'DOWNSTREAM_ERROR', false],
    [451, 'file', 'DOWNSTREAM_ERROR', false],
    [455, 'maintenance', 'DOWNSTREAM_ERROR', true],
    [500, 'server', 'DOWNSTREAM_ERROR', false],
    [501, 'generation', 'DOWNSTREAM_ERROR', false],
    [505, 'switched_off', 'MODEL_DISABLED', false],
    [418, 'undocumented', 'DOWNSTREAM_ERROR', false],
  ])(
    'a definite answer %i is refused as %s, whatever its HTTP status',
    async (code, kind, reason, retryable) => {
      for (const httpStatus of [200, code]) {
        kie.failNext({ at: 'create', does: 'answer', code, httpStatus });
        const error = await rejectionOf(client.createTask(order));
        expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable, details: { code, kind, reason } });
      }
      expect(kie.createdCount()).toBe(0);
    },
  );

  test('a refusal that names the content policy is a content refusal', async () => {
    kie.failNext({ at: 'create', does: 'answer', code: 400, text: 'Prompt was flagged as NSFW' });
    const error = await rejectionOf(client.createTask(order));
    expect(error.details).toMatchObject({ kind: 'content', reason: 'CONTENT_REJECTED' });
  });

  test('a validation refusal names the parameter that KIE named', async () => {
    const input = { prompt: 'a red fox', aspect_ratio: '7:5' };
    const error = await rejectionOf(client.createTask({ model: 'z-image', input }));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', details: { code: 422, field: 'aspect_ratio' } });
  });

  test('a wrong key is a refusal of the account', async () => {
    const error = await rejectionOf(clientOf(kie.apiUrl, { apiKey: 'wrong-key' }).createTask(order));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', details: { code: 401, kind: 'account' } });
  });

  test('a 4xx of a gateway without an envelope is a definite refusal', async () => {
    const server = await serverOf((_request, response) =>
      response.writeHead(429).end('<html>slow down</html>'),
    );
    const error = await rejectionOf(clientOf(server.url).createTask(order));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: true, details: { code: 429 } });
  });

  test('nobody listening means not reached and may be tried again', async () => {
    const error = await rejectionOf(clientOf(await closedUrl()).createTask(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('a host without an address means not reached', async () => {
    const error = await rejectionOf(clientOf('http://kie.invalid', { timeoutMs: 4_000 }).createTask(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
  });

  test('a failed TLS handshake means not reached', async () => {
    const server = await serverOf((_request, response) => response.end());
    const error = await rejectionOf(clientOf(server.url.replace('http:', 'https:')).createTask(order));
    expect(error.code).toBe('KIE_NOT_REACHED');
    expect(server.requestCount()).toBe(0);
  });

  test('a lost answer leaves the outcome unknown, and the order is not sent again', async () => {
    kie.failNext({ at: 'create', does: 'lose-answer' });
    const error = await rejectionOf(client.createTask(order));
    expect(error).toMatchObject({ code: 'KIE_UNKNOWN_OUTCOME', retryable: false });
    expect(kie.createdCount()).toBe(1);
  });

  test('a connection that is reset before an answer leaves the outcome unknown', async () => {
    kie.failNext({ at: 'create', does: 'refuse' });
    const error = await rejectionOf(client.createTask(order));
    expect(error).toMatchObject({ code: 'KIE_UNKNOWN_OUTCOME', retryable: false });
    expect(kie.createdCount()).toBe(0);
  });

  test('a timeout leaves the outcome unknown', async () => {
    kie.failNext({ at: 'create', does: 'hang' });
    const error = await rejectionOf(clientOf(kie.apiUrl, { timeoutMs: 1_000 }).createTask(order));
    expect(error).toMatchObject({ code: 'KIE_UNKNOWN_OUTCOME', retryable: false });
    expect(error.message).toContain('TimeoutError');
  });

  test('an answer that stops half-way leaves the outcome unknown', async () => {
    const server = await serverOf((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"code":200,', () => response.destroy());
    });
    const error = await rejectionOf(clientOf(server.url).createTask(order));
    expect(error.code).toBe('KIE_UNKNOWN_OUTCOME');
  });

  test('an answer of a gateway in front of KIE leaves the outcome unknown', async () => {
    kie.failNext({ at: 'create', does: 'garble-answer' });
    expect((await rejectionOf(client.createTask(order))).code).toBe('KIE_UNKNOWN_OUTCOME');
    kie.failNext({ at: 'create', does: 'answer', code: 504, httpStatus: 504 });
    expect((await rejectionOf(client.createTask(order))).code).toBe('KIE_UNKNOWN_OUTCOME');
  });

  test.each([{}, null, { taskId: '' }, { taskId: 'two words' }, { taskId: 5 }])(
    'a success whose data is %j leaves the outcome unknown',
    async data => {
      const server = await serverOf((_request, response) =>
        response.end(JSON.stringify({ code: 200, msg: 'success', data })),
      );
      expect((await rejectionOf(clientOf(server.url).createTask(order))).code).toBe('KIE_UNKNOWN_OUTCOME');
    },
  );

  test('a server error that names a task counts as created', async () => {
    const server = await serverOf((_request, response) =>
      response.end(JSON.stringify({ code: 500, message: 'oops', data: { taskId: 'abc' } })),
    );
    await expect(clientOf(server.url).createTask(order)).resolves.toEqual({ vendorTaskId: 'abc' });
  });

  test('each order has a connection of its own, so that no idle connection can lose it', async () => {
    const server = await serverOf((_request, response) =>
      response.end(JSON.stringify({ code: 200, data: { taskId: 'abc' }, extra: 'new field' })),
    );
    const orders = clientOf(server.url);
    for (let count = 0; count < 3; count++) await orders.createTask(order);
    expect(server.connectionCount()).toBe(3);
  });
});

describe('recordInfo', () => {
  test('follows a task through its life', async () => {
    const { vendorTaskId } = await client.createTask(order);
    const seen = [];
    for (let step = 0; step < 4; step++) {
      seen.push(await client.recordInfo(vendorTaskId));
      await kie.advance();
    }
    expect(seen).toEqual([
      { state: 'queued' },
      { state: 'queued' },
      { state: 'running' },
      { state: 'succeeded', urls: [`${kie.apiUrl}/files/${vendorTaskId}.png`], costCredits: 0.8 },
    ]);
  });

  test('tells why a task failed', async () => {
    kie.failNext({ at: 'outcome', does: 'fail', failCode: '501', failMsg: 'no luck' });
    kie.failNext({ at: 'outcome', does: 'reject-content' });
    const first = await client.createTask(order);
    const second = await client.createTask(order);
    await kie.advance(3);
    const failed = { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: '501' };
    expect(await client.recordInfo(first.vendorTaskId)).toEqual(failed);
    const rejected = { state: 'failed', reason: 'CONTENT_REJECTED', code: '422' };
    expect(await client.recordInfo(second.vendorTaskId)).toEqual(rejected);
  });

  test('a success without files is a failure', async () => {
    kie.failNext({ at: 'outcome', does: 'give-no-urls' });
    const { vendorTaskId } = await client.createTask(order);
    await kie.advance(3);
    const failed = { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: 'empty_result' };
    expect(await client.recordInfo(vendorTaskId)).toEqual(failed);
  });

  test('a state that we do not know is unknown, not failed', async () => {
    kie.failNext({ at: 'outcome', does: 'unknown-state' });
    const { vendorTaskId } = await client.createTask(order);
    await kie.advance(5);
    expect(await client.recordInfo(vendorTaskId)).toEqual({ state: 'unknown', raw: 'postponed' });
  });

  test.each([
    ['404', { code: 404, msg: 'not found', data: null }],
    ['422 record is null', { code: 422, msg: 'recordInfo is null', data: null }],
    ['200 without a record', { code: 200, msg: 'success', data: null }],
  ])('a task that KIE does not know yet (%s) is not_found', async (_name, answer) => {
    const server = await serverOf((_request, response) => response.end(JSON.stringify(answer)));
    expect(await clientOf(server.url).recordInfo('abc')).toEqual({ state: 'not_found' });
  });

  test('the stand-in does not know foreign tasks', async () => {
    expect(await client.recordInfo('abc')).toEqual({ state: 'not_found' });
  });

  test('a failed record inside an envelope of code 501 is read', async () => {
    const data = { taskId: 'abc', state: 'fail', failCode: 505, failMsg: null };
    const server = await serverOf((_request, response) => response.end(JSON.stringify({ code: 501, data })));
    const failed = { state: 'failed', reason: 'MODEL_DISABLED', code: '505' };
    expect(await clientOf(server.url).recordInfo('abc')).toEqual(failed);
  });

  test.each([
    ['a reset', { at: 'record', does: 'refuse' }],
    ['an answer of a gateway', { at: 'record', does: 'garble-answer' }],
    ['a request limit', { at: 'record', does: 'answer', code: 429 }],
    ['a server error', { at: 'record', does: 'answer', code: 500, httpStatus: 500 }],
  ] as const)('asks again after %s', async (_name, fault) => {
    const { vendorTaskId } = await client.createTask(order);
    kie.failNext(fault, 2);
    expect(await client.recordInfo(vendorTaskId)).toEqual({ state: 'queued' });
    expect(recorded.spans().at(-1)?.attributes['http.request.resend_count']).toBe(2);
  });

  test('does not ask again after a refusal that cannot pass', async () => {
    kie.failNext({ at: 'record', does: 'answer', code: 401 });
    const error = await rejectionOf(client.recordInfo('abc'));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: false, details: { code: 401 } });
  });

  test('gives up after the last repetition with the last refusal', async () => {
    kie.failNext({ at: 'record', does: 'answer', code: 455 }, 4);
    const error = await rejectionOf(client.recordInfo('abc'));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: true, details: { code: 455 } });
  });

  test('nobody listening means not reached', async () => {
    const error = await rejectionOf(clientOf(await closedUrl()).recordInfo('abc'));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
  });

  test('one hanging try does not use up the deadline', async () => {
    kie.failNext({ at: 'record', does: 'hang' });
    const patient = clientOf(kie.apiUrl, { timeoutMs: 3_000 });
    expect(await patient.recordInfo('abc')).toEqual({ state: 'not_found' });
  });

  test('hanging tries end with the deadline of the whole call', async () => {
    kie.failNext({ at: 'record', does: 'hang' }, 4);
    const error = await rejectionOf(clientOf(kie.apiUrl, { timeoutMs: 200 }).recordInfo('abc'));
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true });
  });

  test('a task id with special characters stays one parameter', async () => {
    const asked: (string | undefined)[] = [];
    const server = await serverOf((request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify({ code: 404 }));
    });
    await clientOf(server.url).recordInfo('a&b=c');
    expect(asked).toEqual(['/api/v1/jobs/recordInfo?taskId=a%26b%3Dc']);
  });
});

describe('telemetry', () => {
  test('a call is one client span that names the endpoint and the codes', async () => {
    const { vendorTaskId } = await client.createTask(order);
    await client.recordInfo(vendorTaskId);
    const common = { 'server.address': '127.0.0.1', 'http.response.status_code': 200, 'kie.code': 200 };
    expect(recorded.spans()).toMatchObject([
      {
        name: 'kie createTask',
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          ...common,
          'http.request.method': 'POST',
          'url.path': '/api/v1/jobs/createTask',
        },
      },
      {
        name: 'kie recordInfo',
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.UNSET },
        attributes: { ...common, 'http.request.method': 'GET', 'url.path': '/api/v1/jobs/recordInfo' },
      },
    ]);
  });

  test('a failed call marks its span with the code of the error and the code of KIE', async () => {
    kie.failNext({ at: 'create', does: 'answer', code: 402 });
    await rejectionOf(client.createTask(order));
    expect(recorded.spans()).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR },
        attributes: { 'error.type': 'KIE_REFUSED', 'http.response.status_code': 200, 'kie.code': 402 },
      },
    ]);
  });
});
