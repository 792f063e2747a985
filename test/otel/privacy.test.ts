// What keeps people and secrets out of telemetry: pseudonyms that only the key can link, and scrubbed texts.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPseudonyms, createScrubber, lengthOnly } from '../../src/otel/privacy.ts';
import { Secret } from '../../src/secret.ts';

const token = '424242:AAHcanary-token_0123456789';

test('the same id has the same pseudonym, in every process with the same key', () => {
  const [here, there] = [createPseudonyms(new Secret('one key')), createPseudonyms(new Secret('one key'))];
  expect(here.user(42)).toMatch(/^[0-9a-f]{16}$/);
  expect(here.user(42)).toBe(here.user(42));
  expect(there.user(42)).toBe(here.user(42));
});

test('another key, another id and another kind give another pseudonym', () => {
  const pseudonyms = createPseudonyms(new Secret('one key'));
  const others = createPseudonyms(new Secret('another key'));
  const given = [pseudonyms.user(42), pseudonyms.chat(42), pseudonyms.user(43), others.user(42)];
  expect(new Set(given).size).toBe(given.length);
});

test('a pseudonym outlives a release: it is the HMAC of the kind and the id', () => {
  const { user, chat } = createPseudonyms(new Secret('one key'));
  const hmacOf = (text: string): string => createHmac('sha256', 'one key').update(text).digest('hex');
  expect(user(42)).toBe(hmacOf('user:42').slice(0, 16));
  expect(chat(42)).toBe(hmacOf('chat:42').slice(0, 16));
});

test('a pseudonym is the same after ten thousand other ids', () => {
  const pseudonyms = createPseudonyms(new Secret('one key'));
  const first = pseudonyms.user(1);
  for (let id = 2; id < 10_100; id += 1) pseudonyms.user(id);
  expect(pseudonyms.user(1)).toBe(first);
});

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
