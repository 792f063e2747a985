// What administrators say of models, in a real Postgres: prices as numbers, switches, and who changed what last.
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createModelSettings, type ModelSettings } from '../../src/storage/model-settings.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

async function startSettings(): Promise<{ settings: ModelSettings; database: TestDatabase }> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(() => client.end());
  const settings = createModelSettings({
    query: (text, values) => client.query(text, values === undefined ? undefined : [...values]),
  });
  return { settings, database };
}

test('a price comes back as the number it was, and none as null', async () => {
  const { settings } = await startSettings();
  expect(await settings.all()).toEqual([]);
  await settings.setPrice('maker/b', 9_999_999.999, 'anna');
  await settings.setPrice('maker/a', 0.1, 'anna');
  await settings.setPrice('maker/a', 0, 'anna');
  await settings.setPrice('maker/c', 3.5, 'anna');
  await settings.setPrice('maker/c', null, 'anna');
  expect(await settings.all()).toEqual([
    { modelId: 'maker/a', credits: 0, disabledReason: null },
    { modelId: 'maker/b', credits: 9_999_999.999, disabledReason: null },
    { modelId: 'maker/c', credits: null, disabledReason: null },
  ]);
});

test('price and switch of a model do not touch each other', async () => {
  const { settings } = await startSettings();
  await settings.setPrice('maker/a', 12, 'anna');
  await settings.disable('maker/a', 'too slow', 'boris');
  await settings.setPrice('maker/a', 13, 'anna');
  expect(await settings.all()).toEqual([{ modelId: 'maker/a', credits: 13, disabledReason: 'too slow' }]);
  await settings.enable('maker/a', 'boris');
  expect(await settings.all()).toEqual([{ modelId: 'maker/a', credits: 13, disabledReason: null }]);
});

test('who changed a model last, and when, is kept', async () => {
  const { settings, database } = await startSettings();
  const last = async () =>
    (await database.query<{ updated_by: string; updated_at: Date }>('select * from model_settings'))[0];
  await settings.disable('maker/a', 'too slow', 'anna');
  const first = await last();
  expect(first?.updated_by).toBe('anna');
  await settings.setPrice('maker/a', 1, 'boris');
  const second = await last();
  expect(second?.updated_by).toBe('boris');
  expect(second?.updated_at.getTime()).toBeGreaterThanOrEqual(first?.updated_at.getTime() ?? Infinity);
});

test('a negative price and an empty reason are refused', async () => {
  const { settings } = await startSettings();
  await expect(settings.setPrice('maker/a', -1, 'anna')).rejects.toThrow(/check/);
  await expect(settings.disable('maker/a', '', 'anna')).rejects.toThrow(/check/);
  expect(await settings.all()).toEqual([]);
});
