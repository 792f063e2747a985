import { describe, expect, test } from 'vitest';
import { parseCallback, verifyCallback } from '../../src/kie/callback.ts';
import { Secret } from '../../src/secret.ts';

// Computed with: printf '%s' "$taskId.$timestamp" | openssl dgst -sha256 -hmac "$key" -binary | base64
const vectors = [
  {
    key: 'whk_test',
    taskId: 'task_123',
    timestamp: '1716470400',
    signature: 'Jl9OU7+geAmee1rlFIJzxhb9dH+5X0cnSY9UeKp32L8=',
  },
  {
    key: 'kie-hmac-key',
    taskId: '281e5b0a6e2b4d1fae5f',
    timestamp: '1790000000',
    signature: 'NNF5LXfX0cf10Y4awmvq5AxzydTnYj9l0vBK7vZtlbg=',
  },
] as const;
const [vector] = vectors;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

function verify(headers: Headers, changes: { key?: string; taskId?: string; nowSeconds?: number } = {}) {
  return verifyCallback({
    key: new Secret(changes.key ?? vector.key),
    taskId: changes.taskId ?? vector.taskId,
    nowSeconds: changes.nowSeconds ?? Number(vector.timestamp),
    headers,
  });
}

const good = { 'x-webhook-timestamp': vector.timestamp, 'x-webhook-signature': vector.signature };

describe('verification', () => {
  test.each(vectors)('the signature of $taskId is accepted', ({ key, taskId, timestamp, signature }) => {
    const headers = { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature };
    expect(verify(headers, { key, taskId, nowSeconds: Number(timestamp) })).toEqual({ ok: true });
  });

  test('header names count in any case', () => {
    const headers = {
      'X-Webhook-Timestamp': vector.timestamp,
      'X-WEBHOOK-SIGNATURE': vector.signature,
    };
    expect(verify(headers)).toEqual({ ok: true });
  });

  test.each([
    ['no headers', {}],
    ['no signature', { 'x-webhook-timestamp': vector.timestamp }],
    ['no timestamp', { 'x-webhook-signature': vector.signature }],
    ['a signature given twice', { ...good, 'X-Webhook-Signature': vector.signature }],
    ['a list of signatures', { ...good, 'x-webhook-signature': [vector.signature] }],
  ])('%s is refused as missing', (_name, headers) => {
    expect(verify(headers)).toEqual({ ok: false, reason: 'header_missing' });
  });

  test.each([
    ['another key', good, { key: 'other' }],
    ['another task', good, { taskId: 'task_124' }],
    ['another time', { ...good, 'x-webhook-timestamp': '1716470401' }, {}],
    ['a shorter signature', { ...good, 'x-webhook-signature': vector.signature.slice(0, -1) }, {}],
    ['another alphabet', { ...good, 'x-webhook-signature': vector.signature.replace('+', '-') }, {}],
    ['an empty signature', { ...good, 'x-webhook-signature': '' }, {}],
    ['the task and time shifted', good, { taskId: `${vector.taskId}.` }],
  ])('a signature with %s is wrong', (_name, headers, changes) => {
    expect(verify(headers, changes)).toEqual({ ok: false, reason: 'signature_wrong' });
  });

  test.each(['', 'now', '-5', '1e9', '1716470400.5', '9'.repeat(13)])(
    'the timestamp %j is refused',
    timestamp => {
      expect(verify({ ...good, 'x-webhook-timestamp': timestamp })).toEqual({
        ok: false,
        reason: 'timestamp_invalid',
      });
    },
  );

  test('five minutes off in either direction is the limit', () => {
    const sent = Number(vector.timestamp);
    for (const nowSeconds of [sent - 300, sent + 300])
      expect(verify(good, { nowSeconds })).toEqual({ ok: true });
    for (const nowSeconds of [sent - 301, sent + 301])
      expect(verify(good, { nowSeconds })).toEqual({ ok: false, reason: 'timestamp_off' });
  });
});

describe('parsing', () => {
  test.each([
    ['data.taskId', { code: 200, data: { taskId: 'abc', state: 'success' } }],
    ['data.task_id', { code: 200, data: { task_id: 'abc', callbackType: 'complete' } }],
    ['taskId beside data', { taskId: 'abc', data: { state: 'success' } }],
    ['taskId without data', { taskId: 'abc', state: 'success' }],
    ['data.taskId before all others', { taskId: 'x', data: { taskId: 'abc', task_id: 'y' } }],
  ])('the task is named by %s', (_name, body) => {
    expect(parseCallback(body)).toEqual({ vendorTaskId: 'abc', isFinal: true });
  });

  test.each([
    ['a success of market', { code: 200, data: { taskId: 'abc', state: 'success' } }],
    ['a failure of market', { code: 501, data: { taskId: 'abc', state: 'fail' } }],
    ['a success of veo', { code: 200, data: { taskId: 'abc', info: { resultUrls: '[]' } } }],
    ['a failure of veo', { code: 400, msg: 'flagged', data: { taskId: 'abc', fallbackFlag: false } }],
    ['all tracks of suno', { code: 200, data: { task_id: 'abc', callbackType: 'complete', data: [{}] } }],
    ['a failure of suno', { code: 501, data: { task_id: 'abc', callbackType: 'error', data: null } }],
    ['what says nothing', { task_id: 'abc' }],
    ['a state of the wrong type', { data: { taskId: 'abc', state: 5, callbackType: null } }],
  ])('%s is final', (_name, body) => {
    expect(parseCallback(body)).toEqual({ vendorTaskId: 'abc', isFinal: true });
  });

  test.each([
    { data: { task_id: 'abc', callbackType: 'text' } },
    { data: { task_id: 'abc', callbackType: 'first', data: [{}] } },
    { data: { taskId: 'abc', state: 'waiting' } },
    { data: { taskId: 'abc', state: 'queuing' } },
    { taskId: 'abc', state: 'generating' },
  ])('%j is news on the way', body => {
    expect(parseCallback(body)).toEqual({ vendorTaskId: 'abc', isFinal: false });
  });

  test.each([
    null,
    undefined,
    'text',
    5,
    [],
    {},
    { data: null },
    { data: {} },
    { data: { taskId: '' } },
    { data: { taskId: 7 } },
    { data: { taskId: 'with space' } },
    { data: { taskId: 'a'.repeat(129) } },
  ])('%j names no task', body => {
    expect(parseCallback(body)).toBeUndefined();
  });
});
