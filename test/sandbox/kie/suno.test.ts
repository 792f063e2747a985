// The endpoints of Suno: orders that need a callback address, two tracks, callbacks in three steps.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { KieSandbox } from '../../../sandbox/kie/index.ts';
import { create, createTask, download, record, start, startReceiver } from './support.ts';

const order = { prompt: 'a song of a red fox', model: 'V5', customMode: false, instrumental: false };
const nowhere = 'http://127.0.0.1:9/callback';

const bodySchema = z.object({
  code: z.int(),
  data: z.object({
    callbackType: z.string(),
    task_id: z.string(),
    data: z.array(z.looseObject({ audio_url: z.string() })),
  }),
});
const typesOf = (received: readonly { body: unknown }[]) =>
  received.map(({ body }) => bodySchema.parse(body).data.callbackType);

const filesOf = (kie: KieSandbox, taskId: string) => [
  `${kie.apiUrl}/files/${taskId}.mp3`,
  `${kie.apiUrl}/files/${taskId}-2.mp3`,
];

test('an order without a callback address is refused', async () => {
  const kie = await start();
  expect(await create(kie, order, 'suno')).toMatchObject({ code: 422, msg: 'callBackUrl: required' });
});

describe('records', () => {
  test('go through text and first track to both tracks', async () => {
    const kie = await start();
    kie.failNext({ at: 'callback', does: 'never' });
    const taskId = await createTask(kie, nowhere, order, 'suno');
    const [first, second] = filesOf(kie, taskId);
    expect(await record(kie, taskId, 'suno')).toMatchObject({ taskId, status: 'PENDING', response: null });
    const seen = [];
    for (let step = 0; step < 3; step++) {
      await kie.advance();
      seen.push(await record(kie, taskId, 'suno'));
    }
    const tracks = (...urls: unknown[]) => ({ sunoData: urls.map(audioUrl => ({ audioUrl })) });
    expect(seen).toMatchObject([
      { status: 'TEXT_SUCCESS', response: tracks('', '') },
      { status: 'FIRST_SUCCESS', response: tracks(first, '') },
      { status: 'SUCCESS', response: tracks(first, second), errorCode: null },
    ]);
    expect(seen[2]?.response).toMatchObject({
      sunoData: [
        { id: `${taskId}-1`, streamAudioUrl: first, title: 'Untitled', duration: 1 },
        { id: `${taskId}-2`, streamAudioUrl: second },
      ],
    });
  });

  test('a track can be fetched as soon as it is named', async () => {
    const kie = await start();
    kie.failNext({ at: 'callback', does: 'never' });
    const taskId = await createTask(kie, nowhere, order, 'suno');
    const statuses = async () =>
      (await Promise.all(filesOf(kie, taskId).map(url => download(url)))).map(({ status }) => status);
    await kie.advance();
    expect(await statuses()).toEqual([404, 404]);
    await kie.advance();
    expect(await statuses()).toEqual([200, 404]);
    await kie.advance();
    expect(await statuses()).toEqual([200, 200]);
  });

  test('name each way to fail', async () => {
    const kie = await start();
    const taskIds = [];
    for (const does of ['fail', 'reject-content', 'callback-exception', 'unknown-state'] as const) {
      kie.failNext({ at: 'outcome', does });
      kie.failNext({ at: 'callback', does: 'never' });
      taskIds.push(await createTask(kie, nowhere, order, 'suno'));
    }
    await kie.advance(3);
    const [, , third = ''] = taskIds;
    expect(await Promise.all(taskIds.map(taskId => record(kie, taskId, 'suno')))).toMatchObject([
      { status: 'GENERATE_AUDIO_FAILED', errorCode: 501, response: { sunoData: [] } },
      { status: 'SENSITIVE_WORD_ERROR', errorCode: 400, response: { sunoData: [] } },
      {
        status: 'CALLBACK_EXCEPTION',
        response: { sunoData: filesOf(kie, third).map(audioUrl => ({ audioUrl })) },
      },
      { status: 'POSTPONED' },
    ]);
  });
});

describe('callbacks', () => {
  test('come in three steps and in snake_case, each signed', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ webhookHmacKey: 'hmac-key' });
    const taskId = await createTask(kie, url, order, 'suno');
    await kie.advance(3);
    const [first, second] = filesOf(kie, taskId);
    expect(received).toMatchObject([
      { body: { code: 200, data: { callbackType: 'text', task_id: taskId, data: [] } } },
      { body: { code: 200, data: { callbackType: 'first', data: [{ audio_url: first }] } } },
      {
        body: {
          code: 200,
          data: { callbackType: 'complete', data: [{ audio_url: first }, { audio_url: second }] },
        },
      },
    ]);
    for (const { headers } of received) expect(headers).toHaveProperty('x-webhook-signature');
  });

  test('keep their order although one of them has to be repeated', async () => {
    const { url, received } = await startReceiver(500);
    const kie = await start();
    await createTask(kie, url, order, 'suno');
    await kie.advance(3);
    expect(typesOf(received)).toEqual(['text', 'text', 'first', 'complete']);
  });

  test('skip the steps that are not asked for', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ sunoSteps: ['complete'] });
    await createTask(kie, url, order, 'suno');
    await kie.advance(3);
    expect(typesOf(received)).toEqual(['complete']);
  });

  test('end with an error when the task fails', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ sunoSteps: [] });
    kie.failNext({ at: 'outcome', does: 'fail', failMsg: 'no luck' });
    await createTask(kie, url, order, 'suno');
    await kie.advance(3);
    expect(received).toMatchObject([
      { body: { code: 501, msg: 'no luck', data: { callbackType: 'error', data: [] } } },
    ]);
  });

  test.each([
    ['early', ['text', 'first', 'complete']],
    ['twice', ['text', 'text', 'first', 'first', 'complete', 'complete']],
    ['never', []],
  ] as const)('with the fault %s come as %j', async (does, types) => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'callback', does });
    await createTask(kie, url, order, 'suno');
    if (does === 'early') expect(typesOf(received)).toEqual(types);
    await kie.advance(3);
    expect(typesOf(received)).toEqual(types);
  });

  test('can be signed with a wrong key', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ webhookHmacKey: 'hmac-key', now: () => 5_000, sunoSteps: ['complete'] });
    kie.failNext({ at: 'callback', does: 'forge' });
    const taskId = await createTask(kie, url, order, 'suno');
    await kie.advance(3);
    const right = kie.signatureHeaders(taskId, 5)['X-Webhook-Signature'];
    expect(received).toHaveLength(1);
    expect(received[0]?.headers['x-webhook-signature']).not.toBe(right);
  });
});
