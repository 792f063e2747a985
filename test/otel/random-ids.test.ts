// Ids that are made many at a time are each as good as if it had been made alone.
import { expect, test } from 'vitest';
import { randomId } from '../../src/otel/random-ids.ts';

test.each([8, 16] as const)('ids of %i bytes have all their digits, and none comes twice', bytes => {
  const ids = Array.from({ length: 3_000 }, () => randomId(bytes));
  for (const id of ids) expect(id).toMatch(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
  expect(new Set(ids).size).toBe(ids.length);
});

test('ids of both lengths share no digits', () => {
  const ids = Array.from({ length: 3_000 }, (_, index) => randomId(index % 3 === 0 ? 16 : 8));
  const halves = ids.flatMap(id => [id.slice(0, 16), id.slice(16)]).filter(half => half !== '');
  expect(new Set(halves).size).toBe(halves.length);
});
