// What must be true of an entry beyond its shape: names that refer to something, defaults that can be chosen, a
// price for every combination that can be ordered, a text for everything a user reads. One sentence per problem.
import { choicesOf, combinationsOf, pricedBy } from './combinations.ts';
import { unlabelled } from './labels.ts';
import type { Model, Parameter, Price, Scalar } from './schema.ts';

/** Everything that is wrong with an entry by itself; empty when it is sound. */
export function problemsOf(model: Model): string[] {
  return [
    ...duplicates(model.parameters.map(({ name }) => name)).map(
      name => `two parameters have the same name: ${name}`,
    ),
    ...model.parameters.flatMap(parameter => [
      ...valueProblems(parameter),
      ...requirementProblems(model, parameter),
    ]),
    ...groupProblems(model),
    ...fixedProblems(model),
    ...(model.price ? priceProblems(model, model.price) : []),
    ...unlabelled(model).map(name => `${name} has no entry in labels.json`),
  ];
}

/** Default and limits of one parameter. */
function valueProblems(parameter: Parameter): string[] {
  const { name } = parameter;
  if (parameter.type === 'text' && parameter.minLength > parameter.maxLength)
    return [`${name}: minLength is above maxLength`];
  if (parameter.type === 'number' && (parameter.min ?? -Infinity) > (parameter.max ?? Infinity))
    return [`${name}: min is above max`];
  if (parameter.type === 'choice' && new Set(parameter.values.map(String)).size < parameter.values.length)
    return [`${name}: a value stands twice`];
  if (parameter.type === 'files')
    return !parameter.list && parameter.maxItems > 1 ? [`${name}: maxItems above 1 needs a list`] : [];
  if (parameter.default === undefined || takes(parameter, parameter.default)) return [];
  return [
    parameter.type === 'choice'
      ? `${name}: a default is not among the values`
      : `${name}: the default is outside the limits`,
  ];
}

function requirementProblems(model: Model, parameter: Parameter): string[] {
  const { name, requiredIf = {} } = parameter;
  const unasked = parameter.required && parameter.advanced && !isFixed(model, name);
  return [
    ...(unasked ? [`${name} is required and never asked: it needs a value in fixed`] : []),
    ...valueReferenceProblems(model, 'requiredIf', requiredIf),
  ];
}

function groupProblems(model: Model): string[] {
  const { atLeastOne = [], notTogether = [], impossible = [], notOffered } = model;
  const asked = Object.keys(notOffered?.values ?? {});
  return [
    ...nameProblems(model, 'atLeastOne', atLeastOne),
    ...nameProblems(model, 'notTogether', notTogether.flat()),
    ...impossible.flatMap(values => valueReferenceProblems(model, 'impossible', values)),
    ...nameProblems(model, 'notOffered.values', asked),
    ...(notOffered?.parameters ?? [])
      .filter(name => find(model, name))
      .map(name => `notOffered: ${name} is offered`),
    ...Object.entries(notOffered?.values ?? {}).flatMap(([name, values]) =>
      values
        .filter(value => choicesOf(model, name).includes(value))
        .map(value => `notOffered: ${name} ${value} is offered`),
    ),
  ];
}

function fixedProblems(model: Model): string[] {
  return Object.keys(model.fixed ?? {})
    .filter(name => isAsked(model, name))
    .map(name => `fixed: ${name} is asked as well`);
}

function priceProblems(model: Model, { rule, times }: Price): string[] {
  const counted = [...(rule.kind === 'per_second' ? [rule.seconds] : []), ...(times ? [times] : [])];
  const references = [
    ...('rows' in rule ? rule.rows : []).flatMap(({ when }) => valueReferenceProblems(model, 'price', when)),
    ...counted.flatMap(name => countProblems(model, name)),
    ...(rule.kind === 'per_1000_characters' && !isAsked(model, rule.text, 'text')
      ? [`price: ${rule.text} is no text that is asked`]
      : []),
  ];
  if (references.length > 0) return references;
  const undecided = [...new Set([...pricedBy(rule), ...counted])].filter(name => isUndecided(model, name));
  return [
    ...pricedBy(rule)
      .filter(name => choicesOf(model, name).length === 0)
      .map(name => `price: ${name} has no limited number of values`),
    ...undecided.map(name => `price: ${name} is optional and has no default, so the price would be a guess`),
    ...combinationsOf(model, rule)
      .filter(({ credits }) => credits === undefined)
      .map(({ values }) => `price: no row fits ${JSON.stringify(values)}`),
  ];
}

/** What is counted must be a number of at least 0 that is always known. */
function countProblems(model: Model, name: string): string[] {
  const parameter = isAsked(model, name) ? find(model, name) : undefined;
  if (parameter?.type === 'number' && (parameter.min ?? -1) >= 0) return [];
  if (parameter?.type === 'choice' && parameter.values.every(value => Number(value) >= 0)) return [];
  return [`price: ${name} is no number of at least 0 that is asked`];
}

/** Whether an order may come without a value. */
function isUndecided(model: Model, name: string): boolean {
  const parameter = find(model, name);
  return (
    parameter !== undefined &&
    !parameter.required &&
    (parameter.type === 'files' || parameter.default === undefined)
  );
}

function valueReferenceProblems(
  model: Model,
  where: string,
  values: Readonly<Record<string, Scalar>>,
): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const parameter = isAsked(model, name) ? find(model, name) : undefined;
    if (!parameter) return [`${where}: ${name} is not asked`];
    return takes(parameter, value) ? [] : [`${where}: ${name} can never be ${JSON.stringify(value)}`];
  });
}

function nameProblems(model: Model, where: string, names: readonly string[]): string[] {
  return names.filter(name => !isAsked(model, name)).map(name => `${where}: ${name} is not asked`);
}

/** Whether a value is one the parameter can have. */
function takes(parameter: Parameter, value: Scalar): boolean {
  switch (parameter.type) {
    case 'choice':
      return typeof value !== 'boolean' && parameter.values.includes(value);
    case 'switch':
      return typeof value === 'boolean';
    case 'text':
      return (
        typeof value === 'string' &&
        value.length >= parameter.minLength &&
        value.length <= parameter.maxLength
      );
    case 'number':
      return (
        typeof value === 'number' &&
        (!parameter.whole || Number.isInteger(value)) &&
        value >= (parameter.min ?? -Infinity) &&
        value <= (parameter.max ?? Infinity)
      );
    case 'files':
      return false;
  }
}

const find = (model: Model, name: string): Parameter | undefined =>
  model.parameters.find(parameter => parameter.name === name);

const isFixed = (model: Model, name: string): boolean => Object.hasOwn(model.fixed ?? {}, name);

function isAsked(model: Model, name: string, type?: Parameter['type']): boolean {
  const parameter = find(model, name);
  return parameter !== undefined && !parameter.advanced && (type === undefined || parameter.type === type);
}

/** Those that stand more than once, each once. */
export function duplicates(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
