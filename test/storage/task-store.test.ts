import { expect, test } from 'vitest';
import { createCallbackStore } from '../../src/storage/callback-store.ts';
import { reviveStranded } from '../../src/storage/job-queue.ts';
import { createTaskStore } from '../../src/storage/task-store.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';
import { storeOrders, workTasks } from '../support/stored-tasks.ts';

test('a look that is scheduled for later does not put off the look that a callback asks for', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  try {
    const tasks = createTaskStore(database, await takeLease(database));
    await database.query(`insert into users (chat_id, language) values (1, 'en')`);
    await database.transaction(transaction =>
      tasks.create(
        transaction,
        {
          id: 'task',
          chatId: 1,
          draft: 'draft',
          revision: 1,
          modelId: 'z-image',
          modelKey: 'zimage',
          modelVersion: '1',
          values: {},
          quote: { kopecks: 0, credits: 0 },
          callbackToken: 'token',
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          messageId: undefined,
        },
        60_000,
      ),
    );
    await createCallbackStore(database).wake('task');
    await tasks.schedule('task', 60_000);

    const { rows } = await database.query('select 1 from graphile_worker.jobs where run_at <= now()');
    expect(rows).toHaveLength(1);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});

test('a look that is planned soon is not put off by one that is planned for later', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(1);
  try {
    await storeOrders(testDatabase, 1, { chatId: 1 });
    const [task] = await testDatabase.query<{ id: string }>('select id from tasks');
    const tasks = createTaskStore(database, await takeLease(database));
    const minutesAway = () =>
      testDatabase.query(
        `select round(extract(epoch from run_at - now()) / 60)::int as minutes from graphile_worker.jobs`,
      );
    await testDatabase.query(`select graphile_worker.remove_job('task:' || $1)`, [task?.id]);

    await tasks.schedule(task?.id ?? '', 10 * 60_000);
    await tasks.schedule(task?.id ?? '', 15 * 60_000);
    expect(await minutesAway()).toEqual([{ minutes: 10 }]);

    await tasks.schedule(task?.id ?? '', 5 * 60_000);
    expect(await minutesAway()).toEqual([{ minutes: 5 }]);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});

test('a task whose job is locked by a worker that is gone gets another one within the hour', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  try {
    await storeOrders(testDatabase, 2, { chatId: 1 });
    const rows = await testDatabase.query<{ id: string }>('select id from tasks order by id');
    const ids = rows.map(({ id }) => id);
    const [worked = '', left = ''] = ids;
    await workTasks(testDatabase, ids);
    await testDatabase.query(
      `update graphile_worker._private_jobs set locked_by = 'pool', locked_at = now()
         - case key when $1 then interval '30 minutes' else interval '1 minute' end`,
      [`task:${left}`],
    );
    const stranding = {
      instanceId: 'test',
      workedHere: [],
      tasksWorkedHere: [],
      patienceMs: 1_000,
      pickLimitMs: 1_000,
    };
    await reviveStranded(database, stranding);
    const jobs = await testDatabase.query<{ key: string; locked: boolean }>(
      `select key, locked_at is not null as locked from graphile_worker._private_jobs
       where attempts < max_attempts order by locked desc`,
    );
    expect(jobs).toEqual([
      { key: `task:${worked}`, locked: true },
      { key: `task:${left}`, locked: false },
    ]);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});

test('a task whose job has used up its attempts, or is gone, gets another one; one that has a job keeps it', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  try {
    await storeOrders(testDatabase, 3, { chatId: 1 });
    const rows = await testDatabase.query<{ id: string }>('select id from tasks order by id');
    const [usedUp = '', gone = '', planned = ''] = rows.map(({ id }) => id);
    await workTasks(testDatabase, [usedUp]);
    await testDatabase.query('update graphile_worker._private_jobs set attempts = max_attempts');
    const tasks = createTaskStore(database, await takeLease(database));
    await tasks.schedule(planned, 60_000);

    const stranding = {
      instanceId: 'test',
      workedHere: [],
      tasksWorkedHere: [],
      patienceMs: 1_000,
      pickLimitMs: 1_000,
    };
    expect(await reviveStranded(database, stranding)).toBeGreaterThan(0);
    const jobs = await testDatabase.query<{ key: string; later: boolean }>(
      `select key, run_at > now() + interval '30 seconds' as later from graphile_worker.jobs
       where attempts < max_attempts order by key`,
    );
    expect(jobs).toEqual([
      { key: `task:${usedUp}`, later: false },
      { key: `task:${gone}`, later: false },
      { key: `task:${planned}`, later: true },
    ]);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});

test('a late result ends the notice of the failure that was not sent yet', async () => {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.connect(2);
  try {
    const [id = ''] = await storeOrders(testDatabase, 1, { chatId: 1 });
    const tasks = createTaskStore(database, await takeLease(database));
    await database.transaction(transaction => tasks.fail(transaction, id, 'DOWNSTREAM_TIMEOUT'));
    const late = await database.transaction(transaction =>
      tasks.succeed(transaction, id, { urls: ['https://a.example/1'], costCredits: undefined }),
    );
    expect(late).toBe('late');
    expect(await testDatabase.query('select kind from deliveries where finished_at is null')).toEqual([
      { kind: 'result' },
    ]);
  } finally {
    await database.stop();
    await testDatabase.drop();
  }
});
