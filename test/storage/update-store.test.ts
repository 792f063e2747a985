// The promise that nothing stored is forgotten: with each new update goes a job that will find it. And no lane gets more
// than its share of the inbox.
import pg from 'pg';
import { expect, test } from 'vitest';
import { startPostgresProxy } from '../../sandbox/tcp-proxy.ts';
import { defaultLocale } from '../../src/locales.ts';
import { Secret } from '../../src/secret.ts';
import { createDatabase } from '../../src/storage/database.ts';
import { createFollowUpStore } from '../../src/storage/follow-up-store.ts';
import type { NewUpdate } from '../../src/storage/update-insert.ts';
import { createUpdateStore } from '../../src/storage/update-store.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

const lane = 4242;

function newUpdate(updateId: number): NewUpdate {
  return {
    updateId,
    lane,
    messageId: undefined,
    eventType: 'message',
    body: JSON.stringify({ update_id: updateId }),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    refusal: undefined,
    isLimited: true,
  };
}

test('an update stored at the moment in which a worker takes the job of its lane has a job all the same', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  const worker = new pg.Client({ connectionString: testDatabase.url });
  try {
    const store = createUpdateStore({
      database,
      botId: 1,
      instanceId: 'test',
      laneMax: 3,
      lease: await takeLease(database),
    });
    await store.insert(newUpdate(1));
    await worker.connect();
    await worker.query('begin');
    await worker.query(`update graphile_worker._private_jobs set locked_by = 'worker', locked_at = now()`);

    let isStored = false;
    const stored = store.insert(newUpdate(2)).then(() => {
      isStored = true;
    });
    await waitFor('the second update to be stored or to wait for the worker', async () => {
      const waiting = await testDatabase.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return isStored || waiting.length > 0 || undefined;
    });
    // The worker may have looked for updates before the second one was there.
    await worker.query('commit');
    await stored;

    const jobs = await testDatabase.query<{ payload: unknown }>(
      'select payload from graphile_worker._private_jobs where locked_at is null',
    );
    expect(jobs.map(({ payload }) => payload)).toEqual([{ lane }]);
  } finally {
    await worker.end();
    await database.stop();
    await testDatabase.drop();
  }
});

test('an outcome whose commit was not answered counts as committed when it is asked for again, whether or not it had been made', async () => {
  const testDatabase = await createTestDatabase();
  await using proxy = await startPostgresProxy(testDatabase.url);
  const direct = testDatabase.connect(1);
  const database = createDatabase({
    url: new Secret(proxy.url),
    instanceId: 'test',
    poolSize: 2,
    deadlineMs: 5_000,
    telemetry: { warn: () => undefined },
  });
  try {
    const store = createUpdateStore({
      database,
      botId: 1,
      instanceId: 'test',
      laneMax: 3,
      lease: await takeLease(direct),
    });
    for (const answersOnly of [true, false]) {
      const updateId = answersOnly ? 1 : 2;
      await store.insert(newUpdate(updateId));
      const picked = await store.pick(lane);
      expect(picked?.updateId).toBe(updateId);
      proxy.setPassage({ kind: 'mute', answersOnly }, { to: 'open' });
      const ending = {
        id: picked?.id ?? 0,
        attempt: 1,
        outcome: 'accepted',
        reason: 'SUCCESS',
        effects: undefined,
        traceparent: newUpdate(updateId).traceparent,
      } as const;
      await expect(store.finish(ending)).rejects.toMatchObject({ code: 'DATABASE_TIMEOUT' });
      expect(await store.finish(ending)).toMatchObject({ committed: true });
    }
    const rows = await testDatabase.query('select outcome, attempts from updates');
    expect(rows).toEqual([1, 2].map(() => ({ outcome: 'accepted', attempts: 1 })));
  } finally {
    await database.stop();
    await direct.stop();
    await testDatabase.drop();
  }
});

test('a lane gets its share, whatever comes at once; what is above has its outcome, and no job', async () => {
  await using scene = await createScene();
  const { store } = scene;
  const stored = await Promise.all([1, 2, 3, 4, 5].map(id => store.insert(newUpdate(id))));
  expect(stored.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined, ...over(2)]);
  expect(await scene.outcomes()).toEqual(['1 null', '2 null', '3 null', '4 RATE_LIMIT', '5 RATE_LIMIT']);
  expect(await scene.jobs()).toBe(1);
  await store.insert(newUpdate(6));
  expect(await scene.jobs()).toBe(1);
});

test('a lane has room again once its updates have ended, and others had it all the time', async () => {
  await using scene = await createScene();
  const { store } = scene;
  for (const id of [1, 2, 3, 4]) await store.insert(newUpdate(id));
  expect((await store.insert({ ...newUpdate(5), lane: lane + 1 })).refusal).toBeUndefined();
  const picked = await store.pick(lane);
  await store.finish({
    id: picked?.id ?? 0,
    attempt: 1,
    outcome: 'noop',
    reason: 'NOOP',
    effects: undefined,
    traceparent: newUpdate(1).traceparent,
  });
  expect((await store.insert(newUpdate(6))).refusal).toBeUndefined();
  expect((await store.insert(newUpdate(7))).refusal).toBe('RATE_LIMIT');
});

test('what is not limited is taken above the share, and counts', async () => {
  await using scene = await createScene();
  const { store } = scene;
  const payments = [1, 2, 3, 4].map(id => store.insert({ ...newUpdate(id), isLimited: false }));
  expect((await Promise.all(payments)).map(({ refusal }) => refusal)).toEqual(Array(4).fill(undefined));
  expect((await store.insert(newUpdate(5))).refusal).toBe('RATE_LIMIT');
});

test('what was refused is known when it comes again, also when there is room by then', async () => {
  await using scene = await createScene();
  const { store } = scene;
  for (const id of [1, 2, 3, 4]) await store.insert(newUpdate(id));
  await scene.testDatabase.query(
    `update updates set outcome = 'noop', finished_at = now() where outcome is null`,
  );
  expect(await store.insert(newUpdate(4))).toEqual({ isNew: false, refusal: undefined });
});

test('what is refused for another reason is stored with that one', async () => {
  await using scene = await createScene();
  expect(await scene.store.insert({ ...newUpdate(1), refusal: 'PASSIVE_REJECT' })).toEqual({
    isNew: true,
    refusal: 'PASSIVE_REJECT',
  });
  expect(await scene.outcomes()).toEqual(['1 PASSIVE_REJECT']);
  expect(await scene.jobs()).toBe(0);
});

test('among many updates the statements of a tap keep their plans: planning takes longer than what is planned', async () => {
  const testDatabase = await createTestDatabase();
  // One connection: the plans are its own.
  const database = testDatabase.connect(1);
  try {
    const lease = await takeLease(database);
    const store = createUpdateStore({ database, botId: 1, instanceId: 'test', laneMax: 3, lease });
    const followUps = createFollowUpStore({ database, instanceId: 'test', lease });
    await testDatabase.query(
      `insert into updates (bot_id, update_id, lane, event_type, body, traceparent, outcome, reason_code, finished_at)
       select 1, 1000 + i, i, 'message', '{}', '', 'accepted', 'SUCCESS', now() from generate_series(1, 5000) as i`,
    );
    await testDatabase.query(
      `insert into updates (bot_id, update_id, lane, event_type, body, traceparent)
       select 1, 10000 + i, 10000 + i, 'message', '{}', '' from generate_series(1, 500) as i`,
    );
    await testDatabase.query('analyze');
    for (let id = 1; id <= 40; id += 1) {
      await store.insert(newUpdate(id));
      const picked = await store.pick(lane);
      if (!picked) throw new Error('There was nothing to pick');
      const { committed } = await store.finish({
        id: picked.id,
        attempt: 1,
        outcome: 'accepted',
        reason: 'SUCCESS',
        effects: undefined,
        traceparent: '',
      });
      expect(committed).toBe(true);
      await followUps.pick(lane);
    }
    const { rows } = await database.query<{ name: string }>(
      'select name from pg_prepared_statements where generic_plans > 0 order by name',
    );
    expect(rows.map(({ name }) => name)).toEqual([
      'follow_ups_pick',
      'updates_finish',
      'updates_insert',
      'updates_pick',
    ]);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});

test('the language of a newer release is stored, and read as the default here', async () => {
  await using scene = await createScene();
  const { store, testDatabase } = scene;
  await testDatabase.query(`insert into users (chat_id, language) values ($1, 'eo')`, [lane]);
  await store.insert(newUpdate(1));
  expect((await store.pick(lane))?.user?.language).toBe(defaultLocale);
  expect(await testDatabase.query('select language from users')).toEqual([{ language: 'eo' }]);
});

test.each(['', 'EN', 'en-GB', 'english'])('%j is stored as no language', async language => {
  await using scene = await createScene();
  await expect(
    scene.testDatabase.query('insert into users (chat_id, language) values ($1, $2)', [lane, language]),
  ).rejects.toThrow('users_language_check');
});

function over(count: number): 'RATE_LIMIT'[] {
  return Array(count).fill('RATE_LIMIT');
}

/** A store in which a lane may have three updates. */
async function createScene() {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  return {
    testDatabase,
    store: createUpdateStore({
      database,
      botId: 1,
      instanceId: 'test',
      laneMax: 3,
      lease: await takeLease(database),
    }),
    async outcomes(): Promise<string[]> {
      const rows = await testDatabase.query<{ update_id: string; reason_code: string | null }>(
        'select update_id, reason_code from updates order by update_id',
      );
      return rows.map(({ update_id: id, reason_code: reason }) => `${id} ${reason}`);
    },
    async jobs(): Promise<number> {
      return (await testDatabase.query('select 1 from graphile_worker._private_jobs')).length;
    },
    async [Symbol.asyncDispose]() {
      await database.stop();
      await testDatabase.drop();
    },
  };
}
