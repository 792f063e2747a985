// Buttons outlive what they offer: a model can be switched off, or leave the catalogue, while they are on screens.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import modelsData from '../../src/catalogue/models.json' with { type: 'json' };
import { model } from '../../src/handlers/browse.ts';
import { again, create } from '../../src/handlers/create.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';

const catalogue = createCatalogue(modelsData.map(entry => ({ ...entry, enabled: false })));
const untouched = () => expect.fail('the pipeline has no part in this');
const pipeline: Pipeline = { confirm: untouched, start: untouched, advance: untouched };
const context = {
  user: { chatId: 1, locale: 'en' },
  catalogue,
  pipeline,
  form: undefined,
  screen: undefined,
} as const;

test.each([
  ['model', model],
  ['create', create],
  ['again', again],
])('%s refuses a model that is switched off, and names it', async (_name, handler) => {
  expect(await handler(context, ['zimage'])).toEqual({
    kind: 'rejected',
    reason: 'MODEL_DISABLED',
    detail: 'z-image',
  });
});

test.each([
  ['model', model],
  ['create', create],
  ['again', again],
])('%s refuses a model that has left the catalogue', async (_name, handler) => {
  expect(await handler(context, ['gone'])).toEqual({
    kind: 'rejected',
    reason: 'UNKNOWN_ACTION',
    detail: 'model gone',
  });
});
