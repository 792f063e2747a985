// The models that the KIE stand-in sells: reads models.json, the supplier's own facts of each model in the
// supplier's words (parameters, limits, credits, number of results). A bad entry stops the start. The file is
// made apart from the bot's catalogue and shares no shape with it, so that the two check each other.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** Each has its own endpoints, body, states and callbacks. */
const apiFamilies = ['market', 'veo', 'suno'] as const;
export type ApiFamily = (typeof apiFamilies)[number];

const mediaKinds = ['image', 'video', 'audio'] as const;
export type MediaKind = (typeof mediaKinds)[number];

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const credits = z.number().positive();
const rows = z.array(z.strictObject({ when: z.record(z.string(), scalar), credits })).min(1);

const parameterSchema = z.strictObject({
  /** Media types carry public URLs; `[]` marks a list. */
  type: z.enum([
    'string',
    'number',
    'integer',
    'boolean',
    ...mediaKinds,
    'image[]',
    'video[]',
    'audio[]',
    'object[]',
  ]),
  required: z.literal(true).optional(),
  /** Required as well while all of these parameters have these values. */
  required_if: z.record(z.string(), scalar).optional(),
  enum: z.array(scalar).optional(),
  /** What the supplier takes where nothing is sent. */
  default: scalar.optional(),
  /** Of a string: it must hold a number in this range. */
  min: z.number().optional(),
  max: z.number().optional(),
  min_length: z.int().optional(),
  max_length: z.int().optional(),
  max_items: z.int().optional(),
  /** The fields of an item of an `object[]`. */
  items: z.record(z.string(), z.literal('string')).optional(),
});
export type VendorParameter = z.infer<typeof parameterSchema>;

const multiplyBy = z.string().optional();
const priceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('flat'), credits, multiply_by: multiplyBy }),
  z.strictObject({ kind: z.literal('table'), rows, multiply_by: multiplyBy }),
  z.strictObject({ kind: z.literal('per_second'), rows }),
  z.strictObject({ kind: z.literal('per_1000_chars'), credits }),
  z.strictObject({ kind: z.literal('by_output_size'), rows }),
  z.strictObject({ kind: z.literal('unknown') }),
]);

const modelSchema = z.strictObject({
  /** As an order names it. */
  id: z.string().min(1),
  api: z.enum(apiFamilies),
  output: z.enum(mediaKinds),
  /** How many files one order gives: a number, or the parameter that says it. One where it is absent. */
  results: z.union([z.int().positive(), z.string()]).optional(),
  at_least_one: z.array(z.string()).optional(),
  not_together: z.array(z.tuple([z.string(), z.string()])).optional(),
  credits: priceSchema,
  params: z.record(z.string(), parameterSchema),
});
export type VendorModel = z.infer<typeof modelSchema>;

export interface ModelList {
  /** The model of this name if it is sold at this family's endpoints. */
  find(api: ApiFamily, id: string): VendorModel | undefined;
}

/** Rejects when models.json is not what it should be. */
export async function readModels(): Promise<ModelList> {
  const text = await readFile(new URL('./models.json', import.meta.url), 'utf8');
  const models = new Map(
    z
      .array(modelSchema)
      .parse(JSON.parse(text))
      .map(model => [model.id, model]),
  );
  return {
    find(api, id) {
      const model = models.get(id);
      return model?.api === api ? model : undefined;
    },
  };
}
