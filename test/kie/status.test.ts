import { describe, expect, test } from 'vitest';
import { apiFamilies } from '../../src/catalogue/schema.ts';
import { useClient } from './client-fixture.ts';
import { closedUrl } from './loopback-server.ts';
import { rejectionOf } from './rejection.ts';

const kie = useClient();
const queued = { code: 200, data: { taskId: 'abc', state: 'waiting' } } as const;

test.each([
  ['market', '/api/v1/jobs/recordInfo'],
  ['veo', '/api/v1/veo/record-info'],
  ['suno', '/api/v1/generate/record-info'],
] as const)('a task of %s is looked up at %s', async (api, path) => {
  kie.api.otherwise({ code: 200, data: null });
  await kie.client.status(api, 'abc');
  expect(kie.api.received().map(({ method, url }) => [method, url.pathname + url.search])).toEqual([
    ['GET', `${path}?taskId=abc`],
  ]);
});

test('a task id with special characters stays one parameter', async () => {
  kie.api.otherwise({ code: 404 });
  await kie.client.status('market', 'a&b=c');
  expect(kie.api.received()[0]?.url.search).toBe('?taskId=a%26b%3Dc');
});

describe.each(apiFamilies)('a task of %s', api => {
  test.each([
    ['404', { code: 404, httpStatus: 404, data: null }],
    ['422, record is null', { code: 422, data: null }],
    ['200 without a record', { code: 200, data: null }],
  ])('that KIE does not know yet (%s) is not_found', async (_name, reply) => {
    kie.api.next(reply);
    expect(await kie.client.status(api, 'abc')).toEqual({ state: 'not_found' });
  });

  test('is not known by the record of another one, which holds the files of somebody else', async () => {
    const ofAnother = {
      code: 200,
      data: {
        taskId: 'xyz',
        state: 'success',
        resultJson: '{"resultUrls":["https://files.example/1.png"]}',
        successFlag: 1,
        status: 'SUCCESS',
        response: {
          resultUrls: ['https://files.example/1.png'],
          sunoData: [{ audioUrl: 'https://files.example/1.mp3' }],
        },
      },
    };
    kie.api.next(ofAnother);
    kie.api.otherwise({ code: 200, data: { taskId: 'abc' } });
    expect(await kie.client.status(api, 'abc')).toMatchObject({ state: 'unknown' });
    kie.api.otherwise(ofAnother);
    const error = await rejectionOf(kie.client.status(api, 'abc'));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
  });

  test('in a state that we do not know is unknown, not failed', async () => {
    kie.api.next({ code: 200, data: { state: 'postponed', successFlag: 9, status: 'POSTPONED' } });
    expect(await kie.client.status(api, 'abc')).toMatchObject({ state: 'unknown' });
  });
});

describe('a record that repeats the order', () => {
  const token = 'a'.repeat(32);
  const of = (callBackUrl: string, taskId?: string) => ({
    code: 200,
    data: {
      taskId,
      state: 'success',
      param: JSON.stringify({ model: 'z-image', callBackUrl }),
      resultJson: '{"resultUrls":["https://files.example/1.png"]}',
    },
  });

  test('with the callback address of another task is a failure, and gives no files', async () => {
    kie.api.next(of(`https://bot.example/callbacks/kie/${'b'.repeat(32)}`, 'abc'));
    expect(await kie.client.status('market', 'abc', token)).toEqual({
      state: 'failed',
      reason: 'DOWNSTREAM_ERROR',
      code: 'record_of_another_order',
    });
  });

  test('and names no task is asked for again when the callback address is of another one', async () => {
    kie.api.next(of(`https://bot.example/callbacks/kie/${'b'.repeat(32)}`));
    kie.api.next(of(`https://bot.example/callbacks/kie/${token}`));
    expect(await kie.client.status('market', 'abc', token)).toMatchObject({ state: 'succeeded' });
  });

  test.each([
    ['of this task', `https://bot.example/callbacks/kie/${token}`],
    ['of this task, at a former host', `http://10.0.0.1:8080/base/callbacks/kie/${token}`],
    ['that is none of ours', 'https://api.kie.ai/internal/callback'],
  ])('with a callback address %s is believed', async (_name, url) => {
    kie.api.next(of(url, 'abc'));
    expect(await kie.client.status('market', 'abc', token)).toMatchObject({ state: 'succeeded' });
  });
});

test.each([
  [501, 'market', { state: 'fail', failCode: 505, failMsg: null }, 'MODEL_DISABLED', '505'],
  [400, 'veo', { successFlag: 3, errorCode: 400, errorMessage: 'unsafe image' }, 'CONTENT_REJECTED', '400'],
  [500, 'suno', { status: 'GENERATE_AUDIO_FAILED' }, 'DOWNSTREAM_ERROR', 'GENERATE_AUDIO_FAILED'],
] as const)(
  'a failed record inside an envelope of code %i is read',
  async (code, api, data, reason, failCode) => {
    kie.api.next({ code, data });
    expect(await kie.client.status(api, 'abc')).toEqual({ state: 'failed', reason, code: failCode });
  },
);

describe('a look-up', () => {
  test.each([
    ['reset', 'reset'],
    ['answer of a gateway', 'garble'],
    ['request limit', { code: 429 }],
    ['server error', { code: 500, httpStatus: 500 }],
  ] as const)('is made again after: %s', async (_name, reply) => {
    kie.api.next(reply, reply);
    kie.api.otherwise(queued);
    expect(await kie.client.status('market', 'abc')).toEqual({ state: 'queued' });
    expect(kie.spans().at(-1)?.attributes['http.request.resend_count']).toBe(2);
  });

  test('is not made again after a refusal that cannot pass', async () => {
    kie.api.otherwise({ code: 401 });
    const error = await rejectionOf(kie.client.status('market', 'abc'));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: false, details: { code: 401 } });
    expect(kie.api.received()).toHaveLength(1);
  });

  test('gives up after the last repetition with the last refusal', async () => {
    kie.api.otherwise({ code: 455 });
    const error = await rejectionOf(kie.client.status('market', 'abc'));
    expect(error).toMatchObject({ code: 'KIE_REFUSED', retryable: true, details: { code: 455 } });
    expect(kie.api.received()).toHaveLength(4);
  });

  test('of a host where nobody listens ends as not reached', async () => {
    const error = await rejectionOf(kie.clientOf({ apiUrl: await closedUrl() }).status('market', 'abc'));
    expect(error).toMatchObject({ code: 'KIE_NOT_REACHED', retryable: true });
  });

  test('does not lose its deadline to one try that hangs', async () => {
    kie.api.next('hang');
    kie.api.otherwise(queued);
    expect(await kie.clientOf({ timeoutMs: 3_000 }).status('market', 'abc')).toEqual({ state: 'queued' });
  });

  test('whose tries all hang ends with the deadline of the whole call', async () => {
    const error = await rejectionOf(kie.clientOf({ timeoutMs: 200 }).status('market', 'abc'));
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true });
  });
});
