// The one shape of a model: what it makes, what it asks for, in which family of the supplier's API.
// Checked when the program starts; a bad entry stops the start and is named.
import { z } from 'zod';

export const categories = ['image', 'video', 'audio', 'music', 'enhance', 'avatar'] as const;
export type Category = (typeof categories)[number];

const label = z.strictObject({ ru: z.string().min(1), en: z.string().min(1) });

const textParameter = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  type: z.literal('text'),
  label,
  /** What the user is asked. */
  question: label,
  required: z.boolean(),
  minLength: z.int().positive(),
  maxLength: z.int().positive(),
});

const choiceParameter = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  type: z.literal('choice'),
  label,
  question: label,
  required: z.boolean(),
  values: z.array(z.string().min(1)).min(1),
  default: z.string().optional(),
});

const parameterSchema = z.discriminatedUnion('type', [textParameter, choiceParameter]);
export type Parameter = z.infer<typeof parameterSchema>;

export const modelSchema = z
  .strictObject({
    /** The supplier's model id, as createTask takes it. */
    id: z.string().min(1),
    /** Short and stable: it stands in button data and in stored rows, and is never reused. */
    key: z.string().regex(/^[a-z0-9]{1,8}$/),
    title: z.string().min(1),
    description: label,
    category: z.enum(categories),
    api: z.enum(['market']),
    output: z.enum(['image']),
    /** Raised whenever parameters or their meaning change; stands on every task and event. */
    version: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
    enabled: z.boolean(),
    parameters: z.array(parameterSchema).min(1),
  })
  .refine(
    model => new Set(model.parameters.map(parameter => parameter.name)).size === model.parameters.length,
    {
      error: 'two parameters have the same name',
    },
  )
  .refine(
    model =>
      model.parameters.every(
        parameter =>
          parameter.type !== 'choice' ||
          parameter.default === undefined ||
          parameter.values.includes(parameter.default),
      ),
    { error: 'a default is not among the values' },
  );

export type Model = z.infer<typeof modelSchema>;
