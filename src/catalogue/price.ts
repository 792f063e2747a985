// What a generation costs in the supplier's credits, by the price rule of its model and the values chosen. The same
// for every model; money is made of credits in billing/pricing.ts.
// A value that is not given counts as its default. Where there is none the dearest counts that the supplier could
// make of it, so that no order costs more than was asked for it.
import { ceilTo, type Decimal, decimalOf, multiply, parseDecimal } from '../decimal.ts';
import type { Model, Parameter, PriceRule, Scalar } from './schema.ts';
import type { FormValue, FormValues } from './values.ts';

export type PriceProblem = 'price_unknown' | 'combination_not_offered';
export type Credits =
  | { readonly ok: true; readonly credits: number }
  | { readonly ok: false; readonly problem: PriceProblem };

type Rows = Extract<PriceRule, { kind: 'table' }>['rows'];
type Amount =
  | { readonly ok: true; readonly amount: Decimal }
  | { readonly ok: false; readonly problem: PriceProblem };

/** Credits are counted in millionths: with so few digits a JavaScript number is exactly the decimal it is written as. */
const creditsScale = 6;
const perThousand: Decimal = { units: 1n, scale: 3 };

const unknown = { ok: false, problem: 'price_unknown' } as const;
const notOffered = { ok: false, problem: 'combination_not_offered' } as const;

/**
 * Credits of one order, with at most six digits after the point, rounded up. `override` is what an administrator has
 * set for an order, whatever is ordered. Without it a model has no price that has none in its entry, or one that is
 * not to be trusted.
 */
export function creditsFor(model: Model, values: FormValues, override?: number): Credits {
  const amount = override === undefined ? ruledAmount(model, values) : amountOf(override);
  if (!amount.ok) return amount;
  return { ok: true, credits: Number(ceilTo(creditsScale, amount.amount)) / 10 ** creditsScale };
}

function ruledAmount(model: Model, values: FormValues): Amount {
  const { price } = model;
  if (price === undefined || price.confidence === 'low') return unknown;
  const amount = singleAmount(model, price.rule, values);
  if (!amount.ok || price.times === undefined) return amount;
  return times(amount.amount, quantityOf(model, price.times, values));
}

/** Of one result. */
function singleAmount(model: Model, rule: PriceRule, values: FormValues): Amount {
  switch (rule.kind) {
    case 'flat':
      return amountOf(rule.credits);
    case 'table':
      return rowAmount(model, rule.rows, values);
    case 'per_second': {
      const row = rowAmount(model, rule.rows, values);
      return row.ok ? times(row.amount, quantityOf(model, rule.seconds, values)) : row;
    }
    case 'per_1000_characters': {
      const perCharacter = amountOf(rule.credits);
      if (!perCharacter.ok) return perCharacter;
      return times(multiply(perCharacter.amount, perThousand), charactersOf(model, rule.text, values));
    }
  }
}

function amountOf(credits: number): Amount {
  const amount = decimalOf(credits);
  return amount === undefined ? unknown : { ok: true, amount };
}

function times(amount: Decimal, quantity: Decimal | PriceProblem): Amount {
  return typeof quantity === 'string'
    ? { ok: false, problem: quantity }
    : { ok: true, amount: multiply(amount, quantity) };
}

/** The dearest of the rows that fit. */
function rowAmount(model: Model, rows: Rows, values: FormValues): Amount {
  const fitting = rows.filter(({ when }) =>
    Object.entries(when).every(([name, wanted]) => {
      const value = effectiveValue(model, name, values);
      return value === undefined || isSame(value, wanted);
    }),
  );
  if (fitting.length === 0) return notOffered;
  return amountOf(Math.max(...fitting.map(({ credits }) => credits)));
}

/** Rows may write "5" where the supplier takes 5, and the other way round; the price is the same. */
function isSame(value: FormValue, wanted: Scalar): boolean {
  return String(value) === String(wanted);
}

/** What the supplier gets for a parameter, or takes by itself when it gets nothing. */
function effectiveValue(model: Model, name: string, values: FormValues): FormValue | undefined {
  const fixed = model.fixed?.[name];
  if (fixed !== undefined) return fixed;
  const given = values[name];
  if (given !== undefined) return given;
  const parameter = parameterOf(model, name);
  return parameter !== undefined && 'default' in parameter ? parameter.default : undefined;
}

/** A number of seconds or of results. None, or less, is not to be had for nothing. */
function quantityOf(model: Model, name: string, values: FormValues): Decimal | PriceProblem {
  const value = effectiveValue(model, name, values) ?? largestOf(parameterOf(model, name));
  if (value === undefined) return 'price_unknown';
  const quantity =
    typeof value === 'string'
      ? parseDecimal(value)
      : typeof value === 'number'
        ? decimalOf(value)
        : undefined;
  return quantity === undefined || quantity.units === 0n ? 'combination_not_offered' : quantity;
}

/** Characters as Unicode counts them: an emoji is not two. */
function charactersOf(model: Model, name: string, values: FormValues): Decimal | PriceProblem {
  const value = effectiveValue(model, name, values);
  if (typeof value === 'string') return { units: BigInt([...value].length), scale: 0 };
  const parameter = parameterOf(model, name);
  if (value !== undefined || parameter?.type !== 'text') return 'price_unknown';
  return { units: BigInt(parameter.maxLength), scale: 0 };
}

function largestOf(parameter: Parameter | undefined): number | undefined {
  if (parameter?.type === 'number') return parameter.max;
  if (parameter?.type === 'choice') return Math.max(...parameter.values.map(Number));
  return undefined;
}

function parameterOf(model: Model, name: string): Parameter | undefined {
  return model.parameters.find(parameter => parameter.name === name);
}
