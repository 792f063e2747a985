// What the supplier gets for the values of a form.
import { expect, test } from 'vitest';
import type { FileReference } from '../../src/catalogue/values.ts';
import { effectiveValues } from '../../src/pipeline/filled.ts';
import { buildInput, filesOf } from '../../src/pipeline/payload.ts';
import { files, modes, rich } from './example-models.ts';

const link = (name: string): FileReference => ({ from: 'link', url: `https://files.example/${name}` });
const noFiles = () => [];

test('values and defaults go in the types of the supplier, with what the entry fixes', () => {
  const values = { prompt: 'a bird', duration: 10, loop: false, seconds: 12 };
  expect(buildInput(rich, values, noFiles)).toEqual({
    prompt: 'a bird',
    duration: 10,
    sound: true,
    loop: false,
    strength: 0.5,
    seconds: '12',
    several_shots: false,
  });
});

test('what is optional and was not given is left out, and what is never asked as well', () => {
  const input = buildInput(rich, { prompt: 'a bird', seed: 9 }, noFiles);
  for (const name of ['loop', 'seconds', 'images', 'mask', 'seed']) expect(input).not.toHaveProperty(name);
});

test('what belongs to a mode that is off is left out', () => {
  const values = { custom: false, prompt: 'a bird', style: 'own', words: 'tweet' };
  expect(buildInput(modes, values, noFiles)).toEqual({ custom: false, prompt: 'a bird' });
});

test('files go as addresses: a list where the supplier wants one, even of one', () => {
  const values = { images: [link('a')], face: [link('b')] };
  expect(filesOf(files, values)).toEqual([
    { parameter: 'images', file: link('a') },
    { parameter: 'face', file: link('b') },
  ]);
  expect(buildInput(files, values, name => [`https://kie.example/${name}`])).toEqual({
    images: ['https://kie.example/images'],
    face: 'https://kie.example/face',
  });
});

test('an order is not made with fewer addresses than files', () => {
  expect(() =>
    buildInput(files, { images: [link('a'), link('b')] }, () => ['https://kie.example/a']),
  ).toThrow('images has 2 files, but 1 addresses');
});

test('a value that does not fit is not sent', () => {
  expect(buildInput(rich, { prompt: 'a bird', duration: 7, strength: 99 }, noFiles)).toMatchObject({
    duration: 5,
    strength: 0.5,
  });
});

test('effective values are final: taken once more they stay the same', () => {
  const once = effectiveValues(
    { values: { custom: true, prompt: 'a bird', style: 'pop', words: 'tweet' } },
    modes,
  );
  expect(once).toEqual({ custom: true, prompt: 'a bird', style: 'pop' });
  expect(effectiveValues({ values: once }, modes)).toEqual(once);
});
