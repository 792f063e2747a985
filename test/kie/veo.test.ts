import { expect, test } from 'vitest';
import { veo } from '../../src/kie/veo.ts';

const { readStatus } = veo;
const [first, second] = ['https://a.example/1.mp4', 'https://a.example/2.mp4?w=1,2'] as const;

test.each([
  [0, { state: 'running' }],
  [7, { state: 'unknown', raw: '7' }],
  ['1', { state: 'unknown', raw: '1' }],
  [null, { state: 'unknown', raw: '' }],
  [{}, { state: 'unknown', raw: '' }],
])('the flag %j reads as %j', (successFlag, status) => {
  expect(readStatus({ successFlag })).toEqual(status);
});

test.each([2, 3])('the flag %i is a failure, with or without a code', successFlag => {
  const unnamed = { state: 'failed', reason: 'DOWNSTREAM_ERROR', code: 'none' };
  expect(readStatus({ successFlag, errorCode: null, errorMessage: null })).toEqual(unnamed);
  expect(readStatus({ successFlag, errorCode: 505 })).toMatchObject({
    reason: 'MODEL_DISABLED',
    code: '505',
  });
  const errorMessage = 'Your prompt was flagged by Website as violating content policies';
  expect(readStatus({ successFlag, errorCode: 400, errorMessage })).toMatchObject({
    reason: 'CONTENT_REJECTED',
    code: '400',
  });
});

test.each([
  ['a list', [first, second]],
  ['a list as JSON', JSON.stringify([first, second])],
  ['a list without quotes', `[${first}, ${second}]`],
  ['a list with other things in it', [null, 'x', first, 7, second]],
])('result URLs are read from %s', (_name, resultUrls) => {
  expect(readStatus({ successFlag: 1, response: { resultUrls } })).toEqual({
    state: 'succeeded',
    urls: [first, second],
  });
});

test('a single URL without brackets is a result', () => {
  expect(readStatus({ successFlag: 1, response: { resultUrls: first } })).toMatchObject({ urls: [first] });
});

test.each([undefined, null, {}, { resultUrls: [] }, { resultUrls: '[]' }, { resultUrls: '' }, 'text'])(
  'a success with the response %j is a failure',
  response => {
    expect(readStatus({ successFlag: 1, response })).toEqual({
      state: 'failed',
      reason: 'DOWNSTREAM_ERROR',
      code: 'empty_result',
    });
  },
);

test('progress and price are kept where KIE says them', () => {
  expect(readStatus({ successFlag: 0, progress: 40 })).toEqual({ state: 'running', progress: 40 });
  const done = { successFlag: 1, response: { resultUrls: [first] }, creditsConsumed: 60 };
  expect(readStatus(done)).toEqual({ state: 'succeeded', urls: [first], costCredits: 60 });
});

test.each([null, undefined, 'text', 5, []])('%j is no record', data => {
  expect(readStatus(data)).toBeUndefined();
});
