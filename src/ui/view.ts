// What every screen is drawn with: a language, its texts, the models and their prices.
import { formatMoney } from '../billing/money-text.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Model } from '../catalogue/schema.ts';
import type { Locale } from '../locales.ts';
import { escapeHtml, type Translate } from './texts.ts';

export interface View {
  readonly locale: Locale;
  readonly t: Translate;
  readonly catalogue: Catalogue;
  /** The least that an order of a model can cost, in kopecks; undefined while it has no price. */
  readonly startingPrice: (model: Model) => number | undefined;
}

/** A screen is only shown for a model the handler has just found, so a missing one is a defect. */
export function modelOf(key: string, { catalogue }: View): Model {
  const model = catalogue.byKey(key);
  if (!model) throw new Error(`The catalogue has no model with the key ${key}`);
  return model;
}

/** For screens about the past: the model may have left the catalogue since. Escaped. */
export function titleOf(key: string, { catalogue }: Pick<View, 'catalogue'>): string {
  return escapeHtml(catalogue.byKey(key)?.title ?? key);
}

/** "from 12 ₽", or undefined while there is no price. */
export function priceLabel(model: Model, view: View): string | undefined {
  const kopecks = view.startingPrice(model);
  if (kopecks === undefined) return undefined;
  if (kopecks === 0) return view.t('price-free');
  return view.t('price-from', { price: formatMoney(kopecks, view.locale) });
}
