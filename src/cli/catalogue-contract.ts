// What the supplier's OpenAPI documents say of its models: which there are, and what each takes. Read from pages of
// Markdown with a fenced document, or from plain YAML or JSON. Only the operations that order a generation count.
import { parse } from 'yaml';
import { z } from 'zod';
import type { ApiFamily } from '../catalogue/schema.ts';
import { isDescription, type Page } from './catalogue-pages.ts';

export interface PublishedParameter {
  readonly name: string;
  readonly required: boolean;
  /** OpenAPI's word for it: string, number, integer, boolean, array, object; absent when the page does not say. */
  readonly type: string | undefined;
  readonly values: readonly unknown[] | undefined;
  readonly default: unknown;
  readonly limits: Readonly<Partial<Record<Limit, number>>>;
}

export const limits = ['minLength', 'maxLength', 'minimum', 'maximum', 'maxItems'] as const;
export type Limit = (typeof limits)[number];

export interface PublishedModel {
  readonly api: ApiFamily;
  readonly vendorModel: string;
  readonly source: string;
  readonly parameters: readonly PublishedParameter[];
}

export interface Contract {
  /** Each model once: the first page that describes it counts. */
  readonly models: readonly PublishedModel[];
  readonly unreadable: readonly { readonly source: string; readonly why: string }[];
}

const families: Readonly<Record<string, ApiFamily>> = {
  '/api/v1/jobs/createTask': 'market',
  '/api/v1/veo/generate': 'veo',
  '/api/v1/generate': 'suno',
};
/** They belong to the envelope of an order, not to a model. */
const envelope = new Set(['model', 'callBackUrl']);

const record = z.record(z.string(), z.unknown());
const property = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  ...Object.fromEntries(limits.map(limit => [limit, z.number().optional()])),
});
const body = z.looseObject({
  required: z.array(z.string()).default([]),
  properties: record.default({}),
});
const operation = z.looseObject({
  requestBody: z.looseObject({
    content: z.looseObject({
      'application/json': z.looseObject({
        schema: z.unknown().optional(),
        example: z.unknown().optional(),
        examples: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })).nullish(),
      }),
    }),
  }),
});
const description = z.looseObject({
  paths: z.record(z.string(), z.looseObject({ post: z.unknown().optional() })),
});

export function readContract(pages: readonly Page[]): Contract {
  const models = new Map<string, PublishedModel>();
  const unreadable: { source: string; why: string }[] = [];
  for (const page of pages) {
    try {
      for (const text of documentsOf(page.text))
        for (const model of modelsOf(parse(text), page.source)) {
          const key = `${model.api} ${model.vendorModel}`;
          if (!models.has(key)) models.set(key, model);
        }
    } catch (error) {
      const [why = ''] = (error instanceof z.ZodError ? z.prettifyError(error) : String(error)).split('\n');
      unreadable.push({ source: page.source, why });
    }
  }
  return { models: [...models.values()], unreadable };
}

/** The fenced documents of a Markdown page, or the text itself when it has no fences. */
function documentsOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```(?:ya?ml|json)[^\S\n]*\r?\n(.*?)^```/gms)].map(
    ([, block = '']) => block,
  );
  return (fenced.length > 0 ? fenced : [text]).filter(isDescription);
}

function modelsOf(document: unknown, source: string): PublishedModel[] {
  return Object.entries(description.parse(document).paths).flatMap(([path, { post }]) => {
    const api = families[path];
    if (api === undefined || post === undefined) return [];
    const content = operation.parse(post).requestBody.content['application/json'];
    const order = body.parse(resolve(document, content.schema));
    const examples = [content.example, ...Object.values(content.examples ?? {}).map(({ value }) => value)];
    const input = api === 'market' ? body.parse(resolve(document, order.properties.input ?? {})) : order;
    const parameters = parametersOf(document, input);
    return namesOf(property.parse(resolve(document, order.properties.model ?? {})), examples).map(
      vendorModel => ({ api, vendorModel, source, parameters }),
    );
  });
}

/**
 * The schema names the model; where an example of the page orders another one, the example counts: pages are made
 * from one another, and examples are what people run.
 */
function namesOf(model: z.infer<typeof property>, examples: readonly unknown[]): string[] {
  const names = z.array(z.string()).parse(model.enum ?? (model.default === undefined ? [] : [model.default]));
  const ordered = examples.flatMap(example => {
    // Some examples are text, and not always JSON.
    const text = typeof example === 'string' ? example : JSON.stringify(example ?? {});
    return /"model"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? [];
  });
  return ordered.length === 0 || ordered.some(name => names.includes(name)) ? names : [...new Set(ordered)];
}

function parametersOf(document: unknown, input: z.infer<typeof body>): PublishedParameter[] {
  return Object.entries(input.properties)
    .filter(([name]) => !envelope.has(name))
    .map(([name, value]) => {
      const read = property.parse(resolve(document, value));
      return {
        // Some pages have spaces around a name.
        name: name.trim(),
        required: input.required.includes(name),
        type: read.type,
        values: read.enum,
        default: read.default ?? undefined,
        limits: Object.fromEntries(
          limits.flatMap(limit => (typeof read[limit] === 'number' ? [[limit, read[limit]]] : [])),
        ),
      };
    });
}

/** Follows a reference inside the document; what it leads nowhere says nothing. */
function resolve(document: unknown, value: unknown): unknown {
  let current = value;
  for (let step = 0; step < maxReferences; step++) {
    const reference = z.looseObject({ $ref: z.string() }).safeParse(current);
    if (!reference.success) return current;
    current = lookUp(document, reference.data.$ref);
  }
  return {};
}

const maxReferences = 10;

/** https://www.rfc-editor.org/rfc/rfc6901, inside the same document. */
function lookUp(document: unknown, reference: string): unknown {
  let current: unknown = document;
  for (const step of reference.replace(/^#\/?/, '').split('/')) {
    const here = record.safeParse(current);
    current = here.success ? here.data[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return current ?? {};
}
