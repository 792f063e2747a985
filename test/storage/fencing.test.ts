// Who has been succeeded commits nothing any more, however alive its process and its connections are.
import pg from 'pg';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { leaseOfCaller, underLease } from '../../src/lock/lease.ts';
import type { Database } from '../../src/storage/database.ts';
import { createDeliveryStore, type DeliveryStore } from '../../src/storage/delivery-store.ts';
import { takeOverWork } from '../../src/storage/job-queue.ts';
import { createTaskStore, type NewTask, type TaskStore } from '../../src/storage/task-store.ts';
import { createUpdateStore, type UpdateStore } from '../../src/storage/update-store.ts';
import { waitFor } from '../support/bot.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

interface Stores {
  readonly updates: UpdateStore;
  readonly tasks: TaskStore;
  readonly deliveries: DeliveryStore;
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const chatId = 7;
const task = {
  id: 'task',
  chatId,
  draft: 'draft',
  revision: 1,
  modelId: 'z-image',
  modelKey: 'zimage',
  modelVersion: '1',
  values: {},
  quote: { kopecks: 0, credits: 0 },
  callbackToken: 'token',
  traceparent,
  messageId: undefined,
};

const databases: TestDatabase[] = [];
let testDatabase: TestDatabase;
let database: Database;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  databases.push(testDatabase);
  database = testDatabase.connect(4);
  const used = database;
  onTestFinished(() => used.stop());
  await database.query(`insert into users (chat_id, language) values ($1, 'en')`, [chatId]);
});

afterAll(() => Promise.all(databases.map(used => used.drop())));

/** As an instance has them that takes the lease now. */
async function succeed(instanceId: string): Promise<Stores> {
  const lease = await takeLease(database);
  return {
    updates: createUpdateStore({ database, botId: 1, instanceId, laneMax: 50, lease }),
    tasks: createTaskStore(database, lease),
    deliveries: createDeliveryStore({ database, lease, instanceId }),
  };
}

async function receive({ updates }: Pick<Stores, 'updates'>, updateId = 1, lane = chatId): Promise<void> {
  await updates.insert({
    updateId,
    lane,
    messageId: undefined,
    eventType: 'message',
    body: '{"update_id":1}',
    traceparent,
    refusal: undefined,
    isLimited: true,
  });
}

test('who was succeeded while it was taking over frees nothing that its successor has picked', async () => {
  const lease = await takeLease(database);
  const successor = await succeed('successor');
  await receive(successor);
  expect(await successor.updates.pick(chatId)).toMatchObject({ attempt: 1 });
  await expect(takeOverWork(database, 'former', lease())).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await testDatabase.query('select picked_by from updates')).toEqual([{ picked_by: 'successor' }]);
});

test('an update that was picked before is ended by its successor only', async () => {
  const former = await succeed('former');
  await receive(former);
  const picked = await former.updates.pick(chatId);
  const id = picked?.id ?? 0;
  const ending = {
    id,
    attempt: 1,
    outcome: 'accepted',
    reason: 'SUCCESS',
    effects: { chatId },
    traceparent,
  } as const;

  const successor = await succeed('former');
  expect(await former.updates.finish(ending)).toMatchObject({ committed: false });
  expect(await testDatabase.query('select outcome, epoch from updates')).toEqual([
    { outcome: null, epoch: null },
  ]);
  expect(await successor.updates.pick(chatId)).toMatchObject({ attempt: 2 });
  expect(await successor.updates.finish(ending)).toMatchObject({ committed: false });
  expect(await successor.updates.finish({ ...ending, attempt: 2 })).toEqual({ committed: true, more: false });
  expect(await testDatabase.query('select outcome, epoch::int from updates')).toEqual([
    { outcome: 'accepted', epoch: 2 },
  ]);
});

test('what an instance began under a lease that it lost is not committed under its next one', async () => {
  const first = await takeLease(database);
  let latest = first;
  const store = createUpdateStore({
    database,
    botId: 1,
    instanceId: 'instance',
    laneMax: 100,
    lease: leaseOfCaller(() => latest()),
  });
  const ending = { outcome: 'accepted', reason: 'SUCCESS', effects: undefined, traceparent } as const;
  for (const updateId of [1, 2]) await receive({ updates: store }, updateId, updateId);
  const begun = Promise.withResolvers<void>();
  const rejoined = Promise.withResolvers<void>();
  const old = underLease(first(), async () => {
    const picked = await store.pick(1);
    begun.resolve();
    await rejoined.promise;
    const finished = store.finish({ ...ending, id: picked?.id ?? 0, attempt: 1 });
    await expect(store.pick(2)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    return finished;
  });
  await begun.promise;
  latest = await takeLease(database);
  rejoined.resolve();
  // Both kinds go in one batch.
  const picked = store.pick(2);
  expect(await old).toMatchObject({ committed: false });
  expect(await store.finish({ ...ending, id: (await picked)?.id ?? 0, attempt: 1 })).toMatchObject({
    committed: true,
  });
  expect(await testDatabase.query('select lane::int, outcome from updates order by lane')).toEqual([
    { lane: 1, outcome: null },
    { lane: 2, outcome: 'accepted' },
  ]);
});

test('who has had an update for a minute has it no more once another one has picked it', async () => {
  const lease = await takeLease(database);
  const stuck = createUpdateStore({ database, botId: 1, laneMax: 100, instanceId: 'stuck', lease });
  const other = createUpdateStore({ database, botId: 1, laneMax: 100, instanceId: 'other', lease });
  await receive({ updates: stuck });
  const picked = await stuck.pick(chatId);
  expect(await other.pick(chatId)).toBeUndefined();
  await database.query(`update updates set picked_at = picked_at - interval '61 seconds'`);
  const taken = await other.pick(chatId);
  expect(taken).toMatchObject({ id: picked?.id, attempt: 2 });
  const ending = {
    id: picked?.id ?? 0,
    outcome: 'accepted',
    reason: 'SUCCESS',
    effects: { chatId },
    traceparent,
  } as const;
  expect(await stuck.finish({ ...ending, attempt: 1 })).toMatchObject({ committed: false });
  expect(await stuck.finish({ ...ending, attempt: 2 })).toMatchObject({ committed: false });
  expect(await other.finish({ ...ending, attempt: 2 })).toMatchObject({ committed: true });
});

test('a screen and a form are not stored with an outcome that is refused', async () => {
  const former = await succeed('former');
  await receive(former);
  const picked = await former.updates.pick(chatId);
  await succeed('successor');
  await former.updates.finish({
    id: picked?.id ?? 0,
    attempt: 1,
    traceparent,
    outcome: 'accepted',
    reason: 'SUCCESS',
    effects: {
      chatId,
      user: { language: 'ru', blocked: true, username: null },
      session: { messageId: 5, form: {} },
      message: { messageId: 5, screen: 'MAIN_MENU', record: {} },
    },
  });
  expect(await testDatabase.query('select language, blocked_at from users')).toEqual([
    { language: 'en', blocked_at: null },
  ]);
  expect(await testDatabase.query('select 1 from sessions')).toEqual([]);
  expect(await testDatabase.query('select 1 from messages')).toEqual([]);
});

test('nothing more is picked, but what arrives is stored', async () => {
  const former = await succeed('former');
  const successor = await succeed('successor');
  await receive(former);
  // Not "there is nothing": whoever asks would count the lane as worked off.
  await expect(former.updates.pick(chatId)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await successor.updates.pick(chatId)).toMatchObject({ updateId: 1, attempt: 1 });
});

test('no task is created, claimed, ended or delivered', async () => {
  const former = await succeed('former');
  await create(former, task);
  const successor = await succeed('successor');

  const refused = { code: 'LEASE_LOST' };
  await expect(create(former, { ...task, id: 'other', draft: 'other' })).rejects.toMatchObject(refused);
  expect(await former.tasks.claimSubmission('task', noLimit)).toBe('taken');
  expect(await successor.tasks.claimSubmission('task', noLimit)).toHaveProperty('claimedAt');
  await expect(fail(former)).rejects.toMatchObject(refused);
  await expect(complete(former)).rejects.toMatchObject(refused);
  expect(await complete(successor)).toBe('succeeded');
  expect(await former.deliveries.claim('task', 1_000)).toBeUndefined();
  expect(await successor.deliveries.claim('task', 1_000)).toMatchObject({ kind: 'result' });
});

test('what a successor has to deliver is neither put off nor given up by its former', async () => {
  const former = await succeed('instance');
  await create(former, task);
  await complete(former);
  const claimed = await former.deliveries.claim('task', 1_000);
  const ids = claimed?.rows.map(({ id }) => id) ?? [];
  const before = await testDatabase.query('select * from deliveries order by id');
  // The same instance, which has lost its lease and has another one.
  await succeed('instance');
  await former.deliveries.release(ids, 1_000);
  await former.deliveries.postpone('task', ids, 1_000);
  expect(await former.deliveries.giveUp(ids[0] ?? 0, 'DOWNSTREAM_ERROR', true)).toBe(false);
  expect(await former.deliveries.giveUpAll('task', 'DOWNSTREAM_ERROR')).toEqual([]);
  expect(await former.deliveries.abandon('task', 'DOWNSTREAM_ERROR')).toEqual([]);
  expect(await testDatabase.query('select * from deliveries order by id')).toEqual(before);
});

test('an order that was not made is put back in any case, but not one that was claimed anew', async () => {
  const former = await succeed('former');
  await create(former, task);
  const claim = await former.tasks.claimSubmission('task', noLimit);
  const successor = await succeed('successor');
  if (typeof claim === 'string') expect.fail(claim);
  await former.tasks.returnSubmission('task', claim, false);
  expect(await successor.tasks.find('task')).toMatchObject({ state: 'created', submitAttempts: 0 });
  expect(await successor.tasks.claimSubmission('task', noLimit)).toHaveProperty('claimedAt');
  // The same again, as when the answer to it was lost.
  await former.tasks.returnSubmission('task', claim, false);
  expect(await successor.tasks.find('task')).toMatchObject({ state: 'submitting', submitAttempts: 1 });
});

test("the vendor's id of a task is saved in any case: nobody else knows it", async () => {
  const former = await succeed('former');
  await create(former, task);
  await former.tasks.claimSubmission('task', noLimit);
  const successor = await succeed('successor');
  await former.tasks.saveVendorTaskId('task', 'vendor-1');
  expect(await successor.tasks.find('task')).toMatchObject({ state: 'waiting', vendorTaskId: 'vendor-1' });
});

const noLimit = { submissions: 100, windowMs: 1_000 };

function create({ tasks }: Stores, newTask: NewTask): Promise<unknown> {
  return database.transaction(transaction => tasks.create(transaction, newTask, 0));
}

function complete({ tasks }: Stores): Promise<string> {
  const result = { urls: ['https://a.example/1.png'], costCredits: undefined };
  return database.transaction(transaction => tasks.succeed(transaction, 'task', result));
}

function fail({ tasks }: Stores): Promise<boolean> {
  return database.transaction(transaction => tasks.fail(transaction, 'task', 'DOWNSTREAM_ERROR'));
}

test('a takeover waits for what is being committed; a heartbeat does not', async () => {
  await succeed('former');
  const committing = new pg.Client({ connectionString: testDatabase.url });
  await committing.connect();
  onTestFinished(() => committing.end());
  await committing.query('begin');
  await committing.query(`select holds_lease('test', 1)`);

  await database.query('update leases set heartbeat_at = clock_timestamp()');
  let isTaken = false;
  const taking = succeed('successor').then(() => {
    isTaken = true;
  });
  await waitFor('the takeover to wait', async () => {
    const waiting = await testDatabase.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    return waiting.length > 0 || undefined;
  });
  expect(isTaken).toBe(false);
  await committing.query('commit');
  await taking;
});
