// Money for credits. The price of an order is frozen in a quote when it is shown; what is held and charged is the
// quote's amount, whatever the rates are by then. Rates are decimal text as the operator wrote them, and stay exact.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { creditsFor, type PriceProblem } from '../catalogue/price.ts';
import type { Model } from '../catalogue/schema.ts';
import type { FormValues } from '../catalogue/values.ts';
import { ceilTo, type Decimal, decimalOf, multiply, parseDecimal } from '../decimal.ts';
import { AppError } from '../errors.ts';

/** What the operator sets, such as "92.5" and "2". */
export interface Rates {
  /** USD_RUB_RATE: roubles for a dollar. */
  readonly usdRub: string;
  /** PRICE_MULTIPLIER: how many times the supplier's price is asked. */
  readonly multiplier: string;
}

/** What the supplier asks for a credit: 0.005 USD, so half a cent; in kopecks, half of the rate. */
const centsPerCredit: Decimal = { units: 5n, scale: 1 };
const quoteValidityMs = 15 * 60_000;
/** 72 random bits: a quote is looked up only beside its draft. */
const quoteIdBytes = 9;

export const quoteSchema = z.strictObject({
  id: z.string().min(1),
  kopecks: z.int().nonnegative(),
  credits: z.number().nonnegative(),
  rate: z.string(),
  multiplier: z.string(),
  modelVersion: z.string(),
  at: z.iso.datetime(),
});
export type Quote = Readonly<z.infer<typeof quoteSchema>>;

export interface Order {
  readonly model: Model;
  readonly values: FormValues;
  readonly rates: Rates;
  /** Credits that an administrator has set for the model. */
  readonly override?: number | undefined;
  readonly now: Date;
}

export type Quoted =
  | { readonly ok: true; readonly quote: Quote }
  | { readonly ok: false; readonly problem: PriceProblem };

/** A new quote at each call. Throws AppError CONFIG_INVALID as `priceOf` does. */
export function createQuote({ model, values, rates, override, now }: Order): Quoted {
  const priced = creditsFor(model, values, override);
  if (!priced.ok) return priced;
  const { credits } = priced;
  const quote = {
    id: randomBytes(quoteIdBytes).toString('base64url'),
    kopecks: priceOf(credits, rates),
    credits,
    rate: rates.usdRub,
    multiplier: rates.multiplier,
    modelVersion: model.version,
    at: now.toISOString(),
  };
  return { ok: true, quote };
}

/** For 15 minutes, and only while the model is the one that was priced. */
export function isQuoteValid(quote: Quote, now: Date, model: Pick<Model, 'version'>): boolean {
  return quote.modelVersion === model.version && now.getTime() - Date.parse(quote.at) < quoteValidityMs;
}

/**
 * Whole kopecks: credits × 0.005 USD × rate × multiplier, rounded up. Throws AppError CONFIG_INVALID for a rate that is
 * no positive decimal, and for an amount that nobody can mean.
 */
export function priceOf(credits: number, rates: Rates): number {
  const units = decimalOf(credits);
  if (units === undefined) throw refused('Credits are a number that is not negative');
  const kopecks = multiply(
    units,
    centsPerCredit,
    rateOf('USD_RUB_RATE', rates.usdRub),
    rateOf('PRICE_MULTIPLIER', rates.multiplier),
  );
  const price = Number(ceilTo(0, kopecks));
  if (!Number.isSafeInteger(price)) throw refused('The price is beyond what can be counted exactly');
  return price;
}

function rateOf(variable: string, text: string): Decimal {
  const rate = parseDecimal(text);
  if (rate === undefined || rate.units === 0n)
    throw refused(`${variable} must be a positive decimal number such as 92.5`);
  return rate;
}

function refused(message: string): AppError {
  return new AppError({ code: 'CONFIG_INVALID', message });
}
