// The way through a form: what is asked when, the way back, editing, and the rules between parameters.
import { describe, expect, test } from 'vitest';
import type { Model } from '../../src/catalogue/schema.ts';
import type { RawAnswer } from '../../src/pipeline/answer.ts';
import { askedParameters, effectiveValues, violation } from '../../src/pipeline/filled.ts';
import {
  currentStep,
  editParameter,
  type Form,
  goBack,
  openOptions,
  proceed,
  startForm,
} from '../../src/pipeline/form.ts';
import { answered, upload } from './answers.ts';
import { modes, plain, quote, rich, rules } from './example-models.ts';

const bird: RawAnswer = { kind: 'text', text: 'a bird' };
const choice = (index: number): RawAnswer => ({ kind: 'choice', index });
const turned = (on: boolean): RawAnswer => ({ kind: 'switch', on });

/** Where the form stands, in short. */
function place(form: Form, model: Model): string {
  const step = currentStep(form, model);
  if (step.kind !== 'question') return step.kind;
  return `${step.editing ? 'editing ' : ''}${step.parameter.name} ${step.number}/${step.of}`;
}

function editing(form: Form, model: Model, name: string): Form {
  const index = askedParameters(form, model).findIndex(parameter => parameter.name === name);
  return defined(editParameter(form, model, index));
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) expect.fail('there is nothing');
  return value;
}

function picture(model: Model, name: string): RawAnswer {
  const parameter = model.parameters.find(candidate => candidate.name === name);
  if (parameter?.type !== 'files') expect.fail(`${name} takes no files`);
  return upload(parameter);
}

test('a new form asks the first question and has a draft of its own', () => {
  const [form, another] = [startForm(plain), startForm(plain)];
  expect(form).toMatchObject({ model: 'example', revision: 1, stage: 'questions', values: {} });
  expect(form.draft).toMatch(/^[A-Za-z0-9_-]{4,16}$/);
  expect(form.draft).not.toBe(another.draft);
  expect(place(form, plain)).toBe('prompt 1/2');
});

test('what is required is asked one by one, even with a default; without options the confirmation follows', () => {
  const first = startForm(plain);
  const second = answered(first, plain, { kind: 'text', text: '  a bird ' });
  expect(second).toEqual({ ...first, revision: 2, values: { prompt: 'a bird' } });
  expect(place(second, plain)).toBe('size 2/2');
  const complete = answered(second, plain, choice(1));
  expect(complete).toMatchObject({ revision: 3, values: { prompt: 'a bird', size: 'large' } });
  expect(place(complete, plain)).toBe('confirm');
  expect(first.values, 'a form is never changed in place').toEqual({});
});

test('optional parameters wait behind the options, with their defaults', () => {
  const form = answered(startForm(rich), rich, bird);
  expect(place(form, rich)).toBe('options');
  expect(askedParameters(form, rich).map(({ name }) => name)).not.toContain('seed');
  expect(effectiveValues(form, rich)).toEqual({ prompt: 'a bird', duration: 5, sound: true, strength: 0.5 });
  expect(proceed(form, rich)).toMatchObject({ ok: true, form: { stage: 'confirm', revision: 3 } });
});

test('without anything required the form begins with the options', () => {
  expect(place(startForm(rules), rules)).toBe('options');
  expect(goBack(startForm(rules), rules), 'and the way back leaves it').toBeUndefined();
});

describe('the way back', () => {
  test('goes question by question, keeps the answers, and ends before the first', () => {
    const second = answered(startForm(plain), plain, bird);
    const first = defined(goBack(second, plain));
    expect(first).toMatchObject({ revision: 3, values: { prompt: 'a bird' } });
    expect(place(first, plain)).toBe('prompt 1/2');
    expect(goBack(first, plain)).toBeUndefined();
  });

  test('after an answer given anew, the form goes on at the first open question', () => {
    const back = defined(goBack(answered(startForm(plain), plain, bird), plain));
    const again = answered(back, plain, { kind: 'text', text: 'a cat' });
    expect(again.values).toEqual({ prompt: 'a cat' });
    expect(place(again, plain)).toBe('size 2/2');
  });

  test('an answer can be kept as it is', () => {
    const back = defined(goBack(answered(startForm(plain), plain, bird), plain));
    expect(place(answered(back, plain, { kind: 'done' }), plain)).toBe('size 2/2');
  });

  test('leads from the confirmation to the options, and from there to the last question', () => {
    const confirming = proceed(answered(startForm(rich), rich, bird), rich);
    if (!confirming.ok) expect.fail('it does not go on');
    const options = defined(goBack(confirming.form, rich));
    expect(place(options, rich)).toBe('options');
    expect(place(defined(goBack(options, rich)), rich)).toBe('prompt 1/1');
  });

  test('leads from the confirmation to the last question where there are no options', () => {
    const form = answered(startForm(plain), plain, bird, choice(0));
    expect(place(defined(goBack(form, plain)), plain)).toBe('size 2/2');
  });

  test('leads from a value being edited to where the user came from', () => {
    const form = answered(startForm(plain), plain, bird, choice(0));
    const open = editing(form, plain, 'prompt');
    expect(place(open, plain)).toBe('editing prompt 1/2');
    expect(place(defined(goBack(open, plain)), plain)).toBe('confirm');
  });
});

describe('editing', () => {
  test('one value returns to the options, or to the confirmation', () => {
    const options = answered(startForm(rich), rich, bird);
    const open = editing(options, rich, 'sound');
    expect(place(open, rich)).toBe('editing sound 3/8');
    const off = answered(open, rich, turned(false));
    expect(place(off, rich)).toBe('options');
    expect(effectiveValues(off, rich).sound).toBe(false);

    const confirm = answered(startForm(plain), plain, bird, choice(0));
    expect(place(answered(editing(confirm, plain, 'size'), plain, choice(1)), plain)).toBe('confirm');
  });

  test('is offered only from the options and the confirmation, for parameters that there are', () => {
    expect(editParameter(startForm(plain), plain, 0)).toBeUndefined();
    const complete = answered(startForm(plain), plain, bird, choice(0));
    for (const index of [-1, 2, 0.5]) expect(editParameter(complete, plain, index)).toBeUndefined();
  });

  test('the options can be opened from a confirmation, also of a model that has only questions', () => {
    const confirm = answered(startForm(plain), plain, bird, choice(0));
    const options = openOptions(confirm, plain);
    expect(place(options, plain)).toBe('options');
    expect(openOptions(options, plain), 'elsewhere there is nothing to open').toBe(options);
    expect(proceed(options, plain)).toMatchObject({ ok: true });
  });
});

describe('a mode with questions of its own', () => {
  const simple = answered(startForm(modes), modes, turned(false), bird);

  test('asks nothing of them while the mode is off', () => {
    expect(place(simple, modes)).toBe('confirm');
    expect(askedParameters(simple, modes).map(({ name }) => name)).toEqual(['custom', 'prompt']);
  });

  test('asks them as soon as it is turned on, at the end of which the form is complete again', () => {
    const custom = answered(editing(simple, modes, 'custom'), modes, turned(true));
    expect(place(custom, modes)).toBe('style 3/3');
    const styled = answered(custom, modes, { kind: 'text', text: 'OWN' });
    expect(place(styled, modes), 'a condition may hang on a conditional answer').toBe('words 4/4');
    expect(place(answered(styled, modes, bird), modes)).toBe('confirm');
  });

  test('keeps the answers while it is off, and does not send them', () => {
    const on = answered(editing(simple, modes, 'custom'), modes, turned(true), choice(1), bird);
    expect(effectiveValues(on, modes)).toHaveProperty('words', 'a bird');
    const off = answered(editing(on, modes, 'custom'), modes, turned(false));
    expect(effectiveValues(off, modes)).toEqual({ custom: false, prompt: 'a bird' });
    const again = answered(editing(off, modes, 'custom'), modes, turned(true));
    expect(place(again, modes)).toBe('confirm');
    expect(effectiveValues(again, modes)).toMatchObject({ style: 'own', words: 'a bird' });
  });
});

describe('rules between parameters', () => {
  const empty = startForm(rules);

  test('of several one must be given', () => {
    const names = ['prompt', 'first', 'references'];
    expect(proceed(empty, rules)).toEqual({
      ok: false,
      problem: 'one_of',
      parameters: names,
      allowed: names.join(', '),
    });
    expect(proceed(answered(editing(empty, rules, 'prompt'), rules, bird), rules)).toMatchObject({
      ok: true,
    });
  });

  test('two that exclude each other are named', () => {
    const one = answered(editing(empty, rules, 'first'), rules, picture(rules, 'first'));
    const both = answered(editing(one, rules, 'references'), rules, picture(rules, 'references'), {
      kind: 'done',
    });
    expect(proceed(both, rules)).toMatchObject({
      ok: false,
      problem: 'not_together',
      parameters: ['first', 'references'],
    });
    const without = answered(editing(both, rules, 'first'), rules, { kind: 'clear' });
    expect(proceed(without, rules)).toMatchObject({ ok: true });
  });

  test('a combination that the supplier refuses is named', () => {
    const form = answered(editing(empty, rules, 'prompt'), rules, bird);
    const long = answered(editing(form, rules, 'duration'), rules, choice(1));
    expect(proceed(long, rules)).toMatchObject({ ok: true });
    const best = answered(editing(long, rules, 'quality'), rules, choice(1));
    expect(proceed(best, rules)).toMatchObject({
      ok: false,
      problem: 'not_together',
      parameters: ['duration', 'quality'],
    });
  });

  test('breaking one at the confirmation leads back to the options', () => {
    const confirm = proceed(answered(editing(empty, rules, 'prompt'), rules, bird), rules);
    if (!confirm.ok) expect.fail('it does not go on');
    const broken = answered(editing(confirm.form, rules, 'prompt'), rules, { kind: 'clear' });
    expect(place(broken, rules)).toBe('options');
    expect(violation(broken, rules)?.problem).toBe('one_of');
  });
});

test('going on with open questions names them', () => {
  expect(proceed(startForm(plain), plain)).toEqual({
    ok: false,
    problem: 'missing',
    parameters: ['prompt', 'size'],
    allowed: 'prompt, size',
  });
});

test('every change outdates the buttons and the quote', () => {
  const quoted = (form: Form): Form => ({ ...form, quote });
  const confirm = answered(startForm(plain), plain, bird, choice(0));
  const next = [
    goBack(quoted(confirm), plain),
    openOptions(quoted(confirm), plain),
    editParameter(quoted(confirm), plain, 0),
    answered(quoted(startForm(plain)), plain, bird),
  ];
  for (const form of next) {
    expect(form).not.toHaveProperty('quote');
    expect(form?.revision).toBe(form?.values.size === undefined ? 2 : confirm.revision + 1);
  }
});

describe('a form that is older than the entry', () => {
  const stored = answered(startForm(plain), plain, bird, choice(1));
  const newer = {
    ...plain,
    parameters: plain.parameters.map(parameter =>
      parameter.type === 'choice' ? { ...parameter, values: ['Small', 'huge'] } : parameter,
    ),
  } satisfies Model;

  test('is asked again for what no longer fits, wherever it stood', () => {
    expect(place(stored, plain)).toBe('confirm');
    expect(place(stored, newer)).toBe('size 2/2');
    expect(place(answered(stored, newer, choice(1)), newer)).toBe('confirm');
  });

  test('goes on where a parameter that it was asking has gone', () => {
    const asking: Form = { ...stored, stage: 'questions', asking: 'gone' };
    expect(place(asking, plain)).toBe('confirm');
  });
});
