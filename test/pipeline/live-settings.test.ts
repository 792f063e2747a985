// What a running bot learns of the settings that others change. Time is moved by hand, the database is a real one.
import { expect, onTestFinished, test, vi } from 'vitest';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Model } from '../../src/catalogue/schema.ts';
import { createLiveSettings } from '../../src/pipeline/live-settings.ts';
import { createModelSettings } from '../../src/storage/model-settings.ts';
import { createTestDatabase } from '../support/database.ts';
import { trt } from '../support/trt.ts';

const refreshMs = 30_000;

/** The settings of a running bot, beside an operator's command line. */
async function startSettings() {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  const catalogue = createCatalogue();
  const complaints: unknown[] = [];
  const events: string[] = [];
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const settings = createLiveSettings({
    catalogue,
    store: createModelSettings(database),
    telemetry: {
      emit: name => void events.push(name),
      warn: (_operation, error) => void complaints.push(error),
    },
    instanceId: 'test',
  });
  onTestFinished(async () => {
    settings.stop();
    vi.useRealTimers();
    await database.stop();
    await testDatabase.drop();
  });
  await settings.start();
  const command = async (...words: string[]): Promise<void> => {
    expect(await trt({ DATABASE_URL: testDatabase.url, USER: 'anna' }, 'catalogue', ...words)).toMatchObject({
      code: 0,
    });
  };
  return { catalogue, settings, command, complaints, events, query: testDatabase.query };
}

function withoutPrice({ models }: { readonly models: readonly Model[] }): Model {
  const found = models.find(({ enabled, price, api }) => enabled && price === undefined && api === 'market');
  return found ?? expect.fail('every model has a price');
}

test('a price that an operator sets, and takes back, reaches a running bot within half a minute', async () => {
  const { catalogue, command } = await startSettings();
  const model = withoutPrice(catalogue);
  expect(catalogue.availability(model)).toEqual({ ok: false, why: 'price_unknown' });

  await command('price', model.id, '12.5');
  expect(catalogue.availability(model)).toEqual({ ok: false, why: 'price_unknown' });
  vi.advanceTimersByTime(refreshMs);
  await vi.waitFor(() => expect(catalogue.availability(model)).toEqual({ ok: true }));
  expect(catalogue.startingCredits(model)).toBe(12.5);

  await command('price', model.id, 'none');
  vi.advanceTimersByTime(refreshMs);
  await vi.waitFor(() => expect(catalogue.availability(model)).toEqual({ ok: false, why: 'price_unknown' }));
});

test('a model that this instance switches off is off at once, and for the others', async () => {
  const { catalogue, settings, query, events } = await startSettings();
  const [model] = catalogue.inCategory('image');
  if (!model) return expect.fail('nothing is offered');
  await settings.switchOff(model.id, 'the supplier has switched it off');
  expect(catalogue.availability(model)).toEqual({ ok: false, why: 'disabled' });
  expect(events).toEqual(['MODEL_SWITCHED_OFF']);
  expect(await query('select model_id, disabled_reason, updated_by from model_settings')).toEqual([
    { model_id: model.id, disabled_reason: 'the supplier has switched it off', updated_by: 'test' },
  ]);
});

test('settings that cannot be read leave those that were read last, with a complaint', async () => {
  const { catalogue, command, query, complaints } = await startSettings();
  const model = withoutPrice(catalogue);
  await command('price', model.id, '3');
  vi.advanceTimersByTime(refreshMs);
  await vi.waitFor(() => expect(catalogue.availability(model)).toEqual({ ok: true }));
  await query('alter table model_settings rename to away');
  vi.advanceTimersByTime(refreshMs);
  await vi.waitFor(() => expect(complaints).toHaveLength(1));
  expect(catalogue.availability(model)).toEqual({ ok: true });
});
