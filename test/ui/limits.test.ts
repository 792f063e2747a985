// Whatever model is ordered, and however much its user has written: every screen on the way fits into what Telegram
// takes, for every entry of the catalogue, also those that are not offered today.
import { describe, expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { valueLabelOf } from '../../src/catalogue/labels.ts';
import type { Model, Parameter, Scalar } from '../../src/catalogue/schema.ts';
import type { FormValue, FormValues } from '../../src/catalogue/values.ts';
import { type Locale, locales } from '../../src/locales.ts';
import { type ReasonCode, reasons } from '../../src/otel/reasons.ts';
import { askedParameters } from '../../src/pipeline/filled.ts';
import { currentStep, type Form, startForm } from '../../src/pipeline/form.ts';
import { allowedFor, problems } from '../../src/pipeline/problem.ts';
import { valueProblem } from '../../src/pipeline/value-check.ts';
import { renderScreen } from '../../src/ui/render.ts';
import { expectTaken, maxCaptionLength, viewIn } from '../support/drawing.ts';

const catalogue = createCatalogue();
/** The highest that button data can hold. */
const lastRevision = 999_999_999;
const longestMessage = 4_096;
const dearest = { price: 99_999_999_99, available: 0 };
/** One that markup makes long, and one of two UTF-16 units. */
const fills = ['&', '🐦'] as const;

/** What takes the most place of what the parameter may hold. */
function longest(parameter: Parameter, fill: string, locale: Locale): FormValue {
  switch (parameter.type) {
    case 'text':
      return fill.repeat(Math.min(parameter.maxLength, longestMessage));
    case 'choice':
      return parameter.values.reduce((one, other) =>
        labelLength(parameter.name, one, locale) >= labelLength(parameter.name, other, locale) ? one : other,
      );
    case 'switch':
      return true;
    case 'number':
      return parameter.max ?? parameter.min ?? 1;
    case 'files':
      return Array.from({ length: parameter.maxItems }, (_, index) => ({
        from: 'telegram',
        fileId: `file-${index}`,
      }));
  }
}

const labelLength = (name: string, value: Scalar, locale: Locale): number =>
  valueLabelOf(name, value, locale).length;

/** The values in which modes of the model begin to ask for more, and none of them. */
function modesOf({ parameters }: Model): readonly Readonly<Record<string, Scalar>>[] {
  return [{}, ...parameters.flatMap(({ requiredIf }) => (requiredIf ? [requiredIf] : []))];
}

/** Forms of the model that are as full as they can be, and as empty. */
function formsOf(model: Model, locale: Locale): Form[] {
  const askable = model.parameters.filter(({ advanced }) => !advanced);
  const fullOf = (fill: string): FormValues =>
    Object.fromEntries(askable.map(parameter => [parameter.name, longest(parameter, fill, locale)]));
  const form = { ...startForm(model), revision: lastRevision };
  return modesOf(model).flatMap(mode =>
    [{}, ...fills.map(fullOf)].map(values => ({ ...form, values: { ...values, ...mode } })),
  );
}

describe.each(locales)('in %s', locale => {
  const view = viewIn(locale, catalogue);

  test.each(catalogue.models)('each screen on the way to a generation with $id fits', model => {
    const { key, parameters } = model;
    expectTaken('MODEL_PICK', renderScreen('MODEL_PICK', { model: key }, view));
    const asked = new Set<string>();
    for (const form of formsOf(model, locale)) {
      for (const parameter of askedParameters(form, model)) {
        const value = form.values[parameter.name];
        if (value !== undefined) expect(valueProblem(parameter, value), parameter.name).toBeUndefined();
        for (const stage of ['questions', 'options'] as const) {
          const asking: Form = { ...form, stage, asking: parameter.name };
          const step = currentStep(asking, model);
          if (step.kind !== 'question') continue;
          asked.add(step.parameter.name);
          expectTaken('PARAMS_FORM', renderScreen('PARAMS_FORM', { form: asking }, view));
        }
      }
      expectTaken('OPTIONS', renderScreen('OPTIONS', { form: { ...form, stage: 'options' } }, view));
      expectTaken(
        'CONFIRM',
        renderScreen('CONFIRM', { form: { ...form, stage: 'confirm' }, ...dearest }, view),
      );
    }
    // Nothing is left out of the check, or of the questions.
    expect([...asked].toSorted()).toEqual(
      parameters.flatMap(({ advanced, name }) => (advanced ? [] : [name])).toSorted(),
    );
  });

  test.each(catalogue.models)('each screen after a generation with $id fits', ({ key }) => {
    const task = { task: 'AbCd_1234-xy', model: key };
    expectTaken('PROCESSING', renderScreen('PROCESSING', { ...task, progress: 100 }, view));
    expectTaken('RESULT', renderScreen('RESULT', task, view), maxCaptionLength);
  });

  test.each(Object.keys(reasons) as ReasonCode[])('a failure with %s fits', reason => {
    for (const money of ['returned', 'charged', 'untouched'] as const) {
      const data = {
        task: 'AbCd_1234-xy',
        model: 'zimage',
        reason,
        cid: 'a1b2c3d4',
        money,
        hasResult: false,
      };
      expectTaken('RESULT_ERROR', renderScreen('RESULT_ERROR', data, view));
    }
  });

  test('the line of a result that is a link fits as a text', () => {
    const url = `https://files.example/${'a'.repeat(2_000)}`;
    for (const { title } of catalogue.models) {
      const text = view.t('result-link', { title, url });
      expectTaken('RESULT', { text, rows: [] });
    }
  });

  test('the lists fit with the models that have the longest titles', () => {
    const found = catalogue.models
      .toSorted((one, other) => other.title.length - one.title.length)
      .slice(0, 10)
      .map(({ key }) => key);
    expectTaken('SEARCH', renderScreen('SEARCH', { found }, view));
    expectTaken('BEST', renderScreen('BEST', {}, view));
  });

  test('the hint to any wrong answer fits', () => {
    for (const { parameters } of catalogue.models)
      for (const parameter of parameters)
        for (const problem of problems) {
          const variables = { allowed: allowedFor(problem, parameter), parameters: parameter.name };
          const text = view.t(`hint-${problem.replaceAll('_', '-')}`, variables);
          expect(text.length, `${parameter.name} ${problem}`).toBeLessThanOrEqual(longestMessage);
        }
  });
});
