import { describe, expect, test } from 'vitest';
import type { VendorOrder } from '../../src/kie/client.ts';
import { families } from '../../src/kie/families.ts';
import { apiKey, useClient } from './client-fixture.ts';
import { closedUrl, startLoopbackServer } from './loopback-server.ts';
import { rejectionOf } from './rejection.ts';
import type { Received } from './scripted-host.ts';

const kie = useClient();
const input = { prompt: 'a red fox', aspect_ratio: '16:9' };
const order: VendorOrder = { api: 'market', vendorModel: 'z-image', input };
const callbackUrl = 'https://bot.example/callbacks/kie/secret';
const accepted = { code: 200, msg: 'success', data: { taskId: 'task-1' } } as const;

function sent(received: Received | undefined): unknown {
  return JSON.parse(String(received?.body));
}

describe('an order', () => {
  test('is sent once, with the key, and gives the task id of KIE', async () => {
    kie.api.otherwise(accepted);
    await expect(kie.client.submit(order)).resolves.toEqual({ vendorTaskId: 'task-1' });
    expect(kie.api.received()).toMatchObject([
      {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      },
    ]);
  });

  test.each([
    {
      api: 'market',
      path: '/api/v1/jobs/createTask',
      body: { model: 'some-model', input, callBackUrl: callbackUrl },
    },
    {
      api: 'veo',
      path: '/api/v1/veo/generate',
      body: { model: 'some-model', ...input, callBackUrl: callbackUrl },
    },
    {
      api: 'suno',
      path: '/api/v1/generate',
      body: { model: 'some-model', ...input, callBackUrl: callbackUrl },
    },
  ] as const)('of the family $api goes to $path in its own form', async ({ api, path, body }) => {
    kie.api.otherwise(accepted);
    await kie.client.submit({ api, vendorModel: 'some-model', input, callbackUrl });
    const [received] = kie.api.received();
    expect(received?.url.pathname).toBe(path);
    expect(sent(received)).toEqual(body);
  });

  test('that is not wanted any more when its connection stands is not sent, and no fault of the host', async () => {
    const client = kie.clientOf({ breaker: { failuresToOpen: 1 } });
    kie.api.otherwise(accepted);
    const error = await rejectionOf(
      client.submit(order, () => {
        throw new Error('too late');
      }),
    );
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true, details: { withheld: 'Error' } });
    expect(client.breakerState()).toBe('closed');
    expect(kie.api.connectionCount()).toBe(1);
    expect(kie.api.received()).toEqual([]);
    await expect(client.submit(order)).resolves.toEqual({ vendorTaskId: 'task-1' });
  });

  test.each(['market', 'veo'] as const)('of the family %s can do without a callback URL', async api => {
    kie.api.otherwise(accepted);
    await kie.client.submit({ ...order, api });
    expect(families[api].needsCallback).toBe(false);
    expect(sent(kie.api.received()[0])).not.toHaveProperty('callBackUrl');
  });

  test('of suno without a callback URL is refused before anything is sent', async () => {
    const error = await rejectionOf(kie.client.submit({ ...order, api: 'suno' }));
    expect(error).toMatchObject({
      code: 'KIE_REFUSED',
      retryable: false,
      details: { kind: 'callback_missing', reason: 'MODEL_DISABLED', charge: 'not_charged' },
    });
    expect(error.message).toContain('needs a callback URL');
    expect(families.suno.needsCallback).toBe(true);
    expect(kie.api.received()).toEqual([]);
  });

  test('cannot have its model replaced by a parameter of the same name', async () => {
    kie.api.otherwise(accepted);
    await kie.client.submit({ api: 'veo', vendorModel: 'veo3', input: { model: 'other', callBackUrl: 'x' } });
    expect(sent(kie.api.received()[0])).toEqual({ model: 'veo3' });
  });

  test('has a connection of its own, so that no idle connection can lose it', async () => {
    kie.api.otherwise(accepted);
    for (let count = 0; count < 3; count++) await kie.client.submit(order);
    expect(kie.api.connectionCount()).toBe(3);
  });
});

describe('a refusal', () => {
  test.each([
    [400, 'request', 'DOWNSTREAM_ERROR', 'not_charged', false],
    [401, 'account', 'SERVICE_PAUSED', 'not_charged', false],
    [402, 'account', 'SERVICE_PAUSED', 'not_charged', false],
    [404, 'not_found', 'DOWNSTREAM_ERROR', 'not_charged', false],
    [422, 'parameters', 'VALIDATION_FAILED', 'not_charged', false],
    [429, 'rate_limit', 'RATE_LIMIT', 'not_charged', true],
    [433, 'account', 'SERVICE_PAUSED', 'not_charged', false],
    [451, 'file', 'FILE_UNREACHABLE', 'not_charged', false],
    [455, 'maintenance', 'DOWNSTREAM_ERROR', 'not_charged', true],
    [500, 'server', 'DOWNSTREAM_ERROR', 'unknown', false],
    [501, 'generation', 'DOWNSTREAM_ERROR', 'unknown', false],
    [505, 'switched_off', 'MODEL_DISABLED', 'not_charged', false],
    [418, 'undocumented', 'DOWNSTREAM_ERROR', 'unknown', false],
  ])('%i is one of %s, whatever its HTTP status', async (code, kind, reason, charge, retryable) => {
    for (const httpStatus of [200, code]) {
      kie.api.next({ code, httpStatus });
      const error = await rejectionOf(kie.client.submit(order));
      expect(error).toMatchObject({
        code: 'KIE_REFUSED',
        retryable,
        details: { code, kind, reason, charge },
      });
    }
    expect(kie.api.received()).toHaveLength(2);
  });

  test('that names the content policy is one of the content', async () => {
    kie.api.next({ code: 400, msg: 'Prompt was flagged as NSFW' });
    const error = await rejectionOf(kie.client.submit(order));
    expect(error.details).toMatchObject({ kind: 'content', reason: 'CONTENT_REJECTED' });
  });

  test('names the parameter that KIE named, if we sent it', async () => {
    kie.api.next({ code: 422, msg: 'aspect_ratio is not within the range of allowed options' });
    kie.api.next({ code: 422, msg: 'resolution is required' });
    expect((await rejectionOf(kie.client.submit(order))).details).toMatchObject({ field: 'aspect_ratio' });
    expect((await rejectionOf(kie.client.submit(order))).details).not.toHaveProperty('field');
  });

  test('of a gateway without an envelope is definite when its status is 4xx', async () => {
    const server = await startLoopbackServer((_request, response) => response.writeHead(429).end('<html>'));
    try {
      const error = await rejectionOf(kie.clientOf({ apiUrl: server.url }).submit(order));
      expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: true, details: { code: 429 } });
    } finally {
      await server.stop();
    }
  });
});

describe('not reached, which may be tried again,', () => {
  test('is a host where nobody listens', async () => {
    const error = await rejectionOf(kie.clientOf({ apiUrl: await closedUrl() }).submit(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('is a host without an address', async () => {
    const error = await rejectionOf(kie.clientOf({ apiUrl: 'http://kie.invalid' }).submit(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
  });

  test('is a host that fails the TLS handshake', async () => {
    const apiUrl = kie.api.url.replace('http:', 'https:');
    const error = await rejectionOf(kie.clientOf({ apiUrl }).submit(order));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
    expect(kie.api.received()).toEqual([]);
  });
});

describe('the outcome is unknown, and nothing is sent again,', () => {
  test.each(['reset', 'garble', 'break-off'] as const)('after the answer %s', async reply => {
    kie.api.next(reply);
    const error = await rejectionOf(kie.client.submit(order));
    expect(error).toMatchObject({ code: 'KIE_UNKNOWN_OUTCOME', retryable: false });
    expect(kie.api.received()).toHaveLength(1);
  });

  test('after a timeout', async () => {
    const error = await rejectionOf(kie.clientOf({ timeoutMs: 500 }).submit(order));
    expect(error).toMatchObject({ code: 'KIE_UNKNOWN_OUTCOME', retryable: false });
    expect(error.message).toContain('TimeoutError');
    expect(kie.api.received()).toHaveLength(1);
  });

  test('after a server error that no document knows', async () => {
    kie.api.next({ code: 504, httpStatus: 504 });
    expect((await rejectionOf(kie.client.submit(order))).code).toBe('KIE_UNKNOWN_OUTCOME');
  });

  test.each([{}, null, { taskId: '' }, { taskId: 'two words' }, { taskId: 5 }])(
    'after a success whose data is %j',
    async data => {
      kie.api.next({ code: 200, data });
      expect((await rejectionOf(kie.client.submit(order))).code).toBe('KIE_UNKNOWN_OUTCOME');
    },
  );
});

test('a server error that names a task counts as created', async () => {
  kie.api.next({ code: 500, data: { taskId: 'abc' } });
  await expect(kie.client.submit(order)).resolves.toEqual({ vendorTaskId: 'abc' });
});
