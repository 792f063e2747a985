// `npm run bench -- menus`: what it costs to draw a screen with the full catalogue and prices for all of it, in both
// languages: looking models up, working prices out, texts, buttons and their data, up to the keyboard as Telegram gets
// it. No network and no database: what remains is the time that our own code holds up every other user.
import { createPriceList, type PriceList } from '../src/billing/price-list.ts';
import { type Catalogue, createCatalogue } from '../src/catalogue/catalogue.ts';
import type { Model } from '../src/catalogue/schema.ts';
import { locales } from '../src/locales.ts';
import { effectiveValues } from '../src/pipeline/filled.ts';
import { currentStep, type Form, startForm } from '../src/pipeline/form.ts';
import { keyboardOf } from '../src/telegram/presenter.ts';
import type { RenderedScreen } from '../src/ui/keyboard.ts';
import { renderScreen } from '../src/ui/render.ts';
import { createTexts } from '../src/ui/texts.ts';
import type { View } from '../src/ui/view.ts';
import { quantileOf } from './latency.ts';

/** Draws one screen; what differs from turn to turn is a model, a page or a query. */
type Draw = (view: View, turn: number) => RenderedScreen;

interface Shop {
  readonly catalogue: Catalogue;
  readonly prices: PriceList;
}

const warmupTurns = 500;
const turns = 5_000;
const goalMs = 5;
/** For models that have no price of their own. */
const credits = 12.5;
const queries = ['video', 'картинка', 'kling', 'озвучить', 'image to video', 'оживить фото', 'zz'];
const searchHits = 10;
const available = 1_000_000;

export function measureMenus(): void {
  const shop = createShop();
  const { catalogue } = shop;
  console.error(
    `${catalogue.models.length} models, ${turns} drawings of each screen, in ${locales.join(' and ')}`,
  );
  const columns = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(16) : cell.padStart(8))).join('');
  console.log(columns(['ms', 'p50', 'p95', 'longest', 'goal']));
  const missed = Object.entries(drawings(shop)).filter(([screen, draw]) => {
    const times = measure(shop, draw);
    const p95 = quantileOf(times, 0.95);
    const cells = [quantileOf(times, 0.5), p95, Math.max(...times)].map(value => value.toFixed(3));
    console.log(columns([screen, ...cells, `≤ ${goalMs}`]));
    return !(p95 <= goalMs);
  });
  if (missed.length > 0) process.exitCode = 1;
}

function createShop(): Shop {
  const catalogue = createCatalogue();
  const unpriced = catalogue.models.filter(model => catalogue.startingCredits(model) === undefined);
  catalogue.applySettings(unpriced.map(({ id }) => ({ modelId: id, credits, disabledReason: null })));
  return { catalogue, prices: createPriceList({ catalogue, rates: { usdRub: '92.5', multiplier: '2' } }) };
}

function measure({ catalogue, prices }: Shop, draw: Draw): number[] {
  const texts = createTexts();
  const views = locales.map(locale => ({
    locale,
    t: texts.for(locale),
    catalogue,
    startingPrice: prices.startingPrice,
  }));
  const times: number[] = [];
  for (let turn = -warmupTurns; turn < turns; turn += 1) {
    const view = at(views, Math.abs(turn));
    const startedAt = performance.now();
    keyboardOf(draw(view, Math.abs(turn)));
    if (turn >= 0) times.push(performance.now() - startedAt);
  }
  return times;
}

function drawings({ catalogue, prices }: Shop): Readonly<Record<string, Draw>> {
  const models = catalogue.models.filter(model => catalogue.availability(model).ok);
  const questions = models.map(model => startForm(model));
  const asked = questions.filter((form, index) => currentStep(form, at(models, index)).kind === 'question');
  return {
    MAIN_MENU: view => renderScreen('MAIN_MENU', {}, view),
    CATEGORY_PICK: (view, turn) =>
      renderScreen('CATEGORY_PICK', { category: at(catalogue.categories, turn), page: turn % 7 }, view),
    BEST: view => renderScreen('BEST', {}, view),
    SEARCH: (view, turn) => {
      const found = catalogue.search(at(queries, turn), searchHits).map(({ key }) => key);
      return renderScreen('SEARCH', { found }, view);
    },
    MODEL_PICK: (view, turn) => renderScreen('MODEL_PICK', { model: at(models, turn).key }, view),
    PARAMS_FORM: (view, turn) => renderScreen('PARAMS_FORM', { form: at(asked, turn) }, view),
    OPTIONS: (view, turn) => renderScreen('OPTIONS', { form: filled(at(models, turn)) }, view),
    CONFIRM: (view, turn) => {
      const model = at(models, turn);
      const form = filled(model);
      const quoted = prices.quote(model, effectiveValues(form, model));
      const price = quoted.ok ? quoted.quote.kopecks : 0;
      return renderScreen('CONFIRM', { form, price, available }, view);
    },
  };
}

/** A text wherever one fits, the first choice of each list, the least number: enough to fill the lines of a screen. */
function filled(model: Model): Form {
  const values = model.parameters.map(parameter => [parameter.name, exampleOf(parameter)] as const);
  return { ...startForm(model), values: Object.fromEntries(values), stage: 'confirm' };
}

function exampleOf(parameter: Model['parameters'][number]): Form['values'][string] {
  switch (parameter.type) {
    case 'text':
      return 'a yellow bird on a branch & <b>more</b> '.repeat(60).slice(0, parameter.maxLength);
    case 'choice':
      return parameter.values[0] ?? '';
    case 'switch':
      return true;
    case 'number':
      return parameter.min ?? 1;
    case 'files':
      return [{ from: 'telegram', fileId: 'file' }];
  }
}

function at<T>(list: readonly T[], turn: number): T {
  const item = list[turn % list.length];
  if (item === undefined) throw new Error('There is nothing to draw');
  return item;
}
