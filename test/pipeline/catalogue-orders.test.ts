// Every entry of the catalogue, filled in sparsely and fully, ordered over HTTP from the stand-in, which checks
// orders by the supplier's facts and fetches the files.
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type KieSandbox, startKieSandbox } from '../../sandbox/kie/index.ts';
import type { MediaKind, Model, Parameter } from '../../src/catalogue/schema.ts';
import type { RawAnswer } from '../../src/pipeline/answer.ts';
import { askedParameters, violation } from '../../src/pipeline/filled.ts';
import { editParameter, type Form, startForm } from '../../src/pipeline/form.ts';
import { buildInput, filesOf } from '../../src/pipeline/payload.ts';
import { answered, goodAnswers, models, withQuestionsAnswered } from './answers.ts';

let kie: KieSandbox;
let addresses: Readonly<Record<MediaKind, string>>;

beforeAll(async () => {
  kie = await startKieSandbox({ stepMs: 'manual', credits: 10_000_000 });
  const [image, video, audio] = await Promise.all(['image/png', 'video/mp4', 'audio/mpeg'].map(uploaded));
  if (!image || !video || !audio) throw new Error('the uploads have no addresses');
  addresses = { image, video, audio };
});

afterAll(() => kie.stop());

test.each(models.map(model => [model.id, model] as const))('%s is ordered', async (_id, model) => {
  for (const form of [sparse(model), full(model)]) {
    expect(violation(form, model)).toBeUndefined();
    const mediaOf = new Map(
      model.parameters.map(parameter => [
        parameter.name,
        parameter.type === 'files' ? parameter.media : 'image',
      ]),
    );
    const files = filesOf(model, form.values);
    const input = buildInput(model, form.values, name =>
      files.filter(({ parameter }) => parameter === name).map(() => addresses[mediaOf.get(name) ?? 'image']),
    );
    const before = kie.createdCount();
    expect(await post(kie.apiUrl + orderPaths[model.api], bodyOf(model, input))).toMatchObject({
      code: 200,
      msg: 'success',
    });
    expect(kie.createdCount()).toBe(before + 1);
  }
});

const orderPaths = {
  market: '/api/v1/jobs/createTask',
  veo: '/api/v1/veo/generate',
  suno: '/api/v1/generate',
} as const;

/** As each family wants its orders, written by its documentation rather than with the bot's client. */
function bodyOf({ api, vendorModel }: Model, input: Record<string, unknown>): unknown {
  if (api === 'market') return { model: vendorModel, input };
  const callBackUrl = 'http://127.0.0.1:9/callback';
  return { ...input, model: vendorModel, callBackUrl };
}

/** What must be answered, and one of those of which one must be given. */
function sparse(model: Model): Form {
  const form = withQuestionsAnswered(startForm(model), model);
  return violation(form, model) ? withValue(form, model, model.atLeastOne?.[0] ?? '') : form;
}

/** Everything that can be given together, each to its limit. */
function full(model: Model): Form {
  const names = model.parameters.filter(({ advanced }) => !advanced).map(({ name }) => name);
  return names.reduce((form, name) => {
    const next = withValue(form, model, name);
    return violation(next, model) ? form : next;
  }, sparse(model));
}

/** The fullest of the good answers: the longest text, the greatest number, the longest list, a switch turned on. */
function withValue(form: Form, model: Model, name: string): Form {
  const index = askedParameters(form, model).findIndex(parameter => parameter.name === name);
  const parameter = askedParameters(form, model)[index];
  const open = editParameter(form, model, index);
  // One that belongs to a mode which is off.
  if (!parameter || !open) return form;
  const emptied = parameter.type === 'files' && parameter.maxItems > 1 && form.values[name] !== undefined;
  const ready = emptied ? answered(open, model, { kind: 'clear' }) : open;
  return withQuestionsAnswered(answered(ready, model, ...fullest(parameter)), model);
}

const longestMessage = 4096;

function fullest(parameter: Parameter): readonly RawAnswer[] {
  if (parameter.type === 'text')
    return [{ kind: 'text', text: '🐦'.repeat(Math.min(parameter.maxLength, longestMessage)) }];
  const all = goodAnswers(parameter);
  return (parameter.type === 'switch' ? all[0] : all.at(-1))?.raw ?? [];
}

async function uploaded(mimeType: string): Promise<string> {
  const answer = await post(`${kie.uploadUrl}/api/file-base64-upload`, {
    base64Data: `data:${mimeType};base64,${Buffer.from('anything').toString('base64')}`,
    uploadPath: 'test',
  });
  return z.object({ data: z.object({ downloadUrl: z.url() }) }).parse(answer).data.downloadUrl;
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await request(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${kie.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.body.json();
}
