// The catalogue of models: how entries are found, which of them are offered, and what they cost at least.
import { expect, test } from 'vitest';
import { createCatalogue, type ModelSetting } from '../../src/catalogue/catalogue.ts';
import { entry, priced, prompt, refusalOf, resolution } from './entries.ts';

const keysOf = (models: readonly { readonly key: string }[]): string[] => models.map(({ key }) => key);

const setting = (modelId: string, change: Partial<ModelSetting>): ModelSetting => ({
  modelId,
  credits: null,
  disabledReason: null,
  ...change,
});

test('the catalogue that is shipped is sound, large, and every entry is found by its key and its id', () => {
  const catalogue = createCatalogue();
  expect(catalogue.models.length).toBeGreaterThanOrEqual(120);
  for (const model of catalogue.models) {
    expect(catalogue.byKey(model.key)).toBe(model);
    expect(catalogue.byId(model.id)).toBe(model);
  }
  expect(catalogue.byKey('toString')).toBeUndefined();
  expect(catalogue.byId('nosuch')).toBeUndefined();
});

test('what is shipped is offered only with a price of more than low confidence', () => {
  const catalogue = createCatalogue();
  const trusted = catalogue.models.filter(({ price }) => price && price.confidence !== 'low');
  const offered = catalogue.categories.flatMap(category => catalogue.inCategory(category));
  expect(offered.length).toBeGreaterThan(50);
  expect(new Set(offered)).toEqual(new Set(trusted.filter(({ enabled }) => enabled)));
  for (const model of offered) expect(catalogue.startingCredits(model)).toBeGreaterThan(0);
});

test('models are listed by category in the order of the data, and empty categories are left out', () => {
  const catalogue = createCatalogue({
    data: [entry('b'), entry('a'), entry('c', { category: 'video', output: 'video' })],
  });
  expect(keysOf(catalogue.inCategory('image'))).toEqual(['b', 'a']);
  expect(catalogue.inCategory('music')).toEqual([]);
  expect(catalogue.categories).toEqual(['image', 'video']);
});

test('a model that is switched off is not offered anywhere, but old buttons still find it', () => {
  const off = entry('off', { enabled: false });
  const catalogue = createCatalogue({ data: [off] });
  expect(catalogue.categories).toEqual([]);
  expect(catalogue.search('painter', 10)).toEqual([]);
  expect(catalogue.cheapest(10)).toEqual([]);
  expect(catalogue.byKey('off')).toEqual(off);
  expect(catalogue.availability(off)).toEqual({ ok: false, why: 'disabled' });
});

test.each([
  ['absent', undefined],
  ['of low confidence', { rule: { kind: 'flat', credits: 1 }, confidence: 'low', source: 'rumour' } as const],
])('a price that is %s keeps a model off the menus until an administrator sets one', (_, price) => {
  const { price: __, ...bare } = entry('a');
  const model = price ? { ...bare, price } : bare;
  const catalogue = createCatalogue({ data: [model] });
  expect(catalogue.availability(model)).toEqual({ ok: false, why: 'price_unknown' });
  expect(catalogue.startingCredits(model)).toBeUndefined();

  catalogue.applySettings([setting(model.id, { credits: 7.5 })]);
  expect(catalogue.availability(model)).toEqual({ ok: true });
  expect(keysOf(catalogue.inCategory('image'))).toEqual(['a']);
  expect(catalogue.startingCredits(model)).toBe(7.5);
  expect(catalogue.creditsSet(model)).toBe(7.5);
});

test('settings replace the former ones, and one of a model that is gone is left aside', () => {
  const model = entry('a');
  const catalogue = createCatalogue({ data: [model] });
  catalogue.applySettings([
    setting(model.id, { disabledReason: 'too slow', credits: 1 }),
    setting('gone/model', { credits: 1 }),
  ]);
  expect(catalogue.availability(model)).toEqual({ ok: false, why: 'disabled' });
  expect(catalogue.categories).toEqual([]);
  catalogue.applySettings([]);
  expect(catalogue.availability(model)).toEqual({ ok: true });
  expect(catalogue.startingCredits(model)).toBe(10);
  expect(catalogue.creditsSet(model)).toBeUndefined();
});

test('a price that is set to nothing makes a model free', () => {
  const model = entry('a');
  const catalogue = createCatalogue({ data: [entry('b'), model] });
  expect(catalogue.free()).toEqual([]);
  catalogue.applySettings([setting(model.id, { credits: 0 })]);
  expect(keysOf(catalogue.free())).toEqual(['a']);
  expect(keysOf(catalogue.cheapest(1))).toEqual(['a']);
});

test('music waits for a public address, which may become known later', () => {
  const song = entry('song', { category: 'music', api: 'suno', output: 'audio' });
  let known = false;
  const catalogue = createCatalogue({ data: [entry('a'), song], hasPublicAddress: () => known });
  expect(catalogue.availability(song)).toEqual({ ok: false, why: 'needs_public_address' });
  expect(catalogue.categories).toEqual(['image']);
  expect(catalogue.search('song', 10)).toEqual([]);
  known = true;
  expect(catalogue.availability(song)).toEqual({ ok: true });
  expect(catalogue.categories).toEqual(['image', 'music']);
  expect(keysOf(catalogue.search('song', 10))).toEqual(['song']);
});

test.each(['a', 'maker/a'])('with one model named %s every other is left aside', singleModel => {
  const catalogue = createCatalogue({ data: [entry('b'), entry('a')], singleModel });
  expect(keysOf(catalogue.inCategory('image'))).toEqual(['a']);
  expect(keysOf(catalogue.cheapest(10))).toEqual(['a']);
  expect(catalogue.availability(entry('b'))).toEqual({ ok: false, why: 'not_this_model' });
});

test('a single model that does not exist stops the start by its name', () => {
  expect(refusalOf([entry('a')], 'nosuch')).toEqual([expect.stringContaining('nosuch')]);
});

test('the cheapest come first, at most as many as asked for', () => {
  const at = (key: string, credits: number) => entry(key, priced({ kind: 'flat', credits }));
  const catalogue = createCatalogue({ data: [at('c', 3), at('a', 1), at('b', 2)] });
  expect(keysOf(catalogue.cheapest(2))).toEqual(['a', 'b']);
});

test.each([
  ['a flat price', entry('a'), 10],
  [
    'the cheapest row of a table',
    entry('a', {
      parameters: [resolution],
      ...priced({
        kind: 'table',
        rows: [
          { when: { resolution: '1080p' }, credits: 9 },
          { when: { resolution: '720p' }, credits: 4 },
        ],
      }),
    }),
    4,
  ],
  [
    'the dearest of the rows that fit together',
    entry('a', {
      parameters: [resolution],
      ...priced({
        kind: 'table',
        rows: [
          { when: {}, credits: 5 },
          { when: { resolution: '1080p' }, credits: 9 },
        ],
      }),
    }),
    5,
  ],
  [
    'the shortest length by the second',
    entry('a', {
      parameters: [{ name: 'duration', type: 'number', required: true, whole: true, min: 3, max: 9 }],
      ...priced({ kind: 'per_second', seconds: 'duration', rows: [{ when: {}, credits: 0.1 }] }),
    }),
    0.3,
  ],
  [
    'the fewest results ordered',
    entry('a', {
      parameters: [{ name: 'num_images', type: 'choice', required: true, values: ['4', '2'] }],
      ...priced({ kind: 'flat', credits: 3 }, 'num_images'),
    }),
    6,
  ],
  [
    'the shortest text',
    entry('a', {
      parameters: [{ ...prompt, minLength: 50 }],
      ...priced({ kind: 'per_1000_characters', text: 'prompt', credits: 6 }),
    }),
    0.3,
  ],
])('the least that an order costs is %s', (_, model, credits) => {
  expect(createCatalogue({ data: [model] }).startingCredits(model)).toBe(credits);
});

test('a combination that the supplier refuses does not lower the price', () => {
  const model = entry('a', {
    parameters: [resolution, { name: 'sound', type: 'switch', required: true }],
    impossible: [{ resolution: '720p', sound: false }],
    ...priced({
      kind: 'table',
      rows: [
        { when: { sound: true }, credits: 8 },
        { when: { sound: false, resolution: '1080p' }, credits: 6 },
      ],
    }),
  });
  expect(createCatalogue({ data: [model] }).startingCredits(model)).toBe(6);
});
