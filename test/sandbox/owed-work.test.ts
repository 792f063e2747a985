// What chaos counts as owed, and as forgotten: read from the tables as a bot leaves them.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readJobless, readOwed } from '../../sandbox/history/owed-work.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storeOrders, storeResults, workTasks } from '../support/stored-tasks.ts';

const chatId = 7;
const url = 'https://files.example/result.png';
let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const subjects = async (): Promise<string[]> =>
  (await readOwed(database.query)).map(({ subject }) => subject);
const forgotten = async (): Promise<string[]> =>
  (await readJobless(database.query, 0)).map(({ subject }) => subject);

async function planJobs(minutes: number): Promise<void> {
  await database.query(
    `update graphile_worker._private_jobs set run_at = now() + $1 * interval '1 minute', locked_at = null`,
    [minutes],
  );
}

async function storeFollowUp(due: string): Promise<void> {
  await database.query(
    `insert into follow_ups (lane, kind, data, traceparent, due_at)
     values ($1, 'erase', '{}', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', now() + $2::interval)`,
    [chatId, due],
  );
}

test('an open task is owed while its job is due or gone, and forgotten without one that may still run', async () => {
  const [id = ''] = await storeOrders(database, 1, { chatId });
  expect(await subjects()).toEqual([`task ${id} (no job)`]);
  expect(await forgotten()).toEqual([`task ${id}`]);

  await workTasks(database, [id]);
  expect(await subjects()).toEqual([`task ${id} (job is due)`]);
  expect(await forgotten()).toEqual([]);

  await planJobs(15);
  expect([await subjects(), await forgotten()]).toEqual([[], []]);

  await database.query('update graphile_worker._private_jobs set locked_at = now()');
  expect([await subjects(), await forgotten()]).toEqual([[], []]);

  await database.query('update graphile_worker._private_jobs set attempts = max_attempts, locked_at = null');
  expect(await forgotten()).toEqual([`task ${id}`]);
});

test('a result that is due is owed unless somebody sends it, or looks at its task within moments', async () => {
  const [id = ''] = await storeResults(database, 1, { chatId, url });
  const delivery = `delivery of task ${id} (result 1)`;
  await workTasks(database, [id]);
  await planJobs(15);
  expect(await subjects()).toEqual([delivery]);
  expect(await forgotten()).toEqual([]);

  await planJobs(0.1);
  expect(await subjects()).toEqual([]);

  await planJobs(15);
  await database.query('update deliveries set claimed_at = now()');
  expect(await subjects()).toEqual([]);

  await database.query('update deliveries set finished_at = now()');
  await database.query('delete from graphile_worker._private_jobs');
  expect([await subjects(), await forgotten()]).toEqual([[], []]);
});

test('a callback that was not worked keeps its task open', async () => {
  const [id = ''] = await storeResults(database, 1, { chatId, url });
  await database.query('update deliveries set finished_at = now()');
  await database.query(`insert into kie_callbacks (task_id, body) values ($1, '{}')`, [id]);
  expect(await forgotten()).toEqual([`task ${id}`]);
});

test('a follow-up is owed when it is due, and forgotten without a job for its chat', async () => {
  await storeFollowUp('1 hour');
  expect(await subjects()).toEqual([]);
  expect(await forgotten()).toEqual([expect.stringMatching(/^follow-up \d+ of chat 7 \(erase\)$/)]);

  await database.query(
    `select graphile_worker.add_job('follow_up', json_build_object('lane', $1::bigint), run_at => now() + interval '1 hour')`,
    [chatId],
  );
  expect(await forgotten()).toEqual([]);

  await storeFollowUp('-1 second');
  expect(await subjects()).toEqual([expect.stringMatching(/^follow-up \d+ of chat 7 \(erase\)$/)]);
});

test('what gets a job while it is looked for is not forgotten', async () => {
  const [id = ''] = await storeOrders(database, 1, { chatId });
  const looking = readJobless(database.query, 60_000);
  await workTasks(database, [id]);
  expect(await looking).toEqual([]);
});
