import { expect, test } from 'vitest';
import { createPlaces } from '../../src/pipeline/places.ts';

test('one key takes its share only, and all keys together what there is', () => {
  const places = createPlaces({ places: 3, perKey: 2 });
  const first = places.enter('a');
  expect([places.enter('a'), places.enter('a')].map(place => place !== undefined)).toEqual([true, false]);
  expect([places.enter('b'), places.enter('c')].map(place => place !== undefined)).toEqual([true, false]);
  first?.();
  // A place is left once.
  first?.();
  expect([places.enter('c'), places.enter('c')].map(place => place !== undefined)).toEqual([true, false]);
});

test('who waits is let in as soon as the key may go on, past those whose key may not', async () => {
  const places = createPlaces({ places: 2, perKey: 1 });
  const a = places.enter('a');
  const b = places.enter('b');
  const admitted: string[] = [];
  const waiting = ['a', 'b'].map(async key => {
    const leave = await places.wait(key, 60_000);
    admitted.push(key);
    return leave;
  });
  b?.();
  await waiting[1];
  expect(admitted).toEqual(['b']);
  a?.();
  await waiting[0];
  expect(admitted).toEqual(['b', 'a']);
});

test('who has waited long enough gets none, and takes none later', async () => {
  const places = createPlaces({ places: 1, perKey: 1 });
  const leave = places.enter('a');
  expect(await places.wait('b', 1)).toBeUndefined();
  leave?.();
  expect(places.enter('c')).toBeDefined();
});
