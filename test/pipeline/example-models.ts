// Small models for the tests of forms: each shows one thing that an entry can say; and a quote.
import type { Quote } from '../../src/billing/pricing.ts';
import { type Model, modelSchema } from '../../src/catalogue/schema.ts';

function model(changes: object): Model {
  return modelSchema.parse({
    id: 'example',
    key: 'example',
    title: 'Example',
    category: 'image',
    api: 'market',
    vendorModel: 'example',
    output: 'image',
    version: '2026-01-01',
    enabled: true,
    source: 'https://docs.kie.ai/example.md',
    ...changes,
  });
}

const prompt = { name: 'prompt', type: 'text', required: true, minLength: 3, maxLength: 10 };
const size = { name: 'size', type: 'choice', required: true, values: ['Small', 'large'], default: 'Small' };
const several = { type: 'files', media: 'image', list: true, maxItems: 3 };
const single = { type: 'files', media: 'image', list: false, maxItems: 1 };

/** Two questions and nothing more. */
export const plain = model({ parameters: [prompt, size] });

/** One question and then options of every kind. */
export const rich = model({
  parameters: [
    prompt,
    { name: 'duration', type: 'choice', required: false, values: [5, 10], default: 5, unit: 's' },
    { name: 'sound', type: 'switch', required: false, default: true },
    { name: 'loop', type: 'switch', required: false },
    { name: 'strength', type: 'number', required: false, whole: false, min: 0, max: 2, default: 0.5 },
    { name: 'seconds', type: 'number', required: false, whole: true, min: 1, max: 30, sentAsText: true },
    { name: 'seed', type: 'number', required: false, whole: true, advanced: true, default: 7 },
    {
      name: 'images',
      required: false,
      ...several,
      mimeTypes: ['image/jpeg', 'image/png'],
      maxMegabytes: 10,
    },
    { name: 'mask', required: false, ...single },
  ],
  fixed: { several_shots: false },
});

/** A list and then a single file, both to be given. */
export const files = model({
  parameters: [
    { name: 'images', required: true, ...several },
    { name: 'face', required: true, ...single },
  ],
});

/** A mode with questions of its own, and one more within it. */
export const modes = model({
  parameters: [
    { name: 'custom', type: 'switch', required: true, default: false },
    { ...prompt, required: true },
    { name: 'style', type: 'choice', required: false, requiredIf: { custom: true }, values: ['pop', 'own'] },
    { ...prompt, name: 'words', required: false, requiredIf: { style: 'own' } },
  ],
});

/** Nothing must be given, but something must. */
export const rules = model({
  parameters: [
    { ...prompt, required: false },
    { name: 'first', required: false, ...single },
    { name: 'references', required: false, ...several },
    { name: 'duration', type: 'choice', required: false, values: [6, 10], default: 6 },
    { name: 'quality', type: 'choice', required: false, values: ['normal', 'best'], default: 'normal' },
  ],
  atLeastOne: ['prompt', 'first', 'references'],
  notTogether: [['first', 'references']],
  impossible: [{ duration: 10, quality: 'best' }],
});

export const quote: Quote = {
  id: 'quote',
  kopecks: 100,
  credits: 1,
  rate: '100',
  multiplier: '2',
  modelVersion: '2026-01-01',
  at: '2026-01-01T00:00:00.000Z',
};
