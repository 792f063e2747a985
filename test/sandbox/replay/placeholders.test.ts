// What stands for values that nobody has recorded: as long, as many, and such that the model takes it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refilled } from '../../../sandbox/replay/placeholders.ts';
import { wordlessValues } from '../../../src/bot/dispatch-snapshot.ts';
import { createCatalogue } from '../../../src/catalogue/catalogue.ts';
import type { Model, Parameter } from '../../../src/catalogue/schema.ts';
import type { FileReference, FormValue, FormValues } from '../../../src/catalogue/values.ts';
import { valueProblem } from '../../../src/pipeline/value-check.ts';

const { models } = createCatalogue();
const file: FileReference = { from: 'telegram', fileId: 'stand-in' };
const files = {
  sent: async (): Promise<FileReference> => file,
  made: async (): Promise<string> => expect.fail('asked for a result'),
};

/** A value that the parameter takes. */
function valueFor(parameter: Parameter): fc.Arbitrary<FormValue> {
  switch (parameter.type) {
    case 'text':
      return fc
        .integer({ min: parameter.minLength, max: Math.min(parameter.maxLength, parameter.minLength + 200) })
        .map(length => 'ы'.repeat(length));
    case 'choice':
      return fc.constantFrom(...parameter.values);
    case 'switch':
      return fc.boolean();
    case 'number':
      return fc.constant(parameter.min ?? parameter.max ?? 1);
    case 'files':
      return fc
        .integer({ min: 1, max: parameter.maxItems })
        .map(count => Array.from({ length: count }, () => ({ from: 'telegram' as const, fileId: 'own' })));
  }
}

function filledIn(): fc.Arbitrary<{ model: Model; values: FormValues }> {
  return fc
    .constantFrom(...models)
    .chain(model =>
      fc
        .record(Object.fromEntries(model.parameters.map(parameter => [parameter.name, valueFor(parameter)])))
        .map(values => ({ model, values })),
    );
}

test('whatever a user had filled in, its placeholder fits the parameter as it did, and quotes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(filledIn(), async ({ model, values }) => {
      const stand = await refilled(wordlessValues(values, model), model, files);
      for (const parameter of model.parameters) {
        const [own, other] = [values[parameter.name], stand.values[parameter.name]];
        if (own === undefined || other === undefined) return expect(other).toBe(own);
        expect(valueProblem(parameter, other), parameter.name).toBe(valueProblem(parameter, own));
        const isReplaced = parameter.type === 'text' || parameter.type === 'files';
        expect(stand.replaced.includes(parameter.name)).toBe(isReplaced);
        if (!isReplaced) expect(other).toBe(own);
      }
      expect(JSON.stringify(stand.values)).not.toMatch(/ы|own/);
    }),
    { numRuns: 50 },
  );
});

test('of a model that has left the catalogue the texts are known to be texts, and files are none', async () => {
  const { values } = await refilled({ prompt: 'text(3)', images: 'files(2)', size: 7 }, undefined, files);
  expect(values).toEqual({ prompt: 'pla', images: 'files(2)', size: 7 });
});
