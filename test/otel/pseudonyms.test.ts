// Pseudonyms that only the key can link.
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createPseudonyms } from '../../src/otel/pseudonyms.ts';
import { Secret } from '../../src/secret.ts';

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
