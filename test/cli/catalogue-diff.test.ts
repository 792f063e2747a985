// `trt catalogue diff`: published pages of the supplier, in every form they have, against the catalogue.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Drift } from '../../src/cli/catalogue-drift.ts';
import { trt } from '../support/trt.ts';

const folder = fileURLToPath(new URL('fixtures/kie-pages', import.meta.url));

/** Serves texts by their path until the test ends; answers 404 to the rest. Resolves to the origin. */
async function serve(texts: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => {
    const text = texts[request.url ?? ''];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>(resolve => server.close(() => resolve())));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

async function driftsOf(from: string): Promise<{ code: number; drifts: Drift[]; complaint: string }> {
  const { code, output, complaint } = await trt({}, 'catalogue', 'diff', from, '--json');
  // SAFETY: the command prints one Drift a line.
  const drifts = output
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Drift);
  return { code, drifts, complaint };
}

/** A page that says exactly what the catalogue says of z-image, changed. */
function zImagePage(change: (input: Record<string, unknown>) => void = () => undefined): string {
  const input = {
    type: 'object',
    required: ['prompt', 'aspect_ratio'],
    properties: {
      prompt: { type: 'string', maxLength: 1000 },
      aspect_ratio: { type: 'string', enum: ['1:1', '4:3', '3:4', '16:9', '9:16'], default: '1:1' },
    },
  };
  change(input.properties);
  const schema = { properties: { model: { enum: ['z-image'] }, input } };
  const post = { requestBody: { content: { 'application/json': { schema } } } };
  return JSON.stringify({ openapi: '3.0.1', paths: { '/api/v1/jobs/createTask': { post } } });
}

test('a folder of pages: everything that drifted is listed by model and parameter', async () => {
  const { code, drifts, complaint } = await driftsOf(folder);
  expect({ code, complaint }).toEqual({ code: 1, complaint: '' });
  expect(drifts.filter(({ model }) => model === 'z-image')).toEqual([
    { model: 'z-image', parameter: 'prompt', drift: 'limit', detail: 'maxLength 1000, page: 800' },
    { model: 'z-image', parameter: 'aspect_ratio', drift: 'values', detail: 'new: "21:9"' },
    { model: 'z-image', parameter: 'aspect_ratio', drift: 'values', detail: 'gone: "9:16"' },
    { model: 'z-image', parameter: 'aspect_ratio', drift: 'default', detail: '"1:1", page: "16:9"' },
    { model: 'z-image', parameter: 'palette', drift: 'new parameter', detail: 'required, array' },
  ]);
  expect(drifts.filter(({ model }) => model === 'suno/V5')).toEqual([
    { model: 'suno/V5', parameter: 'audioWeight', drift: 'parameter gone', detail: 'music.json' },
  ]);
  expect(drifts).toContainEqual({ model: 'V9', drift: 'new model', detail: 'music.json' });
});

test('an example names the model where the schema of its page names another one', async () => {
  const { drifts } = await driftsOf(folder);
  expect(drifts.filter(({ model }) => model === 'recraft/crisp-upscale')).toEqual([
    { model: 'recraft/crisp-upscale', parameter: 'image', drift: 'type', detail: 'string, page: array' },
  ]);
  expect(drifts).toContainEqual(
    expect.objectContaining({ model: 'recraft/remove-background', drift: 'retired' }),
  );
});

test('every enabled model without a page in the folder is retired', async () => {
  const { drifts } = await driftsOf(folder);
  const described = new Set(['z-image', 'recraft/crisp-upscale', 'suno/V5']);
  const missing = createCatalogue().models.filter(({ id, enabled }) => enabled && !described.has(id));
  expect(drifts.filter(({ drift }) => drift === 'retired').map(({ model }) => model)).toEqual(
    missing.map(({ id }) => id),
  );
});

test('for people the same is a table', async () => {
  const { code, output } = await trt({}, 'catalogue', 'diff', folder);
  expect(code).toBe(1);
  const [head = '', ...rows] = output.trimEnd().split('\n');
  expect(head.split(/ +/)).toEqual(['model', 'parameter', 'drift', 'detail']);
  expect(rows).toContainEqual(expect.stringMatching(/^z-image +prompt +limit +maxLength 1000, page: 800$/));
});

test('one page that says what the catalogue says is no drift, and tells nothing of other models', async () => {
  const origin = await serve({ '/z-image.json': zImagePage() });
  const answer = await trt({}, 'catalogue', 'diff', `${origin}/z-image.json`);
  expect(answer).toMatchObject({ code: 0, output: expect.stringContaining('No drift'), complaint: '' });
});

test.each<[string, (properties: Record<string, unknown>) => void, Partial<Drift>]>([
  [
    'gone parameter',
    input => delete input.aspect_ratio,
    { parameter: 'aspect_ratio', drift: 'parameter gone' },
  ],
  ['new type', input => Object.assign(input, { prompt: { type: 'array' } }), { drift: 'type' }],
  [
    'new limit',
    input => Object.assign(input, { prompt: { type: 'string', minLength: 9 } }),
    { drift: 'limit' },
  ],
  [
    'new parameter',
    input => Object.assign(input, { mood: { type: 'string', enum: ['sad'] } }),
    { parameter: 'mood', drift: 'new parameter', detail: 'optional, string, "sad"' },
  ],
])('a page with a %s drifts in that alone', async (_, change, drift) => {
  const origin = await serve({ '/z-image.json': zImagePage(change) });
  const { code, drifts } = await driftsOf(`${origin}/z-image.json`);
  expect(code).toBe(1);
  expect(drifts).toEqual([expect.objectContaining({ model: 'z-image', ...drift })]);
});

test('what is left out on purpose and what a page leaves unsaid is no drift', async () => {
  const change = (input: Record<string, unknown>): void => {
    Object.assign(input, { prompt: {}, aspect_ratio: {}, nsfw_checker: { $ref: '#/components/nowhere' } });
  };
  const origin = await serve({ '/z-image.json': zImagePage(change) });
  expect(await driftsOf(`${origin}/z-image.json`)).toEqual({ code: 0, drifts: [], complaint: '' });
});

test('an index leads to all pages of its own site in its own language', async () => {
  const page = await readFile(`${folder}/z-image.md`, 'utf8');
  const links = [
    '/market/z-image.md',
    'about.md',
    '/cn/market/z-image.md',
    'https://elsewhere.invalid/page.md',
  ];
  const origin = await serve({
    '/llms.txt': links.map(link => `- [a page](${link}): text`).join('\n'),
    '/market/z-image.md': page,
    '/about.md': 'Nothing to order here.',
  });
  const { code, drifts, complaint } = await driftsOf(`${origin}/llms.txt`);
  expect({ code, complaint }).toEqual({ code: 1, complaint: '' });
  expect(drifts).toContainEqual(expect.objectContaining({ model: 'z-image', parameter: 'palette' }));
  expect(drifts).toContainEqual(expect.objectContaining({ model: 'suno/V5', drift: 'retired' }));
});

test('a page that cannot be had fails the whole, because its models would seem to be gone', async () => {
  const origin = await serve({ '/llms.txt': '[a page](/market/z-image.md)' });
  const answer = await trt({}, 'catalogue', 'diff', `${origin}/llms.txt`);
  expect(answer).toMatchObject({ code: 1, output: '' });
  expect(answer.complaint).toBe(`${origin}/market/z-image.md could not be read (status 404).\n`);
});

test('a page that makes no sense is named, and then nothing is called retired', async () => {
  const origin = await serve({
    '/llms.txt': '[one](/a.json) [other](/b.yaml)',
    '/a.json': zImagePage(),
    '/b.yaml': 'openapi: 3.0.1\npaths: [',
  });
  const { code, drifts, complaint } = await driftsOf(`${origin}/llms.txt`);
  expect({ code, drifts }).toEqual({ code: 1, drifts: [] });
  expect(complaint).toContain(`${origin}/b.yaml could not be read`);
});

test('pages without any model are an error, not a retired catalogue', async () => {
  const origin = await serve({ '/page.yaml': 'openapi: 3.0.1\npaths: {}' });
  const answer = await trt({}, 'catalogue', 'diff', `${origin}/page.yaml`);
  expect(answer).toMatchObject({ code: 1, output: '', complaint: expect.stringContaining('No page') });
});
