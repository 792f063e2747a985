// Screens of a form: the question being asked, the list of all parameters, the confirmation.
import { formatMoney } from '../billing/money-text.ts';
import { labelOf, questionOf, valueLabelOf } from '../catalogue/labels.ts';
import type { Model, Parameter } from '../catalogue/schema.ts';
import type { FormValue } from '../catalogue/values.ts';
import { askedParameters, effectiveValues, isMandatory } from '../pipeline/filled.ts';
import { currentStep, type Form } from '../pipeline/form.ts';
import { allowedValues } from '../pipeline/problem.ts';
import { type ButtonRow, button, inRows, type RenderedButton, type RenderedScreen } from './keyboard.ts';
import type { ScreenData } from './screens.ts';
import { escapeHtml } from './texts.ts';
import { modelOf, type View } from './view.ts';

/** All that a user wrote may take this much of a screen, of the 4 096 characters that Telegram allows. */
const shownTextLength = 2_000;
const choicesPerRow = 3;
const editsPerRow = 2;
/** Up to this many choices fit on a phone; of more, the rows are made as wide as they may be. */
const manyChoices = 30;
const manyChoicesPerRow = 4;

export function renderQuestion({ form }: ScreenData['PARAMS_FORM'], view: View): RenderedScreen {
  const { t, locale } = view;
  const model = modelOf(form.model, view);
  const step = currentStep(form, model);
  if (step.kind !== 'question') throw new Error(`Draft ${form.draft} has no question left to ask`);
  const { parameter } = step;
  const value = effectiveValues(form, model)[parameter.name];
  const lines = [
    t(step.editing ? 'form-edit' : 'form-step', {
      title: escapeHtml(model.title),
      step: step.number,
      steps: step.of,
    }),
    '',
    escapeHtml(questionOf(parameter.name, locale, model.category)),
    '',
    answerHint(parameter, value, view),
  ];
  return {
    text: lines.join('\n').trimEnd(),
    rows: [
      ...choiceRows(form, parameter, view),
      ...onwardRow(form, parameter, value, view),
      formButtons(form, view),
    ],
  };
}

export function renderOptions({ form }: ScreenData['OPTIONS'], view: View): RenderedScreen {
  const { t, locale } = view;
  const model = modelOf(form.model, view);
  const edits = askedParameters(form, model).map((parameter, index) =>
    button(
      t('button-edit', { label: labelOf(parameter.name, locale, model.category) }),
      'edit',
      form.draft,
      form.revision,
      index,
    ),
  );
  return {
    text: t('options', { title: escapeHtml(model.title), parameters: parameterLines(form, model, view) }),
    rows: [
      ...inRows(edits, editsPerRow),
      [button(t('button-proceed'), 'proceed', form.draft, form.revision)],
      formButtons(form, view),
    ],
  };
}

export function renderConfirm({ form, price, available }: ScreenData['CONFIRM'], view: View): RenderedScreen {
  const { t, locale } = view;
  const model = modelOf(form.model, view);
  const missing = price - available;
  const lines = [
    t('confirm', { title: escapeHtml(model.title), parameters: parameterLines(form, model, view) }),
    '',
    t('confirm-price', {
      price: price === 0 ? t('price-free') : formatMoney(price, locale),
      available: formatMoney(available, locale),
    }),
    t(`confirm-wait-${model.output}`),
  ];
  if (missing > 0) lines.push(t('confirm-missing', { missing: formatMoney(missing, locale) }));
  return {
    text: lines.join('\n'),
    rows: [
      [button(t('button-generate'), 'generate', form.draft, form.revision)],
      [
        button(t('button-change'), 'options', form.draft, form.revision),
        button(t('button-balance'), 'balance'),
      ],
      formButtons(form, view),
    ],
  };
}

/** What to do, in words: choose, type, or send, and what is there already. */
function answerHint(parameter: Parameter, value: FormValue | undefined, view: View): string {
  const { t, locale } = view;
  switch (parameter.type) {
    case 'choice':
    case 'switch':
      return '';
    case 'text':
      return t('form-text', { min: parameter.minLength, max: parameter.maxLength });
    case 'number':
      return t(parameter.unit ? 'form-seconds' : 'form-number', { allowed: allowedValues(parameter) });
    case 'files': {
      const hint = t(`form-${parameter.media}${parameter.maxItems > 1 ? '-list' : ''}`, {
        allowed: allowedValues(parameter),
        max: parameter.maxItems,
      });
      const count = Array.isArray(value) ? value.length : 0;
      if (count === 0 || parameter.maxItems === 1) return hint;
      return `${hint}\n${t('form-files-so-far', { count, max: parameter.maxItems })}`;
    }
    default:
      return labelOf(parameter satisfies never, locale);
  }
}

function choiceRows({ draft, revision }: Form, parameter: Parameter, { locale }: View): ButtonRow[] {
  const choice = (text: string, index: number): RenderedButton =>
    button(text, 'choose', draft, revision, index);
  if (parameter.type === 'switch')
    return [[true, false].map((on, index) => choice(valueLabelOf(parameter.name, on, locale), index))];
  if (parameter.type !== 'choice') return [];
  const choices = parameter.values.map((value, index) =>
    choice(valueLabelOf(parameter.name, value, locale, parameter.unit), index),
  );
  return inRows(choices, choices.length > manyChoices ? manyChoicesPerRow : choicesPerRow);
}

/** "Done" where there is something to go on with, and "Clear" where a value can be taken back. */
function onwardRow(form: Form, parameter: Parameter, value: FormValue | undefined, { t }: View): ButtonRow[] {
  const { draft, revision } = form;
  const given = form.values[parameter.name] !== undefined;
  const isAnswered = value !== undefined;
  const done =
    given || (!isMandatory(parameter) && !isAnswered)
      ? [button(t(given ? 'button-done' : 'button-skip'), 'done', draft, revision)]
      : [];
  const clear = given && !isMandatory(parameter) ? [button(t('button-clear'), 'clear', draft, revision)] : [];
  return done.length + clear.length > 0 ? [[...done, ...clear]] : [];
}

function parameterLines(form: Form, model: Model, view: View): string {
  const { t, locale } = view;
  const values = effectiveValues(form, model);
  const asked = askedParameters(form, model);
  const texts = asked.filter(({ name, type }) => type === 'text' && values[name] !== undefined).length;
  return asked
    .map(parameter => {
      const label = escapeHtml(labelOf(parameter.name, locale, model.category));
      const value = values[parameter.name];
      if (value === undefined) return `${label}: –`;
      const shown = escapeHtml(shownValue(parameter, value, Math.floor(shownTextLength / texts), view));
      const isDefault = form.values[parameter.name] === undefined;
      return isDefault ? t('parameter-default', { label, value: shown }) : `${label}: <b>${shown}</b>`;
    })
    .join('\n');
}

function shownValue(parameter: Parameter, value: FormValue, textLength: number, { t, locale }: View): string {
  if (Array.isArray(value)) return t('files-count', { count: value.length });
  if (typeof value === 'string' && parameter.type === 'text') return shorten(value, textLength);
  const unit = parameter.type === 'choice' || parameter.type === 'number' ? parameter.unit : undefined;
  return valueLabelOf(parameter.name, value as string | number | boolean, locale, unit);
}

function formButtons({ draft, revision }: Form, { t }: View): RenderedButton[] {
  return [
    button(t('button-back'), 'previous', draft, revision),
    button(t('button-cancel'), 'cancel', draft, revision),
  ];
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`;
}
