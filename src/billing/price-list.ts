// What things cost here: the supplier's credits, as the catalogue and the administrators have them, in kopecks.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Model } from '../catalogue/schema.ts';
import type { FormValues } from '../catalogue/values.ts';
import { createQuote, isQuoteValid, priceOf, type Quote, type Quoted, type Rates } from './pricing.ts';

export interface PriceList {
  /** The least that an order of the model can cost, in kopecks; undefined while it has no price. */
  startingPrice(model: Model): number | undefined;
  /** A new quote for these values, at what the model costs now. */
  quote(model: Model, values: FormValues): Quoted;
  /** Whether a quote that was shown still binds us. */
  isValid(quote: Quote, model: Model): boolean;
  /** The same at this time. Whoever has one of the database's clock gives it, because those of instances differ. */
  at(time: Date): PriceList;
}

export interface PriceListOptions {
  readonly catalogue: Pick<Catalogue, 'startingCredits' | 'creditsSet'>;
  readonly rates: Rates;
  readonly now?: () => Date;
}

export function createPriceList(options: PriceListOptions): PriceList {
  const { catalogue, rates, now = () => new Date() } = options;
  return {
    startingPrice(model) {
      const credits = catalogue.startingCredits(model);
      return credits === undefined ? undefined : priceOf(credits, rates);
    },
    quote: (model, values) =>
      createQuote({ model, values, rates, override: catalogue.creditsSet(model), now: now() }),
    isValid: (quote, model) => isQuoteValid(quote, now(), model),
    at: time => createPriceList({ ...options, now: () => time }),
  };
}
