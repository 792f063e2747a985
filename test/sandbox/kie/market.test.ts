import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { call, create, createTask, goodOrder, record, start } from './support.ts';

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
  test('move through their states when asked to, with the times of the given clock', async () => {
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
