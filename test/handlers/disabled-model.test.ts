// Buttons outlive what they offer: a model can be switched off, lose its price, or leave the catalogue, while it is on
// screens, in forms and in tasks.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import modelsData from '../../src/catalogue/models.json' with { type: 'json' };
import { best, category, model, page, searchFor } from '../../src/handlers/browse.ts';
import { again, create, retry } from '../../src/handlers/create.ts';
import { proceed } from '../../src/handlers/fill.ts';
import { generate } from '../../src/handlers/generate.ts';
import { type Form, refillForm } from '../../src/pipeline/form.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import { renderScreen } from '../../src/ui/render.ts';
import { viewIn } from '../support/drawing.ts';

const catalogue = createCatalogue({ data: modelsData.map(entry => ({ ...entry, enabled: false })) });
const values = { prompt: 'a bird', aspect_ratio: '1:1' };
const untouched = () => expect.fail('nothing else has a part in this');
const pipeline: Pipeline = {
  confirm: untouched,
  start: untouched,
  advance: untouched,
  underWay: untouched,
  orderOf: async taskId => (taskId === 'ordered' ? { modelKey: 'zimage', values } : undefined),
  sendOriginals: untouched,
  redeliver: untouched,
};
const context = {
  user: { chatId: 1, locale: 'en', promptConsent: false },
  catalogue,
  pipeline,
  prices: { startingPrice: untouched, quote: untouched, isValid: untouched },
  account: { balance: untouched, moves: untouched, welcome: untouched },
  linkRules: {},
  reports: { report: untouched },
  personalData: {
    journalDays: 0,
    allowTexts: untouched,
    isBusy: untouched,
    admitsExport: untouched,
    sendAll: untouched,
    erase: untouched,
  },
  admin: undefined,
  form: undefined,
  screen: undefined,
} as const;
const switchedOff = {
  kind: 'rejected',
  reason: 'MODEL_DISABLED',
  detail: 'z-image: disabled',
  because: { detail_code: 'disabled', model_id: 'z-image' },
};

function confirmedForm(): Form {
  return refillForm(catalogue.byKey('zimage') ?? expect.fail('the catalogue has no z-image'), values);
}

test.each([
  ['model', model],
  ['create', create],
  ['again', again],
])('%s refuses a model that is switched off, and names it', async (_name, handler) => {
  expect(await handler(context, ['zimage'])).toEqual(switchedOff);
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

test('retry refuses a model that is switched off, and a task of somebody else', async () => {
  expect(await retry(context, ['ordered'])).toEqual(switchedOff);
  expect(await retry(context, ['another'])).toMatchObject({
    kind: 'rejected',
    reason: 'UNKNOWN_ACTION',
    detail: 'task another',
  });
});

test('a form that was filled in before its model was switched off gets no price and no task', async () => {
  const form = confirmedForm();
  const args: [string, number] = [form.draft, form.revision];
  expect(await proceed({ ...context, form }, args)).toEqual(switchedOff);
  expect(await generate({ ...context, form }, args)).toEqual(switchedOff);
});

test.each([
  ['price_unknown', 'm13', true, 'hint-model-price-unknown'],
  ['needs_public_address', 'm109', false, 'hint-model-needs-address'],
] as const)('a model that is not for sale (%s) says why', async (why, key, hasPublicAddress, hint) => {
  const shipped = createCatalogue({ hasPublicAddress: () => hasPublicAddress });
  const found = shipped.byKey(key) ?? expect.fail(`the catalogue has no ${key}`);
  expect(shipped.availability(found)).toEqual({ ok: false, why });
  for (const handler of [model, create, again])
    expect(await handler({ ...context, catalogue: shipped }, [key])).toMatchObject({
      kind: 'rejected',
      reason: 'MODEL_DISABLED',
      hint: { key: hint },
    });
});

test('where nothing is offered, no list and no search shows a model', async () => {
  expect(await category(context, ['image'])).toMatchObject({ reason: 'UNKNOWN_ACTION' });
  expect(await page(context, ['image', 0])).toMatchObject({ reason: 'UNKNOWN_ACTION' });
  expect(searchFor(context, 'z-image')).toMatchObject({ screen: 'SEARCH', data: { found: [] } });
  expect(await best(context, [])).toMatchObject({ screen: 'BEST' });
  const { rows } = renderScreen('BEST', {}, viewIn('en', catalogue));
  expect(rows.flat().map(({ data }) => data)).toEqual(['v1:menu']);
});
