// Values in the place of those that nobody has recorded: of a text the journal knows the length, of files the number.
// A placeholder is as long, or as many, and fits the parameter wherever the real value did by its length or its kind.
import type { Model, Parameter } from '../../src/catalogue/schema.ts';
import type { FileReference, FormValues } from '../../src/catalogue/values.ts';
import type { StandInFiles } from './stand-in-files.ts';

export interface Refilled {
  readonly values: FormValues;
  /** Of the parameters that hold something else than then. */
  readonly replaced: readonly string[];
}

const words = 'placeholder ';

/** `recorded` as bot/dispatch-snapshot.ts keeps it. Without its model, whose parameters are not known, a value stays as it is. */
export async function refilled(
  recorded: Readonly<Record<string, string | number | boolean>>,
  model: Pick<Model, 'parameters'> | undefined,
  files: StandInFiles,
): Promise<Refilled> {
  const values: Record<string, FormValues[string]> = {};
  const replaced: string[] = [];
  for (const [name, value] of Object.entries(recorded)) {
    const parameter = model?.parameters.find(candidate => candidate.name === name);
    const stand = await placeholder(value, parameter, files);
    values[name] = stand ?? value;
    if (stand !== undefined) replaced.push(name);
  }
  return { values, replaced };
}

async function placeholder(
  value: string | number | boolean,
  parameter: Parameter | undefined,
  files: StandInFiles,
): Promise<string | FileReference[] | undefined> {
  const [, kind, count] = /^(text|files)\((\d+)\)$/.exec(String(value)) ?? [];
  if (kind === 'text' && parameter?.type !== 'files') return placeholderText(Number(count));
  if (kind !== 'files' || parameter?.type !== 'files') return undefined;
  return Promise.all(Array.from({ length: Number(count) }, () => files.sent(parameter.media)));
}

/** Never with a space at its end, where texts are trimmed. */
function placeholderText(length: number): string {
  return words
    .repeat(Math.ceil(length / words.length))
    .slice(0, length)
    .replace(/ $/, '.');
}
