// The models that the KIE stand-in sells: what their input must look like, what they cost, and the size
// of the picture they give. Refusals name the field, as KIE's do.
import { z } from 'zod';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export interface AcceptedOrder {
  readonly credits: number;
  readonly size: PictureSize;
}

const aspectRatios = {
  '1:1': { width: 512, height: 512 },
  '4:3': { width: 512, height: 384 },
  '3:4': { width: 384, height: 512 },
  '16:9': { width: 512, height: 288 },
  '9:16': { width: 288, height: 512 },
} as const satisfies Record<string, PictureSize>;

const zImageInput = z.object({
  prompt: z.string().min(1).max(1000),
  aspect_ratio: z.enum(Object.keys(aspectRatios) as [keyof typeof aspectRatios]),
});

/** Model id → a check of its input. */
const models: ReadonlyMap<string, (input: unknown) => AcceptedOrder | { readonly problem: string }> = new Map(
  [
    [
      'z-image',
      input => {
        const parsed = zImageInput.safeParse(input);
        if (!parsed.success) return { problem: firstProblem(parsed.error) };
        return { credits: 0.8, size: aspectRatios[parsed.data.aspect_ratio] };
      },
    ],
  ],
);

/** What the order costs and gives, or the text of the 422 that it gets. */
export function checkOrder(model: string, input: unknown): AcceptedOrder | { readonly problem: string } {
  const check = models.get(model);
  return check ? check(input) : { problem: 'The model name is not supported' };
}

function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'input'}: ${issue?.message ?? 'invalid'}`;
}
