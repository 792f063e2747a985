import { expect, test } from 'vitest';
import { market } from '../../src/kie/market.ts';

const { readStatus } = market;
const empty = { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: 'empty_result' };

test.each([
  ['waiting', { state: 'queued' }],
  ['queuing', { state: 'queued' }],
  ['generating', { state: 'running' }],
  ['paused', { state: 'unknown', raw: 'paused' }],
  ['SUCCESS', { state: 'unknown', raw: 'SUCCESS' }],
  ['a state with spaces', { state: 'unknown', raw: 'unprintable' }],
  [null, { state: 'unknown', raw: '' }],
  [7, { state: 'unknown', raw: '' }],
])('the state %j reads as %j', (state, status) => {
  expect(readStatus({ state })).toEqual(status);
});

test('a failed task reads as failed even without codes', () => {
  expect(readStatus({ state: 'fail', failCode: null, failMsg: null })).toEqual({
    state: 'failed',
    reason: 'DOWNSTREAM_ERROR',
    code: 'none',
  });
});

test('progress is kept where it is a percentage', () => {
  expect(readStatus({ state: 'generating', progress: 42 })).toEqual({ state: 'running', progress: 42 });
  expect(readStatus({ state: 'generating', progress: 'half' })).toEqual({ state: 'running' });
  expect(readStatus({ state: 'generating', progress: 420 })).toEqual({ state: 'running' });
});

test.each([
  ['a string', JSON.stringify({ resultUrls: ['https://a.example/1.png'], resultWaterMarkUrls: [] })],
  ['an object', { resultUrls: ['https://a.example/1.png'] }],
  ['a list with other things in it', { resultUrls: [null, 'ftp://a', 'x', 'https://a.example/1.png'] }],
])('result URLs are read from %s', (_name, resultJson) => {
  expect(readStatus({ state: 'success', resultJson })).toEqual({
    state: 'succeeded',
    urls: ['https://a.example/1.png'],
  });
});

test.each([
  '',
  '{',
  '[]',
  'null',
  '{"resultUrls":[]}',
  '{"resultUrls":null}',
  '{"resultObject":{}}',
  undefined,
])('a success with the result %j is a failure', resultJson => {
  expect(readStatus({ state: 'success', resultJson })).toEqual(empty);
});

test('the price is kept where KIE says it', () => {
  const resultJson = '{"resultUrls":["https://a.example/1.png"]}';
  expect(readStatus({ state: 'success', resultJson, creditsConsumed: 0.8 })).toMatchObject({
    costCredits: 0.8,
  });
  expect(readStatus({ state: 'success', resultJson, creditsConsumed: '0.8' })).not.toHaveProperty(
    'costCredits',
  );
});

test.each([null, undefined, 'text', 5, []])('%j is no record', data => {
  expect(readStatus(data)).toBeUndefined();
});
