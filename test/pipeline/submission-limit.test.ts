// The supplier drops what is over 20 orders in 10 seconds of one account. The places are counted in the database, so
// that the limit holds for all instances together, however they hurry.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { productionTimings } from '../../src/pipeline/timings.ts';
import type { Database } from '../../src/storage/database.ts';
import { createTaskStore, type SubmissionLimit, type TaskStore } from '../../src/storage/task-store.ts';
import { createTestDatabase } from '../support/database.ts';
import { takeLease } from '../support/lease.ts';

const poolSize = 10;

interface Instances extends AsyncDisposable {
  readonly database: Database;
  /** One store for each instance, with connections of its own, under the lease that both work under. */
  readonly stores: readonly [TaskStore, TaskStore];
  /** As many tasks that wait for a place. */
  tasks(count: number): Promise<string[]>;
  /** When the claimed tasks were claimed, in milliseconds, from the first to the last. */
  claimTimes(): Promise<number[]>;
}

async function startInstances(): Promise<Instances> {
  const testDatabase = await createTestDatabase();
  const databases = [testDatabase.connect(poolSize), testDatabase.connect(poolSize)] as const;
  const [database, other] = databases;
  const lease = await takeLease(database);
  const stores = [createTaskStore(database, lease), createTaskStore(other, lease)] as const;
  await database.query(`insert into users (chat_id, language) values (1, 'en')`);
  return {
    database,
    stores,
    async tasks(count) {
      const ids = Array.from({ length: count }, () => randomBytes(9).toString('base64url'));
      await database.transaction(async transaction => {
        for (const id of ids)
          await stores[0].create(
            transaction,
            {
              id,
              chatId: 1,
              draft: id,
              revision: 1,
              modelId: 'any/model',
              modelKey: 'any',
              modelVersion: '2026-01-01',
              values: {},
              quote: { kopecks: 0, credits: 0 },
              callbackToken: id,
              traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
              messageId: undefined,
            },
            60_000,
          );
      });
      return ids;
    },
    async claimTimes() {
      const { rows } = await database.query<{ at: number }>(
        `select extract(epoch from submitted_at)::float8 * 1000 as at from tasks
         where submitted_at is not null order by submitted_at`,
      );
      return rows.map(({ at }) => at);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(databases.map(each => each.stop()));
      await testDatabase.drop();
    },
  };
}

/** All at once, by turns from both instances; resolves with the verdicts in the order of the tasks. */
function claimAll(
  { stores }: Instances,
  ids: readonly string[],
  limit: SubmissionLimit,
): Promise<('claimed' | 'full' | 'taken')[]> {
  return Promise.all(
    ids.map(async (id, index) => {
      const claim = await (index % 2 === 0 ? stores[0] : stores[1]).claimSubmission(id, limit);
      return typeof claim === 'string' ? claim : 'claimed';
    }),
  );
}

const countOf = (verdicts: readonly string[], wanted: string): number =>
  verdicts.filter(verdict => verdict === wanted).length;

test('the limit of the running bot keeps a tenth of what the supplier takes in reserve', () => {
  expect(productionTimings.submissionLimit).toEqual({ submissions: 18, windowMs: 10_000 });
});

test('of sixty orders that two instances begin at once, eighteen get a place and the rest have to wait', async () => {
  await using instances = await startInstances();
  const ids = await instances.tasks(60);
  const verdicts = await claimAll(instances, ids, productionTimings.submissionLimit);

  expect(countOf(verdicts, 'claimed')).toBe(18);
  expect(countOf(verdicts, 'full')).toBe(42);
  const { rows } = await instances.database.query<{ id: string; submit_attempts: number }>(
    `select id, submit_attempts from tasks where state = 'submitting'`,
  );
  expect(rows.map(({ id }) => id).toSorted()).toEqual(
    ids.filter((_id, index) => verdicts[index] === 'claimed').toSorted(),
  );
  expect(rows.every(({ submit_attempts }) => submit_attempts === 1)).toBe(true);
});

test('places come free one by one, as the orders that took them leave the window', async () => {
  await using instances = await startInstances();
  const limit = productionTimings.submissionLimit;
  const first = await instances.tasks(18);
  expect(countOf(await claimAll(instances, first, limit), 'claimed')).toBe(18);
  const later = await instances.tasks(18);
  expect(countOf(await claimAll(instances, later, limit), 'full')).toBe(18);
  // Seven of the first have left the window.
  await instances.database.query(
    `update tasks set submitted_at = submitted_at - interval '10 seconds' where id = any($1)`,
    [first.slice(0, 7)],
  );
  expect(countOf(await claimAll(instances, later, limit), 'claimed')).toBe(7);
});

test('one task is claimed by one instance only, and the other does not wait for a place', async () => {
  await using instances = await startInstances();
  const [id = ''] = await instances.tasks(1);
  const verdicts = await claimAll(instances, [id, id, id, id], productionTimings.submissionLimit);
  expect(verdicts.toSorted()).toEqual(['claimed', 'taken', 'taken', 'taken']);
});

test('orders that keep coming never make more than the limit in any window', async () => {
  await using instances = await startInstances();
  const limit: SubmissionLimit = { submissions: 5, windowMs: 150 };
  const waiting = await instances.tasks(30);
  const work = async (store: TaskStore): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop())
      while ((await store.claimSubmission(id, limit)) === 'full');
  };
  await Promise.all(instances.stores.flatMap(store => [work(store), work(store), work(store)]));

  const times = await instances.claimTimes();
  expect(times).toHaveLength(30);
  for (const [index, at] of times.entries()) {
    const sixthBefore = times[index - limit.submissions];
    if (sixthBefore !== undefined) expect(at - sixthBefore).toBeGreaterThanOrEqual(limit.windowMs);
  }
});
