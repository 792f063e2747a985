// The models that can be used, looked up by key, id and category. Built once at start from data; the
// code knows no model by name.
import { z } from 'zod';
import { AppError } from '../errors.ts';
import modelsData from './models.json' with { type: 'json' };
import { type Category, categories, type Model, modelSchema } from './schema.ts';

export interface Catalogue {
  /** By the short key that buttons and rows hold; disabled models are found too. */
  byKey(key: string): Model | undefined;
  /** Enabled models of a category, in the order of the data. */
  inCategory(category: Category): readonly Model[];
  /** Categories that have at least one enabled model. */
  readonly categories: readonly Category[];
}

/** Throws AppError CATALOGUE_INVALID that names each bad entry and what is wrong with it. */
export function createCatalogue(data: unknown = modelsData): Catalogue {
  const entries = z.array(z.unknown()).parse(data);
  const problems: string[] = [];
  const models: Model[] = [];
  for (const [index, entry] of entries.entries()) {
    const parsed = modelSchema.safeParse(entry);
    if (parsed.success) models.push(parsed.data);
    else problems.push(`${entryName(entry, index)}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  }
  const byKey = new Map<string, Model>();
  for (const model of models) {
    if (byKey.has(model.key))
      problems.push(`${model.id}: the key ${model.key} is taken by ${byKey.get(model.key)?.id}`);
    byKey.set(model.key, model);
  }
  if (problems.length > 0) {
    throw new AppError({
      code: 'CATALOGUE_INVALID',
      message: `The model catalogue has bad entries:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    });
  }
  const enabled = models.filter(model => model.enabled);
  const inCategory = (category: Category): Model[] => enabled.filter(model => model.category === category);
  return {
    byKey: key => byKey.get(key),
    inCategory,
    categories: categories.filter(category => inCategory(category).length > 0),
  };
}

function entryName(entry: unknown, index: number): string {
  const named = z.looseObject({ id: z.string() }).safeParse(entry);
  return named.success ? named.data.id : `entry ${index + 1}`;
}
