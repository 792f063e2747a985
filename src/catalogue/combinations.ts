// The combinations of values that a price depends on, each with its credits. Both the check of the catalogue, which
// wants a price for each, and the lowest price of a model are read from them.
import type { Model, PriceRule, Scalar } from './schema.ts';

export interface Combination {
  readonly values: Readonly<Record<string, Scalar>>;
  /** Of one result, or of one second; undefined where no row fits. */
  readonly credits: number | undefined;
}

/** Whether the named values are all among these. */
function includes(
  values: Readonly<Record<string, Scalar>>,
  named: Readonly<Record<string, Scalar>>,
): boolean {
  return Object.entries(named).every(([name, value]) => values[name] === value);
}

/** The parameters on which the price depends, beside those that are counted. */
export function pricedBy(rule: PriceRule): string[] {
  return 'rows' in rule ? [...new Set(rule.rows.flatMap(({ when }) => Object.keys(when)))] : [];
}

/** All combinations that can be ordered; where several rows fit, the dearest counts. */
export function combinationsOf(model: Model, rule: PriceRule): Combination[] {
  if (!('rows' in rule)) return [{ values: {}, credits: rule.credits }];
  let all: Record<string, Scalar>[] = [{}];
  for (const name of pricedBy(rule))
    all = all.flatMap(values => choicesOf(model, name).map(value => ({ ...values, [name]: value })));
  return all
    .filter(values => !model.impossible?.some(combination => includes(values, combination)))
    .map(values => {
      const fitting = rule.rows.filter(({ when }) => includes(values, when)).map(({ credits }) => credits);
      return { values, credits: fitting.length === 0 ? undefined : Math.max(...fitting) };
    });
}

/** The values a parameter of a limited number of values can have; none for any other. */
export function choicesOf(model: Model, name: string): readonly Scalar[] {
  const parameter = model.parameters.find(candidate => candidate.name === name);
  if (parameter?.type === 'choice') return parameter.values;
  return parameter?.type === 'switch' ? [true, false] : [];
}
