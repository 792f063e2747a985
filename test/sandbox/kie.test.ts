import { createHmac } from 'node:crypto';
import fastify from 'fastify';
import { request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type KieSandbox, type KieSandboxOptions, startKieSandbox } from '../../src/sandbox/kie/index.ts';

import { closedUrl } from '../kie/loopback-server.ts';

const releases: (() => Promise<void>)[] = [];
const goodOrder = { model: 'z-image', input: { prompt: 'a red fox', aspect_ratio: '16:9' } };

afterEach(async () => {
  for (let release = releases.pop(); release; release = releases.pop()) await release();
});

async function start(options: KieSandboxOptions = {}): Promise<KieSandbox> {
  const kie = await startKieSandbox({ stepMs: 'manual', callbackRetryDelayMs: 1, ...options });
  releases.push(() => kie.stop());
  return kie;
}

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** Takes callbacks; the given statuses are answered in turn, then 200. */
async function startReceiver(...statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = fastify({ forceCloseConnections: true });
  server.post('/callback', async ({ headers, body }, reply) => {
    received.push({ headers, body });
    return reply.code(statuses.shift() ?? 200).send();
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  releases.push(() => server.close());
  return { url: `${url}/callback`, received };
}

const envelopeSchema = z.strictObject({ code: z.int(), msg: z.string(), data: z.unknown() });

async function call(kie: KieSandbox, method: 'GET' | 'POST', path: string, body?: unknown, key = kie.apiKey) {
  const response = await request(kie.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : body === undefined ? null : JSON.stringify(body),
    reset: true,
  });
  return { status: response.statusCode, ...envelopeSchema.parse(await response.body.json()) };
}

const create = (kie: KieSandbox, order: unknown = goodOrder) =>
  call(kie, 'POST', '/api/v1/jobs/createTask', order);

async function createTask(kie: KieSandbox, callBackUrl?: string): Promise<string> {
  const { data } = await create(kie, { ...goodOrder, callBackUrl });
  return z.object({ taskId: z.string() }).parse(data).taskId;
}

const recordSchema = z.looseObject({ state: z.string(), resultJson: z.string(), failCode: z.string() });

async function record(kie: KieSandbox, taskId: string) {
  const { data } = await call(kie, 'GET', `/api/v1/jobs/recordInfo?taskId=${taskId}`);
  return recordSchema.parse(data);
}

describe('orders', () => {
  test('a good one gives a task id and costs its credits', async () => {
    const kie = await start({ credits: 10 });
    expect(await create(kie)).toMatchObject({
      status: 200,
      code: 200,
      data: { taskId: kie.tasks()[0]?.taskId },
    });
    expect(kie.credits()).toBe(9.2);
    expect(await call(kie, 'GET', '/api/v1/chat/credit')).toMatchObject({ code: 200, data: 9.2 });
  });

  test.each([
    [422, 'an unknown model', { ...goodOrder, model: 'z-picture' }],
    [422, 'no prompt', { ...goodOrder, input: { aspect_ratio: '1:1' } }],
    [
      422,
      'a prompt that is too long',
      { ...goodOrder, input: { prompt: 'x'.repeat(1001), aspect_ratio: '1:1' } },
    ],
    [422, 'no aspect ratio', { ...goodOrder, input: { prompt: 'x' } }],
    [422, 'an aspect ratio that is none', { ...goodOrder, input: { prompt: 'x', aspect_ratio: '5:7' } }],
    [422, 'a callback to a public host', { ...goodOrder, callBackUrl: 'https://example.com/' }],
    [400, 'no input', { model: 'z-image' }],
    [400, 'a body that is no JSON', '{'],
  ])('%i answers %s', async (code, _name, order) => {
    const kie = await start();
    expect(await create(kie, order)).toMatchObject({ code, data: null });
    expect(kie.createdCount()).toBe(0);
    expect(kie.credits()).toBe(1000);
  });

  test('a refused parameter is named', async () => {
    const kie = await start();
    const answer = await create(kie, { ...goodOrder, input: { prompt: 'x', aspect_ratio: '5:7' } });
    expect(answer.msg).toContain('aspect_ratio');
  });

  test('402 answers when the credits are used up', async () => {
    const kie = await start({ credits: 1.6 });
    const codes = [];
    for (let count = 0; count < 3; count++) codes.push((await create(kie)).code);
    expect(codes).toEqual([200, 200, 402]);
    kie.setCredits(1);
    expect((await create(kie)).code).toBe(200);
  });

  test('401 answers a wrong key on every endpoint', async () => {
    const kie = await start();
    for (const path of ['/api/v1/jobs/recordInfo?taskId=x', '/api/v1/chat/credit'])
      expect(await call(kie, 'GET', path, undefined, 'wrong')).toMatchObject({
        code: 401,
        msg: 'You do not have access permissions',
      });
    const order = await call(kie, 'POST', '/api/v1/jobs/createTask', goodOrder, 'wrong');
    expect(order.code).toBe(401);
    expect(kie.createdCount()).toBe(0);
  });
});

describe('tasks', () => {
  test('move through their states when told to, with the times of the given clock', async () => {
    let now = 1_790_000_000_000;
    const kie = await start({ now: () => now });
    const taskId = await createTask(kie);
    const states = [];
    for (let step = 0; step < 5; step++) {
      states.push((await record(kie, taskId)).state);
      now += 1000;
      await kie.advance();
    }
    expect(states).toEqual(['waiting', 'queuing', 'generating', 'success', 'success']);
    expect(await record(kie, taskId)).toEqual({
      taskId,
      model: 'z-image',
      state: 'success',
      param: JSON.stringify(goodOrder),
      resultJson: JSON.stringify({ resultUrls: [`${kie.apiUrl}/files/${taskId}.png`] }),
      failCode: '',
      failMsg: '',
      costTime: 3000,
      createTime: 1_790_000_000_000,
      updateTime: 1_790_000_003_000,
      completeTime: 1_790_000_003_000,
      creditsConsumed: 0.8,
    });
  });

  test('move by themselves when they have a step time', async () => {
    const kie = await start({ stepMs: 1 });
    const taskId = await createTask(kie);
    await expect.poll(() => record(kie, taskId)).toMatchObject({ state: 'success' });
  });

  test.each([
    ['1:1', 512, 512],
    ['4:3', 512, 384],
    ['3:4', 384, 512],
    ['16:9', 512, 288],
    ['9:16', 288, 512],
  ])('give a picture of the ratio %s', async (aspect_ratio, width, height) => {
    const kie = await start();
    await create(kie, { model: 'z-image', input: { prompt: 'x', aspect_ratio } });
    const taskId = kie.tasks()[0]?.taskId;
    const url = `${kie.apiUrl}/files/${taskId}.png`;
    const early = await request(url);
    await early.body.dump();
    expect(early.statusCode).toBe(404);
    await kie.advance(3);
    const response = await request(url);
    const picture = Buffer.from(await response.body.arrayBuffer());
    expect(response.headers['content-type']).toBe('image/png');
    expect(picture.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([width, height]);
  });

  test('404 answers a task that does not exist, 400 a question without one', async () => {
    const kie = await start();
    expect(await call(kie, 'GET', '/api/v1/jobs/recordInfo?taskId=x')).toMatchObject({
      status: 404,
      code: 404,
    });
    expect(await call(kie, 'GET', '/api/v1/jobs/recordInfo')).toMatchObject({ code: 400 });
    expect(await call(kie, 'GET', '/api/v1/nothing')).toMatchObject({ status: 404, code: 404 });
  });
});

describe('callbacks', () => {
  test('carry the record and a signature over task and time', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ webhookHmacKey: 'hmac-key', now: () => 1_790_000_000_999 });
    const taskId = await createTask(kie, url);
    await kie.advance(2);
    expect(received).toEqual([]);
    await kie.advance();
    const signature = createHmac('sha256', 'hmac-key').update(`${taskId}.1790000000`).digest('base64');
    expect(received).toMatchObject([
      {
        headers: { 'x-webhook-timestamp': '1790000000', 'x-webhook-signature': signature },
        body: { code: 200, data: { taskId, state: 'success' } },
      },
    ]);
    expect(received[0]?.body).toEqual(kie.callbackBody(taskId));
  });

  test('are not signed without a key', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    await createTask(kie, url);
    await kie.advance(3);
    expect(received).toHaveLength(1);
    expect(received[0]?.headers).not.toHaveProperty('x-webhook-signature');
  });

  test('tell of failures with the code 501', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'outcome', does: 'fail', failCode: '500', failMsg: 'no luck' });
    await createTask(kie, url);
    await kie.advance(3);
    expect(received).toMatchObject([
      { body: { code: 501, data: { state: 'fail', failCode: '500', failMsg: 'no luck', resultJson: '' } } },
    ]);
  });

  test('are repeated until they are taken, three times at most', async () => {
    const kie = await start();
    const taken = await startReceiver(500, 503);
    await createTask(kie, taken.url);
    await kie.advance(3);
    expect(kie.callbacks().map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 500],
      [2, 503],
      [3, 200],
    ]);
    const refusing = await startReceiver(500, 500, 500, 500);
    await createTask(kie, refusing.url);
    await kie.advance(3);
    expect(refusing.received).toHaveLength(3);
  });

  test('have no status where nobody listens', async () => {
    const kie = await start();
    await createTask(kie, await closedUrl());
    await kie.advance(3);
    expect(kie.callbacks().map(({ status }) => status)).toEqual([undefined, undefined, undefined]);
  });

  test('can be kept back, doubled, and signed with a wrong key', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ webhookHmacKey: 'hmac-key', now: () => 1_790_000_000_000 });
    kie.failNext({ at: 'callback', does: 'never' });
    await createTask(kie, url);
    await kie.advance(3);
    expect(received).toHaveLength(0);

    kie.failNext({ at: 'callback', does: 'twice' });
    await createTask(kie, url);
    await kie.advance(3);
    expect(received).toHaveLength(2);
    expect(received[0]?.body).toEqual(received[1]?.body);

    kie.failNext({ at: 'callback', does: 'forge' });
    const taskId = await createTask(kie, url);
    await kie.advance(3);
    expect(received).toHaveLength(3);
    const right = kie.signatureHeaders(taskId);
    expect(received[2]?.headers['x-webhook-timestamp']).toBe(right['X-Webhook-Timestamp']);
    expect(received[2]?.headers['x-webhook-signature']).not.toBe(right['X-Webhook-Signature']);
  });

  test('can arrive before createTask answers', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'callback', does: 'early' });
    const taskId = await createTask(kie, url);
    expect(received).toMatchObject([{ body: { code: 200, data: { taskId, state: 'success' } } }]);
    await kie.advance(3);
    expect(received).toHaveLength(1);
  });

  test('can be invented, with proof or without, for loopback only', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ webhookHmacKey: 'hmac-key' });
    const headers = kie.signatureHeaders('abc', 5);
    expect(await kie.forgeCallback(url, { taskId: 'abc' }, headers)).toEqual({ status: 200 });
    expect(await kie.forgeCallback(url, '{')).toEqual({ status: 400 });
    expect(received).toMatchObject([{ body: { taskId: 'abc' }, headers: { 'x-webhook-timestamp': '5' } }]);
    await expect(kie.forgeCallback('https://example.com/', {})).rejects.toThrow('loopback');
  });
});

describe('faults', () => {
  test.each([402, 422, 429, 451, 455, 500, 501, 505])('an order can be refused with %i', async code => {
    const kie = await start();
    kie.failNext({ at: 'create', does: 'answer', code });
    kie.failNext({ at: 'create', does: 'answer', code, httpStatus: code, text: 'no' });
    expect(await create(kie)).toMatchObject({ status: 200, code });
    expect(await create(kie)).toMatchObject({ status: code, code, msg: 'no' });
    expect(kie.createdCount()).toBe(0);
    expect((await create(kie)).code).toBe(200);
  });

  test('hold as many times as told', async () => {
    const kie = await start();
    kie.failNext({ at: 'create', does: 'answer', code: 429 }, 2);
    const codes = [];
    for (let count = 0; count < 3; count++) codes.push((await create(kie)).code);
    expect(codes).toEqual([429, 429, 200]);
  });

  test.each([
    ['refuse', 0],
    ['lose-answer', 1],
  ] as const)('%s breaks the connection and leaves %i tasks', async (does, tasks) => {
    const kie = await start();
    kie.failNext({ at: 'create', does });
    await expect(create(kie)).rejects.toThrow();
    expect(kie.createdCount()).toBe(tasks);
  });

  test('a hanging order does not keep the stand-in from stopping', async () => {
    const kie = await start();
    kie.failNext({ at: 'create', does: 'hang' });
    const order = create(kie);
    const broken = expect(order).rejects.toThrow();
    await kie.stop();
    await broken;
  });

  test('tasks can fail for content, end without files, never end, or enter an unknown state', async () => {
    const kie = await start();
    const outcomes = ['reject-content', 'give-no-urls', 'never-finish', 'unknown-state'] as const;
    const taskIds = [];
    for (const does of outcomes) {
      kie.failNext({ at: 'outcome', does });
      taskIds.push(await createTask(kie));
    }
    await kie.advance(10);
    const records = await Promise.all(taskIds.map(taskId => record(kie, taskId)));
    expect(records).toMatchObject([
      { state: 'fail', failCode: '422', failMsg: expect.stringContaining('policy') },
      { state: 'success', resultJson: '{"resultUrls":[]}' },
      { state: 'generating' },
      { state: 'postponed' },
    ]);
  });

  test('a result file can be missing', async () => {
    const kie = await start();
    kie.failNext({ at: 'file', does: 'miss' });
    const taskId = await createTask(kie);
    await kie.advance(3);
    const response = await request(`${kie.apiUrl}/files/${taskId}.png`);
    await response.body.dump();
    expect(response.statusCode).toBe(404);
  });

  test('faults of different places combine', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'create', does: 'lose-answer' });
    kie.failNext({ at: 'outcome', does: 'fail' });
    kie.failNext({ at: 'callback', does: 'twice' });
    await expect(createTask(kie, url)).rejects.toThrow();
    await kie.advance(3);
    expect(received.map(({ body }) => z.object({ code: z.int() }).parse(body).code)).toEqual([501, 501]);
  });
});

describe('stopping', () => {
  test('ends deliveries that wait and is the same stop when asked twice', async () => {
    const { url } = await startReceiver(500, 500);
    const kie = await start({ callbackRetryDelayMs: 60_000, stepMs: 1 });
    await createTask(kie, url);
    await expect.poll(() => kie.callbacks().length).toBe(1);
    expect(kie.stop()).toBe(kie.stop());
    await kie.stop();
    expect(kie.callbacks()).toHaveLength(1);
    await expect(request(kie.apiUrl)).rejects.toThrow('ECONNREFUSED');
  });
});
