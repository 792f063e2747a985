// What an order costs and gives: its credits by the model's price rule, how many files come out of it and, for
// pictures, of which size. Expects values that order-check.ts has found good.
import type { VendorModel } from './models.ts';
import type { OrderValues } from './order-check.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** For a model or a combination whose price nobody knows. */
const unknownPriceCredits = 10;
/** For a length that no parameter states, such as that of a given sound. */
const unknownSeconds = 5;
/** Some models name no upper limit. */
const mostResults = 12;
const longSidePixels = 512;

/** Rounded to ten-thousandths, as credits have decimals. */
export function creditsOf(model: VendorModel, values: OrderValues): number {
  const price = model.credits;
  switch (price.kind) {
    case 'flat':
      return rounded(price.credits * factorOf(model, values, price.multiply_by));
    case 'table':
      return rounded(dearestRow(model, values, price.rows) * factorOf(model, values, price.multiply_by));
    case 'per_second':
      return rounded(dearestRow(model, values, price.rows) * secondsOf(model, values));
    case 'per_1000_chars':
      return rounded((price.credits * [...String(values.text ?? '')].length) / 1000);
    case 'by_output_size':
      return Math.max(...price.rows.map(row => row.credits));
    case 'unknown':
      return unknownPriceCredits;
  }
}

export function resultCountOf(model: VendorModel, values: OrderValues): number {
  if (typeof model.results === 'number') return model.results;
  const ordered = factorOf(model, values, model.results);
  return Math.min(Math.max(Math.trunc(ordered), 1), mostResults);
}

/** Square where the order does not say otherwise. */
export function pictureSizeOf(values: OrderValues): PictureSize {
  const wish = String(values.aspect_ratio ?? values.image_size ?? values.ratio ?? '');
  const [, wide, high] = /^(\d+):(\d+)$/.exec(wish) ?? [];
  const [, position, long, short] = /^(portrait|landscape)_(\d+)_(\d+)$/.exec(wish) ?? [];
  if (position === 'portrait') return sizeOf(Number(short), Number(long));
  if (position === 'landscape') return sizeOf(Number(long), Number(short));
  return wide === undefined ? sizeOf(1, 1) : sizeOf(Number(wide), Number(high));
}

function sizeOf(wide: number, high: number): PictureSize {
  const scale = longSidePixels / Math.max(wide, high);
  return { width: Math.round(wide * scale), height: Math.round(high * scale) };
}

/** Values compare as text: the price lists do not keep the parameters' types. A value not sent fits each row. */
function dearestRow(
  model: VendorModel,
  values: OrderValues,
  rows: readonly { readonly when: OrderValues; readonly credits: number }[],
): number {
  const fitting = rows.filter(({ when }) =>
    Object.entries(when).every(([name, expected]) => {
      const value = values[name] ?? model.params[name]?.default;
      return value === undefined || String(value) === String(expected);
    }),
  );
  return fitting.length === 0 ? unknownPriceCredits : Math.max(...fitting.map(row => row.credits));
}

function secondsOf(model: VendorModel, values: OrderValues): number {
  const name = Object.hasOwn(model.params, 'duration') ? 'duration' : 'duration_seconds';
  return Number(values[name] ?? model.params[name]?.default ?? unknownSeconds);
}

function factorOf(model: VendorModel, values: OrderValues, name: string | undefined): number {
  return name === undefined ? 1 : Number(values[name] ?? model.params[name]?.default ?? 1);
}

function rounded(credits: number): number {
  return Math.round(credits * 10_000) / 10_000;
}
