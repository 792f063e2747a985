// The endpoints of Veo: flat orders, the success flag, callbacks with the files in `info`.
import { describe, expect, test } from 'vitest';
import { call, create, createTask, download, record, start, startReceiver } from './support.ts';

const order = { prompt: 'a red fox', model: 'veo3_fast', aspect_ratio: '9:16' };

describe('orders', () => {
  test('hold their values beside the model', async () => {
    const kie = await start();
    const callBackUrl = 'http://127.0.0.1:9/callback';
    await createTask(kie, callBackUrl, order, 'veo');
    const { model, ...input } = order;
    expect(kie.tasks()).toMatchObject([{ api: 'veo', model, input, callBackUrl }]);
    expect(kie.credits()).toBe(920);
  });

  test.each([
    ['a model', { prompt: 'a red fox' }],
    ['callBackUrl', { ...order, callbackUrl: 'http://127.0.0.1:9/' }],
    ['aspectRatio', { ...order, aspectRatio: '16:9' }],
    ['duration', { ...order, duration: '8' }],
  ])('without or with a wrong %s they are refused', async (_name, body) => {
    const kie = await start();
    expect(await create(kie, body, 'veo')).toMatchObject({ code: 422 });
    expect(kie.createdCount()).toBe(0);
  });
});

describe('records', () => {
  test('go from flag 0 to flag 1 with the file', async () => {
    const kie = await start({ now: () => 1_790_000_000_000 });
    const taskId = await createTask(kie, undefined, order, 'veo');
    expect(await record(kie, taskId, 'veo')).toEqual({
      taskId,
      paramJson: JSON.stringify(order),
      successFlag: 0,
      response: null,
      errorCode: null,
      errorMessage: '',
      createTime: '2026-09-21 14:13:20',
      completeTime: null,
      fallbackFlag: false,
    });
    await kie.advance(2);
    expect((await record(kie, taskId, 'veo')).successFlag).toBe(0);
    await kie.advance();
    const url = `${kie.apiUrl}/files/${taskId}.mp4`;
    expect(await record(kie, taskId, 'veo')).toMatchObject({
      successFlag: 1,
      completeTime: '2026-09-21 14:13:20',
      response: { resultUrls: [url], originUrls: [url], resolution: '720p' },
    });
    expect(await download(url)).toMatchObject({ status: 200, type: 'video/mp4' });
  });

  test('distinguish a failed generation from refused content and from what nobody knows', async () => {
    const kie = await start();
    const taskIds = [];
    for (const does of ['fail', 'reject-content', 'never-finish', 'unknown-state', 'give-no-urls'] as const) {
      kie.failNext({ at: 'outcome', does });
      taskIds.push(await createTask(kie, undefined, order, 'veo'));
    }
    await kie.advance(4);
    expect(await Promise.all(taskIds.map(taskId => record(kie, taskId, 'veo')))).toMatchObject([
      { successFlag: 3, errorCode: 500, response: null },
      { successFlag: 2, errorCode: 400, errorMessage: expect.stringContaining('policy') },
      { successFlag: 0 },
      { successFlag: 7 },
      { successFlag: 1, response: { resultUrls: [] } },
    ]);
  });

  test('are those of Veo only', async () => {
    const kie = await start();
    const foreign = await createTask(kie);
    const own = await createTask(kie, undefined, order, 'veo');
    expect((await call(kie, 'GET', `/api/v1/veo/record-info?taskId=${foreign}`)).code).toBe(404);
    expect((await call(kie, 'GET', `/api/v1/jobs/recordInfo?taskId=${own}`)).code).toBe(404);
  });
});

describe('callbacks', () => {
  test('come once, at the end, with the addresses in info and a signature', async () => {
    const { url, received } = await startReceiver();
    const kie = await start({ webhookHmacKey: 'hmac-key', now: () => 5_000 });
    const taskId = await createTask(kie, url, order, 'veo');
    await kie.advance(3);
    const file = `${kie.apiUrl}/files/${taskId}.mp4`;
    expect(received).toMatchObject([
      {
        headers: {
          'x-webhook-signature': kie.signatureHeaders(taskId, 5)['X-Webhook-Signature'],
        },
        body: { code: 200, data: { taskId, info: { resultUrls: [file], originUrls: [file] } } },
      },
    ]);
    expect(received[0]?.body).toEqual(kie.callbackBody(taskId));
  });

  test('can write the addresses as text', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'callback', does: 'urls-as-text' });
    const taskId = await createTask(kie, url, order, 'veo');
    await kie.advance(3);
    const resultUrls = `[${kie.apiUrl}/files/${taskId}.mp4]`;
    expect(received).toMatchObject([{ body: { data: { info: { resultUrls } } } }]);
  });

  test('state failures by their code, without files', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'outcome', does: 'reject-content' });
    kie.failNext({ at: 'outcome', does: 'fail', failCode: '501', failMsg: 'no luck' });
    await createTask(kie, url, order, 'veo');
    await kie.advance(3);
    await createTask(kie, url, order, 'veo');
    await kie.advance(3);
    expect(received).toMatchObject([{ body: { code: 400 } }, { body: { code: 501, msg: 'no luck' } }]);
    expect(JSON.stringify(received)).not.toContain('resultUrls');
  });

  test('can come before the order is answered', async () => {
    const { url, received } = await startReceiver();
    const kie = await start();
    kie.failNext({ at: 'callback', does: 'early' });
    const taskId = await createTask(kie, url, order, 'veo');
    expect(received).toMatchObject([{ body: { code: 200, data: { taskId } } }]);
  });
});
