// Due times as instances share them: each is taken once, is due again if nobody says that it is done, and is nobody's
// without the lease.
import { expect, test } from 'vitest';
import { createHousekeepingStore } from '../../src/storage/housekeeping-store.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

test('what is due is taken once, however many look at the same time', async () => {
  await using scene = await createScene();
  const { store } = scene;
  await store.plan({ sweep: hourMs, audit: hourMs });
  expect(await store.take(['sweep', 'audit'], minuteMs)).toEqual([]);
  await scene.pass(hourMs);
  const looks = await Promise.all(Array.from({ length: 8 }, () => store.take(['sweep', 'audit'], minuteMs)));
  expect(looks.flat().toSorted()).toEqual(['audit', 'sweep']);
});

test('what was taken and never done is due again soon, what was done after its interval', async () => {
  await using scene = await createScene();
  const { store } = scene;
  await store.plan({ sweep: hourMs, audit: hourMs });
  await scene.pass(hourMs);
  await store.take(['sweep', 'audit'], minuteMs);
  await store.done('audit', hourMs);
  await scene.pass(minuteMs);
  expect(await store.take(['sweep', 'audit'], minuteMs)).toEqual(['sweep']);
  await scene.pass(hourMs);
  expect(await store.take(['audit'], minuteMs)).toEqual(['audit']);
});

test('a plan never puts off what was planned before, and brings a shorter interval forward', async () => {
  await using scene = await createScene();
  const { store } = scene;
  await store.plan({ sweep: hourMs });
  await scene.pass(hourMs / 2);
  await store.plan({ sweep: hourMs });
  await scene.pass(hourMs / 2);
  expect(await store.take(['sweep'], minuteMs)).toEqual(['sweep']);
  await store.done('sweep', hourMs);
  await store.plan({ sweep: minuteMs });
  await scene.pass(minuteMs);
  expect(await store.take(['sweep'], minuteMs)).toEqual(['sweep']);
});

test('who has lost the lease takes nothing', async () => {
  await using scene = await createScene();
  await scene.store.plan({ sweep: hourMs });
  await scene.pass(hourMs);
  await takeLease(scene.database);
  expect(await scene.store.take(['sweep'], minuteMs)).toEqual([]);
});

async function createScene() {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(8);
  const lease = await takeLease(database);
  return {
    database,
    store: createHousekeepingStore(database, lease),
    async pass(milliseconds: number) {
      await database.query(`update housekeeping set due_at = due_at - $1 * interval '1 millisecond'`, [
        milliseconds,
      ]);
    },
    async [Symbol.asyncDispose]() {
      await database.stop();
      await testDatabase.drop();
    },
  };
}
