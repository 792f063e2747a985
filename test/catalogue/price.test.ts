// What an order costs in credits, by each kind of price rule, and what is not for sale.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import modelsData from '../../src/catalogue/models.json' with { type: 'json' };
import { creditsFor } from '../../src/catalogue/price.ts';
import { type Model, modelSchema, type Parameter, type Price } from '../../src/catalogue/schema.ts';
import { startingCredits } from '../../src/catalogue/starting-credits.ts';
import type { FormValue, FormValues } from '../../src/catalogue/values.ts';

const parameters: readonly Parameter[] = [
  { name: 'prompt', required: true, type: 'text', minLength: 1, maxLength: 2_000 },
  { name: 'resolution', required: false, type: 'choice', values: ['480p', '720p', '1080p'], default: '720p' },
  { name: 'mode', required: false, type: 'choice', values: ['fast', 'fine'] },
  { name: 'sound', required: true, type: 'switch' },
  { name: 'duration', required: false, type: 'choice', values: ['5', '10'], unit: 's' },
  { name: 'length', required: false, type: 'number', whole: false, min: 0.5, max: 22, unit: 's' },
  { name: 'endless', required: false, type: 'number', whole: true, unit: 's' },
  { name: 'count', required: false, type: 'number', whole: true, min: 1, max: 6, default: 1 },
];

function modelWith(price: Partial<Price> & Pick<Price, 'rule'>): Model {
  return modelSchema.parse({
    id: 'test',
    key: 'test',
    title: 'Test',
    category: 'video',
    api: 'market',
    vendorModel: 'test',
    output: 'video',
    version: '2026-01-01',
    enabled: true,
    parameters,
    price: { confidence: 'high', source: 'test', ...price },
    source: 'https://a.example/test',
  });
}

const byResolution = [
  { when: { resolution: '480p' }, credits: 2 },
  { when: { resolution: '720p' }, credits: 4.5 },
];
const perSecond = (seconds: string): Model =>
  modelWith({ rule: { kind: 'per_second', seconds, rows: byResolution } });

test('a flat price is the same whatever is chosen', () => {
  const model = modelWith({ rule: { kind: 'flat', credits: 3.5 } });
  expect(creditsFor(model, { resolution: '480p' })).toEqual({ ok: true, credits: 3.5 });
});

describe('a table', () => {
  const table = modelWith({ rule: { kind: 'table', rows: byResolution } });

  test.each<[string, FormValues, number]>([
    ['of the value that was chosen', { resolution: '480p' }, 2],
    ['of the default when none was', {}, 4.5],
  ])('gives the price %s', (_case, values, credits) => {
    expect(creditsFor(table, values)).toEqual({ ok: true, credits });
  });

  test('has no price for a value that is in none of its rows', () => {
    expect(creditsFor(table, { resolution: '1080p' })).toEqual({
      ok: false,
      problem: 'combination_not_offered',
    });
  });

  test('gives the dearest of the rows that fit when a value is left to the supplier', () => {
    const model = modelWith({
      rule: {
        kind: 'table',
        rows: [
          { when: { mode: 'fast', sound: false }, credits: 1 },
          { when: { mode: 'fine', sound: false }, credits: 5 },
          { when: { mode: 'fast', sound: true }, credits: 9 },
        ],
      },
    });
    expect(creditsFor(model, { sound: false })).toEqual({ ok: true, credits: 5 });
    expect(creditsFor(model, {})).toEqual({ ok: true, credits: 9 });
    expect(creditsFor(model, { mode: 'fast', sound: true })).toEqual({ ok: true, credits: 9 });
    expect(creditsFor(model, { mode: 'fine', sound: true })).toMatchObject({ ok: false });
  });

  test('goes by what is sent in any case', () => {
    const fixed = { ...table, fixed: { resolution: '480p' } };
    expect(creditsFor(fixed, { resolution: '720p' })).toEqual({ ok: true, credits: 2 });
  });
});

describe('a price per second', () => {
  test.each<[string, FormValue | undefined, number]>([
    ['duration', '5', 22.5],
    ['duration', '10', 45],
    ['duration', undefined, 45],
    ['length', 7, 31.5],
    ['length', 0.7, 3.15],
    ['length', undefined, 99],
  ])('counts the seconds of %s = %s', (name, value, credits) => {
    const values = value === undefined ? {} : { [name]: value };
    expect(creditsFor(perSecond(name), values)).toEqual({ ok: true, credits });
  });

  test('is unknown when nobody knows how long it can get', () => {
    expect(creditsFor(perSecond('endless'), {})).toEqual({ ok: false, problem: 'price_unknown' });
  });

  test.each([0, -5, Number.NaN, '', 'five', '-5', true])('is not had for %s seconds', value => {
    expect(creditsFor(perSecond('length'), { length: value })).toEqual({
      ok: false,
      problem: 'combination_not_offered',
    });
  });
});

describe('a price per 1000 characters', () => {
  const model = modelWith({ rule: { kind: 'per_1000_characters', text: 'prompt', credits: 12 } });

  test.each<[string, string, number]>([
    ['one character', 'a', 0.012],
    ['a full thousand', 'a'.repeat(1_000), 12],
    ['a begun thousand in part', 'я'.repeat(1_500), 18],
    ['an emoji as one', '🐤', 0.012],
  ])('counts %s', (_case, prompt, credits) => {
    expect(creditsFor(model, { prompt })).toEqual({ ok: true, credits });
  });

  test('is that of the longest text while there is none', () => {
    expect(creditsFor(model, {})).toEqual({ ok: true, credits: 24 });
  });
});

describe('the number of results', () => {
  const model = modelWith({ rule: { kind: 'flat', credits: 0.1 }, times: 'count' });

  test.each<[FormValues, number]>([
    [{}, 0.1],
    [{ count: 3 }, 0.3],
    [{ count: '3' }, 0.3],
  ])('multiplies the price: %o', (values, credits) => {
    expect(creditsFor(model, values)).toEqual({ ok: true, credits });
  });

  test('cannot be nothing', () => {
    expect(creditsFor(model, { count: 0 })).toMatchObject({ ok: false });
  });
});

test('a model without a price, or with one not to be trusted, costs what an administrator has set', () => {
  const untrusted = modelWith({ rule: { kind: 'flat', credits: 3 }, confidence: 'low', times: 'count' });
  const { price: _, ...unpriced } = untrusted;
  for (const model of [untrusted, unpriced]) {
    expect(creditsFor(model, {})).toEqual({ ok: false, problem: 'price_unknown' });
    expect(creditsFor(model, { count: 2 }, 7.25)).toEqual({ ok: true, credits: 7.25 });
    expect(creditsFor(model, {}, 0)).toEqual({ ok: true, credits: 0 });
    expect(creditsFor(model, {}, -1)).toEqual({ ok: false, problem: 'price_unknown' });
  }
});

test('more seconds and more results never cost less', () => {
  const rule = { kind: 'per_second', seconds: 'length', rows: byResolution } as const;
  const model = modelWith({ rule, times: 'count' });
  const order = fc.record({
    length: fc.double({ min: 0.5, max: 22, noNaN: true }),
    count: fc.integer({ min: 1, max: 6 }),
  });
  const creditsOf = (values: FormValues): number => {
    const price = creditsFor(model, values);
    return price.ok ? price.credits : expect.fail(price.problem);
  };
  fc.assert(
    fc.property(order, order, (one, other) => {
      const least = { length: Math.min(one.length, other.length), count: Math.min(one.count, other.count) };
      expect(creditsOf(least)).toBeLessThanOrEqual(creditsOf(one));
      expect(creditsOf(least)).toBeGreaterThan(0);
    }),
  );
});

const priced = modelsData
  .map(entry => modelSchema.parse(entry))
  .filter(model => model.price !== undefined && model.price.confidence !== 'low');

function anyValue(parameter: Parameter): fc.Arbitrary<FormValue> | undefined {
  switch (parameter.type) {
    case 'choice':
      return fc.constantFrom(...parameter.values);
    case 'switch':
      return fc.boolean();
    case 'number': {
      const { min = 0, max = 100 } = parameter;
      return parameter.whole
        ? fc.integer({ min: Math.ceil(min), max })
        : fc.double({ min, max, noNaN: true });
    }
    case 'text':
      return fc
        .integer({ min: parameter.minLength, max: parameter.maxLength })
        .map(length => 'x'.repeat(length));
    case 'files':
      return undefined;
  }
}

function anyOrder(model: Model): fc.Arbitrary<FormValues> {
  const given = model.parameters.flatMap(parameter => {
    const value = anyValue(parameter);
    return value === undefined ? [] : [fc.option(value.map(some => [parameter.name, some] as const))];
  });
  return fc.tuple(...given).map(entries => Object.fromEntries(entries.filter(entry => entry !== null)));
}

test.each(priced.map(model => [model.id, model] as const))(
  'no order of %s costs less than its menu says, and none a fraction of a millionth',
  (_id, model) => {
    const { price } = model;
    const least = price ? startingCredits(model, price) : expect.fail('no price');
    fc.assert(
      fc.property(anyOrder(model), values => {
        const cost = creditsFor(model, values);
        if (!cost.ok) {
          expect(cost.problem).toBe('combination_not_offered');
          return;
        }
        expect(cost.credits).toBeGreaterThanOrEqual(least);
        expect(String(cost.credits)).toMatch(/^\d+(\.\d{1,6})?$/);
      }),
      { numRuns: 30 },
    );
  },
);
