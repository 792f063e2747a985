// Every entry of the catalogue through the one form, by data alone: each parameter with good, boundary and bad
// values, and each payload judged by the supplier's facts, which know nothing of the catalogue.
import { describe, expect, test } from 'vitest';
import type { Model, Parameter } from '../../src/catalogue/schema.ts';
import { answer, type RawAnswer } from '../../src/pipeline/answer.ts';
import { askedParameters, isMandatory } from '../../src/pipeline/filled.ts';
import { currentStep, type Form, formSchema, proceed, startForm } from '../../src/pipeline/form.ts';
import type { Problem } from '../../src/pipeline/problem.ts';
import {
  answered,
  badAnswers,
  edited,
  goodAnswers,
  inputOf,
  models,
  proceeded,
  withQuestionsAnswered,
} from './answers.ts';
import { type Facts, factsOf, problemsOf } from './vendor-facts.ts';

test('there are entries to drive', () => {
  expect(models.length).toBeGreaterThanOrEqual(120);
});

describe.each(models.map(model => [model.id, model] as const))('%s', (_id, model) => {
  const facts = factsOf(model);

  const offered = model.parameters.filter(({ advanced }) => !advanced);

  test('asks what must be answered, and then makes an order that the supplier takes', () => {
    const questions: string[] = [];
    let form = startForm(model);
    for (let step = currentStep(form, model); step.kind === 'question'; step = currentStep(form, model)) {
      expect(step.number).toBe(questions.push(step.parameter.name));
      form = answered(form, model, ...firstGood(step.parameter));
    }
    const mandatory = askedParameters(form, model).filter(isMandatory);
    expect(questions).toEqual(mandatory.map(({ name }) => name));
    const order = inputOf(model, confirmed(form, model).values);
    expect(problemsOf(facts, order)).toEqual([]);
    const names = [...offered.map(({ name }) => name), ...Object.keys(model.fixed ?? {})];
    expect(names).toEqual(expect.arrayContaining(Object.keys(order)));
  });

  test('takes every good value of every parameter and sends it as the supplier wants it', () => {
    for (const parameter of offered) {
      const open = opened(model, parameter);
      for (const { raw, sent } of goodAnswers(parameter)) {
        const form = answered(open, model, ...raw);
        expect(formSchema.parse(JSON.parse(JSON.stringify(form))), 'survives being stored').toEqual(form);
        if (isImpossible(model, inputOf(model, form.values))) {
          expect(proceed(form, model)).toMatchObject({ ok: false, problem: 'not_together' });
          continue;
        }
        const order = inputOf(model, confirmed(form, model).values);
        expect(order[parameter.name], parameter.name).toEqual(sent);
        expect(problemsOf(facts, order)).toEqual([]);
      }
    }
  });

  test('refuses every bad value of every parameter, where the supplier would, too', () => {
    for (const parameter of offered) {
      const form = emptied(opened(model, parameter), parameter);
      const good = inputOf(model, withQuestionsAnswered(form, model).values);
      for (const bad of badAnswers(parameter)) {
        if (bad.raw.kind === 'done' && !isMandatory(parameter)) continue;
        const result = answer(form, model, bad.raw);
        const said = `${parameter.name}: ${JSON.stringify(bad.raw).slice(0, 200)}`;
        expect(result, said).toMatchObject({ ok: false, problem: bad.problem });
        if (!result.ok) expect(result.allowed, said).not.toBe('');
        if (bad.sent === undefined || !isTheirLimit(facts, parameter, bad.problem)) continue;
        expect(problemsOf(facts, { ...good, [parameter.name]: bad.sent }), said).not.toEqual([]);
      }
    }
  });
});

/** Narrower than the supplier's facts on purpose: Suno's simple mode takes shorter texts than its custom mode. */
const narrowedTexts = new Set(['V4_5', 'V4_5PLUS', 'V5', 'V5_5']);

/** Where the supplier states no limit of its own, the catalogue's is a measure of ours. */
function isTheirLimit(facts: Facts, { name }: Parameter, problem: Problem): boolean {
  const rule = facts.params[name];
  if (!rule) return true;
  switch (problem) {
    case 'too_long':
      return rule.max_length < Infinity && !(name === 'prompt' && narrowedTexts.has(facts.id));
    case 'too_small':
      return rule.min > -Infinity;
    case 'too_large':
      return rule.max < Infinity;
    case 'too_many_files':
      return rule.max_items < Infinity;
    case 'not_a_choice':
      return rule.enum !== undefined || rule.type !== 'string';
    default:
      return true;
  }
}

function isImpossible({ impossible = [] }: Model, order: Readonly<Record<string, unknown>>): boolean {
  return impossible.some(combination =>
    Object.entries(combination).every(([name, value]) => order[name] === value),
  );
}

function firstGood(parameter: Parameter): readonly RawAnswer[] {
  return goodAnswers(parameter)[0]?.raw ?? [];
}

/** As before the parameter's first answer, so that going on is going on with nothing. */
function emptied(form: Form, { name }: Parameter): Form {
  const { [name]: _given, ...values } = form.values;
  return { ...form, values };
}

/** All questions answered, the mode chosen in which the parameter is asked, and the parameter being edited. */
function opened(model: Model, parameter: Parameter): Form {
  let form = withQuestionsAnswered(startForm(model), model);
  for (const [name, wanted] of Object.entries(parameter.requiredIf ?? {})) {
    const index = askedParameters(form, model).findIndex(asked => asked.name === name);
    const mode = askedParameters(form, model)[index];
    const good = mode && goodAnswers(mode).find(({ sent }) => sent === wanted);
    if (!mode || !good) expect.fail(`${model.id}: ${name} is not asked before ${parameter.name}`);
    form = withQuestionsAnswered(answered(edited(form, model, mode, index), model, ...good.raw), model);
  }
  const index = askedParameters(form, model).findIndex(({ name }) => name === parameter.name);
  const open = edited(form, model, parameter, index);
  // What is sent to a list is added to what is there.
  const addsTo = parameter.type === 'files' && parameter.list && parameter.maxItems > 1;
  return addsTo && Object.hasOwn(form.values, parameter.name)
    ? answered(open, model, { kind: 'clear' })
    : open;
}

/** On to the confirmation; where a rule wants one of several, the first of them is given. */
function confirmed(form: Form, model: Model): Form {
  let current = withQuestionsAnswered(form, model);
  const given = model.atLeastOne?.some(name => Object.hasOwn(current.values, name)) ?? true;
  if (!given) {
    const asked = askedParameters(current, model);
    const index = asked.findIndex(({ name }) => name === model.atLeastOne?.[0]);
    const parameter = asked[index];
    if (!parameter) expect.fail(`${model.id}: ${model.atLeastOne?.[0]} is not asked`);
    current = answered(
      edited(current, model, parameter, index),
      model,
      ...(goodAnswers(parameter)[0]?.raw ?? []),
    );
  }
  const last = proceeded(current, model);
  expect(currentStep(last, model)).toEqual({ kind: 'confirm' });
  return last;
}
