// What the supplier gets: the values of a form in the supplier's own types and shapes, files as addresses.
import type { Model, Parameter } from '../catalogue/schema.ts';
import type { FileReference, FormValue, FormValues } from '../catalogue/values.ts';
import { askedParameters, effectiveValues } from './filled.ts';

export interface InputFile {
  readonly parameter: string;
  readonly file: FileReference;
}

/** The files that must be uploaded or passed on as links, in the order in which they will be sent. */
export function filesOf(model: Model, values: FormValues): readonly InputFile[] {
  return Object.entries(effectiveValues({ values }, model)).flatMap(([parameter, value]) =>
    Array.isArray(value) ? value.map(file => ({ parameter, file })) : [],
  );
}

/**
 * The supplier's input. `fileUrls` gives the public addresses of a parameter's files, one for each of `filesOf`.
 * Optional parameters without a value or default are left out, advanced ones unless the entry fixes them.
 * Throws when there are fewer or more addresses than files: an order without them would be paid for nothing.
 */
export function buildInput(
  model: Model,
  values: FormValues,
  fileUrls: (parameter: string) => readonly string[],
): Record<string, unknown> {
  const effective = effectiveValues({ values }, model);
  const input: Record<string, unknown> = {};
  for (const parameter of askedParameters({ values }, model)) {
    const value = effective[parameter.name];
    if (value !== undefined) input[parameter.name] = sentValue(parameter, value, fileUrls);
  }
  return { ...input, ...model.fixed };
}

function sentValue(
  parameter: Parameter,
  value: FormValue,
  fileUrls: (parameter: string) => readonly string[],
): unknown {
  if (parameter.type === 'number' && parameter.sentAsText) return String(value);
  if (parameter.type !== 'files' || !Array.isArray(value)) return value;
  const urls = fileUrls(parameter.name);
  if (urls.length !== value.length) {
    throw new Error(`${parameter.name} has ${value.length} files, but ${urls.length} addresses`);
  }
  return parameter.list ? [...urls] : urls[0];
}
