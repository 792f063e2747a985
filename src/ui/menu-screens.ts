// Screens on the way to a model: the menu, the lists, the card, and help.
import type { Model } from '../catalogue/schema.ts';
import { type ButtonRow, button, inRows, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import { escapeHtml } from './texts.ts';
import { modelOf, priceLabel, type View } from './view.ts';

/** Models on one page of a category. */
const modelsPerPage = 8;
const cheapestShown = 15;
const categoriesPerRow = 2;

export function renderMainMenu(_data: ScreenData['MAIN_MENU'], { t, catalogue }: View): RenderedScreen {
  const free = catalogue.free().length > 0 ? [button(t('button-free'), 'free')] : [];
  return {
    text: t('main-menu'),
    rows: [
      ...inRows(
        catalogue.categories.map(category => button(t(`category-${category}`), 'category', category)),
        categoriesPerRow,
      ),
      [button(t('button-best'), 'best'), ...free, button(t('button-search'), 'search')],
      [button(t('button-balance'), 'balance'), button(t('button-help'), 'help')],
    ],
  };
}

export function renderCategory(
  { category, page = 0 }: ScreenData['CATEGORY_PICK'],
  view: View,
): RenderedScreen {
  const { t, catalogue } = view;
  const models = catalogue.inCategory(category);
  const pages = Math.max(1, Math.ceil(models.length / modelsPerPage));
  const shown = Math.min(page, pages - 1);
  const arrows = [
    ...(shown > 0 ? [button(t('button-page-before'), 'page', category, shown - 1)] : []),
    ...(shown < pages - 1 ? [button(t('button-page-after'), 'page', category, shown + 1)] : []),
  ];
  return {
    text: t('category-pick', { category: t(`category-${category}`), page: shown + 1, pages }),
    rows: [
      ...modelRows(models.slice(shown * modelsPerPage, (shown + 1) * modelsPerPage), view),
      ...(arrows.length > 0 ? [arrows] : []),
      [button(t('button-back'), 'back'), button(t('button-help'), 'help')],
    ],
  };
}

/** The page of its category on which a model stands. */
export function pageOf(model: Model, { catalogue }: Pick<View, 'catalogue'>): number {
  return Math.max(0, Math.floor(catalogue.inCategory(model.category).indexOf(model) / modelsPerPage));
}

export function renderBest(_data: ScreenData['BEST'], view: View): RenderedScreen {
  return modelList(view.t('best'), view.catalogue.cheapest(cheapestShown), view);
}

export function renderFree(_data: ScreenData['FREE'], view: View): RenderedScreen {
  const models = view.catalogue.free();
  return modelList(view.t(models.length > 0 ? 'free' : 'free-none'), models, view);
}

export function renderSearch({ found }: ScreenData['SEARCH'], view: View): RenderedScreen {
  if (!found) return modelList(view.t('search'), [], view);
  const models = found.map(key => modelOf(key, view));
  return modelList(view.t(models.length > 0 ? 'search-found' : 'search-nothing'), models, view);
}

export function renderModel({ model: key }: ScreenData['MODEL_PICK'], view: View): RenderedScreen {
  const { t, locale } = view;
  const model = modelOf(key, view);
  const asked = model.parameters.filter(({ advanced }) => !advanced);
  const facts = t('model-card', {
    title: escapeHtml(model.title),
    category: t(`category-${model.category}`),
    price: priceLabel(model, view) ?? t('price-unknown'),
    required: asked.filter(({ required }) => required).length,
    optional: asked.filter(({ required }) => !required).length,
  });
  return {
    text: model.description ? `${facts}\n\n${escapeHtml(model.description[locale])}` : facts,
    rows: [
      [button(t('button-create'), 'create', key)],
      [button(t('button-back'), 'back'), button(t('button-menu'), 'menu')],
    ],
  };
}

export function renderHelp(_data: ScreenData['HELP'], { t }: View): RenderedScreen {
  return {
    text: t('help'),
    rows: [
      [button(t('button-report'), 'report')],
      [button(t('button-privacy'), 'privacy')],
      [button(t('button-back'), 'back'), button(t('button-menu'), 'menu')],
    ],
  };
}

export function renderUpdating(_data: ScreenData['UPDATING'], { t }: Pick<View, 't'>): RenderedScreen {
  return { text: t('updating'), rows: [[button(t('button-refresh'), 'back')]] };
}

function modelList(text: string, models: readonly Model[], view: View): RenderedScreen {
  return { text, rows: [...modelRows(models, view), [button(view.t('button-menu'), 'menu')]] };
}

function modelRows(models: readonly Model[], view: View): ButtonRow[] {
  return models.map(model => {
    const price = priceLabel(model, view);
    return [button(price ? `${model.title} · ${price}` : model.title, 'model', model.key)];
  });
}
