// A form as pure data: what it takes, what it refuses and says about it, and the way back.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Model, modelSchema } from '../../src/catalogue/schema.ts';
import { answerForm, currentParameter, type Form, previousStep, startForm } from '../../src/pipeline/form.ts';

const label = { ru: 'Подпись', en: 'Label' };
const model: Model = modelSchema.parse({
  id: 'painter-2',
  key: 'painter',
  title: 'Painter',
  description: label,
  category: 'image',
  api: 'market',
  output: 'image',
  version: '2026-01-01',
  enabled: true,
  parameters: [
    { name: 'prompt', type: 'text', label, question: label, required: true, minLength: 3, maxLength: 10 },
    { name: 'size', type: 'choice', label, question: label, required: true, values: ['small', 'large'] },
  ],
});

function answered(form: Form, value: string): Form {
  const answer = answerForm(form, model, value);
  if (!answer.ok) expect.fail(`${JSON.stringify(value)} was refused: ${answer.problem}`);
  return answer.form;
}

test('a new form asks the first question and has a draft of its own', () => {
  const [form, another] = [startForm(model), startForm(model)];
  expect(form).toMatchObject({ model: 'painter', revision: 1, step: 0, values: {} });
  expect(form.draft).toMatch(/^[A-Za-z0-9_-]{4,16}$/);
  expect(form.draft).not.toBe(another.draft);
  expect(currentParameter(form, model)?.name).toBe('prompt');
});

test('each answer is kept under its name, raises the revision and leads on', () => {
  const form = startForm(model);
  const second = answered(form, '  a bird ');
  expect(second).toEqual({ ...form, revision: 2, step: 1, values: { prompt: 'a bird' } });
  expect(currentParameter(second, model)?.name).toBe('size');
  const complete = answered(second, 'large');
  expect(complete).toEqual({ ...form, revision: 3, step: 2, values: { prompt: 'a bird', size: 'large' } });
  expect(currentParameter(complete, model)).toBeUndefined();
  expect(form.values, 'a form is never changed in place').toEqual({});
});

test.each([
  ['ab', 'too_short'],
  ['  ab  ', 'too_short'],
  ['\0\0\0\0', 'too_short'],
  ['elevenchars', 'too_long'],
])('the text %j is refused as %s, with the lengths that fit', (text, problem) => {
  expect(answerForm(startForm(model), model, text)).toEqual({ ok: false, problem, allowed: '3–10' });
});

test.each(['abc', 'tencharact', '🐦'.repeat(10)])('the text %j has a length that fits', text => {
  expect(answered(startForm(model), text).values).toEqual({ prompt: text });
});

test.each(['', 'Large', ' large', 'huge', '0', 'toString'])('%j is none of the choices', value => {
  const form = answered(startForm(model), 'a bird');
  expect(answerForm(form, model, value)).toEqual({
    ok: false,
    problem: 'not_a_choice',
    allowed: 'small, large',
  });
});

test('a complete form takes no further answer', () => {
  const complete = answered(answered(startForm(model), 'a bird'), 'small');
  expect(answerForm(complete, model, 'small')).toMatchObject({ ok: false, problem: 'not_a_choice' });
});

test('one step back asks again, keeps the answers and outdates the buttons; before the first there is none', () => {
  const second = answered(startForm(model), 'a bird');
  const first = previousStep(second);
  expect(first).toEqual({ ...second, revision: 3, step: 0 });
  expect(first && previousStep(first)).toBeUndefined();
  expect(first && answered(first, 'a cat')).toMatchObject({
    revision: 4,
    step: 1,
    values: { prompt: 'a cat' },
  });
});

test('whatever text is taken, Postgres can hold it and its length fits', () => {
  const anyText = fc
    .array(fc.nat({ max: 0xffff }), { maxLength: 14 })
    .map(units => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: 'grapheme', maxLength: 14 })), text => {
      const answer = answerForm(startForm(model), model, text);
      if (!answer.ok) return;
      const stored = answer.form.values.prompt ?? '';
      expect(stored.isWellFormed()).toBe(true);
      expect(stored).not.toContain('\0');
      expect([...stored].length).toBeGreaterThanOrEqual(3);
      expect([...stored].length).toBeLessThanOrEqual(10);
    }),
  );
});
