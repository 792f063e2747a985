// The models that can be used, looked up by key, id, category and words. Built once at start from data; the code
// knows no model by name. Administrators lay settings over it while it runs: what may be offered is worked out when
// they change, so that a look-up costs nothing.
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { duplicates, problemsOf } from './consistency.ts';
import modelsData from './models.json' with { type: 'json' };
import { type Category, categories, type Model, modelSchema } from './schema.ts';
import { createSearch } from './search.ts';
import { startingCredits } from './starting-credits.ts';

/** What an administrator has said about a model. */
export interface ModelSetting {
  readonly modelId: string;
  /** The price of one order, whatever is ordered, instead of the rule of the entry; null leaves the rule. */
  readonly credits: number | null;
  /** Why it is switched off; null when it is not. */
  readonly disabledReason: string | null;
}

export type Availability =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly why: 'disabled' | 'price_unknown' | 'needs_public_address' | 'not_this_model';
    };

export interface CatalogueOptions {
  /** Instead of the models that are shipped. */
  readonly data?: unknown;
  /** Key or id of the only model that is offered. */
  readonly singleModel?: string;
  /** Whether the supplier can reach us; asked at each look-up, because it is known late. True by default. */
  readonly hasPublicAddress?: () => boolean;
}

export interface Catalogue {
  /** In the order of the data; those that are not offered too. */
  readonly models: readonly Model[];
  /** By the short key that buttons and rows hold; models that are not offered are found too. */
  byKey(key: string): Model | undefined;
  byId(id: string): Model | undefined;
  availability(model: Model): Availability;
  /** Models of a category that are offered, in the order of the data. */
  inCategory(category: Category): readonly Model[];
  /** Categories in which something is offered. */
  readonly categories: readonly Category[];
  /** Offered models that fit all words of a query of at least two characters, best matches first. */
  search(query: string, limit: number): readonly Model[];
  /** Offered models by the least they can cost. */
  cheapest(limit: number): readonly Model[];
  /** Offered models that can cost nothing. */
  free(): readonly Model[];
  /** The least that an order can cost; undefined while the price is unknown. */
  startingCredits(model: Model): number | undefined;
  /** The flat price that an administrator has set instead of the rule of the entry. */
  creditsSet(model: Model): number | undefined;
  /** Replaces all settings. Those of models that no longer exist are left aside. */
  applySettings(settings: readonly ModelSetting[]): void;
}

/** What is offered, worked out once: with or without an address that the supplier can reach. */
interface Offer {
  readonly inCategory: ReadonlyMap<Category, readonly Model[]>;
  readonly categories: readonly Category[];
  readonly byPrice: readonly Model[];
  readonly free: readonly Model[];
}

/** Throws AppError CATALOGUE_INVALID that names each bad entry and what is wrong with it. */
export function createCatalogue(options: CatalogueOptions = {}): Catalogue {
  const { singleModel, hasPublicAddress = () => true } = options;
  const models = readModels(options.data ?? modelsData);
  const byKey = new Map(models.map(model => [model.key, model]));
  const byId = new Map(models.map(model => [model.id, model]));
  const only = singleModel === undefined ? undefined : (byKey.get(singleModel) ?? byId.get(singleModel));
  if (singleModel !== undefined && only === undefined)
    throw invalid([`no model has the key or id ${singleModel}, which is to be the only one`]);
  const search = createSearch(models);

  const priceOf = (model: Model): number | undefined =>
    model.price === undefined || model.price.confidence === 'low'
      ? undefined
      : startingCredits(model, model.price);
  const rulePrices = new Map(models.map(model => [model.id, priceOf(model)]));
  let settings = new Map<string, ModelSetting>();
  const creditsSet = (model: Model): number | undefined => settings.get(model.id)?.credits ?? undefined;
  const creditsOf = (model: Model): number | undefined => creditsSet(model) ?? rulePrices.get(model.id);

  const availability = (model: Model, reachable: boolean): Availability => {
    if (only !== undefined && model.id !== only.id) return { ok: false, why: 'not_this_model' };
    if (!model.enabled || (settings.get(model.id)?.disabledReason ?? null) !== null)
      return { ok: false, why: 'disabled' };
    // Its API refuses an order that names no address for the result.
    if (model.api === 'suno' && !reachable) return { ok: false, why: 'needs_public_address' };
    if (creditsOf(model) === undefined) return { ok: false, why: 'price_unknown' };
    return { ok: true };
  };

  const makeOffer = (reachable: boolean): Offer => {
    const offered = models.filter(model => availability(model, reachable).ok);
    const inCategory = new Map(
      categories.map(category => [category, offered.filter(model => model.category === category)]),
    );
    return {
      inCategory,
      categories: categories.filter(category => (inCategory.get(category)?.length ?? 0) > 0),
      byPrice: offered.toSorted((one, other) => (creditsOf(one) ?? 0) - (creditsOf(other) ?? 0)),
      free: offered.filter(model => creditsOf(model) === 0),
    };
  };
  let offers = { reachable: makeOffer(true), unreachable: makeOffer(false) };
  const offer = (): Offer => (hasPublicAddress() ? offers.reachable : offers.unreachable);

  return {
    models,
    byKey: key => byKey.get(key),
    byId: id => byId.get(id),
    availability: model => availability(model, hasPublicAddress()),
    inCategory: category => offer().inCategory.get(category) ?? [],
    get categories() {
      return offer().categories;
    },
    search(query, limit) {
      const reachable = hasPublicAddress();
      return search(query)
        .filter(model => availability(model, reachable).ok)
        .slice(0, limit);
    },
    cheapest: limit => offer().byPrice.slice(0, limit),
    free: () => offer().free,
    startingCredits: creditsOf,
    creditsSet,
    applySettings(next) {
      settings = new Map(next.map(setting => [setting.modelId, setting]));
      offers = { reachable: makeOffer(true), unreachable: makeOffer(false) };
    },
  };
}

function readModels(data: unknown): readonly Model[] {
  const entries = z.array(z.unknown()).parse(data);
  const problems: string[] = [];
  const models: Model[] = [];
  for (const [index, entry] of entries.entries()) {
    const parsed = modelSchema.safeParse(entry);
    const said = parsed.success
      ? problemsOf(parsed.data)
      : [z.prettifyError(parsed.error).replaceAll('\n', ' ')];
    if (parsed.success) models.push(parsed.data);
    problems.push(...said.map(problem => `${entryName(entry, index)}: ${problem}`));
  }
  for (const field of ['id', 'key', 'title'] as const)
    for (const value of duplicates(models.map(model => model[field]))) {
      const owners = models.filter(model => model[field] === value).map(({ id }) => id);
      problems.push(`${owners.join(', ')}: several models have the ${field} ${value}`);
    }
  if (problems.length > 0) throw invalid(problems);
  return models;
}

function invalid(problems: readonly string[]): AppError {
  return new AppError({
    code: 'CATALOGUE_INVALID',
    message: `The model catalogue has bad entries:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
  });
}

function entryName(entry: unknown, index: number): string {
  const named = z.looseObject({ id: z.string() }).safeParse(entry);
  return named.success ? named.data.id : `entry ${index + 1}`;
}
