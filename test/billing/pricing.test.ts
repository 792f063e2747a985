// Money for credits: exact, in whole kopecks, never less than the decimal product, never a kopeck more than needed;
// and how long an offer stands.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQuote, isQuoteValid, priceOf, quoteSchema } from '../../src/billing/pricing.ts';
import modelsData from '../../src/catalogue/models.json' with { type: 'json' };
import { modelSchema } from '../../src/catalogue/schema.ts';

const rates = { usdRub: '92.5', multiplier: '2' };

test.each<[number, string, string, number]>([
  // 18 × 0.005 USD = 9 cents; at 92.5 for a dollar 8.325 roubles, twice that 16.65.
  [18, '92.5', '2', 1_665],
  [1, '92.5', '2', 93],
  [0.012, '92.5', '2', 2],
  [0, '92.5', '2', 0],
  [1, '100', '1', 50],
  [0.000001, '0.01', '1', 1],
  // With floats each of these comes out a kopeck dearer.
  [7, '100', '2', 700],
  [7, '80', '1.1', 308],
])(
  '%s credits at %s roubles and a multiplier of %s are %s kopecks',
  (credits, usdRub, multiplier, kopecks) => {
    expect(priceOf(credits, { usdRub, multiplier })).toBe(kopecks);
  },
);

/** A decimal with its numerator over 10^digits, made without any division. */
const decimal = (digits: number, most: number): fc.Arbitrary<{ text: string; units: bigint }> =>
  fc.integer({ min: 1, max: most }).map(units => {
    const padded = String(units).padStart(digits + 1, '0');
    return { text: `${padded.slice(0, -digits)}.${padded.slice(-digits)}`, units: BigInt(units) };
  });
const creditsOf = decimal(6, 5_000_000_000);
const rateOf = decimal(4, 3_000_000);
const multiplierOf = decimal(3, 20_000);

test('the price is the exact product, rounded up to a whole kopeck', () => {
  fc.assert(
    fc.property(creditsOf, rateOf, multiplierOf, (credits, rate, multiplier) => {
      const kopecks = priceOf(Number(credits.text), { usdRub: rate.text, multiplier: multiplier.text });
      expect(Number.isSafeInteger(kopecks)).toBe(true);
      expect(kopecks).toBeGreaterThan(0);
      // A credit is half a cent, so its price in kopecks is half of the rate: 2 × 10^(6 + 4 + 3) is the denominator.
      const exact = credits.units * rate.units * multiplier.units;
      const denominator = 2n * 10n ** 13n;
      expect(BigInt(kopecks) * denominator >= exact).toBe(true);
      expect(BigInt(kopecks - 1) * denominator < exact).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('more credits, a higher rate or a higher multiplier never cost less', () => {
  fc.assert(
    fc.property(
      fc.tuple(creditsOf, creditsOf),
      fc.tuple(rateOf, rateOf),
      fc.tuple(multiplierOf, multiplierOf),
      (...pairs) => {
        const [low, high] = [-1, 1].map(sign => {
          const [credits, rate, multiplier] = pairs.map(
            ([one, other]) => (Number(one.units - other.units) * sign > 0 ? one : other).text,
          );
          return priceOf(Number(credits), { usdRub: rate ?? '', multiplier: multiplier ?? '' });
        });
        expect(low).toBeLessThanOrEqual(high ?? 0);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('what is free stays free at any rate', () => {
  fc.assert(
    fc.property(rateOf, multiplierOf, (rate, multiplier) => {
      expect(priceOf(0, { usdRub: rate.text, multiplier: multiplier.text })).toBe(0);
    }),
  );
});

test.each([
  '',
  ' ',
  '0',
  '0.00',
  '-92.5',
  '+92.5',
  '92,5',
  '9e1',
  '92.5.1',
  '.5',
  '92.',
  'NaN',
  '٩٢',
  ' 92.5',
  '0x5c',
])('a rate of "%s" is refused', text => {
  for (const wrong of [
    { ...rates, usdRub: text },
    { ...rates, multiplier: text },
  ])
    expect(() => priceOf(1, wrong)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e30])('%s credits have no price', credits => {
  expect(() => priceOf(credits, rates)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

const now = new Date('2026-11-23T12:00:00.000Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);
const model = modelSchema.parse(modelsData.find(({ price }) => price?.rule.kind === 'flat'));

test('a quote keeps price, rates and version as they were, and can be stored', () => {
  const quoted = createQuote({ model, values: {}, rates, override: 18, now });
  const quote = quoted.ok ? quoted.quote : expect.fail(quoted.problem);
  expect(quote).toEqual({
    id: expect.stringMatching(/^[\w-]{12}$/),
    kopecks: 1_665,
    credits: 18,
    rate: '92.5',
    multiplier: '2',
    modelVersion: model.version,
    at: '2026-11-23T12:00:00.000Z',
  });
  expect(quoteSchema.parse(JSON.parse(JSON.stringify(quote)))).toEqual(quote);
  const again = createQuote({ model, values: {}, rates, override: 18, now });
  expect(again.ok && again.quote.id).not.toBe(quote.id);
});

test('what has no price has no quote', () => {
  const { price: _, ...unpriced } = model;
  expect(createQuote({ model: unpriced, values: {}, rates, now })).toEqual({
    ok: false,
    problem: 'price_unknown',
  });
});

test('a quote stands for 15 minutes, and for the model that was priced', () => {
  const quoted = createQuote({ model, values: {}, rates, override: 18, now });
  const quote = quoted.ok ? quoted.quote : expect.fail(quoted.problem);
  expect(isQuoteValid(quote, now, model)).toBe(true);
  expect(isQuoteValid(quote, later(15 * 60_000 - 1), model)).toBe(true);
  expect(isQuoteValid(quote, later(15 * 60_000), model)).toBe(false);
  expect(isQuoteValid(quote, now, { version: '2026-01-01' })).toBe(false);
});

test.each([{ kopecks: 0.5 }, { kopecks: -1 }, { at: 'yesterday' }, { credits: -1 }, { id: '' }])(
  'a stored quote that says %o is refused',
  wrong => {
    const quoted = createQuote({ model, values: {}, rates, override: 18, now });
    const quote = quoted.ok ? quoted.quote : expect.fail(quoted.problem);
    expect(quoteSchema.safeParse({ ...quote, ...wrong }).success).toBe(false);
  },
);
