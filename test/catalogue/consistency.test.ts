// What the catalogue refuses at the start: entries of a wrong shape, and entries that contradict themselves.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Model } from '../../src/catalogue/schema.ts';
import { duration, entry, picture, priced, prompt, refusalOf, resolution } from './entries.ts';

test('all bad entries are named at once, those without an id by their place', () => {
  const { title: _, ...untitled } = entry('b');
  const refused = refusalOf([
    entry('a'),
    untitled,
    42,
    entry('c', { id: '' }),
    entry('d', { version: 'new' }),
  ]);
  expect(refused).toEqual([
    expect.stringMatching(/^maker\/b: .*title/),
    expect.stringMatching(/^entry 3: /),
    expect.stringMatching(/^: .*id/),
    expect.stringMatching(/^maker\/d: .*version/),
  ]);
});

test.each([
  ['id', { id: 'maker/a' }],
  ['key', { key: 'a' }],
  ['title', { title: 'Painter a' }],
])('an %s that two models have is refused, with both names', (field, change) => {
  const refused = refusalOf([entry('a'), entry('b', change)]);
  expect(refused).toContainEqual(
    expect.stringMatching(new RegExp(`maker/a, maker/[ab]: several models have the ${field}`)),
  );
});

test.each<[string, unknown]>([
  ['key', { key: 'far-too-long' }],
  ['category', { category: 'poems' }],
  ['colour', { colour: 'red' }],
  ['parameters', { parameters: [] }],
  ['values', { parameters: [{ ...resolution, values: [] }] }],
  ['title', { title: 'A title that is far too long to stand on a button' }],
])('an entry of a wrong shape is refused: %s', (said, change) => {
  const [refused = ''] = refusalOf([{ ...entry('a'), ...(change as object) }]);
  expect(refused).toMatch(/^maker\/a: /);
  expect(refused).toContain(said);
});

const size = {
  name: 'guidance_scale',
  type: 'number',
  required: false,
  whole: true,
  min: 1,
  max: 5,
} as const;
const rows = [{ when: { resolution: '720p' }, credits: 1 }];

test.each<[string, Partial<Model>]>([
  ['two parameters have the same name: prompt', { parameters: [prompt, prompt] }],
  ['resolution: a default is not among the values', { parameters: [{ ...resolution, default: '4K' }] }],
  ['guidance_scale: the default is outside the limits', { parameters: [{ ...size, default: 6 }] }],
  ['guidance_scale: the default is outside the limits', { parameters: [{ ...size, default: 1.5 }] }],
  ['prompt: the default is outside the limits', { parameters: [{ ...prompt, default: '' }] }],
  ['prompt: minLength is above maxLength', { parameters: [{ ...prompt, minLength: 200 }] }],
  ['guidance_scale: min is above max', { parameters: [{ ...size, min: 9 }] }],
  ['image_url: maxItems above 1 needs a list', { parameters: [{ ...picture, maxItems: 2 }] }],
  [
    'prompt is required and never asked: it needs a value in fixed',
    { parameters: [{ ...prompt, advanced: true }] },
  ],
  ['fixed: prompt is asked as well', { fixed: { prompt: 'a cat' } }],
  ['requiredIf: sound is not asked', { parameters: [{ ...prompt, requiredIf: { sound: true } }] }],
  [
    'requiredIf: resolution can never be "4K"',
    { parameters: [{ ...prompt, requiredIf: { resolution: '4K' } }, resolution] },
  ],
  ['atLeastOne: image_url is not asked', { atLeastOne: ['prompt', 'image_url'] }],
  ['notTogether: image_url is not asked', { notTogether: [['prompt', 'image_url']] }],
  [
    'notTogether: resolution is not asked',
    { parameters: [prompt, { ...resolution, advanced: true }], notTogether: [['prompt', 'resolution']] },
  ],
  ['impossible: duration is not asked', { impossible: [{ duration: '5' }] }],
  ['notOffered: prompt is offered', { notOffered: { parameters: ['prompt'] } }],
  [
    'notOffered: resolution 720p is offered',
    { parameters: [resolution], notOffered: { values: { resolution: ['720p'] } } },
  ],
  ['price: resolution is not asked', priced({ kind: 'table', rows })],
  [
    'price: resolution can never be 720',
    {
      parameters: [resolution],
      ...priced({ kind: 'table', rows: [{ when: { resolution: 720 }, credits: 1 }] }),
    },
  ],
  [
    'price: no row fits {"resolution":"1080p"}',
    { parameters: [resolution], ...priced({ kind: 'table', rows }) },
  ],
  [
    'price: guidance_scale has no limited number of values',
    {
      parameters: [{ ...size, default: 1 }],
      ...priced({ kind: 'table', rows: [{ when: { guidance_scale: 1 }, credits: 1 }] }),
    },
  ],
  [
    'price: sound is optional and has no default, so the price would be a guess',
    {
      parameters: [{ name: 'sound', type: 'switch', required: false }],
      ...priced({
        kind: 'table',
        rows: [
          { when: {}, credits: 1 },
          { when: { sound: true }, credits: 2 },
        ],
      }),
    },
  ],
  [
    'price: duration is no number of at least 0 that is asked',
    priced({ kind: 'per_second', seconds: 'duration', rows: [{ when: {}, credits: 1 }] }),
  ],
  [
    'price: resolution is no number of at least 0 that is asked',
    { parameters: [resolution], ...priced({ kind: 'flat', credits: 1 }, 'resolution') },
  ],
  [
    'price: image_url is no text that is asked',
    { parameters: [picture], ...priced({ kind: 'per_1000_characters', text: 'image_url', credits: 1 }) },
  ],
  ['mystery has no entry in labels.json', { parameters: [{ ...prompt, name: 'mystery' }] }],
])('an entry that contradicts itself is refused: %s', (said, change) => {
  expect(refusalOf([entry('a', change)])).toEqual([`maker/a: ${said}`]);
});

test('an entry that uses all rules as they are meant is accepted', () => {
  const model = entry('a', {
    parameters: [
      { ...prompt, requiredIf: { duration: '10' } },
      resolution,
      duration,
      { ...picture, required: false },
      { name: 'seed', type: 'number', required: true, advanced: true, whole: true },
    ],
    fixed: { seed: 7, mode: 'pro' },
    atLeastOne: ['prompt', 'image_url'],
    notTogether: [['image_url', 'resolution']],
    impossible: [{ duration: '10', resolution: '1080p' }],
    notOffered: { parameters: ['elements'], values: { resolution: ['4K'] } },
    ...priced({
      kind: 'per_second',
      seconds: 'duration',
      rows: [
        { when: { resolution: '720p' }, credits: 1 },
        { when: { resolution: '1080p', duration: '5' }, credits: 2 },
      ],
    }),
  });
  expect(createCatalogue({ data: [model] }).byKey('a')).toEqual(model);
});
