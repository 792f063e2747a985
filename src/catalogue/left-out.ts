// What the supplier has and the catalogue leaves out on purpose, with the reason: models, and parameters of any
// model. The contract check (`trt catalogue diff`) does not report them as new.
import { z } from 'zod';
import leftOutData from './left-out.json' with { type: 'json' };
import { apiFamilies } from './schema.ts';

const leftOutSchema = z.strictObject({
  models: z.array(
    z.strictObject({ api: z.enum(apiFamilies), vendorModel: z.string().min(1), why: z.string().min(1) }),
  ),
  parameters: z.array(z.strictObject({ name: z.string().min(1), why: z.string().min(1) })),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

export function readLeftOut(): LeftOut {
  return leftOutSchema.parse(leftOutData);
}
