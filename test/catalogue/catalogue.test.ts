// The catalogue of models: how entries are found, and that a bad one stops the start by its name.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import modelsData from '../../src/catalogue/models.json' with { type: 'json' };
import { AppError } from '../../src/errors.ts';

const label = { ru: 'Подпись', en: 'Label' };
const size = {
  name: 'size',
  type: 'choice',
  label,
  question: label,
  required: true,
  values: ['small', 'large'],
};
const painter = {
  id: 'painter-2',
  key: 'painter',
  title: 'Painter',
  description: label,
  category: 'image',
  api: 'market',
  output: 'image',
  version: '2026-01-01',
  enabled: true,
  parameters: [size],
};

/** The message of the refusal. */
function refusalOf(data: unknown): string {
  try {
    createCatalogue(data);
  } catch (error) {
    if (error instanceof AppError && error.code === 'CATALOGUE_INVALID') return error.message;
    throw error;
  }
  return expect.fail('the catalogue was accepted');
}

test('the catalogue that is shipped is accepted, and every entry is found by its key', () => {
  const catalogue = createCatalogue();
  expect(modelsData.length).toBeGreaterThan(0);
  for (const { id, key } of modelsData) expect(catalogue.byKey(key)?.id).toBe(id);
  expect(catalogue.byKey('nosuch')).toBeUndefined();
  expect(catalogue.byKey('toString')).toBeUndefined();
});

test('models are listed by category in the order of the data, and empty categories are left out', () => {
  const catalogue = createCatalogue([
    { ...painter, id: 'second', key: 'b' },
    { ...painter, id: 'first', key: 'a' },
    { ...painter, id: 'film', key: 'c', category: 'video' },
  ]);
  expect(catalogue.inCategory('image').map(({ id }) => id)).toEqual(['second', 'first']);
  expect(catalogue.inCategory('music')).toEqual([]);
  expect(catalogue.categories).toEqual(['image', 'video']);
});

test('a model that is switched off is not offered, but old buttons still find it', () => {
  const catalogue = createCatalogue([{ ...painter, enabled: false }]);
  expect(catalogue.categories).toEqual([]);
  expect(catalogue.inCategory('image')).toEqual([]);
  expect(catalogue.byKey('painter')?.enabled).toBe(false);
});

test('all bad entries are named at once, those without an id by their place', () => {
  const { title: _, ...untitled } = painter;
  const message = refusalOf([painter, { ...untitled, id: 'no-title', key: 'x' }, 42, { ...painter, id: '' }]);
  expect(message).toContain('no-title: ');
  expect(message).toContain('title');
  expect(message).toContain('entry 3: ');
  expect(message.split('\n')).toHaveLength(4);
  expect(message).not.toContain('painter-2');
});

test('a key that two models have is refused, with both names', () => {
  expect(refusalOf([painter, { ...painter, id: 'other' }])).toContain(
    'other: the key painter is taken by painter-2',
  );
});

test.each([
  ['a default is not among the values', { parameters: [{ ...size, default: 'huge' }] }],
  ['two parameters have the same name', { parameters: [size, size] }],
  ['parameters', { parameters: [] }],
  ['values', { parameters: [{ ...size, values: [] }] }],
  ['key', { key: 'far-too-long' }],
  ['version', { version: 'latest' }],
  ['category', { category: 'poems' }],
  ['colour', { colour: 'red' }],
])('an entry is refused, and the message says: %s', (said, change) => {
  const message = refusalOf([{ ...painter, ...change }]);
  expect(message).toContain('painter-2: ');
  expect(message).toContain(said);
});

test('a default among the values is accepted', () => {
  const catalogue = createCatalogue([{ ...painter, parameters: [{ ...size, default: 'large' }] }]);
  expect(catalogue.byKey('painter')?.parameters[0]).toMatchObject({ default: 'large' });
});
