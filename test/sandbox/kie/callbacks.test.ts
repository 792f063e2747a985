import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { closedUrl } from '../../kie/loopback-server.ts';
import { createTask, start, startReceiver } from './support.ts';

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

  test('report failures with the code 501', async () => {
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
