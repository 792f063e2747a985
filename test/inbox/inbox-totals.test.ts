// What is counted of the updates that pass through the stores and the limit of the inbox, and what is not.
import { expect, test } from 'vitest';
import { createInboxDepth } from '../../src/inbox/inbox-depth.ts';
import { createInboxTotals } from '../../src/inbox/inbox-totals.ts';
import type { Database } from '../../src/storage/database.ts';
import type { NewUpdate } from '../../src/storage/update-insert.ts';
import { createUpdateStore, type UpdateStore } from '../../src/storage/update-store.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

const botId = 1;
const noneFinished = { accepted: 0, rejected: 0, noop: 0, failed: 0, dead_letter: 0 };
const telemetry = { warn: () => undefined };

test('nothing is counted before anything has happened', () => {
  expect(createInboxTotals().read()).toEqual({ received: 0, finished: noneFinished, refusedQueueFull: 0 });
});

test('an update is received once, however often it is sent', async () => {
  await using scene = await createScene();
  const { store, read } = scene;
  expect(await store.insert(newUpdate(1))).toEqual({ isNew: true, refusal: undefined });
  expect(await store.insert(newUpdate(1))).toEqual({ isNew: false, refusal: undefined });
  expect(read()).toEqual({ received: 1, finished: noneFinished, refusedQueueFull: 0 });
});

test('an update is finished by its outcome once it is committed, and only once', async () => {
  await using scene = await createScene();
  const { store, read } = scene;
  for (const outcome of ['failed', 'dead_letter', 'noop'] as const) {
    await store.insert(newUpdate(read().received + 1));
    const id = await pickedId(store);
    expect((await store.finish(endingOf(id, outcome))).committed).toBe(true);
    expect((await store.finish(endingOf(id, 'accepted'))).committed).toBe(false);
  }
  expect(read().finished).toEqual({ ...noneFinished, failed: 1, dead_letter: 1, noop: 1 });
});

test('what may not be committed any more is not finished', async () => {
  await using scene = await createScene();
  const { store, read, database } = scene;
  await store.insert(newUpdate(1));
  const id = await pickedId(store);
  await takeLease(database);
  expect((await store.finish(endingOf(id, 'accepted'))).committed).toBe(false);
  expect(read().finished).toEqual(noneFinished);
});

test('an update that is refused when it arrives is received, and has ended', async () => {
  await using scene = await createScene();
  const { store, read } = scene;
  await store.insert({ ...newUpdate(1), refusal: 'PASSIVE_REJECT' });
  await store.insert({ ...newUpdate(1), refusal: 'PASSIVE_REJECT' });
  expect(read()).toEqual({ received: 1, finished: { ...noneFinished, rejected: 1 }, refusedQueueFull: 0 });
});

test('each time an update finds the inbox full is counted', async () => {
  const totals = createInboxTotals();
  const depth = totals.countAdmissions(
    createInboxDepth({ count: async () => 1, max: 2, telemetry, now: () => 0 }),
  );
  const { promise: stored, resolve: store } = Promise.withResolvers<boolean>();
  const first = depth.admit(() => stored);
  expect(await depth.admit(async () => true)).toBe(false);
  expect(await depth.admit(async () => true)).toBe(false);
  store(true);
  expect(await first).toBe(true);
  expect(totals.read().refusedQueueFull).toBe(2);
});

async function createScene() {
  const testDatabase = await createTestDatabase();
  const database: Database = testDatabase.connect(2);
  const totals = createInboxTotals();
  const lease = await takeLease(database);
  return {
    database,
    totals,
    store: totals.countUpdates(
      createUpdateStore({ database, botId, instanceId: 'test', laneMax: 50, lease }),
    ),
    read: () => totals.read(),
    async [Symbol.asyncDispose]() {
      await database.stop();
      await testDatabase.drop();
    },
  };
}

/** All of one lane: they are picked in their order. */
function newUpdate(updateId: number): NewUpdate {
  return {
    updateId,
    lane: 77,
    messageId: undefined,
    eventType: 'message',
    body: '{}',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    refusal: undefined,
    isLimited: true,
  };
}

async function pickedId(store: UpdateStore): Promise<number> {
  const picked = await store.pick(77);
  if (!picked) throw new Error('There was nothing to pick');
  return picked.id;
}

function endingOf(id: number, outcome: 'accepted' | 'noop' | 'failed' | 'dead_letter') {
  return { id, attempt: 1, outcome, reason: 'NOOP', effects: undefined, traceparent: '' } as const;
}
