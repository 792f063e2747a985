// What is left out on purpose must not be in the catalogue as well.
import { expect, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { readLeftOut } from '../../src/catalogue/left-out.ts';

test('nothing that is left out is offered', () => {
  const { models } = createCatalogue();
  const leftOut = readLeftOut();
  const names = new Set(leftOut.models.map(({ api, vendorModel }) => `${api} ${vendorModel}`));
  expect(names.size).toBe(leftOut.models.length);
  expect(models.filter(({ api, vendorModel }) => names.has(`${api} ${vendorModel}`))).toEqual([]);
  const parameters = new Set(models.flatMap(model => model.parameters.map(({ name }) => name)));
  expect(leftOut.parameters.filter(({ name }) => parameters.has(name))).toEqual([]);
});
