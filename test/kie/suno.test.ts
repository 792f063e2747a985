import { expect, test } from 'vitest';
import { suno } from '../../src/kie/suno.ts';

const { readStatus } = suno;
const audioUrl = 'https://a.example/1.mp3';
const streamAudioUrl = 'https://a.example/stream/2';
const tracks = {
  sunoData: [
    { id: '1', audioUrl, streamAudioUrl },
    { id: '2', audioUrl: '', streamAudioUrl },
  ],
};

test.each([
  ['PENDING', { state: 'queued' }],
  ['TEXT_SUCCESS', { state: 'running' }],
  ['FIRST_SUCCESS', { state: 'running' }],
  ['success', { state: 'unknown', raw: 'success' }],
  ['A_NEW_STATE', { state: 'unknown', raw: 'A_NEW_STATE' }],
  [null, { state: 'unknown', raw: '' }],
  [1, { state: 'unknown', raw: '' }],
])('the status %j reads as %j', (status, read) => {
  expect(readStatus({ status, response: tracks })).toEqual(read);
});

test('a success gives the file of each track and, where there is none, its stream', () => {
  expect(readStatus({ status: 'SUCCESS', response: tracks })).toEqual({
    state: 'succeeded',
    urls: [audioUrl, streamAudioUrl],
  });
});

test.each([undefined, null, {}, { sunoData: null }, { sunoData: [] }, { sunoData: [null, {}, 'x'] }])(
  'a success with the response %j is a failure',
  response => {
    expect(readStatus({ status: 'SUCCESS', response })).toMatchObject({
      state: 'failed',
      code: 'empty_result',
    });
  },
);

test('a callback that failed is no failure of the task while there are tracks', () => {
  const status = 'CALLBACK_EXCEPTION';
  expect(readStatus({ status, response: tracks })).toMatchObject({ state: 'succeeded' });
  expect(readStatus({ status, response: { sunoData: [{ audioUrl: '' }] } })).toEqual({
    state: 'failed',
    reason: 'DOWNSTREAM_ERROR',
    code: 'CALLBACK_EXCEPTION',
  });
});

test.each([
  [{ status: 'CREATE_TASK_FAILED' }, 'DOWNSTREAM_ERROR', 'CREATE_TASK_FAILED'],
  [{ status: 'GENERATE_AUDIO_FAILED', errorCode: 505 }, 'MODEL_DISABLED', '505'],
  [
    { status: 'GENERATE_AUDIO_FAILED', errorMessage: 'prohibited' },
    'CONTENT_REJECTED',
    'GENERATE_AUDIO_FAILED',
  ],
  [{ status: 'SENSITIVE_WORD_ERROR', errorCode: 400 }, 'CONTENT_REJECTED', 'SENSITIVE_WORD_ERROR'],
])('%j failed for the reason %s', (record, reason, code) => {
  expect(readStatus(record)).toEqual({ state: 'failed', reason, code });
});

test.each([null, undefined, 'text', 5, []])('%j is no record', data => {
  expect(readStatus(data)).toBeUndefined();
});
