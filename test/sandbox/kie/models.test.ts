// Every model that the stand-in sells, with orders made from its facts: a good one is taken, one that breaks a
// single fact is refused with the name of the parameter.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type KieSandbox, startKieSandbox } from '../../../sandbox/kie/index.ts';
import { type Api, create } from './support.ts';

const parameterSchema = z.looseObject({
  type: z.string(),
  required: z.boolean().optional(),
  enum: z.array(z.unknown()).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  min_length: z.number().optional(),
  max_length: z.number().optional(),
  max_items: z.number().optional(),
});
const modelSchema = z.looseObject({
  id: z.string(),
  api: z.enum(['market', 'veo', 'suno']),
  at_least_one: z.array(z.string()).optional(),
  not_together: z.array(z.tuple([z.string(), z.string()])).optional(),
  params: z.record(z.string(), parameterSchema),
});
type Model = z.infer<typeof modelSchema>;
type Parameter = z.infer<typeof parameterSchema>;
type Values = Record<string, unknown>;

const source = readFileSync(new URL('../../../sandbox/kie/models.json', import.meta.url), 'utf8');
const models = z.array(modelSchema).parse(JSON.parse(source));

let kie: KieSandbox;
const inputs = new Map<string, string>();

beforeAll(async () => {
  kie = await startKieSandbox({ stepMs: 'manual', credits: 1_000_000 });
  for (const [kind, type] of Object.entries({
    image: 'image/png',
    video: 'video/mp4',
    audio: 'audio/mpeg',
  })) {
    const form = new FormData();
    form.set('file', new Blob(['bytes'], { type }));
    form.set('uploadPath', 'inputs');
    form.set('fileName', kind);
    const answer = await fetch(`${kie.uploadUrl}/api/file-stream-upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${kie.apiKey}` },
      body: form,
    });
    const { data } = z.object({ data: z.object({ downloadUrl: z.string() }) }).parse(await answer.json());
    inputs.set(kind, data.downloadUrl);
  }
});
afterAll(() => kie.stop());

function goodValue(parameter: Parameter): unknown {
  if (parameter.enum) return parameter.enum[0];
  const kind = parameter.type.replace('[]', '');
  const input = inputs.get(kind);
  if (input !== undefined) return parameter.type.endsWith('[]') ? [input] : input;
  switch (parameter.type) {
    case 'string':
      if (parameter.min !== undefined) return String(parameter.min);
      return 'x'.repeat(parameter.min_length ?? 1);
    case 'boolean':
      return false;
    case 'object[]':
      return [{ text: 'Hello', voice: 'Anna' }];
    default:
      return parameter.min ?? 1;
  }
}

/** The required parameters, and one of those of which one is needed. */
function goodValues(model: Model): Values {
  const values: Values = {};
  for (const [name, parameter] of Object.entries(model.params)) {
    if (parameter.required) values[name] = goodValue(parameter);
  }
  const [alternative] = model.at_least_one ?? [];
  const parameter = alternative === undefined ? undefined : model.params[alternative];
  if (alternative !== undefined && parameter) values[alternative] = goodValue(parameter);
  return values;
}

/** Values that break one fact of the parameter each. */
function badValues(parameter: Parameter): unknown[] {
  const { type, min, max, min_length, max_length, max_items } = parameter;
  const asText = (value: number): unknown => (type === 'string' ? String(value) : value);
  return [
    null,
    type === 'string' ? 5 : '5',
    ...(parameter.enum ? [typeof parameter.enum[0] === 'string' ? 'of no kind' : -77] : []),
    ...(min === undefined ? [] : [asText(min - 1)]),
    ...(max === undefined ? [] : [asText(max + 1)]),
    ...(min_length === undefined || min_length < 2 ? [] : ['x'.repeat(min_length - 1)]),
    ...(max_length === undefined ? [] : ['x'.repeat(max_length + 1)]),
    ...(max_items === undefined ? [] : [Array(max_items + 1).fill([goodValue(parameter)].flat()[0])]),
    ...(type === 'integer' ? [1.5] : []),
    ...(type.endsWith('[]') ? [[5]] : []),
  ];
}

/** The outermost values that the facts allow. */
function boundaryValues({ type, min, max, max_length, enum: choices = [] }: Parameter): unknown[] {
  const asText = (value: number): unknown => (type === 'string' ? String(value) : value);
  return [
    ...choices,
    ...(min === undefined || choices.length > 0 ? [] : [asText(min)]),
    ...(max === undefined || choices.length > 0 ? [] : [asText(max)]),
    ...(max_length === undefined ? [] : ['x'.repeat(max_length)]),
  ];
}

const order = (model: Model, values: Values) =>
  create(kie, model.api === 'market' ? { model: model.id, input: values } : flat(values), model.api);
const flat = (values: Values) => ({ ...values, callBackUrl: 'http://127.0.0.1:9/callback' });

test('all 125 models are sold', () => {
  expect(models).toHaveLength(125);
});

describe.each(models)('$id', model => {
  test('takes a good order at its own endpoint only', async () => {
    const values = goodValues(model);
    expect(await order(model, values)).toMatchObject({ code: 200 });
    expect(kie.tasks().at(-1)).toMatchObject({ api: model.api, model: model.id });
    const before = kie.createdCount();
    for (const api of ['market', 'veo', 'suno'] satisfies Api[]) {
      if (api === model.api) continue;
      const foreign = api === 'market' ? { model: model.id, input: values } : { model: model.id, ...values };
      expect((await create(kie, flat(foreign), api)).code).toBe(422);
    }
    expect(kie.createdCount()).toBe(before);
  });

  test('takes every choice and the ends of every range', async () => {
    const good = goodValues(model);
    for (const [name, parameter] of Object.entries(model.params)) {
      const excluded = (model.not_together ?? []).filter(pair => pair.includes(name)).flat();
      const others = Object.entries(good).filter(([other]) => !excluded.includes(other));
      for (const value of boundaryValues(parameter))
        expect(
          await order(model, { ...Object.fromEntries(others), [name]: value }),
          `${name} ${value}`,
        ).toMatchObject({
          code: 200,
        });
    }
  });

  test('refuses what breaks a fact, naming the parameter', async () => {
    const good = goodValues(model);
    const before = kie.createdCount();
    expect(await order(model, { ...good, no_such_parameter: 1 })).toMatchObject({
      code: 422,
      msg: expect.stringMatching(/^no_such_parameter: /),
    });
    for (const [name, parameter] of Object.entries(model.params)) {
      // The model of a flat order is what the order is found by.
      if (name === 'model') continue;
      const changes = badValues(parameter).map(value => ({ [name]: value }));
      if (parameter.required) changes.push({ [name]: undefined });
      for (const change of changes)
        expect(await order(model, { ...good, ...change }), JSON.stringify(change)).toMatchObject({
          code: 422,
          msg: expect.stringMatching(new RegExp(`^${name}: `)),
        });
    }
    for (const names of model.not_together ?? []) {
      const both = names.map(name => [name, goodValue(model.params[name] ?? { type: 'string' })]);
      expect((await order(model, { ...good, ...Object.fromEntries(both) })).msg).toContain(names[1]);
    }
    if (model.at_least_one) {
      const none = Object.entries(good).filter(([name]) => !model.at_least_one?.includes(name));
      expect((await order(model, Object.fromEntries(none))).msg).toContain(model.at_least_one[0]);
    }
    expect(kie.createdCount()).toBe(before);
  });
});
