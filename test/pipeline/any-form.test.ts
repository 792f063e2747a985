// Whatever a user does with a form, in whatever order: it never breaks, holds only values that fit, distinguishes old
// buttons from new ones, survives being stored, and can always be brought to its end.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Model } from '../../src/catalogue/schema.ts';
import { answer, type RawAnswer } from '../../src/pipeline/answer.ts';
import { askedParameters, violation } from '../../src/pipeline/filled.ts';
import {
  currentStep,
  editParameter,
  type Form,
  formSchema,
  goBack,
  openOptions,
  proceed,
  startForm,
} from '../../src/pipeline/form.ts';
import { answered, badAnswers, goodAnswers, inputOf, models, withQuestionsAnswered } from './answers.ts';
import { files, modes, plain, quote, rich, rules } from './example-models.ts';
import { factsOf, problemsOf } from './vendor-facts.ts';

const anyRaw: fc.Arbitrary<RawAnswer> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'binary' }) }),
  fc.record({ kind: fc.constant('choice' as const), index: fc.integer({ min: -1, max: 8 }) }),
  fc.record({ kind: fc.constant('switch' as const), on: fc.boolean() }),
  fc.record({
    kind: fc.constant('file' as const),
    media: fc.constantFrom('image' as const, 'video' as const, 'audio' as const, 'other' as const),
    file: fc.record(
      { from: fc.constant('telegram' as const), fileId: fc.string({ minLength: 1, unit: 'grapheme-ascii' }) },
      { noNullPrototype: true },
    ),
    groupId: fc.constantFrom(undefined, 'a', 'b'),
  }),
  fc.constantFrom<RawAnswer>({ kind: 'done' }, { kind: 'clear' }),
);

type Move =
  | { readonly kind: 'answer'; readonly raw: RawAnswer }
  /** One of the answers that suit what is asked. */
  | { readonly kind: 'good' | 'bad' | 'edit'; readonly which: number }
  | { readonly kind: 'back' | 'options' | 'proceed' };

const which = fc.nat({ max: 200 });
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('answer' as const), raw: anyRaw }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('good' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bad' as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('edit' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('back' as const, 'options' as const, 'proceed' as const) }),
  },
);

/** The form after the move; the same object where the move was refused. */
function moved(form: Form, model: Model, move: Move): Form {
  switch (move.kind) {
    case 'answer':
      return taken(form, model, [move.raw]);
    case 'good':
    case 'bad': {
      const step = currentStep(form, model);
      if (step.kind !== 'question') return form;
      const all =
        move.kind === 'good'
          ? goodAnswers(step.parameter).map(({ raw }) => raw)
          : badAnswers(step.parameter).map(({ raw }) => [raw]);
      return taken(form, model, all[move.which % all.length] ?? []);
    }
    case 'edit':
      return editParameter(form, model, move.which % (askedParameters(form, model).length + 1)) ?? form;
    case 'back':
      return goBack(form, model) ?? form;
    case 'options':
      return openOptions(form, model);
    case 'proceed': {
      const result = proceed(form, model);
      return result.ok ? result.form : form;
    }
  }
}

function taken(form: Form, model: Model, raws: readonly RawAnswer[]): Form {
  return raws.reduce((current, raw) => {
    const result = answer(current, model, raw);
    if (!result.ok) return current;
    expect(result.form.revision).toBe(current.revision + 1);
    return result.form;
  }, form);
}

/** By the numbers of the entry alone. */
function expectValid({ values }: Form, model: Model): void {
  for (const [name, value] of Object.entries(values)) {
    const parameter = model.parameters.find(candidate => candidate.name === name);
    switch (parameter?.type) {
      case 'text': {
        const length = Array.from(String(value)).length;
        expect(length >= parameter.minLength && length <= parameter.maxLength, name).toBe(true);
        break;
      }
      case 'choice':
        expect(parameter.values).toContain(value);
        break;
      case 'switch':
        expect(value).toBeTypeOf('boolean');
        break;
      case 'number':
        expect(Number(value) >= (parameter.min ?? -1e16) && Number(value) <= (parameter.max ?? 1e16)).toBe(
          true,
        );
        break;
      case 'files':
        expect(Array.isArray(value) && value.length >= 1 && value.length <= parameter.maxItems, name).toBe(
          true,
        );
        break;
      default:
        expect.fail(`${name} is no parameter`);
    }
  }
}

/** Brings any form to its confirmation, as a user would who does what the form says. */
function confirmed(form: Form, model: Model): Form {
  let current = withQuestionsAnswered(form, model);
  for (let tries = 0; tries < 5 && violation(current, model); tries += 1) {
    const broken = violation(current, model);
    const name = broken?.parameters[broken.problem === 'one_of' ? 0 : 1];
    const index = askedParameters(current, model).findIndex(parameter => parameter.name === name);
    const parameter = askedParameters(current, model)[index];
    const open = editParameter(current, model, index);
    if (!parameter || !open) expect.fail(`${name} cannot be edited`);
    const suitable = goodAnswers(parameter).map(({ raw }) => raw);
    const raws = broken?.problem === 'one_of' ? (suitable[0] ?? []) : [{ kind: 'clear' } as const];
    current = withQuestionsAnswered(answered(open, model, ...raws), model);
  }
  const result = proceed(current, model);
  if (!result.ok) expect.fail(`${model.id}: no way to the confirmation: ${result.problem}`);
  return result.form;
}

test.each([
  ['the example models', fc.constantFrom(plain, rich, files, modes, rules), 400],
  ['the catalogue', fc.constantFrom(...models), 600],
] as const)('any sequence of moves through %s keeps a form sound', (_name, anyModel, numRuns) => {
  fc.assert(
    fc.property(anyModel, fc.array(anyMove, { maxLength: 25 }), (model, moves) => {
      let form = startForm(model);
      for (const move of moves) {
        const before: Form = { ...form, quote };
        const after = moved(before, model, move);
        if (after !== before) {
          expect(after.revision).toBeGreaterThan(before.revision);
          expect(after.draft).toBe(before.draft);
          expect(after).not.toHaveProperty('quote');
        }
        expect(formSchema.parse(JSON.parse(JSON.stringify(after)))).toStrictEqual(after);
        expectValid(after, model);
        if (currentStep(after, model).kind === 'confirm') expectSound(after, model);
        form = after;
      }
      const last = confirmed(form, model);
      expect(currentStep(last, model)).toEqual({ kind: 'confirm' });
      expectSound(last, model);
    }),
    { numRuns },
  );
});

function expectSound(form: Form, model: Model): void {
  expect(violation(form, model)).toBeUndefined();
  if (models.includes(model)) expect(problemsOf(factsOf(model), inputOf(model, form.values))).toEqual([]);
}
