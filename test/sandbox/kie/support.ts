// What the tests of the KIE stand-in share: a stand-in that is stopped after its test, calls as a client makes
// them, and a server that takes callbacks.
import fastify from 'fastify';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type KieSandbox, type KieSandboxOptions, startKieSandbox } from '../../../sandbox/kie/index.ts';

export const goodOrder = { model: 'z-image', input: { prompt: 'a red fox', aspect_ratio: '16:9' } };

/** Moves on only when asked to. */
export async function start(options: KieSandboxOptions = {}): Promise<KieSandbox> {
  const kie = await startKieSandbox({ stepMs: 'manual', callbackRetryDelayMs: 1, ...options });
  onTestFinished(() => kie.stop());
  return kie;
}

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** Takes callbacks; the given statuses are answered in turn, then 200. */
export async function startReceiver(...statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = fastify({ forceCloseConnections: true });
  server.post('/callback', async ({ headers, body }, reply) => {
    received.push({ headers, body });
    return reply.code(statuses.shift() ?? 200).send();
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return { url: `${url}/callback`, received };
}

const envelopeSchema = z.strictObject({
  success: z.boolean().optional(),
  code: z.int(),
  msg: z.string(),
  data: z.unknown(),
});

export async function call(
  kie: KieSandbox,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  key: string = kie.apiKey,
) {
  const response = await request(kie.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : body === undefined ? null : JSON.stringify(body),
    reset: true,
  });
  return { status: response.statusCode, ...envelopeSchema.parse(await response.body.json()) };
}

const orderPaths = {
  market: '/api/v1/jobs/createTask',
  veo: '/api/v1/veo/generate',
  suno: '/api/v1/generate',
} as const;

const recordPaths = {
  market: '/api/v1/jobs/recordInfo',
  veo: '/api/v1/veo/record-info',
  suno: '/api/v1/generate/record-info',
} as const;

export type Api = keyof typeof orderPaths;

/** An order as it is sent, good or bad. */
export const create = (kie: KieSandbox, order: unknown = goodOrder, api: Api = 'market') =>
  call(kie, 'POST', orderPaths[api], order);

/** A good order of the simplest model, or of the one that is given; resolves to its task id. */
export async function createTask(
  kie: KieSandbox,
  callBackUrl?: string,
  order: object = goodOrder,
  api: Api = 'market',
): Promise<string> {
  const { data, msg } = await create(kie, { ...order, callBackUrl }, api);
  return z.object({ taskId: z.string() }, { error: msg }).parse(data).taskId;
}

const recordSchema = z.record(z.string(), z.unknown());

/** `data` of a task's record. */
export async function record(kie: KieSandbox, taskId: string, api: Api = 'market') {
  const { data } = await call(kie, 'GET', `${recordPaths[api]}?taskId=${taskId}`);
  return recordSchema.parse(data);
}

/** Rejects with a TimeoutError when the answer takes longer than `limitMs`. */
export async function download(url: string, limitMs = 10_000) {
  const response = await request(url, { reset: true, signal: AbortSignal.timeout(limitMs) });
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    bytes: Buffer.from(await response.body.arrayBuffer()),
  };
}
