// The texts of parameters: short labels, one question each, in every language, and values that users understand.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import labelsData from '../../src/catalogue/labels.json' with { type: 'json' };
import { labelOf, questionOf, valueLabelOf } from '../../src/catalogue/labels.ts';
import type { Model, Parameter } from '../../src/catalogue/schema.ts';
import { locales } from '../../src/locales.ts';

const parameters = createCatalogue().models.flatMap(model =>
  model.parameters.map((parameter): [Model, Parameter] => [model, parameter]),
);

test('every parameter has a label of one to three words and a question of one screen line, in every language', () => {
  for (const locale of locales)
    for (const [model, { name }] of parameters) {
      const label = labelOf(name, locale, model.category);
      const question = questionOf(name, locale, model.category);
      expect(label.split(' ').length, `${name}: ${label}`).toBeLessThanOrEqual(3);
      expect(question.length, `${name}: ${question}`).toBeLessThanOrEqual(80);
      for (const text of [label, question])
        expect(/[а-я]/i.test(text), `${name}: ${text}`).toBe(locale === 'ru');
    }
});

test('the file holds no texts of parameters that no model has', () => {
  const used = new Set(parameters.map(([, { name }]) => name));
  expect(Object.keys(labelsData.parameters).filter(name => !used.has(name))).toEqual([]);
});

test('values of a choice have different labels, short enough for a button', () => {
  for (const locale of locales)
    for (const [model, parameter] of parameters) {
      if (parameter.type !== 'choice' || parameter.advanced) continue;
      const labels = parameter.values.map(value =>
        valueLabelOf(parameter.name, value, locale, parameter.unit),
      );
      expect(new Set(labels).size, `${model.id} ${parameter.name}`).toBe(labels.length);
      for (const label of labels) expect(label.length, label).toBeLessThanOrEqual(32);
    }
});

test('words of the supplier in capitals or with underscores are never shown as values', () => {
  for (const [, parameter] of parameters)
    if (parameter.type === 'choice')
      for (const value of parameter.values)
        expect(valueLabelOf(parameter.name, value, 'en')).not.toMatch(/_|^[A-Z]{5,}$|^[A-Za-z0-9]{20}$/);
});

test('a category has its own words where the common ones do not fit', () => {
  expect(questionOf('prompt', 'en', 'image')).toContain('picture');
  expect(questionOf('prompt', 'en', 'music')).toContain('song');
  expect(questionOf('prompt', 'en')).not.toContain('picture');
  expect(labelOf('style', 'ru', 'audio')).not.toBe(labelOf('style', 'ru'));
  expect(labelOf('prompt', 'ru', 'enhance')).toBe(labelOf('prompt', 'ru'));
});

test.each([
  ['image_size', 'portrait_4_3', undefined, 'Вертикально 3:4', 'Portrait 3:4'],
  ['rendering_speed', 'TURBO', undefined, 'Быстро', 'Fast'],
  ['vocalGender', 'f', undefined, 'Женский', 'Female'],
  ['aspect_ratio', 'Auto', undefined, 'Авто', 'Auto'],
  ['aspect_ratio', '16:9', undefined, '16:9', '16:9'],
  ['upscale_factor', '4', undefined, '4×', '4×'],
  ['duration', 5, 's', '5 с', '5 s'],
  ['duration', '10', 's', '10 с', '10 s'],
  ['sound', true, undefined, 'Да', 'Yes'],
  ['sound', false, undefined, 'Нет', 'No'],
  ['nosuch', 'toString', undefined, 'toString', 'toString'],
] as const)('the value %s %s is read as users say it', (name, value, unit, ru, en) => {
  expect(valueLabelOf(name, value, 'ru', unit)).toBe(ru);
  expect(valueLabelOf(name, value, 'en', unit)).toBe(en);
});
