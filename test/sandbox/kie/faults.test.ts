import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { create, createTask, record, start, startReceiver } from './support.ts';

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

  test('hold as many times as set', async () => {
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
