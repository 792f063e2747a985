// The lowest number of credits that an order of a model can cost by its price rule: what a menu shows as "from".
import { combinationsOf } from './combinations.ts';
import type { Model, Price } from './schema.ts';

/** Rounded to a millionth of a credit, so that 0.1 × 3 is 0.3. */
export function startingCredits(model: Model, price: Price): number {
  const { rule, times } = price;
  const cheapest = Math.min(...combinationsOf(model, rule).map(({ credits }) => credits ?? Infinity));
  const credits = cheapest * leastUnits(model, price) * (times === undefined ? 1 : least(model, times));
  return Math.round(credits * 1e6) / 1e6;
}

function leastUnits(model: Model, { rule }: Price): number {
  if (rule.kind === 'per_second') return least(model, rule.seconds);
  if (rule.kind !== 'per_1000_characters') return 1;
  const text = model.parameters.find(({ name }) => name === rule.text);
  return (text?.type === 'text' ? text.minLength : 0) / 1000;
}

/** The least number that a parameter can hold; the check of the catalogue sees to it that there is one. */
function least(model: Model, name: string): number {
  const parameter = model.parameters.find(candidate => candidate.name === name);
  if (parameter?.type === 'choice') return Math.min(...parameter.values.map(Number));
  return parameter?.type === 'number' ? (parameter.min ?? 0) : 0;
}
