// The one shape of a model: what it makes, what it asks for, in which family of the supplier's API, and by which
// rule it is priced. Everything that the bot knows of a model stands in its entry: no model has code of its own.
// Entries are checked when the program starts (catalogue.ts).
import { z } from 'zod';
import { localized } from '../locales.ts';

export const categories = ['image', 'video', 'audio', 'music', 'enhance', 'avatar'] as const;
export type Category = (typeof categories)[number];

/** Families of KIE.ai's API: each has its own endpoints, body and states. */
export const apiFamilies = ['market', 'veo', 'suno'] as const;
export type ApiFamily = (typeof apiFamilies)[number];

export const mediaKinds = ['image', 'video', 'audio'] as const;
export type MediaKind = (typeof mediaKinds)[number];

/** A value as the supplier takes it. */
const scalar = z.union([z.string(), z.number(), z.boolean()]);
export type Scalar = z.infer<typeof scalar>;

const common = {
  /** The supplier's name of the parameter; its label and question stand in labels.json under the same name. */
  name: z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]*$/),
  required: z.boolean(),
  /** Required as well while other parameters have these values. */
  requiredIf: z.record(z.string(), scalar).optional(),
  /** Never asked: sent only where the entry's `fixed` has a value. */
  advanced: z.literal(true).optional(),
};

const textParameter = z.strictObject({
  ...common,
  type: z.literal('text'),
  minLength: z.int().positive(),
  maxLength: z.int().positive(),
  default: z.string().optional(),
});

const choiceParameter = z.strictObject({
  ...common,
  type: z.literal('choice'),
  /** In the supplier's own type: "5" and 5 are not the same to it. */
  values: z.array(z.union([z.string(), z.number()])).min(1),
  default: z.union([z.string(), z.number()]).optional(),
  unit: z.literal('s').optional(),
});

const switchParameter = z.strictObject({
  ...common,
  type: z.literal('switch'),
  default: z.boolean().optional(),
});

const numberParameter = z.strictObject({
  ...common,
  type: z.literal('number'),
  whole: z.boolean(),
  min: z.number().optional(),
  max: z.number().optional(),
  default: z.number().optional(),
  unit: z.literal('s').optional(),
  /** The supplier wants the number as text. */
  sentAsText: z.literal(true).optional(),
});

const filesParameter = z.strictObject({
  ...common,
  type: z.literal('files'),
  media: z.enum(mediaKinds),
  /** True when the supplier takes a list, even of one. */
  list: z.boolean(),
  maxItems: z.int().positive(),
  mimeTypes: z.array(z.string().regex(/^(image|video|audio)\/[\w.+-]+$/)).optional(),
  maxMegabytes: z.number().positive().optional(),
});

const parameterSchema = z.discriminatedUnion('type', [
  textParameter,
  choiceParameter,
  switchParameter,
  numberParameter,
  filesParameter,
]);
export type Parameter = z.infer<typeof parameterSchema>;
export type ParameterOf<T extends Parameter['type']> = Extract<Parameter, { type: T }>;

/** The row whose `when` fits the values; a value that is not sent fits any row, and then the dearest counts. */
const priceRows = z
  .array(z.strictObject({ when: z.record(z.string(), scalar), credits: z.number().nonnegative() }))
  .min(1);

const priceRule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('flat'), credits: z.number().nonnegative() }),
  z.strictObject({ kind: z.literal('table'), rows: priceRows }),
  /** `seconds` is the parameter that holds the length. */
  z.strictObject({ kind: z.literal('per_second'), seconds: z.string(), rows: priceRows }),
  /** `text` is the parameter that is counted; begun thousands are paid in part. */
  z.strictObject({
    kind: z.literal('per_1000_characters'),
    text: z.string(),
    credits: z.number().nonnegative(),
  }),
]);
export type PriceRule = z.infer<typeof priceRule>;

const price = z.strictObject({
  rule: priceRule,
  /** A parameter with the number of results ordered, which multiplies the price. */
  times: z.string().optional(),
  /** `low` is not offered for money until an administrator has set a price. */
  confidence: z.enum(['high', 'medium', 'low']),
  source: z.string().min(1),
});
export type Price = z.infer<typeof price>;

const label = z.strictObject(localized(() => z.string().min(1)));

export const modelSchema = z.strictObject({
  /** Ours, unique; stands in telemetry and in rows. */
  id: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/),
  /** Short and stable: it stands in button data and in stored rows, and is never reused. */
  key: z.string().regex(/^[a-z0-9]{1,8}$/),
  /** Stands on a button. */
  title: z.string().min(1).max(40),
  /** Absent where the title says it all. */
  description: label.optional(),
  category: z.enum(categories),
  api: z.enum(apiFamilies),
  /** What the supplier calls it, as the order takes it. */
  vendorModel: z.string().min(1),
  output: z.enum(mediaKinds),
  /** Raised whenever parameters, their meaning or the price rule change; stands on every task and event. */
  version: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  enabled: z.boolean(),
  /** In the order in which they are asked. */
  parameters: z.array(parameterSchema).min(1),
  /** Sent as they are, beside what was asked. */
  fixed: z.record(z.string(), scalar).optional(),
  /** At least one of these must have a value. */
  atLeastOne: z.array(z.string()).min(2).optional(),
  /** Of each pair at most one may have a value. */
  notTogether: z.array(z.tuple([z.string(), z.string()])).optional(),
  /** Combinations of values that the supplier refuses, such as the longest video in the highest resolution. */
  impossible: z.array(z.record(z.string(), scalar)).min(1).optional(),
  /** What the supplier has and we do not offer, on purpose: the contract check leaves it out (docs/catalogue.md). */
  notOffered: z
    .strictObject({
      parameters: z.array(z.string()).optional(),
      /** Of parameters that are offered. */
      values: z.record(z.string(), z.array(scalar)).optional(),
    })
    .optional(),
  /** Absent: unknown, so not for sale until an administrator has set a price. */
  price: price.optional(),
  /** The supplier's page that the entry follows. */
  source: z.url(),
});

export type Model = z.infer<typeof modelSchema>;
