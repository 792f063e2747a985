// Secrets and what users wrote are replaced in every text that leaves the process.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScrubber, lengthOnly } from '../../src/otel/redaction.ts';
import { Secret } from '../../src/secret.ts';

const token = '424242:AAHcanary-token_0123456789';

test.each([
  [
    `Call to https://api.telegram.org/bot${token}/getMe failed`,
    'https://api.telegram.org/bot[token]/getMe failed',
  ],
  [`file/bot${token}/photos/1.jpg`, 'file/bot[token]/photos/1.jpg'],
  [`the token ${token} is invalid`, 'the token [token] is invalid'],
  ['authorization: Bearer abc.DEF-123_456==', 'authorization: Bearer [secret]'],
  ['AUTHORIZATION: bearer abcdef', 'Bearer [secret]'],
  ['connect postgres://trt:pass@db.example:5432/trt', 'postgres://[secret]@db.example:5432/trt'],
  ['connect postgresql://trt:pa%40ss@db/trt', 'postgresql://[secret]@db/trt'],
])('in %j what has the shape of a secret is replaced', (text, expected) => {
  expect(createScrubber([])(text)).toContain(expected);
});

test.each([
  'connect ECONNREFUSED 127.0.0.1:5432',
  'at 2026-11-23T11:26:33.000Z, line 12:34',
  'postgres://db.example/trt has no password',
  '400: Bad Request: message is not modified',
])('%j is left as it is', text => {
  expect(createScrubber([new Secret('canary-secret')])(text)).toBe(text);
});

test('a known secret is replaced wherever it stands, whatever its shape', () => {
  const scrub = createScrubber([new Secret('canary.$&secret'), new Secret('another-one')]);
  expect(scrub('a canary.$&secretb canary.$&secret, another-one')).toBe('a [secret]b [secret], [secret]');
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      expect(scrub(`${before}canary.$&secret${after}`)).not.toContain('canary.$&secret');
    }),
  );
});

test('a value too short to be a secret does not eat the text', () => {
  expect(createScrubber([new Secret(''), new Secret('a')])('a banana')).toBe('a banana');
  expect(createScrubber([new Secret('banan')])('a banana')).toBe('a banana');
  expect(createScrubber([new Secret('banana')])('a banana')).toBe('a [secret]');
});

test('of a text only its length is kept', () => {
  expect(lengthOnly('a canary prompt')).toBe('text(15)');
});
