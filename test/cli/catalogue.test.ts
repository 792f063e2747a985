// `trt catalogue` as an operator runs it beside a real Postgres: what is offered, for how much, and why not.
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { trt } from '../support/trt.ts';

async function startDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

const environment = ({ url }: TestDatabase) => ({ DATABASE_URL: url, USER: 'anna' });

/** The row of a model in `trt catalogue list`. */
async function rowOf(
  database: TestDatabase,
  id: string,
  more: Record<string, string> = {},
): Promise<unknown> {
  const { output } = await trt({ ...environment(database), ...more }, 'catalogue', 'list', '--json');
  const rows = output
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  return rows.find(row => JSON.stringify(row).includes(`"id":"${id}"`));
}

test('the list shows each model once, what it costs and whether it is offered', async () => {
  const database = await startDatabase();
  const { code, output, complaint } = await trt(environment(database), 'catalogue', 'list');
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
  const [head = '', ...rows] = output.trimEnd().split('\n');
  expect(head.split(/ +/)).toEqual(['id', 'key', 'category', 'credits', 'availability']);
  expect(rows.length).toBeGreaterThanOrEqual(120);
  expect(rows.map(row => row.split(/ +/))).toContainEqual(['z-image', 'zimage', 'image', '0.8', 'offered']);
});

test('music is offered where the bot has a public address', async () => {
  const database = await startDatabase();
  expect(await rowOf(database, 'suno/V5')).toMatchObject({ availability: 'needs_public_address' });
  const address = { WEBHOOK_BASE_URL: 'https://bot.example' };
  expect(await rowOf(database, 'suno/V5', address)).toMatchObject({ availability: 'offered' });
});

test('a price that an operator sets puts a model without one on the menus, and none takes it off', async () => {
  const database = await startDatabase();
  const id = 'qwen3/text-to-image';
  expect(await rowOf(database, id)).toMatchObject({ credits: '', availability: 'price_unknown' });

  const set = await trt(environment(database), 'catalogue', 'price', id, '12.5');
  expect(set).toEqual({ code: 0, output: `${id}: 12.5 credits an order\n`, complaint: '' });
  expect(await rowOf(database, id)).toMatchObject({ credits: '=12.5', availability: 'offered' });
  expect(await database.query('select model_id, updated_by from model_settings')).toEqual([
    { model_id: id, updated_by: 'trt anna' },
  ]);

  expect(await trt(environment(database), 'catalogue', 'price', id, 'none')).toMatchObject({ code: 0 });
  expect(await rowOf(database, id)).toMatchObject({ credits: '', availability: 'price_unknown' });
});

test('a model is disabled by its key, and enabled again', async () => {
  const database = await startDatabase();
  const disabled = await trt(environment(database), 'catalogue', 'disable', 'zimage', 'too', 'slow');
  expect(disabled).toEqual({ code: 0, output: 'z-image: disabled (too slow)\n', complaint: '' });
  expect(await rowOf(database, 'z-image')).toMatchObject({ availability: 'disabled' });
  const enabled = await trt(environment(database), 'catalogue', 'enable', 'zimage');
  expect(enabled).toEqual({ code: 0, output: 'z-image: enabled\n', complaint: '' });
  expect(await rowOf(database, 'z-image')).toMatchObject({ availability: 'offered' });
});

test('enabling says why a model is still not offered, and refuses what the catalogue has switched off', async () => {
  const database = await startDatabase();
  const unpriced = await trt(environment(database), 'catalogue', 'enable', 'qwen3/text-to-image');
  expect(unpriced).toMatchObject({ code: 0, output: expect.stringContaining('price_unknown') });
  const retired = await trt(environment(database), 'catalogue', 'enable', 'elevenlabs/sound-effect-v2');
  expect(retired).toMatchObject({ code: 1, output: '', complaint: expect.stringContaining('entry') });
  expect(await database.query('select model_id from model_settings')).toEqual([
    { model_id: 'qwen3/text-to-image' },
  ]);
});

test.each([
  [[]],
  [['sell']],
  [['price', 'z-image']],
  [['price', 'z-image', '-1']],
  [['price', 'z-image', '1.2345']],
  [['price', 'z-image', 'free']],
  [['price', 'nosuch', '1']],
  [['disable']],
  [['enable', 'z-image', 'now']],
  [['diff']],
  [['diff', '/nosuch/folder']],
])('%j makes no sense, so the usage is shown and nothing is asked of a database', async words => {
  const { code, output, complaint } = await trt({}, 'catalogue', ...words);
  expect({ code, output }).toEqual({ code: 2, output: '' });
  expect(complaint).toContain('trt catalogue price <id> <credits|none>');
});
