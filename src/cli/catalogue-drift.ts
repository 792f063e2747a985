// Where the catalogue and the supplier's pages no longer say the same. What a page leaves unsaid is no drift, and
// neither is what the catalogue leaves out on purpose and says so.
import type { LeftOut } from '../catalogue/left-out.ts';
import type { Model, Parameter, Scalar } from '../catalogue/schema.ts';
import { type Limit, limits, type PublishedModel, type PublishedParameter } from './catalogue-contract.ts';

export interface Drift {
  /** Our id, or the supplier's name of a model that we do not have. */
  readonly model: string;
  readonly parameter?: string;
  readonly drift:
    | 'retired'
    | 'new model'
    | 'new parameter'
    | 'parameter gone'
    | 'type'
    | 'values'
    | 'default'
    | 'required'
    | 'limit';
  /** What differs: ours first. */
  readonly detail: string;
}

export interface Comparison {
  readonly models: readonly Model[];
  readonly leftOut: LeftOut;
  readonly published: readonly PublishedModel[];
  /** Whether a model without a page is gone. */
  readonly complete: boolean;
}

/** In the order of the catalogue, new models last. */
export function driftsOf({ models, leftOut, published, complete }: Comparison): Drift[] {
  const nameOf = ({ api, vendorModel }: Pick<Model, 'api' | 'vendorModel'>): string =>
    `${api} ${vendorModel}`;
  const pages = new Map(published.map(page => [nameOf(page), page]));
  const known = new Set([...models, ...leftOut.models].map(nameOf));
  const leftOutNames = leftOut.parameters.map(({ name }) => name);
  return [
    ...models.flatMap((model): Drift[] => {
      const page = pages.get(nameOf(model));
      if (page) return driftsOfModel(model, page, leftOutNames);
      if (!complete || !model.enabled) return [];
      return [{ model: model.id, drift: 'retired', detail: `no page; was ${model.source}` }];
    }),
    ...published
      .filter(page => !known.has(nameOf(page)))
      .map((page): Drift => ({ model: page.vendorModel, drift: 'new model', detail: page.source })),
  ];
}

function driftsOfModel(model: Model, page: PublishedModel, leftOutNames: readonly string[]): Drift[] {
  const published = new Map(page.parameters.map(parameter => [parameter.name, parameter]));
  const fixed = Object.keys(model.fixed ?? {});
  const ours = new Set([...model.parameters.map(({ name }) => name), ...fixed]);
  const unoffered = new Set([...leftOutNames, ...(model.notOffered?.parameters ?? [])]);
  return [
    ...[...ours]
      .filter(name => !published.has(name))
      .map(
        (name): Drift => ({ model: model.id, parameter: name, drift: 'parameter gone', detail: page.source }),
      ),
    ...model.parameters.flatMap(parameter => {
      const theirs = published.get(parameter.name);
      return theirs ? driftsOfParameter(model, parameter, theirs) : [];
    }),
    ...page.parameters
      .filter(({ name }) => !ours.has(name) && !unoffered.has(name))
      .map(
        (theirs): Drift => ({
          model: model.id,
          parameter: theirs.name,
          drift: 'new parameter',
          detail: describe(theirs),
        }),
      ),
  ];
}

function driftsOfParameter(model: Model, ours: Parameter, theirs: PublishedParameter): Drift[] {
  const found = (drift: Drift['drift'], detail: string): Drift => ({
    model: model.id,
    parameter: ours.name,
    drift,
    detail,
  });
  const type = typesOf(ours);
  if (theirs.type !== undefined && !type.includes(theirs.type))
    return [found('type', `${type.join(' or ')}, page: ${theirs.type}`)];
  return [
    ...valueDrifts(model, ours, theirs).map(detail => found('values', detail)),
    ...defaultDrifts(model, ours, theirs).map(detail => found('default', detail)),
    ...(theirs.required && !isAlwaysSent(model, ours) ? [found('required', 'optional, page: required')] : []),
    ...limits.flatMap(limit => limitDrifts(ours, theirs, limit)).map(detail => found('limit', detail)),
  ];
}

/** OpenAPI's words that fit one of ours. */
function typesOf(parameter: Parameter): string[] {
  switch (parameter.type) {
    case 'text':
      return ['string'];
    case 'choice':
      return parameter.values.every(value => typeof value === 'number') ? ['number', 'integer'] : ['string'];
    case 'switch':
      return ['boolean'];
    case 'number':
      return parameter.sentAsText ? ['string'] : ['number', 'integer'];
    case 'files':
      return [parameter.list ? 'array' : 'string'];
  }
}

function valueDrifts(model: Model, ours: Parameter, { values }: PublishedParameter): string[] {
  if (values === undefined || ours.type === 'switch') return [];
  if (ours.type !== 'choice') return [`free, page: ${list(values)}`];
  const known: readonly unknown[] = [...ours.values, ...(model.notOffered?.values?.[ours.name] ?? [])];
  const added = values.filter(value => !known.includes(value));
  const gone = known.filter(value => !values.includes(value));
  return [
    ...(added.length > 0 ? [`new: ${list(added)}`] : []),
    ...(gone.length > 0 ? [`gone: ${list(gone)}`] : []),
  ];
}

/** An empty default of the page says nothing; of what we never send, the default does not matter. */
function defaultDrifts(model: Model, ours: Parameter, theirs: PublishedParameter): string[] {
  if (theirs.default === undefined || theirs.default === '' || ours.advanced || ours.type === 'files')
    return [];
  const value: Scalar | undefined = ours.default ?? model.fixed?.[ours.name];
  const same = ours.type === 'number' && ours.sentAsText ? Number(theirs.default) : theirs.default;
  return value === same
    ? []
    : [`${value === undefined ? 'none' : JSON.stringify(value)}, page: ${JSON.stringify(theirs.default)}`];
}

/** What we require although the supplier does not is our own decision; only the reverse loses orders. */
function isAlwaysSent(model: Model, parameter: Parameter): boolean {
  const hasDefault = parameter.type !== 'files' && parameter.default !== undefined;
  return parameter.required || hasDefault || Object.hasOwn(model.fixed ?? {}, parameter.name);
}

function limitDrifts(ours: Parameter, theirs: PublishedParameter, limit: Limit): string[] {
  const published = theirs.limits[limit];
  // Of a choice the values are compared; of what is never asked, nothing can be too long.
  if (published === undefined || ours.advanced || ours.type === 'choice') return [];
  const own = limitOf(ours, limit);
  // An empty text is not sent at all.
  if (limit === 'minLength' && own === Math.max(published, 1)) return [];
  return own === published ? [] : [`${limit} ${own ?? 'none'}, page: ${published}`];
}

function limitOf(parameter: Parameter, limit: Limit): number | undefined {
  switch (limit) {
    case 'minLength':
    case 'maxLength':
      return parameter.type === 'text' ? parameter[limit] : undefined;
    case 'minimum':
      return parameter.type === 'number' ? parameter.min : undefined;
    case 'maximum':
      return parameter.type === 'number' ? parameter.max : undefined;
    case 'maxItems':
      return parameter.type === 'files' ? parameter.maxItems : undefined;
  }
}

function describe({ type, values, required }: PublishedParameter): string {
  const parts = [required ? 'required' : 'optional', type ?? 'of unknown type'];
  return [...parts, ...(values ? [list(values)] : [])].join(', ');
}

const list = (values: readonly unknown[]): string => values.map(value => JSON.stringify(value)).join(' ');
