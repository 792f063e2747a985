// What is wrong with the values of an order, by the facts of its model: missing and unknown parameters, types,
// choices, ranges, lengths and parameters that exclude each other. Stricter than KIE in one way: a parameter
// that the model does not have is refused, because there it would be a client's mistake that nobody notices.
// Looks at addresses of files only as text; whether they can be fetched is known by input-files.ts.
import type { MediaKind, VendorModel, VendorParameter } from './models.ts';

export type OrderValues = Readonly<Record<string, unknown>>;

export interface OrderedFile {
  readonly parameter: string;
  readonly kind: MediaKind;
  readonly url: string;
}

/** The text of the refusal, beginning with the parameter's name; undefined for a good order. */
export function findProblem(model: VendorModel, values: OrderValues): string | undefined {
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(model.params, name)) return `${name}: ${model.id} has no such parameter`;
  }
  for (const [name, parameter] of Object.entries(model.params)) {
    const value = values[name];
    const needed = parameter.required === true || isRequiredNow(model, parameter, values);
    if (needed && !isGiven(value)) return `${name}: required`;
    const problem = value === undefined ? undefined : problemOf(parameter, value);
    if (problem !== undefined) return `${name}: ${problem}`;
  }
  const alternatives = model.at_least_one;
  if (alternatives && !alternatives.some(name => isGiven(values[name])))
    return `${alternatives.join(', ')}: at least one of them is required`;
  for (const [first, second] of model.not_together ?? []) {
    if (isGiven(values[first]) && isGiven(values[second]))
      return `${first}: must not be given together with ${second}`;
  }
  return undefined;
}

/** The addresses in the values of a good order. */
export function filesOf(model: VendorModel, values: OrderValues): OrderedFile[] {
  return Object.entries(model.params).flatMap(([parameter, { type }]) => {
    const kind = mediaKindOf(type);
    if (kind === undefined) return [];
    return [values[parameter]]
      .flat()
      .filter(url => typeof url === 'string')
      .map(url => ({ parameter, kind, url }));
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
}

function isRequiredNow(model: VendorModel, parameter: VendorParameter, values: OrderValues): boolean {
  if (parameter.required_if === undefined) return false;
  return Object.entries(parameter.required_if).every(
    ([name, expected]) => (values[name] ?? model.params[name]?.default) === expected,
  );
}

function problemOf(parameter: VendorParameter, value: unknown): string | undefined {
  if (parameter.type.endsWith('[]')) {
    if (!Array.isArray(value)) return 'must be an array';
    const most = parameter.max_items;
    if (most !== undefined && value.length > most) return `must have at most ${most} items`;
    return value.map(item => itemProblem(parameter, item)).find(problem => problem !== undefined);
  }
  return itemProblem(parameter, value) ?? choiceProblem(parameter, value);
}

function itemProblem(parameter: VendorParameter, value: unknown): string | undefined {
  switch (parameter.type) {
    case 'string':
      return typeof value === 'string' ? textProblem(parameter, value) : 'must be a string';
    case 'number':
      return typeof value === 'number' ? rangeProblem(parameter, value) : 'must be a number';
    case 'integer':
      return Number.isInteger(value) ? rangeProblem(parameter, Number(value)) : 'must be an integer';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be a boolean';
    case 'object[]':
      return fieldsProblem(parameter, value);
    default:
      return isWebAddress(value) ? undefined : 'must be an http or https URL';
  }
}

/** Strictly: the text "5" is not the number 5. */
function choiceProblem(parameter: VendorParameter, value: unknown): string | undefined {
  const choices: readonly unknown[] | undefined = parameter.enum;
  return choices && !choices.includes(value) ? `must be one of ${choices.join(', ')}` : undefined;
}

function textProblem(parameter: VendorParameter, text: string): string | undefined {
  // Lengths in JSON Schema, the supplier's notation, count code points.
  const length = [...text].length;
  if (length < (parameter.min_length ?? 0)) return `must have at least ${parameter.min_length} characters`;
  if (length > (parameter.max_length ?? length))
    return `must have at most ${parameter.max_length} characters`;
  if (parameter.min === undefined && parameter.max === undefined) return undefined;
  return /^\d+(\.\d+)?$/.test(text) ? rangeProblem(parameter, Number(text)) : 'must hold a number';
}

function rangeProblem({ min, max }: VendorParameter, value: number): string | undefined {
  if (value < (min ?? value)) return `must be at least ${min}`;
  if (value > (max ?? value)) return `must be at most ${max}`;
  return undefined;
}

function fieldsProblem({ items = {} }: VendorParameter, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'must hold objects';
  const fields = Object.entries(value);
  const fits =
    fields.length === Object.keys(items).length &&
    fields.every(([name, field]) => Object.hasOwn(items, name) && typeof field === items[name]);
  return fits ? undefined : `must hold objects of ${Object.keys(items).join(' and ')}`;
}

function isWebAddress(value: unknown): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url?.protocol === 'http:' || url?.protocol === 'https:';
}

function mediaKindOf(type: VendorParameter['type']): MediaKind | undefined {
  const kind = type.replace('[]', '');
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : undefined;
}
