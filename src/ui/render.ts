// Draws screens: data in, text and buttons out. Knows nothing of Telegram's methods; the frame decides
// whether a drawing is sent or edited in.
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Model } from '../catalogue/schema.ts';
import { type Locale, reasons } from '../otel/reasons.ts';
import { currentParameter, type Form } from '../pipeline/form.ts';
import { encodeButton } from './codec.ts';
import type { ArgsOf, ButtonName } from './registry.ts';
import type { ScreenData, ScreenId } from './screens.ts';
import { escapeHtml, type Translate } from './texts.ts';

export interface RenderedButton {
  readonly text: string;
  readonly data: string;
}

export interface RenderedScreen {
  /** Telegram HTML. */
  readonly text: string;
  readonly rows: readonly (readonly RenderedButton[])[];
}

export interface View {
  readonly locale: Locale;
  readonly t: Translate;
  readonly catalogue: Catalogue;
}

type Renderer<S extends ScreenId> = (data: ScreenData[S], view: View) => RenderedScreen;

function button<B extends ButtonName>(text: string, name: B, ...args: ArgsOf<B>): RenderedButton {
  return { text, data: encodeButton(name, args) };
}

/** Longest text of a user that is repeated on the confirmation, so that the screen stays readable. */
const shownTextLength = 600;
const choicesPerRow = 3;

const renderers: { readonly [S in ScreenId]: Renderer<S> } = {
  MAIN_MENU: (_data, { t, catalogue }) => ({
    text: t('main-menu'),
    rows: [
      ...catalogue.categories.map(category => [button(t(`category-${category}`), 'category', category)]),
      [button(t('button-help'), 'help')],
    ],
  }),

  CATEGORY_PICK: ({ category }, { t, catalogue }) => ({
    text: t('category-pick', { category: t(`category-${category}`) }),
    rows: [
      ...catalogue.inCategory(category).map(model => [button(model.title, 'model', model.key)]),
      [button(t('button-back'), 'back'), button(t('button-help'), 'help')],
    ],
  }),

  MODEL_PICK: ({ model: key }, view) => {
    const model = modelOf(key, view);
    return {
      text: view.t('model-card', {
        title: escapeHtml(model.title),
        description: escapeHtml(model.description[view.locale]),
      }),
      rows: [
        [button(view.t('button-create'), 'create', key)],
        [button(view.t('button-back'), 'back'), button(view.t('button-menu'), 'menu')],
      ],
    };
  },

  PARAMS_FORM: ({ form }, view) => renderQuestion(form, view),

  CONFIRM: ({ form }, view) => {
    const model = modelOf(form.model, view);
    const parameters = model.parameters
      .filter(parameter => form.values[parameter.name] !== undefined)
      .map(
        parameter =>
          `${escapeHtml(parameter.label[view.locale])}: ${escapeHtml(shorten(form.values[parameter.name] ?? ''))}`,
      );
    return {
      text: view.t('confirm', { title: escapeHtml(model.title), parameters: parameters.join('\n') }),
      rows: [
        [button(view.t('button-generate'), 'generate', form.draft, form.revision)],
        formButtons(form, view),
      ],
    };
  },

  PROCESSING: ({ model }, view) => ({
    text: view.t('processing', { title: titleOf(model, view) }),
    rows: [[button(view.t('button-menu'), 'menu'), button(view.t('button-help'), 'help')]],
  }),

  RESULT: ({ model }, view) => ({
    text: view.t('result-caption', { title: titleOf(model, view) }),
    rows: [[button(view.t('button-again'), 'again', model), button(view.t('button-menu'), 'menu')]],
  }),

  RESULT_ERROR: ({ model, reason, cid }, view) => ({
    text: view.t('result-error', {
      title: titleOf(model, view),
      reason: reasons[reason].text[view.locale],
      cid,
    }),
    rows: [
      [button(view.t('button-again'), 'again', model), button(view.t('button-menu'), 'menu')],
      [button(view.t('button-help'), 'help')],
    ],
  }),

  HELP: (_data, { t }) => ({
    text: t('help'),
    rows: [[button(t('button-back'), 'back'), button(t('button-menu'), 'menu')]],
  }),

  UPDATING: (_data, { t }) => ({ text: t('updating'), rows: [[button(t('button-refresh'), 'back')]] }),
};

export function renderScreen<S extends ScreenId>(screen: S, data: ScreenData[S], view: View): RenderedScreen {
  // SAFETY: the table pairs each screen with a renderer of its own data.
  return (renderers[screen] as Renderer<S>)(data, view);
}

function renderQuestion(form: Form, view: View): RenderedScreen {
  const model = modelOf(form.model, view);
  const parameter = currentParameter(form, model);
  if (!parameter) throw new Error(`Draft ${form.draft} has no question left to ask`);
  const variables = {
    title: escapeHtml(model.title),
    step: form.step + 1,
    steps: model.parameters.length,
    question: escapeHtml(parameter.question[view.locale]),
  };
  if (parameter.type === 'text') {
    return {
      text: view.t('form-question-text', {
        ...variables,
        min: parameter.minLength,
        max: parameter.maxLength,
      }),
      rows: [formButtons(form, view)],
    };
  }
  const choices = parameter.values.map((value, index) =>
    button(value, 'choose', form.draft, form.revision, index),
  );
  const rows: RenderedButton[][] = [];
  for (let start = 0; start < choices.length; start += choicesPerRow)
    rows.push(choices.slice(start, start + choicesPerRow));
  return { text: view.t('form-question', variables), rows: [...rows, formButtons(form, view)] };
}

function formButtons(form: Form, { t }: View): RenderedButton[] {
  return [
    button(t('button-back'), 'previous', form.draft, form.revision),
    button(t('button-cancel'), 'cancel', form.draft, form.revision),
  ];
}

/** A screen is only shown for a model the handler has just found, so a missing one is a defect. */
function modelOf(key: string, view: View): Model {
  const model = view.catalogue.byKey(key);
  if (!model) throw new Error(`The catalogue has no model with the key ${key}`);
  return model;
}

/** For screens about the past: the model may have left the catalogue since. */
function titleOf(key: string, view: View): string {
  return escapeHtml(view.catalogue.byKey(key)?.title ?? key);
}

function shorten(text: string): string {
  return text.length <= shownTextLength ? text : `${text.slice(0, shownTextLength).toWellFormed()}…`;
}
